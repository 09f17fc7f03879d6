//! Ids in the order of their codes.

use std::cmp::Ordering;
use std::ops::Range;

use crate::exec::par::Threads;
use crate::exec::simd::prefetch;

/// Ids, indexed by code.
#[derive(Debug, Clone)]
pub enum Keys {
    /// Integer ids in a narrow range: the code is the offset from the base. Not every code need have occurred.
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

    /// Heap bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Range { .. } => 0,
            Self::Integers(keys) => 8 * keys.capacity(),
            Self::Bytes(arena) => arena.bytes.capacity() + arena.slots.capacity() * size_of::<StringSlot>(),
        }
    }

    /// The ids marked in `is_kept`, in the same order.
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

    /// Compares two ids: integers by value, strings and binary by bytes.
    pub fn compare(&self, a: u32, b: u32) -> Ordering {
        match self {
            Self::Range { .. } => a.cmp(&b),
            Self::Integers(keys) => keys[a as usize].cmp(&keys[b as usize]),
            Self::Bytes(arena) => arena.prefix_at(a).cmp(&arena.prefix_at(b)).then_with(|| arena.get(a).cmp(arena.get(b))),
        }
    }

    /// Compares an id with one of other keys of the same kind, as [`Keys::compare`] does.
    pub fn compare_with(&self, a: u32, other: &Self, b: u32) -> Ordering {
        let integer = |keys: &Self, code: u32| match keys {
            Self::Range { base, .. } => Some(base.wrapping_add(i64::from(code))),
            Self::Integers(keys) => Some(keys[code as usize]),
            Self::Bytes(_) => None,
        };
        match (self, other) {
            (Self::Bytes(arena), Self::Bytes(others)) => arena.get(a).cmp(others.get(b)),
            _ => integer(self, a).cmp(&integer(other, b)),
        }
    }

    /// Whether the ids are strictly ascending.
    pub fn ascend(&self, threads: Threads<'_>) -> bool {
        let last = self.len().saturating_sub(1);
        let ascend = |codes: Range<usize>| codes.into_iter().all(|code| self.compare(code as u32, code as u32 + 1).is_lt());
        threads.par_chunks(last, ascend).into_iter().all(|ascend| ascend)
    }

    /// Whether both are ranges with the same base.
    pub fn is_same_range(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Range { base: a, .. }, Self::Range { base: b, .. }) if a == b)
    }
}

/// Position of a byte string in the buffer, and its prefix, which alone decides most comparisons.
#[derive(Debug, Clone, Copy)]
struct StringSlot {
    start: u64,
    len: u32,
    prefix: Prefix,
}

/// The first 16 bytes, zero-padded, as a big-endian number: it compares as the bytes do.
pub(crate) type Prefix = u128;

/// Byte strings in one contiguous buffer.
#[derive(Debug, Default, Clone)]
pub struct ByteArena {
    bytes: Vec<u8>,
    slots: Vec<StringSlot>,
    /// Whether some string is longer than its prefix, or ends with a zero byte, which looks like the padding.
    ambiguous: bool,
}

impl ByteArena {
    /// Number of strings.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The bytes of id number `code`.
    #[inline]
    pub fn get(&self, code: u32) -> &[u8] {
        let StringSlot { start, len, .. } = self.slots[code as usize];
        &self.bytes[start as usize..start as usize + len as usize]
    }

    /// The length of id number `code`.
    #[inline]
    pub fn length(&self, code: u32) -> usize {
        self.slots[code as usize].len as usize
    }

    /// Copies id number `code` into a slice of the same length.
    #[inline]
    pub fn copy(&self, code: u32, to: &mut [u8]) {
        let StringSlot { len, prefix, .. } = self.slots[code as usize];
        // Up to 16 bytes the prefix is the whole id, and the buffer is not read: no further cache miss.
        if len <= 16 { to.copy_from_slice(&prefix.to_be_bytes()[..len as usize]) } else { to.copy_from_slice(self.get(code)) }
    }

    /// The prefix of id number `code`. Different prefixes decide a comparison, equal ones do not.
    #[inline]
    pub fn prefix_at(&self, code: u32) -> u128 {
        self.slots[code as usize].prefix
    }

    /// Whether equal prefixes mean equal strings.
    pub fn has_exact_prefixes(&self) -> bool {
        !self.ambiguous
    }

    /// The buffer, and the length of each string in the order of their codes.
    pub fn contents(&self) -> (&[u8], impl ExactSizeIterator<Item = usize> + Clone) {
        (&self.bytes, self.slots.iter().map(|slot| slot.len as usize))
    }

    /// Appends id number `code` of another arena.
    pub fn push_from(&mut self, other: &Self, code: u32) {
        self.slots.push(StringSlot { start: self.bytes.len() as u64, ..other.slots[code as usize] });
        self.bytes.extend_from_slice(other.get(code));
        self.ambiguous |= other.ambiguous;
    }

    /// Appends all ids of another arena.
    pub fn append(&mut self, other: Self) {
        let before = self.bytes.len() as u64;
        self.slots.extend(other.slots.into_iter().map(|slot| StringSlot { start: slot.start + before, ..slot }));
        self.bytes.extend(other.bytes);
        self.ambiguous |= other.ambiguous;
    }

    /// The prefix of a byte string.
    #[inline]
    pub fn prefix(id: &[u8]) -> Prefix {
        let word = |at: usize| id.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_be_bytes(*bytes));
        let half = |at: usize| id.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_be_bytes(*bytes));
        // Two overlapping reads cover every length; the shared bytes are shifted out of the second.
        match id.len() {
            16.. => u128::from(word(0)) << 64 | u128::from(word(8)),
            n @ 9..16 => u128::from(word(0)) << 64 | u128::from(word(n - 8) << (8 * (16 - n))),
            8 => u128::from(word(0)) << 64,
            n @ 5..8 => u128::from(u64::from(half(0)) << 32 | u64::from(half(n - 4) << (8 * (8 - n)))) << 64,
            4 => u128::from(half(0)) << 96,
            _ => id.iter().zip([120, 112, 104]).fold(0, |prefix, (&byte, shift)| prefix | u128::from(byte) << shift),
        }
    }

    /// Prefetches the slot of id number `code`.
    #[inline]
    pub fn prefetch(&self, code: u32) {
        prefetch(&self.slots, code as usize);
    }

    /// Whether id number `code` equals `id`, which has this prefix.
    #[inline]
    pub fn is(&self, code: u32, id: &[u8], prefix: Prefix) -> bool {
        let slot = &self.slots[code as usize];
        slot.len as usize == id.len() && slot.prefix == prefix && (id.len() <= 16 || self.get(code) == id)
    }

    /// Appends an id; false if it is longer than 4 GiB.
    pub fn push(&mut self, id: &[u8], prefix: Prefix) -> bool {
        let Ok(len) = u32::try_from(id.len()) else { return false };
        self.ambiguous |= id.len() > 16 || id.last() == Some(&0);
        self.slots.push(StringSlot { start: self.bytes.len() as u64, len, prefix });
        self.bytes.extend_from_slice(id);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_the_first_bytes() {
        let long: Vec<u8> = (1..=20).collect();
        for n in 0..=20 {
            let mut want = [0; 16];
            want[..n.min(16)].copy_from_slice(&long[..n.min(16)]);
            assert_eq!(ByteArena::prefix(&long[..n]), u128::from_be_bytes(want), "{n}");
        }
    }
}
