//! Rows into states: the [`builder`] reads batches with several workers. Rows are hash-partitioned by customer where there are
//! many customers.

pub(crate) mod builder;
pub(crate) mod cutoffs;
pub(crate) mod partition;
pub(crate) mod window_log;
pub(crate) mod worker;
