//! Runs: parts of a base as customers ascending by id, in a temporary file or in memory.
//!
//! A file has the columns of the file of a base ([`crate::base::file::table`]) and row numbers for the report. It is never
//! changed; bases share it, and it is deleted with the last of them.

use std::fs::File;
use std::io::BufWriter;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;

use crate::base::export::{BaseLoader, BatchLimits, CustomerRows};
use crate::base::file::table::{BaseFileLayout, Failure, write_batches};
use crate::column::chunks::InputSchema;
use crate::column::key::{Key, OwnedKey};
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::state::customer_state::State;
use crate::state::spec::BaseSpec;
use crate::store::blocks::{Entries, Format, Reader, Writer};
use crate::store::scratch::{ScratchFile, ScratchFolder, ScratchReader};

const FORMAT: Format = Format { name: "run of a customer base", version: 1 };

/// A run in a file, as a base sees it.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    file: Arc<RunFile>,
    /// Input rows of the base before those of the run.
    rows_before: u64,
}

#[derive(Debug)]
struct RunFile {
    file: ScratchFile,
    layout: BaseFileLayout,
    batches: Vec<BatchStart>,
    customers: u64,
    /// The largest absolute amount of money in it.
    largest_units: u128,
}

/// The first id of a batch, and the bytes of the batch.
#[derive(Debug)]
pub(crate) struct BatchStart {
    pub id: OwnedKey,
    pub bytes: u64,
}

impl Run {
    /// The same run in a base with more rows before it.
    #[must_use]
    pub(crate) fn after_rows(&self, rows: u64) -> Self {
        Self { file: self.file.clone(), rows_before: self.rows_before.saturating_add(rows) }
    }

    /// Number of customers.
    pub(crate) fn customers(&self) -> u64 {
        self.file.customers
    }

    /// Bytes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.file.batches.iter().map(|batch| batch.bytes).sum()
    }

    /// The largest absolute amount of money in it.
    pub(crate) fn largest_units(&self) -> u128 {
        self.file.largest_units
    }

    /// The folder of its file.
    pub(crate) fn folder(&self) -> &Arc<ScratchFolder> {
        self.file.file.folder()
    }
}

/// Writes a run from states of ascending ranges of ids. A run that is not finished is deleted.
pub(crate) struct RunWriter<'a> {
    writer: Writer<BufWriter<File>>,
    file: ScratchFile,
    layout: BaseFileLayout,
    narrow: bool,
    limits: BatchLimits,
    batches: Vec<BatchStart>,
    customers: u64,
    largest_units: u128,
    context: &'a Context,
}

impl<'a> RunWriter<'a> {
    /// A new run in `folder`; `narrow` if all amounts of the run fit 64 bits.
    pub(crate) fn new(
        folder: &Arc<ScratchFolder>,
        (spec, input_schema): (&BaseSpec, &InputSchema),
        narrow: bool,
        limits: BatchLimits,
        context: &'a Context,
    ) -> Result<Self> {
        let file = folder.file()?;
        let layout = BaseFileLayout::of(spec, input_schema, !narrow, true);
        let to = file.file().try_clone().map_err(|error| Error::file("write", file.path(), &error))?;
        let writer = Writer::new(BufWriter::with_capacity(1 << 16, to), file.path(), FORMAT, layout.schema(), Entries::new())?;
        Ok(Self { writer, file, layout, narrow, limits, batches: Vec::new(), customers: 0, largest_units: 0, context })
    }

    /// Adds the customers of a state, whose ids follow those before.
    pub(crate) fn add(&mut self, customers: &CustomerRows<'_>, threads: Threads<'_>) -> Result<()> {
        let (fits, largest) = customers.largest_units();
        if self.narrow && !fits {
            return Err(Error::internal("an amount that does not fit its run"));
        }
        self.largest_units = self.largest_units.max(largest);
        let batches = customers.batches(self.limits);
        let (index, layout) = (&mut self.batches, &self.layout);
        write_batches(&mut self.writer, layout, customers, &batches, (self.context, threads), |batch, bytes| {
            if batch.num_rows() > 0 {
                index.push(BatchStart { id: layout.id_column(batch, threads)?.key(0).to_owned(), bytes });
            }
            Ok(())
        })?;
        self.customers += customers.len() as u64;
        Ok(())
    }

    /// The finished run; its row numbers are those of the states.
    pub(crate) fn finish(self) -> Result<Run> {
        drop(self.writer.finish(&Entries::new())?);
        let Self { file, layout, batches, customers, largest_units, .. } = self;
        Ok(Run { file: Arc::new(RunFile { file, layout, batches, customers, largest_units }), rows_before: 0 })
    }
}

