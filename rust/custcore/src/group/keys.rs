//! Ids in the order of their codes.

use std::cmp::Ordering;
use std::ops::Range;

use crate::exec::par::Threads;
use crate::exec::simd::prefetch;

/// Ids by code.
#[derive(Debug, Clone)]
pub enum Keys {
    /// Integer ids in a narrow range: the code is the distance from the first. Not every code need have been seen.
    Range {
        /// The id of code 0.
        base: i64,
        /// Number of codes.
        len: usize,
    },
    /// Integer ids, unsigned 64-bit ones with the top bit flipped.
    Integers(Vec<i64>),
    /// String and binary ids.
    Bytes(ByteArena),
}

impl Keys {
    /// Number of codes.
    pub fn len(&self) -> usize {
        match self {
            Self::Range { len, .. } => *len,
            Self::Integers(keys) => keys.len(),
            Self::Bytes(arena) => arena.len(),
        }
    }

    /// Whether there are no codes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes they take.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Range { .. } => 0,
            Self::Integers(keys) => 8 * keys.capacity(),
            Self::Bytes(arena) => arena.bytes.capacity() + arena.places.capacity() * size_of::<StringSlot>(),
        }
    }

    /// The ids that `is_kept` says, in their order.
    #[must_use]
    pub fn select(&self, is_kept: &[bool]) -> Self {
        let kept = (0_u32..).zip(is_kept).filter(|(_, kept)| **kept).map(|(code, _)| code);
        match self {
            Self::Range { base, .. } => Self::Integers(kept.map(|code| base + i64::from(code)).collect()),
            Self::Integers(keys) => Self::Integers(kept.map(|code| keys[code as usize]).collect()),
            Self::Bytes(arena) => {
                let mut selected = ByteArena::default();
                kept.for_each(|code| selected.push_from(arena, code));
                Self::Bytes(selected)
            }
        }
    }

    /// How two ids compare: integers by value, strings and binary by bytes.
    pub fn compare(&self, a: u32, b: u32) -> Ordering {
        match self {
            Self::Range { .. } => a.cmp(&b),
            Self::Integers(keys) => keys[a as usize].cmp(&keys[b as usize]),
            Self::Bytes(arena) => arena.order(a).cmp(&arena.order(b)).then_with(|| arena.get(a).cmp(arena.get(b))),
        }
    }

    /// Whether each id is larger than the one before it.
    pub fn ascend(&self, threads: Threads<'_>) -> bool {
        let last = self.len().saturating_sub(1);
        let ascend = |codes: Range<usize>| codes.into_iter().all(|code| self.compare(code as u32, code as u32 + 1).is_lt());
        threads.par_chunks(last, ascend).into_iter().all(|ascend| ascend)
    }

    /// Whether codes of both are distances from one id.
    pub fn is_same_range(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Range { base: a, .. }, Self::Range { base: b, .. }) if a == b)
    }
}

/// Where a byte string lies, and its beginning: most ids are told apart by this alone.
#[derive(Debug, Clone, Copy)]
struct StringSlot {
    start: u64,
    len: u32,
    prefix: Prefix,
}

/// The first 16 bytes, padded with zeros, as a number of the same order.
pub(crate) type Prefix = u128;

/// Byte strings end to end.
#[derive(Debug, Default, Clone)]
pub struct ByteArena {
    bytes: Vec<u8>,
    places: Vec<StringSlot>,
    /// Whether some string is longer than its head, or ends with a zero that the head's padding would hide.
    hidden: bool,
}

impl ByteArena {
    /// Number of strings.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The bytes of id number `code`.
    #[inline]
    pub fn get(&self, code: u32) -> &[u8] {
        let StringSlot { start, len, .. } = self.places[code as usize];
        &self.bytes[start as usize..start as usize + len as usize]
    }

    /// The length of id number `code`.
    #[inline]
    pub fn length(&self, code: u32) -> usize {
        self.places[code as usize].len as usize
    }

