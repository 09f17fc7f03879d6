//! Rows into states: a [`builder`] reads batches with several workers; rows are hash-partitioned by customer where there are
//! many customers.

pub mod builder;
pub(crate) mod partition;
pub mod window_log;
pub(crate) mod worker;
