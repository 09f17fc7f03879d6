//! Hash partitioning of rows by customer, so that the state of a partition fits the cache.

pub(crate) mod partitions;
pub(crate) mod scatter;
