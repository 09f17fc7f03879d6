//! A segment of day records: customers in ascending order, each with its records in columns. The purchases of a day and its other
//! orders are records of their own.

use std::mem::size_of;
use std::ops::Range;

use super::day_columns::{Counts, Days, Narrow, Units, shrink};
use super::day_record::DayRecord;
use super::purchase_rows::{PurchaseRow, day_of, units_of};

/// Records sorted by customer and day, those of purchases before those of other orders. A customer's day has more than one record
/// of either only if a count would not fit 32 bits.
#[derive(Debug, Default, Clone)]
pub(crate) struct DaySegment {
    /// The customers, ascending. Their codes are these numbers plus the base of the segment, see [`super::day_run::Piece`].
    customers: Vec<u32>,
    /// The end of the records of each customer.
    ends: Vec<u32>,
    days: Days,
    /// `None` while each record is one purchase.
    orders: Option<Counts>,
    /// `None` while every purchase has one row.
    rows: Option<Counts>,
    /// `None` while every row belongs to a purchase.
    others: Option<Counts>,
    units: Units,
    /// Room for this many records was made in the first columns, and is in the others when they are needed.
    expected: usize,
}

impl DaySegment {
    pub(super) fn with_capacity(customers: usize, records: usize) -> Self {
        Self {
            customers: Vec::with_capacity(customers),
            ends: Vec::with_capacity(customers),
            days: Days::with_capacity(records),
            units: Units::with_capacity(records),
            expected: records,
            ..Self::default()
        }
    }

