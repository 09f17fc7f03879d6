//! Ids in the order of their codes.

use std::cmp::Ordering;
use std::ops::Range;

use super::arena::ByteArena;
use crate::exec::par::Threads;

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
            Self::Bytes(arena) => arena.bytes(),
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
            Self::Bytes(arena) => arena.compare(a, &arena.id(b)),
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
            (Self::Bytes(arena), Self::Bytes(others)) => arena.compare(a, &others.id(b)),
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
