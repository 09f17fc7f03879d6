//! The state of a chunk of rows between assignment steps, and the changes of one step.

use super::label::Label;
use super::means::ClusterWeights;
use super::points::{Float, Lane, PointBlock};
use super::sums::{ClusterSums, Steps};
use crate::num::exact::grow;

/// Consecutive rows with their labels and bounds.
#[derive(Debug, Clone)]
pub(crate) struct Chunk<L> {
    /// The blocks.
    pub blocks: Vec<PointBlock>,
    /// The first row.
    pub first_row: usize,
    /// The label of each row.
    pub labels: Vec<L>,
    /// Per row: the cumulative shift of its cluster and level up to which the label is valid, and the level (see [`super::reach`]).
    pub(super) valid_until: Vec<f32>,
    /// Per block: the total cumulative shift up to which all its labels are valid.
    pub(super) due: Vec<f64>,
}

impl<L: Label> Chunk<L> {
    /// Unlabelled rows.
    pub(crate) fn new(blocks: Vec<PointBlock>, first_row: usize) -> Self {
        let rows = blocks.iter().map(|block| block.len).sum();
        let due = vec![0.0; blocks.len()];
        Self { blocks, first_row, labels: vec![L::default(); rows], valid_until: Vec::new(), due }
    }

    /// Frees the bounds, which only further assignment steps would need.
    pub(super) fn free_bounds(&mut self) {
        self.valid_until = Vec::new();
    }
}

/// The changes of an assignment step.
#[derive(Debug, Clone)]
pub(crate) struct ClusterDelta {
    /// Changes of the feature sums by cluster.
    pub sums: ClusterSums,
    /// Changes of the weights by cluster.
    pub totals: ClusterWeights,
    /// Number of reassigned rows.
    pub moved: usize,
}

impl ClusterDelta {
    /// No change.
    pub(crate) fn new(clusters: usize, steps: &[Steps], weighted: bool) -> Self {
        Self { sums: ClusterSums::new(clusters, steps), totals: ClusterWeights::new(clusters, weighted), moved: 0 }
    }

    /// Adds the changes of another chunk.
    #[must_use]
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.sums.merge(other.sums);
        self.totals.merge(other.totals);
        self.moved += other.moved;
        self
    }

    /// The feature sums over all clusters, as expansions.
    pub(crate) fn column_sums(&self, n_features: usize) -> Vec<Vec<f64>> {
        let mut sums = vec![Vec::new(); n_features];
        for cell in 0..self.totals.len() * n_features {
            self.sums.get(cell).into_iter().for_each(|part| grow(&mut sums[cell % n_features], part));
        }
        sums
    }

    #[inline(always)]
    pub(super) fn shift<T: Float>(&mut self, from: Option<usize>, to: usize, weight: Option<f64>, lanes: &[Lane<T>], at: usize) {
        self.moved += 1;
        match (&mut self.totals, weight) {
            (ClusterWeights::Weights(weights), Some(weight)) => {
                grow(&mut weights[to], weight);
                if let Some(from) = from {
                    grow(&mut weights[from], -weight);
                }
                for (feature, lane) in lanes.iter().enumerate() {
                    let x = lane.get(at).wide();
                    self.sums.add_product(to * lanes.len() + feature, weight, x);
                    if let Some(from) = from {
                        self.sums.add_product(from * lanes.len() + feature, -weight, x);
                    }
                }
            }
            (ClusterWeights::Counts(counts), _) => {
                counts[to] += 1;
                if let Some(from) = from {
                    counts[from] -= 1;
                }
                for (feature, lane) in lanes.iter().enumerate() {
                    self.sums.shift(from, to, feature, lane.get(at).wide());
                }
            }
            (ClusterWeights::Weights(_), None) => {}
        }
    }
}
