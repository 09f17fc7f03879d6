//! Merge of bases of which one has a memory limit, and late lines, which need the open orders of the runs.

use std::borrow::Cow;

use super::ranges::RangeReader;
use super::rewrite::Rewritten;
use super::update::LimitedUpdate;
use crate::base::{CustomerBase, Known, check_input_schema};
use crate::column::key::OwnedKey;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::ingest::builder::Update;

impl CustomerBase {
    /// Checks that an update can be committed, as [`CustomerBase::prepare`] does for one in memory.
    pub(super) fn prepare_limited(&self, update: &mut LimitedUpdate, batch: Option<&str>, context: &Context) -> Result<()> {
        if !self.is_spilled() && update.spilled.list().is_empty() {
            return self.prepare(&mut update.rest, batch);
        }
        if let Some(batch) = batch {
            self.check_batch(batch)?;
        }
        let Some(known) = &self.known else { return Ok(()) };
        check_input_schema(&self.spec, &known.input_schema, &update.rest.kinds)?;
        let Some(sealed) = known.sealed else { return Ok(()) };
        let mut whole = self.base_of(update);
        if whole.leave_out_late(self, sealed, context)? {
            *update = whole.into_update()?;
        }
        Ok(())
    }

    /// Merges another base, where one of them has a memory limit. After an error this base is unchanged.
    pub(in crate::base) fn merge_limited(&mut self, other: &Self, context: &Context) -> Result<()> {
        let Some(more) = &other.known else { return Ok(()) };
        let (mut own, mut others) = (Cow::Borrowed(&*self), Cow::Borrowed(other));
        if let Some(known) = &self.known {
            check_input_schema(&self.spec, &known.input_schema, &more.input_schema)?;
            if let Some(batch) = known.batches.intersection(&more.batches).next() {
                let message = format!("batch_id='{batch}' is in both bases; its rows would count twice");
                return Err(Error::new(ErrorKind::DuplicateBatch, message));
            }
            // The base that sealed less may hold lines that are late in the other.
            if known.sealed != more.sealed
                && let Some(sealed) = known.sealed.max(more.sealed)
            {
                let (less, with) = if known.sealed == Some(sealed) { (&mut others, self as &Self) } else { (&mut own, other) };
                let less = less.to_mut();
                less.limit = less.limit.take().or_else(|| with.limit.clone());
                less.leave_out_late(with, sealed, context)?;
                if let Some(known) = &mut less.known {
                    known.sealed = Some(sealed);
                }
            }
        }
        let Some(limit) = self.limit.clone() else {
            // Without a limit all customers are kept in memory.
            let mut whole = Self::new(self.spec.clone())?;
            for base in [&own, &others] {
                base.by_ranges(context, |part| whole.merge(part, context))?;
            }
            drop((own, others));
            *self = whole;
            return Ok(());
        };
        let sealed = others.sealed();
        let staged = own.displace(others.into_owned().into_update()?, context)?;
        if let Cow::Owned(own) = own {
            *self = own.with_limit(Some(limit));
        }
        self.apply(staged, None, context)?;
        if let Some(known) = &mut self.known {
            known.batches.extend(more.batches.iter().cloned());
            known.sealed = known.sealed.max(sealed);
        }
        Ok(())
    }

    /// An update as a base with the settings of this one.
    fn base_of(&self, update: &LimitedUpdate) -> Self {
        let LimitedUpdate { rest: Update { kinds, state, rows, begun_at }, spilled } = update;
        let rest = Update { kinds: kinds.clone(), state: state.clone(), rows: *rows, begun_at: *begun_at };
        let known = Known { spilled: spilled.clone(), ..Known::of(rest) };
        Self { spec: self.spec.clone(), known: Some(known), limit: self.limit.clone() }
    }

    /// The customers and tallies of this base as an update.
    fn into_update(self) -> Result<LimitedUpdate> {
        let known = self.known.ok_or_else(|| Error::internal("a base without an update"))?;
        let rest = Update { kinds: known.input_schema, state: known.state, rows: known.rows, begun_at: None };
        Ok(LimitedUpdate { rest, spilled: known.spilled })
    }

    /// Leaves out the late lines of this base: those of orders before `sealed` that are not open in `other`. Returns whether there are any.
    /// An error if late lines are not allowed.
    fn leave_out_late(&mut self, other: &Self, sealed: i32, context: &Context) -> Result<bool> {
        let (Some(known), Some(others)) = (&self.known, &other.known) else { return Ok(false) };
        let Some(limit) = self.limit.as_ref().or(other.limit.as_ref()) else { return Err(Error::internal("runs without a memory limit")) };
        let late = self.spec.late;
        let open = RangeReader::of_base(&other.spec, others, limit, context)?;
        let mut any = false;
        let mut ranges = RangeReader::of_base(&self.spec, known, limit, context)?;
        loop {
            let low = ranges.low().cloned();
            let Some(state) = ranges.next(context)? else { break };
            let open = open.between(low.as_ref().map(OwnedKey::borrow), ranges.low().map(OwnedKey::borrow), context)?;
            any |= !state.late_orders(&[&open], sealed, late)?.is_empty();
        }
        if !any {
            return Ok(false);
        }
        let Rewritten { run, tallies, .. } = self.rewrite(context, known.rows, |state, (low, high)| {
            let open = open.between(low, high, context)?;
            let refused = state.late_orders(&[&open], sealed, late)?;
            state.leave_out_late(&refused)?;
            Ok(())
        })?;
        self.replace_runs(run, None, &tallies, context)?;
        Ok(true)
    }
}
