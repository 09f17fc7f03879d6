//! Thread pools of custcore, never rayon's global one.
//!
//! An application's own use of rayon and custcore's do not wait for each other, and a forked child works: pools belong to one
//! process, and a child, where the parent's threads do not exist, builds new ones.
//!
//! Pools are kept for the next call with the same number of threads. Those that no call uses are bounded in number and
//! threads; the least recently used are stopped first.

use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, ErrorKind, Result};

/// Threads of one pool, at most.
const MAX_THREADS: usize = 1024;
/// Idle pools that are kept, at most.
const IDLE_POOLS: usize = 4;
/// Threads of all idle pools but the last one used, at most.
const IDLE_THREADS: usize = 128;

/// `CUSTCORE_NUM_THREADS`, else the cores available to this process.
pub(super) fn default_threads() -> usize {
    std::env::var("CUSTCORE_NUM_THREADS")
        .ok()
        .and_then(|text| text.trim().parse::<usize>().ok())
        .filter(|&n| n > 0)
        .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
        .unwrap_or(1)
}

/// Pools, the most recently used one first.
#[derive(Debug, Default)]
struct Recent(Vec<Arc<ThreadPool>>);

impl Recent {
    /// The pool of `threads` threads; pools that are no longer worth keeping are moved to `stopped`.
    fn get(&mut self, threads: usize, stopped: &mut Vec<Arc<ThreadPool>>) -> Result<Arc<ThreadPool>> {
        let pool = match self.0.iter().position(|pool| pool.current_num_threads() == threads) {
            Some(at) => self.0.remove(at),
            None => Arc::new(start(threads)?),
        };
        self.0.insert(0, pool.clone());
        let (mut pools, mut sum) = (0, 0);
        stopped.extend(self.0.extract_if(1.., |pool| {
            // A pool in use stays, so that nested calls find it.
            if Arc::strong_count(pool) > 1 {
                return false;
            }
            pools += 1;
            sum += pool.current_num_threads();
            pools >= IDLE_POOLS || sum > IDLE_THREADS
        }));
        Ok(pool)
    }
}

fn start(threads: usize) -> Result<ThreadPool> {
    if threads > MAX_THREADS {
        let message = format!("{threads} threads are more than {MAX_THREADS}; use fewer in n_threads or CUSTCORE_NUM_THREADS");
        return Err(Error::new(ErrorKind::OutOfRange, message));
    }
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("custcore-{i}"))
        .build()
        .map_err(|e| Error::new(ErrorKind::InvalidArgument, format!("cannot start {threads} threads: {e}; ask for fewer with n_threads")))
}

/// The pools of one process.
struct Pools {
    process: u32,
    recent: Mutex<Recent>,
}

static POOLS: AtomicPtr<Pools> = AtomicPtr::new(std::ptr::null_mut());

/// The pools of this process. No lock is taken to find them: a lock that another thread holds during a fork would stay
/// locked in the child for ever.
fn pools() -> &'static Pools {
    pools_of(&POOLS, std::process::id())
}

fn pools_of(slot: &AtomicPtr<Pools>, process: u32) -> &'static Pools {
    let current = slot.load(Ordering::Acquire);
    // SAFETY: the pointer is null or came from `Box::into_raw` below and is never freed once published.
    if let Some(pools) = unsafe { current.as_ref() }
        && pools.process == process
    {
        return pools;
    }
    let fresh = Box::into_raw(Box::new(Pools { process, recent: Mutex::default() }));
    match slot.compare_exchange(current, fresh, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: `fresh` was published just now and is never freed.
        Ok(_) => unsafe { &*fresh },
        Err(other) => {
            // SAFETY: `fresh` was not published; `other` was published by the thread that won.
            unsafe {
                drop(Box::from_raw(fresh));
                &*other
            }
        }
    }
}

/// The pool of `threads` threads of this process. It stays alive while the result is held.
pub(super) fn pool(threads: usize) -> Result<Arc<ThreadPool>> {
    // Dropping the last reference tells the threads to end and does not wait for them; still not under the lock.
    let mut stopped = Vec::new();
    pools().recent.lock().unwrap_or_else(PoisonError::into_inner).get(threads, &mut stopped)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn idle(recent: &Recent) -> Vec<usize> {
        recent.0.iter().map(|pool| pool.current_num_threads()).collect()
    }

    fn get(recent: &mut Recent, threads: usize) -> Result<Arc<ThreadPool>> {
        recent.get(threads, &mut Vec::new())
    }

    #[test]
    fn calls_with_the_same_number_of_threads_share_a_pool() -> Result<()> {
        let mut recent = Recent::default();
        let first = get(&mut recent, 2)?;
        get(&mut recent, 3)?;
        assert!(Arc::ptr_eq(&first, &get(&mut recent, 2)?));
        assert_eq!(first.current_num_threads(), 2);
        Ok(())
    }

    #[test]
    fn idle_pools_are_bounded_in_number_and_threads() -> Result<()> {
        let mut recent = Recent::default();
        for threads in 1..20 {
            get(&mut recent, threads)?;
        }
        assert_eq!(idle(&recent), [19, 18, 17, 16]);
        get(&mut recent, 100)?;
        assert_eq!(idle(&recent), [100, 19, 18, 17]);
        get(&mut recent, 2)?;
        assert_eq!(idle(&recent), [2, 100, 19]);
        get(&mut recent, IDLE_THREADS + 1)?;
        assert_eq!(idle(&recent), [IDLE_THREADS + 1, 2, 100, 19]);
        get(&mut recent, 2)?;
        assert_eq!(idle(&recent), [2]);
        Ok(())
    }

    #[test]
    fn a_pool_in_use_outlives_others() -> Result<()> {
        let mut recent = Recent::default();
        let used = get(&mut recent, 2)?;
        for threads in 3..12 {
            get(&mut recent, threads)?;
        }
        assert!(Arc::ptr_eq(&used, &get(&mut recent, 2)?));
        assert_eq!(used.install(rayon::current_num_threads), 2);
        drop(used);
        for threads in 3..12 {
            get(&mut recent, threads)?;
        }
        assert!(!idle(&recent).contains(&2));
        Ok(())
    }

    #[test]
    fn work_of_a_stopped_pool_ends() -> Result<()> {
        let (sender, receiver) = channel();
        let (go, wait) = channel::<()>();
        let pool = start(1)?;
        pool.spawn(move || {
            assert!(wait.recv().is_err());
            assert!(sender.send(7).is_ok());
        });
        drop(pool);
        drop(go);
        assert_eq!(receiver.recv(), Ok(7));
        Ok(())
    }

    #[test]
    fn a_forked_child_has_pools_of_its_own() -> Result<()> {
        let slot = AtomicPtr::default();
        let parent = pools_of(&slot, 1);
        // Another thread of the parent holds the lock during the fork; the child never sees it released.
        let held = parent.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let child = pools_of(&slot, 2);
        assert!(!std::ptr::eq(parent, child) && std::ptr::eq(child, pools_of(&slot, 2)));
        let pool = get(&mut child.recent.lock().unwrap_or_else(PoisonError::into_inner), 2)?;
        assert_eq!(pool.install(rayon::current_num_threads), 2);
        drop(held);
        Ok(())
    }

    #[test]
    fn too_many_threads_are_an_error() {
        let error = start(100_000).map(drop).map_err(|error| (error.kind(), error.to_string()));
        assert!(matches!(error, Err((ErrorKind::OutOfRange, text)) if text.contains("100000") && text.contains("1024")));
    }
}
