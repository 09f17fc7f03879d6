//! Analyses. Kernel files see slices and numbers, table files build Arrow.

pub mod cohort;
pub mod kmeans;
pub mod model;
pub mod rfm;
pub mod score;
