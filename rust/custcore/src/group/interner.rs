//! The interner: ids to dense codes.
//!
//! Integers in a narrow range need no hash table: the code is the offset from the base ([`Keys::Range`]), or where many ids do not
//! occur, the rank of the id ([`IdRanks`]). Other integers and byte strings are interned in a flat hash table, in blocks with
//! prefetching. Dictionary values are looked up once each.
//! Codes are local to one state: results are ordered by id, never by code or hash.

use std::sync::Arc;

use arrow_buffer::NullBuffer;

use super::arena::ByteArena;
use super::byte_id::ByteId;
use super::hash_table::{ByteTable, IntegerTable};
use super::id_ranks::IdRanks;
pub(crate) use super::keys::Keys;
use crate::column::BLOCK;
use crate::column::key::KeyKind;
use crate::error::{Error, ErrorKind, Result};

/// The code of a row without an id.
pub const NO_CODE: u32 = u32::MAX;
/// A dictionary value without a code yet.
pub(super) const UNSEEN: u32 = u32::MAX - 1;
/// Less codes than numbers of 32 bits, since slots of a [`ByteArena`] number long strings above their other forms.
const FORMS: u32 = 32;

/// Ids and their codes.
#[derive(Debug, Clone)]
pub(crate) struct Interner {
    kind: KeyKind,
    /// Shared by the interners of several threads while codes are positions in one dictionary.
    pub(super) keys: Arc<Keys>,
    pub(super) table: CodeTable,
    /// Whether codes ascend with the ids.
    pub(super) sorted: bool,
}

#[derive(Debug, Clone)]
pub(super) enum CodeTable {
    /// None needed: codes are offsets.
    None,
    /// None needed: codes are positions in a dictionary, whose nulls these are.
    Dictionary(Option<NullBuffer>),
    /// None needed: codes are those of a union of dictionaries, and rows come with the codes of their dictionary.
    Union,
    /// Codes are the ranks of integer ids, all of which are known.
    Ranks(Arc<IdRanks>),
    /// Not built until the first lookup.
    Unbuilt,
    Integers(IntegerTable),
    Bytes(ByteTable),
}

impl Interner {
    /// An empty interner with a hash table.
    pub(crate) fn new(kind: KeyKind) -> Self {
        let (keys, table) = match kind {
            KeyKind::Signed | KeyKind::Unsigned => (Keys::Integers(Vec::new()), CodeTable::Integers(IntegerTable::new())),
            KeyKind::Text | KeyKind::Binary => (Keys::Bytes(ByteArena::default()), CodeTable::Bytes(ByteTable::new())),
        };
        Self { kind, keys: Arc::new(keys), table, sorted: false }
    }

    /// An interner of these ids, which must ascend.
    pub(crate) fn of_sorted(kind: KeyKind, keys: Keys) -> Self {
        Self { kind, keys: Arc::new(keys), table: CodeTable::Unbuilt, sorted: true }
    }

    /// An interner whose codes are positions in a dictionary. Unless the values are `ascending`, the dictionary may have
    /// duplicates: an id may have several codes, until a union of keys removes them.
    pub(crate) fn of_dictionary(kind: KeyKind, keys: Arc<Keys>, nulls: Option<NullBuffer>, ascending: bool) -> Self {
        Self { kind, keys, table: CodeTable::Dictionary(nulls), sorted: ascending }
    }

    /// An interner whose codes are the ranks of these ids.
    pub(crate) fn of_ranks(kind: KeyKind, ranks: Arc<IdRanks>) -> Self {
        Self { kind, keys: ranks.keys().clone(), table: CodeTable::Ranks(ranks), sorted: true }
    }

    /// An interner whose codes are those of a union of dictionaries, which has these ids, each once.
    pub(super) fn of_union(kind: KeyKind, keys: Arc<Keys>) -> Self {
        Self { kind, keys, table: CodeTable::Union, sorted: false }
    }

    /// Ends dictionary or rank encoding: the values become plain ids, interned by a hash table from here on.
    pub(crate) fn leave_shared_codes(&mut self) {
        if self.has_shared_codes() {
            self.table = CodeTable::Unbuilt;
        }
    }

