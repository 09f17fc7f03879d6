//! An update of a base with a memory limit: what exceeds the limit is aggregated, and spilled as runs of the update. Its commit appends
//! these runs to those of the base.

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use super::RunSettings;
use super::limit::MemoryLimit;
use super::list::Spilled;
use crate::base::{CustomerBase, Known};
use crate::column::chunks::InputSchema;
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::ingest::builder::{Update, UpdateBuilder};
use crate::state::customer_state::State;
use crate::state::spec::BaseSpec;

/// Builds an update of a base, within its memory limit if it has one.
#[derive(Debug)]
pub struct LimitedBuilder {
    builder: UpdateBuilder,
    spec: BaseSpec,
    input_schema: InputSchema,
    budget: Option<Budget>,
    /// Rows that were aggregated so far, and the customers that are on disk.
    aggregated: Option<State>,
    spilled: Spilled,
}

/// The memory of an update.
#[derive(Debug)]
struct Budget {
    limit: MemoryLimit,
    /// Bytes of the update while it is built.
    bytes: u64,
}

/// A finished update: what is in memory, and its runs.
#[derive(Debug)]
pub struct LimitedUpdate {
    pub(in crate::base) rest: Update,
    pub(super) spilled: Spilled,
}

/// An update whose runs, and those of the base that it displaces, are written; [`CustomerBase::apply`] swaps them in.
#[derive(Debug)]
pub struct StagedUpdate {
    pub(in crate::base) rest: Update,
    /// The runs of the base with the update; `None` if they do not change.
    spilled: Option<Spilled>,
    /// Whether the customers in memory were written to a run.
    displaced: bool,
    version: Option<u64>,
}

impl CustomerBase {
    /// Begins an update that respects the memory limit. The columns are checked before any row is read.
    pub fn begin_limited(&self, schema: &Schema) -> Result<LimitedBuilder> {
        let builder = self.begin(schema)?;
        let input_schema = InputSchema::of(schema, &self.spec.roles, self.spec.timezone.as_deref(), self.spec.amount_decimals)?;
        let left = |limit: &MemoryLimit| limit.memory.saturating_sub(self.bytes() as u64).max(limit.memory / 2);
        let budget = self.limit.clone().map(|limit| Budget { bytes: MemoryLimit::built(left(&limit)), limit });
        Ok(LimitedBuilder { builder, spec: self.spec.clone(), input_schema, budget, aggregated: None, spilled: Spilled::default() })
    }

    /// Writes what an update displaces from memory, and does not change the base.
    pub fn stage(&self, update: LimitedUpdate, batch: Option<&str>, context: &Context) -> Result<StagedUpdate> {
        let mut update = update;
        self.prepare_limited(&mut update, batch, context)?;
        self.displace(update, context)
    }

    /// Writes what exceeds the memory limit once a prepared update is in memory, too.
    pub(super) fn displace(&self, update: LimitedUpdate, context: &Context) -> Result<StagedUpdate> {
        let LimitedUpdate { mut rest, spilled: more } = update;
        let version = self.known.as_ref().map(|known| known.version);
        let bytes = (self.bytes() + rest.state.bytes()) as u64;
        let Some(limit) = self.limit.as_ref().filter(|limit| bytes > limit.resident(&self.spec) || !more.list().is_empty()) else {
            return Ok(StagedUpdate { rest, spilled: None, displaced: false, version });
        };
        self.check_spillable()?;
        let input_schema = self.known.as_ref().map_or(&rest.kinds, |known| &known.input_schema).clone();
        let settings = RunSettings { spec: &self.spec, input_schema: &input_schema, limit };
        let rows = self.rows();
        let mut spilled = self.known.as_ref().map_or_else(Spilled::default, |known| known.spilled.clone());
        spilled.written = (spilled.written.0 + more.written.0, spilled.written.1 + more.written.1);
        spilled.runs.extend(more.runs.iter().map(|run| run.after_rows(rows)));
        let mut folder = None;
        let mut write = |state: &State, rows: u64, spilled: &mut Spilled| -> Result<()> {
            let folder = match &folder {
                Some(folder) => folder,
                None => folder.insert(settings.folder(&spilled.runs)?),
            };
            if let Some(run) = settings.write(state, folder, context)? {
                spilled.push(run.after_rows(rows));
            }
            Ok(())
        };
        let known = self.known.as_ref().filter(|_| bytes > limit.resident(&self.spec));
        if let Some(known) = known {
            write(&known.state, 0, &mut spilled)?;
        }
        if rest.state.bytes() as u64 > limit.resident(&self.spec) {
            write(&rest.state, rows, &mut spilled)?;
            rest.state = rest.state.without_customers(0);
        }
        let spilled = settings.compact(spilled, context)?;
        Ok(StagedUpdate { rest, spilled: Some(spilled), displaced: known.is_some(), version })
    }

