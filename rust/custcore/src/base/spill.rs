//! A base larger than memory: aggregated customers are written to a folder as a *spilled run*, a file of customers ascending by
//! id, and memory is freed. At the end, ranges of ids are read from all runs, merged, and returned one by one:
//! each is a base with all data of its customers, and the concatenated results are the result.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::RecordBatch;

use super::CustomerBase;
use super::export::{BaseLoader, BaseMeta, CustomerRows};
use super::file::table::BaseFileLayout;
use super::file::write_batches;
use crate::column::key::{Key, KeyColumn, OwnedKey};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::state::customer_state::State;
use crate::state::spec::{BaseSpec, OrderLines, Track};
use crate::store::blocks::{Entries, Format, Reader, Writer};

const FORMAT: Format = Format { name: "run of a customer base", version: 1 };

/// Customers per batch of a run; small, so that a range can be read from many runs.
const BATCH: usize = 1 << 13;
/// Customers between two possible starts of a range.
const STEP: usize = 1 << 8;
/// Memory of a state while it is read and merged, as a multiple of its bytes in a run.
const STATE_PER_BYTE: u64 = 4;

/// The spilled runs of a base, in a folder that is removed on drop.
#[derive(Debug)]
pub struct Spill {
    spec: BaseSpec,
    runs: Vec<SpillRun>,
    /// The base without its customers.
    account: CustomerBase,
    /// The folders of the runs; new runs go to the first.
    folders: Vec<TempDir>,
}

#[derive(Debug)]
struct SpillRun {
    path: PathBuf,
    layout: BaseFileLayout,
    batches: Vec<Batch>,
}

#[derive(Debug)]
struct Batch {
    /// Its first id, and every [`STEP`]th one after it.
    ids: Vec<OwnedKey>,
    bytes: u64,
}

#[derive(Debug)]
struct TempDir(PathBuf);

impl Drop for TempDir {
    fn drop(&mut self) {
        // Errors on drop cannot be reported.
        drop(fs::remove_dir_all(&self.0));
    }
}

impl TempDir {
    /// A new folder in `parent`.
    fn new(parent: &Path) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("custcore-{}-{number}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                // Left behind by a killed process with the same id.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::file("write", &path, &error)),
            }
        }
    }
}

impl Spill {
    /// No runs. They are written to a new folder in `parent`.
    pub fn new(parent: &Path, spec: BaseSpec) -> Result<Self> {
        if spec.track == Track::Once || spec.window.is_some() {
            return Err(Error::internal("a base for a single call cannot be spilled"));
        }
        if spec.roles.order_id.is_some() && spec.order_lines == OrderLines::Adjacent {
            let message = "a base with order_lines='adjacent' must fit max_memory: an order could be in two runs. Use \
                           track='orders', or more memory";
            return Err(Error::new(ErrorKind::StateMismatch, message));
        }
        Ok(Self { account: CustomerBase::new(spec.clone())?, spec, runs: Vec::new(), folders: vec![TempDir::new(parent)?] })
    }

    /// Writes a base as a run. After an error the runs are unchanged.
    pub fn add(&mut self, base: &CustomerBase, context: &Context) -> Result<()> {
        let Some((input_schema, state, account)) = base.known_parts() else { return Ok(()) };
        let rows_before = self.account.rows();
        let mut whole = self.account.clone();
        whole.merge(
            &CustomerBase::of_parts(base.spec().clone(), Some((input_schema.clone(), state.without_customers(0), account))),
            context,
        )?;
        let Some(folder) = self.folders.first() else { return Err(Error::internal("runs without a folder")) };
        let path = folder.0.join(format!("{}.arrow", self.runs.len()));
        let run = context.run_if_large(state.interner.len(), |threads| {
            let customers = CustomerRows::of(state, threads);
            let (narrow, _) = customers.largest_units();
            let layout = BaseFileLayout::of(&self.spec, input_schema, !narrow, Some(rows_before));
            let file = File::create(&path).map_err(|error| Error::file("write", &path, &error))?;
            let mut writer = Writer::new(BufWriter::with_capacity(1 << 16, file), &path, FORMAT, layout.schema(), Entries::new())?;
            let mut batches = Vec::new();
            write_batches(&mut writer, &layout, &customers, BATCH, (context, threads), |batch, bytes| {
                let column = ids(batch)?;
                let ids = (0..batch.num_rows()).step_by(STEP).map(|row| column.key(row).to_owned()).collect();
                batches.push(Batch { ids, bytes });
                Ok(())
            })?;
            writer.finish(&Entries::new())?;
            Ok(SpillRun { path, layout, batches })
        })??;
        self.runs.push(run);
        self.account = whole;
        Ok(())
    }

