//! Pairs of items that are in baskets together: of all baskets, and of those of each segment of customers.

use super::block::{Block, ranks};
use super::pair_kernel::{Pair, count_both, count_pairs};
use super::pair_table::{Columns, PairBlock, table_of};
use super::spec::{PairSpec, PairTest};
use crate::analysis::measures::segments::CustomerSegments;
use crate::analysis::p_values::adjusted_among;
use crate::baskets::Baskets;
use crate::baskets::lists::BasketLists;
use crate::error::Result;
use crate::exec::context::Context;
use crate::group::interner::NO_CODE;
use crate::num::fisher::fisher_greater;
use crate::num::normal::normal_sf;
use crate::report::{EntryKind, ReportEntry, ReportUnit, Tally};
use crate::table::Table;

/// Pairs between two checks for cancelling.
const CHECKED: usize = 1 << 12;

/// All pairs of items that are in enough baskets together, with measures of their association.
pub fn pairs(baskets: &Baskets, spec: &PairSpec, by: Option<&CustomerSegments>, context: &Context) -> Result<Table> {
    spec.check()?;
    let mut lists = baskets.lists(context)?;
    let ranks = context.run_if_large(lists.item_keys().len(), |threads| ranks(lists.item_keys(), threads))?;
    let all: Vec<u32> = (0..lists.len() as u32).collect();
    let mut whole = block_of(&lists, &all, &ranks, spec, context)?;
    if by.is_none() {
        lists.release();
    }
    whole.index();
    let mut report = std::mem::take(&mut lists.report);
    if spec.min_basket > 1 {
        let mut small = Tally::default();
        small.add_many(whole.sizes.small, 0);
        report.entries.push(ReportEntry::new("small_baskets", EntryKind::LeftOut, ReportUnit::Orders, &small, None));
    }
    let first = found(&whole, None, &ranks, spec, context)?;
    report.remarks.extend(remarks(&whole, &first));
    let mut blocks = vec![first];
    if let Some(segments) = by {
        let (of_segment, without) = baskets_by_segment(&lists, segments, &all)?;
        let mut none = Tally::default();
        none.add_many(without, 0);
        report.entries.push(ReportEntry::new("no_segment", EntryKind::Note, ReportUnit::Orders, &none, None));
        // Positions of items in the block of all, for `lift_ratio`.
        let mut positions = vec![NO_CODE; ranks.len()];
        (0..).zip(&whole.items).for_each(|(position, &item)| positions[item as usize] = position);
        for (segment, own) in (0_u16..).zip(&of_segment).filter(|(_, own)| !own.is_empty()) {
            let mut block = block_of(&lists, own, &ranks, spec, context)?;
            block.index();
            let mut own = found(&block, Some(segment), &ranks, spec, context)?;
            let items = own.pairs.iter().map(|pair| (block.items[pair.a as usize], block.items[pair.b as usize]));
            let of_all = |(a, b): (u32, u32)| {
                let (a, b) = (positions[a as usize], positions[b as usize]);
                // Where minimums are shares, an item may be frequent in the segment only.
                if a == NO_CODE || b == NO_CODE {
                    return f64::NAN;
                }
                let both = count_both(&whole, a, b).into();
                whole.within(whole.strata_of(a), whole.strata_of(b)).lift(both)
            };
            own.of_all = Some(items.map(of_all).collect());
            blocks.push(own);
        }
    }
    let columns = Columns { lists: &lists, segments: by.map(CustomerSegments::names), size_factor: whole.sizes.factor() };
    drop(whole);
    table_of(&columns, &blocks, report, context)
}

fn block_of(lists: &BasketLists<'_>, chosen: &[u32], ranks: &[u32], spec: &PairSpec, context: &Context) -> Result<Block> {
    Block::of(lists, chosen, ranks, spec.min_basket, |baskets| spec.min_item_baskets.of(baskets), context)
}

