//! A base that is read while it is updated, as main part and delta. Readers hold the main part. Updates are meanwhile collected in the
//! delta, a base of their rows alone, so that an update beside a reader copies nothing. The delta is merged into the main part when
//! no reader holds it any more, or into a copy of it if another reader needs the new state before.

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
    delta: Option<Arc<Delta>>,
}

/// Updates that are not merged into the main part yet.
#[derive(Debug, Clone)]
struct Delta {
    base: CustomerBase,
    /// Number of its customers that are not in the main part.
    new_customers: CachedCount,
}

impl VersionedBase {
    /// A base without a delta.
    pub fn new(main: Arc<CustomerBase>) -> Self {
        Self { main, delta: None }
    }

    /// The whole base, unless it has a delta.
    pub fn whole(&self) -> Option<&Arc<CustomerBase>> {
        self.delta.is_none().then_some(&self.main)
    }

    /// Whether a reader, or a clone, holds the main part.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.main) > 1
    }

    /// Whether both are the same version.
    pub fn is_same(&self, other: &Self) -> bool {
        let deltas = (&self.delta, &other.delta);
        let is_same = matches!(deltas, (None, None)) || matches!(deltas, (Some(own), Some(other)) if Arc::ptr_eq(own, other));
        is_same && Arc::ptr_eq(&self.main, &other.main)
    }

    /// The main part, for its settings.
    pub fn main(&self) -> &CustomerBase {
        &self.main
    }

    fn parts(&self) -> impl Iterator<Item = &CustomerBase> {
        std::iter::once(&*self.main).chain(self.delta.as_ref().map(|delta| &delta.base))
    }

    /// Number of input rows.
    pub fn rows(&self) -> u64 {
        self.parts().map(CustomerBase::rows).sum()
    }

    /// Number of customers; `None` if runs must be read, or the delta must be merged, to know it: with refunds left out, whether an order
    /// counts depends on its lines in both parts.
    pub fn customers(&self) -> Option<usize> {
        let Some((delta, (main, more))) = self.delta.as_ref().zip(self.states()) else { return self.main.known_customers() };
        let new = || {
            let known = more.known_codes();
            let found = main.interner.find_all(&more.interner);
            let mut both: Vec<u32> = found.iter().zip(&known).filter_map(|(code, known)| code.filter(|_| *known)).collect();
            both.sort_unstable();
            let count = |known: &[bool]| known.iter().filter(|known| **known).count();
            count(&known) - count(&main.are_known(&both))
        };
        main.each_order_counts().then(|| self.main.len() + delta.new_customers.get_or(new))
    }

    /// The states of both parts.
    fn states(&self) -> Option<(&State, &State)> {
        let delta = self.delta.as_ref()?.base.known.as_ref()?;
        Some((&self.main.known.as_ref()?.state, &delta.state))
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

    /// Checks an update, and writes what it displaces from memory; see [`CustomerBase::stage`]. With a memory limit the delta is merged
    /// first: the main part is small, and a copy of it shares the runs.
    pub fn stage(&mut self, mut update: LimitedUpdate, batch: Option<&str>, context: &Context) -> Result<StagedUpdate> {
        if self.main.limit().is_some() {
            return self.to_change(context)?.stage(update, batch, context);
        }
        self.main.prepare_beside(self.delta.as_ref().map(|delta| &delta.base), &mut update.rest, batch)?;
        Ok(StagedUpdate::in_memory(update.rest))
    }

    /// Commits an update begun with [`VersionedBase::begin`]. After an error the base is unchanged.
    pub fn commit(&mut self, update: LimitedUpdate, batch: Option<&str>, context: &Context) -> Result<()> {
        let staged = self.stage(update, batch, context)?;
        self.apply(staged, batch, context)
    }

    /// Adds a staged update. While the main part is shared it is added to the delta. After an error the base is unchanged.
    pub fn apply(&mut self, staged: StagedUpdate, batch: Option<&str>, context: &Context) -> Result<()> {
        if self.main.limit().is_some() {
            return self.to_change(context)?.apply(staged, batch, context);
        }
        let update = staged.rest;
        let first = self.main.known.as_ref().filter(|_| !self.main.spec.in_sequence()).map(|known| (known.sealed, self.is_shared()));
        let Some((sealed, true)) = first else { return self.to_change(context)?.commit_prepared(update, batch, context) };
        if let Some(delta) = &mut self.delta {
            let delta = Arc::make_mut(delta);
            delta.new_customers = CachedCount::default();
            delta.base.commit_prepared(update, batch, context)?;
        } else {
            let mut base = CustomerBase { spec: self.main.spec.clone(), known: Some(Known { sealed, ..Known::of(update) }), limit: None };
            if let Some(known) = &mut base.known {
                known.batches.extend(batch.map(str::to_owned));
            }
            self.delta = Some(Arc::new(Delta { base, new_customers: CachedCount::default() }));
        }
        Ok(())
    }

    /// Merges the delta into the main part, or into a copy of it if it is shared.
    pub fn merge_delta(&mut self, context: &Context) -> Result<()> {
        if let Some(delta) = &self.delta {
            Arc::make_mut(&mut self.main).merge(&delta.base, context)?;
            self.delta = None;
        }
        Ok(())
    }

    /// The whole base, for a change. It is copied if it is shared.
    pub fn to_change(&mut self, context: &Context) -> Result<&mut CustomerBase> {
        self.merge_delta(context)?;
        Ok(Arc::make_mut(&mut self.main))
    }
}
