//! Analyses. Kernel modules work on slices and numbers; table modules build Arrow arrays.

pub(crate) mod abc;
pub(crate) mod acquisition;
pub(crate) mod affinity;
pub(crate) mod allocation;
pub(crate) mod before_after;
pub(crate) mod change;
pub(crate) mod churn;
pub(crate) mod clv;
pub(crate) mod cohort;
pub(crate) mod dates;
pub(crate) mod effect;
pub(crate) mod funnel;
pub(crate) mod health;
pub(crate) mod kmeans;
pub(crate) mod lifecycle;
pub(crate) mod measures;
pub mod model;
pub(crate) mod movement;
pub(crate) mod moves;
pub(crate) mod nps;
pub(crate) mod p_values;
pub(crate) mod portrait;
pub(crate) mod purchase_days;
pub(crate) mod rfm;
pub(crate) mod score;
pub(crate) mod survival;
