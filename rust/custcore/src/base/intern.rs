//! Ids to dense codes, by the way that suits the ids.
//!
//! Integers in a narrow range need no table: the code is the distance from the first ([`Keys::Range`]). Other integers and
//! byte strings go through a flat table, in blocks whose cache lines are asked for ahead. Values of a dictionary are looked
//! up once each. Codes are an inner matter of one fold: results are ordered by id, never by code or hash.

use super::flat::{ByteTable, IntegerTable};
pub use super::keys::{ByteArena, Keys};
use crate::column::key::{KeyColumn, KeyKind, PlainKeys};
use crate::column::{BLOCK, flag};
use crate::error::{Error, ErrorKind, Result};

/// The code of a row without an id.
pub const NO_CODE: u32 = u32::MAX;
/// A dictionary value that no row has used yet.
const UNSEEN: u32 = u32::MAX - 1;

/// Ids and their codes.
#[derive(Debug, Clone)]
pub struct Interner {
    kind: KeyKind,
    keys: Keys,
    table: Table,
}

#[derive(Debug, Clone)]
enum Table {
    /// Codes are distances.
    None,
    Integers(IntegerTable),
    Bytes(ByteTable),
}

/// What a dictionary's values were coded as, filled as rows use them; one for each batch.
#[derive(Debug, Default)]
pub struct Remap(Vec<u32>);

impl Interner {
    /// An interner for ids of this kind.
    pub fn new(kind: KeyKind) -> Self {
        let (keys, table) = match kind {
            KeyKind::Signed | KeyKind::Unsigned => (Keys::Integers(Vec::new()), Table::Integers(IntegerTable::new())),
            KeyKind::Text | KeyKind::Binary => (Keys::Bytes(ByteArena::default()), Table::Bytes(ByteTable::new())),
        };
        Self { kind, keys, table }
    }

    /// An interner for integer ids of this kind from `base` on, whose codes are distances from it.
    pub fn range(kind: KeyKind, base: i64) -> Self {
        Self { kind, keys: Keys::Range { base, len: 0 }, table: Table::None }
    }

    /// What its ids are compared as.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Number of codes given out; with a range some may not have been seen.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no id was seen.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The ids in the order of their codes.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Makes a range reach up to `len` codes.
    pub fn extend_range(&mut self, to: usize) {
        if let Keys::Range { len, .. } = &mut self.keys {
            *len = to.max(*len);
        }
    }

    /// Gives up a range: codes stay as they are, ids outside the range get new ones.
    pub fn leave_range(&mut self) -> Result<()> {
        let Keys::Range { base, len } = self.keys else { return Ok(()) };
        next_code(len)?;
        let mut table = IntegerTable::new();
        table.reserve(len + BLOCK);
        let ids: Vec<i64> = (0..len).map(|i| base + i as i64).collect();
        for (code, &id) in (0..).zip(&ids) {
            let hash = table.hash_one(id);
            table.code(id, hash, code);
        }
        self.keys = Keys::Integers(ids);
        self.table = Table::Integers(table);
        Ok(())
    }

