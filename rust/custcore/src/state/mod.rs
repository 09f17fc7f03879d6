//! What is kept of customers: totals, days, open orders, attributes, order logs. All of it is exact and merges in any order.

pub mod attributes;
pub(crate) mod compact;
pub mod customer_state;
pub mod daily_tallies;
pub mod days;
pub(crate) mod merge;
pub mod open_orders;
pub mod order_log;
pub mod purchase_log;
pub mod spec;
pub mod stats;
pub mod totals;
