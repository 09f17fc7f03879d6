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
use super::keys::{ByteArena, Head};
use super::state::State;
use super::totals::{RowNumbers, Rows};
use crate::column::chunks::{Block, Columns};
use crate::column::key::{ByteKeys, KeyColumn, KeyKind, PlainKeys};
use crate::column::{BLOCK, flag};
use crate::context::Context;
use crate::error::{Error, Result};

/// A power of two.
const SHARDS: usize = 128;

/// A row with an integer id.
#[derive(Debug, Clone, Copy)]
struct IntegerRow {
    id: i64,
    units: i64,
    day: i32,
    /// Counted from the first row of the push; its highest bit tells a null amount.
    row: u32,
}

/// A row with a byte string for an id.
#[derive(Debug, Clone, Copy)]
struct ByteRow {
    head: Head,
    units: i64,
    day: i32,
    row: u32,
    len: u32,
    /// Where the string is, if it is longer than its head.
    batch: u32,
    place: u32,
}

const NULL_AMOUNT: u32 = 1 << 31;
/// Rows of one push at the most.
pub const MOST_ROWS: usize = NULL_AMOUNT as usize;

/// What one thread deals out.
#[derive(Debug)]
pub struct Deal {
    integers: Vec<Vec<IntegerRow>>,
    bytes: Vec<Vec<ByteRow>>,
}

