//! Analyses. Kernel modules work on slices and numbers; table modules build Arrow arrays.

pub(crate) mod cohort;
pub(crate) mod kmeans;
pub mod model;
pub(crate) mod nps;
pub(crate) mod portrait;
pub(crate) mod rfm;
pub(crate) mod score;
