//! Customer totals: first and last day, orders, rows, amount. The kernels read codes, days and units, no Arrow.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;

use super::block_kernels::{UnitValue, ends};
use super::days::DaysOfCustomer;
pub(crate) use super::purchase_rules::{Order, OrderClass, PurchaseRules, PurchaseTallies};
use super::stats::{CustomerStats, CustomerStatsTable, EMPTY};
use crate::column::{BLOCK, flag};
use crate::exec::simd::prefetch;
use crate::group::interner::NO_CODE;
use crate::report::Tally;

/// Totals by customer code.
#[derive(Debug, Default, Clone)]
pub(crate) struct Totals {
    pub(super) stats: CustomerStatsTable,
    /// Number of codes, if no totals are kept.
    pub(super) absent: Option<usize>,
    /// Rows of purchases; `None` if rows are orders.
    pub(super) rows: Option<Vec<u64>>,
    /// First row and number of rows of the refunds read before any purchase of the customer. Identifies the customers with
    /// only refunds; for those it covers all refunds.
    pub(super) refunds_before_purchase: HashMap<u32, (u64, u64), RandomState>,
    /// The totals of ranges of days, by the same codes. With them, those of all days are not kept.
    pub(super) ranges: Vec<RangeTotals>,
}

/// Mapping of the codes of one part to those of another.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Codes<'a> {
    /// Identity.
    Same,
    /// New code by old code.
    Map(&'a [u32]),
}

/// Row numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RowNumbers<'a> {
    /// Consecutive from this number.
    From(u64),
    /// Offsets from the first number.
    Scattered(u64, &'a [u32]),
}

impl RowNumbers<'_> {
    /// The row number of row `i`.
    #[inline]
    pub(crate) fn get(&self, i: usize) -> u64 {
        match self {
            Self::From(first) => first + i as u64,
            Self::Scattered(first, rows) => first + u64::from(rows[i]),
        }
    }
}

/// Rows that are one order each, in columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowSlice<'a, U> {
    /// Customer codes, [`NO_CODE`] for rows that do not count.
    pub codes: &'a [u32],
    /// Local days.
    pub days: &'a [i32],
    /// Amounts in units.
    pub units: &'a [U],
    /// Null flags.
    pub flags: &'a [u8],
    /// Marks of each row, if an order log is kept.
    pub marks: Option<&'a [u8]>,
    /// Row numbers.
    pub rows: RowNumbers<'a>,
    /// Whether some codes are [`NO_CODE`].
    pub holes: bool,
}

/// The totals of the orders of a range of days. All ranges have the same codes.
#[derive(Debug, Clone)]
pub(crate) struct RangeTotals {
    pub(super) days: Range<i32>,
    pub(super) totals: Totals,
}

impl RangeTotals {
    /// Empty totals of orders of one row each.
    pub(super) fn new(days: Range<i32>) -> Self {
        Self { days, totals: Totals::new(false) }
    }

    /// Adds a block of purchases.
    pub(super) fn add_block<U: UnitValue>(&mut self, codes: &[u32], days: &[i32], units: &[U], holes: bool) {
        let (first, last) = ends(days);
        let Range { start, end } = self.days;
        if codes.is_empty() || first >= end || last < start {
            return;
        }
        let stats = &mut self.totals.stats;
        if first >= start && last < end {
            stats.add_block(codes, days, units, holes);
            return;
        }
        let mut inside = [NO_CODE; BLOCK];
        for ((inside, &code), day) in inside.iter_mut().zip(codes).zip(days) {
            *inside = if (start..end).contains(day) { code } else { NO_CODE };
        }
        stats.add_block(&inside[..codes.len()], days, units, true);
    }

    /// Adds an order if it is within the range.
    pub(super) fn add_order(&mut self, rules: PurchaseRules, order: &Order) {
        if self.days.contains(&order.day) {
            self.totals.add_order(rules, order, &mut PurchaseTallies::default());
        }
    }
}

impl Totals {
    /// Empty totals; `lines` if orders can have several rows.
    pub(crate) fn new(lines: bool) -> Self {
        Self { rows: lines.then(Vec::new), ..Self::default() }
    }

    /// Empty totals of orders of one row each, by range of days.
    pub(crate) fn with_ranges(ranges: Vec<Range<i32>>) -> Self {
        Self { ranges: ranges.into_iter().map(RangeTotals::new).collect(), ..Self::default() }
    }

    /// Totals that keep nothing per customer: orders are only classified and tallied.
    pub(crate) fn absent() -> Self {
        Self { absent: Some(0), ..Self::default() }
    }

