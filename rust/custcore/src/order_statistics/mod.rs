//! Order statistics, quantile edges and bins of columns.

#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, dead_code, reason = "internals re-exports some of its items"))]
pub(crate) mod quantile;
pub(crate) mod rank;
