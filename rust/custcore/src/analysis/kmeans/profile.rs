//! Cluster profiles: the size of each cluster, and the mean and median of each feature in original units.

use super::points::{Features, Float, Points, each_float};
use crate::num::exact::{mean, median};

/// Statistics of one feature by cluster; `None` for an empty cluster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FeatureProfile {
    /// Means, from exact sums.
    pub means: Vec<Option<f64>>,
    /// Medians (type 7).
    pub medians: Vec<Option<f64>>,
}

/// The number of rows per label.
pub(crate) fn sizes(labels: &[i32], clusters: usize) -> Vec<i64> {
    let mut sizes = vec![0; clusters];
    labels.iter().for_each(|&label| sizes[label as usize] += 1);
    sizes
}

/// The values of a feature in row order.
pub(crate) fn column(features: &Features, feature: usize) -> Vec<f64> {
    fn widened<T: Float>(points: &Points<T>, feature: usize) -> Vec<f64> {
        let mut values = Vec::with_capacity(points.rows());
        for block in points.blocks() {
            let (lane, stride) = points.lanes(&block)[feature].from(block.start);
            values.extend(lane.iter().step_by(stride).take(block.len).map(|x| x.wide()));
        }
        values
    }
    each_float!(&features.values, points => widened(points, feature))
}

/// The statistics of a feature by cluster, given the cluster sizes.
pub(crate) fn profile(values: &[f64], labels: &[i32], sizes: &[i64]) -> FeatureProfile {
    let mut members: Vec<Vec<f64>> = sizes.iter().map(|&size| Vec::with_capacity(size as usize)).collect();
    values.iter().zip(labels).for_each(|(&value, &label)| members[label as usize].push(value));
    let means = members.iter().map(|values| mean(values)).collect();
    FeatureProfile { means, medians: members.into_iter().map(median).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_hand_computed_profile() {
        let labels = [0, 2, 0, 0];
        let sizes = sizes(&labels, 3);
        assert_eq!(sizes, [3, 0, 1]);
        let found = profile(&[1.0, 5.0, 2.0, 9.0], &labels, &sizes);
        assert_eq!(found.means, [Some(4.0), None, Some(5.0)]);
        assert_eq!(found.medians, [Some(2.0), None, Some(5.0)]);
    }
}
