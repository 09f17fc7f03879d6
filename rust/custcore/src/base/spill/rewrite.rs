//! Changes of the customers of a base whose runs are on disk: the runs and the memory are merged range by range, and written changed
//! to one new run.

use super::RunSettings;
use super::list::Spilled;
use super::ranges::RangeReader;
use super::run::{Run, RunWriter};
use crate::base::CustomerBase;
use crate::base::export::CustomerRows;
use crate::column::customer_id::{CustomerId, StoredId};
use crate::column::key::{Key, OwnedKey};
use crate::column::relabelling::Relabelling;
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::state::customer_state::State;

/// A run of all customers of a base, changed.
pub(super) struct Rewritten {
    pub run: Option<Run>,
    /// What the change tallied: a state without customers.
    pub tallies: State,
}

impl CustomerBase {
    /// Writes all customers to a new run, each range changed by `edit`, which gets its bounds. No sum of money may become more than
    /// `factor` times as large.
    pub(super) fn rewrite(
        &self,
        context: &Context,
        factor: u64,
        mut edit: impl FnMut(&mut State, (Option<Key<'_>>, Option<Key<'_>>)) -> Result<()>,
    ) -> Result<Rewritten> {
        let (Some(known), Some(limit)) = (&self.known, &self.limit) else { return Err(Error::internal("runs without a memory limit")) };
        let settings = RunSettings { spec: &self.spec, input_schema: &known.input_schema, limit };
        let folder = settings.folder(known.spilled.list())?;
        let bound = self.amount_bound(context)?.saturating_mul(u128::from(factor.max(1)));
        let narrow = bound <= i64::MAX as u128;
        let mut writer = RunWriter::new(&folder, (&self.spec, &known.input_schema), narrow, limit.batches(), context)?;
        let mut tallies = known.state.empty_like();
        let mut ranges = RangeReader::of_base(&self.spec, known, limit, context)?;
        loop {
            let low = ranges.low().cloned();
            let Some(mut state) = ranges.next(context)? else { break };
            edit(&mut state, (low.as_ref().map(OwnedKey::borrow), ranges.low().map(OwnedKey::borrow)))?;
            tallies.add_tallies(&state);
            context.run_if_large(state.size(), |threads| writer.add(&CustomerRows::of(&state, threads), threads))??;
        }
        let run = writer.finish()?;
        Ok(Rewritten { run: Some(run).filter(|run| run.customers() > 0), tallies })
    }

    /// Replaces all customers by a run and those of `more`, which are kept in memory.
    pub(super) fn replace_runs(&mut self, run: Option<Run>, more: Option<&State>, tallies: &State, context: &Context) -> Result<()> {
        let Some(known) = &mut self.known else { return Err(Error::internal("runs without an input schema")) };
        let mut state = known.state.without_customers(0);
        state.add_tallies(tallies);
        if let Some(more) = more {
            context.run_if_large(more.size(), |threads| state.merge(more, 0, threads))??;
        }
        let mut spilled = Spilled::of(Vec::new(), known.spilled.written);
        run.into_iter().for_each(|run| spilled.push(run));
        (known.state, known.spilled) = (state, spilled);
        known.changed();
        Ok(())
    }

    /// Spills the customers in memory. It changes no result.
    pub fn spill(&mut self, context: &Context) -> Result<()> {
        self.check_spillable()?;
        let (Some(known), Some(limit)) = (&self.known, &self.limit) else { return Ok(()) };
        let settings = RunSettings { spec: &self.spec, input_schema: &known.input_schema, limit };
        let mut spilled = known.spilled.clone();
        let folder = settings.folder(spilled.list())?;
        let Some(run) = settings.write(&known.state, &folder, context)? else { return Ok(()) };
        spilled.push(run);
        let spilled = settings.compact(spilled, context)?;
        if let Some(known) = &mut self.known {
            (known.state, known.spilled) = (known.state.without_customers(0), spilled);
            known.changed();
        }
        Ok(())
    }

    /// [`CustomerBase::seal`], also of a base with customers on disk.
    pub fn seal_within(&mut self, before: i32, context: &Context) -> Result<()> {
        self.check_seal()?;
        if self.is_spilled() { self.seal_spilled(before, context) } else { self.seal(before) }
    }

    /// [`CustomerBase::remove`], also of a base with customers on disk.
    pub fn remove_within(&mut self, ids: &[CustomerId], context: &Context) -> Result<usize> {
        if self.is_spilled() { self.remove_spilled(ids, context) } else { self.remove(ids) }
    }

    /// [`CustomerBase::relabel`], also of a base with customers on disk.
    pub fn relabel_within(&mut self, pairs: &[(CustomerId, CustomerId)], context: &Context) -> Result<()> {
        if self.is_spilled() { self.relabel_spilled(pairs, context) } else { self.relabel(pairs) }
    }

    fn seal_spilled(&mut self, before: i32, context: &Context) -> Result<()> {
        let Rewritten { run, tallies } = self.rewrite(context, self.rows(), |state, _| state.seal(before))?;
        self.replace_runs(run, None, &tallies, context)?;
        if let Some(known) = &mut self.known {
            known.sealed = known.sealed.max(Some(before));
        }
        Ok(())
    }

    fn remove_spilled(&mut self, ids: &[CustomerId], context: &Context) -> Result<usize> {
        let Some(known) = &self.known else { return Ok(0) };
        let ids = known.stored_ids(ids)?;
        let mut removed = 0;
        let Rewritten { run, tallies } = self.rewrite(context, 1, |state, _| {
            removed += state.remove(&ids)?;
            Ok(())
        })?;
        if removed > 0 {
            self.replace_runs(run, None, &tallies, context)?;
        }
        Ok(removed)
    }

    fn relabel_spilled(&mut self, pairs: &[(CustomerId, CustomerId)], context: &Context) -> Result<()> {
        let Some(known) = &self.known else { return Ok(()) };
        let mut moved = known.state.empty_like();
        let relabelling = Relabelling::of(&known.input_schema.id, pairs)?;
        let old: Vec<StoredId> = relabelling.pairs().iter().filter(|(old, new)| old != new).map(|(old, _)| old.clone()).collect();
        let Rewritten { run, tallies } = self.rewrite(context, 1, |state, _| {
            let Some(mut taken) = state.take_customers(&old)? else { return Ok(()) };
            taken.relabel(relabelling.pairs())?;
            context.run_if_large(taken.size(), |threads| moved.merge(&taken, 0, threads))?
        })?;
        if moved.known_codes().contains(&true) {
            let mut id = known.input_schema.id.clone();
            relabelling.widen(&mut id, |id| moved.has_customer(id))?;
            self.replace_runs(run, Some(&moved), &tallies, context)?;
            if let Some(known) = &mut self.known {
                known.input_schema.id = id;
            }
        }
        Ok(())
    }
}
