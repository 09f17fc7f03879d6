//! Day records: purchases, rows and amount by customer and local day. They allow snapshots as of any past day.
//!
//! Records are in runs sorted by customer code and day. New records are buffered until there are enough for a
//! run; runs of similar size are merged, as in an LSM tree, so the cost of an update follows the size of the update, not of
//! the base. Sums are exact, and the records do not depend on how the rows are divided into updates.

use std::sync::{Arc, Mutex, PoisonError};

use super::block_kernels::{UnitValue, ends};
pub(crate) use super::day_index::DayIndex;
use super::day_merge::{append, mapped, merge, select};
pub(crate) use super::day_record::{DayRecord, DaysOfCustomer};
pub(crate) use super::day_run::{DayRun, DayRunBuilder, Group, Piece};
use super::purchase_rows::PurchaseRows;
pub(crate) use super::purchase_rows::{PurchaseRow, purchase_row};
use super::purchase_rows::{row_of, rows_fit};
use crate::exec::par::Threads;
use crate::group::interner::NO_CODE;

/// Number of buffered purchases at which a run is created, at least.
const BUFFERED: usize = 1 << 17;
/// Purchases are buffered until they take this fraction of the memory of the runs, so that each record is merged a few times only.
const BUFFERED_FRACTION: usize = 2;
/// Bytes of a buffered purchase.
const PURCHASE_BYTES: usize = 12;
/// Number of other buffered records at which a run is created.
const UNSORTED: usize = 1 << 17;
/// A buffered record takes several times the memory of one in a run, so a run is created earlier if the buffer has this many
/// records, and they take more than a half of the memory of all others.
const FEW_UNSORTED: usize = 1 << 12;
/// Number of buffered purchases of a part at which the number of their days is estimated first.
const FIRST_ESTIMATE: usize = 1 << 14;
/// Bytes of a record in a run, about.
const RECORD_BYTES: f64 = 10.0;
/// Runs and buffered purchases of a part take at most this many times the memory of runs alone, or a run is created.
const MOST_BUFFERED: f64 = 1.4;

/// When the purchases of a part are sorted.
#[derive(Debug, Clone)]
struct Deferred {
    /// The number of buffered purchases at which that is considered next.
    next: usize,
}

/// All day records of a base, or of the rows of one thread.
#[derive(Debug, Default)]
pub(crate) struct DayRuns {
    /// Each run is less than half as long as the previous one. Copies of a base share them.
    runs: Vec<Arc<DayRun>>,
    /// Purchases of one row each.
    purchases: PurchaseRows,
    unsorted: Vec<DayRecord>,
    /// Set for one of many parts whose runs are merged at the end: see [`DayRuns::defer`].
    deferred: Option<Deferred>,
    /// Cache of all records merged into one run. Only `try_lock` is used: a reader that finds it locked, in a forked
    /// child possibly forever, merges the runs without the cache.
    merged: Mutex<Option<Arc<DayRun>>>,
}

impl Clone for DayRuns {
    fn clone(&self) -> Self {
        Self { merged: Mutex::new(self.merged()), ..self.copy() }
    }
}

impl DayRuns {
    /// A copy without the cache.
    fn copy(&self) -> Self {
        Self {
            runs: self.runs.clone(),
            purchases: self.purchases.clone(),
            unsorted: self.unsorted.clone(),
            deferred: self.deferred.clone(),
            merged: Mutex::default(),
        }
    }

