//! Scores of columns by quantile bins or explicit cuts: ungrouped, within groups or nested, with ties kept together or split.
//!
//! A [`scorer::Scorer`] has any number of dimensions, each a column with a number of bins; RFM has three. All variants use
//! one mechanism: a dimension has one [`binner::Binner`] per cell, and a row is scored by the binner of its cell. A cell is
//! the group of the customer, with nested binning refined by the scores of the preceding dimensions.

pub(crate) mod binner;
pub(crate) mod cells;
pub(crate) mod drift;
pub(crate) mod explain;
pub(crate) mod groups;
pub(crate) mod ids;
pub(crate) mod quantile_scorer;
pub(crate) mod scorer;
pub(crate) mod spec;
pub(crate) mod state;
pub(crate) mod table;
