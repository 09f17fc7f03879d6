//! A base that is read while it is updated, as main part and deltas. Readers hold the main part. Updates are meanwhile collected in
//! deltas, bases of their rows alone, so that an update beside a reader copies nothing. Deltas are merged into the main part when no
//! reader holds it any more. If another reader needs the new state before, it merges them into a copy, which becomes the main part:
//! updates go to a new delta meanwhile, so the work of a reader is never lost, and no reader waits for more than two merges.

use std::sync::Arc;

use arrow_schema::Schema;

use super::CustomerBase;
use super::known::{CachedCount, Known};
use super::spill::update::{LimitedBuilder, LimitedUpdate, StagedUpdate};
use crate::error::Result;
use crate::exec::context::Context;
use crate::state::customer_state::State;

/// A base that readers share. Clones share all data.
#[derive(Debug, Clone)]
pub struct VersionedBase {
    main: Arc<CustomerBase>,
    /// Number of changes that the main part has.
    changes: u64,
    /// Later updates, in their order.
    deltas: Vec<Arc<Delta>>,
    /// The first deltas so many, which a reader merges: they stay as they are, or its work would be lost.
    merging: usize,
}

/// Updates that are not merged into the main part yet.
#[derive(Debug, Clone)]
struct Delta {
    base: CustomerBase,
    /// Number of its updates.
    updates: u64,
    /// Number of its customers that are neither in the main part nor in an earlier delta.
    new_customers: CachedCount,
}

/// With this many deltas that no reader merges an update is added to the last one, which is copied if a reader holds it.
const MOST_DELTAS: usize = 8;

impl VersionedBase {
    /// A base without deltas.
    pub fn new(main: Arc<CustomerBase>) -> Self {
        Self { main, changes: 0, deltas: Vec::new(), merging: 0 }
    }

    /// Number of changes so far.
    pub fn changes(&self) -> u64 {
        self.changes + self.deltas.iter().map(|delta| delta.updates).sum::<u64>()
    }

    /// The main part, if it has at least this many changes.
    pub fn whole_since(&self, changes: u64) -> Option<&Arc<CustomerBase>> {
        (self.changes >= changes).then_some(&self.main)
    }