    /// Frees the hash table; the next lookup rebuilds it.
    pub(crate) fn drop_table(&mut self) {
        if matches!(self.table, CodeTable::Integers(_) | CodeTable::Bytes(_)) {
            self.table = CodeTable::Unbuilt;
        }
    }

    /// An empty interner with offset encoding: codes are offsets from `base`.
    pub(crate) fn range(kind: KeyKind, base: i64) -> Self {
        Self { kind, keys: Arc::new(Keys::Range { base, len: 0 }), table: CodeTable::None, sorted: true }
    }

    /// An empty interner of the same kind, with the same base if it has offset encoding.
    #[must_use]
    pub(crate) fn empty_like(&self) -> Self {
        match &*self.keys {
            Keys::Range { base, .. } => Self::range(self.kind, *base),
            _ => Self::new(self.kind),
        }
    }

    /// An interner of the same ids and codes that shares the keys and has no hash table yet.
    #[must_use]
    pub(crate) fn view(&self) -> Self {
        Self { kind: self.kind, keys: self.keys.clone(), table: CodeTable::Unbuilt, sorted: self.sorted }
    }

    /// Heap bytes.
    pub(crate) fn bytes(&self) -> usize {
        let table = match &self.table {
            CodeTable::None | CodeTable::Dictionary(_) | CodeTable::Union | CodeTable::Unbuilt => 0,
            // With the ids, which several interners share.
            CodeTable::Ranks(ranks) => return ranks.bytes(),
            CodeTable::Integers(table) => table.bytes(),
            CodeTable::Bytes(table) => table.bytes(),
        };
        self.keys.bytes() + table
    }

    /// The type of its ids.
    pub(crate) fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Number of codes. With offset encoding some may not have occurred.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are no codes.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The ids in the order of their codes.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The ids, shared.
    pub(super) fn shared_keys(&self) -> Arc<Keys> {
        self.keys.clone()
    }

    /// Whether codes ascend with the ids.
    pub(crate) fn is_sorted(&self) -> bool {
        self.sorted
    }

    /// Whether codes are positions in a dictionary.
    fn is_dictionary(&self) -> bool {
        matches!(self.table, CodeTable::Dictionary(_))
    }

    /// Whether an id may have several codes.
    pub(crate) fn repeats(&self) -> bool {
        self.is_dictionary() && !self.sorted
    }

    /// Whether equal codes mean equal ids in both: offsets from the same base, positions in the same dictionary, codes of the same
    /// union, or ranks among the same ids.
    pub(crate) fn shares_codes(&self, other: &Self) -> bool {
        self.keys.is_same_range(&other.keys)
            || (self.has_shared_codes() && other.has_shared_codes() && Arc::ptr_eq(&self.keys, &other.keys))
    }

    /// Whether codes are positions in a dictionary, codes of a union or ranks, which other interners share.
    pub(crate) fn has_shared_codes(&self) -> bool {
        matches!(self.table, CodeTable::Dictionary(_) | CodeTable::Union | CodeTable::Ranks(_))
    }

