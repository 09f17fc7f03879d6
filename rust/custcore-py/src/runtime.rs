//! Entry point for long work.
//!
//! The work runs on custcore's own pool with the GIL released. The calling thread waits; about every 50 ms it checks for
//! signals (Ctrl-C) and reports progress. A panic becomes an `InternalError`. Borrowed batches are handed back and dropped on
//! the calling thread, never on a worker.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use arrow_array::RecordBatch;
use custcore::{Context, Error, ErrorKind, LimitedBuilder, Result, SharedScan, UpdateBuilder};
use pyo3::prelude::*;

use crate::boundary::source::{GROUP_ROWS, Source};
use crate::error::into_py;
use crate::guard::guarded;

/// How often the calling thread checks for signals.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Grace period after cancellation before the worker is detached.
const CANCEL_GRACE: Duration = Duration::from_millis(100);
/// Work on fewer rows than this runs on the calling thread.
pub const INLINE_ROWS: usize = 1 << 15;

/// One call from Python: its threads, its cancel flag, its progress callback.
pub struct Call {
    context: Context,
    progress: Option<Py<PyAny>>,
    rows_total: Option<u64>,
    reported: Option<u64>,
}

/// Consumer of batches: builds an update of one base, or of several.
pub trait Folding: Send + 'static {
    /// Adds batches. After an error the builder must not be used again.
    fn push(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()>;
    /// Releases borrowed buffers.
    fn release(&mut self);
    /// Announces a large input, before the first batch. Builders with a memory limit ignore it.
    fn expect_more(&mut self) {}
    /// Whether it helps to know all batches before the first one is pushed.
    fn reads_ahead(&self) -> bool;
    /// Announces all batches, before the first one is pushed.
    fn read_ahead(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()>;
}

impl Folding for UpdateBuilder {
    fn push(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        Self::push(self, batches, context)
    }

    fn reads_ahead(&self) -> bool {
        Self::reads_ahead(self)
    }

    fn read_ahead(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        Self::read_ahead(self, batches, context)
    }

    fn release(&mut self) {
        Self::release(self);
    }

    fn expect_more(&mut self) {
        Self::expect_more(self);
    }
}

impl Folding for LimitedBuilder {
    fn push(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        Self::push(self, batches, context)
    }

    fn reads_ahead(&self) -> bool {
        Self::reads_ahead(self)
    }

    fn read_ahead(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        Self::read_ahead(self, batches, context)
    }

    fn release(&mut self) {
        Self::release(self);
    }
}

impl Folding for SharedScan {
    fn push(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        Self::push(self, batches, context)
    }

    fn reads_ahead(&self) -> bool {
        Self::reads_ahead(self)
    }

    fn read_ahead(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        Self::read_ahead(self, batches, context)
    }

    fn release(&mut self) {
        Self::release(self);
    }

    fn expect_more(&mut self) {
        Self::expect_more(self);
    }
}

/// Pending work; receives its result.
struct Running<T>(Receiver<Result<T>>);

impl Call {
    /// A call with `n_threads` threads, by default all that are available.
    pub fn new(py: Python<'_>, n_threads: Option<i64>, progress: Option<Py<PyAny>>, rows_total: Option<u64>) -> PyResult<Self> {
        let context = match n_threads {
            None => Context::default(),
            Some(n) => usize::try_from(n).ok().filter(|n| (1..=1024).contains(n)).map(Context::new).ok_or_else(|| {
                into_py(
                    py,
                    &Error::new(ErrorKind::OutOfRange, format!("n_threads={n} is outside 1 to 1024; pass None for all available threads")),
                )
            })?,
        };
        if let Some(callback) = progress.as_ref().filter(|callback| !callback.bind(py).is_callable()) {
            let message = format!("progress is {}; expected a function of (rows_done, rows_total)", callback.bind(py).get_type().name()?);
            return Err(into_py(py, &Error::new(ErrorKind::InvalidType, message)));
        }
        Ok(Self { context, progress, rows_total, reported: None })
    }

    /// Runs `work` and waits for it. `rows` estimates the amount of work. After Ctrl-C the work may still run for a while, so it
    /// must not hold borrowed buffers.
    pub fn run<T: Send + 'static>(
        &mut self,
        py: Python<'_>,
        rows: usize,
        work: impl FnOnce(&Context) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        if rows < INLINE_ROWS {
            let context = &self.context;
            return py.detach(|| guarded(|| work(context))).map_err(|error| into_py(py, &error));
        }
        let running = self.spawn(py, work)?;
        self.wait(py, running, false)
    }

    /// As [`Call::run`]; after Ctrl-C it waits until the work has ended and undone what it began.
    pub fn run_to_the_end<T: Send + 'static>(
        &mut self,
        py: Python<'_>,
        rows: usize,
        work: impl FnOnce(&Context) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        if rows < INLINE_ROWS {
            return self.run(py, rows, work);
        }
        let running = self.spawn(py, work)?;
        self.wait(py, running, true)
    }

    /// Runs work that takes effect, and waits for it. Neither signals nor the progress callback are asked meanwhile: they could raise
    /// although the work took effect. A pending signal is raised by the interpreter after the call.
    pub fn commit<T: Send + 'static>(
        &mut self,
        py: Python<'_>,
        rows: usize,
        work: impl FnOnce(&Context) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        if rows < INLINE_ROWS {
            return self.run(py, rows, work);
        }
        let receiver = self.spawn(py, work)?.0;
        let done = py.detach(move || receiver.recv().unwrap_or_else(|_| Err(Error::internal("the work ended without a result"))));
        done.map_err(|error| into_py(py, &error))
    }

    /// Runs `work` on borrowed batches and drops them on the calling thread.
    pub fn run_on<T: Send + 'static>(
        &mut self,
        py: Python<'_>,
        batches: Vec<RecordBatch>,
        work: impl FnOnce(&[RecordBatch], &Context) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if rows < INLINE_ROWS {
            let context = &self.context;
            return py.detach(move || guarded(|| work(&batches, context))).map_err(|error| into_py(py, &error));
        }
        let running = self.spawn(py, move |context| {
            let result = guarded(|| work(&batches, context));
            Ok((batches, result))
        })?;
        let (batches, result) = self.wait(py, running, true)?;
        py.detach(|| drop(batches));
        result.map_err(|error| into_py(py, &error))
    }

    /// Pushes all batches of `source` into `fold`; the next group of batches is read while one is processed. What is in memory, and
    /// two groups of any other source, are read ahead: knowing all rows, the builder can choose better.
    pub fn fold<F: Folding>(&mut self, py: Python<'_>, source: &mut Source, mut fold: F) -> PyResult<F> {
        let mut running: Option<Running<(F, Vec<RecordBatch>, Result<()>)>> = None;
        let is_full = |group: &PyResult<Vec<RecordBatch>>| {
            group.as_ref().is_ok_and(|group| group.iter().map(RecordBatch::num_rows).sum::<usize>() >= GROUP_ROWS)
        };
        let most = if source.is_in_memory() && fold.reads_ahead() { usize::MAX } else { 2 };
        let mut read: VecDeque<PyResult<Vec<RecordBatch>>> = VecDeque::from([source.next_group(py)]);
        while read.len() < most && read.back().is_some_and(is_full) {
            read.push_back(source.next_group(py));
        }
        if source.is_interrupted() {
            read.drain(..).collect::<PyResult<Vec<_>>>()?;
        }
        if read.back().is_some_and(is_full) {
            fold.expect_more();
        } else if fold.reads_ahead() && read.iter().all(Result::is_ok) {
            fold = self.read_ahead(py, fold, read.iter().flatten().flatten().cloned().collect())?;
        }
        let mut idle = Some(fold);
        loop {
            // Reading checks for signals; groups that were read ahead are processed in less time than waiting does.
            let group = match read.pop_front() {
                Some(group) => py.check_signals().and(group),
                None => source.next_group(py),
            };
            if let Some(work) = running.take() {
                if group.is_err() {
                    self.context.cancel();
                }
                let (done, batches, result) = self.wait(py, work, true)?;
                py.detach(|| drop(batches));
                // The rows being processed precede the rows that could not be read, so their error takes precedence.
                match result {
                    Err(error) if error.kind() != ErrorKind::Cancelled => return Err(into_py(py, &error)),
                    _ => idle = Some(done),
                }
            }
            let group = group?;
            let Some(next) = idle.take() else { return Err(into_py(py, &Error::internal("the builder was lost"))) };
            fold = next;
            if group.is_empty() {
                self.report(py, true)?;
                py.detach(|| fold.release());
                return Ok(fold);
            }
            let rows: usize = group.iter().map(RecordBatch::num_rows).sum();
            let context = self.context.clone();
            if rows < INLINE_ROWS {
                let (done, result) = py.detach(move || {
                    let result = guarded(|| fold.push(&group, &context));
                    drop(group);
                    (fold, result)
                });
                result.map_err(|error| into_py(py, &error))?;
                self.report(py, false)?;
                idle = Some(done);
            } else {
                running = Some(self.spawn(py, move |context| {
                    let result = guarded(|| fold.push(&group, context));
                    Ok((fold, group, result))
                })?);
            }
        }
    }

    /// Announces all batches to a builder.
    fn read_ahead<F: Folding>(&mut self, py: Python<'_>, mut fold: F, batches: Vec<RecordBatch>) -> PyResult<F> {
        self.run_on(py, batches, move |batches, context| {
            // What is wrong with the data is found again, in the order of the rows, when they are pushed.
            match fold.read_ahead(batches, context) {
                Err(error) if error.kind() == ErrorKind::Cancelled => Err(error),
                _ => Ok(fold),
            }
        })
    }

    fn spawn<T: Send + 'static>(&self, py: Python<'_>, work: impl FnOnce(&Context) -> Result<T> + Send + 'static) -> PyResult<Running<T>> {
        let (sender, receiver) = sync_channel(1);
        // Sending fails if the caller no longer waits.
        let work = move |context: &Context| drop(sender.send(guarded(|| work(context))));
        // Without the GIL: starting the threads of a new pool takes time, as does waiting for other calls that do so.
        py.detach(|| self.context.spawn(work)).map_err(|error| into_py(py, &error))?;
        Ok(Running(receiver))
    }

    /// Waits for `running`. With `to_the_end` it waits until the work has ended, even after a signal.
    fn wait<T: Send>(&mut self, py: Python<'_>, running: Running<T>, to_the_end: bool) -> PyResult<T> {
        let mut receiver = running.0;
        loop {
            let (back, received) = py.detach(move || {
                let received = receiver.recv_timeout(POLL_INTERVAL);
                (receiver, received)
            });
            receiver = back;
            match received {
                Ok(done) => {
                    let done = done.map_err(|error| into_py(py, &error))?;
                    self.report(py, false)?;
                    return Ok(done);
                }
                Err(RecvTimeoutError::Disconnected) => return Err(into_py(py, &Error::internal("the work ended without a result"))),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Err(interrupt) = py.check_signals().and_then(|()| self.report(py, false)) {
                self.context.cancel();
                py.detach(move || {
                    if to_the_end {
                        drop(receiver.recv());
                    } else {
                        drop(receiver.recv_timeout(CANCEL_GRACE));
                    }
                });
                return Err(interrupt);
            }
        }
    }

    /// Calls the progress callback if the number of rows done has changed, or if it was never called by the end.
    fn report(&mut self, py: Python<'_>, at_end: bool) -> PyResult<()> {
        let Some(progress) = &self.progress else { return Ok(()) };
        let done = self.context.rows_done();
        if self.reported != Some(done) || (at_end && self.reported.is_none()) {
            self.reported = Some(done);
            progress.call1(py, (done, self.rows_total))?;
        }
        Ok(())
    }
}
