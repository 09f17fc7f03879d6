//! The effect of an experiment: its planning, and what a score is worth among customers of random groups.

pub(crate) mod planning;
pub(crate) mod uplift;
mod uplift_curve;