    /// Appends the runs of an update.
    pub fn append(&mut self, other: Self, context: &Context) -> Result<()> {
        self.account.merge(&other.account, context)?;
        self.runs.extend(other.runs);
        self.folders.extend(other.folders);
        Ok(())
    }

    /// The base without its customers: number of rows, batch ids, tallies of the report.
    pub fn account(&self) -> &CustomerBase {
        &self.account
    }

    /// Number of runs.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether there are no runs.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.runs.iter().flat_map(|run| &run.batches).map(|batch| batch.bytes).sum()
    }

    /// Bases of ascending ranges of ids, each of about `memory` bytes or less.
    pub fn parts(&self, memory: u64) -> SpillRanges<'_> {
        let batches = self.runs.iter().flat_map(|run| &run.batches);
        let mut starts: Vec<(&OwnedKey, u64)> = batches
            .flat_map(|batch| {
                let each = batch.bytes / batch.ids.len() as u64;
                batch.ids.iter().map(move |id| (id, each))
            })
            .collect();
        starts.sort_unstable();
        SpillRanges { spill: self, starts, at: 0, bytes: memory / STATE_PER_BYTE }
    }
}

/// Iterates over the base by ranges of ids.
#[derive(Debug)]
pub struct SpillRanges<'a> {
    spill: &'a Spill,
    /// Possible starts of a range, ascending, and the bytes up to the next start of the same run.
    starts: Vec<(&'a OwnedKey, u64)>,
    at: usize,
    /// Target size of a range in bytes of the runs.
    bytes: u64,
}

impl SpillRanges<'_> {
    /// The base of the next range; `None` after the last one. Its first and last day are those of the whole base, so analyses give
    /// the same results; rows that were left out are only in [`Spill::account`].
    pub fn next(&mut self, context: &Context) -> Result<Option<CustomerBase>> {
        let Some(&(low, bytes)) = self.starts.get(self.at) else { return Ok(None) };
        let (mut end, mut sum) = (self.at + 1, bytes);
        while let Some(&(id, bytes)) = self.starts.get(end) {
            // A range has at least one id.
            if sum + bytes > self.bytes && id > low {
                break;
            }
            sum += bytes;
            end += 1;
        }
        let low = (self.at > 0).then(|| low.borrow());
        let high = self.starts.get(end).map(|(id, _)| id.borrow());
        let part = context.install(|threads| self.spill.range(low, high, context, threads))??;
        self.at = end;
        Ok(Some(part))
    }
}

impl Spill {
    /// The base of the ids from `low` to before `high`.
    fn range(&self, low: Option<Key<'_>>, high: Option<Key<'_>>, context: &Context, threads: Threads<'_>) -> Result<CustomerBase> {
        let (input_schema, whole, account) = self.account.known_parts().ok_or_else(|| Error::internal("runs without an input schema"))?;
        let mut states: Vec<State> = Vec::new();
        for run in &self.runs {
            context.check()?;
            let first = low.map_or(0, |low| run.batches.partition_point(|batch| batch.ids[0].borrow() <= low).saturating_sub(1));
            let last = high.map_or(run.batches.len(), |high| run.batches.partition_point(|batch| batch.ids[0].borrow() < high));
            if first >= last {
                continue;
            }
            let mut reader = Reader::open(&run.path, FORMAT)?;
            let mut loader = BaseLoader::new(input_schema, &self.spec, threads);
            for at in first..last {
                let batch = between(&reader.batch(at)?, low, high)?;
                run.layout.read(&batch, &mut loader).map_err(|failure| failure.of(&reader))?;
            }
            states.push(loader.finish());
        }
        let mut state =
            if states.len() > 1 { State::unify(states, threads)? } else { states.pop().unwrap_or_else(|| whole.without_customers(0)) };
        (state.first_day, state.last_day) = (whole.first_day, whole.last_day);
        let account = BaseMeta { sealed: account.sealed, ..BaseMeta::default() };
        Ok(CustomerBase::of_parts(self.spec.clone(), Some((input_schema.clone(), state, account))))
    }
}

fn ids(batch: &RecordBatch) -> Result<KeyColumn> {
    KeyColumn::new("id", "id", batch.column(0))
}

/// The rows of a batch with ids from `low` to before `high`.
fn between(batch: &RecordBatch, low: Option<Key<'_>>, high: Option<Key<'_>>) -> Result<RecordBatch> {
    let ids = ids(batch)?;
    let before = |id: Key<'_>| {
        let (mut from, mut to) = (0, batch.num_rows());
        while from < to {
            let middle = usize::midpoint(from, to);
            if ids.key(middle) < id { from = middle + 1 } else { to = middle }
        }
        from
    };
    let start = low.map_or(0, before);
    let end = high.map_or(batch.num_rows(), before).max(start);
    Ok(batch.slice(start, end - start))
}
