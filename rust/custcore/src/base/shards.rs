//! Many customers in a table: rows are dealt out to shards by their ids, and then each shard is folded by itself.
//!
//! A table of a million customers is larger than a cache, and every look-up waits for memory. Dealing rows out writes them
//! once, one after the other, into lots that are read the same way; the tables of a shard stay in the cache. A customer is
//! in one shard only, so shards never have to be merged, and threads take turns at them without waiting.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::flat::ByteHasher;
use super::intern::{Interner, NO_CODE};
use super::keys::{ByteArena, Head, Keys};
use super::plan::Plan;
use super::state::State;
use super::totals::{RowNumbers, Rows, Totals};
use crate::column::BLOCK;
use crate::column::chunks::{Block, Columns};
use crate::column::key::{ByteKeys, KeyColumn, PlainKeys};
use crate::context::{Context, ROWS_WORTH_THREADS};
use crate::error::{Error, Result};

/// A power of two.
const SHARDS: usize = 128;

/// Rows of one push at the most.
pub const MOST_ROWS: usize = 1 << 31;

/// Rows of one shard, column by column, so that the kernels read them as they lie.
#[derive(Debug, Default)]
struct Lot {
    /// Integer ids.
    ids: Vec<i64>,
    /// The beginnings of byte strings, which are all of most of them.
    heads: Vec<Head>,
    /// Their lengths; [`LONG`] for one that is longer than its head and has to be fetched from where it came from.
    lengths: Vec<u8>,
    units: Vec<i64>,
    days: Vec<i32>,
    flags: Vec<u8>,
    /// Counted from the first row of the push.
    rows: Vec<u32>,
}

const LONG: u8 = 17;

/// What one thread deals out.
#[derive(Debug)]
pub struct Deal {
    lots: Vec<Lot>,
}

/// How ids find their shard.
#[derive(Debug, Clone)]
pub struct Dealer {
    seed: u64,
    hasher: ByteHasher,
    range: Option<Range>,
}

/// Integer ids in a range, of which each shard has `1 << shift` that follow each other.
#[derive(Debug, Clone, Copy)]
struct Range {
    base: i64,
    shift: u32,
}

/// The shards.
#[derive(Debug)]
pub struct Shards {
    parts: Vec<State>,
    dealer: Dealer,
}

impl Dealer {
    #[inline]
    fn integer(&self, id: i64) -> usize {
        if let Some(Range { base, shift }) = self.range {
            // A push whose ids lie outside is not dealt out, see [`Shards::cover`].
            return (id.wrapping_sub(base) as u64 >> shift) as usize;
        }
        let product = u128::from(id as u64 ^ self.seed) * 0x9E37_79B9_7F4A_7C15_u128;
        ((product as u64) ^ (product >> 64) as u64) as usize % SHARDS
    }

    #[inline]
    fn bytes(&self, id: &[u8], head: Head) -> usize {
        self.hasher.hash(id, head) as usize % SHARDS
    }

    /// The shard of id number `code`.
    fn shard_of(&self, keys: &Keys, code: u32) -> usize {
        match keys {
            Keys::Range { base, .. } => self.integer(base.wrapping_add(i64::from(code))),
            Keys::Integers(ids) => self.integer(ids[code as usize]),
            Keys::Bytes(arena) => self.bytes(arena.get(code), arena.order(code)),
        }
    }

    /// Deals out the rows of a block that count; `offset` is its first row counted from the push.
    pub fn deal(&self, deal: &mut Deal, columns: &Columns, start: usize, offset: usize, codes: &[u32], block: &Block) {
        let mut sorter = Sorter::default();
        let put = |lot: &mut Lot, rows: &[u16]| {
            lot.units.extend(rows.iter().map(|&i| block.units[usize::from(i)]));
            lot.days.extend(rows.iter().map(|&i| block.days[usize::from(i)]));
            lot.flags.extend(rows.iter().map(|&i| block.flags[usize::from(i)]));
            lot.rows.extend(rows.iter().map(|&i| (offset + usize::from(i)) as u32));
        };
        match &columns.customer {
            KeyColumn::Plain(PlainKeys::Integers(keys)) => {
                let mut ids = [0; BLOCK];
                let ids = &mut ids[..codes.len()];
                keys.read(start, ids);
                let shards = codes.iter().zip(&*ids).map(|(&code, &id)| if code == NO_CODE { SHARDS } else { self.integer(id) });
                sorter.sort(shards, |shard, rows| {
                    let lot = &mut deal.lots[shard];
                    lot.ids.extend(rows.iter().map(|&i| ids[usize::from(i)]));
                    put(lot, rows);
                });
            }
            KeyColumn::Plain(PlainKeys::Bytes(keys)) => {
                let (mut heads, mut lengths, mut shards) = (vec![0; codes.len()], [0_u8; BLOCK], [SHARDS; BLOCK]);
                for i in (0..codes.len()).filter(|&i| codes[i] != NO_CODE) {
                    let id = keys.get(start + i);
                    heads[i] = ByteArena::head(id);
                    lengths[i] = id.len().min(usize::from(LONG)) as u8;
                    shards[i] = self.bytes(id, heads[i]);
                }
                sorter.sort(shards[..codes.len()].iter().copied(), |shard, rows| {
                    let lot = &mut deal.lots[shard];
                    lot.heads.extend(rows.iter().map(|&i| heads[usize::from(i)]));
                    lot.lengths.extend(rows.iter().map(|&i| lengths[usize::from(i)]));
                    put(lot, rows);
                });
            }
            KeyColumn::Dictionary(_) => {}
        }
    }
}

