//! Totals over customers with their error, and quantiles of one customer's purchases.

use crate::error::Result;
use crate::num::normal::normal_quantile;

/// Step of the central differences by logarithms of parameters: their error is near 1e-9 of the derivative, that of rounding below it.
const STEP: f64 = 1e-4;

/// A total over customers that were not observed yet, with its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TotalError {
    /// The expected total.
    pub expected: f64,
    /// Variance given the parameters: the sum of those of the customers, who are independent.
    pub customers: f64,
    /// Variance of the expectation by the parameters' uncertainty (delta rule).
    pub parameters: f64,
}

impl TotalError {
    /// The error of a total. `total` is the expectation as a function of the logarithms of the parameters, `covariance` theirs; parameters
    /// without one count as known.
    pub(crate) fn new(
        log_parameters: &[f64],
        covariance: &[Vec<Option<f64>>],
        customers: f64,
        mut total: impl FnMut(&[f64]) -> Result<f64>,
    ) -> Result<Self> {
        let expected = total(log_parameters)?;
        let known = |i: usize| covariance.get(i).and_then(|row| row.get(i)).copied().flatten().is_none();
        let mut gradient = vec![0.0; log_parameters.len()];
        for (i, slope) in gradient.iter_mut().enumerate().filter(|&(i, _)| !known(i)) {
            let mut moved = log_parameters.to_vec();
            moved[i] = log_parameters[i] + STEP;
            let above = total(&moved)?;
            let width = moved[i] - (log_parameters[i] - STEP);
            moved[i] = log_parameters[i] - STEP;
            *slope = (above - total(&moved)?) / width;
        }
        let product = |(row, left): (&Vec<Option<f64>>, &f64)| {
            row.iter().zip(&gradient).map(|(entry, right)| left * entry.unwrap_or(0.0) * right).sum::<f64>()
        };
        let parameters = covariance.iter().zip(&gradient).map(product).sum::<f64>().max(0.0);
        Ok(Self { expected, customers, parameters })
    }

    /// Standard error of the total: of customers and parameters together.
    pub(crate) fn standard_error(&self) -> f64 {
        (self.customers + self.parameters).sqrt()
    }

    /// The normal interval of this level, from 0 on.
    pub(crate) fn interval(&self, level: f64) -> (f64, f64) {
        let half = normal_quantile(0.5 + 0.5 * level) * self.standard_error();
        ((self.expected - half).max(0.0), self.expected + half)
    }
}

/// The variance of one customer's purchases: `squared` and `purchases` are expectations given that he is alive.
pub(crate) fn variance(p_alive: f64, purchases: f64, squared: f64) -> f64 {
    let mean = p_alive * purchases;
    (p_alive * squared - mean * mean).max(0.0)
}

/// Equal-tailed quantiles of a customer's purchases: the smallest n with P(N <= n) >= (1 - level)/2 and >= (1 + level)/2, where P(0)
/// includes that he has dropped out. `cdf_alive` is P(N <= n) given alive, as of [`super::Predictor::distribution`].
pub(crate) fn purchase_quantiles(p_alive: f64, cdf_alive: &[f64], level: f64) -> (u32, u32) {
    let quantile = |tail: f64| {
        // P(N <= n) >= q, written without the difference 1 - p_alive.
        let reached = |cdf: &f64| p_alive * (1.0 - cdf) <= 1.0 - tail;
        cdf_alive.partition_point(|cdf| !reached(cdf)).min(cdf_alive.len().saturating_sub(1)) as u32
    };
    (quantile(0.5 * (1.0 - level)), quantile(0.5 * (1.0 + level)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::num::special::exp;

    #[test]
    fn quantiles_of_purchases_are_the_smallest_that_reach_their_tail() {
        let cdf = [0.2, 0.6, 0.9, 0.99, 1.0];
        assert_eq!(purchase_quantiles(1.0, &cdf, 0.5), (1, 2));
        assert_eq!(purchase_quantiles(1.0, &cdf, 0.95), (0, 3));
        // P(N <= n) = 0.84, 0.92, 0.98, ...
        assert_eq!(purchase_quantiles(0.2, &cdf, 0.9), (0, 2));
        assert_eq!(purchase_quantiles(0.0, &cdf, 0.999), (0, 0));
        assert_eq!(purchase_quantiles(1.0, &[1.0], 0.95), (0, 0));
    }

    #[test]
    fn the_delta_rule_is_exact_for_a_product_of_powers() -> Result<()> {
        // f = 3 u^2 / v: by ln u, ln v the gradient is (2 f, -f).
        let total = |logs: &[f64]| Ok(3.0 * exp(2.0 * logs[0] - logs[1]));
        let covariance = [vec![Some(0.04), Some(0.01)], vec![Some(0.01), Some(0.09)]];
        let found = TotalError::new(&[0.3, -0.2], &covariance, 5.0, total)?;
        let square = found.expected * found.expected;
        assert!((found.parameters / (square * (4.0 * 0.04 - 4.0 * 0.01 + 0.09)) - 1.0).abs() < 1e-7);
        assert!((found.standard_error() - (found.parameters + 5.0).sqrt()).abs() < 1e-12);
        let (low, high) = found.interval(0.95);
        assert!(low >= 0.0 && (high - found.expected - 1.959_963_984_540_054 * found.standard_error()).abs() < 1e-9);
        let known = [vec![Some(0.04), None], vec![None, None]];
        let found = TotalError::new(&[0.3, -0.2], &known, 0.0, total)?;
        assert!((found.parameters / (square * 4.0 * 0.04) - 1.0).abs() < 1e-7);
        Ok(())
    }

    #[test]
    fn the_variance_is_that_of_the_mixture() {
        // 0 with 3/4; with 1/4 a Poisson variate of mean 2, whose square has mean 6.
        assert!((variance(0.25, 2.0, 6.0) - (1.5 - 0.25)).abs() < 1e-15);
    }
}
