//! Planning of a push: the key encodings, partitioning, and the number of states, chosen from the columns.

use std::sync::Arc;

use arrow_array::{Array, RecordBatch};

use super::{SharedCodes, SharedDictionary, Strategy, UpdateBuilder};
use crate::column::chunks::InputBatch;
use crate::column::key::{KeyColumn, PlainKeys};
use crate::error::Result;
use crate::exec::context::Context;
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};
use crate::group::encoding::{CODES_PER_ROW, KeyEncoding, ranks_of};
use crate::group::id_ranks::IdRanks;
use crate::group::intern_rows::keys_of;
use crate::ingest::partition::partitions::can_partition;

/// The hash table of more customers than this exceeds the cache.
const MANY_CUSTOMERS: usize = 1 << 16;

/// Slots of a range of more ids than this exceed the cache, and each row is a cache miss: 2^20, and the slack that a range has
/// for later ids.
const MANY_IDS: usize = 9 << 17;

/// Slots per row, over all threads, up to which each thread has a slot for every code.
const SLOTS_PER_ROW: usize = 1;

impl UpdateBuilder {
    /// Whether rows can be partitioned by customer.
    pub(super) fn can_partition(&self, columns: &[InputBatch], rows: usize) -> bool {
        let is_plain = self.schema.order.is_none() && !self.spec.keeps_values();
        self.strategy != Strategy::Table && is_plain && can_partition(columns, rows) && !self.has_marks()
    }

    /// Whether the state has anything per customer.
    fn keeps_customers(&self) -> bool {
        let is_alone = self.spec.window.as_ref().is_some_and(|window| window.alone);
        !is_alone || self.spec.keeps_values()
    }

    /// How many of `n_parts` parts will have a slot for every code that customers could have.
    pub(super) fn copies(&self, columns: &[InputBatch], rows: usize, n_parts: usize) -> usize {
        // A line without an order id is a complete order and goes to the totals at once.
        let waits = |columns: &InputBatch| columns.order.as_ref().is_some_and(|column| column.nulls().is_none());
        if !self.keeps_customers() || self.can_partition(columns, rows) || columns.iter().all(waits) { 1 } else { n_parts }
    }

    /// Whether partitioning pays off: the state of so many customers exceeds the cache.
    pub(super) fn is_worth_partitions(&self, columns: &[InputBatch], rows: usize, n_parts: usize) -> bool {
        if !self.can_partition(columns, rows) {
            return false;
        }
        let is_large = rows >= ROWS_WORTH_THREADS;
        // With more rows expected a push counts as many times more: a range that is dense enough overall must be kept.
        let all = (self.rows as usize + rows).max(self.announced() as usize).max(if self.more { 2 * MORE * rows } else { 0 });
        let codes = match (self.encoding, &self.shared_codes) {
            (KeyEncoding::Range { len, .. }, _) => Some(len),
            (KeyEncoding::Ranks | KeyEncoding::Dictionary, Some(shared)) => Some(shared.len()),
            _ => None,
        };
        match (self.encoding, codes) {
            (encoding, Some(len)) => match &self.partitions {
                Some(partitions) => partitions.cover(encoding),
                None if matches!(self.strategy, Strategy::Direct | Strategy::Ranks) => false,
                // Parts that have a slot for every code keep them.
                None if self.parts.len() >= n_parts && self.parts.iter().all(|part| part.totals.len() >= len) => false,
                // The states of all threads would take more memory than buffers of scattered rows, and longer to merge.
                None if n_parts > 1 && self.keeps_customers() && len * n_parts > SLOTS_PER_ROW * all => true,
                None if self.parts.iter().any(|part| !part.totals.is_empty()) => false,
                // Days of many rows are sorted in each partition, however few ids there are.
                None => match self.strategy {
                    Strategy::RangePartitions | Strategy::RankPartitions => true,
                    strategy => strategy == Strategy::Auto && (len > MANY_IDS || self.spec.keeps_days()) && is_large,
                },
            },
            // Dictionaries that differ: each value is looked up once, and not each row.
            (KeyEncoding::Table, _) if columns.iter().any(|columns| matches!(columns.customer, KeyColumn::Dictionary(_))) => false,
            (KeyEncoding::Table, _) => {
                let many = self.partitions.is_some() || self.parts.iter().any(|part| part.interner.len() > MANY_CUSTOMERS);
                self.strategy == Strategy::HashPartitions || (many || self.spec.keeps_days()) && is_large
            }
            _ => false,
        }
    }

    /// The number of rows that were announced; 0 if that is not known.
    fn announced(&self) -> u64 {
        self.read_ahead.as_ref().map_or(0, |(_, rows)| *rows)
    }

    /// Whether ranks may be used, if the ids allow it.
    pub(super) fn may_use_ranks(&self) -> bool {
        let is_chosen = matches!(self.strategy, Strategy::Auto | Strategy::Ranks | Strategy::RankPartitions);
        self.encoding == KeyEncoding::Open && is_chosen && !self.more
    }