/// Sorts the rows of a block by shard, so that each lot is written in one go.
struct Sorter {
    shards: [u8; BLOCK],
    rows: [u16; BLOCK],
}

impl Default for Sorter {
    fn default() -> Self {
        Self { shards: [0; BLOCK], rows: [0; BLOCK] }
    }
}

impl Sorter {
    /// Hands the rows of each shard to `write`; those of shard [`SHARDS`] are left out.
    #[inline]
    fn sort(&mut self, shards: impl ExactSizeIterator<Item = usize>, mut write: impl FnMut(usize, &[u16])) {
        let n = shards.len();
        let mut ends = [0_u16; SHARDS + 1];
        for (slot, shard) in self.shards.iter_mut().zip(shards) {
            *slot = shard as u8;
            ends[shard] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            let count = *end;
            *end = sum;
            sum += count;
        }
        for (row, &shard) in (0..).zip(&self.shards[..n]) {
            let end = &mut ends[usize::from(shard)];
            self.rows[usize::from(*end)] = row;
            *end += 1;
        }
        let mut start = 0;
        for (shard, &end) in ends[..SHARDS].iter().enumerate() {
            if end > start {
                write(shard, &self.rows[usize::from(start)..usize::from(end)]);
            }
            start = end;
        }
    }
}

/// Whether rows of these columns can be dealt out: plain ids and units of 64 bits.
pub fn can_deal(columns: &[Columns], rows: usize) -> bool {
    rows <= MOST_ROWS && columns.iter().all(|columns| !columns.is_wide() && matches!(columns.customer, KeyColumn::Plain(_)))
}

impl Deal {
    /// Nothing dealt yet.
    pub fn new() -> Self {
        Self { lots: (0..SHARDS).map(|_| Lot::default()).collect() }
    }
}

impl Lot {
    fn clear(&mut self) {
        let Self { ids, heads, lengths, units, days, flags, rows } = self;
        ids.clear();
        heads.clear();
        lengths.clear();
        units.clear();
        days.clear();
        flags.clear();
        rows.clear();
    }

    /// Adds all rows to their shard.
    fn fold(&self, source: &Source<'_>, part: &mut State, first_row: u64) -> Result<()> {
        let mut codes = Vec::with_capacity(BLOCK);
        for start in (0..self.rows.len()).step_by(BLOCK) {
            let block = start..self.rows.len().min(start + BLOCK);
            let rows = &self.rows[block.clone()];
            if self.heads.is_empty() {
                part.interner.intern_ids(&self.ids[block.clone()], &mut codes)?;
            } else {
                let (heads, lengths) = (&self.heads[block.clone()], &self.lengths[block.clone()]);
                let mut short = vec![[0; 16]; rows.len()];
                let mut ids: Vec<&[u8]> = Vec::with_capacity(rows.len());
                for (((short, head), &length), &row) in short.iter_mut().zip(heads).zip(lengths).zip(rows) {
                    *short = head.to_be_bytes();
                    ids.push(if length < LONG { &short[..usize::from(length)] } else { source.id(row as usize)? });
                }
                part.interner.intern_strings(&ids, heads, &mut codes)?;
            }
            part.totals.grow(part.interner.len());
            part.add_rows(&Rows {
                codes: &codes,
                days: &self.days[block.clone()],
                units: &self.units[block.clone()],
                flags: &self.flags[block.clone()],
                marks: None,
                rows: RowNumbers::Scattered(first_row, rows),
                holes: false,
            });
        }
        Ok(())
    }
}

/// Where rows came from.
struct Source<'a> {
    columns: &'a [Columns],
    /// The first row of each batch, counted from the push.
    firsts: Vec<usize>,
}

impl<'a> Source<'a> {
    fn new(columns: &'a [Columns]) -> Self {
        let firsts = columns.iter().scan(0, |sum, columns| {
            let first = *sum;
            *sum += columns.len();
            Some(first)
        });
        Self { columns, firsts: firsts.collect() }
    }

