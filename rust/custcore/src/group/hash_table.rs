//! Flat hash tables with open addressing and linear probing: about one cache line per lookup, prefetched some rows ahead.
//!
//! An integer entry holds the id and its code. A byte-string entry holds a tag of 32 hash bits; the string is compared only
//! when the tags match. Hashes are seeded at random, so that ids cannot be chosen to collide.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::arena::ByteArena;
use super::byte_id::ByteId;
use crate::column::BLOCK;
use crate::exec::simd::prefetch;

/// The code of an empty slot.
const EMPTY: u32 = u32::MAX;

/// An entry of a [`RawTable`], which knows nothing of hashing.
trait HashEntry: Copy {
    /// An empty slot.
    fn empty() -> Self;
    /// The code; [`EMPTY`] for an empty slot.
    fn code(&self) -> u32;
}

#[derive(Debug, Clone, Copy)]
struct IntegerEntry {
    id: i64,
    code: u32,
}

impl HashEntry for IntegerEntry {
    fn empty() -> Self {
        Self { id: 0, code: EMPTY }
    }
    fn code(&self) -> u32 {
        self.code
    }
}

#[derive(Debug, Clone, Copy)]
struct ByteEntry {
    /// The upper half of the hash: where the entry belongs, in a table of any size.
    tag: u32,
    code: u32,
}

impl HashEntry for ByteEntry {
    fn empty() -> Self {
        Self { tag: 0, code: EMPTY }
    }
    fn code(&self) -> u32 {
        self.code
    }
}

/// The bits of a hash that an entry of byte strings keeps.
#[inline]
fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Slots: a power of two, at most half full.
#[derive(Debug, Clone)]
struct RawTable<E> {
    entries: Vec<E>,
    shift: u32,
}

impl<E: HashEntry> RawTable<E> {
    fn new() -> Self {
        Self { entries: vec![E::empty(); 16], shift: 60 }
    }

    /// Reserves room for `count` entries in total; `hash` rehashes an entry.
    fn reserve(&mut self, count: usize, hash: impl Fn(&E) -> u64) {
        if count * 2 <= self.entries.len() {
            return;
        }
        let size = (count * 2).next_power_of_two();
        let old = std::mem::replace(&mut self.entries, vec![E::empty(); size]);
        self.shift = 64 - size.trailing_zeros();
        for entry in old.into_iter().filter(|entry| entry.code() != EMPTY) {
            let mut at = self.index(hash(&entry));
            while self.entries[at].code() != EMPTY {
                at = self.next(at);
            }
            self.entries[at] = entry;
        }
    }

    #[inline]
    fn index(&self, hash: u64) -> usize {
        (hash >> self.shift) as usize
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.entries.len() - 1)
    }

    /// The code of the entry that matches, or the index of the empty slot where it belongs.
    #[inline]
    fn find(&self, hash: u64, matches: impl Fn(&E) -> bool) -> Result<u32, usize> {
        let mut at = self.index(hash);
        loop {
            let entry = &self.entries[at];
            if entry.code() == EMPTY {
                return Err(at);
            }
            if matches(entry) {
                return Ok(entry.code());
            }
            at = self.next(at);
        }
    }
}

/// Codes of integer ids.
#[derive(Debug, Clone)]
pub(crate) struct IntegerTable {
    raw: RawTable<IntegerEntry>,
    seed: u64,
}

impl IntegerTable {
    pub(crate) fn new() -> Self {
        Self { raw: RawTable::new(), seed: RandomState::default().hash_one(0_u64) }
    }

    /// Heap bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.raw.entries.capacity() * size_of::<IntegerEntry>()
    }

    /// Multiply and fold: the two halves of the product by an odd constant, combined by xor.
    #[inline]
    fn hash(seed: u64, id: i64) -> u64 {
        let product = u128::from(id as u64 ^ seed) * 0x9E37_79B9_7F4A_7C15_u128;
        let folded = (product as u64) ^ (product >> 64) as u64;
        folded.wrapping_mul(0xD6E8_FEB8_6659_FD93)
    }

    /// Reserves room for `count` ids in total.
    pub(crate) fn reserve(&mut self, count: usize) {
        let seed = self.seed;
        self.raw.reserve(count, |entry| Self::hash(seed, entry.id));
    }

    /// Hashes ids (at most a block).
    #[inline]
    pub(crate) fn prepare(&self, ids: &[i64], hashes: &mut [u64; BLOCK]) {
        for (hash, &id) in hashes.iter_mut().zip(ids) {
            *hash = Self::hash(self.seed, id);
        }
    }

    /// Prefetches the first slot of a hash.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        prefetch(&self.raw.entries, self.raw.index(hash));
    }

    /// The code of `id`; a new id gets `next`. Room must have been reserved.
    #[inline]
    pub(crate) fn code(&mut self, id: i64, hash: u64, next: u32) -> u32 {
        match self.raw.find(hash, |entry| entry.id == id) {
            Ok(code) => code,
            Err(at) => {
                self.raw.entries[at] = IntegerEntry { id, code: next };
                next
            }
        }
    }

    /// The code of `id`, if present.
    pub(crate) fn find(&self, id: i64) -> Option<u32> {
        self.raw.find(self.hash_one(id), |entry| entry.id == id).ok()
    }

    /// The hash of one id.
    #[inline]
    pub(crate) fn hash_one(&self, id: i64) -> u64 {
        Self::hash(self.seed, id)
    }
}

