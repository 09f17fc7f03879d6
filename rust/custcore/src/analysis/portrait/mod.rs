//! Portraits: who the customers of each segment are, by their attributes. Shares with intervals against all customers, exact tests
//! adjusted for their number, and sentences.

mod attributes;
mod cells;
mod counts;
mod labels;
pub(crate) mod marks;
mod members;
pub(crate) mod rows;
pub(crate) mod sentences;
pub(crate) mod spec;
pub(crate) mod table;
