//! State of one call: the number of threads, the cancel flag, and the progress.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::par::{self, ROWS_WORTH_THREADS, Threads};
use crate::error::{Error, Result};

/// Threads, cancel flag and progress of one call. Clones share the flag and the progress.
#[derive(Debug, Clone)]
pub struct Context {
    /// Determined on first use, because asking the system takes longer than scoring a few rows.
    threads: Arc<OnceLock<usize>>,
    /// Whether all work stays on the thread that it is on.
    inline: bool,
    cancel: Arc<AtomicBool>,
    rows_done: Arc<AtomicU64>,
}

impl Context {
    /// A context of `threads` threads (at least one).
    pub fn new(threads: usize) -> Self {
        Self { threads: Arc::new(OnceLock::from(par::granted(threads))), inline: false, cancel: Arc::default(), rows_done: Arc::default() }
    }

    /// The same call, for work that stays on the thread that it is on.
    #[must_use]
    pub fn inline(&self) -> Self {
        Self { threads: Arc::new(OnceLock::from(1)), inline: true, ..self.clone() }
    }

    /// The same call, for work whose progress the caller reports.
    #[must_use]
    pub fn quiet(&self) -> Self {
        Self { rows_done: Arc::default(), ..self.clone() }
    }

    /// How many threads the call may use.
    pub fn threads(&self) -> usize {
        *self.threads.get_or_init(par::default_threads)
    }

    /// Asks the computation to stop at its next check.
    pub fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }

    /// An error after [`Context::cancel`]. Kernels check every few thousand rows.
    pub fn check(&self) -> Result<()> {
        if self.cancel.load(Ordering::Relaxed) { Err(Error::cancelled()) } else { Ok(()) }
    }

    /// Adds `rows` to the progress.
    pub fn advance(&self, rows: u64) {
        self.rows_done.fetch_add(rows, Ordering::Relaxed);
    }

    /// Rows done so far.
    pub fn rows_done(&self) -> u64 {
        self.rows_done.load(Ordering::Relaxed)
    }

    /// Runs `work` on the pool of this context where `rows` rows are worth it, else on the calling thread.
    pub fn run_if_large<R: Send>(&self, rows: usize, work: impl FnOnce(Threads<'_>) -> R + Send) -> Result<R> {
        if rows >= ROWS_WORTH_THREADS { self.install(work) } else { Ok(work(Threads::inline())) }
    }

    /// Runs `work` on the pool of this context and waits for it.
    pub fn install<R: Send>(&self, work: impl FnOnce(Threads<'_>) -> R + Send) -> Result<R> {
        if self.inline {
            return Ok(work(Threads::inline()));
        }
        par::install(self.threads(), work)
    }

    /// Starts `work` on the pool of this context and returns at once. `work` gets this context; it reports its result itself.
    pub fn spawn(&self, work: impl FnOnce(&Self) + Send + 'static) -> Result<()> {
        let context = self.clone();
        par::spawn(self.threads(), move || work(&context))
    }
}

impl Default for Context {
    /// A context of the default number of threads: `CUSTCORE_NUM_THREADS`, else the cores available.
    fn default() -> Self {
        Self { threads: Arc::default(), inline: false, cancel: Arc::default(), rows_done: Arc::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use std::sync::mpsc::channel;
    use std::thread;

    fn name() -> Option<String> {
        thread::current().name().map(str::to_owned)
    }

    #[test]
    fn a_cancelled_context_is_an_error() {
        let context = Context::new(1);
        assert!(context.check().is_ok());
        context.clone().cancel();
        assert_eq!(context.check().map_err(|e| e.kind()), Err(ErrorKind::Cancelled));
    }

    #[test]
    fn small_work_stays_on_the_calling_thread() -> Result<()> {
        let here = thread::current().id();
        let context = Context::new(2);
        let small = context.run_if_large(ROWS_WORTH_THREADS - 1, |threads| (thread::current().id(), threads.count()))?;
        assert_eq!(small, (here, 1));
        let large = context.run_if_large(ROWS_WORTH_THREADS, |threads| (name(), threads.count()))?;
        assert!(large.0.is_some_and(|name| name.starts_with("custcore-")));
        assert_eq!(large.1, 2);
        assert_eq!(context.inline().install(|threads| (thread::current().id(), threads.count()))?, (here, 1));
        Ok(())
    }

    #[test]
    fn spawned_work_runs_on_the_pool() -> Result<()> {
        let (sender, receiver) = channel();
        Context::new(2).spawn(move |context| drop(sender.send((name(), context.threads()))))?;
        let (name, threads) = receiver.recv().map_err(Error::internal)?;
        assert!(name.is_some_and(|name| name.starts_with("custcore-")));
        assert_eq!(threads, 2);
        Ok(())
    }
}
