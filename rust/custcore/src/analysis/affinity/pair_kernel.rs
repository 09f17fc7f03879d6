//! Counts the baskets of pairs of frequent items.
//!
//! An item's later neighbours are counted in one row of counters. As the rarest items come first, a row that is long belongs to an item
//! of few baskets, and there is never a table of all pairs. Threads take blocks of items.

use super::block::{Block, ENDS};
use crate::error::Result;
use crate::exec::context::Context;

/// Parts of each thread, so that a thread which is held up does not hold up all.
const PIECES: usize = 16;
/// A row of more counters than this for each expected pair is not scanned; those that were touched are listed.
const SPARSE: u64 = 4;

/// A pair of positions, and the baskets with both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) both: u32,
}

/// The pairs that are in enough baskets, by position, and the largest number of baskets of any pair.
pub(super) fn count_pairs(block: &Block, least: u64, context: &Context) -> Result<(Vec<Pair>, u32)> {
    let items = block.items.len();
    let found = context.run_if_large(block.entries.len(), |threads| {
        let mean = block.entries.len() as u64 / block.sizes.baskets.max(1);
        let pieces = cut(block, PIECES * threads.count());
        threads.par_tasks(pieces, |piece| {
            let (mut pairs, mut most) = (Vec::new(), 0);
            let (mut row, mut touched) = (vec![0_u32; items], Vec::new());
            for a in piece {
                context.check()?;
                let places = block.places_of(a);
                let later = items as u64 - u64::from(a);
                if places.len() as u64 * mean * SPARSE < later {
                    count_touched(block, places, &mut row, &mut touched);
                    touched.sort_unstable();
                    for &b in &touched {
                        take(a, b, &mut row[b as usize], least, &mut pairs, &mut most);
                    }
                    touched.clear();
                } else {
                    count_row(block, places, &mut row);
                    for (b, count) in (a + 1..).zip(&mut row[a as usize + 1..]).filter(|(_, count)| **count > 0) {
                        take(a, b, count, least, &mut pairs, &mut most);
                    }
                }
            }
            Ok((pairs, most))
        })
    })?;
    let (mut whole, mut most) = (Vec::new(), 0);
    for piece in found {
        let (pairs, here): (Vec<Pair>, u32) = piece?;
        whole.extend(pairs);
        most = most.max(here);
    }
    Ok((whole, most))
}

#[inline]
fn take(a: u32, b: u32, count: &mut u32, least: u64, pairs: &mut Vec<Pair>, most: &mut u32) {
    let both = std::mem::take(count);
    *most = (*most).max(both);
    if u64::from(both) >= least {
        pairs.push(Pair { a, b, both });
    }
}

fn count_row(block: &Block, places: &[u32], row: &mut [u32]) {
    for &place in places {
        for &b in &block.entries[place as usize + 1..] {
            if b >= ENDS {
                break;
            }
            row[b as usize] += 1;
        }
    }
}

fn count_touched(block: &Block, places: &[u32], row: &mut [u32], touched: &mut Vec<u32>) {
    for &place in places {
        for &b in &block.entries[place as usize + 1..] {
            if b >= ENDS {
                break;
            }
            if row[b as usize] == 0 {
                touched.push(b);
            }
            row[b as usize] += 1;
        }
    }
}

/// Ranges of items of about as many baskets each.
fn cut(block: &Block, pieces: usize) -> Vec<std::ops::Range<u32>> {
    let items = block.items.len() as u32;
    let size = block.places.len().div_ceil(pieces).max(1);
    let (mut ranges, mut start) = (Vec::new(), 0);
    while start < items {
        let limit = block.starts[start as usize] + size;
        let end = (block.starts.partition_point(|&at| at <= limit) as u32 - 1).clamp(start + 1, items);
        ranges.push(start..end);
        start = end;
    }
    ranges
}

/// The baskets of two items, by their lists of places; for a pair that was not counted.
pub(super) fn count_both(block: &Block, a: u32, b: u32) -> u32 {
    let (first, second) = if a < b { (a, b) } else { (b, a) };
    let has = |place: &&u32| {
        let later = &block.entries[**place as usize + 1..];
        later.iter().find(|other| **other >= second) == Some(&second)
    };
    block.places_of(first).iter().filter(has).count() as u32
}
