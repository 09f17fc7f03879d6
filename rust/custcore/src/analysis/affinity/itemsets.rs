//! Sets of items that are in enough baskets together.

use std::sync::Arc;

use arrow_array::{Float64Array, Int64Array};
use arrow_schema::Metadata;

use super::block::{Block, ranks};
use super::itemset_kernel::{Itemsets, itemsets_of};
use super::itemset_table::lists_of;
use super::spec::ItemsetSpec;
use crate::baskets::Baskets;
use crate::baskets::lists::BasketLists;
use crate::error::Result;
use crate::exec::context::Context;
use crate::table::{Table, TableBuilder};

/// The sets of a block, their items by place in the order of values, ascending.
pub(super) struct Found {
    pub(super) block: Block,
    pub(super) sets: Itemsets,
    /// The least number of baskets.
    pub(super) least: u64,
    /// The code of each item, and its position in the block, by place in the order of values.
    pub(super) codes: Vec<u32>,
    pub(super) positions: Vec<u32>,
}

/// All sets of items that are in enough baskets.
pub(super) fn find(lists: &mut BasketLists<'_>, spec: &ItemsetSpec, context: &Context) -> Result<Found> {
    let ranks = context.run_if_large(lists.item_keys().len(), |threads| ranks(lists.item_keys(), threads))?;
    let all: Vec<u32> = (0..lists.len() as u32).collect();
    let mut block = Block::of(lists, &all, &ranks, 1, |baskets| spec.min_baskets.of(baskets), context)?;
    lists.release();
    block.index();
    let least = block.min_item;
    let mut sets = itemsets_of(&block, least, spec, context)?;
    let (positions, places) = block.orders_of_values(&ranks);
    let mut start = 0;
    for &end in &sets.ends {
        let own = &mut sets.items[start..end];
        own.iter_mut().for_each(|item| *item = places[*item as usize]);
        own.sort_unstable();
        start = end;
    }
    let codes = positions.iter().map(|&position| block.items[position as usize]).collect();
    Ok(Found { block, sets, least, codes, positions })
}

/// All sets of items that are in enough baskets, as a table.
pub fn itemsets(baskets: &Baskets, spec: &ItemsetSpec, context: &Context) -> Result<Table> {
    spec.check()?;
    let mut lists = baskets.lists(context)?;
    let Found { block, sets, least, codes, .. } = find(&mut lists, spec, context)?;
    let mut order: Vec<u32> = (0..sets.len() as u32).collect();
    context.run_if_large(order.len(), |threads| {
        let key = |at: u32| (std::cmp::Reverse(sets.baskets[at as usize]), sets.get(at as usize).len());
        threads.par_sort_unstable_by(&mut order, |&a, &b| key(a).cmp(&key(b)).then_with(|| sets.get(a as usize).cmp(sets.get(b as usize))));
    })?;
    let mut report = lists.report.clone();
    if order.is_empty() {
        report.remarks.push(format!("no itemsets: no item is in {least} baskets; the commonest one is in {}", block.most));
    }
    let mut table = TableBuilder::default();
    table.column("items", lists_of(&lists, &codes, order.iter().map(|&at| sets.get(at as usize)))?);
    table.column("size", Arc::new(Int64Array::from_iter_values(order.iter().map(|&at| sets.get(at as usize).len() as i64))));
    table.column("baskets", Arc::new(Int64Array::from_iter_values(order.iter().map(|&at| i64::from(sets.baskets[at as usize])))));
    let all = block.sizes.baskets as f64;
    let support = order.iter().map(|&at| f64::from(sets.baskets[at as usize]) / all);
    table.column("support", Arc::new(Float64Array::from_iter_values(support)));
    table.finish(order.len(), Metadata::new(), report)
}
