//! Day records: purchases, rows and amount by customer and local day. They allow snapshots as of any past day.
//!
//! Records are in runs sorted by customer code and day. New records are buffered until there are enough for a
//! run; runs of similar size are merged, as in an LSM tree, so the cost of an update follows the size of the update, not of
//! the base. Sums are exact, and the records do not depend on how the rows are divided into updates.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use super::day_run::{DayRecord, DayRun, DaysOfCustomer};
use crate::group::interner::NO_CODE;

/// Number of buffered records at which a run is created.
const UNSORTED: usize = 1 << 17;
/// A buffered record takes twice the memory of one in a run, so a run is created earlier if the buffer has this many records, and
/// the runs are not many times longer.
const FEW_UNSORTED: usize = 1 << 12;
/// How many times longer they may be.
const RUNS_PER_UNSORTED: usize = 8;

/// All day records of a base, or of the rows of one thread.
#[derive(Debug, Default)]
pub(crate) struct DayRuns {
    /// Each run is less than half as long as the previous one. Copies of a base share them.
    runs: Vec<Arc<DayRun>>,
    unsorted: Vec<DayRecord>,
    /// Cache of all records merged into one run. Only `try_lock` is used: a reader that finds it locked, in a forked
    /// child possibly forever, merges the runs without the cache.
    merged: Mutex<Option<Arc<DayRun>>>,
}

impl Clone for DayRuns {
    fn clone(&self) -> Self {
        Self { runs: self.runs.clone(), unsorted: self.unsorted.clone(), merged: Mutex::new(self.merged()) }
    }
}

impl DayRuns {
    /// Adds a record.
    #[inline]
    pub(crate) fn add(&mut self, record: DayRecord) {
        self.forget_merged();
        if let Some(last) = self.unsorted.last_mut()
            && last.key() == record.key()
            && last.join(&record)
        {
            return;
        }
        self.unsorted.push(record);
        let len = self.unsorted.len();
        if len >= FEW_UNSORTED && len.is_power_of_two() && (len >= UNSORTED || RUNS_PER_UNSORTED * len >= self.sorted()) {
            self.flush();
        }
    }

    /// Number of records in runs.
    fn sorted(&self) -> usize {
        self.runs.iter().map(|run| run.len()).sum()
    }

    /// Creates a run of the buffered records.
    pub(crate) fn flush(&mut self) {
        if self.unsorted.is_empty() {
            return;
        }
        self.unsorted.sort_unstable_by_key(DayRecord::key);
        let mut run = DayRun::with_capacity(self.unsorted.len());
        self.unsorted.iter().for_each(|record| run.push(record));
        self.unsorted = Vec::new();
        self.push_run(Arc::new(run));
    }

    /// Adds a run.
    pub(crate) fn add_run(&mut self, run: DayRun) {
        self.forget_merged();
        self.push_run(Arc::new(run));
    }

    fn push_run(&mut self, mut run: Arc<DayRun>) {
        if run.len() == 0 {
            return;
        }
        // The order of runs is free, so a run is merged with one of its size, wherever that is.
        let is_similar = |a: usize, b: usize| a <= 2 * b && b <= 2 * a;
        while let Some(at) = self.runs.iter().position(|other| is_similar(other.len(), run.len())) {
            let other = self.runs.remove(at);
            run = Arc::new(other.merge(&run));
        }
        let at = self.runs.partition_point(|other| other.len() > run.len());
        self.runs.insert(at, run);
    }

    /// Merges all records into one run, the smallest first. Runs that no copy shares are freed.
    pub(crate) fn settle(&mut self) {
        self.forget_merged();
        self.flush();
        while self.runs.len() > 1 {
            let two = self.runs.split_off(self.runs.len() - 2);
            self.runs.push(Arc::new(two[0].merge(&two[1])));
        }
    }

    /// Adds the records of others in one pass. The codes of each, which begin at a number of their own, follow those of the one
    /// before.
    pub(crate) fn append_all(&mut self, parts: Vec<(Self, u32)>) {
        let mut whole = DayRun::with_capacity(parts.iter().map(|(part, _)| part.len()).sum());
        for (mut part, start) in parts {
            part.settle();
            for run in part.runs {
                run.records().for_each(|record| whole.push(&DayRecord { customer: record.customer + start, ..record }));
            }
        }
        self.add_run(whole);
    }

