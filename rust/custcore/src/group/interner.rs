//! Ids to dense codes, by the way that suits the ids.
//!
//! Integers in a narrow range need no table: the code is the distance from the first ([`Keys::Range`]). Other integers and
//! byte strings go through a flat table, in blocks whose cache lines are asked for ahead. Values of a dictionary are looked
//! up once each. Codes are an inner matter of one fold: results are ordered by id, never by code or hash.

use std::sync::Arc;

use arrow_buffer::NullBuffer;

use super::hash_table::{ByteTable, IntegerTable};
pub(crate) use super::keys::{ByteArena, Keys};
use crate::column::BLOCK;
use crate::column::key::KeyKind;
use crate::error::{Error, ErrorKind, Result};

/// The code of a row without an id.
pub const NO_CODE: u32 = u32::MAX;
/// A dictionary value that no row has used yet.
pub(super) const UNSEEN: u32 = u32::MAX - 1;

/// Ids and their codes.
#[derive(Debug, Clone)]
pub(crate) struct Interner {
    kind: KeyKind,
    /// Shared while several threads code by one dictionary.
    pub(super) keys: Arc<Keys>,
    pub(super) table: CodeTable,
    /// Whether codes ascend with the ids.
    pub(super) sorted: bool,
}

#[derive(Debug, Clone)]
pub(super) enum CodeTable {
    /// Codes are distances.
    None,
    /// Codes are positions in a dictionary, some of whose values may be null.
    Values(Option<NullBuffer>),
    /// Not built, because nothing was looked up yet.
    Later,
    Integers(IntegerTable),
    Bytes(ByteTable),
}

impl Interner {
    /// An interner for ids of this kind.
    pub(crate) fn new(kind: KeyKind) -> Self {
        let (keys, table) = match kind {
            KeyKind::Signed | KeyKind::Unsigned => (Keys::Integers(Vec::new()), CodeTable::Integers(IntegerTable::new())),
            KeyKind::Text | KeyKind::Binary => (Keys::Bytes(ByteArena::default()), CodeTable::Bytes(ByteTable::new())),
        };
        Self { kind, keys: Arc::new(keys), table, sorted: false }
    }

    /// An interner that knows these ids, which ascend.
    pub(crate) fn of_sorted(kind: KeyKind, keys: Keys) -> Self {
        Self { kind, keys: Arc::new(keys), table: CodeTable::Later, sorted: true }
    }

    /// An interner whose codes are positions in a dictionary; `ascending` says that its values ascend. If not, it may give
    /// several codes to one id, until it is joined.
    pub(crate) fn of_values(kind: KeyKind, keys: Arc<Keys>, nulls: Option<NullBuffer>, ascending: bool) -> Self {
        Self { kind, keys, table: CodeTable::Values(nulls), sorted: ascending }
    }

    /// Ends the coding by a dictionary: from here on its values are ids like others.
    pub(crate) fn leave_values(&mut self) {
        if self.is_of_values() {
            self.table = CodeTable::Later;
        }
    }

    /// Gives the memory of its table back; it is built again when an id is looked up.
    pub(crate) fn drop_table(&mut self) {
        if matches!(self.table, CodeTable::Integers(_) | CodeTable::Bytes(_)) {
            self.table = CodeTable::Later;
        }
    }

    /// An interner for integer ids of this kind from `base` on, whose codes are distances from it.
    pub(crate) fn range(kind: KeyKind, base: i64) -> Self {
        Self { kind, keys: Arc::new(Keys::Range { base, len: 0 }), table: CodeTable::None, sorted: true }
    }

    /// An interner by the same way that knows no ids.
    #[must_use]
    pub(crate) fn empty_like(&self) -> Self {
        match &*self.keys {
            Keys::Range { base, .. } => Self::range(self.kind, *base),
            _ => Self::new(self.kind),
        }
    }

    /// The same ids and codes for somebody who only reads; nothing is copied.
    #[must_use]
    pub(crate) fn view(&self) -> Self {
        Self { kind: self.kind, keys: self.keys.clone(), table: CodeTable::Later, sorted: self.sorted }
    }