    /// Codes of the rows from `start` on (at most a block), one for each of `flags`; a null id gets [`NO_CODE`] and its flag.
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
                let mut ids = [0_i64; BLOCK];
                let ids = &mut ids[..flags.len()];
                keys.read(start, ids);
                self.intern_integers(ids, flags, codes)
            }
            KeyColumn::Plain(PlainKeys::Bytes(keys)) => {
                let (Keys::Bytes(arena), Table::Bytes(table)) = (&mut self.keys, &mut self.table) else { return Err(wrong_kind()) };
                next_code(arena.len() + flags.len())?;
                table.reserve(arena.len() + flags.len());
                let mut hashes = [0; BLOCK];
                let is_id = |flag: u8| flag & flag::NULL_ID == 0;
                for (i, (hash, &flag)) in hashes.iter_mut().zip(&*flags).enumerate() {
                    if is_id(flag) {
                        *hash = table.hash_one(keys.get(start + i));
                        table.prefetch(*hash);
                    }
                }
                for (i, (&hash, &flag)) in hashes.iter().zip(&*flags).enumerate() {
                    let code = if is_id(flag) { table.code(keys.get(start + i), hash, arena).ok_or_else(too_long)? } else { NO_CODE };
                    codes.push(code);
                }
                Ok(())
            }
            KeyColumn::Dictionary(keys) => {
                let values = keys.values();
                remap.0.resize(values.len(), UNSEEN);
                let mut positions = [0_i64; BLOCK];
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
                Ok(())
            }
        }
    }

    #[inline]
    fn intern_integers(&mut self, ids: &[i64], flags: &[u8], codes: &mut Vec<u32>) -> Result<()> {
        match (&mut self.keys, &mut self.table) {
            (Keys::Range { base, .. }, _) => {
                let code = |(&id, &flag): (&i64, &u8)| if flag & flag::NULL_ID == 0 { id.wrapping_sub(*base) as u32 } else { NO_CODE };
                codes.extend(ids.iter().zip(flags).map(code));
            }
            (Keys::Integers(keys), Table::Integers(table)) => {
                next_code(keys.len() + ids.len())?;
                table.reserve(keys.len() + ids.len());
                let mut hashes = [0; BLOCK];
                table.prepare(ids, &mut hashes);
                for ((&id, &flag), &hash) in ids.iter().zip(flags).zip(&hashes) {
                    if flag & flag::NULL_ID != 0 {
                        codes.push(NO_CODE);
                        continue;
                    }
                    let next = keys.len() as u32;
                    let code = table.code(id, hash, next);
                    if code == next {
                        keys.push(id);
                    }
                    codes.push(code);
                }
            }
            _ => return Err(wrong_kind()),
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
    #[inline]
    pub fn intern_from(&mut self, other: &Keys, code: u32) -> Result<u32> {
        match other {
            Keys::Range { base, .. } => self.intern_integer(base.wrapping_add(i64::from(code))),
            Keys::Integers(keys) => self.intern_integer(keys[code as usize]),
            Keys::Bytes(arena) => self.intern_bytes(arena.get(code)),
        }
    }

    fn intern_integer(&mut self, id: i64) -> Result<u32> {
        if let Keys::Range { base, len } = &self.keys {
            match usize::try_from(i128::from(id) - i128::from(*base)) {
                Ok(code) if code < *len => return Ok(code as u32),
                _ => self.leave_range()?,
            }
        }
        let (Keys::Integers(keys), Table::Integers(table)) = (&mut self.keys, &mut self.table) else { return Err(wrong_kind()) };
        let next = next_code(keys.len())?;
        table.reserve(keys.len() + 1);
        let hash = table.hash_one(id);
        let code = table.code(id, hash, next);
        if code == next {
            keys.push(id);
        }
        Ok(code)
    }

    fn intern_bytes(&mut self, id: &[u8]) -> Result<u32> {
        let (Keys::Bytes(arena), Table::Bytes(table)) = (&mut self.keys, &mut self.table) else { return Err(wrong_kind()) };
        next_code(arena.len())?;
        table.reserve(arena.len() + 1);
        let hash = table.hash_one(id);
        table.code(id, hash, arena).ok_or_else(too_long)
    }
}

fn wrong_kind() -> Error {
    Error::internal("an id of another kind than the base's")
}

fn too_long() -> Error {
    Error::new(ErrorKind::OutOfRange, "an id is longer than 4 GiB")
}

fn next_code(len: usize) -> Result<u32> {
    u32::try_from(len).ok().filter(|&code| code < UNSEEN).ok_or_else(|| {
        Error::new(
            ErrorKind::OutOfRange,
            "more than 4,294,967,294 distinct ids; split the data by a range of ids and concatenate the results",
        )
    })
}
