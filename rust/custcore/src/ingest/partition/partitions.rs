//! Many customers in a table: rows are dealt out to shards by their ids, and then each shard is folded by itself.
//!
//! A table of a million customers is larger than a cache, and every look-up waits for memory. Dealing rows out writes them
//! once, one after the other, into lots that are read the same way; the tables of a shard stay in the cache. A customer is
//! in one shard only, so shards never have to be merged, and threads take turns at them without waiting.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::scatter::{PARTITIONS, PartitionRange, Partitioner, Scatter, ScatterSource};
use crate::column::chunks::InputBatch;
use crate::column::key::KeyColumn;
use crate::error::Result;
use crate::exec::context::Context;
use crate::group::encoding::KeyEncoding;
use crate::group::hash_table::ByteHasher;
use crate::group::interner::Interner;
use crate::group::keys::Keys;
use crate::state::customer_state::State;
use crate::state::totals::Totals;

/// Packed rows wait while they take less than one part in so many of what the shards take.
const SHARE_THAT_WAITS: usize = 4;

/// Rows of one push at the most.
pub(crate) const MOST_ROWS: usize = 1 << 31;

/// The shards.
#[derive(Debug)]
pub(crate) struct Partitions {
    parts: Vec<State>,
    partitioner: Partitioner,
}

/// The shard of id number `code`.
fn partition_of(partitioner: &Partitioner, keys: &Keys, code: u32) -> usize {
    match keys {
        Keys::Range { base, .. } => partitioner.integer(base.wrapping_add(i64::from(code))),
        Keys::Integers(ids) => partitioner.integer(ids[code as usize]),
        Keys::Bytes(arena) => partitioner.bytes(arena.get(code), arena.prefix_at(code)),
    }
}

/// Whether rows of these columns can be dealt out: plain ids and units of 64 bits.
pub(crate) fn can_partition(columns: &[InputBatch], rows: usize) -> bool {
    rows <= MOST_ROWS && columns.iter().all(|columns| !columns.is_wide() && matches!(columns.customer, KeyColumn::Plain(_)))
}

impl Partitions {
    /// Shards of empty states, which `empty` makes.
    pub(crate) fn new(empty: impl Fn() -> State) -> Self {
        let random = RandomState::default();
        let partitioner = Partitioner { seed: random.hash_one(3_u64), hasher: ByteHasher::new(), range: None };
        Self { parts: (0..PARTITIONS).map(|_| empty()).collect(), partitioner }
    }

    /// Shards of integer ids that are `len` from `base` on, and some more; `empty` makes a state of the ids from one on.
    pub(crate) fn ranges(base: i64, len: usize, empty: impl Fn(i64) -> State) -> Self {
        let width = (len + len / 8).div_ceil(PARTITIONS).next_power_of_two();
        let range = PartitionRange { base, shift: width.trailing_zeros() };
        let parts = (0..PARTITIONS as i64).map(|partition| {
            let mut part = empty(base.wrapping_add(partition << range.shift));
            part.interner.extend_range(width);
            part
        });
        let parts = parts.collect();
        let mut partitions = Self::new(|| empty(base));
        partitions.parts = parts;
        partitions.partitioner.range = Some(range);
        partitions
    }

    /// Whether they are of ranges, and these hold all ids of a plan.
    pub(crate) fn cover(&self, encoding: KeyEncoding) -> bool {
        match (self.partitioner.range, encoding) {
            (Some(range), KeyEncoding::Range { base, len }) => range.base == base && len <= PARTITIONS << range.shift,
            _ => false,
        }
    }

    /// Whether they are of ranges.
    pub(crate) fn are_ranges(&self) -> bool {
        self.partitioner.range.is_some()
    }

    /// How ids find their shard.
    pub(crate) fn partitioner(&self) -> &Partitioner {
        &self.partitioner
    }

    /// Bytes they take, about.
    pub(crate) fn bytes(&self) -> usize {
        self.parts.iter().map(State::bytes).sum()
    }

    /// Takes over the customers of plain parts, which know none afterwards, so that each customer is in one place only.
    pub(crate) fn absorb(&mut self, parts: &mut [State], context: &Context) -> Result<()> {
        let mut moves: Vec<Vec<(usize, u32)>> = vec![Vec::new(); PARTITIONS];
        for (i, part) in parts.iter().enumerate() {
            let keys = part.interner.keys();
            for code in (0..part.totals.len() as u32).filter(|&code| part.totals.is_present(code)) {
                moves[partition_of(&self.partitioner, keys, code)].push((i, code));
            }
        }
        let sources = &*parts;
        let work = |(partition, moves): (&mut State, &Vec<(usize, u32)>)| {
            context.check()?;
            for &(part, code) in moves {
                let own = partition.interner.intern_from(sources[part].interner.keys(), code)?;
                partition.totals.grow(partition.interner.len());
                partition.totals.take(&sources[part].totals, code, own);
            }
            Ok(())
        };
        let customers = moves.iter().map(Vec::len).sum();
        let results: Vec<Result<()>> =
            context.run_if_large(customers, |threads| threads.par_tasks(self.parts.iter_mut().zip(&moves), work))?;
        results.into_iter().collect::<Result<()>>()?;
        for part in parts {
            part.interner = Interner::new(part.interner.kind());
            part.totals = Totals::new(false);
        }
        Ok(())
    }

    /// Folds what was dealt out of a push. Packed rows wait while they take less than the shards do: the more of them are
    /// folded at once, the more rows of a shard find it in the cache.
    pub(crate) fn fold(&mut self, scatters: &mut [Scatter], columns: &[InputBatch], first_row: u64, context: &Context) -> Result<()> {
        let waiting: usize = scatters.iter().map(Scatter::bytes).sum();
        let packed = waiting > self.bytes() / SHARE_THAT_WAITS;
        let source = ScatterSource::new(columns);
        self.each(scatters.len(), context, |partition, part| {
            scatters.iter().try_for_each(|scatter| {
                scatter.fold_others(partition, &source, part, first_row)?;
                if packed { scatter.fold_packed(partition, part) } else { Ok(()) }
            })
        })?;
        scatters.iter_mut().for_each(Scatter::clear_others);
        if packed {
            scatters.iter_mut().for_each(Scatter::clear_packed);
        }
        Ok(())
    }

    /// Does `work` on each shard, side by side if several threads dealt out.
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

    /// All shards in one state, after what still waits; no customer is in two of them.
    pub(crate) fn into_one(mut self, scatters: &mut Vec<Scatter>, context: &Context) -> Result<State> {
        self.each(scatters.len(), context, |partition, part| scatters.iter().try_for_each(|scatter| scatter.fold_packed(partition, part)))?;
        // Their memory is needed for what follows.
        scatters.clear();
        let customers = self.parts.iter().map(|part| part.totals.len()).sum();
        let width = self.partitioner.range.map(|PartitionRange { shift, .. }| 1 << shift);
        context.run_if_large(customers, |threads| State::concat(self.parts, width, threads))?
    }
}