/// The customers of the memory of a base, ascending by id, in batches like those of a run.
#[derive(Debug)]
pub(crate) struct MemoryRun<'a> {
    customers: CustomerRows<'a>,
    layout: BaseFileLayout,
    batches: Vec<Range<usize>>,
    starts: Vec<BatchStart>,
}

impl<'a> MemoryRun<'a> {
    /// The run of a state.
    pub(crate) fn new(
        state: &'a State,
        (spec, input_schema): (&BaseSpec, &InputSchema),
        limits: BatchLimits,
        threads: Threads<'_>,
    ) -> Result<Self> {
        let customers = CustomerRows::of(state, threads);
        let (narrow, _) = customers.largest_units();
        let layout = BaseFileLayout::of(spec, input_schema, !narrow, true);
        let batches = customers.batches(limits);
        let each = 2 * state.bytes() as u64 / (customers.len() as u64).max(1);
        let mut starts = Vec::with_capacity(batches.len());
        for batch in &batches {
            let first = layout.batch(&customers, &customers.codes()[batch.start..=batch.start])?;
            starts.push(BatchStart { id: layout.id_column(&first, threads)?.key(0).to_owned(), bytes: each * batch.len() as u64 });
        }
        Ok(Self { customers, layout, batches, starts })
    }
}

/// A run in a file that is read range by range.
#[derive(Debug)]
pub(crate) struct DiskRun<'a> {
    run: &'a Run,
    /// Opened by the first range; its footer lists all batches.
    reader: Mutex<Option<Reader<ScratchReader<'a>>>>,
}

impl<'a> DiskRun<'a> {
    /// The run, which is not opened yet.
    pub(crate) fn boxed(run: &'a Run) -> Box<Self> {
        Box::new(Self { run, reader: Mutex::default() })
    }
}

/// Where the customers of a range are read from.
#[derive(Debug)]
pub(crate) enum RunSource<'a> {
    /// A file.
    Disk(Box<DiskRun<'a>>),
    /// The memory of the base.
    Memory(Box<MemoryRun<'a>>),
}

impl RunSource<'_> {
    /// The starts of its batches.
    pub(crate) fn starts(&self) -> &[BatchStart] {
        match self {
            Self::Disk(disk) => &disk.run.file.batches,
            Self::Memory(run) => &run.starts,
        }
    }

    /// The state of its customers with ids from `low` to before `high`; `None` without any.
    pub(crate) fn read(
        &self,
        (low, high): (Option<Key<'_>>, Option<Key<'_>>),
        base: (&BaseSpec, &InputSchema),
        context: &Context,
        threads: Threads<'_>,
    ) -> Result<Option<State>> {
        let starts = self.starts();
        let first = low.map_or(0, |low| starts.partition_point(|batch| batch.id.borrow() <= low).saturating_sub(1));
        let last = high.map_or(starts.len(), |high| starts.partition_point(|batch| batch.id.borrow() < high));
        if first >= last {
            return Ok(None);
        }
        let mut loader = BaseLoader::new(base.1, base.0, threads);
        match self {
            Self::Disk(disk) => {
                let DiskRun { run, reader } = &**disk;
                let file = &run.file.file;
                let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
                let reader = match &mut *reader {
                    Some(reader) => reader,
                    none => none.insert(Reader::new(file.reader(), Some(file.path().to_owned()), FORMAT)?),
                };
                loader.rows_before = run.rows_before;
                for at in first..last {
                    context.check()?;
                    let batch = between(&run.file.layout, &reader.batch(at)?, (low, high), threads)?;
                    run.file.layout.read(&batch, &mut loader).map_err(|failure| failure.of(reader))?;
                }
            }
            Self::Memory(run) => {
                for batch in &run.batches[first..last] {
                    context.check()?;
                    let batch = run.layout.batch(&run.customers, &run.customers.codes()[batch.clone()])?;
                    let batch = between(&run.layout, &batch, (low, high), threads)?;
                    run.layout.read(&batch, &mut loader).map_err(Failure::of_memory)?;
                }
            }
        }
        Ok(Some(loader.finish()))
    }
}

/// The rows of a batch with ids from `low` to before `high`.
fn between(
    layout: &BaseFileLayout,
    batch: &RecordBatch,
    (low, high): (Option<Key<'_>>, Option<Key<'_>>),
    threads: Threads<'_>,
) -> Result<RecordBatch> {
    let ids = layout.id_column(batch, threads)?;
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