    /// Copies id number `code` into its place, which is as long as it is.
    #[inline]
    pub fn copy(&self, code: u32, to: &mut [u8]) {
        let StringSlot { len, prefix, .. } = self.places[code as usize];
        // Most ids are all head, and then the bytes, which lie elsewhere, need not be fetched.
        if len <= 16 { to.copy_from_slice(&prefix.to_be_bytes()[..len as usize]) } else { to.copy_from_slice(self.get(code)) }
    }

    /// The beginning of id number `code` as a number of the same order: unlike beginnings decide how two ids compare, equal
    /// ones leave it open.
    #[inline]
    pub fn order(&self, code: u32) -> u128 {
        self.places[code as usize].prefix
    }

    /// Whether [`ByteArena::order`] tells all strings apart.
    pub fn is_told_by_order(&self) -> bool {
        !self.hidden
    }

    /// All strings end to end, and the length of each in the order of their codes.
    pub fn contents(&self) -> (&[u8], impl ExactSizeIterator<Item = usize> + Clone) {
        (&self.bytes, self.places.iter().map(|place| place.len as usize))
    }

    /// Adds id number `code` of another arena.
    pub fn push_from(&mut self, other: &Self, code: u32) {
        self.places.push(StringSlot { start: self.bytes.len() as u64, ..other.places[code as usize] });
        self.bytes.extend_from_slice(other.get(code));
        self.hidden |= other.hidden;
    }

    /// Adds all ids of another arena.
    pub fn append(&mut self, other: Self) {
        let before = self.bytes.len() as u64;
        self.places.extend(other.places.into_iter().map(|place| StringSlot { start: place.start + before, ..place }));
        self.bytes.extend(other.bytes);
        self.hidden |= other.hidden;
    }

    /// The beginning of a byte string.
    #[inline]
    pub fn prefix(id: &[u8]) -> Prefix {
        let word = |at: usize| id.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_be_bytes(*bytes));
        let half = |at: usize| id.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_be_bytes(*bytes));
        // Two reads that overlap make up every length; what they share is shifted out of the second.
        match id.len() {
            16.. => u128::from(word(0)) << 64 | u128::from(word(8)),
            n @ 9..16 => u128::from(word(0)) << 64 | u128::from(word(n - 8) << (8 * (16 - n))),
            8 => u128::from(word(0)) << 64,
            n @ 5..8 => u128::from(u64::from(half(0)) << 32 | u64::from(half(n - 4) << (8 * (8 - n)))) << 64,
            4 => u128::from(half(0)) << 96,
            _ => id.iter().zip([120, 112, 104]).fold(0, |prefix, (&byte, shift)| prefix | u128::from(byte) << shift),
        }
    }

    /// Asks for the cache line of id number `code`.
    #[inline]
    pub fn prefetch(&self, code: u32) {
        prefetch(&self.places, code as usize);
    }

    /// Whether id number `code` is `id`, whose beginning is `prefix`.
    #[inline]
    pub fn is(&self, code: u32, id: &[u8], prefix: Prefix) -> bool {
        let place = &self.places[code as usize];
        place.len as usize == id.len() && place.prefix == prefix && (id.len() <= 16 || self.get(code) == id)
    }

    /// Adds an id; the answer is false when it is too long to be one.
    pub fn push(&mut self, id: &[u8], prefix: Prefix) -> bool {
        let Ok(len) = u32::try_from(id.len()) else { return false };
        self.hidden |= id.len() > 16 || id.last() == Some(&0);
        self.places.push(StringSlot { start: self.bytes.len() as u64, len, prefix });
        self.bytes.extend_from_slice(id);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_the_first_bytes() {
        let long: Vec<u8> = (1..=20).collect();
        for n in 0..=20 {
            let mut want = [0; 16];
            want[..n.min(16)].copy_from_slice(&long[..n.min(16)]);
            assert_eq!(ByteArena::prefix(&long[..n]), u128::from_be_bytes(want), "{n}");
        }
    }
}
