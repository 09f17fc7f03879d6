//! Interning of typed columns, block by block.

use std::sync::Arc;

use arrow_array::ArrayRef;

use super::arena::ByteArena;
use super::byte_id::ByteId;
use super::id_ranks::IdRanks;
use super::interner::{CodeTable, Interner, NO_CODE, UNSEEN, next_code, wrong_kind};
use super::keys::Keys;
use crate::column::key::{KeyColumn, PlainKeys};
use crate::column::value::ValueColumn;
use crate::column::{BLOCK, flag};
use crate::error::{Error, Result};
use crate::exec::par::Threads;

/// Prefetch distance in rows: far enough for the line to arrive in time, near enough for it to be still cached.
const AHEAD: usize = 16;

/// Dictionary position to code. One for each batch.
#[derive(Debug)]
pub(crate) enum Remap {
    /// Filled as rows use the values.
    Lazy(Vec<u32>),
    /// Complete; the code of a null value is [`NO_CODE`].
    Whole(Arc<Vec<u32>>),
}

impl Default for Remap {
    fn default() -> Self {
        Self::Lazy(Vec::new())
    }
}

impl Interner {
    /// Interns the rows from `start` on (at most a block), one for each of `flags`. A null id gets [`NO_CODE`] and its flag is set.
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
                let id = |(row, &flag): (usize, &u8)| ByteId::of(if flag & flag::NULL_ID == 0 { keys.get(row) } else { b"" });
                let ids: Vec<ByteId<'_>> = (start..).zip(&*flags).map(id).collect();
                self.intern_texts(|i| ids[i], flags, codes)
            }
            KeyColumn::Dictionary(keys) => {
                if let CodeTable::Dictionary(nulls) = &self.table {
                    keys.read_positions(start, flags.len(), codes);
                    for (code, flag) in codes.iter_mut().zip(flags) {
                        if *flag & flag::NULL_ID != 0 || nulls.as_ref().is_some_and(|nulls| nulls.is_null(*code as usize)) {
                            *flag |= flag::NULL_ID;
                            *code = NO_CODE;
                        }
                    }
                    return Ok(());
                }
                let remap = match remap {
                    Remap::Whole(known) => {
                        keys.read_positions(start, flags.len(), codes);
                        for (code, flag) in codes.iter_mut().zip(flags) {
                            *code = if *flag & flag::NULL_ID == 0 { known[*code as usize] } else { NO_CODE };
                            *flag |= if *code == NO_CODE { flag::NULL_ID } else { 0 };
                        }
                        return Ok(());
                    }
                    Remap::Lazy(remap) => remap,
                };
                let values = keys.values();
                remap.resize(values.len(), UNSEEN);
                let mut positions = [0_i64; BLOCK];
                let positions = &mut positions[..flags.len()];
                keys.read(start, positions);
                for (&position, flag) in positions.iter().zip(flags) {
                    if *flag & flag::NULL_ID != 0 {
                        codes.push(NO_CODE);
                        continue;
                    }
                    let position = position as usize;
                    let mut code = remap[position];
                    if code == UNSEEN {
                        code = self.intern_one(values, position)?;
                        remap[position] = code;
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

    /// Interns `len` rows from `start` on (at most a block). A null gets [`NO_CODE`].
    pub(crate) fn intern_block(
        &mut self,
        column: &KeyColumn,
        (start, len): (usize, usize),
        codes: &mut Vec<u32>,
        remap: &mut Remap,
    ) -> Result<()> {
        let mut flags = [0; BLOCK];
        let flags = &mut flags[..len];
        if let Some(nulls) = column.nulls() {
            (0..len).filter(|i| nulls.is_null(start + i)).for_each(|i| flags[i] |= flag::NULL_ID);
        }
        self.intern_rows(column, start, flags, codes, remap)
    }

    /// Interns byte strings (at most a block); flagged rows get [`NO_CODE`].
    #[inline]
    fn intern_texts<'a>(&mut self, id: impl Fn(usize) -> ByteId<'a>, flags: &[u8], codes: &mut Vec<u32>) -> Result<()> {
        let (Keys::Bytes(arena), CodeTable::Bytes(table)) = (Arc::make_mut(&mut self.keys), &mut self.table) else {
            return Err(wrong_kind());
        };
        let known = arena.len();
        next_code(known + flags.len())?;
        table.reserve(known + flags.len());
        let mut hashes = [0; BLOCK];
        let is_id = |flag: u8| flag & flag::NULL_ID == 0;
        for (i, (hash, &flag)) in hashes.iter_mut().zip(flags).enumerate() {
            if is_id(flag) {
                *hash = table.hash_one(&id(i));
            }
        }
        // Two-stage prefetch: the table's slot at twice the distance, then the string slot that it points to.
        for (i, (&hash, &flag)) in hashes.iter().zip(flags).enumerate() {
            if let Some(&ahead) = hashes.get(i + 2 * AHEAD) {
                table.prefetch(ahead);
            }
            if let Some(&ahead) = hashes.get(i + AHEAD) {
                table.prefetch_string(ahead, arena);
            }
            let code = if is_id(flag) { table.code(&id(i), hash, arena) } else { NO_CODE };
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
        if let CodeTable::Ranks(ranks) = &self.table {
            return intern_ranks(ranks, ids, flags, codes);
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

    /// Interns integer ids (at most a block), none of which is null.
    pub(crate) fn intern_ids(&mut self, ids: &[i64], codes: &mut Vec<u32>) -> Result<()> {
        codes.clear();
        self.build_table();
        self.intern_integers(ids, &[0; BLOCK][..ids.len()], codes)
    }

    /// Interns this many byte strings (at most a block), none of which is null.
    pub(crate) fn intern_strings<'a>(&mut self, id: impl Fn(usize) -> ByteId<'a>, rows: usize, codes: &mut Vec<u32>) -> Result<()> {
        codes.clear();
        self.build_table();
        self.intern_texts(id, &[0; BLOCK][..rows], codes)
    }

    /// The code of one dictionary value; [`NO_CODE`] if it is null.
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
}

/// The ranks of a block of ids; flagged rows get [`NO_CODE`].
pub(crate) fn intern_ranks(ranks: &IdRanks, ids: &[i64], flags: &[u8], codes: &mut Vec<u32>) -> Result<()> {
    codes.resize(ids.len(), NO_CODE);
    let mut all = ranks.ranks(ids, codes);
    if !all {
        all = true;
        for ((code, &id), flag) in codes.iter_mut().zip(ids).zip(flags) {
            let found = if flag & flag::NULL_ID == 0 { ranks.find(id) } else { None };
            all &= found.is_some() || flag & flag::NULL_ID != 0;
            *code = found.unwrap_or(NO_CODE);
        }
    } else if flags.iter().fold(0, |any, &flag| any | flag) & flag::NULL_ID != 0 {
        let flagged = codes.iter_mut().zip(flags).filter(|(_, flag)| **flag & flag::NULL_ID != 0);
        flagged.for_each(|(code, _)| *code = NO_CODE);
    }
    if all { Ok(()) } else { Err(Error::internal("an id is not among those read ahead")) }
}

/// The values of a dictionary as keys, without removing duplicates.
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
                run.for_each(|row| arena.push(&ByteId::of(if keys.is_null(row) { b"" } else { keys.get(row) })));
                arena
            });
            let mut whole = ByteArena::default();
            for arena in arenas {
                whole.append(arena);
            }
            Ok(Keys::Bytes(whole))
        }
    }
}

/// The keys of a column as they are stored; those of null rows are undefined. `None` for a dictionary column.
pub(crate) fn keys_with_nulls(column: &ArrayRef, threads: Threads<'_>) -> Result<Option<Keys>> {
    match ValueColumn::new("id", "id", column)?.stored {
        KeyColumn::Plain(keys) => keys_of(&keys, threads).map(Some),
        KeyColumn::Dictionary(_) => Ok(None),
    }
}
