//! Scores of columns by quantile bins or cuts: plain, within groups, nested, with ties kept together or split.
//!
//! A [`scorer::Scorer`] is any number of dimensions, each a column with a number of bins; RFM is the case of three. Every way of
//! scoring is one mechanism: a dimension keeps one [`binner::Binner`] for each cell of what came before it (the group of the
//! customer, and with nested binning the scores of the dimensions before), and a row asks the binner of its cell.

pub mod binner;
pub mod cells;
pub mod drift;
pub mod groups;
pub mod quantile_scorer;
pub mod scorer;
pub mod spec;
pub mod state;
pub mod table;
