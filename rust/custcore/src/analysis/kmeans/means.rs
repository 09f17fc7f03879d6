//! The update step: means from exact sums, rounded once, and relocation of empty clusters.

use super::kernel::squared_distance;
use super::sums::ClusterSums;
use crate::num::exact::{approximate, grow, grow_product, quotient};

/// A row that becomes the centre of an empty cluster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Far {
    /// The squared distance to its assigned centre.
    pub distance: f64,
    /// The row.
    pub row: usize,
    /// The assigned cluster.
    pub cluster: usize,
    /// The weight.
    pub weight: f64,
    /// The features.
    pub point: Vec<f64>,
}

/// The total weight of each cluster.
#[derive(Debug, Clone)]
pub(crate) enum ClusterWeights {
    /// Row counts, if unweighted.
    Counts(Vec<i64>),
    /// Exact sums of weights, as expansions.
    Weights(Vec<Vec<f64>>),
}

impl ClusterWeights {
    /// Zero weight in every cluster.
    pub(crate) fn new(clusters: usize, weighted: bool) -> Self {
        if weighted { Self::Weights(vec![Vec::new(); clusters]) } else { Self::Counts(vec![0; clusters]) }
    }

    /// Adds the weights of another chunk.
    pub(crate) fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Counts(own), Self::Counts(more)) => own.iter_mut().zip(more).for_each(|(a, b)| *a += b),
            (Self::Weights(own), Self::Weights(more)) => {
                for (own, more) in own.iter_mut().zip(more) {
                    more.into_iter().for_each(|part| grow(own, part));
                }
            }
            _ => {}
        }
    }

    /// Number of clusters.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Counts(counts) => counts.len(),
            Self::Weights(weights) => weights.len(),
        }
    }

    /// The weight of a cluster as an expansion.
    pub(crate) fn get(&self, cluster: usize) -> Vec<f64> {
        match self {
            Self::Counts(counts) => vec![counts[cluster] as f64],
            Self::Weights(weights) => weights[cluster].clone(),
        }
    }

    /// The clusters of zero weight.
    pub(crate) fn empty(&self) -> Vec<usize> {
        (0..self.len()).filter(|&j| approximate(&self.get(j)) == 0.0).collect()
    }
}

/// The cluster means, from exact sums. Empty clusters are relocated to the rows `far` in order, as in scikit-learn; clusters
/// that remain empty get the mean of the heaviest cluster.
pub(crate) fn means(sums: &ClusterSums, totals: &ClusterWeights, n_features: usize, far: &[Far]) -> Vec<f64> {
    let clusters = totals.len();
    let mut totals_now: Vec<Vec<f64>> = (0..clusters).map(|j| totals.get(j)).collect();
    let mut sums_now: Vec<Vec<f64>> = (0..clusters * n_features).map(|cell| sums.get(cell)).collect();
    if far.first().is_some_and(|far| far.distance > 0.0) {
        for (j, far) in totals.empty().into_iter().zip(far) {
            grow(&mut totals_now[far.cluster], -far.weight);
            totals_now[j] = vec![far.weight];
            for (feature, &x) in far.point.iter().enumerate() {
                grow_product(&mut sums_now[far.cluster * n_features + feature], -far.weight, x);
                let own = &mut sums_now[j * n_features + feature];
                own.clear();
                grow_product(own, far.weight, x);
            }
        }
    }
    let heavier = |a: usize, b: usize| {
        let mut rest = totals_now[a].clone();
        totals_now[b].iter().for_each(|part| grow(&mut rest, -part));
        approximate(&rest) > 0.0
    };
    let heaviest = (1..clusters).fold(0, |best, j| if heavier(j, best) { j } else { best });
    let filled = |j: usize| if approximate(&totals_now[j]) > 0.0 { j } else { heaviest };
    let mean = |(j, feature): (usize, usize)| quotient(&sums_now[j * n_features + feature], &totals_now[j]);
    (0..clusters).flat_map(|j| (0..n_features).map(move |feature| (j, feature))).map(|(j, feature)| mean((filled(j), feature))).collect()
}

/// The sum of squared centre shifts.
pub(crate) fn shift(old: &[f64], new: &[f64], n_features: usize) -> f64 {
    new.chunks_exact(n_features).zip(old.chunks_exact(n_features)).fold(0.0, |sum, (a, b)| sum + squared_distance(a, b))
}