    /// The cached run of all records.
    fn merged(&self) -> Option<Arc<DayRun>> {
        self.merged.try_lock().ok().and_then(|merged| merged.clone())
    }

    /// Replaces the runs by the cached run of all records, if there is one. Called before records are added.
    #[inline]
    fn forget_merged(&mut self) {
        if let Some(run) = self.merged.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            self.runs = vec![run];
            self.unsorted = Vec::new();
        }
    }

    /// Merges the records of another part; `own` maps its customer codes. Records mapped to [`NO_CODE`] are dropped.
    pub(crate) fn merge(&mut self, other: &Self, own: &mut dyn FnMut(u32) -> u32) {
        for run in &other.runs {
            let mut start = 0;
            while start < run.len() {
                let end = run.len().min(start + u32::MAX as usize);
                self.add_run(run.mapped(start..end, own));
                start = end;
            }
        }
        for record in &other.unsorted {
            let customer = own(record.customer);
            if customer != NO_CODE {
                self.add(DayRecord { customer, ..*record });
            }
        }
    }

    /// Removes the records of these customers, whose codes ascend.
    pub(crate) fn remove(&mut self, customers: &[u32]) {
        self.forget_merged();
        self.unsorted.retain(|record| customers.binary_search(&record.customer).is_err());
        for run in &mut self.runs {
            let ranges: Vec<Range<usize>> = run.ranges(customers).collect();
            if !ranges.is_empty() {
                Arc::make_mut(run).remove(&ranges);
            }
        }
        self.runs.retain(|run| run.len() > 0);
    }

    /// Calls `each` with the records of these customers, whose codes ascend.
    pub(crate) fn of_customers(&self, customers: &[u32], mut each: impl FnMut(DayRecord)) {
        for run in &self.runs {
            run.ranges(customers).flatten().for_each(|at| each(run.get(at)));
        }
        let unsorted = self.unsorted.iter().filter(|record| customers.binary_search(&record.customer).is_ok());
        unsorted.for_each(|record| each(*record));
    }

    /// All records in one run. The result is cached until records are added.
    pub(crate) fn whole(&self) -> Arc<DayRun> {
        if let ([run], true) = (self.runs.as_slice(), self.unsorted.is_empty()) {
            return run.clone();
        }
        if let Some(run) = self.merged() {
            return run;
        }
        let mut all = Self { runs: self.runs.clone(), unsorted: self.unsorted.clone(), merged: Mutex::default() };
        all.flush();
        let mut runs = all.runs.into_iter().rev();
        let first = runs.next().unwrap_or_default();
        let whole = runs.fold(first, |whole, run| Arc::new(run.merge(&whole)));
        if let Ok(mut merged) = self.merged.try_lock() {
            *merged = Some(whole.clone());
        }
        whole
    }

    /// The largest absolute amount of a record.
    pub(crate) fn largest_units(&self) -> u128 {
        let unsorted = self.unsorted.iter().map(|record| record.units.unsigned_abs());
        self.runs.iter().map(|run| run.largest_units()).chain(unsorted).max().unwrap_or(0)
    }

    /// The number of distinct purchase days by code.
    pub(crate) fn counts(&self, customers: usize) -> Vec<u32> {
        let mut counts = vec![0; customers];
        let mut before = None;
        for record in self.whole().records().filter(|record| record.orders > 0) {
            if before != Some(record.key()) {
                counts[record.customer as usize] += 1;
                before = Some(record.key());
            }
        }
        counts
    }

    /// Number of records; an upper bound while some are buffered.
    pub(crate) fn len(&self) -> usize {
        self.sorted() + self.unsorted.len()
    }

    /// Number of runs.
    #[cfg(test)]
    pub(crate) fn n_runs(&self) -> usize {
        self.runs.len()
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let runs = self.runs.iter().chain(&self.merged()).map(|run| run.bytes()).sum::<usize>();
        runs + self.unsorted.capacity() * size_of::<DayRecord>()
    }
}

#[cfg(test)]
#[path = "days_tests.rs"]
mod tests;