    /// Adds a record.
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
        if len >= FEW_UNSORTED && len.is_power_of_two() && (len >= UNSORTED || self.are_many(len)) {
            let run = self.sort_others();
            self.push_run(Arc::new(run), Threads::inline());
        }
    }

    /// Adds a purchase of one row.
    #[inline]
    pub(crate) fn add_purchase(&mut self, customer: u32, row: PurchaseRow) {
        self.forget_merged();
        self.purchases.push(customer, row);
    }

    /// Buffers purchases as long as they take hardly more memory than a run of them would: one of many parts, which together fit no
    /// cache, is sorted best only once.
    pub(crate) fn defer(&mut self) {
        self.deferred = Some(Deferred { next: FIRST_ESTIMATE });
    }

    /// Creates a run of the buffered purchases if there are many. To be called after a block.
    pub(crate) fn end_block(&mut self) {
        let len = self.purchases.len();
        if let Some(deferred) = &self.deferred {
            if len >= deferred.next {
                self.flush_if_shorter();
            }
            return;
        }
        if len >= BUFFERED && BUFFERED_FRACTION * PURCHASE_BYTES * len >= self.bytes_of_runs() {
            self.flush();
        }
    }

    /// Creates a run of the buffered purchases if many of them are of one customer and day.
    fn flush_if_shorter(&mut self) {
        let (len, runs) = (self.purchases.len(), self.bytes_of_runs() as f64);
        let buffered = (PURCHASE_BYTES * len) as f64;
        let next = if runs + buffered > MOST_BUFFERED * (runs + RECORD_BYTES * self.purchases.estimate_distinct()) {
            self.flush();
            FIRST_ESTIMATE
        } else {
            len + len / 2
        };
        self.deferred = Some(Deferred { next });
    }

    /// Adds a block of rows if all are purchases that fit: `least` is the least amount of a purchase. Else it adds none.
    pub(crate) fn add_purchases<U: UnitValue>(&mut self, customers: &[u32], days: &[i32], units: &[U], least: U) -> bool {
        let fits = !U::IS_WIDE && U::least(units) >= least && rows_fit(ends(days), U::size(units));
        if fits {
            self.forget_merged();
            self.purchases.extend(customers, days.iter().zip(units).map(|(&day, &units)| row_of(day, units.narrow())));
            self.end_block();
        }
        fits
    }

    /// Whether so many unsorted records take much memory beside the others.
    fn are_many(&self, unsorted: usize) -> bool {
        2 * size_of::<DayRecord>() * unsorted >= self.bytes_of_runs() + self.purchases.bytes()
    }

    /// Number of records in runs.
    fn sorted(&self) -> usize {
        self.runs.iter().map(|run| run.len()).sum()
    }

    fn bytes_of_runs(&self) -> usize {
        self.runs.iter().map(|run| run.bytes()).sum()
    }

    /// Creates a run of the buffered records.
    pub(crate) fn flush(&mut self) {
        let purchases = self.sort_purchases();
        let others = self.sort_others();
        let both = if purchases.len() > 0 && others.len() > 0 {
            merge(Arc::new(purchases), Arc::new(others), Threads::inline())
        } else if others.len() > 0 {
            others
        } else {
            purchases
        };
        self.push_run(Arc::new(both), Threads::inline());
    }

    fn sort_purchases(&mut self) -> DayRun {
        let purchases = std::mem::take(&mut self.purchases);
        let mut run = DayRunBuilder::new(purchases.len());
        purchases.by_customer(|customer, purchases| run.add_purchases(customer, purchases));
        run.finish()
    }

    fn sort_others(&mut self) -> DayRun {
        let mut unsorted = std::mem::take(&mut self.unsorted);
        unsorted.sort_unstable_by_key(DayRecord::key);
        let mut run = DayRunBuilder::new(unsorted.len());
        unsorted.iter().for_each(|record| run.push(record));
        run.finish()
    }

    /// Adds a run.
    pub(crate) fn add_run(&mut self, run: DayRun) {
        self.forget_merged();
        self.push_run(Arc::new(run), Threads::inline());
    }

    fn push_run(&mut self, mut run: Arc<DayRun>, threads: Threads<'_>) {
        if run.len() == 0 {
            return;
        }
        // The order of runs is free, so a run is merged with one of its size, wherever that is.
        let is_similar = |a: usize, b: usize| a <= 2 * b && b <= 2 * a;
        while let Some(at) = self.runs.iter().position(|other| is_similar(other.len(), run.len())) {
            let other = self.runs.remove(at);
            run = Arc::new(merge(other, run, threads));
        }
        let at = self.runs.partition_point(|other| other.len() > run.len());
        self.runs.insert(at, run);
    }

    /// Merges all records into one run, the smallest first. Runs that no copy shares are freed.
    pub(crate) fn settle(&mut self, threads: Threads<'_>) {
        self.forget_merged();
        self.flush();
        while let [.., _, _] = self.runs.as_slice() {
            let (Some(short), Some(long)) = (self.runs.pop(), self.runs.pop()) else { return };
            self.runs.push(Arc::new(merge(long, short, threads)));
        }
    }

    /// Adds the records of others, whose codes follow each other: those of each begin at a number of its own.
    pub(crate) fn append_all(&mut self, parts: Vec<(Self, u32)>, threads: Threads<'_>) {
        let settled = threads.par_tasks(parts, |(mut part, start)| {
            part.settle(Threads::inline());
            (part.runs.pop().map(Arc::unwrap_or_clone).unwrap_or_default(), start)
        });
        self.forget_merged();
        self.push_run(Arc::new(append(settled)), threads);
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
            self.purchases = PurchaseRows::default();
            self.unsorted = Vec::new();
        }
    }

    /// Merges the records of another part; `own` maps its customer codes. Records mapped to [`NO_CODE`] are dropped.
    pub(crate) fn merge(&mut self, other: &Self, own: &mut dyn FnMut(u32) -> u32, threads: Threads<'_>) {
        self.forget_merged();
        for run in &other.runs {
            self.push_run(Arc::new(mapped(run, own)), threads);
        }
        self.add_buffered(other, own);
    }

    /// Merges the records of another part with the same codes. Runs are shared where they need not be merged.
    pub(crate) fn merge_same(&mut self, mut other: Self, threads: Threads<'_>) {
        self.forget_merged();
        for run in std::mem::take(&mut other.runs) {
            self.push_run(run, threads);
        }
        self.add_buffered(&other, &mut |code| code);
    }

    fn add_buffered(&mut self, other: &Self, own: &mut dyn FnMut(u32) -> u32) {
        for (customer, row) in other.purchases.iter() {
            let customer = own(customer);
            if customer != NO_CODE {
                self.add_purchase(customer, row);
            }
        }
        for record in &other.unsorted {
            let customer = own(record.customer);
            if customer != NO_CODE {
                self.add(DayRecord { customer, ..*record });
            }
        }
        self.end_block();
    }

    /// Adds the records of customers of others, which have no buffered ones: (other, code there, new code), ascending by new code.
    pub(crate) fn take(&mut self, others: &[DayIndex], customers: &[(u32, u32, u32)]) {
        let mut found = Vec::with_capacity(customers.len());
        let mut records = 0;
        for &(own, other, code) in customers {
            let count = others[other as usize].count(code);
            records += count;
            if count > 0 {
                found.push((own, other, code));
            }
        }
        let run = select(records, &found, |&(own, other, code)| Some(Group { customer: own, ..others[other as usize].group(code)? }));
        self.add_run(run);
    }

    /// Removes the records of these customers, whose codes ascend.
    pub(crate) fn remove(&mut self, customers: &[u32]) {
        self.forget_merged();
        let stays = |customer: u32| customers.binary_search(&customer).is_err();
        self.unsorted.retain(|record| stays(record.customer));
        self.purchases.retain(stays);
        for run in &mut self.runs {
            if run.groups_at(customers).next().is_some() {
                Arc::make_mut(run).remove(customers);
            }
        }
        self.runs.retain(|run| run.len() > 0);
    }

    /// Calls `each` with the records of these customers, whose codes ascend.
    pub(crate) fn of_customers(&self, customers: &[u32], mut each: impl FnMut(DayRecord)) {
        for run in &self.runs {
            run.groups_at(customers).for_each(|group| group.records().for_each(&mut each));
        }
        let is_one = |customer: u32| customers.binary_search(&customer).is_ok();
        let purchases = self.purchases.iter().filter(|(customer, _)| is_one(*customer));
        purchases.for_each(|(customer, row)| each(DayRecord::of_purchase(customer, row)));
        self.unsorted.iter().filter(|record| is_one(record.customer)).for_each(|record| each(*record));
    }

    /// All records in one run. The result is cached until records are added.
    pub(crate) fn whole(&self) -> Arc<DayRun> {
        if let ([run], 0, true) = (self.runs.as_slice(), self.purchases.len(), self.unsorted.is_empty()) {
            return run.clone();
        }
        if let Some(run) = self.merged() {
            return run;
        }
        let mut all = self.copy();
        all.settle(Threads::inline());
        let whole = all.runs.pop().unwrap_or_default();
        if let Ok(mut merged) = self.merged.try_lock() {
            *merged = Some(whole.clone());
        }
        whole
    }

    /// The largest absolute amount of a record.
    pub(crate) fn largest_units(&self) -> u128 {
        let purchases = self.purchases.iter().map(|(customer, row)| DayRecord::of_purchase(customer, row).units.unsigned_abs());
        let unsorted = self.unsorted.iter().map(|record| record.units.unsigned_abs());
        self.runs.iter().map(|run| run.largest_units()).chain(purchases).chain(unsorted).max().unwrap_or(0)
    }

    /// The number of distinct purchase days by code.
    pub(crate) fn counts(&self, customers: usize) -> Vec<u32> {
        let mut counts = vec![0; customers];
        for group in self.whole().groups() {
            counts[group.customer as usize] = group.segment.count_purchase_days(group.range.clone());
        }
        counts
    }

    /// Number of records; an upper bound while some are buffered.
    pub(crate) fn len(&self) -> usize {
        self.sorted() + self.purchases.len() + self.unsorted.len()
    }

    /// Number of runs.
    #[cfg(test)]
    pub(crate) fn n_runs(&self) -> usize {
        self.runs.len()
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let cached = self.merged().map_or(0, |run| run.bytes());
        self.bytes_of_runs() + cached + self.purchases.bytes() + self.unsorted.capacity() * size_of::<DayRecord>()
    }
}

#[cfg(test)]
#[path = "days_tests.rs"]
mod tests;
