//! Day records: purchases, rows and amount by customer and local day. They allow snapshots as of any past day.
//!
//! Records are in runs sorted by customer code and day. New records are buffered until there are enough for a
//! run; runs of similar size are merged, as in an LSM tree, so the cost of an update follows the size of the update, not of
//! the base. Sums are exact, and the records do not depend on how the rows are divided into updates.

use std::sync::{Arc, Mutex, PoisonError};

use super::stats::{CustomerStats, EMPTY};
use crate::group::interner::NO_CODE;

/// The record of one customer and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DayRecord {
    /// The customer's code.
    pub customer: u32,
    /// The local day.
    pub day: i32,
    /// Purchases.
    pub orders: u32,
    /// Rows of the purchases.
    pub rows: u32,
    /// Rows of orders that are not purchases: refunds, and orders of 0 if those are not purchases.
    pub others: u32,
    /// Amount in units, net of refunds.
    pub units: i128,
}

impl DayRecord {
    fn key(&self) -> (u32, i32) {
        (self.customer, self.day)
    }

    /// Adds a record of the same customer and day. Returns false, without a change, if a count would overflow.
    fn join(&mut self, other: &Self) -> bool {
        let sums = (self.orders.checked_add(other.orders), self.rows.checked_add(other.rows), self.others.checked_add(other.others));
        let (Some(orders), Some(rows), Some(others)) = sums else { return false };
        (self.orders, self.rows, self.others) = (orders, rows, others);
        self.units += other.units;
        true
    }
}

/// The sum of some records of one customer, in the order of their days.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DaysOfCustomer {
    /// The customer's code.
    pub customer: u32,
    /// Purchases and amount.
    pub stats: CustomerStats,
    /// Rows of the purchases.
    pub rows: u64,
    /// Rows of other orders on the days before the first purchase.
    pub refund_rows: u64,
}

impl DaysOfCustomer {
    /// The sum of one record.
    #[inline]
    pub(crate) fn of(record: &DayRecord) -> Self {
        let mut sum = Self { customer: record.customer, stats: EMPTY, rows: 0, refund_rows: 0 };
        sum.add(record);
        sum
    }

    /// Adds a record of the same customer.
    #[inline]
    pub(crate) fn add(&mut self, record: &DayRecord) {
        self.stats.units += record.units;
        self.rows += u64::from(record.rows);
        if record.orders > 0 {
            self.stats.orders += u64::from(record.orders);
            self.stats.first = self.stats.first.min(record.day);
            self.stats.last = self.stats.last.max(record.day);
        }
        if self.stats.orders == 0 {
            self.refund_rows += u64::from(record.others);
        }
    }
}

/// Number of buffered records at which a run is created.
const UNSORTED: usize = 1 << 17;

/// All day records of a base, or of the rows of one thread.
#[derive(Debug, Default)]
pub(crate) struct DayRuns {
    /// Each run is at most half as long as the previous one, except the last runs of a merge. Copies of a base share them.
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

/// Records sorted by customer and day, in columns. A customer's day has more than one record only if a count would not
/// fit 32 bits.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct DayRun {
    customers: Vec<u32>,
    days: Vec<i32>,
    orders: Vec<u32>,
    /// `None` while every purchase has one row.
    rows: Option<Vec<u32>>,
    /// `None` while every row belongs to a purchase.
    others: Option<Vec<u32>>,
    units: DayUnits,
}

/// Amounts by record.
#[derive(Debug, Clone, PartialEq, Eq)]
enum DayUnits {
    Short(Vec<i64>),
    Long(Vec<i128>),
}

impl Default for DayUnits {
    fn default() -> Self {
        Self::Short(Vec::new())
    }
}

impl DayRun {
    fn with_capacity(records: usize) -> Self {
        Self {
            customers: Vec::with_capacity(records),
            days: Vec::with_capacity(records),
            orders: Vec::with_capacity(records),
            rows: None,
            others: None,
            units: DayUnits::Short(Vec::with_capacity(records)),
        }
    }