    /// An empty instance with the same settings.
    #[must_use]
    pub(crate) fn empty_like(&self) -> Self {
        if self.absent.is_some() {
            return Self::absent();
        }
        let ranges = self.ranges.iter().map(|range| RangeTotals::new(range.days.clone())).collect();
        Self { ranges, ..Self::new(self.rows.is_some()) }
    }

    /// Grows to `customers` codes.
    pub(crate) fn grow(&mut self, customers: usize) {
        if let Some(known) = &mut self.absent {
            *known = customers.max(*known);
            return;
        }
        self.ranges.iter_mut().for_each(|range| range.totals.grow(customers));
        if customers > self.stats.len() && self.ranges.is_empty() {
            self.stats.grow(customers);
            if let Some(rows) = &mut self.rows {
                rows.resize(customers, 0);
            }
        }
    }

    /// Adds rows (at most a block) that are one order each. Rows of code [`NO_CODE`] are skipped. Requires [`Totals::grow`].
    pub(crate) fn add_rows<U: UnitValue>(&mut self, rules: PurchaseRules, rows: &RowSlice<'_, U>, tallies: &mut PurchaseTallies) {
        let zero = U::default();
        let RowSlice { codes, days, units, flags, rows, holes, .. } = *rows;
        let is_purchase = |units: U| units > zero || (units == zero && rules.zero_is_purchase);
        // One vectorized pass, so that the common block needs no branch per row.
        if is_purchase(U::least(units)) {
            self.add_block(codes, days, units, holes);
            return;
        }
        let mut purchases = [NO_CODE; BLOCK];
        for ((purchase, &code), &units) in purchases.iter_mut().zip(codes).zip(units) {
            *purchase = if is_purchase(units) { code } else { NO_CODE };
        }
        self.add_block(&purchases[..codes.len()], days, units, true);
        for i in (0..codes.len()).filter(|&i| codes[i] != NO_CODE && purchases[i] == NO_CODE) {
            let amount_is_null = flags[i] & flag::NULL_AMOUNT != 0;
            let order = Order {
                customer: codes[i],
                day: days[i],
                units: units[i].into(),
                lines: 1,
                first_row: rows.get(i),
                amount_is_null,
                marks: 0,
            };
            self.add_order(rules, &order, tallies);
        }
    }

    /// Adds a block of purchases; see [`CustomerStatsTable::add_block`].
    #[inline]
    fn add_block<U: UnitValue>(&mut self, codes: &[u32], days: &[i32], units: &[U], holes: bool) {
        if self.absent.is_none() && self.ranges.is_empty() {
            self.stats.add_block(codes, days, units, holes);
        }
        self.ranges.iter_mut().for_each(|range| range.add_block(codes, days, units, holes));
    }

    /// Adds one order. Returns its class. Requires [`Totals::grow`].
    pub(crate) fn add_order(&mut self, rules: PurchaseRules, order: &Order, tallies: &mut PurchaseTallies) -> OrderClass {
        let class = rules.classify(order.units, order.amount_is_null);
        tallies.add(class, order.lines, order.units, order.first_row);
        if self.absent.is_some() || !self.ranges.is_empty() {
            self.ranges.iter_mut().for_each(|range| range.add_order(rules, order));
            return class;
        }
        match class {
            OrderClass::LeftOut => return class,
            OrderClass::Refund | OrderClass::Nothing => {}
            OrderClass::Purchase => {
                self.stats.join(order.customer, &CustomerStats { units: order.units, orders: 1, first: order.day, last: order.day });
                if let Some(rows) = &mut self.rows {
                    rows[order.customer as usize] += order.lines;
                }
                return class;
            }
        }
        self.stats.join(order.customer, &CustomerStats { units: order.units, ..EMPTY });
        if self.stats.orders(order.customer) == 0 {
            self.add_refunds(order.customer, (order.first_row, order.lines));
        }
        class
    }

    /// Adds customer `from` of another part to customer `to`, if rows are orders. Requires [`Totals::grow`].
    pub(crate) fn take(&mut self, other: &Self, from: u32, to: u32) {
        if !self.ranges.is_empty() {
            return self.ranges.iter_mut().zip(&other.ranges).for_each(|(own, other)| own.totals.take(&other.totals, from, to));
        }
        self.stats.join(to, &other.stats.get(from));
        if let Some(&refunds) = other.refunds_before_purchase.get(&from) {
            self.add_refunds(to, refunds);
        }
    }

    /// Adds customer `from` of another instance to customer `to`. Requires [`Totals::grow`].
    pub(crate) fn copy_from(&mut self, other: &Self, from: u32, to: u32) {
        self.take(other, from, to);
        if let (Some(rows), Some(from)) = (&mut self.rows, other.rows.as_ref().and_then(|rows| rows.get(from as usize))) {
            rows[to as usize] += from;
        }
    }

