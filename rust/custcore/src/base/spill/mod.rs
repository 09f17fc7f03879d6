//! A base beyond memory, as an external aggregation: customers that exceed the memory limit are spilled to *runs*, files of customers
//! ascending by id ([`run`]). A customer may be in several runs and in memory; what is in memory is read as one more run.
//!
//! | file | does |
//! |---|---|
//! | [`run`] | one run: written, and read by ranges of ids |
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
pub(crate) mod merge;
pub(crate) mod ranges;
pub(crate) mod rewrite;
pub(crate) mod run;
pub(crate) mod update;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use self::run::{Run, RunWriter};
use super::CustomerBase;
use super::export::{BatchLimits, CustomerRows};
use crate::column::chunks::InputSchema;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::state::customer_state::State;
use crate::state::spec::{BaseSpec, Track};
use crate::store::scratch::ScratchFolder;

/// The memory limit of a base, and where its folder of runs is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryLimit {
    /// Bytes.
    pub memory: u64,
    /// The parent of the folder.
    pub folder: PathBuf,
}

/// The smallest limit.
const LEAST_MEMORY: u64 = 1 << 20;
/// Peak memory of a range while it is merged and read by an analysis, as a multiple of its bytes in the runs.
const MEMORY_PER_BYTE: u64 = 5;

impl MemoryLimit {
    /// A limit in bytes, at least 1 MiB. `folder` must exist; by default it is the system's temporary folder.
    pub fn new(memory: u64, folder: Option<PathBuf>) -> Result<Self> {
        if memory < LEAST_MEMORY {
            let message = format!("max_memory={memory} bytes is too small for a base; use at least {LEAST_MEMORY}");
            return Err(Error::new(ErrorKind::MemoryLimit, message));
        }
        let folder = folder.unwrap_or_else(std::env::temp_dir);
        check_folder(&folder)?;
        Ok(Self { memory, folder })
    }

    /// Bytes that a base keeps in memory between changes. The other half is for the change, or for a range of ids.
    pub(in crate::base) fn resident(&self) -> u64 {
        self.memory / 2
    }

    /// The batches of runs: some dozens of runs are read at a time, a batch of each.
    pub(in crate::base) fn batches(&self) -> BatchLimits {
        let weight = usize::try_from(self.memory >> 14).unwrap_or(usize::MAX).clamp(1 << 8, 1 << 15);
        BatchLimits { customers: weight, weight }
    }
}

/// An error if the folder does not exist.
fn check_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let error = std::io::Error::from(std::io::ErrorKind::NotFound);
    Err(Error::file("write", folder, &error))
}

/// The customers of a base on disk.
#[derive(Debug, Default)]
pub(super) struct Spilled {
    runs: Vec<Run>,
    /// Rows and bytes of all runs written so far, including those that compaction replaced.
    written: (u64, u64),
    /// Number of customers of the base, on disk and in memory, as of a version of it.
    counted: Counted,
}

/// A count that is known as of a version of the base.
#[derive(Debug, Default)]
struct Counted {
    customers: AtomicU64,
    /// The version plus 1; 0 before the first count.
    version: AtomicU64,
}

impl Counted {
    fn get(&self, version: u64) -> Option<u64> {
        (self.version.load(Ordering::Acquire) == version + 1).then(|| self.customers.load(Ordering::Relaxed))
    }

    /// Sets the count. A base that several threads share does not change, so all of them set the same.
    fn set(&self, version: u64, customers: u64) {
        self.customers.store(customers, Ordering::Relaxed);
        self.version.store(version + 1, Ordering::Release);
    }
}

impl Clone for Spilled {
    fn clone(&self) -> Self {
        let counted = Counted {
            customers: AtomicU64::new(self.counted.customers.load(Ordering::Relaxed)),
            version: AtomicU64::new(self.counted.version.load(Ordering::Acquire)),
        };
        Self { runs: self.runs.clone(), written: self.written, counted }
    }
}

impl Spilled {
    fn of(runs: Vec<Run>, written: (u64, u64)) -> Self {
        Self { runs, written, counted: Counted::default() }
    }

    /// Adds a run that was just written.
    fn push(&mut self, run: Run) {
        self.written = (self.written.0 + run.customers(), self.written.1 + run.bytes());
        self.runs.push(run);
    }
}

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
