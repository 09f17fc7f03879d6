//! Finds all sets of items that are in enough baskets together: Eclat (Zaki 2000) on bitmaps.
//!
//! The sets whose rarest item is the same are found together: the baskets of that item are numbered, and each later item has a bitmap
//! of those where it is. A set's bitmap is the AND of two that have one item less. Threads take blocks of first items.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::block::{Block, ENDS};
use super::spec::ItemsetSpec;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::simd::widest;

/// Parts of each thread.
const PIECES: usize = 16;
/// Intersections between two checks for cancelling.
const CHECKED: u32 = 1 << 12;

/// Sets of items, as positions in any order, with their numbers of baskets.
#[derive(Debug, Default)]
pub(super) struct Itemsets {
    pub(super) ends: Vec<usize>,
    pub(super) items: Vec<u32>,
    pub(super) baskets: Vec<u32>,
}

impl Itemsets {
    /// Number of sets.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The items of a set.
    #[inline]
    pub(super) fn get(&self, at: usize) -> &[u32] {
        &self.items[if at == 0 { 0 } else { self.ends[at - 1] }..self.ends[at]]
    }

    pub(super) fn push(&mut self, items: &[u32], baskets: u32) {
        self.items.extend_from_slice(items);
        self.ends.push(self.items.len());
        self.baskets.push(baskets);
    }

    fn append(&mut self, other: &Self) {
        let before = self.items.len();
        self.items.extend_from_slice(&other.items);
        self.ends.extend(other.ends.iter().map(|end| end + before));
        self.baskets.extend_from_slice(&other.baskets);
    }
}

widest! {
    /// The AND of two bitmaps, and how many bits it has.
    fn intersect(a: &[u64], b: &[u64], out: &mut [u64]) -> u32 {
        let mut count = 0;
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = a & b;
            count += out.count_ones();
        }
        count
    }
}

/// The items that may be added to a set, with the baskets of the set that have each.
#[derive(Debug, Default)]
struct Level {
    items: Vec<u32>,
    counts: Vec<u32>,
    bits: Vec<u64>,
}

/// What is done with the sets that are found.
trait Sink {
    /// The least number of baskets of a set; it may rise.
    fn least(&self) -> u32;
    /// Takes a set.
    fn take(&mut self, items: &[u32], baskets: u32) -> Result<()>;
}

/// Finds sets with one first item.
struct Miner<'a> {
    block: &'a Block,
    max_len: usize,
    context: &'a Context,
    /// Counters of items, 0 between two uses, and then the place of an item among the candidates.
    row: Vec<u32>,
    levels: Vec<Level>,
    words: usize,
    until_check: u32,
}

impl<'a> Miner<'a> {
    fn new(block: &'a Block, max_len: usize, context: &'a Context) -> Self {
        let levels = (0..max_len).map(|_| Level::default()).collect();
        Self { block, max_len, context, row: vec![0; block.items.len()], levels, words: 0, until_check: CHECKED }
    }

    /// Passes all sets whose first item is `first` to the sink.
    fn mine(&mut self, first: u32, sink: &mut impl Sink) -> Result<()> {
        self.context.check()?;
        let support = self.block.support[first as usize];
        if support < sink.least() {
            return Ok(());
        }
        let mut set = vec![first];
        sink.take(&set, support)?;
        if self.max_len == 1 {
            return Ok(());
        }
        self.candidates(first, sink.least());
        self.extend(0, &mut set, sink)
    }

    /// The later items that are in enough baskets with the first one.
    fn candidates(&mut self, first: u32, least: u32) {
        let (block, row) = (self.block, &mut self.row);
        let places = block.places_of(first);
        let later = |place: u32| block.entries[place as usize + 1..].iter().copied().take_while(|item| *item < ENDS);
        places.iter().for_each(|&place| later(place).for_each(|item| row[item as usize] += 1));
        let level = &mut self.levels[0];
        level.items.clear();
        level.counts.clear();
        for (item, count) in (first + 1..).zip(&mut row[first as usize + 1..]) {
            let baskets = std::mem::take(count);
            if baskets >= least {
                level.items.push(item);
                level.counts.push(baskets);
                *count = level.items.len() as u32;
            }
        }
        self.words = places.len().div_ceil(64);
        level.bits.clear();
        level.bits.resize(self.words * level.items.len(), 0);
        if !level.items.is_empty() {
            for (basket, &place) in places.iter().enumerate() {
                for item in later(place) {
                    if let Some(candidate) = (row[item as usize] as usize).checked_sub(1) {
                        level.bits[candidate * self.words + basket / 64] |= 1 << (basket % 64);
                    }
                }
            }
        }
        level.items.iter().for_each(|&item| row[item as usize] = 0);
    }

    /// Adds each candidate of a level to the set, and goes on.
    fn extend(&mut self, depth: usize, set: &mut Vec<u32>, sink: &mut impl Sink) -> Result<()> {
        let mut level = std::mem::take(&mut self.levels[depth]);
        let mut done = Ok(());
        for at in 0..level.items.len() {
            if level.counts[at] < sink.least() {
                continue;
            }
            set.push(level.items[at]);
            done = sink.take(set, level.counts[at]);
            if done.is_ok() && set.len() < self.max_len && at + 1 < level.items.len() {
                done = self.intersected(&level, at, depth + 1, sink.least());
                if done.is_ok() && !self.levels[depth + 1].items.is_empty() {
                    done = self.extend(depth + 1, set, sink);
                }
            }
            set.pop();
            if done.is_err() {
                break;
            }
        }
        level.items.clear();
        self.levels[depth] = level;
        done
    }