    /// Whether a reader, or a clone, holds the main part.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.main) > 1
    }

    /// A clone whose deltas a reader is about to merge, see [`VersionedBase::take_over`].
    #[must_use]
    pub fn to_merge(&mut self) -> Self {
        self.merging = self.deltas.len();
        self.clone()
    }

    /// Takes over the main part of `merged`, a clone of an earlier version whose deltas were merged; `before` is that version. Later
    /// updates stay. Returns the former parts, or what was not taken over because the main part has changed since.
    #[must_use]
    pub fn take_over(&mut self, merged: Self, before: &Self) -> Self {
        let is_prefix = self.deltas.len() >= before.deltas.len() && self.deltas.iter().zip(&before.deltas).all(|(a, b)| Arc::ptr_eq(a, b));
        if !is_prefix || !Arc::ptr_eq(&self.main, &before.main) {
            return merged;
        }
        let deltas = self.deltas.drain(..before.deltas.len()).collect();
        self.merging = 0;
        let main = std::mem::replace(&mut self.main, merged.main);
        Self { main, changes: std::mem::replace(&mut self.changes, merged.changes), deltas, merging: 0 }
    }

    /// The main part, for its settings.
    pub fn main(&self) -> &CustomerBase {
        &self.main
    }

    fn deltas(&self) -> impl Iterator<Item = &CustomerBase> {
        self.deltas.iter().map(|delta| &delta.base)
    }

    fn parts(&self) -> impl Iterator<Item = &CustomerBase> {
        std::iter::once(&*self.main).chain(self.deltas())
    }

    /// Number of input rows.
    pub fn rows(&self) -> u64 {
        self.parts().map(CustomerBase::rows).sum()
    }

    /// Number of customers; `None` if runs must be read, or deltas must be merged, to know it: with refunds left out, whether an order
    /// counts depends on its lines in all parts.
    pub fn customers(&self) -> Option<usize> {
        let Some(main) = self.main.known.as_ref().filter(|_| !self.deltas.is_empty()) else { return self.main.known_customers() };
        if !main.state.each_order_counts() {
            return None;
        }
        let mut before = vec![&main.state];
        let mut customers = self.main.len();
        for delta in &self.deltas {
            let state = &delta.base.known.as_ref()?.state;
            customers += delta.new_customers.get_or(|| new_customers(&before, state));
            before.push(state);
        }
        Some(customers)
    }

    /// Amount of work for a pass over the base, see [`CustomerBase::size`].
    pub fn size(&self) -> usize {
        self.parts().map(CustomerBase::size).sum()
    }

    /// Approximate size of the state in bytes.
    pub fn bytes(&self) -> usize {
        self.parts().map(CustomerBase::bytes).sum()
    }

    /// The ids of the loaded batches.
    pub fn batches(&self) -> impl Iterator<Item = &str> {
        self.parts().flat_map(CustomerBase::batches)
    }

    /// The day before which orders are sealed.
    pub fn sealed(&self) -> Option<i32> {
        self.main.sealed()
    }

    /// The last day among rows that have an id and a time.
    pub fn last_day(&self) -> Option<i32> {
        self.parts().map(CustomerBase::last_day).max().flatten()
    }

    /// Begins an update, see [`CustomerBase::begin_limited`].
    pub fn begin(&self, schema: &Schema) -> Result<LimitedBuilder> {
        self.main.begin_limited(schema)
    }

    /// An error if a batch of this name was already loaded.
    pub fn check_batch(&self, batch: &str) -> Result<()> {
        self.parts().try_for_each(|base| base.check_batch(batch))
    }

    /// Checks an update, and writes what it displaces from memory; see [`CustomerBase::stage`]. With a memory limit the deltas are merged
    /// first: the main part is small, and a copy of it shares the runs.
    pub fn stage(&mut self, mut update: LimitedUpdate, batch: Option<&str>, context: &Context) -> Result<StagedUpdate> {
        if self.main.limit().is_some() {
            return self.to_change(context)?.stage(update, batch, context);
        }
        self.main.prepare_beside(&self.deltas().collect::<Vec<_>>(), &mut update.rest, batch)?;
        Ok(StagedUpdate::in_memory(update.rest))
    }

    /// Commits an update begun with [`VersionedBase::begin`]. After an error the base is unchanged.
    pub fn commit(&mut self, update: LimitedUpdate, batch: Option<&str>, context: &Context) -> Result<()> {
        let staged = self.stage(update, batch, context)?;
        self.apply(staged, batch, context)
    }

    /// Adds a staged update. While the main part is shared it is added to a delta. After an error the base is unchanged.
    pub fn apply(&mut self, staged: StagedUpdate, batch: Option<&str>, context: &Context) -> Result<()> {
        if self.main.limit().is_some() {
            return self.to_change(context)?.apply(staged, batch, context);
        }
        let update = staged.rest;
        let first = self.main.known.as_ref().filter(|_| !self.main.spec.in_sequence()).map(|known| (known.sealed, self.is_shared()));
        let Some((sealed, true)) = first else { return self.to_change(context)?.commit_prepared(update, batch, context) };
        let is_full = self.deltas.len().saturating_sub(self.merging) >= MOST_DELTAS;
        // A delta that a reader holds stays as it is.
        let last = self.deltas.last_mut().and_then(|last| if is_full { Some(Arc::make_mut(last)) } else { Arc::get_mut(last) });
        if let Some(delta) = last {
            delta.base.commit_prepared(update, batch, context)?;
            (delta.new_customers, delta.updates) = (CachedCount::default(), delta.updates + 1);
        } else {
            let mut base = CustomerBase { spec: self.main.spec.clone(), known: Some(Known { sealed, ..Known::of(update) }), limit: None };
            if let Some(known) = &mut base.known {
                known.batches.extend(batch.map(str::to_owned));
            }
            self.deltas.push(Arc::new(Delta { base, updates: 1, new_customers: CachedCount::default() }));
        }
        Ok(())
    }

    /// Merges the deltas into the main part, or into a copy of it if it is shared.
    pub fn merge_deltas(&mut self, context: &Context) -> Result<()> {
        while let Some(delta) = self.deltas.first() {
            Arc::make_mut(&mut self.main).merge(&delta.base, context)?;
            self.changes += delta.updates;
            self.deltas.remove(0);
        }
        Ok(())
    }

    /// The whole base, for a change. It is copied if it is shared.
    pub fn to_change(&mut self, context: &Context) -> Result<&mut CustomerBase> {
        self.merge_deltas(context)?;
        self.changes += 1;
        Ok(Arc::make_mut(&mut self.main))
    }
}

/// Number of customers of `more` that none of the states before it has.
fn new_customers(before: &[&State], more: &State) -> usize {
    let mut is_new = more.known_codes();
    for state in before {
        let found = state.interner.find_all(&more.interner);
        // The codes there, with those here.
        let mut both: Vec<(u32, u32)> = found.iter().zip(0..).filter_map(|(code, own)| code.map(|code| (code, own))).collect();
        both.retain(|(_, own)| is_new[*own as usize]);
        both.sort_unstable();
        let codes: Vec<u32> = both.iter().map(|(code, _)| *code).collect();
        for (known, (_, own)) in state.are_known(&codes).into_iter().zip(both) {
            is_new[own as usize] &= !known;
        }
    }
    is_new.iter().filter(|is_new| **is_new).count()
}