    /// Empties the entries of these codes.
    pub(crate) fn clear(&mut self, codes: &[u32]) {
        for &code in codes {
            self.stats.clear(code);
            if let Some(rows) = self.rows.as_mut().and_then(|rows| rows.get_mut(code as usize)) {
                *rows = 0;
            }
            self.refunds_before_purchase.remove(&code);
        }
        self.ranges.iter_mut().for_each(|range| range.totals.clear(codes));
    }

    pub(super) fn add_refunds(&mut self, customer: u32, (first_row, refund_rows): (u64, u64)) {
        let (row, rows) = self.refunds_before_purchase.entry(customer).or_insert((first_row, 0));
        *row = first_row.min(*row);
        *rows += refund_rows;
    }

    /// Adds the days of a customer who has no totals yet. Requires [`Totals::grow`].
    pub(crate) fn add_days(&mut self, days: &DaysOfCustomer) {
        let DaysOfCustomer { customer, stats, rows, refund_rows } = *days;
        self.stats.join(customer, &stats);
        if let Some(own) = &mut self.rows {
            own[customer as usize] += rows;
        }
        if refund_rows > 0 {
            self.add_refunds(customer, (u64::MAX, refund_rows));
        }
    }

    /// Adds the totals of a customer from a file: the rows of the purchases, or first row and rows of other orders if
    /// there are none. Requires [`Totals::grow`].
    pub(crate) fn restore(&mut self, code: u32, entry: &CustomerStats, rows: u64, others: (u64, u64)) {
        self.stats.join(code, entry);
        if let Some(own) = &mut self.rows {
            own[code as usize] += rows;
        }
        if others.1 > 0 {
            self.add_refunds(code, others);
        }
    }

    /// Purchases, their rows, and the amount of a customer.
    pub(crate) fn of(&self, code: u32) -> (u64, u64, i128) {
        let entry = self.stats.get(code);
        (entry.orders, self.rows.as_ref().map_or(entry.orders, |rows| rows[code as usize]), entry.units)
    }

    /// First row and rows of the refunds of a customer read before any purchase.
    pub(crate) fn refunds_of(&self, code: u32) -> Option<(u64, u64)> {
        self.refunds_before_purchase.get(&code).copied()
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let ranges = self.ranges.iter().map(|range| range.totals.bytes()).sum::<usize>();
        let rows = self.rows.as_ref().map_or(0, |rows| 8 * rows.capacity());
        self.stats.bytes() + rows + 32 * self.refunds_before_purchase.capacity() + ranges
    }

    /// Number of codes.
    pub(crate) fn len(&self) -> usize {
        self.absent.or(self.ranges.first().map(|range| range.totals.len())).unwrap_or(self.stats.len())
    }

    /// Whether there are no codes.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no totals are kept.
    pub(crate) fn are_absent(&self) -> bool {
        self.absent.is_some()
    }

    /// Prefetches the cache lines of a customer.
    #[inline]
    pub(crate) fn prefetch(&self, code: u32) {
        self.stats.prefetch(code);
        if let Some(rows) = &self.rows {
            prefetch(rows, code as usize);
        }
    }

    /// Whether a customer has a purchase or a refund. A code has neither if all its rows were left out.
    pub(crate) fn is_present(&self, code: u32) -> bool {
        self.absent.is_some()
            || (code as usize) < self.stats.len() && self.stats.orders(code) > 0
            || self.refunds_before_purchase.contains_key(&code)
            || self.ranges.iter().any(|range| range.totals.is_present(code))
    }

    /// Number of customers with a purchase or a refund.
    pub(crate) fn count_present(&self) -> usize {
        if !self.ranges.is_empty() {
            return (0..self.len() as u32).filter(|&code| self.is_present(code)).count();
        }
        let is_no_buyer = |code: &&u32| self.stats.orders(**code) == 0;
        self.absent.unwrap_or_else(|| self.stats.buyers() + self.refunds_before_purchase.keys().filter(is_no_buyer).count())
    }

    /// The totals of ranges of days, if they are kept.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (&Range<i32>, &Self)> {
        self.ranges.iter().map(|range| (&range.days, &range.totals))
    }

    /// Customer stats by code.
    pub(crate) fn stats(&self) -> &CustomerStatsTable {
        &self.stats
    }

    /// Rows of purchases by code; `None` if rows are orders.
    pub(crate) fn rows(&self) -> Option<&[u64]> {
        self.rows.as_deref()
    }

    /// Tally of the customers with only refunds.
    pub(crate) fn without_purchase(&self) -> Tally {
        let mut tally = Tally::default();
        for (&code, &(row, rows)) in &self.refunds_before_purchase {
            let entry = self.stats.get(code);
            if entry.orders == 0 {
                tally.add_rows(rows, entry.units, row);
            }
        }
        tally
    }
}