    /// The candidates after one of a level that are in enough baskets with it.
    fn intersected(&mut self, level: &Level, at: usize, depth: usize, least: u32) -> Result<()> {
        let (words, next) = (self.words, &mut self.levels[depth]);
        next.items.clear();
        next.counts.clear();
        next.bits.clear();
        let own = &level.bits[at * words..][..words];
        for other in at + 1..level.items.len() {
            self.until_check -= 1;
            if self.until_check == 0 {
                self.context.check()?;
                self.until_check = CHECKED;
            }
            let start = next.bits.len();
            next.bits.resize(start + words, 0);
            let count = intersect(own, &level.bits[other * words..][..words], &mut next.bits[start..]);
            if count >= least {
                next.items.push(level.items[other]);
                next.counts.push(count);
            } else {
                next.bits.truncate(start);
            }
        }
        Ok(())
    }
}

/// Keeps all sets, until there are too many.
struct Keep<'a> {
    least: u32,
    found: Itemsets,
    tally: &'a Limit,
}

/// How many sets there are, by size, and may be.
struct Limit {
    most: u64,
    total: AtomicU64,
    by_size: Vec<AtomicU64>,
}

impl Sink for Keep<'_> {
    fn least(&self) -> u32 {
        self.least
    }

    fn take(&mut self, items: &[u32], baskets: u32) -> Result<()> {
        self.tally.by_size[items.len() - 1].fetch_add(1, Ordering::Relaxed);
        if self.tally.total.fetch_add(1, Ordering::Relaxed) >= self.tally.most {
            return Err(Error::new(ErrorKind::MemoryLimit, "too many itemsets"));
        }
        self.found.push(items, baskets);
        Ok(())
    }
}

/// All sets of the block that are in at least `least` baskets.
pub(super) fn itemsets_of(block: &Block, least: u64, spec: &ItemsetSpec, context: &Context) -> Result<Itemsets> {
    // No basket count is beyond 32 bits.
    let least = u32::try_from(least).unwrap_or(u32::MAX);
    let max_len = spec.max_len as usize;
    let tally = Limit { most: spec.max_itemsets, total: AtomicU64::new(0), by_size: (0..max_len).map(|_| AtomicU64::new(0)).collect() };
    let parts = mine_all(block, max_len, context, || Keep { least, found: Itemsets::default(), tally: &tally })?;
    if tally.total.load(Ordering::Relaxed) > spec.max_itemsets {
        return Err(too_many(block, least, spec, &tally, context)?);
    }
    let mut whole = Itemsets::default();
    for part in parts {
        whole.append(&part?.found);
    }
    Ok(whole)
}

/// Mines with all first items, in blocks, each with a sink of its own.
fn mine_all<S: Sink + Send>(
    block: &Block,
    max_len: usize,
    context: &Context,
    sink: impl Fn() -> S + Sync + Send,
) -> Result<Vec<Result<S>>> {
    let items = block.items.len() as u32;
    context.run_if_large(block.entries.len(), |threads| {
        let size = items.div_ceil((PIECES * threads.count()) as u32).max(1);
        let pieces = (0..items).step_by(size as usize).map(|start| start..items.min(start + size));
        threads.par_tasks(pieces, |piece| {
            let (mut miner, mut sink) = (Miner::new(block, max_len, context), sink());
            for first in piece {
                miner.mine(first, &mut sink)?;
            }
            Ok(sink)
        })
    })
}

/// Counts sets by their numbers of baskets, with a minimum that rises until there are few enough.
struct Fitting<'a> {
    most: u64,
    least: &'a AtomicU32,
    /// Sets by number of baskets, and those that reach the minimum.
    counted: &'a Mutex<(Vec<u64>, u64)>,
}

impl Sink for Fitting<'_> {
    fn least(&self) -> u32 {
        self.least.load(Ordering::Relaxed)
    }

    fn take(&mut self, _: &[u32], baskets: u32) -> Result<()> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let (by_baskets, total) = &mut *counted;
        let mut least = self.least.load(Ordering::Relaxed);
        if baskets < least {
            return Ok(());
        }
        by_baskets[baskets as usize] += 1;
        *total += 1;
        while *total > self.most && (least as usize) < by_baskets.len() {
            *total -= by_baskets[least as usize];
            least += 1;
        }
        self.least.store(least, Ordering::Relaxed);
        Ok(())
    }
}

/// The error for too many sets, with the least minimum that would fit. It does not depend on the order in which sets are found: those
/// that reach it are always counted, as the minimum was never higher.
fn too_many(block: &Block, least: u32, spec: &ItemsetSpec, tally: &Limit, context: &Context) -> Result<Error> {
    let (minimum, counted) = (AtomicU32::new(least), Mutex::new((vec![0; block.most as usize + 1], 0)));
    let parts =
        mine_all(block, spec.max_len as usize, context, || Fitting { most: spec.max_itemsets, least: &minimum, counted: &counted })?;
    parts.into_iter().try_for_each(|part| part.map(drop))?;
    let fits = minimum.load(Ordering::Relaxed);
    let by_size = tally.by_size.iter().enumerate().map(|(at, count)| (at + 1, count.load(Ordering::Relaxed)));
    let by_size: Vec<String> = by_size.filter(|(_, count)| *count > 0).map(|(size, count)| format!("{count} of size {size}")).collect();
    let remedy = if u64::from(fits) > block.most {
        "no minimum fits; raise max_itemsets".to_owned()
    } else {
        format!("min_baskets={fits} is the least that fits; or lower max_len, or raise max_itemsets")
    };
    let message =
        format!("more than {} itemsets are in at least {least} baskets (so far {}); {remedy}", spec.max_itemsets, by_size.join(", "));
    Ok(Error::new(ErrorKind::MemoryLimit, message))
}
