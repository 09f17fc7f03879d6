//! How rows find their customers and in how many places these are kept: decided for each push by what its columns look like.

use std::sync::Arc;

use super::{SharedDictionary, Strategy, UpdateBuilder};
use crate::column::chunks::InputBatch;
use crate::column::key::{KeyColumn, PlainKeys};
use crate::error::Result;
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};
use crate::group::encoding::{CODES_PER_ROW, KeyEncoding};
use crate::group::intern_rows::keys_of;
use crate::ingest::partition::partitions::can_partition;

/// A part that knows more customers than this has a table that fits no cache.
const MANY_CUSTOMERS: usize = 1 << 16;

/// Slots of more ids than this fit no cache, so that each row would wait for memory: a million, and the room that a range
/// keeps for ids that come late.
const MANY_IDS: usize = 9 << 17;

impl UpdateBuilder {
    /// Whether rows can be dealt out by customer instead of being added up where they are read.
    pub(super) fn can_partition(&self, columns: &[InputBatch], rows: usize) -> bool {
        let is_plain = self.kinds.order_kind.is_none() && self.spec.roles.attributes.is_empty() && self.spec.accumulators.is_empty();
        self.strategy != Strategy::Table && is_plain && can_partition(columns, rows) && !self.has_marks()
    }

    /// Whether anything is kept by customer.
    fn keeps_customers(&self) -> bool {
        let is_alone = self.spec.window.as_ref().is_some_and(|window| window.alone);
        !is_alone || !self.spec.roles.attributes.is_empty() || !self.spec.accumulators.is_empty()
    }

    /// How many of `n_parts` parts will have room for every code that customers could have.
    pub(super) fn copies(&self, columns: &[InputBatch], rows: usize, n_parts: usize) -> usize {
        // Lines without an order id are orders of their own, which do not wait.
        let waits = |columns: &InputBatch| columns.order.as_ref().is_some_and(|column| column.nulls().is_none());
        if !self.keeps_customers() || self.can_partition(columns, rows) || columns.iter().all(waits) { 1 } else { n_parts }
    }

    /// Whether rows had better be dealt out by customer first: the tables of so many customers fit no cache.
    pub(super) fn is_worth_partitions(&self, columns: &[InputBatch], rows: usize, n_parts: usize) -> bool {
        if !self.can_partition(columns, rows) {
            return false;
        }
        let worth = rows >= ROWS_WORTH_THREADS;
        // With more rows to come the first ones count twice: a range that suits all rows must not be given up for them.
        let all = (self.rows as usize + rows) * if self.more && self.rows == 0 { 2 } else { 1 };
        match self.encoding {
            // Parts that have slots already go on with them.
            KeyEncoding::Range { len, .. } => match &self.partitions {
                Some(partitions) => partitions.cover(self.encoding),
                None if self.strategy == Strategy::Direct => false,
                None if n_parts > 1 && self.keeps_customers() && len * n_parts > CODES_PER_ROW * all => true,
                None if self.parts.iter().any(|part| !part.totals.is_empty()) => false,
                None => self.strategy == Strategy::Ranges || self.strategy == Strategy::Auto && len > MANY_IDS && worth,
            },
            KeyEncoding::Table => {
                let many = self.partitions.is_some() || self.parts.iter().any(|part| part.interner.len() > MANY_CUSTOMERS);
                self.strategy == Strategy::Shards || many && worth
            }
            KeyEncoding::Open | KeyEncoding::Dictionary => false,
        }
    }

    /// Whether rows count as one thing or another, which has to be written down with them.
    fn has_marks(&self) -> bool {
        let roles = &self.spec.roles;
        roles.start.is_some() || roles.returning.is_some() || self.edges.start.is_some()
    }

    /// The plans for the columns of customers and orders with some more rows, and the dictionary if all rows share one.
    pub(super) fn extend_encodings(
        &self,
        columns: &[InputBatch],
        rows: usize,
        in_sequence: bool,
        (copies, n_parts): (usize, usize),
        threads: Threads<'_>,
    ) -> Result<(KeyEncoding, KeyEncoding, Option<SharedDictionary>)> {
        // Codes of a dictionary have a place in every part that keeps totals.
        let copies_of_values = if self.can_partition(columns, rows) { n_parts } else { copies };
        let copies = (self.copies, copies);
        // A range is as wide as it wants to be where it is asked for.
        let all = if self.strategy == Strategy::Direct { u64::MAX } else { self.rows + rows as u64 };
        let more = self.more && self.rows == 0;
        let customers: Vec<_> = columns.iter().map(|columns| (&columns.customer, columns.len())).collect();
        let orders: Option<Vec<_>> = columns.iter().map(|columns| Some((columns.order.as_ref()?, columns.len()))).collect();
        let order_encoding = match orders {
            Some(orders) if !in_sequence => self.order_encoding.extend(&orders, all, false, (1, 1), threads),
            _ => KeyEncoding::Table,
        };
        let (encoding, values) = match (self.encoding, &self.values) {
            (KeyEncoding::Open, _) if !in_sequence => {
                match shared_values(&customers, if more { rows.saturating_mul(MORE) } else { rows }, copies_of_values) {
                    Some(held) => {
                        let keys = Arc::new(keys_of(held, threads)?);
                        let ascending = keys.ascend(threads);
                        let values = SharedDictionary { keys, nulls: held.nulls().cloned(), held: Some(held.clone()), ascending };
                        (KeyEncoding::Dictionary, Some(values))
                    }
                    None => (self.encoding.extend(&customers, all, more, copies, threads), None),
                }
            }
            (KeyEncoding::Dictionary, Some(values)) => match shared_values(&customers, usize::MAX, 1) {
                Some(again) if values.held.as_ref().is_some_and(|held| again.is_same_memory(held)) => {
                    (KeyEncoding::Dictionary, Some(values.clone()))
                }
                // No rows at all say nothing.
                None if rows == 0 => (KeyEncoding::Dictionary, Some(values.clone())),
                _ => (KeyEncoding::Table, None),
            },
            (encoding, _) => (encoding.extend(&customers, all, more, copies, threads), None),
        };
        Ok((encoding, order_encoding, values))
    }
}

/// Rows that are to come for each of the first push, at the least that is worth planning for.
const MORE: usize = 4;

/// The dictionary that all rows share, if `copies` states with room for all its values take not much more than the rows.
fn shared_values<'a>(columns: &[(&'a KeyColumn, usize)], rows: usize, copies: usize) -> Option<&'a PlainKeys> {
    let mut shared: Option<&PlainKeys> = None;
    for (column, _) in columns {
        let KeyColumn::Dictionary(keys) = column else { return None };
        if shared.is_some_and(|shared| !shared.is_same_memory(keys.values())) {
            return None;
        }
        shared = Some(keys.values());
    }
    let most = if rows < ROWS_WORTH_THREADS { rows } else { rows.saturating_mul(4) };
    shared.filter(|values| values.len().saturating_mul(copies) <= most)
}
