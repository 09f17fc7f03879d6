//! Day records, and runs of them: columns sorted by customer and day. The purchases of a day and its other orders are records of
//! their own, so that refunds can be told from purchases.

use std::ops::Range;

use super::stats::{CustomerStats, EMPTY};
use crate::group::interner::NO_CODE;

/// The purchases of one customer and day, or the other orders of that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DayRecord {
    /// The customer's code.
    pub customer: u32,
    /// The local day.
    pub day: i32,
    /// Purchases.
    pub orders: u32,
    /// Rows of the purchases. In a record of other orders: those of `others` that are not the first row of a refund, which are none
    /// where every row is an order, so that the column is not stored.
    pub rows: u32,
    /// Rows of orders that are not purchases: refunds, and orders of 0 if those are not purchases.
    pub others: u32,
    /// Amount in units: of the purchases, or of the refunds.
    pub units: i128,
}

impl DayRecord {
    /// Records of equal keys are added up.
    pub(super) fn key(&self) -> (u32, i32, bool) {
        (self.customer, self.day, self.is_of_others())
    }

    /// Whether it holds orders that are not purchases.
    #[inline]
    pub(crate) fn is_of_others(&self) -> bool {
        self.others > 0 && self.orders == 0
    }

    /// Rows of its purchases.
    #[inline]
    pub(crate) fn purchase_rows(&self) -> u32 {
        if self.is_of_others() { 0 } else { self.rows }
    }

    /// Number of its refunds.
    #[inline]
    pub(crate) fn refund_orders(&self) -> u32 {
        if self.is_of_others() { self.others.saturating_sub(self.rows) } else { 0 }
    }

    /// Adds a record of the same customer and day. Returns false, without a change, if a count would overflow.
    pub(super) fn join(&mut self, other: &Self) -> bool {
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
        self.rows += u64::from(record.purchase_rows());
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

/// Records sorted by customer and day, in columns; those of purchases come first. A customer's day has more than one record of
/// either only if a count would not fit 32 bits.
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
    pub(super) fn with_capacity(records: usize) -> Self {
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

    /// The days of all records.
    pub(crate) fn days(&self) -> &[i32] {
        &self.days
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

    fn key(&self, at: usize) -> (u32, i32, bool) {
        let of_others = self.others.as_ref().is_some_and(|others| others[at] > 0 && self.orders[at] == 0);
        (self.customers[at], self.days[at], of_others)
    }

    /// The day of a record with a purchase.
    #[inline]
    pub(crate) fn purchase_day(&self, at: usize) -> Option<i32> {
        (self.orders[at] > 0).then(|| self.days[at])
    }

    /// The records in order.
    pub(crate) fn records(&self) -> impl ExactSizeIterator<Item = DayRecord> + '_ {
        (0..self.len()).map(|at| self.get(at))
    }

    /// Appends a record that sorts after all others, or adds it to the last one if customer and day are equal.
    pub(crate) fn push(&mut self, record: &DayRecord) {
        if let Some(last) = self.len().checked_sub(1)
            && self.key(last) == record.key()
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
            let mut rows = Vec::with_capacity(self.customers.capacity());
            rows.extend_from_slice(&self.orders[..before]);
            self.rows = Some(rows);
        }
        // As large as the other columns, so that it does not grow in between.
        let capacity = self.customers.capacity();
        if record.others != 0 && self.others.is_none() {
            let mut others = Vec::with_capacity(capacity);
            others.resize(before, 0);
            self.others = Some(others);
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
    pub(super) fn merge(&self, other: &Self) -> Self {
        let mut whole = Self::with_capacity(self.len() + other.len());
        let (mut i, mut j) = (0, 0);
        while i < self.len() && j < other.len() {
            if self.key(i) <= other.key(j) {
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

    /// The records at some positions under other customer codes, which `own` gives; those mapped to [`NO_CODE`] are left out.
    pub(super) fn mapped(&self, range: Range<usize>, own: &mut dyn FnMut(u32) -> u32) -> Self {
        // The records of a customer are together, so customers are sorted, not records: (code, first record, from the start).
        let mut groups: Vec<(u32, u32)> = Vec::new();
        let customers = &self.customers[range.clone()];
        let (mut before, mut records) = (None, 0);
        for (at, &customer) in (0..).zip(customers) {
            if before != Some(customer) {
                groups.push((own(customer), at));
                before = Some(customer);
            }
            records += usize::from(groups.last().is_some_and(|(code, _)| *code != NO_CODE));
        }
        if !groups.is_sorted() {
            groups.sort_unstable();
        }
        let mut moved = Self::with_capacity(records);
        let group = |(code, first): (u32, u32)| {
            let of_customer = &customers[first as usize..];
            let records = (range.start + first as usize..).zip(of_customer).take_while(|(_, customer)| **customer == of_customer[0]);
            records.map(move |(at, _)| DayRecord { customer: code, ..self.get(at) })
        };
        for same in groups.chunk_by(|a, b| a.0 == b.0).filter(|same| same[0].0 != NO_CODE) {
            if let [one] = same {
                group(*one).for_each(|record| moved.push(&record));
            } else {
                let mut several: Vec<DayRecord> = same.iter().flat_map(|&one| group(one)).collect();
                several.sort_unstable_by_key(DayRecord::key);
                several.iter().for_each(|record| moved.push(record));
            }
        }
        moved
    }

    /// The positions of the records of these customers, ascending.
    pub(super) fn ranges<'a>(&'a self, customers: &'a [u32]) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut from = 0;
        let ranges = customers.iter().map(move |&customer| {
            let start = from + self.customers[from..].partition_point(|&other| other < customer);
            from = start + self.customers[start..].partition_point(|&other| other == customer);
            start..from
        });
        ranges.filter(|range| !range.is_empty())
    }

    /// Removes the records at these ascending positions.
    pub(super) fn remove(&mut self, ranges: &[Range<usize>]) {
        remove_ranges(&mut self.customers, ranges);
        remove_ranges(&mut self.days, ranges);
        remove_ranges(&mut self.orders, ranges);
        self.rows.iter_mut().chain(&mut self.others).for_each(|counts| remove_ranges(counts, ranges));
        match &mut self.units {
            DayUnits::Short(units) => remove_ranges(units, ranges),
            DayUnits::Long(units) => remove_ranges(units, ranges),
        }
    }

    /// The largest absolute amount of a record.
    pub(super) fn largest_units(&self) -> u128 {
        let largest = match &self.units {
            DayUnits::Short(units) => units.iter().map(|units| u128::from(units.unsigned_abs())).max(),
            DayUnits::Long(units) => units.iter().map(|units| units.unsigned_abs()).max(),
        };
        largest.unwrap_or(0)
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

/// Removes ascending ranges of values; each of the other values moves once.
fn remove_ranges<T: Copy>(values: &mut Vec<T>, ranges: &[Range<usize>]) {
    let Some(first) = ranges.first() else { return };
    let mut len = first.start;
    for (at, range) in ranges.iter().enumerate() {
        let next = ranges.get(at + 1).map_or(values.len(), |next| next.start);
        values.copy_within(range.end..next, len);
        len += next - range.end;
    }
    values.truncate(len);
}
