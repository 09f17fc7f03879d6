//! Before and after a campaign without random groups: customers who were in it against others who were alike before.

mod balance;
mod cells;
mod customer;
mod customers;
mod draws;
mod estimate;
mod features;
pub(crate) mod result;
pub(crate) mod spec;
mod state;
mod strata;
pub(crate) mod table;
mod treated;
pub(crate) mod words;
