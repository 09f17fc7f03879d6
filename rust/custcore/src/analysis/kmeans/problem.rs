//! The input of Lloyd's algorithm and the result of a run.

use super::normalization::Normalization;
use super::points::{Float, Points};
use super::scan::Ranges;
use super::share::Chunk;
use super::simd::SimdPath;
use crate::exec::context::Context;

/// The input of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Problem<'a, T: Float> {
    /// The rows.
    pub points: &'a Points<T>,
    /// The weight of each point; `None` for unweighted.
    pub weights: Option<&'a [f64]>,
    /// If the points are deduplicated rows: the point of each row.
    pub codes: Option<&'a [u32]>,
    /// The ranges of the features.
    pub ranges: &'a Ranges,
    /// The SIMD instruction set.
    pub path: SimdPath,
    /// Threads and cancellation.
    pub context: &'a Context,
}

/// The result of a run.
#[derive(Debug, Clone)]
pub(crate) struct LloydRun<L> {
    /// The centres, row-major.
    pub centers: Vec<f64>,
    /// The labelled rows.
    pub chunks: Vec<Chunk<L>>,
    /// The means of the rows of each cluster, from exact sums.
    pub means: Vec<f64>,
    /// The sum of squared distances to the assigned centres.
    pub inertia: f64,
    /// Number of iterations, counted as in scikit-learn.
    pub n_iter: usize,
}

impl<T: Float> Problem<'_, T> {
    pub(super) fn n_features(&self) -> usize {
        self.points.n_features()
    }

    /// The context, and the number of points to process.
    pub(super) fn load(&self) -> (&Context, usize) {
        (self.context, self.points.rows())
    }

    /// The weight of a point.
    pub(crate) fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    /// The normalization of the points. The offset of each feature is the median of a sample of rows.
    pub(super) fn normalization(&self) -> Normalization {
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
        Normalization::new(&self.ranges.0, columns.into_iter().map(middle).collect())
    }
}