    /// Builds the hash table from the keys, unless it is built.
    pub(super) fn build_table(&mut self) {
        if !matches!(self.table, CodeTable::Unbuilt) {
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

    /// Extends a range to at least this many codes.
    pub(crate) fn extend_range(&mut self, to: usize) {
        if let Keys::Range { len, .. } = &*self.keys
            && to > *len
            && let Keys::Range { len, .. } = Arc::make_mut(&mut self.keys)
        {
            *len = to;
        }
    }

    /// Turns offset encoding into a hash table: existing codes stay, ids outside the range get new codes.
    pub(crate) fn leave_range(&mut self) -> Result<()> {
        let Keys::Range { base, len } = *self.keys else { return Ok(()) };
        next_code(len)?;
        self.keys = Arc::new(Keys::Integers((0..len).map(|i| base + i as i64).collect()));
        self.table = CodeTable::Unbuilt;
        self.build_table();
        Ok(())
    }

    /// Whether codes are offsets.
    pub(crate) fn is_range(&self) -> bool {
        matches!(&*self.keys, Keys::Range { .. })
    }

    /// Whether these ids of another interner can be interned without leaving offset encoding; true if there is none.
    pub(crate) fn keeps_range_with(&self, other: &Keys, codes: impl IntoIterator<Item = u32>) -> bool {
        let Keys::Range { base, len } = *self.keys else { return true };
        let is_inside = |id: i64| usize::try_from(i128::from(id) - i128::from(base)).is_ok_and(|code| code < len);
        codes.into_iter().all(|code| match other {
            Keys::Range { base, .. } => is_inside(base.wrapping_add(i64::from(code))),
            Keys::Integers(ids) => is_inside(ids[code as usize]),
            Keys::Bytes(_) => true,
        })
    }

    /// The ids marked in `is_kept`, and the new code of each old one; [`NO_CODE`] for those dropped. The order of codes is kept.
    #[must_use]
    pub(crate) fn select(&self, is_kept: &[bool]) -> (Self, Vec<u32>) {
        let mut next = 0;
        let codes = is_kept.iter().map(|&kept| {
            let code = if kept { next } else { NO_CODE };
            next += u32::from(kept);
            code
        });
        let codes = codes.collect();
        (Self { kind: self.kind, keys: Arc::new(self.keys.select(is_kept)), table: CodeTable::Unbuilt, sorted: self.sorted }, codes)
    }

    /// Concatenates interners whose ids are disjoint.
    pub(crate) fn concat(parts: Vec<Self>) -> Result<Self> {
        let total: usize = parts.iter().map(Self::len).sum();
        next_code(total)?;
        let Some(kind) = parts.first().map(Self::kind) else { return Err(Error::internal("no interners to concatenate")) };
        let mut keys = if matches!(kind, KeyKind::Signed | KeyKind::Unsigned) {
            Keys::Integers(Vec::with_capacity(total))
        } else {
            Keys::Bytes(ByteArena::with_capacity(total))
        };
        for part in parts {
            match (&mut keys, Arc::unwrap_or_clone(part.keys)) {
                (Keys::Integers(ids), Keys::Integers(more)) => ids.extend(more),
                (Keys::Bytes(arena), Keys::Bytes(more)) => arena.append(more),
                _ => return Err(wrong_kind()),
            }
        }
        Ok(Self { kind, keys: Arc::new(keys), table: CodeTable::Unbuilt, sorted: false })
    }

    /// Interns the id of `code` in the keys of another interner of the same kind.
    #[inline]
    pub(crate) fn intern_from(&mut self, other: &Keys, code: u32) -> Result<u32> {
        match other {
            Keys::Range { base, .. } => self.intern_integer(base.wrapping_add(i64::from(code))),
            Keys::Integers(keys) => self.intern_integer(keys[code as usize]),
            Keys::Bytes(arena) => self.intern_id(&arena.id(code)),
        }
    }

    /// Interns an integer id; unsigned ones have the top bit flipped.
    pub(crate) fn intern_integer(&mut self, id: i64) -> Result<u32> {
        if let CodeTable::Ranks(ranks) = &self.table {
            if let Some(code) = ranks.find(id) {
                return Ok(code);
            }
            self.table = CodeTable::Unbuilt;
        }
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

    /// Interns a string or binary id.
    pub(crate) fn intern_bytes(&mut self, id: &[u8]) -> Result<u32> {
        self.intern_id(&ByteId::of(id))
    }

    fn intern_id(&mut self, id: &ByteId<'_>) -> Result<u32> {
        self.build_table();
        let (Keys::Bytes(arena), CodeTable::Bytes(table)) = (Arc::make_mut(&mut self.keys), &mut self.table) else {
            return Err(wrong_kind());
        };
        let known = arena.len();
        next_code(arena.len())?;
        table.reserve(arena.len() + 1);
        let hash = table.hash_one(id);
        let code = table.code(id, hash, arena);
        self.sorted &= arena.len() == known;
        Ok(code)
    }
}

pub(super) fn wrong_kind() -> Error {
    Error::internal("the type of an id differs from the interner's")
}

/// An error if one interner cannot hold this many ids.
pub(crate) fn check_room(ids: usize) -> Result<()> {
    next_code(ids.saturating_sub(1)).map(drop)
}

pub(super) fn next_code(len: usize) -> Result<u32> {
    u32::try_from(len).ok().filter(|&code| code < UNSEEN - FORMS).ok_or_else(|| {
        Error::new(
            ErrorKind::OutOfRange,
            "more than 4,294,967,262 distinct ids; split the data by a range of ids and concatenate the results",
        )
    })
}
