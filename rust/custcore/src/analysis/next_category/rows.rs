//! The rows of results.

use super::scoring::Suggestion;
use super::spec::NextMethod;

/// A recommendation for a customer, by code.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recommendation {
    pub customer: u32,
    pub rank: u32,
    pub suggestion: Suggestion,
}

/// Rates over the customers with something new. NaN without any.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rates {
    /// Customers of whom one of the recommendations was bought.
    pub hit: f64,
    /// Mean share of the new categories that were recommended.
    pub recall: f64,
    /// Mean share of the recommendations that were bought.
    pub precision: f64,
}

/// A row of the result.
#[derive(Debug, Clone)]
pub(super) struct BacktestRow {
    pub date: i32,
    pub method: NextMethod,
    pub categories: u64,
    pub buyers: u64,
    pub customers: u64,
    pub rates: Vec<Rates>,
}
