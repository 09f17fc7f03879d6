//! What is bought together: pairs of items, itemsets and rules of baskets.

mod block;
mod itemset_kernel;
mod itemset_table;
pub(crate) mod itemsets;
mod measures;
mod pair_kernel;
mod pair_table;
pub(crate) mod pairs;
mod rule_table;
pub(crate) mod rules;
pub(crate) mod spec;
#[cfg(test)]
mod tests;
