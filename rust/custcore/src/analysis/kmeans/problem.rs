//! What is to be clustered, and how a run over it ended.

use super::filter::Frame;
use super::lanes::Path;
use super::points::{Float, Points};
use super::scan::Ranges;
use super::share::Share;
use crate::exec::context::Context;

/// What is to be clustered.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a, T: Float> {
    /// The rows.
    pub points: &'a Points<T>,
    /// A weight for each row.
    pub weights: Option<&'a [f64]>,
    /// Where the points stand for several rows each: the point of each row.
    pub codes: Option<&'a [u32]>,
    /// The ranges of the features.
    pub ranges: &'a Ranges,
    /// The instructions to compute with.
    pub path: Path,
    /// Threads, cancelling.
    pub context: &'a Context,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Run<L> {
    /// The centres, one after the other.
    pub centers: Vec<f64>,
    /// The rows with the cluster of each.
    pub shares: Vec<Share<L>>,
    /// The exact means of the rows of each cluster.
    pub means: Vec<f64>,
    /// The sum of squared distances.
    pub inertia: f64,
    /// Iterations, as scikit-learn counts them.
    pub n_iter: usize,
}

impl<T: Float> Problem<'_, T> {
    pub(super) fn n_features(&self) -> usize {
        self.points.n_features()
    }

    /// The context, and how many rows there are to work on.
    pub(super) fn load(&self) -> (&Context, usize) {
        (self.context, self.points.rows())
    }

    /// The weight of a row.
    pub fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    /// The middle of each feature, roughly: the median of some rows.
    pub(super) fn frame(&self) -> Frame {
        let (d, n) = (self.n_features(), self.points.rows());
        let count = n.min(255);
        let mut columns = vec![Vec::with_capacity(count); d];
        let mut x = vec![0.0; d];
        for i in 0..count {
            self.points.read((i as u128 * n as u128 / count as u128) as usize, &mut x);
            columns.iter_mut().zip(&x).for_each(|(column, &x)| column.push(x));
        }
        let middle = |mut column: Vec<f64>| {
            column.sort_unstable_by(f64::total_cmp);
            column.get(column.len() / 2).copied().unwrap_or(0.0)
        };
        Frame::new(&self.ranges.0, columns.into_iter().map(middle).collect())
    }
}
