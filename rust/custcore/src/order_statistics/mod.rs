//! Quantiles, bins and ranks of columns.

pub mod quantile;
pub mod rank;
