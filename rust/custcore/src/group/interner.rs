//! Ids to dense codes, by the way that suits the ids.
//!
//! Integers in a narrow range need no table: the code is the distance from the first ([`Keys::Range`]). Other integers and
//! byte strings go through a flat table, in blocks whose cache lines are asked for ahead. Values of a dictionary are looked
//! up once each. Codes are an inner matter of one fold: results are ordered by id, never by code or hash.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_buffer::NullBuffer;

use super::hash_table::{ByteTable, IntegerTable};
use super::keys::Prefix;
pub(crate) use super::keys::{ByteArena, Keys};
use crate::column::key::{KeyColumn, KeyKind, PlainKeys};
use crate::column::{BLOCK, flag};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::Threads;

/// The code of a row without an id.
pub const NO_CODE: u32 = u32::MAX;
/// Rows ahead whose cache lines are asked for: far enough to arrive in time, near enough to be still there.
const AHEAD: usize = 16;
/// A dictionary value that no row has used yet.
const UNSEEN: u32 = u32::MAX - 1;

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

/// What a dictionary's values were coded as, filled as rows use them; one for each batch.
#[derive(Debug, Default)]
pub(crate) struct Remap(Vec<u32>);

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

    /// Codes of the rows from `start` on (at most a block), one for each of `flags`; a null id gets [`NO_CODE`] and its flag.
    pub(crate) fn intern_rows(
        &mut self,
        column: &KeyColumn,
        start: usize,
        flags: &mut [u8],
        codes: &mut Vec<u32>,
        remap: &mut Remap,
    ) -> Result<()> {
        codes.clear();
        self.build_table();
        match column {
            KeyColumn::Plain(PlainKeys::Integers(keys)) => {
                let mut ids = [0_i64; BLOCK];
                let ids = &mut ids[..flags.len()];
                keys.read(start, ids);
                self.intern_integers(ids, flags, codes)
            }
            KeyColumn::Plain(PlainKeys::Bytes(keys)) => {
                let mut prefixes = vec![0; flags.len()];
                for (i, (prefix, &flag)) in prefixes.iter_mut().zip(&*flags).enumerate() {
                    if flag & flag::NULL_ID == 0 {
                        *prefix = ByteArena::prefix(keys.get(start + i));
                    }
                }
                self.intern_texts(|i| keys.get(start + i), &prefixes, flags, codes)
            }
            KeyColumn::Dictionary(keys) => {
                if let CodeTable::Values(nulls) = &self.table {
                    keys.read_positions(start, flags.len(), codes);
                    for (code, flag) in codes.iter_mut().zip(flags) {
                        if *flag & flag::NULL_ID != 0 || nulls.as_ref().is_some_and(|nulls| nulls.is_null(*code as usize)) {
                            *flag |= flag::NULL_ID;
                            *code = NO_CODE;
                        }
                    }
                    return Ok(());
                }
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

    /// Codes of byte strings (at most a block) with their heads.
    #[inline]
    fn intern_texts<'a>(&mut self, id: impl Fn(usize) -> &'a [u8], prefixes: &[Prefix], flags: &[u8], codes: &mut Vec<u32>) -> Result<()> {
        let (Keys::Bytes(arena), CodeTable::Bytes(table)) = (Arc::make_mut(&mut self.keys), &mut self.table) else {
            return Err(wrong_kind());
        };
        let known = arena.len();
        next_code(known + flags.len())?;
        table.reserve(known + flags.len());
        let mut hashes = [0; BLOCK];
        let is_id = |flag: u8| flag & flag::NULL_ID == 0;
        for (i, ((hash, &prefix), &flag)) in hashes.iter_mut().zip(prefixes).zip(flags).enumerate() {
            if is_id(flag) {
                *hash = table.hash_one(id(i), prefix);
            }
        }
        // Hash, then place, then string: each is asked for some rows before it is looked at.
        for (i, (&hash, &flag)) in hashes.iter().zip(flags).enumerate() {
            if let Some(&ahead) = hashes.get(i + 2 * AHEAD) {
                table.prefetch(ahead);
            }
            if let Some(&ahead) = hashes.get(i + AHEAD) {
                table.prefetch_string(ahead, arena);
            }
            let code = if is_id(flag) { table.code(id(i), prefixes[i], hash, arena).ok_or_else(too_long)? } else { NO_CODE };
            codes.push(code);
        }
        self.sorted &= arena.len() == known;
        Ok(())
    }

    #[inline]
    fn intern_integers(&mut self, ids: &[i64], flags: &[u8], codes: &mut Vec<u32>) -> Result<()> {
        if let Keys::Range { base, .. } = &*self.keys {
            let base = *base;
            if flags.iter().fold(0, |any, &flag| any | flag) & flag::NULL_ID == 0 {
                codes.extend(ids.iter().map(|id| id.wrapping_sub(base) as u32));
            } else {
                let code = |(&id, &flag): (&i64, &u8)| if flag & flag::NULL_ID == 0 { id.wrapping_sub(base) as u32 } else { NO_CODE };
                codes.extend(ids.iter().zip(flags).map(code));
            }
            return Ok(());
        }
        let (Keys::Integers(keys), CodeTable::Integers(table)) = (Arc::make_mut(&mut self.keys), &mut self.table) else {
            return Err(wrong_kind());
        };
        let known = keys.len();
        next_code(keys.len() + ids.len())?;
        table.reserve(keys.len() + ids.len());
        let mut hashes = [0; BLOCK];
        table.prepare(ids, &mut hashes);
        for (i, ((&id, &flag), &hash)) in ids.iter().zip(flags).zip(&hashes).enumerate() {
            if let Some(&ahead) = hashes.get(i + AHEAD) {
                table.prefetch(ahead);
            }
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
        self.sorted &= keys.len() == known;
        Ok(())
    }

    /// Codes of integer ids (at most a block), none of which is null.
    pub(crate) fn intern_ids(&mut self, ids: &[i64], codes: &mut Vec<u32>) -> Result<()> {
        codes.clear();
        self.build_table();
        self.intern_integers(ids, &[0; BLOCK][..ids.len()], codes)
    }

    /// Codes of byte strings (at most a block) with their heads.
    pub(crate) fn intern_strings<'a>(&mut self, id: impl Fn(usize) -> &'a [u8], prefixes: &[Prefix], codes: &mut Vec<u32>) -> Result<()> {
        codes.clear();
        self.build_table();
        self.intern_texts(id, prefixes, &[0; BLOCK][..prefixes.len()], codes)
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

/// The values of a dictionary as ids.
pub(crate) fn keys_of(values: &PlainKeys, threads: Threads<'_>) -> Result<Keys> {
    next_code(values.len())?;
    match values {
        PlainKeys::Integers(keys) => {
            let mut ids = vec![0; values.len()];
            keys.read(0, &mut ids);
            Ok(Keys::Integers(ids))
        }
        PlainKeys::Bytes(keys) => {
            let arenas = threads.par_chunks(values.len(), |run| {
                let mut arena = ByteArena::default();
                for id in run.map(|row| if keys.is_null(row) { b"".as_slice() } else { keys.get(row) }) {
                    if !arena.push(id, ByteArena::prefix(id)) {
                        return Err(too_long());
                    }
                }
                Ok(arena)
            });
            let mut whole = ByteArena::default();
            for arena in arenas {
                whole.append(arena?);
            }
            Ok(Keys::Bytes(whole))
        }
    }
}

/// The ids of a column, anything where they are null; `None` where it has a dictionary.
pub(crate) fn keys_with_nulls(column: &ArrayRef, threads: Threads<'_>) -> Result<Option<Keys>> {
    match KeyColumn::new("id", "id", column)? {
        KeyColumn::Plain(keys) => keys_of(&keys, threads).map(Some),
        KeyColumn::Dictionary(_) => Ok(None),
    }
}

fn wrong_kind() -> Error {
    Error::internal("an id of another kind than the base's")
}

fn too_long() -> Error {
    Error::new(ErrorKind::OutOfRange, "an id is longer than 4 GiB")
}

/// An error where so many ids may be too many for one interner.
pub(crate) fn check_room(ids: usize) -> Result<()> {
    next_code(ids.saturating_sub(1)).map(drop)
}

fn next_code(len: usize) -> Result<u32> {
    u32::try_from(len).ok().filter(|&code| code < UNSEEN).ok_or_else(|| {
        Error::new(
            ErrorKind::OutOfRange,
            "more than 4,294,967,294 distinct ids; split the data by a range of ids and concatenate the results",
        )
    })
}