    /// Number of records.
    pub(crate) fn len(&self) -> usize {
        self.customers.len()
    }

    /// A record.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> DayRecord {
        let orders = self.orders[at];
        DayRecord {
            customer: self.customers[at],
            day: self.days[at],
            orders,
            rows: self.rows.as_ref().map_or(orders, |rows| rows[at]),
            others: self.others.as_ref().map_or(0, |others| others[at]),
            units: match &self.units {
                DayUnits::Short(units) => i128::from(units[at]),
                DayUnits::Long(units) => units[at],
            },
        }
    }

    /// The records in order.
    pub(crate) fn records(&self) -> impl ExactSizeIterator<Item = DayRecord> + '_ {
        (0..self.len()).map(|at| self.get(at))
    }

    /// Appends a record that sorts after all others, or adds it to the last one if customer and day are equal.
    pub(crate) fn push(&mut self, record: &DayRecord) {
        if let Some(last) = self.len().checked_sub(1)
            && (self.customers[last], self.days[last]) == record.key()
        {
            let mut sum = self.get(last);
            if sum.join(record) {
                self.drop_last();
                return self.append(&sum);
            }
        }
        self.append(record);
    }

    fn append(&mut self, record: &DayRecord) {
        let before = self.len();
        self.customers.push(record.customer);
        self.days.push(record.day);
        self.orders.push(record.orders);
        if record.rows != record.orders && self.rows.is_none() {
            self.rows = Some(self.orders[..before].to_vec());
        }
        if record.others != 0 && self.others.is_none() {
            self.others = Some(vec![0; before]);
        }
        if let Some(rows) = &mut self.rows {
            rows.push(record.rows);
        }
        if let Some(others) = &mut self.others {
            others.push(record.others);
        }
        match (&mut self.units, i64::try_from(record.units)) {
            (DayUnits::Short(units), Ok(short)) => units.push(short),
            (DayUnits::Short(units), Err(_)) => {
                let mut long: Vec<i128> = units.iter().map(|&units| i128::from(units)).collect();
                long.push(record.units);
                self.units = DayUnits::Long(long);
            }
            (DayUnits::Long(units), _) => units.push(record.units),
        }
    }

    fn drop_last(&mut self) {
        self.customers.pop();
        self.days.pop();
        self.orders.pop();
        if let Some(rows) = &mut self.rows {
            rows.pop();
        }
        if let Some(others) = &mut self.others {
            others.pop();
        }
        match &mut self.units {
            DayUnits::Short(units) => {
                units.pop();
            }
            DayUnits::Long(units) => {
                units.pop();
            }
        }
    }

    /// Merges two runs.
    fn merge(&self, other: &Self) -> Self {
        let mut whole = Self::with_capacity(self.len() + other.len());
        let (mut i, mut j) = (0, 0);
        while i < self.len() && j < other.len() {
            if (self.customers[i], self.days[i]) <= (other.customers[j], other.days[j]) {
                whole.push(&self.get(i));
                i += 1;
            } else {
                whole.push(&other.get(j));
                j += 1;
            }
        }
        (i..self.len()).for_each(|i| whole.push(&self.get(i)));
        (j..other.len()).for_each(|j| whole.push(&other.get(j)));
        whole
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let each = match &self.units {
            DayUnits::Short(_) => 20,
            DayUnits::Long(_) => 28,
        };
        self.customers.capacity() * (each + 4 * usize::from(self.rows.is_some()) + 4 * usize::from(self.others.is_some()))
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
        if self.unsorted.len() >= UNSORTED {
            self.flush();
        }
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
        while let Some(last) = self.runs.pop() {
            if last.len() > 2 * run.len() {
                self.runs.push(last);
                break;
            }
            run = Arc::new(last.merge(&run));
        }
        self.runs.push(run);
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
            let mut moved = DayRun::with_capacity(run.len());
            let mut unsorted: Vec<DayRecord> = Vec::new();
            let mut before = None;
            for record in run.records() {
                let record = DayRecord { customer: own(record.customer), ..record };
                if record.customer == NO_CODE {
                    continue;
                }
                if unsorted.is_empty() && before <= Some(record.key()) {
                    before = Some(record.key());
                    moved.push(&record);
                } else {
                    unsorted.push(record);
                }
            }
            self.add_run(moved);
            if !unsorted.is_empty() {
                unsorted.sort_unstable_by_key(DayRecord::key);
                let mut rest = DayRun::with_capacity(unsorted.len());
                unsorted.iter().for_each(|record| rest.push(record));
                self.add_run(rest);
            }
        }
        for record in &other.unsorted {
            let customer = own(record.customer);
            if customer != NO_CODE {
                self.add(DayRecord { customer, ..*record });
            }
        }
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
        self.runs.iter().map(|run| run.len()).sum::<usize>() + self.unsorted.len()
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
mod tests {
    use super::*;

