//! A base beyond memory, as an external aggregation: customers that exceed the memory limit are spilled to *runs*, files of customers
//! ascending by id ([`run`]). A customer may be in several runs and in memory; what is in memory is read as one more run.
//!
//! | file | does |
//! |---|---|
//! | [`run`] | one run: written, and read by ranges of ids |
//! | [`list`], [`limit`] | the runs of a base, and its memory limit |
//! | [`ranges`] | merges the runs range by range; analyses read a base through [`CustomerBase::by_ranges`] |
//! | [`compaction`] | merges runs of similar size, so that their number grows with the logarithm of the base |
//! | [`update`] | an update that spills, and its commit |
//! | [`merge`] | merges bases, and tells late lines |
//! | [`rewrite`] | changes customers: sealing, new ids, removal |
//!
//! Runs are immutable and shared: a copy of a base copies the list of its runs, and a merge appends one list to another. Every change
//! first writes its runs, and then swaps the list; after an error the base is as it was. Reading writes nothing.
//!
//! Everything that belongs to no customer (tallies, number of rows, batch ids, first and last day) always is in memory.

pub(crate) mod compaction;
pub(crate) mod limit;
pub(crate) mod list;
pub(crate) mod merge;
pub(crate) mod ranges;
pub(crate) mod rewrite;
pub(crate) mod run;
pub(crate) mod update;

use std::sync::Arc;

use self::limit::MemoryLimit;
use self::run::{Run, RunWriter};
use super::CustomerBase;
use super::export::CustomerRows;
use crate::column::chunks::InputSchema;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::state::customer_state::State;
use crate::state::spec::{BaseSpec, Track};
use crate::store::scratch::ScratchFolder;

impl CustomerBase {
    /// The same base with another memory limit. What exceeds it is spilled at the next change.
    #[must_use]
    pub fn with_limit(mut self, limit: Option<MemoryLimit>) -> Self {
        self.limit = limit;
        self
    }

    /// The memory limit.
    pub fn limit(&self) -> Option<&MemoryLimit> {
        self.limit.as_ref()
    }

    /// Whether some customers are on disk.
    pub fn is_spilled(&self) -> bool {
        self.known.as_ref().is_some_and(|known| !known.spilled.runs.is_empty())
    }

    /// Bytes on disk.
    pub fn bytes_on_disk(&self) -> u64 {
        self.known.as_ref().map_or(0, |known| known.spilled.runs.iter().map(Run::bytes).sum())
    }

    /// Number of runs on disk.
    pub fn runs(&self) -> usize {
        self.known.as_ref().map_or(0, |known| known.spilled.runs.len())
    }

    /// Customers and bytes written to runs so far, with those that compaction wrote again.
    pub fn written(&self) -> (u64, u64) {
        self.known.as_ref().map_or((0, 0), |known| known.spilled.written)
    }

    /// Number of customers, including those with only refunds. If some are on disk, the runs are read once after each change.
    pub fn customers(&self, context: &Context) -> Result<usize> {
        if let Some(customers) = self.known_customers() {
            return Ok(customers);
        }
        let mut customers = 0;
        self.by_ranges(context, |part| {
            customers += part.len();
            Ok(())
        })?;
        if let Some(known) = &self.known {
            known.spilled.counted.set(known.version, customers as u64);
        }
        Ok(customers)
    }

    /// The number of customers where it is known without reading runs.
    pub fn known_customers(&self) -> Option<usize> {
        match &self.known {
            Some(known) if self.is_spilled() => {
                // Only orders that are left out may be all that is known of a customer.
                let whole = known.spilled.runs.first().filter(|_| known.spilled.runs.len() == 1 && self.spec.track != Track::Orders);
                let one_run = whole.filter(|_| known.state.interner.is_empty()).map(Run::customers);
                known.spilled.counted.get(known.version).or(one_run).map(|customers| customers as usize)
            }
            _ => Some(self.len()),
        }
    }

    /// An upper bound of the number of customers.
    pub fn customers_at_most(&self) -> usize {
        let on_disk = self.known.as_ref().map_or(0, |known| known.spilled.runs.iter().map(Run::customers).sum());
        self.known_customers().unwrap_or(on_disk as usize + self.len())
    }

    /// The largest absolute amounts of money of the runs and of the memory, summed: no sum over them is larger.
    pub(super) fn amount_bound(&self, context: &Context) -> Result<u128> {
        let Some(known) = &self.known else { return Ok(0) };
        let state = &known.state;
        let in_memory = context.run_if_large(state.size(), |threads| CustomerRows::of(state, threads).largest_units().1)?;
        Ok(known.spilled.runs.iter().map(Run::largest_units).fold(in_memory, u128::saturating_add))
    }

    /// The same base with its customers in a run that was just written.
    pub(super) fn with_spilled(mut self, run: Option<Run>) -> Self {
        if let (Some(known), Some(run)) = (&mut self.known, run) {
            known.spilled.push(run);
        }
        self
    }

    /// An error if some customers are on disk, for what needs all of them in memory.
    pub(crate) fn check_in_memory(&self) -> Result<()> {
        if !self.is_spilled() {
            return Ok(());
        }
        let limit = self.limit.as_ref().map_or(0, |limit| limit.memory);
        let message = format!(
            "this needs the whole base in memory, but it exceeds max_memory={limit} bytes and a part of it is on disk. Save the base \
             and load it with a larger max_memory"
        );
        Err(Error::new(ErrorKind::MemoryLimit, message))
    }

    /// An error if the base cannot be spilled.
    pub(super) fn check_spillable(&self) -> Result<()> {
        if self.spec.in_sequence() {
            let message = "a base with order_lines='adjacent' must fit max_memory: an order could be in two runs. Use track='orders', or \
                           more memory";
            return Err(Error::new(ErrorKind::MemoryLimit, message));
        }
        Ok(())
    }
}

/// What a run is written with.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunSettings<'a> {
    pub spec: &'a BaseSpec,
    pub input_schema: &'a InputSchema,
    pub limit: &'a MemoryLimit,
}

impl RunSettings<'_> {
    /// The folder of one of these runs if this process may write there, else a new one.
    fn folder(&self, runs: &[Run]) -> Result<Arc<ScratchFolder>> {
        match runs.iter().map(Run::folder).rfind(|folder| folder.is_own()) {
            Some(folder) => Ok(folder.clone()),
            None => ScratchFolder::create(&self.limit.folder),
        }
    }

    /// Writes the customers of a state to a new run; `None` without customers.
    fn write(&self, state: &State, folder: &Arc<ScratchFolder>, context: &Context) -> Result<Option<Run>> {
        context.run_if_large(state.size(), |threads| {
            let customers = CustomerRows::of(state, threads);
            if customers.len() == 0 {
                return Ok(None);
            }
            let (narrow, _) = customers.largest_units();
            let mut writer = RunWriter::new(folder, (self.spec, self.input_schema), narrow, self.limit.batches(), context)?;
            writer.add(&customers, threads)?;
            writer.finish().map(Some)
        })?
    }
}