/// How ids find their shard.
#[derive(Debug, Clone)]
pub struct Dealer {
    seed: u64,
    hasher: ByteHasher,
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
        let product = u128::from(id as u64 ^ self.seed) * 0x9E37_79B9_7F4A_7C15_u128;
        ((product as u64) ^ (product >> 64) as u64) as usize % SHARDS
    }

    #[inline]
    fn bytes(&self, id: &[u8], head: Head) -> usize {
        self.hasher.hash(id, head) as usize % SHARDS
    }

    /// Deals out the rows of a block that count; `offset` is its first row counted from the push, `batch` that of its columns.
    pub fn deal(&self, deal: &mut Deal, columns: &Columns, (batch, start): (usize, usize), offset: usize, codes: &[u32], block: &Block) {
        let row = |i: usize| (offset + i) as u32 | if block.flags[i] & flag::NULL_AMOUNT == 0 { 0 } else { NULL_AMOUNT };
        let mut sorter = Sorter::default();
        match &columns.customer {
            KeyColumn::Plain(PlainKeys::Integers(keys)) => {
                let mut ids = [0; BLOCK];
                let ids = &mut ids[..codes.len()];
                keys.read(start, ids);
                let shards = codes.iter().zip(&*ids).map(|(&code, &id)| if code == NO_CODE { SHARDS } else { self.integer(id) });
                sorter.sort(shards, |shard, rows| {
                    let new = |&i: &u16| (usize::from(i), ids[usize::from(i)]);
                    let rows =
                        rows.iter().map(new).map(|(i, id)| IntegerRow { id, units: block.units[i], day: block.days[i], row: row(i) });
                    deal.integers[shard].extend(rows);
                });
            }
            KeyColumn::Plain(PlainKeys::Bytes(keys)) => {
                let mut heads = vec![0; codes.len()];
                let mut shards = [SHARDS; BLOCK];
                for (i, (head, shard)) in
                    heads.iter_mut().zip(&mut shards).enumerate().take(codes.len()).filter(|(i, _)| codes[*i] != NO_CODE)
                {
                    let id = keys.get(start + i);
                    *head = ByteArena::head(id);
                    *shard = self.bytes(id, *head);
                }
                let shards = shards[..codes.len()].iter().copied();
                sorter.sort(shards, |shard, rows| {
                    let new = |&i: &u16| {
                        let i = usize::from(i);
                        let (place, units, day) = ((start + i) as u32, block.units[i], block.days[i]);
                        // An id longer than 4 GiB is told by the table, which gets it from its place.
                        let len = keys.get(start + i).len().min(u32::MAX as usize) as u32;
                        ByteRow { head: heads[i], units, day, row: row(i), len, batch: batch as u32, place }
                    };
                    deal.bytes[shard].extend(rows.iter().map(new));
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
    pub fn new(kind: KeyKind) -> Self {
        let (integers, bytes) = match kind {
            KeyKind::Signed | KeyKind::Unsigned => (SHARDS, 0),
            KeyKind::Text | KeyKind::Binary => (0, SHARDS),
        };
        Self { integers: vec![Vec::new(); integers], bytes: vec![Vec::new(); bytes] }
    }

    fn clear(&mut self) {
        self.integers.iter_mut().for_each(Vec::clear);
        self.bytes.iter_mut().for_each(Vec::clear);
    }
}

impl Shards {
    /// Shards of empty states, which `empty` makes.
    pub fn new(empty: impl Fn() -> State) -> Self {
        let random = RandomState::default();
        Self { parts: (0..SHARDS).map(|_| empty()).collect(), dealer: Dealer { seed: random.hash_one(3_u64), hasher: ByteHasher::new() } }
    }

    /// How ids find their shard.
    pub fn dealer(&self) -> &Dealer {
        &self.dealer
    }

    /// Bytes they take, about.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(State::bytes).sum()
    }

    /// Folds what was dealt out and empties it.
    pub fn fold(&mut self, deals: &mut [Deal], columns: &[Columns], first_row: u64, context: &Context) -> Result<()> {
        let work = |(shard, part): (usize, &mut State)| {
            context.check()?;
            let mut tray = Tray::default();
            for deal in &*deals {
                if let Some(rows) = deal.integers.get(shard) {
                    rows.chunks(BLOCK).try_for_each(|rows| tray.add_integers(rows, part, first_row))?;
                }
                if let Some(rows) = deal.bytes.get(shard) {
                    rows.chunks(BLOCK).try_for_each(|rows| tray.add_bytes(rows, columns, part, first_row))?;
                }
            }
            Ok(())
        };
        if deals.len() > 1 {
            let results: Vec<Result<()>> = context.install(|| self.parts.par_iter_mut().enumerate().map(work).collect())?;
            results.into_iter().collect::<Result<()>>()?;
        } else {
            self.parts.iter_mut().enumerate().try_for_each(work)?;
        }
        deals.iter_mut().for_each(Deal::clear);
        Ok(())
    }

    /// All shards in one state; no customer is in two of them.
    pub fn into_one(self) -> Result<State> {
        State::concat(self.parts)
    }
}

/// A block of rows in the shapes that the kernels take.
#[derive(Default)]
struct Tray {
    ids: Vec<i64>,
    heads: Vec<Head>,
    days: Vec<i32>,
    units: Vec<i64>,
    flags: Vec<u8>,
    numbers: Vec<u32>,
    codes: Vec<u32>,
}

impl Tray {
    fn add_integers(&mut self, rows: &[IntegerRow], part: &mut State, first_row: u64) -> Result<()> {
        self.clear();
        for row in rows {
            self.ids.push(row.id);
            self.put(row.day, row.units, row.row);
        }
        part.interner.intern_ids(&self.ids, &mut self.codes)?;
        self.add(part, first_row);
        Ok(())
    }

    fn add_bytes(&mut self, rows: &[ByteRow], columns: &[Columns], part: &mut State, first_row: u64) -> Result<()> {
        self.clear();
        for row in rows {
            self.heads.push(row.head);
            self.put(row.day, row.units, row.row);
        }
        let long = |row: &ByteRow| -> Result<&[u8]> {
            match columns.get(row.batch as usize).map(|columns| &columns.customer) {
                Some(KeyColumn::Plain(PlainKeys::Bytes(keys))) => Ok(ByteKeys::get(keys, row.place as usize)),
                _ => Err(Error::internal("a row of no batch")),
            }
        };
        intern_bytes(&mut part.interner, &self.heads, rows, long, &mut self.codes)?;
        self.add(part, first_row);
        Ok(())
    }

    fn clear(&mut self) {
        self.ids.clear();
        self.heads.clear();
        self.days.clear();
        self.units.clear();
        self.flags.clear();
        self.numbers.clear();
        self.codes.clear();
    }

    #[inline]
    fn put(&mut self, day: i32, units: i64, row: u32) {
        self.days.push(day);
        self.units.push(units);
        self.flags.push(if row & NULL_AMOUNT == 0 { 0 } else { flag::NULL_AMOUNT });
        self.numbers.push(row & !NULL_AMOUNT);
    }

    fn add(&self, part: &mut State, first_row: u64) {
        part.totals.grow(part.interner.len());
        let rows = RowNumbers::Scattered(first_row, &self.numbers);
        part.add_rows(&Rows {
            codes: &self.codes,
            days: &self.days,
            units: &self.units,
            flags: &self.flags,
            marks: None,
            rows,
            holes: false,
        });
    }
}

fn intern_bytes<'a>(
    interner: &mut Interner,
    heads: &[Head],
    rows: &[ByteRow],
    long: impl Fn(&ByteRow) -> Result<&'a [u8]>,
    codes: &mut Vec<u32>,
) -> Result<()> {
    let mut short = vec![[0; 16]; rows.len()];
    let mut ids: Vec<&[u8]> = Vec::with_capacity(rows.len());
    for ((row, head), short) in rows.iter().zip(heads).zip(&mut short) {
        *short = head.to_be_bytes();
        ids.push(if row.len <= 16 { &short[..row.len as usize] } else { long(row)? });
    }
    interner.intern_strings(&ids, heads, codes)
}
