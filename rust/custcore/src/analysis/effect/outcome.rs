//! Linear outcomes: every metric of an arm is a linear combination of columns, whose mean and variance follow from the moments.
//!
//! A ratio R = N/D is linearised (the delta method): y = R + (N - R D)/mean(D), whose mean is R and whose variance by n is that of R.

use super::moments::{MomentSet, Sums};
use crate::error::Result;

/// An outcome of the customers of an arm: a constant and factors of columns.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    constant: f64,
    terms: Vec<(usize, f64)>,
}

impl Outcome {
    /// The outcome of columns in an arm with these sums: the mean of one, or the ratio of two; `None` where the denominator is 0.
    pub(super) fn of(numerator: usize, denominator: Option<usize>, arm: &Sums) -> Option<Self> {
        let Some(denominator) = denominator else { return Some(Self { constant: 0.0, terms: vec![(numerator, 1.0)] }) };
        let (n, d) = (arm.sum(numerator), arm.sum(denominator));
        let ratio = n / d;
        let factor = arm.n as f64 / d;
        (d != 0.0).then(|| Self { constant: ratio, terms: vec![(numerator, factor), (denominator, -ratio * factor)] })
    }

    /// The mean in a cell.
    pub(super) fn mean(&self, cell: &Sums) -> f64 {
        // Of an arm as a whole the terms of a ratio cancel.
        let terms: f64 = self.terms.iter().map(|&(column, factor)| factor * cell.mean(column)).sum();
        self.constant + terms
    }

    /// The sum of products of deviations with a column in a cell.
    pub(super) fn with_column(&self, set: &MomentSet, cell: &Sums, column: usize) -> Result<f64> {
        self.terms.iter().map(|&(own, factor)| Ok(factor * cell.deviations(set, own, column)?)).sum()
    }

    /// The sum of squared deviations in a cell.
    pub(super) fn squares(&self, set: &MomentSet, cell: &Sums) -> Result<f64> {
        let mut sum = 0.0;
        for &(a, factor) in &self.terms {
            for &(b, other) in &self.terms {
                sum += factor * other * cell.deviations(set, a, b)?;
            }
        }
        // Rounding of a ratio without variance may end below 0.
        Ok(sum.max(0.0))
    }
}
