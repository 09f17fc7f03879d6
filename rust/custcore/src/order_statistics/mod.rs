//! Order statistics, quantile edges and bins of columns.

pub mod quantile;
pub mod rank;
