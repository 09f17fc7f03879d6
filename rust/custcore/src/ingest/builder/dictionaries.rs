//! Pushes whose batches have dictionaries of their own: each dictionary is translated once, and rows are folded by its codes.

use std::sync::Arc;

use super::{SharedCodes, UpdateBuilder};
use crate::column::chunks::InputBatch;
use crate::column::key::{KeyColumn, PlainKeys};
use crate::error::Result;
use crate::exec::par::ROWS_WORTH_THREADS;
use crate::group::dictionary_union::{DictionaryUnion, is_identity};
use crate::group::encoding::KeyEncoding;

/// Translated values per row, over all pushes, up to which dictionaries are translated. Larger ones have mostly values that no row
/// uses, and a hash for each row costs less.
const VALUES_PER_ROW: usize = 4;
/// The same within a push, where dictionaries that turn out to be equal count several times.
const LISTED_PER_ROW: usize = 16;

impl UpdateBuilder {
    /// Whether to translate the dictionaries of these columns, of which there may be several.
    pub(super) fn may_translate(&self, columns: &[(&KeyColumn, usize)]) -> bool {
        let rows: usize = columns.iter().map(|column| column.1).sum();
        let Some(listed) = listed_values(columns) else { return false };
        let translated = self.union.as_ref().map_or(0, DictionaryUnion::translated);
        let all = usize::try_from(self.rows).unwrap_or(usize::MAX).saturating_add(rows).max(ROWS_WORTH_THREADS);
        listed <= rows.max(ROWS_WORTH_THREADS).saturating_mul(LISTED_PER_ROW) && translated <= all.saturating_mul(VALUES_PER_ROW)
    }

    /// Begins a union of dictionaries with the one that all rows shared so far. Whether its positions are the codes, so that the
    /// states of the rows so far can be kept.
    pub(super) fn begin_union(&mut self) -> Result<bool> {
        let mut union = DictionaryUnion::new(self.schema.id.kind());
        let values = match &self.shared_codes {
            Some(SharedCodes::Dictionary(shared)) => shared.values.clone(),
            _ => None,
        };
        let keeps = match values.map(|values| union.translate(&values)).transpose()? {
            Some(codes) => is_identity(&codes),
            None => false,
        };
        self.union = Some(union);
        Ok(keeps)
    }

    /// The codes of the dictionary of each batch, which the states share from here on. Empty unless there is a union.
    pub(super) fn translate(&mut self, columns: &[InputBatch], encoding: KeyEncoding) -> Result<Vec<Arc<Vec<u32>>>> {
        if encoding != KeyEncoding::Union {
            self.union = None;
        }
        let Some(union) = &mut self.union else { return Ok(Vec::new()) };
        self.parts.iter_mut().for_each(|part| part.interner = union.unshared());
        let codes = columns.iter().map(|columns| match &columns.customer {
            KeyColumn::Dictionary(keys) => union.translate(keys.values()),
            // Planning asks for dictionaries.
            KeyColumn::Plain(_) => Ok(Arc::default()),
        });
        let codes = codes.collect::<Result<Vec<_>>>()?;
        self.parts.iter_mut().for_each(|part| part.interner = union.shared());
        Ok(codes)
    }
}

/// Number of values of the dictionaries, counting one that follows itself once; `None` if some column has none.
fn listed_values(columns: &[(&KeyColumn, usize)]) -> Option<usize> {
    let (mut values, mut last): (usize, Option<&PlainKeys>) = (0, None);
    for (column, _) in columns {
        let KeyColumn::Dictionary(keys) = column else { return None };
        if last.is_none_or(|last| !last.is_same_memory(keys.values())) {
            values = values.saturating_add(keys.values().len());
        }
        last = Some(keys.values());
    }
    (!columns.is_empty()).then_some(values)
}
