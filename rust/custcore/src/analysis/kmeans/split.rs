//! Splitting a cluster in two: across its principal axis, then a few steps of 2-means.

use super::init::Sample;

/// Iterations of the power method for the principal axis.
const POWERS: usize = 8;
/// Steps of 2-means.
const STEPS: usize = 3;

/// Two clusters in place of one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Split {
    /// The decrease of the inertia if no row of another cluster changes its cluster.
    pub gain: f64,
    /// The two centres.
    pub centers: Vec<f64>,
}

/// The split of the cluster of these rows; `None` if all of them are the same point.
pub(crate) fn split(sample: &Sample, rows: &[usize]) -> Option<Split> {
    let d = sample.columns().len();
    let weights: Vec<f64> = rows.iter().map(|&row| sample.weights()[row]).collect();
    let total: f64 = weights.iter().sum();
    // Deviations from the mean, feature by feature.
    let mut mean = Vec::with_capacity(d);
    let deviations: Vec<Vec<f64>> = sample
        .columns()
        .iter()
        .map(|column| {
            let center = rows.iter().zip(&weights).map(|(&row, w)| w * column[row]).sum::<f64>() / total;
            mean.push(center);
            rows.iter().map(|&row| column[row] - center).collect()
        })
        .collect();
    let axis = principal_axis(&deviations, &weights)?;
    // The side of a row is the sign of its position on an axis between the two centres.
    let mut position = vec![0.0; rows.len()];
    let mut second = vec![0.0; d];
    let (mut direction, mut border) = (axis, 0.0);
    let mut found = None;
    for _ in 0..=STEPS {
        position.fill(-border);
        for (deviations, along) in deviations.iter().zip(&direction) {
            position.iter_mut().zip(deviations).for_each(|(position, x)| *position += along * x);
        }
        let part: f64 = position.iter().zip(&weights).map(|(at, w)| if *at > 0.0 { *w } else { 0.0 }).sum();
        let rest = total - part;
        if !(part > 0.0 && rest > 0.0) {
            break;
        }
        for (second, deviations) in second.iter_mut().zip(&deviations) {
            let sum: f64 = position.iter().zip(deviations).zip(&weights).map(|((at, x), w)| if *at > 0.0 { w * x } else { 0.0 }).sum();
            *second = sum / part;
        }
        // Deviations sum to zero, so the first centre is opposite to the second.
        let apart = 1.0 + part / rest;
        let square: f64 = second.iter().map(|x| x * x).sum();
        found = Some((part / rest, total * part / rest * square));
        direction.iter_mut().zip(&second).for_each(|(along, x)| *along = apart * x);
        border = apart * square * (1.0 - part / rest) / 2.0;
    }
    let (ratio, gain) = found?;
    let first = mean.iter().zip(&second).map(|(mean, x)| mean - ratio * x);
    let centers = first.chain(mean.iter().zip(&second).map(|(mean, x)| mean + x)).collect();
    Some(Split { gain, centers })
}

/// The direction of the largest variance, or nearly so; `None` if there is no variance.
fn principal_axis(deviations: &[Vec<f64>], weights: &[f64]) -> Option<Vec<f64>> {
    let d = deviations.len();
    let product =
        |(a, b): (usize, usize)| -> f64 { deviations[a].iter().zip(&deviations[b]).zip(weights).map(|((x, y), w)| w * x * y).sum() };
    let covariance: Vec<f64> = (0..d * d).map(|at| (at / d, at % d)).map(|(a, b)| if a <= b { product((a, b)) } else { 0.0 }).collect();
    let cell = |a: usize, b: usize| covariance[a.min(b) * d + a.max(b)];
    let widest = (1..d).fold(0, |best, f| if cell(f, f) > cell(best, best) { f } else { best });
    let mut axis: Vec<f64> = (0..d).map(|f| cell(widest, f)).collect();
    for _ in 0..POWERS {
        let largest = axis.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        if !(largest > 0.0 && largest.is_finite()) {
            return None;
        }
        axis.iter_mut().for_each(|x| *x /= largest);
        axis = (0..d).map(|a| (0..d).map(|b| cell(a, b) * axis[b]).sum()).collect();
    }
    axis.iter().all(|x| x.is_finite()).then_some(axis)
}

#[cfg(test)]
mod tests {
    use super::super::points::Points;
    use super::*;
    use crate::num::random::Random;

    fn sample(columns: Vec<Vec<f64>>, weights: Option<&[f64]>) -> Sample {
        let rows = columns[0].len();
        Sample::draw(&Points::of_columns(columns, rows), weights, rows, &mut Random::new(0, 0))
    }

    #[test]
    fn the_two_groups_of_a_cluster_are_found() {
        let sample = sample(vec![vec![0.0, 1.0, 0.0, 10.0, 11.0], vec![5.0, 4.0, 3.0, 8.0, 10.0]], None);
        let found = split(&sample, &[0, 1, 2, 3, 4]).map(|split| split.centers);
        let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
        let (low, high) = ([1.0 / 3.0, 4.0], [10.5, 9.0]);
        let found = found.unwrap_or_default();
        assert!(near(&found, &[low, high].concat()) || near(&found, &[high, low].concat()), "{found:?}");
    }

    #[test]
    fn the_gain_is_the_decrease_of_the_inertia() {
        let weights = [1.0, 2.0, 0.5, 3.0];
        let sample = sample(vec![vec![0.0, 1.0, 7.0, 9.0]], Some(&weights));
        let found = split(&sample, &[0, 1, 2, 3]);
        let cost = |rows: &[usize]| -> f64 {
            let x = &sample.columns()[0];
            let total: f64 = rows.iter().map(|&row| weights[row]).sum();
            let mean = rows.iter().map(|&row| weights[row] * x[row]).sum::<f64>() / total;
            rows.iter().map(|&row| weights[row] * (x[row] - mean).powi(2)).sum()
        };
        let expected = cost(&[0, 1, 2, 3]) - cost(&[0, 1]) - cost(&[2, 3]);
        assert!(found.is_some_and(|found| (found.gain - expected).abs() < 1e-9 * expected));
    }

    #[test]
    fn one_point_is_not_split() {
        assert_eq!(split(&sample(vec![vec![3.0; 4]], None), &[0, 1, 2, 3]), None);
        assert_eq!(split(&sample(vec![vec![3.0; 4]], None), &[]), None);
    }
}
