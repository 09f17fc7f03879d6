//! Allocation of a budget: spend by segment and channel along response curves, or contacts of customers by value per cost.

mod contact_steps;
mod contacts;
pub(crate) mod curve;
mod curve_fit;
mod fill;
mod frontier;
mod groups;
mod hull;
mod least_squares;
mod piece;
pub(crate) mod plan;
mod problem;
pub(crate) mod read;
mod sensitivity;
pub(crate) mod spec;
mod table;