    /// Number of records.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.ends.last().map_or(0, |&end| end as usize)
    }

    /// The customers.
    #[inline]
    pub(crate) fn customers(&self) -> &[u32] {
        &self.customers
    }

    /// The records of the customer at a position.
    #[inline]
    pub(crate) fn range(&self, rank: usize) -> Range<usize> {
        let start = if rank == 0 { 0 } else { self.ends[rank - 1] as usize };
        start..self.ends[rank] as usize
    }

    /// The record at a position, as one of this customer.
    #[inline]
    pub(crate) fn get(&self, customer: u32, at: usize) -> DayRecord {
        let orders = self.orders(at);
        DayRecord {
            customer,
            day: self.day(at),
            orders,
            rows: self.rows.as_ref().map_or(orders, |rows| rows.get(at)),
            others: self.others.as_ref().map_or(0, |others| others.get(at)),
            units: self.units.get(at),
        }
    }

    #[inline]
    fn orders(&self, at: usize) -> u32 {
        self.orders.as_ref().map_or(1, |orders| orders.get(at))
    }

    /// The day of a record.
    #[inline]
    pub(crate) fn day(&self, at: usize) -> i32 {
        self.days.get(at)
    }

    /// Day and kind of a record, by which those of a customer are sorted.
    #[inline]
    pub(super) fn key(&self, at: usize) -> (i32, bool) {
        let of_others = self.others.as_ref().is_some_and(|others| others.get(at) > 0 && self.orders(at) == 0);
        (self.day(at), of_others)
    }

    /// The day of a record with a purchase.
    #[inline]
    pub(crate) fn purchase_day(&self, at: usize) -> Option<i32> {
        (self.orders(at) > 0).then(|| self.day(at))
    }

    /// Whether each record is purchases of one row each.
    pub(crate) fn is_of_purchases(&self) -> bool {
        let all_bought = match &self.orders {
            None => true,
            Some(Counts::Narrow(orders)) => !orders.contains(&0),
            Some(Counts::Wide(orders)) => !orders.contains(&0),
        };
        all_bought && self.rows.is_none() && self.others.is_none()
    }

    /// The first and the last day of a record.
    pub(crate) fn ends_of_days(&self) -> Option<(i32, i32)> {
        if self.len() == 0 {
            return None;
        }
        match &self.days {
            Days::Narrow(days) => {
                let ends = days.iter().fold((u16::MAX, 0), |(low, high), &day| (low.min(day), high.max(day)));
                Some((Narrow::<i32>::widen(ends.0), Narrow::<i32>::widen(ends.1)))
            }
            Days::Wide(days) => Some(days.iter().fold((i32::MAX, i32::MIN), |(low, high), &day| (low.min(day), high.max(day)))),
        }
    }

    /// Purchases and amount of a range of records, each of purchases.
    pub(crate) fn sums(&self, range: Range<usize>) -> (u64, i128) {
        let orders = match &self.orders {
            None => range.len() as u64,
            Some(orders) => range.clone().map(|at| u64::from(orders.get(at))).sum(),
        };
        let units = match &self.units {
            Units::Narrow(units) => units[range].iter().map(|&units| i128::from(units)).sum(),
            Units::Wide(units) => units[range].iter().sum(),
        };
        (orders, units)
    }

    /// Appends a record that sorts after all others, or adds it to the last one if customer, day and kind are equal.
    pub(super) fn push(&mut self, record: &DayRecord) {
        let last = self.len().wrapping_sub(1);
        if self.customers.last() == Some(&record.customer) && self.key(last) == (record.day, record.is_of_others()) {
            let mut sum = self.get(record.customer, last);
            if sum.join(record) {
                self.days.pop();
                self.units.pop();
                self.orders.iter_mut().chain(&mut self.rows).chain(&mut self.others).for_each(Counts::pop);
                self.close(record.customer, last);
                return self.push_new(&sum);
            }
        }
        self.push_new(record);
    }

    fn push_new(&mut self, record: &DayRecord) {
        let before = self.len();
        let capacity = self.expected;
        if record.orders != 1 && self.orders.is_none() {
            self.orders = Some(Counts::of(1, before, capacity));
        }
        if record.rows != record.orders && self.rows.is_none() {
            let mut rows = Counts::with_capacity(capacity.max(before));
            match &self.orders {
                Some(orders) => rows.append(orders, 0..before),
                None => rows.fill(1, before),
            }
            self.rows = Some(rows);
        }
        if record.others != 0 && self.others.is_none() {
            self.others = Some(Counts::of(0, before, capacity));
        }
        self.days.push(record.day);
        self.units.push(record.units);
        for (column, count) in [(&mut self.orders, record.orders), (&mut self.rows, record.rows), (&mut self.others, record.others)] {
            if let Some(column) = column {
                column.push(count);
            }
        }
        self.close(record.customer, before + 1);
    }

    /// Ends the records of a customer, the last one or one after it.
    #[inline]
    fn close(&mut self, customer: u32, end: usize) {
        if self.customers.last() == Some(&customer) {
            if let Some(last) = self.ends.last_mut() {
                *last = end as u32;
            }
        } else {
            self.customers.push(customer);
            self.ends.push(end as u32);
        }
    }

    /// Appends records of another segment, which sort after all others, as those of this customer.
    pub(super) fn append(&mut self, customer: u32, from: &Self, range: Range<usize>) {
        let (before, n) = (self.len(), range.len());
        let capacity = self.expected;
        if from.orders.is_some() && self.orders.is_none() {
            self.orders = Some(Counts::of(1, before, capacity));
        }
        if from.rows.is_some() && self.rows.is_none() {
            let mut rows = Counts::with_capacity(capacity.max(before));
            match &self.orders {
                Some(orders) => rows.append(orders, 0..before),
                None => rows.fill(1, before),
            }
            self.rows = Some(rows);
        }
        if from.others.is_some() && self.others.is_none() {
            self.others = Some(Counts::of(0, before, capacity));
        }
        self.days.append(&from.days, range.clone());
        self.units.append(&from.units, range.clone());
        if let Some(rows) = &mut self.rows {
            match from.rows.as_ref().or(from.orders.as_ref()) {
                Some(more) => rows.append(more, range.clone()),
                None => rows.fill(1, n),
            }
        }
        if let Some(orders) = &mut self.orders {
            match &from.orders {
                Some(more) => orders.append(more, range.clone()),
                None => orders.fill(1, n),
            }
        }
        if let Some(others) = &mut self.others {
            match &from.others {
                Some(more) => others.append(more, range),
                None => others.fill(0, n),
            }
        }
        self.close(customer, before + n);
    }

    /// Number of distinct days with a purchase of a range of records of one customer.
    pub(super) fn count_purchase_days(&self, range: Range<usize>) -> u32 {
        if self.orders.is_none() && self.others.is_none() {
            return range.len() as u32;
        }
        let (mut count, mut before) = (0, None);
        for day in range.filter_map(|at| self.purchase_day(at)) {
            count += u32::from(before != Some(day));
            before = Some(day);
        }
        count
    }

    /// Appends the purchases of a customer after the last one. They are sorted by day here, and equal days are added up.
    pub(super) fn add_purchases(&mut self, customer: u32, purchases: &mut [PurchaseRow]) {
        if !purchases.is_sorted() {
            purchases.sort_unstable();
        }
        let before = self.len();
        let distinct = purchases.windows(2).fold(true, |all, pair| all & (day_of(pair[0]) != day_of(pair[1])));
        if distinct && let (Some(days), Some(units)) = (self.days.narrow_mut(), self.units.narrow_mut()) {
            days.extend(purchases.iter().map(|&row| day_of(row)));
            units.extend(purchases.iter().map(|&row| units_of(row)));
            self.orders.iter_mut().chain(&mut self.rows).for_each(|counts| counts.fill(1, purchases.len()));
            self.others.iter_mut().for_each(|counts| counts.fill(0, purchases.len()));
            return self.close(customer, before + purchases.len());
        }
        for same in purchases.chunk_by(|&a, &b| day_of(a) == day_of(b)) {
            let units = same.iter().map(|&row| i128::from(units_of(row))).sum();
            let orders = same.len() as u32;
            self.push_new(&DayRecord { customer, day: Narrow::<i32>::widen(day_of(same[0])), orders, rows: orders, others: 0, units });
        }
    }

    /// Gives back the capacity that is not used.
    pub(super) fn shrink(&mut self) {
        shrink(&mut self.customers);
        shrink(&mut self.ends);
        self.days.shrink();
        self.units.shrink();
        self.orders.iter_mut().chain(&mut self.rows).chain(&mut self.others).for_each(Counts::shrink);
    }

    /// The largest absolute amount of a record.
    pub(super) fn largest_units(&self) -> u128 {
        let largest = match &self.units {
            Units::Narrow(units) => units.iter().map(|units| u128::from(units.unsigned_abs())).max(),
            Units::Wide(units) => units.iter().map(|units| units.unsigned_abs()).max(),
        };
        largest.unwrap_or(0)
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let counts: usize = self.orders.iter().chain(&self.rows).chain(&self.others).map(Counts::bytes).sum();
        4 * (self.customers.capacity() + self.ends.capacity()) + self.days.bytes() + self.units.bytes() + counts + size_of::<Self>()
    }
}