    /// The byte string that is the id of a row.
    fn id(&self, row: usize) -> Result<&'a [u8]> {
        let batch = self.firsts.partition_point(|&first| first <= row).saturating_sub(1);
        match self.columns.get(batch).map(|columns| &columns.customer) {
            Some(KeyColumn::Plain(PlainKeys::Bytes(keys))) => Ok(ByteKeys::get(keys, row - self.firsts[batch])),
            _ => Err(Error::internal("a row of no batch")),
        }
    }
}

impl Shards {
    /// Shards of empty states, which `empty` makes.
    pub fn new(empty: impl Fn() -> State) -> Self {
        let random = RandomState::default();
        let dealer = Dealer { seed: random.hash_one(3_u64), hasher: ByteHasher::new(), range: None };
        Self { parts: (0..SHARDS).map(|_| empty()).collect(), dealer }
    }

    /// Shards of integer ids that are `len` from `base` on, and some more; `empty` makes a state of the ids from one on.
    pub fn ranges(base: i64, len: usize, empty: impl Fn(i64) -> State) -> Self {
        let width = (len + len / 8).div_ceil(SHARDS).next_power_of_two();
        let range = Range { base, shift: width.trailing_zeros() };
        let parts = (0..SHARDS as i64).map(|shard| {
            let mut part = empty(base.wrapping_add(shard << range.shift));
            part.interner.extend_range(width);
            part
        });
        let parts = parts.collect();
        let mut shards = Self::new(|| empty(base));
        shards.parts = parts;
        shards.dealer.range = Some(range);
        shards
    }

    /// Whether they are of ranges, and these hold all ids of a plan.
    pub fn cover(&self, plan: Plan) -> bool {
        match (self.dealer.range, plan) {
            (Some(range), Plan::Range { base, len }) => range.base == base && len <= SHARDS << range.shift,
            _ => false,
        }
    }

    /// Whether they are of ranges.
    pub fn are_ranges(&self) -> bool {
        self.dealer.range.is_some()
    }

    /// How ids find their shard.
    pub fn dealer(&self) -> &Dealer {
        &self.dealer
    }

    /// Bytes they take, about.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(State::bytes).sum()
    }

    /// Takes over the customers of plain parts, which know none afterwards, so that each customer is in one place only.
    pub fn absorb(&mut self, parts: &mut [State], context: &Context) -> Result<()> {
        let mut moves: Vec<Vec<(usize, u32)>> = vec![Vec::new(); SHARDS];
        for (i, part) in parts.iter().enumerate() {
            let keys = part.interner.keys();
            for code in (0..part.totals.len() as u32).filter(|&code| part.totals.is_present(code)) {
                moves[self.dealer.shard_of(keys, code)].push((i, code));
            }
        }
        let sources = &*parts;
        let work = |(shard, moves): (&mut State, &Vec<(usize, u32)>)| {
            context.check()?;
            for &(part, code) in moves {
                let own = shard.interner.intern_from(sources[part].interner.keys(), code)?;
                shard.totals.grow(shard.interner.len());
                shard.totals.take(&sources[part].totals, code, own);
            }
            Ok(())
        };
        let results: Vec<Result<()>> = if moves.iter().map(Vec::len).sum::<usize>() < ROWS_WORTH_THREADS {
            self.parts.iter_mut().zip(&moves).map(work).collect()
        } else {
            context.install(|| self.parts.par_iter_mut().zip(&moves).map(work).collect())?
        };
        results.into_iter().collect::<Result<()>>()?;
        for part in parts {
            part.interner = Interner::new(part.interner.kind());
            part.totals = Totals::new(false);
        }
        Ok(())
    }

    /// Folds what was dealt out and empties it.
    pub fn fold(&mut self, deals: &mut [Deal], columns: &[Columns], first_row: u64, context: &Context) -> Result<()> {
        let source = Source::new(columns);
        let work = |(shard, part): (usize, &mut State)| {
            context.check()?;
            deals.iter().try_for_each(|deal| deal.lots[shard].fold(&source, part, first_row))
        };
        if deals.len() > 1 {
            let results: Vec<Result<()>> = context.install(|| self.parts.par_iter_mut().enumerate().map(work).collect())?;
            results.into_iter().collect::<Result<()>>()?;
        } else {
            self.parts.iter_mut().enumerate().try_for_each(work)?;
        }
        deals.iter_mut().flat_map(|deal| &mut deal.lots).for_each(Lot::clear);
        Ok(())
    }

    /// All shards in one state; no customer is in two of them.
    pub fn into_one(self) -> Result<State> {
        match self.dealer.range {
            None => State::concat(self.parts),
            Some(Range { shift, .. }) => State::concat_ranges(self.parts, 1 << shift),
        }
    }
}