/// The baskets of each segment, and the number of those of customers without one.
fn baskets_by_segment(lists: &BasketLists<'_>, segments: &CustomerSegments, all: &[u32]) -> Result<(Vec<Vec<u32>>, u64)> {
    let of_customer = segments.of_ids(lists.customer_key(), lists.customer_keys())?;
    let (mut own, mut without) = (vec![Vec::new(); segments.names().len()], 0);
    for (&basket, &customer) in all.iter().zip(&lists.customers) {
        match of_customer.get(customer as usize).copied().flatten() {
            Some(segment) => own[usize::from(segment)].push(basket),
            None => without += 1,
        }
    }
    Ok((own, without))
}

/// The pairs of a block that are listed, in the order of the result, with p-values.
fn found(block: &Block, segment: Option<u16>, ranks: &[u32], spec: &PairSpec, context: &Context) -> Result<PairBlock> {
    let (mut pairs, most) = count_pairs(block, spec.min_pair_baskets.of(block.sizes.baskets), context)?;
    let (by_value, places) = block.orders_of_values(ranks);
    for pair in &mut pairs {
        let (a, b) = (places[pair.a as usize], places[pair.b as usize]);
        *pair = Pair { a: a.min(b), b: a.max(b), ..*pair };
    }
    context.run_if_large(pairs.len(), |threads| {
        threads.par_sort_unstable_by(&mut pairs, |x, y| y.both.cmp(&x.both).then_with(|| (x.a, x.b).cmp(&(y.a, y.b))));
    })?;
    for pair in &mut pairs {
        *pair = Pair { a: by_value[pair.a as usize], b: by_value[pair.b as usize], ..*pair };
    }
    let baskets = block.sizes.baskets;
    let of_pair = |pair: &Pair| {
        let within = block.within(block.strata_of(pair.a), block.strata_of(pair.b));
        let (both, a, b) = (u64::from(pair.both), block.support[pair.a as usize].into(), block.support[pair.b as usize].into());
        let z = within.z(both);
        let p = match spec.test {
            PairTest::Within => normal_sf(z),
            PairTest::Fisher => fisher_greater(both, a, b, baskets),
        };
        (within.expected, z, p)
    };
    let parts = context.run_if_large(16 * pairs.len(), |threads| {
        let pieces: Vec<&[Pair]> = pairs.chunks(CHECKED).collect();
        threads.par_tasks(pieces, |piece| context.check().map(|()| piece.iter().map(of_pair).collect::<Vec<_>>()))
    })?;
    let (mut expected, mut z, mut p) = (Vec::with_capacity(pairs.len()), Vec::with_capacity(pairs.len()), Vec::with_capacity(pairs.len()));
    for part in parts {
        for (own_expected, own_z, own_p) in part? {
            expected.push(own_expected);
            z.push(own_z);
            p.push(own_p);
        }
    }
    let items = block.items.len() as f64;
    let mut p_adjusted = adjusted_among(&p, items * (items - 1.0) / 2.0, spec.adjust);
    let listed = spec.top.map_or(pairs.len(), |top| usize::try_from(top).unwrap_or(usize::MAX).min(pairs.len()));
    pairs.truncate(listed);
    [&mut expected, &mut z, &mut p, &mut p_adjusted].into_iter().for_each(|values| values.truncate(listed));
    let (items, support) = (block.items.clone(), block.support.clone());
    Ok(PairBlock { segment, baskets, items, support, pairs, expected, z, p, p_adjusted, of_all: None, most })
}

fn remarks(block: &Block, found: &PairBlock) -> Vec<String> {
    let items = block.items.len() as u64;
    let mut remarks = Vec::new();
    if let Some(factor) = block.sizes.factor() {
        remarks.push(format!(
            "size_factor = {factor:.4}: the lift that the sizes of the {} baskets alone give; lift_within compares those of like size. {items} items \
             are in at least {} baskets, which makes {} pairs tested",
            block.sizes.baskets,
            block.min_item,
            items * items.saturating_sub(1) / 2
        ));
    }
    if found.pairs.is_empty() {
        remarks.push(match items {
            0 | 1 => format!("no pairs: fewer than two items are in {} baskets; the commonest item is in {}", block.min_item, block.most),
            _ => format!("no pairs: of the items that are in {} baskets, no two are together in more than {}", block.min_item, found.most),
        });
    }
    remarks
}
