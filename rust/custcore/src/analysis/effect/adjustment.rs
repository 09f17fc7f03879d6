//! Adjustment by what was known before exposure (CUPED: Deng, Xu, Kohavi and Walker 2013): the slope of the outcome on covariates, pooled
//! over cells, as in a regression on the cells and the covariates.

use super::moments::{MomentSet, Sums};
use super::outcome::Outcome;
use crate::error::Result;

/// A covariate that has at most this share of its sum of squares left, given those before it, is left out.
const NOTHING_LEFT: f64 = 1e-12;

/// The slopes of covariates; those left out are 0.
#[derive(Debug, Clone, Default)]
pub(super) struct Slopes {
    pub covariates: Vec<usize>,
    pub slopes: Vec<f64>,
    pub left_out: Vec<bool>,
}

impl Slopes {
    /// The slopes pooled over cells, each with the outcome of its arm.
    pub(super) fn pooled(set: &MomentSet, covariates: &[usize], cells: &[(&Sums, &Outcome)]) -> Result<Self> {
        let n = covariates.len();
        let (mut squares, mut products) = (vec![vec![0.0; n]; n], vec![0.0; n]);
        for (cell, outcome) in cells {
            for (i, &a) in covariates.iter().enumerate() {
                products[i] += outcome.with_column(set, cell, a)?;
                for (j, &b) in covariates.iter().enumerate().take(i + 1) {
                    squares[i][j] += cell.deviations(set, a, b)?;
                }
            }
        }
        let (slopes, left_out) = solve(&squares, &products);
        Ok(Self { covariates: covariates.to_vec(), slopes, left_out })
    }

    /// The sum of squared deviations of the adjusted outcome in a cell.
    pub(super) fn squares(&self, set: &MomentSet, outcome: &Outcome, cell: &Sums) -> Result<f64> {
        let mut sum = outcome.squares(set, cell)?;
        for (&a, &slope) in self.kept() {
            sum -= 2.0 * slope * outcome.with_column(set, cell, a)?;
            for (&b, &other) in self.kept() {
                sum += slope * other * cell.deviations(set, a, b)?;
            }
        }
        Ok(sum.max(0.0))
    }

    /// What the adjustment takes from a mean, given the means of the covariates by position.
    pub(super) fn shift(&self, cell: &Sums, means: &[f64]) -> f64 {
        let covariates = self.covariates.iter().zip(&self.slopes).zip(means);
        covariates.filter(|((_, slope), _)| **slope != 0.0).map(|((&column, &slope), mean)| slope * (cell.mean(column) - mean)).sum()
    }

    /// The sum of products of deviations of the adjusted outcome with a column.
    pub(super) fn with_column(&self, set: &MomentSet, outcome: &Outcome, cell: &Sums, column: usize) -> Result<f64> {
        let mut sum = outcome.with_column(set, cell, column)?;
        for (&a, &slope) in self.kept() {
            sum -= slope * cell.deviations(set, a, column)?;
        }
        Ok(sum)
    }

    fn kept(&self) -> impl Iterator<Item = (&usize, &f64)> {
        self.covariates.iter().zip(&self.slopes).filter(|(_, slope)| **slope != 0.0)
    }
}

/// Solves the normal equations by Cholesky's method, column by column. A column with nothing left is left out.
fn solve(squares: &[Vec<f64>], products: &[f64]) -> (Vec<f64>, Vec<bool>) {
    let n = products.len();
    let mut factor = vec![vec![0.0; n]; n];
    let (mut left_out, mut forward) = (vec![false; n], vec![0.0; n]);
    for i in 0..n {
        for j in 0..i {
            if !left_out[j] {
                let sum: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
                factor[i][j] = (squares[i][j] - sum) / factor[j][j];
            }
        }
        let rest = squares[i][i] - factor[i][..i].iter().map(|value| value * value).sum::<f64>();
        left_out[i] = rest.is_nan() || rest <= NOTHING_LEFT * squares[i][i];
        if left_out[i] {
            factor[i].fill(0.0);
            continue;
        }
        factor[i][i] = rest.sqrt();
        let sum: f64 = (0..i).map(|k| factor[i][k] * forward[k]).sum();
        forward[i] = (products[i] - sum) / factor[i][i];
    }
    let mut slopes = vec![0.0; n];
    for i in (0..n).rev().filter(|&i| !left_out[i]) {
        let sum: f64 = (i + 1..n).map(|k| factor[k][i] * slopes[k]).sum();
        slopes[i] = (forward[i] - sum) / factor[i][i];
    }
    (slopes, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_follows_from_those_before_is_left_out() {
        // X^T X and X^T y of x1 = (1, 2, 3, 4), x2 = 2 x1, x3 = (1, 0, 0, 1), y = 3 x1 - 2 x3.
        let squares = [vec![30.0, 60.0, 5.0], vec![60.0, 120.0, 10.0], vec![5.0, 10.0, 2.0]];
        let products = [80.0, 160.0, 11.0];
        let (slopes, left_out) = solve(&squares, &products);
        assert_eq!(left_out, [false, true, false]);
        assert!((slopes[0] - 3.0).abs() + slopes[1].abs() + (slopes[2] + 2.0).abs() < 1e-12, "{slopes:?}");
    }
}
