//! Analyses. Kernel files see slices and numbers, table files build Arrow.

pub(crate) mod cohort;
pub(crate) mod kmeans;
pub mod model;
pub(crate) mod rfm;
pub(crate) mod score;
