//! What is kept of customers: totals, days, open orders, attributes, order logs. All of it is exact and merges in any order.

pub mod accumulator;
pub mod attributes;
pub(crate) mod compact;
pub mod customer_state;
pub mod daily_tallies;
pub mod days;
#[cfg(test)]
pub(crate) mod largest_amount;
pub(crate) mod merge;
pub mod open_orders;
pub mod order_log;
pub mod purchase_log;
pub mod spec;
pub mod stats;
#[cfg(test)]
mod tests;
pub mod totals;
