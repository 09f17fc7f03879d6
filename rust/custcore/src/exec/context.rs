//! What a long computation carries along: how many threads, whether to stop, how far it has come.
//!
//! custcore runs on thread pools of its own, never on rayon's global one, so that an application's own use of rayon and
//! ours do not wait for each other. Pools are kept per thread count and belong to one process: after a fork the child
//! finds its process id changed, leaves the parent's pools alone (their threads do not exist in the child) and builds new ones.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::error::{Error, ErrorKind, Result};

/// Fewer rows than this are not worth a second thread.
pub const ROWS_WORTH_THREADS: usize = 1 << 16;

/// Threads, cancel flag and progress of one call. Cloning it shares the flag and the progress.
#[derive(Debug, Clone)]
pub struct Context {
    /// Found out when it is first asked for, because the system takes longer to tell than scoring a few rows.
    threads: Arc<OnceLock<usize>>,
    cancel: Arc<AtomicBool>,
    rows_done: Arc<AtomicU64>,
}

impl Context {
    /// A context of `threads` threads (at least one).
    pub fn new(threads: usize) -> Self {
        Self { threads: Arc::new(OnceLock::from(threads.max(1))), cancel: Arc::default(), rows_done: Arc::default() }
    }

    /// The same call, for work that is to stay on its thread.
    #[must_use]
    pub fn alone(&self) -> Self {
        Self { threads: Arc::new(OnceLock::from(1)), ..self.clone() }
    }

    /// The same call, for work whose progress is told by the caller.
    #[must_use]
    pub fn quiet(&self) -> Self {
        Self { rows_done: Arc::default(), ..self.clone() }
    }

    /// How many threads the call may use.
    pub fn threads(&self) -> usize {
        *self.threads.get_or_init(default_threads)
    }

    /// Asks the computation to stop at its next look.
    pub fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }

    /// An error when the caller asked to stop. Kernels look every few thousand rows.
    pub fn check(&self) -> Result<()> {
        if self.cancel.load(Ordering::Relaxed) { Err(Error::cancelled()) } else { Ok(()) }
    }

    /// Tells how many more rows are done.
    pub fn advance(&self, rows: u64) {
        self.rows_done.fetch_add(rows, Ordering::Relaxed);
    }

    /// Rows done so far.
    pub fn rows_done(&self) -> u64 {
        self.rows_done.load(Ordering::Relaxed)
    }

    /// Whether work on so many rows should be shared among threads. Smaller work stays on the thread it is on, and must
    /// then use none of rayon's parallel iterators, which would start rayon's global pool.
    pub fn is_worth_threads(&self, rows: usize) -> bool {
        rows >= ROWS_WORTH_THREADS
    }

    /// Runs `work` on so many rows: on the pool of this context where they are worth threads, else on this thread.
    pub fn compute<R: Send>(&self, rows: usize, work: impl FnOnce() -> R + Send) -> Result<R> {
        if self.is_worth_threads(rows) { self.install(work) } else { Ok(work()) }
    }

    /// Runs `work` on the pool of this context and waits for it.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> Result<R> {
        Ok(pool(self.threads())?.install(work))
    }
}

impl Default for Context {
    /// A context of the threads that are available: [`default_threads`].
    fn default() -> Self {
        Self { threads: Arc::default(), cancel: Arc::default(), rows_done: Arc::default() }
    }
}

/// What `work` makes of each of the runs that `rows` rows are cut into, in their order: by the threads of the pool that this
/// is called on where there are many rows, in one run on the calling thread otherwise.
pub fn by_runs<R: Send>(rows: usize, work: impl Fn(Range<usize>) -> R + Sync + Send) -> Vec<R> {
    if rows < ROWS_WORTH_THREADS {
        return vec![work(0..rows)];
    }
    // A few runs a thread even out what the machine does besides.
    let run = rows.div_ceil(4 * rayon::current_num_threads()).max(ROWS_WORTH_THREADS / 4);
    (0..rows.div_ceil(run)).into_par_iter().map(|i| work(i * run..rows.min((i + 1) * run))).collect()
}

/// The same into places of `out` that belong to the runs: `work` is handed the first row of each, and its places.
pub fn fill_by_runs<T: Send>(out: &mut [T], work: impl Fn(usize, &mut [T]) + Sync + Send) {
    let rows = out.len();
    if rows < ROWS_WORTH_THREADS {
        return work(0, out);
    }
    let run = rows.div_ceil(4 * rayon::current_num_threads()).max(ROWS_WORTH_THREADS / 4);
    out.par_chunks_mut(run).enumerate().for_each(|(i, out)| work(i * run, out));
}

/// A column of `rows` values, by several threads where there are many.
pub fn map<T: Send>(rows: usize, value: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    if rows < ROWS_WORTH_THREADS {
        (0..rows).map(value).collect()
    } else {
        (0..rows).into_par_iter().with_min_len(1 << 13).map(value).collect()
    }
}

/// `CUSTCORE_NUM_THREADS`, else the cores available to this process.
pub fn default_threads() -> usize {
    std::env::var("CUSTCORE_NUM_THREADS")
        .ok()
        .and_then(|text| text.trim().parse::<usize>().ok())
        .filter(|&n| n > 0)
        .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
        .unwrap_or(1)
}

/// The pools of one process.
struct Pools {
    process: u32,
    by_threads: Mutex<HashMap<usize, Arc<rayon::ThreadPool>, foldhash::fast::RandomState>>,
}

static POOLS: AtomicPtr<Pools> = AtomicPtr::new(std::ptr::null_mut());

/// The pools of this process. No lock is taken to find them: a lock held by another thread at the moment of a fork
/// would stay locked in the child for ever.
fn pools() -> &'static Pools {
    let process = std::process::id();
    let current = POOLS.load(Ordering::Acquire);
    // SAFETY: the pointer is null or came from `Box::leak` below and is never freed.
    if let Some(pools) = unsafe { current.as_ref() }
        && pools.process == process
    {
        return pools;
    }
    let fresh = Box::into_raw(Box::new(Pools { process, by_threads: Mutex::default() }));
    match POOLS.compare_exchange(current, fresh, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: `fresh` was leaked just now and is never freed.
        Ok(_) => unsafe { &*fresh },
        Err(other) => {
            // SAFETY: `fresh` was not published; `other` was leaked by the thread that won.
            unsafe {
                drop(Box::from_raw(fresh));
                &*other
            }
        }
    }
}

/// The pool of `threads` threads of this process.
pub fn pool(threads: usize) -> Result<Arc<rayon::ThreadPool>> {
    let mut pools = pools().by_threads.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = pools.get(&threads) {
        return Ok(pool.clone());
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("custcore-{i}")).build().map_err(|e| {
        Error::new(ErrorKind::InvalidArgument, format!("cannot start {threads} threads: {e}; ask for fewer with n_threads"))
    })?;
    let pool = Arc::new(pool);
    pools.insert(threads, pool.clone());
    Ok(pool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pool_per_thread_count() -> Result<()> {
        assert!(Arc::ptr_eq(&pool(2)?, &pool(2)?));
        assert_eq!(pool(3)?.current_num_threads(), 3);
        Ok(())
    }

    #[test]
    fn a_cancelled_context_says_so() {
        let context = Context::new(1);
        assert!(context.check().is_ok());
        context.clone().cancel();
        assert_eq!(context.check().map_err(|e| e.kind()), Err(ErrorKind::Cancelled));
    }
}