/// The hash function of byte strings.
#[derive(Debug, Clone)]
pub(crate) struct ByteHasher {
    long: RandomState,
    seeds: [u64; 2],
}

impl ByteHasher {
    /// A hasher with random seeds.
    pub(crate) fn new() -> Self {
        let long = RandomState::default();
        let seeds = [long.hash_one(1_u64), long.hash_one(2_u64)];
        Self { long, seeds }
    }

    /// The hash of one string. Usually its head is the whole string.
    #[inline]
    pub(crate) fn hash(&self, id: &ByteId<'_>) -> u64 {
        if !id.head.is_whole() {
            return self.long.hash_one(id.long);
        }
        // Random 64-bit seeds replace the usual odd constants, so that colliding ids cannot be constructed.
        let ([a, b], [first, second]) = (id.head.words(), self.seeds);
        let product = u128::from(a ^ first) * u128::from(b ^ second ^ u64::from(id.head.form));
        (product as u64) ^ (product >> 64) as u64
    }
}

/// Codes of byte strings.
#[derive(Debug, Clone)]
pub(crate) struct ByteTable {
    raw: RawTable<ByteEntry>,
    hasher: ByteHasher,
}

impl ByteTable {
    pub(crate) fn new() -> Self {
        Self { raw: RawTable::new(), hasher: ByteHasher::new() }
    }

    /// Heap bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.raw.entries.capacity() * size_of::<ByteEntry>()
    }

    /// A table of the strings of an arena, which must not have duplicates.
    pub(crate) fn of(arena: &ByteArena) -> Self {
        let mut table = Self::new();
        table.reserve(arena.len() + BLOCK);
        for code in 0..arena.len() as u32 {
            let hash = table.hash_one(&arena.id(code));
            if let Err(at) = table.raw.find(hash, |_| false) {
                table.raw.entries[at] = ByteEntry { tag: tag(hash), code };
            }
        }
        table
    }

    /// Reserves room for `count` strings in total.
    pub(crate) fn reserve(&mut self, count: usize) {
        self.raw.reserve(count, |entry| u64::from(entry.tag) << 32);
    }

    /// The hash of one string.
    #[inline]
    pub(crate) fn hash_one(&self, id: &ByteId<'_>) -> u64 {
        self.hasher.hash(id)
    }

    /// Prefetches the first slot of a hash.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        prefetch(&self.raw.entries, self.raw.index(hash));
    }

    /// The code of `id`, if it is in `arena`.
    pub(crate) fn find(&self, id: &ByteId<'_>, arena: &ByteArena) -> Option<u32> {
        let hash = self.hash_one(id);
        self.raw.find(hash, |entry| entry.tag == tag(hash) && arena.is(entry.code, id)).ok()
    }

    /// Prefetches the string slot that a hash most likely leads to. Reads the table's slot, which must have been prefetched.
    #[inline]
    pub(crate) fn prefetch_string(&self, hash: u64, arena: &ByteArena) {
        let entry = self.raw.entries[self.raw.index(hash)];
        if entry.tag == tag(hash) {
            arena.prefetch(entry.code);
        }
    }

    /// The code of `id`; a new id is appended to `arena`. Room must have been reserved.
    #[inline]
    pub(crate) fn code(&mut self, id: &ByteId<'_>, hash: u64, arena: &mut ByteArena) -> u32 {
        let tag = tag(hash);
        match self.raw.find(hash, |entry| entry.tag == tag && arena.is(entry.code, id)) {
            Ok(code) => code,
            Err(at) => {
                let code = arena.len() as u32;
                arena.push(id);
                self.raw.entries[at] = ByteEntry { tag, code };
                code
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_keep_their_codes_while_the_table_grows() {
        let mut table = IntegerTable::new();
        let ids: Vec<i64> = (0..10_000_i64).map(|i| i.wrapping_mul(i64::MAX / 7)).collect();
        for round in 0..2 {
            for (n, &id) in (0..).zip(&ids) {
                table.reserve(ids.len().min(n as usize + 1));
                let hash = table.hash_one(id);
                let next = if round == 0 { n } else { EMPTY - 1 };
                assert_eq!(table.code(id, hash, next), n);
            }
        }
    }

    #[test]
    fn strings_with_equal_prefixes_differ() {
        let (mut table, mut arena) = (ByteTable::new(), ByteArena::default());
        let ids = ["", "a", "a\0", "a long beginning that is shared, 1", "a long beginning that is shared, 2"];
        for _ in 0..2 {
            for (n, id) in (0..).zip(ids) {
                table.reserve(8);
                let id = ByteId::of(id.as_bytes());
                let hash = table.hash_one(&id);
                assert_eq!(table.code(&id, hash, &mut arena), n);
            }
        }
        assert_eq!(*arena.get(3), *ids[3].as_bytes());
    }
}