    /// Adds a staged update. Nothing is written.
    pub fn apply(&mut self, staged: StagedUpdate, batch: Option<&str>, context: &Context) -> Result<()> {
        let StagedUpdate { rest, spilled, displaced, version } = staged;
        if version != self.known.as_ref().map(|known| known.version) {
            return Err(Error::internal("the base changed while an update was staged"));
        }
        match &mut self.known {
            None => self.known = Some(Known::of(rest)),
            Some(known) => {
                let kept = displaced.then(|| known.state.without_customers(0));
                kept.as_ref().unwrap_or(&known.state).check_room(&[&rest.state])?;
                let before = kept.map(|kept| std::mem::replace(&mut known.state, kept));
                if let Err(error) = known.add(&rest.state, &rest.kinds, rest.rows, &[], context) {
                    if let Some(before) = before {
                        known.state = before;
                    }
                    return Err(error);
                }
            }
        }
        if let Some(known) = &mut self.known {
            known.batches.extend(batch.map(str::to_owned));
            if let Some(spilled) = spilled {
                known.spilled = spilled;
            }
        }
        Ok(())
    }

    /// Commits an update begun with [`CustomerBase::begin_limited`]; a batch id must be unique. After an error the base is
    /// unchanged.
    pub fn commit_limited(&mut self, update: LimitedUpdate, batch: Option<&str>, context: &Context) -> Result<()> {
        let staged = self.stage(update, batch, context)?;
        self.apply(staged, batch, context)
    }
}

impl LimitedBuilder {
    /// Adds batches. After an error the builder must be dropped.
    pub fn push(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        self.builder.push(batches, context)?;
        let Some(bytes) = self.budget.as_ref().map(|budget| budget.bytes) else { return Ok(()) };
        let aggregated = self.aggregated.as_ref().map_or(0, State::bytes);
        if (self.builder.bytes() + aggregated) as u64 <= bytes {
            return Ok(());
        }
        if self.spec.in_sequence() {
            return CustomerBase::new(self.spec.clone())?.check_spillable();
        }
        // Combined first: the parts of threads have customers in common, and free much of the memory.
        let mut next = UpdateBuilder::new(&self.spec, self.input_schema.clone())?;
        next.continue_after(self.builder.rows());
        let mut builder = std::mem::replace(&mut self.builder, next);
        builder.release();
        let mut state = self.combined(builder.finish(context)?.state, context)?;
        context.run_if_large(state.size(), |threads| state.settle(threads))?;
        self.aggregated = Some(if 2 * state.bytes() as u64 > bytes { self.spill(&state, context)? } else { state });
        Ok(())
    }

    /// The customers of a state and those aggregated before.
    fn combined(&mut self, state: State, context: &Context) -> Result<State> {
        match self.aggregated.take() {
            None => Ok(state),
            Some(before) => context.run_if_large(before.size() + state.size(), |threads| State::unify(vec![before, state], threads))?,
        }
    }

    /// Writes the customers of a state to a run. Returns the state without customers.
    fn spill(&mut self, state: &State, context: &Context) -> Result<State> {
        let Some(Budget { limit, .. }) = &self.budget else { return Err(Error::internal("an update without a memory limit")) };
        let settings = RunSettings { spec: &self.spec, input_schema: &self.input_schema, limit };
        let folder = settings.folder(&self.spilled.runs)?;
        let mut spilled = self.spilled.clone();
        if let Some(run) = settings.write(state, &folder, context)? {
            spilled.push(run);
        }
        self.spilled = settings.compact(spilled, context)?;
        Ok(state.without_customers(0))
    }

    /// See [`UpdateBuilder::reads_ahead`].
    pub fn reads_ahead(&self) -> bool {
        self.budget.is_none() && self.builder.reads_ahead()
    }

    /// See [`UpdateBuilder::read_ahead`]. With a memory limit nothing is read ahead.
    pub fn read_ahead(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        if self.budget.is_some() { Ok(()) } else { self.builder.read_ahead(batches, context) }
    }

    /// See [`UpdateBuilder::expect_more`].
    pub fn expect_more(&mut self) {
        if self.budget.is_none() {
            self.builder.expect_more();
        }
    }

    /// See [`UpdateBuilder::release`].
    pub fn release(&mut self) {
        self.builder.release();
    }

    /// Rows added so far.
    pub fn rows(&self) -> u64 {
        self.builder.rows()
    }

    /// Finishes the update.
    pub fn finish(mut self, context: &Context) -> Result<LimitedUpdate> {
        let next = UpdateBuilder::new(&self.spec, self.input_schema.clone())?;
        let mut rest = std::mem::replace(&mut self.builder, next).finish(context)?;
        rest.state = self.combined(rest.state, context)?;
        if self.budget.is_some() {
            context.run_if_large(rest.state.size(), |threads| rest.state.settle(threads))?;
        }
        Ok(LimitedUpdate { rest, spilled: self.spilled })
    }
}

impl StagedUpdate {
    /// A prepared update that displaces nothing, for a base without a memory limit.
    pub(in crate::base) fn in_memory(rest: Update) -> Self {
        Self { rest, spilled: None, displaced: false, version: None }
    }
}

impl From<Update> for LimitedUpdate {
    fn from(rest: Update) -> Self {
        Self { rest, spilled: Spilled::default() }
    }
}

impl LimitedUpdate {
    /// Number of customers in memory.
    pub fn customers(&self) -> usize {
        self.rest.customers()
    }
}
