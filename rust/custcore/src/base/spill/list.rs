//! The list of the runs of a base.

use std::sync::atomic::{AtomicU64, Ordering};

use super::run::Run;

/// The customers of a base on disk.
#[derive(Debug, Default)]
pub(crate) struct Spilled {
    pub(super) runs: Vec<Run>,
    /// Rows and bytes of all runs written so far, including those that compaction replaced.
    pub(super) written: (u64, u64),
    /// Number of customers of the base, on disk and in memory, as of a version of it.
    pub(super) counted: Counted,
}

/// A count that is known as of a version of the base.
#[derive(Debug, Default)]
pub(super) struct Counted {
    customers: AtomicU64,
    /// The version plus 1; 0 before the first count.
    version: AtomicU64,
}

impl Counted {
    pub(super) fn get(&self, version: u64) -> Option<u64> {
        (self.version.load(Ordering::Acquire) == version + 1).then(|| self.customers.load(Ordering::Relaxed))
    }

    /// Sets the count. A base that several threads share does not change, so all of them set the same.
    pub(super) fn set(&self, version: u64, customers: u64) {
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
    /// The runs.
    pub(crate) fn list(&self) -> &[Run] {
        &self.runs
    }

    pub(super) fn of(runs: Vec<Run>, written: (u64, u64)) -> Self {
        Self { runs, written, counted: Counted::default() }
    }

    /// Adds a run that was just written.
    pub(super) fn push(&mut self, run: Run) {
        self.written = (self.written.0 + run.customers(), self.written.1 + run.bytes());
        self.runs.push(run);
    }
}
