//! Ids to dense codes: the first id seen gets 0, the next new one 1, and so on.
//!
//! Codes are an inner matter of one fold: results are ordered by id, never by code or hash. The hash is seeded at
//! random per process, so that ids cannot be chosen to collide.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::column::flag;
use crate::column::key::{KeyColumn, KeyKind, PlainKeys};
use crate::error::{Error, ErrorKind, Result};

/// The code of a row without an id.
pub const NO_CODE: u32 = u32::MAX;
/// A dictionary value that no row has used yet.
const UNSEEN: u32 = u32::MAX - 1;

/// Ids and their codes.
#[derive(Debug)]
pub struct Interner {
    kind: KeyKind,
    keys: Keys,
    table: HashTable<u32>,
    hasher: RandomState,
}

/// Ids in the order of their codes.
#[derive(Debug)]
pub enum Keys {
    /// Integer ids, unsigned 64-bit ones with the top bit flipped.
    Integers(Vec<i64>),
    /// String and binary ids, end to end.
    Bytes(ByteArena),
}

impl Keys {
    /// How two ids compare: integers by value, strings and binary by bytes.
    pub fn compare(&self, a: u32, b: u32) -> std::cmp::Ordering {
        match self {
            Self::Integers(keys) => keys[a as usize].cmp(&keys[b as usize]),
            Self::Bytes(arena) => arena.get(a).cmp(arena.get(b)),
        }
    }
}

/// Byte strings end to end.
#[derive(Debug, Default)]
pub struct ByteArena {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl ByteArena {
    /// The bytes of id number `code`.
    #[inline]
    pub fn get(&self, code: u32) -> &[u8] {
        let code = code as usize;
        let start = if code == 0 { 0 } else { self.ends[code - 1] };
        &self.bytes[start..self.ends[code]]
    }

    fn push(&mut self, key: &[u8]) {
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
    }
}

/// What a dictionary's values were coded as, filled as rows use them; one for each batch.
#[derive(Debug, Default)]
pub struct Remap(Vec<u32>);

impl Interner {
    /// An interner for ids of this kind.
    pub fn new(kind: KeyKind) -> Self {
        let keys = match kind {
            KeyKind::Signed | KeyKind::Unsigned => Keys::Integers(Vec::new()),
            KeyKind::Text | KeyKind::Binary => Keys::Bytes(ByteArena::default()),
        };
        Self { kind, keys, table: HashTable::new(), hasher: RandomState::default() }
    }

    /// What its ids are compared as.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Number of codes given out.
    pub fn len(&self) -> usize {
        match &self.keys {
            Keys::Integers(keys) => keys.len(),
            Keys::Bytes(arena) => arena.ends.len(),
        }
    }

    /// Whether no id was seen.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ids in the order of their codes.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Codes of the rows from `start` on, one for each of `flags`; a null id gets [`NO_CODE`] and its flag.
    pub fn intern_rows(
        &mut self,
        column: &KeyColumn,
        start: usize,
        flags: &mut [u8],
        codes: &mut Vec<u32>,
        remap: &mut Remap,
    ) -> Result<()> {
        codes.clear();
        match column {
            KeyColumn::Plain(PlainKeys::Integers(keys)) => {
                let mut ids = [0_i64; crate::column::BLOCK];
                let ids = &mut ids[..flags.len()];
                keys.read(start, ids);
                for (&id, &flag) in ids.iter().zip(&*flags) {
                    codes.push(if flag & flag::NULL_ID == 0 { self.intern_integer(id)? } else { NO_CODE });
                }
            }
            KeyColumn::Plain(PlainKeys::Bytes(keys)) => {
                for (i, &flag) in flags.iter().enumerate() {
                    codes.push(if flag & flag::NULL_ID == 0 { self.intern_bytes(keys.get(start + i))? } else { NO_CODE });
                }
            }
            KeyColumn::Dictionary(keys) => {
                let values = keys.values();
                remap.0.resize(values.len(), UNSEEN);
                let mut positions = [0_i64; crate::column::BLOCK];
                let positions = &mut positions[..flags.len()];
                keys.read(start, positions);
                for (&position, flag) in positions.iter().zip(flags) {
                    if *flag & flag::NULL_ID != 0 {
                        codes.push(NO_CODE);
                        continue;
                    }
                    let position = position as usize;
                    let mut code = remap.0[position];
                    if code == UNSEEN {
                        code = self.intern_one(values, position)?;
                        remap.0[position] = code;
                    }
                    if code == NO_CODE {
                        *flag |= flag::NULL_ID;
                    }
                    codes.push(code);
                }
            }
        }
        Ok(())
    }

    /// The code of one row of a column; [`NO_CODE`] when it is null.
    fn intern_one(&mut self, keys: &PlainKeys, row: usize) -> Result<u32> {
        if keys.nulls().is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(NO_CODE);
        }
        match keys {
            PlainKeys::Integers(keys) => {
                let mut id = [0];
                keys.read(row, &mut id);
                self.intern_integer(id[0])
            }
            PlainKeys::Bytes(keys) => self.intern_bytes(keys.get(row)),
        }
    }

    /// The code here of id number `code` of another interner of the same kind.
    pub fn intern_from(&mut self, other: &Keys, code: u32) -> Result<u32> {
        match other {
            Keys::Integers(keys) => self.intern_integer(keys[code as usize]),
            Keys::Bytes(arena) => self.intern_bytes(arena.get(code)),
        }
    }

    #[inline]
    fn intern_integer(&mut self, id: i64) -> Result<u32> {
        let Keys::Integers(keys) = &mut self.keys else {
            return Err(Error::internal("an integer id among byte ids"));
        };
        let hasher = &self.hasher;
        let entry = self.table.entry(hasher.hash_one(id), |&code| keys[code as usize] == id, |&code| hasher.hash_one(keys[code as usize]));
        match entry {
            Entry::Occupied(entry) => Ok(*entry.get()),
            Entry::Vacant(entry) => {
                let code = next_code(keys.len())?;
                entry.insert(code);
                keys.push(id);
                Ok(code)
            }
        }
    }

    #[inline]
    fn intern_bytes(&mut self, id: &[u8]) -> Result<u32> {
        let Keys::Bytes(arena) = &mut self.keys else {
            return Err(Error::internal("a byte id among integer ids"));
        };
        let hasher = &self.hasher;
        let entry = self.table.entry(hasher.hash_one(id), |&code| arena.get(code) == id, |&code| hasher.hash_one(arena.get(code)));
        match entry {
            Entry::Occupied(entry) => Ok(*entry.get()),
            Entry::Vacant(entry) => {
                let code = next_code(arena.ends.len())?;
                entry.insert(code);
                arena.push(id);
                Ok(code)
            }
        }
    }
}

fn next_code(len: usize) -> Result<u32> {
    u32::try_from(len).ok().filter(|&code| code < UNSEEN).ok_or_else(|| {
        Error::new(
            ErrorKind::OutOfRange,
            "more than 4,294,967,294 distinct ids; split the data by a range of ids and concatenate the results",
        )
    })
}
