//! Partitions: with many customers, rows are scattered by id, then each partition is aggregated by itself.
//!
//! The hash table of a million customers exceeds the cache, and every lookup is a cache miss. Scattering writes and reads rows
//! sequentially, and the table of one partition stays in the cache. A customer is in one partition only, so partitions are
//! concatenated, not merged, and threads work on them without locks.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::scatter::{PARTITIONS, PartitionRange, Partitioner, Scatter, ScatterSource};
use crate::column::chunks::InputBatch;
use crate::column::key::KeyColumn;
use crate::error::Result;
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::group::encoding::KeyEncoding;
use crate::group::hash_table::ByteHasher;
use crate::group::interner::Interner;
use crate::group::keys::Keys;
use crate::state::customer_state::State;
use crate::state::days::{DayIndex, DayRuns};

/// Packed rows stay buffered until they take this fraction (one in so many bytes) of the partitions' size.
const BUFFERED_FRACTION: usize = 4;

/// At most this many bytes of packed rows are buffered if days are kept: those take more memory than the table of the ids, which
/// needs no more rows at once.
const BUFFERED_WITH_DAYS: usize = 64 << 20;

/// Maximum number of rows of one push, since their numbers within the push are 32 bits.
pub(crate) const MOST_ROWS: usize = 1 << 31;

/// The state of each partition, and how ids map to them.
#[derive(Debug)]
pub(crate) struct Partitions {
    parts: Vec<State>,
    partitioner: Partitioner,
}

/// The partition of id number `code`.
fn partition_of(partitioner: &Partitioner, keys: &Keys, code: u32) -> usize {
    match keys {
        Keys::Range { base, .. } => partitioner.integer(base.wrapping_add(i64::from(code))),
        Keys::Integers(ids) => partitioner.integer(ids[code as usize]),
        Keys::Bytes(arena) => partitioner.bytes(&arena.id(code)),
    }
}

/// A part of many, whose days are sorted as rarely as memory allows.
fn deferred(mut part: State) -> State {
    part.days.iter_mut().for_each(DayRuns::defer);
    part
}

/// Whether rows of these columns can be scattered: plain ids, or ids of one dictionary, and 64-bit units.
pub(crate) fn can_partition(columns: &[InputBatch], rows: usize) -> bool {
    let has_shared_ids = columns.windows(2).all(|pair| match (&pair[0].customer, &pair[1].customer) {
        (KeyColumn::Plain(_), KeyColumn::Plain(_)) => true,
        (KeyColumn::Dictionary(one), KeyColumn::Dictionary(other)) => one.values().is_same_memory(other.values()),
        _ => false,
    });
    rows <= MOST_ROWS && has_shared_ids && columns.iter().all(|columns| !columns.is_wide())
}

impl Partitions {
    /// Hash partitions of empty states, which `empty` makes.
    pub(crate) fn new(empty: impl Fn() -> State) -> Self {
        let random = RandomState::default();
        let partitioner = Partitioner { seed: random.hash_one(3_u64), hasher: ByteHasher::new(), range: None, shared: None };
        Self { parts: (0..PARTITIONS).map(|_| deferred(empty())).collect(), partitioner }
    }

    /// Range partitions of `len` integer ids from `base` on, with some slack above; `empty` makes a state of the ids from a base on.
    pub(crate) fn ranges(base: i64, len: usize, empty: impl Fn(i64) -> State) -> Self {
        let width = (len + len / 8).div_ceil(PARTITIONS).next_power_of_two();
        Self::of_range(base, PARTITIONS * width, width, empty)
    }

    /// Range partitions of codes that all states share; `empty` makes a state of the codes from a number on.
    pub(crate) fn of_shared(shared: Interner, empty: impl Fn(i64) -> State) -> Self {
        let width = shared.len().div_ceil(PARTITIONS).next_power_of_two();
        let mut partitions = Self::of_range(0, shared.len(), width, empty);
        partitions.partitioner.shared = Some(shared);
        partitions
    }

    /// Partitions of `width` codes each, a power of two; `codes` in total.
    fn of_range(base: i64, codes: usize, width: usize, empty: impl Fn(i64) -> State) -> Self {
        let range = PartitionRange { base, shift: width.trailing_zeros() };
        let part = |partition: usize| {
            let first = partition * width;
            let mut part = deferred(empty(base.wrapping_add(first as i64)));
            part.interner.extend_range(width.min(codes.saturating_sub(first)));
            part
        };
        let parts = (0..PARTITIONS).map(part).collect();
        let mut partitions = Self::new(|| empty(base));
        partitions.parts = parts;
        partitions.partitioner.range = Some(range);
        partitions
    }

    /// Whether these are range partitions that contain all ids of an encoding.
    pub(crate) fn cover(&self, encoding: KeyEncoding) -> bool {
        match (self.partitioner.range, encoding) {
            (Some(_), KeyEncoding::Ranks | KeyEncoding::Dictionary) => self.partitioner.shared.is_some(),
            (Some(range), KeyEncoding::Range { base, len }) if self.partitioner.shared.is_none() => {
                range.base == base && len <= PARTITIONS << range.shift
            }
            _ => false,
        }
    }

    /// Whether these are range partitions.
    pub(crate) fn are_ranges(&self) -> bool {
        self.partitioner.range.is_some()
    }

