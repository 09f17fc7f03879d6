//! Columns of a Parquet file as an Arrow stream. Threads of their own decode row groups ahead of the consumer, without the GIL, and
//! dictionaries stay as they are stored: all batches of a row group share one.
//!
//! Faults of a file are not reported here: Python reads it with pyarrow from the row that was reached.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Once};
use std::thread::{self, Builder, JoinHandle};
use std::{panic, process};

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use custcore::{Error, ErrorKind, Result};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::error::into_py;
use crate::guard::guarded;

/// Rows of a batch.
const BATCH_ROWS: usize = 1 << 17;
/// Batches that each thread decodes ahead.
const AHEAD: usize = 8;
/// Threads, at most: more of them only take memory, as one that consumes is slower than four that decode.
const MOST_THREADS: usize = 4;

/// The name of the threads.
const THREAD: &str = "custcore-parquet";

/// Panics of the threads print nothing: the library panics on some damaged files, whose faults pyarrow then names.
fn quiet_panics() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().name() != Some(THREAD) {
                print(info);
            }
        }));
    });
}

/// Some columns of a Parquet file, as an Arrow stream.
#[pyclass(frozen, module = "custcore._core", name = "ParquetColumns")]
pub struct CoreParquetColumns {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    mask: ProjectionMask,
    schema: SchemaRef,
    n_threads: usize,
}

#[pymethods]
impl CoreParquetColumns {
    /// Reads the footer.
    #[new]
    fn new(py: Python<'_>, path: PathBuf, columns: Vec<String>, n_threads: usize) -> PyResult<Self> {
        py.detach(|| guarded(|| Self::open(path, &columns, n_threads))).map_err(|error| into_py(py, &error))
    }

    /// A stream of the columns, in the order in which they are stored.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(&self, py: Python<'py>, requested_schema: Option<Py<PyAny>>) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let stream = py.detach(|| guarded(|| self.decoding())).map_err(|error| into_py(py, &error))?;
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(stream)), c"arrow_array_stream")
    }
}

impl CoreParquetColumns {
    fn open(path: PathBuf, columns: &[String], n_threads: usize) -> Result<Self> {
        let metadata = ArrowReaderMetadata::load(&open(&path)?, ArrowReaderOptions::new()).map_err(unreadable)?;
        let mut roots = columns.iter().map(|name| metadata.schema().index_of(name)).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        roots.sort_unstable();
        let schema = Arc::new(metadata.schema().project(&roots).map_err(unreadable)?);
        let mask = ProjectionMask::roots(metadata.parquet_schema(), roots);
        Ok(Self { path, metadata, mask, schema, n_threads: n_threads.clamp(1, MOST_THREADS) })
    }

    /// Starts the threads; each decodes every n-th row group.
    fn decoding(&self) -> Result<Decoding> {
        quiet_panics();
        let groups = self.metadata.metadata().num_row_groups();
        let mut decoding =
            Decoding { schema: self.schema.clone(), received: Vec::new(), threads: Vec::new(), process: process::id(), group: 0, groups };
        let n_threads = self.n_threads.min(groups);
        for first in 0..n_threads {
            let (sender, receiver) = sync_channel(AHEAD);
            // Opened once, so that all row groups are of the same file if another one takes its name.
            let file = open(&self.path)?;
            let (metadata, mask) = (self.metadata.clone(), self.mask.clone());
            let work = move || {
                for group in (first..groups).step_by(n_threads) {
                    let decoded = guarded(|| decode(&file, &metadata, &mask, group, &sender));
                    let is_last = !matches!(decoded, Ok(true));
                    // Sending fails if no one reads any more.
                    if sender.send(decoded.map(|_| None)).is_err() || is_last {
                        return;
                    }
                }
            };
            decoding.received.push(receiver);
            decoding.threads.push(Builder::new().name(THREAD.to_owned()).spawn(work).map_err(unreadable)?);
        }
        Ok(decoding)
    }
}

/// A batch, or the end of a row group.
type Sent = Result<Option<RecordBatch>>;

/// Sends the batches of a row group; false if no one reads any more.
fn decode(file: &File, metadata: &ArrowReaderMetadata, mask: &ProjectionMask, group: usize, to: &SyncSender<Sent>) -> Result<bool> {
    let file = file.try_clone().map_err(unreadable)?;
    let rows = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone());
    let rows = rows.with_row_groups(vec![group]).with_projection(mask.clone()).with_batch_size(BATCH_ROWS).build().map_err(unreadable)?;
    for batch in rows {
        if to.send(Ok(Some(batch.map_err(unreadable)?))).is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(unreadable)
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::ArrowImport, error.to_string())
}

/// The batches of a file in their order, while threads decode those that follow.
struct Decoding {
    schema: SchemaRef,
    received: Vec<Receiver<Sent>>,
    threads: Vec<JoinHandle<()>>,
    /// The process that has these threads; a fork of it has none.
    process: u32,
    group: usize,
    groups: usize,
}

impl Iterator for Decoding {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.process != process::id() {
            return Some(Err(ArrowError::ParquetError("a forked process reads with other threads".to_owned())));
        }
        while self.group < self.groups {
            let received = self.received.get(self.group % self.received.len().max(1))?.recv();
            let failed = match received {
                Ok(Ok(Some(batch))) => return Some(Ok(batch)),
                Ok(Ok(None)) => {
                    self.group += 1;
                    continue;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "a thread ended early".to_owned(),
            };
            self.group = self.groups;
            return Some(Err(ArrowError::ParquetError(failed)));
        }
        None
    }
}

impl RecordBatchReader for Decoding {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

impl Drop for Decoding {
    fn drop(&mut self) {
        // Threads end at the next batch that they cannot send.
        self.received.clear();
        if self.process != process::id() {
            // Waiting for them would never end.
            return std::mem::take(&mut self.threads).into_iter().for_each(std::mem::forget);
        }
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}
