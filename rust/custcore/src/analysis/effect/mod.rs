//! The effect of an experiment: what customers did who were in a campaign, compared with those who were not, at random.
//!
//! A base and an experiment become a table with a row for each customer ([`windows`]); its columns become exact moments by group
//! ([`moments`]); estimates, intervals, checks and shares of segments follow from the moments alone. Beside it: sizes of tests, what a
//! score is worth, and moves between segments.

mod adjustment;
mod base_attributes;
mod buffer;
mod cell_sort;
mod checks;
mod estimate;
pub(crate) mod experiment;
pub(crate) mod experiment_table;
mod fixed_point;
mod interval;
mod labels;
mod metric;
mod moment_adder;
mod moments;
mod outcome;
pub(crate) mod planning;
pub(crate) mod power_table;
mod received;
pub(crate) mod result;
pub(crate) mod roi;
mod rows;
mod shrinkage;
pub(crate) mod spec;
pub(crate) mod state;
mod strata;
mod table;
pub(crate) mod tracking;
pub(crate) mod uplift;
mod uplift_curve;
mod uplift_state;
mod values;
mod windows;
mod winsorize;

/// The group of a row that is in none.
const NO_GROUP: u16 = crate::analysis::label_reader::NO_LABEL;