    fn record(customer: u32, day: i32, units: i128) -> DayRecord {
        DayRecord { customer, day, orders: 1, rows: 1, others: 0, units }
    }

    #[test]
    fn merged_run_does_not_depend_on_partition_of_rows() {
        let records: Vec<DayRecord> = (0..5_000_u32).map(|i| record(i * 7919 % 97, (i * 31 % 50) as i32, i128::from(i))).collect();
        let mut once = DayRuns::default();
        records.iter().for_each(|record| once.add(*record));
        let mut parts = DayRuns::default();
        for piece in records.rchunks(333) {
            let mut part = DayRuns::default();
            for record in piece {
                // The codes of the part are reversed.
                part.add(DayRecord { customer: 96 - record.customer, ..*record });
            }
            if piece.len() % 2 == 1 {
                part.flush();
            }
            parts.merge(&part, &mut |code| 96 - code);
        }
        assert_eq!(once.whole(), parts.whole());
        assert_eq!(once.whole().records().map(|record| record.units).sum::<i128>(), 4_999 * 5_000 / 2);
        assert!(once.whole().records().is_sorted_by(|a, b| a.key() < b.key()));
    }

    #[test]
    fn merged_run_is_cached_until_records_are_added() {
        let mut day_runs = DayRuns::default();
        day_runs.add_run(DayRun::default());
        for customer in [3, 1, 2] {
            day_runs.add(record(customer, 5, 1));
        }
        let whole = day_runs.whole();
        assert!(Arc::ptr_eq(&whole, &day_runs.whole()) && Arc::ptr_eq(&whole, &day_runs.clone().whole()));
        day_runs.add(record(1, 5, 1));
        assert_eq!(day_runs.whole().records().map(|record| (record.customer, record.units)).collect::<Vec<_>>(), [(1, 2), (2, 1), (3, 1)]);
        assert_eq!((whole.len(), day_runs.len()), (3, 4));
    }

    #[test]
    fn optional_columns_are_backfilled() {
        let mut day_runs = DayRuns::default();
        day_runs.add(record(0, 1, 5));
        day_runs.add(DayRecord { rows: 3, ..record(1, 1, 1 << 80) });
        day_runs.add(DayRecord { orders: 0, rows: 0, others: 2, ..record(0, 1, -7) });
        let found: Vec<DayRecord> = day_runs.whole().records().collect();
        assert_eq!(found, [DayRecord { others: 2, ..record(0, 1, -2) }, DayRecord { rows: 3, ..record(1, 1, 1 << 80) }]);
    }

    #[test]
    fn count_beyond_32_bits_takes_two_records() {
        let mut day_runs = DayRuns::default();
        let much = DayRecord { orders: u32::MAX, rows: u32::MAX, ..record(3, 9, 1) };
        day_runs.add(much);
        day_runs.add(much);
        let found: u64 = day_runs.whole().records().map(|record| u64::from(record.orders)).sum();
        assert_eq!(found, 2 * u64::from(u32::MAX));
        assert_eq!(day_runs.counts(4), [0, 0, 0, 1]);
    }
}
