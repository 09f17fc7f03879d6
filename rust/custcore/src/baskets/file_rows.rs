//! Baskets in the order of their file.

use std::cmp::Ordering;
use std::ops::Range;

use super::content::Content;
use crate::error::Result;
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::group::interner::{Interner, NO_CODE};
use crate::group::sort::SortKeys;

/// A basket to be written: codes of customer and order, the last day, entries from `start` to `end`.
pub(super) struct Row {
    pub(super) customer: u32,
    pub(super) order: u32,
    pub(super) last_day: Option<i32>,
    pub(super) entries: Range<usize>,
}

/// Baskets and their entries.
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    /// Items and sums of money; those of a basket ascend by item.
    pub(super) entries: Vec<(u32, i128)>,
}

/// The rank of each code in the order of keys.
fn ranks(interner: &Interner) -> Vec<u32> {
    let (keys, codes) = (interner.keys(), (0..interner.len() as u32).collect::<Vec<_>>());
    let mut ranks = vec![0; codes.len()];
    let sorted = SortKeys::of(&[keys], Threads::inline()).sort(keys, &codes, Threads::inline());
    (0..).zip(sorted).for_each(|(rank, (_, code))| ranks[code as usize] = rank);
    ranks
}

/// All baskets in the order of the file: open ones by customer and order, then closed ones by customer and items; those without a
/// customer last.
pub(super) fn rows_of(content: &Content, context: &Context) -> Result<Rows> {
    let (customers, orders, items) = (ranks(&content.customers), ranks(&content.orders), ranks(&content.items));
    let rank = |ranks: &[u32], code: u32| ranks.get(code as usize).copied().unwrap_or(code);
    let by_item = |a: &(u32, i128), b: &(u32, i128)| rank(&items, a.0).cmp(&rank(&items, b.0));
    let (mut rows, mut entries) = (Vec::new(), Vec::new());
    content.each_open(context, |basket| {
        let (customer, order) = content.open_id(basket.code);
        let start = entries.len();
        entries.extend_from_slice(basket.entries);
        entries[start..].sort_unstable_by(by_item);
        let last_day = Some(content.last_days[basket.code as usize]);
        rows.push(Row { customer, order, last_day, entries: start..entries.len() });
        Ok(())
    })?;
    for (customer, own) in content.closed.iter() {
        let start = entries.len();
        entries.extend(own.iter().map(|&item| (item, 0)));
        entries[start..].sort_unstable_by(by_item);
        rows.push(Row { customer, order: NO_CODE, last_day: None, entries: start..entries.len() });
    }
    let is_order = !content.orders.is_empty();
    let order_of = |row: &Row| if is_order { rank(&orders, row.order) } else { row.order };
    rows.sort_by(|a, b| {
        let kind = |row: &Row| (row.last_day.is_none(), row.customer == NO_CODE, rank(&customers, row.customer));
        let day = |row: &Row| if is_order { 0 } else { row.last_day.unwrap_or(0) };
        let lists = || {
            let list = |row: &Row| entries[row.entries.clone()].iter().map(|entry| rank(&items, entry.0)).collect::<Vec<_>>();
            if a.last_day.is_none() { list(a).cmp(&list(b)) } else { Ordering::Equal }
        };
        kind(a).cmp(&kind(b)).then_with(|| day(a).cmp(&day(b))).then_with(|| order_of(a).cmp(&order_of(b))).then_with(lists)
    });
    // Entries in the order of the rows, so that a batch is a range of them.
    let mut sorted = Vec::with_capacity(entries.len());
    for row in &mut rows {
        let start = sorted.len();
        sorted.extend_from_slice(&entries[row.entries.clone()]);
        row.entries = start..sorted.len();
    }
    Ok(Rows { rows, entries: sorted })
}
