//! The content of a base after its first update, and the one step that adds data to it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::spill::list::Spilled;
use crate::column::chunks::InputSchema;
use crate::column::customer_id::{CustomerId, StoredId};
use crate::error::Result;
use crate::exec::context::Context;
use crate::ingest::builder::Update;
use crate::num::money::{Money, SAFE_DECIMAL_ADDENDS};
use crate::state::customer_state::State;

/// The content of a base after its first update.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// Types of the columns.
    pub(super) input_schema: InputSchema,
    /// The customers in memory, and what belongs to no customer, such as tallies.
    pub(super) state: State,
    /// The customers on disk. A customer may be in several runs and in memory.
    pub(super) spilled: Spilled,
    /// Number of input rows.
    pub(super) rows: u64,
    /// Ids of the loaded batches.
    pub(super) batches: BTreeSet<String>,
    /// Orders whose lines are all before this day are closed.
    pub(super) sealed: Option<i32>,
    /// Incremented by every change, to detect whether an update can still continue the open order.
    pub(super) version: u64,
    /// Number of customers in memory, once it was asked for.
    pub(super) customers: CachedCount,
}

impl Known {
    /// The content of one update.
    pub(super) fn of(update: Update) -> Self {
        let Update { kinds: input_schema, state, rows, .. } = update;
        Self {
            input_schema,
            state,
            spilled: Spilled::default(),
            rows,
            batches: BTreeSet::new(),
            sealed: None,
            version: 0,
            customers: CachedCount::default(),
        }
    }

    /// An error if these states of `rows` rows cannot be merged.
    pub(super) fn check_room(&self, more: &[&State], rows: u64) -> Result<()> {
        self.state.check_room(more)?;
        let is_decimal = matches!(self.input_schema.money, Some(Money::Decimal { .. }));
        if is_decimal && self.rows.saturating_add(rows) > SAFE_DECIMAL_ADDENDS { self.state.check_sums(more) } else { Ok(()) }
    }

    /// Merges a checked state: the one step that changes a base by data. `refused` are the late orders here. It fails only before
    /// the first change, if the threads cannot be started.
    pub(super) fn add(&mut self, more: &State, kinds: &InputSchema, rows: u64, refused: &[usize], context: &Context) -> Result<()> {
        context.run_if_large(more.interner.len(), |threads| {
            self.state.leave_out_late(refused)?;
            self.state.merge(more, self.rows, threads)
        })??;
        self.input_schema.widen(kinds);
        self.rows += rows;
        self.changed();
        Ok(())
    }

    /// Ids as they are stored; those that no column of this kind holds are left out.
    pub(super) fn stored_ids(&self, ids: &[CustomerId]) -> Result<Vec<StoredId>> {
        ids.iter().filter_map(|id| self.input_schema.id.stored(id).transpose()).collect()
    }

    /// Notes a change.
    pub(super) fn changed(&mut self) {
        self.version += 1;
        self.customers = CachedCount::default();
    }
}

/// A number that is computed when it is first asked for. Threads that ask at once all compute it: none waits for another.
#[derive(Debug)]
pub(super) struct CachedCount(AtomicUsize);

impl Default for CachedCount {
    fn default() -> Self {
        Self(AtomicUsize::new(usize::MAX))
    }
}

impl Clone for CachedCount {
    fn clone(&self) -> Self {
        Self(AtomicUsize::new(self.0.load(Ordering::Relaxed)))
    }
}

impl CachedCount {
    /// The number, which `count` computes.
    pub(super) fn get_or(&self, count: impl FnOnce() -> usize) -> usize {
        let known = self.0.load(Ordering::Relaxed);
        if known != usize::MAX {
            return known;
        }
        let count = count();
        self.0.store(count, Ordering::Relaxed);
        count
    }
}