    /// The ranks of the ids of these batches, if there are to be ranks.
    pub(super) fn ranks_of_batches(
        &self,
        batches: &[RecordBatch],
        context: &Context,
        threads: Threads<'_>,
    ) -> Result<Option<Arc<IdRanks>>> {
        let names = &self.spec.roles.customer_id;
        let column = |batch: &RecordBatch| match names.iter().collect::<Vec<_>>().as_slice() {
            [name] => batch.column_by_name(name).filter(|column| column.data_type().is_integer()).cloned(),
            _ => None,
        };
        let Some(columns) = batches.iter().map(column).collect::<Option<Vec<_>>>() else { return Ok(None) };
        let read = |column: &Arc<dyn Array>| self.schema.id.read(std::slice::from_ref(column), "customer_id", threads);
        let keys = columns.iter().map(read).collect::<Result<Vec<_>>>()?;
        let customers: Vec<_> = keys.iter().zip(&columns).map(|(keys, column)| (keys, column.len())).collect();
        let ranks = ranks_of(&customers, self.strategy != Strategy::Auto, &|| context.check().is_err(), threads);
        context.check()?;
        Ok(ranks.map(Arc::new))
    }

    /// Whether rows are marked (by start, as returning), which scatter buffers do not store.
    fn has_marks(&self) -> bool {
        let roles = &self.spec.roles;
        roles.start.is_some() || roles.returning.is_some() || self.edges.start.is_some()
    }

    /// The encodings of customer and order ids after these columns, and the dictionary if all rows share one.
    pub(super) fn extend_encodings(
        &self,
        columns: &[InputBatch],
        rows: usize,
        in_sequence: bool,
        copies: usize,
        context: &Context,
        threads: Threads<'_>,
    ) -> Result<(KeyEncoding, KeyEncoding, Option<SharedCodes>)> {
        let copies = (self.copies, copies);
        let all = (self.rows + rows as u64).max(self.announced());
        let customers: Vec<_> = columns.iter().map(|columns| (&columns.customer, columns.len())).collect();
        let orders: Option<Vec<_>> = columns.iter().map(|columns| Some((columns.order.as_ref()?, columns.len()))).collect();
        // A forced range has no limit.
        let most = if self.strategy == Strategy::Direct { u64::MAX } else { all };
        let more = self.more && self.rows == 0;
        let order_encoding = match orders {
            Some(orders) if !in_sequence => self.order_encoding.extend(&orders, most, false, (1, 1), threads),
            _ => KeyEncoding::Table,
        };
        let offsets = || self.encoding.extend(&customers, most, more, copies, threads);
        let (encoding, shared_codes) = match (self.encoding, &self.shared_codes) {
            (KeyEncoding::Open, _) => {
                let values = if in_sequence {
                    None
                } else {
                    shared_dictionary(&customers, if more { rows.saturating_mul(MORE) } else { rows }, copies.1)
                };
                if let Some(values) = values {
                    let keys = Arc::new(keys_of(values, threads)?);
                    let ascending = keys.ascend(threads);
                    let shared = SharedDictionary { keys, nulls: values.nulls().cloned(), values: Some(values.clone()), ascending };
                    (KeyEncoding::Dictionary, Some(SharedCodes::Dictionary(Box::new(shared))))
                } else if !in_sequence && rows > 0 && self.may_translate(&customers) {
                    (KeyEncoding::Union, None)
                } else {
                    let ranks = match &self.read_ahead {
                        Some((ranks, _)) => ranks.clone(),
                        None if self.may_use_ranks() => {
                            let ranks = ranks_of(&customers, self.strategy != Strategy::Auto, &|| context.check().is_err(), threads);
                            context.check()?;
                            ranks.map(Arc::new)
                        }
                        None => None,
                    };
                    // As many states have a slot for every id.
                    match ranks.filter(|ranks| ranks.len().saturating_mul(copies.1) as u64 <= all.saturating_mul(CODES_PER_ROW as u64)) {
                        Some(ranks) => (KeyEncoding::Ranks, Some(SharedCodes::Ranks(ranks))),
                        None => (offsets(), None),
                    }
                }
            }
            (KeyEncoding::Dictionary, Some(SharedCodes::Dictionary(shared))) => match shared_dictionary(&customers, usize::MAX, 1) {
                Some(values) if shared.values.as_ref().is_some_and(|held| values.has_same_values(held)) => {
                    (KeyEncoding::Dictionary, self.shared_codes.clone())
                }
                // A push without rows changes nothing.
                None if rows == 0 => (KeyEncoding::Dictionary, self.shared_codes.clone()),
                _ if self.may_translate(&customers) => (KeyEncoding::Union, None),
                _ => (KeyEncoding::Table, None),
            },
            (KeyEncoding::Union, _) if rows == 0 || self.may_translate(&customers) => (KeyEncoding::Union, None),
            (KeyEncoding::Union, _) => (KeyEncoding::Table, None),
            (KeyEncoding::Ranks, _) => {
                // Later rows may have other ids.
                let is_read_ahead = rows == 0 || self.rows + rows as u64 <= self.announced();
                if is_read_ahead { (KeyEncoding::Ranks, self.shared_codes.clone()) } else { (KeyEncoding::Table, None) }
            }
            _ => (offsets(), None),
        };
        Ok((encoding, order_encoding, shared_codes))
    }
}

/// Assumed minimum of the total rows per row of the first push when more rows are expected.
const MORE: usize = 4;

/// The dictionary that all rows share, if `copies` states with a slot for each value are not much larger than the rows.
fn shared_dictionary<'a>(columns: &[(&'a KeyColumn, usize)], rows: usize, copies: usize) -> Option<&'a PlainKeys> {
    let mut shared: Option<&PlainKeys> = None;
    for (column, _) in columns {
        let KeyColumn::Dictionary(keys) = column else { return None };
        if shared.is_some_and(|shared| !shared.has_same_values(keys.values())) {
            return None;
        }
        shared = Some(keys.values());
    }
    let most = if rows < ROWS_WORTH_THREADS { rows } else { rows.saturating_mul(4) };
    shared.filter(|values| values.len().saturating_mul(copies) <= most)
}
