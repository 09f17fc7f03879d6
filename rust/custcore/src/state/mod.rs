//! The state of a customer base: totals, day records, open orders, attributes, cells, order log. All of it is exact and merges in any order.

pub(crate) mod accumulator;
pub(crate) mod accumulators;
pub(crate) mod add_lines;
pub(crate) mod adjacent_order;
pub(crate) mod attributes;
pub(crate) mod block_kernels;
pub(crate) mod cells;
pub(crate) mod compact;
pub(crate) mod customer_state;
pub(crate) mod daily_tallies;
pub(crate) mod day_columns;
pub(crate) mod day_index;
pub(crate) mod day_merge;
pub(crate) mod day_record;
pub(crate) mod day_run;
pub(crate) mod day_segment;
pub(crate) mod days;
pub(crate) mod extract;
mod first_orders;
#[cfg(test)]
pub(crate) mod largest_amount;
pub(crate) mod lines_by_day;
pub(crate) mod merge;
pub(crate) mod open_orders;
pub(crate) mod order_lines;
pub(crate) mod order_list;
pub(crate) mod order_log;
pub(crate) mod purchase_log;
pub(crate) mod purchase_rows;
pub(crate) mod purchase_rules;
pub(crate) mod spec;
pub(crate) mod stats;
#[cfg(test)]
mod tests;
pub(crate) mod totals;
mod totals_merge;
