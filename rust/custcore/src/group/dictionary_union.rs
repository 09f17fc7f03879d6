//! The ids of several dictionaries, as the row groups of a Parquet file have them. Each dictionary is translated once: its positions
//! to codes that all threads share. Rows then need no hash.

use std::sync::Arc;

use super::intern_rows::Remap;
use super::interner::{Interner, NO_CODE};
use super::keys::Keys;
use crate::column::key::{KeyColumn, KeyKind, PlainKeys};
use crate::column::{BLOCK, flag};
use crate::error::Result;

/// Codes for the values of dictionaries, in the order of their first occurrence.
#[derive(Debug)]
pub(crate) struct DictionaryUnion {
    interner: Interner,
    /// The dictionary that was translated last, and its codes.
    last: Option<(PlainKeys, Arc<Vec<u32>>)>,
    translated: usize,
}

impl DictionaryUnion {
    /// Without values.
    pub(crate) fn new(kind: KeyKind) -> Self {
        Self { interner: Interner::new(kind), last: None, translated: 0 }
    }

    /// The codes of the values of a dictionary, by position; [`NO_CODE`] for null. One with the same values as the last one is not
    /// translated again. No interner may share the codes meanwhile, else all ids are copied.
    pub(crate) fn translate(&mut self, dictionary: &PlainKeys) -> Result<Arc<Vec<u32>>> {
        if let Some((last, codes)) = &self.last
            && last.has_same_values(dictionary)
        {
            return Ok(codes.clone());
        }
        let values = KeyColumn::Plain(dictionary.clone());
        let mut all = Vec::with_capacity(dictionary.len());
        let mut codes = Vec::with_capacity(BLOCK);
        let mut flags = Vec::with_capacity(BLOCK);
        for start in (0..dictionary.len()).step_by(BLOCK) {
            let end = dictionary.len().min(start + BLOCK);
            let is_null = |row: usize| dictionary.nulls().is_some_and(|nulls| nulls.is_null(row));
            flags.clear();
            flags.extend((start..end).map(|row| if is_null(row) { flag::NULL_ID } else { 0 }));
            self.interner.intern_rows(&values, start, &mut flags, &mut codes, &mut Remap::default())?;
            all.extend_from_slice(&codes);
        }
        self.translated += dictionary.len();
        let all = Arc::new(all);
        self.last = Some((dictionary.clone(), all.clone()));
        Ok(all)
    }

    /// An interner that shares the codes.
    pub(crate) fn shared(&self) -> Interner {
        Interner::of_union(self.interner.kind(), self.interner.shared_keys())
    }

    /// An interner to put in the place of one that shares the codes.
    pub(crate) fn unshared(&self) -> Interner {
        Interner::of_union(self.interner.kind(), Arc::new(Keys::Integers(Vec::new())))
    }

    /// Number of values that were translated.
    pub(crate) fn translated(&self) -> usize {
        self.translated
    }

    /// Heap bytes beside the ids, which the states have.
    pub(crate) fn bytes(&self) -> usize {
        let codes = self.last.as_ref().map_or(0, |(_, codes)| size_of_val(codes.as_slice()));
        self.interner.bytes() - self.interner.keys().bytes() + codes
    }

    /// Drops the last dictionary, which is imported memory.
    pub(crate) fn release(&mut self) {
        self.last = None;
    }
}

/// Whether a translation leaves each position as it is.
pub(crate) fn is_identity(codes: &[u32]) -> bool {
    (0..).zip(codes).all(|(position, &code)| code == position && code != NO_CODE)
}