    /// Bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        let table = match &self.table {
            CodeTable::None | CodeTable::Values(_) | CodeTable::Later => 0,
            CodeTable::Integers(table) => table.bytes(),
            CodeTable::Bytes(table) => table.bytes(),
        };
        self.keys.bytes() + table
    }

    /// What its ids are compared as.
    pub(crate) fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Number of codes given out; with a range some may not have been seen.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no id was seen.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The ids in the order of their codes.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Whether codes ascend with the ids.
    pub(crate) fn is_sorted(&self) -> bool {
        self.sorted
    }

    /// Whether codes are positions in a dictionary.
    fn is_of_values(&self) -> bool {
        matches!(self.table, CodeTable::Values(_))
    }

    /// Whether an id may have several codes.
    pub(crate) fn repeats(&self) -> bool {
        self.is_of_values() && !self.sorted
    }

    /// Whether codes of both mean the same ids: distances from one id, or positions in one dictionary.
    pub(crate) fn shares_codes(&self, other: &Self) -> bool {
        self.keys.is_same_range(&other.keys) || (self.is_of_values() && other.is_of_values() && Arc::ptr_eq(&self.keys, &other.keys))
    }

    /// Builds the table of the ids that are known, if it is still to be built.
    pub(super) fn build_table(&mut self) {
        if !matches!(self.table, CodeTable::Later) {
            return;
        }
        self.table = match &*self.keys {
            Keys::Range { .. } => CodeTable::None,
            Keys::Integers(ids) => {
                let mut table = IntegerTable::new();
                table.reserve(ids.len() + BLOCK);
                for (code, &id) in (0..).zip(ids) {
                    let hash = table.hash_one(id);
                    table.code(id, hash, code);
                }
                CodeTable::Integers(table)
            }
            Keys::Bytes(arena) => CodeTable::Bytes(ByteTable::of(arena)),
        };
    }

    /// Makes a range reach up to `len` codes.
    pub(crate) fn extend_range(&mut self, to: usize) {
        if let Keys::Range { len, .. } = &*self.keys
            && to > *len
            && let Keys::Range { len, .. } = Arc::make_mut(&mut self.keys)
        {
            *len = to;
        }
    }

    /// Gives up a range: codes stay as they are, ids outside the range get new ones.
    pub(crate) fn leave_range(&mut self) -> Result<()> {
        let Keys::Range { base, len } = *self.keys else { return Ok(()) };
        next_code(len)?;
        self.keys = Arc::new(Keys::Integers((0..len).map(|i| base + i as i64).collect()));
        self.table = CodeTable::Later;
        self.build_table();
        Ok(())
    }

    /// Whether codes are distances from an id.
    pub(crate) fn is_range(&self) -> bool {
        matches!(&*self.keys, Keys::Range { .. })
    }

    /// Whether these ids of another interner have codes here, or can be given codes and the range is kept.
    pub(crate) fn keeps_range_with(&self, other: &Keys, codes: impl IntoIterator<Item = u32>) -> bool {
        let Keys::Range { base, len } = *self.keys else { return true };
        let is_inside = |id: i64| usize::try_from(i128::from(id) - i128::from(base)).is_ok_and(|code| code < len);
        codes.into_iter().all(|code| match other {
            Keys::Range { base, .. } => is_inside(base.wrapping_add(i64::from(code))),
            Keys::Integers(ids) => is_inside(ids[code as usize]),
            Keys::Bytes(_) => true,
        })
    }

    /// The ids that `is_kept` says, and the code there of each id; [`NO_CODE`] for those that are not kept. Codes keep their
    /// order.
    #[must_use]
    pub(crate) fn select(&self, is_kept: &[bool]) -> (Self, Vec<u32>) {
        let mut next = 0;
        let codes = is_kept.iter().map(|&kept| {
            let code = if kept { next } else { NO_CODE };
            next += u32::from(kept);
            code
        });
        let codes = codes.collect();
        (Self { kind: self.kind, keys: Arc::new(self.keys.select(is_kept)), table: CodeTable::Later, sorted: self.sorted }, codes)
    }

    /// The ids of several interners, one behind the other.
    pub(crate) fn concat(parts: Vec<Self>) -> Result<Self> {
        let total: usize = parts.iter().map(Self::len).sum();
        next_code(total)?;
        let Some(kind) = parts.first().map(Self::kind) else { return Err(Error::internal("no ids to put together")) };
        let mut keys = if matches!(kind, KeyKind::Signed | KeyKind::Unsigned) {
            Keys::Integers(Vec::with_capacity(total))
        } else {
            Keys::Bytes(ByteArena::default())
        };
        for part in parts {
            match (&mut keys, Arc::unwrap_or_clone(part.keys)) {
                (Keys::Integers(ids), Keys::Integers(more)) => ids.extend(more),
                (Keys::Bytes(arena), Keys::Bytes(more)) => arena.append(more),
                _ => return Err(wrong_kind()),
            }
        }
        Ok(Self { kind, keys: Arc::new(keys), table: CodeTable::Later, sorted: false })
    }

    /// The code here of id number `code` of another interner of the same kind.
    #[inline]
    pub(crate) fn intern_from(&mut self, other: &Keys, code: u32) -> Result<u32> {
        match other {
            Keys::Range { base, .. } => self.intern_integer(base.wrapping_add(i64::from(code))),
            Keys::Integers(keys) => self.intern_integer(keys[code as usize]),
            Keys::Bytes(arena) => self.intern_bytes(arena.get(code)),
        }
    }

    /// The code of an integer id, unsigned ones with the top bit flipped.
    pub(crate) fn intern_integer(&mut self, id: i64) -> Result<u32> {
        self.build_table();
        if let Keys::Range { base, len } = &*self.keys {
            match usize::try_from(i128::from(id) - i128::from(*base)) {
                Ok(code) if code < *len => return Ok(code as u32),
                _ => self.leave_range()?,
            }
        }
        let (Keys::Integers(keys), CodeTable::Integers(table)) = (Arc::make_mut(&mut self.keys), &mut self.table) else {
            return Err(wrong_kind());
        };
        let next = next_code(keys.len())?;
        table.reserve(keys.len() + 1);
        let hash = table.hash_one(id);
        let code = table.code(id, hash, next);
        if code == next {
            keys.push(id);
            self.sorted = false;
        }
        Ok(code)
    }

    /// The code of a string or binary id.
    pub(crate) fn intern_bytes(&mut self, id: &[u8]) -> Result<u32> {
        self.build_table();
        let (Keys::Bytes(arena), CodeTable::Bytes(table)) = (Arc::make_mut(&mut self.keys), &mut self.table) else {
            return Err(wrong_kind());
        };
        let known = arena.len();
        next_code(arena.len())?;
        table.reserve(arena.len() + 1);
        let prefix = ByteArena::prefix(id);
        let hash = table.hash_one(id, prefix);
        let code = table.code(id, prefix, hash, arena).ok_or_else(too_long)?;
        self.sorted &= arena.len() == known;
        Ok(code)
    }
}

pub(super) fn wrong_kind() -> Error {
    Error::internal("an id of another kind than the base's")
}

pub(super) fn too_long() -> Error {
    Error::new(ErrorKind::OutOfRange, "an id is longer than 4 GiB")
}

/// An error where so many ids may be too many for one interner.
pub(crate) fn check_room(ids: usize) -> Result<()> {
    next_code(ids.saturating_sub(1)).map(drop)
}

pub(super) fn next_code(len: usize) -> Result<u32> {
    u32::try_from(len).ok().filter(|&code| code < UNSEEN).ok_or_else(|| {
        Error::new(
            ErrorKind::OutOfRange,
            "more than 4,294,967,294 distinct ids; split the data by a range of ids and concatenate the results",
        )
    })
}