    /// How ids map to partitions.
    pub(crate) fn partitioner(&self) -> &Partitioner {
        &self.partitioner
    }

    /// Approximate heap bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.parts.iter().map(State::bytes).sum()
    }

    /// Moves the customers of plain parts into the partitions and leaves the parts empty, so that a customer is in one state only.
    pub(crate) fn absorb(&mut self, parts: &mut [State], context: &Context) -> Result<()> {
        let mut moves: Vec<Vec<(usize, u32)>> = vec![Vec::new(); PARTITIONS];
        // The partitions are of the codes of the parts.
        let codes = self.partitioner.shared.as_ref().map(|shared| Keys::Range { base: 0, len: shared.len() });
        for (i, part) in parts.iter().enumerate() {
            let keys = codes.as_ref().unwrap_or(part.interner.keys());
            for code in (0..part.totals.len() as u32).filter(|&code| part.totals.is_present(code)) {
                moves[partition_of(&self.partitioner, keys, code)].push((i, code));
            }
        }
        let days: Vec<DayIndex> = parts.iter().filter_map(|part| part.days.as_ref()).map(|days| DayIndex::new(days.whole())).collect();
        let sources = &*parts;
        let work = |(partition, moves): (&mut State, &Vec<(usize, u32)>)| {
            context.check()?;
            let mut moved = Vec::with_capacity(if days.is_empty() { 0 } else { moves.len() });
            for &(part, code) in moves {
                let own = partition.interner.intern_from(codes.as_ref().unwrap_or(sources[part].interner.keys()), code)?;
                partition.totals.grow(partition.interner.len());
                partition.totals.take(&sources[part].totals, code, own);
                if !days.is_empty() {
                    moved.push((own, part as u32, code));
                }
            }
            if let Some(own) = &mut partition.days {
                moved.sort_unstable();
                own.take(&days, &moved);
            }
            Ok(())
        };
        let customers = moves.iter().map(Vec::len).sum();
        let results: Vec<Result<()>> =
            context.run_if_large(customers, |threads| threads.par_tasks(self.parts.iter_mut().zip(&moves), work))?;
        results.into_iter().collect::<Result<()>>()?;
        for part in parts {
            part.interner = Interner::new(part.interner.kind());
            part.totals = part.totals.empty_like();
            part.days.iter_mut().for_each(|days| *days = DayRuns::default());
        }
        Ok(())
    }

    /// Aggregates the scattered rows of a push. Packed rows stay buffered while they are few beside the partitions: the more
    /// rows of a partition are aggregated at once, the more of them find its state in the cache.
    pub(crate) fn aggregate(&mut self, scatters: &mut [Scatter], columns: &[InputBatch], first_row: u64, context: &Context) -> Result<()> {
        let buffered: usize = scatters.iter().map(Scatter::bytes).sum();
        let limit = if self.parts.iter().any(|part| part.days.is_some()) { BUFFERED_WITH_DAYS } else { usize::MAX };
        let is_due = buffered > limit.min(self.bytes() / BUFFERED_FRACTION);
        let source = ScatterSource::new(columns);
        self.each(scatters.len(), context, |partition, part| {
            scatters.iter().try_for_each(|scatter| {
                scatter.aggregate_unpacked(partition, &source, part, first_row)?;
                if is_due { scatter.aggregate_packed(partition, part) } else { Ok(()) }
            })
        })?;
        scatters.iter_mut().for_each(Scatter::clear_unpacked);
        if is_due {
            scatters.iter_mut().for_each(Scatter::clear_packed);
        }
        Ok(())
    }

    /// Runs `work` on each partition, in parallel if several threads scattered.
    fn each(&mut self, threads: usize, context: &Context, work: impl Fn(usize, &mut State) -> Result<()> + Sync + Send) -> Result<()> {
        let work = |(partition, part): (usize, &mut State)| {
            context.check()?;
            work(partition, part)
        };
        if threads > 1 {
            let results: Vec<Result<()>> = context.install(|threads| threads.par_tasks(self.parts.iter_mut().enumerate(), work))?;
            return results.into_iter().collect();
        }
        self.parts.iter_mut().enumerate().try_for_each(work)
    }

    /// Aggregates the buffered rows and concatenates the partitions, whose customers are disjoint.
    pub(crate) fn into_one(mut self, scatters: &mut Vec<Scatter>, context: &Context) -> Result<State> {
        let threads = scatters.len();
        self.each(threads, context, |partition, part| scatters.iter().try_for_each(|scatter| scatter.aggregate_packed(partition, part)))?;
        // Free the buffers before the concatenation, to keep the peak low.
        scatters.clear();
        if self.parts.iter().any(|part| part.days.is_some()) {
            self.each(threads, context, |_, part| {
                part.settle(Threads::inline());
                Ok(())
            })?;
        }
        let customers = self.parts.iter().map(|part| part.totals.len()).sum();
        let width = self.partitioner.range.map(|PartitionRange { shift, .. }| 1 << shift);
        let mut whole = context.run_if_large(customers, |threads| State::concat(self.parts, width, threads))??;
        if let Some(shared) = self.partitioner.shared {
            whole.interner = shared;
        }
        Ok(whole)
    }
}
