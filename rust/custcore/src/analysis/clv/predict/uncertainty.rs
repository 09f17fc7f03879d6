//! How far expectations are off because parameters are estimates: the delta rule.

use crate::error::Result;
use crate::num::special::exp;

/// Step of the central differences in the logarithms of parameters: their error is its square, about 1e-8.
const STEP: f64 = 1e-4;

/// The variances of expectations, whose parameters have this covariance of their logarithms. Parameters that are not identified count as
/// known.
pub(crate) fn parameter_variance(
    parameters: &[f64],
    covariance: &[Vec<Option<f64>>],
    expectations: impl Fn(&[f64]) -> Result<Vec<f64>>,
) -> Result<Vec<f64>> {
    let moved = |at: usize, step: f64| {
        let mut moved = parameters.to_vec();
        moved[at] *= exp(step);
        expectations(&moved)
    };
    let mut slopes: Vec<Option<Vec<f64>>> = Vec::with_capacity(parameters.len());
    for (at, row) in covariance.iter().enumerate() {
        if row[at].is_none() {
            slopes.push(None);
            continue;
        }
        let (up, down) = (moved(at, STEP)?, moved(at, -STEP)?);
        slopes.push(Some(up.iter().zip(down).map(|(up, down)| (up - down) / (2.0 * STEP)).collect()));
    }
    let number = slopes.iter().flatten().map(Vec::len).next().unwrap_or(0);
    if number == 0 {
        return Ok(vec![0.0; expectations(parameters)?.len()]);
    }
    let mut variances = vec![0.0; number];
    for (i, row) in covariance.iter().enumerate() {
        for (j, covariance) in row.iter().enumerate() {
            if let (Some(of_i), Some(of_j), Some(covariance)) = (&slopes[i], &slopes[j], covariance) {
                variances.iter_mut().zip(of_i).zip(of_j).for_each(|((sum, of_i), of_j)| *sum += covariance * of_i * of_j);
            }
        }
    }
    Ok(variances.into_iter().map(|variance: f64| variance.max(0.0)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variances_follow_the_delta_rule() -> Result<()> {
        // f = x y: the derivatives by the logarithms are both f.
        let covariance = vec![vec![Some(0.01), Some(0.002)], vec![Some(0.002), Some(0.04)]];
        let found = parameter_variance(&[2.0, 3.0], &covariance, |at| Ok(vec![at[0] * at[1], 1.0]))?;
        assert!((found[0] - 36.0 * (0.01 + 2.0 * 0.002 + 0.04)).abs() < 1e-6);
        assert!(found[1].abs() < 1e-20);
        let unknown = vec![vec![None, None], vec![None, None]];
        assert_eq!(parameter_variance(&[2.0, 3.0], &unknown, |_| Ok(vec![1.0, 2.0]))?, [0.0, 0.0]);
        Ok(())
    }
}
