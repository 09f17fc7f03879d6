//! Customer totals: first and last day, orders, rows, amount. The kernels read codes, days and units, no Arrow.
//!
//! This is the only place that defines a purchase: an order with a negative amount lowers the sum and is not a purchase
//! (`Net`), or is left out (`Exclude`), or is a purchase (`Count`); an order of 0 is a purchase unless that is disabled.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::block_kernels::UnitValue;
use super::days::DaysOfCustomer;
use super::spec::Returns;
use super::stats::{CustomerStats, CustomerStatsTable, EMPTY};
use crate::column::{BLOCK, flag};
use crate::exec::par::Threads;
use crate::exec::simd::prefetch;
use crate::group::interner::NO_CODE;
use crate::group::key_union::KeyUnion;
use crate::report::Tally;

/// Totals by customer code.
#[derive(Debug, Default, Clone)]
pub(crate) struct Totals {
    stats: CustomerStatsTable,
    /// Number of codes, if no totals are kept.
    absent: Option<usize>,
    /// Rows of purchases; `None` if rows are orders.
    rows: Option<Vec<u64>>,
    /// First row and number of rows of the refunds read before any purchase of the customer. Identifies the customers with
    /// only refunds; for those it covers all refunds.
    refunds_before_purchase: HashMap<u32, (u64, u64), RandomState>,
}

/// Mapping of the codes of one part to those of another.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Codes<'a> {
    /// Identity.
    Same,
    /// New code by old code.
    Map(&'a [u32]),
}

/// The class of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderClass {
    /// A purchase.
    Purchase,
    /// Lowers the sums; not a purchase.
    Refund,
    /// An order of 0; not a purchase.
    Nothing,
    /// Left out.
    LeftOut,
}

/// The rules that define a purchase.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PurchaseRules {
    /// Refunds.
    pub returns: Returns,
    /// Whether an order of amount 0 is a purchase.
    pub zero_is_purchase: bool,
}

/// Tallies of orders that are not purchases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PurchaseTallies {
    /// Refunds that were left out.
    pub excluded_refunds: Tally,
    /// Refunds that lowered the sums.
    pub netted_refunds: Tally,
    /// Orders of 0 that are not purchases.
    pub zero_orders: Tally,
}

impl PurchaseRules {
    /// The class of an order with this amount.
    #[inline]
    pub(crate) fn classify(self, units: i128, amount_is_null: bool) -> OrderClass {
        match self.returns {
            Returns::Exclude if units < 0 => OrderClass::LeftOut,
            Returns::Net if units < 0 => OrderClass::Refund,
            _ if units == 0 && !self.zero_is_purchase && !amount_is_null => OrderClass::Nothing,
            _ => OrderClass::Purchase,
        }
    }
}

impl PurchaseTallies {
    /// Counts an order that is not a purchase.
    pub(crate) fn add(&mut self, class: OrderClass, rows: u64, units: i128, first_row: u64) {
        let tally = match class {
            OrderClass::LeftOut => &mut self.excluded_refunds,
            OrderClass::Refund => &mut self.netted_refunds,
            OrderClass::Nothing => &mut self.zero_orders,
            OrderClass::Purchase => return,
        };
        tally.add_rows(rows, units, first_row);
    }

    /// Merges another part, whose rows were counted from `rows_before`.
    pub(crate) fn merge(&mut self, other: &Self, rows_before: u64) {
        self.excluded_refunds.merge(&other.excluded_refunds, rows_before);
        self.netted_refunds.merge(&other.netted_refunds, rows_before);
        self.zero_orders.merge(&other.zero_orders, rows_before);
    }
}

/// One order of one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    /// The customer's code.
    pub customer: u32,
    /// The local day of its earliest line.
    pub day: i32,
    /// Amount in units.
    pub units: i128,
    /// Number of lines.
    pub lines: u64,
    /// Row number of the first line.
    pub first_row: u64,
    /// Whether the amounts of all lines are null.
    pub amount_is_null: bool,
    /// Union of the marks of its lines, see [`crate::column::mark`].
    pub marks: u8,
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

impl Totals {
    /// Empty totals; `lines` if orders can have several rows.
    pub(crate) fn new(lines: bool) -> Self {
        Self { stats: CustomerStatsTable::default(), absent: None, rows: lines.then(Vec::new), refunds_before_purchase: HashMap::default() }
    }

    /// Totals that keep nothing per customer: orders are only classified and tallied.
    pub(crate) fn absent() -> Self {
        Self { absent: Some(0), ..Self::default() }
    }

    /// An empty instance with the same settings.
    #[must_use]
    pub(crate) fn empty_like(&self) -> Self {
        if self.absent.is_some() { Self::absent() } else { Self::new(self.rows.is_some()) }
    }

    /// Grows to `customers` codes.
    pub(crate) fn grow(&mut self, customers: usize) {
        if let Some(known) = &mut self.absent {
            *known = customers.max(*known);
            return;
        }
        if customers > self.stats.len() {
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
            if self.absent.is_none() {
                self.stats.add_block(codes, days, units, holes);
            }
            return;
        }
        let mut purchases = [NO_CODE; BLOCK];
        for ((purchase, &code), &units) in purchases.iter_mut().zip(codes).zip(units) {
            *purchase = if is_purchase(units) { code } else { NO_CODE };
        }
        if self.absent.is_none() {
            self.stats.add_block(&purchases[..codes.len()], days, units, true);
        }
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

    /// Adds one order. Returns its class. Requires [`Totals::grow`].
    pub(crate) fn add_order(&mut self, rules: PurchaseRules, order: &Order, tallies: &mut PurchaseTallies) -> OrderClass {
        let class = rules.classify(order.units, order.amount_is_null);
        tallies.add(class, order.lines, order.units, order.first_row);
        if self.absent.is_some() {
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

    /// Merges another part; `codes` maps its customer codes, [`NO_CODE`] drops a customer.
    /// Requires [`Totals::grow`].
    pub(crate) fn merge(&mut self, other: &Self, codes: Codes<'_>, rows_before: u64, threads: Threads<'_>) {
        if self.absent.is_some() {
            return;
        }
        match codes {
            Codes::Same => self.stats.join_all(&other.stats, threads),
            Codes::Map(codes) => {
                for (from, &code) in (0..).zip(&codes[..other.stats.len()]).filter(|(_, code)| **code != NO_CODE) {
                    self.stats.join(code, &other.stats.get(from));
                }
            }
        }
        let own = |code: u32| match codes {
            Codes::Same => code as usize,
            Codes::Map(codes) => codes[code as usize] as usize,
        };
        if let (Some(rows), Some(from)) = (&mut self.rows, &other.rows) {
            for (code, &from) in (0..).zip(from).filter(|(_, from)| **from > 0) {
                if let Some(rows) = rows.get_mut(own(code)) {
                    *rows += from;
                }
            }
        }
        for (&code, &(first_row, refund_rows)) in &other.refunds_before_purchase {
            let customer = own(code) as u32;
            if customer != NO_CODE {
                self.add_refunds(customer, (first_row.saturating_add(rows_before), refund_rows));
            }
        }
    }

    /// Merges several parts by their joined ids; `codes` is the number of codes of each part.
    pub(crate) fn gather(parts: &[&Self], codes: &[usize], joined: &KeyUnion, threads: Threads<'_>) -> Self {
        let rows = joined.keys.len();
        if parts.iter().any(|part| part.absent.is_some()) {
            return Self { absent: Some(rows), ..Self::default() };
        }
        let stats: Vec<(&CustomerStatsTable, &[(u32, u32)])> =
            parts.iter().zip(&joined.sources).map(|(part, sources)| (&part.stats, sources.as_slice())).collect();
        let mut whole =
            Self { stats: CustomerStatsTable::gather(&stats, rows, threads), ..Self::new(parts.iter().any(|part| part.rows.is_some())) };
        for (i, part) in parts.iter().enumerate() {
            if part.rows.is_none() && part.refunds_before_purchase.is_empty() {
                continue;
            }
            let positions = joined.positions(i, codes[i]);
            if let (Some(rows), Some(from)) = (&mut whole.rows, &part.rows) {
                rows.resize(whole.stats.len(), 0);
                for (&position, &from) in positions.iter().zip(from).filter(|(position, _)| **position != NO_CODE) {
                    rows[position as usize] += from;
                }
            }
            for (&code, &refunds) in &part.refunds_before_purchase {
                whole.add_refunds(positions[code as usize], refunds);
            }
        }
        whole
    }

    /// Adds customer `from` of another part to customer `to`, if rows are orders. Requires [`Totals::grow`].
    pub(crate) fn take(&mut self, other: &Self, from: u32, to: u32) {
        self.stats.join(to, &other.stats.get(from));
        if let Some(&refunds) = other.refunds_before_purchase.get(&from) {
            self.add_refunds(to, refunds);
        }
    }

    fn add_refunds(&mut self, customer: u32, (first_row, refund_rows): (u64, u64)) {
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
        self.stats.bytes() + self.rows.as_ref().map_or(0, |rows| 8 * rows.capacity()) + 32 * self.refunds_before_purchase.capacity()
    }

    /// Number of codes.
    pub(crate) fn len(&self) -> usize {
        self.absent.unwrap_or(self.stats.len())
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

    /// Concatenates parts with disjoint customers; the codes of each part begin at its start, `len` codes in
    /// total.
    pub(crate) fn concat(parts: &[(&Self, usize)], len: usize, threads: Threads<'_>) -> Self {
        if parts.iter().any(|(part, _)| part.absent.is_some()) {
            return Self { absent: Some(len), ..Self::default() };
        }
        let stats: Vec<(&CustomerStatsTable, usize)> = parts.iter().map(|(part, start)| (&part.stats, *start)).collect();
        let has_rows = parts.iter().any(|(part, _)| part.rows.is_some());
        let mut whole = Self { stats: CustomerStatsTable::concat(&stats, len, threads), ..Self::new(has_rows) };
        if let Some(rows) = &mut whole.rows {
            rows.resize(len, 0);
            for (from, start) in parts.iter().filter_map(|(part, start)| Some((part.rows.as_ref()?, *start))) {
                rows[start..start + from.len()].copy_from_slice(from);
            }
        }
        for (part, start) in parts {
            for (&code, &refunds) in &part.refunds_before_purchase {
                whole.add_refunds(code + *start as u32, refunds);
            }
        }
        whole
    }

    /// Whether a customer has a purchase or a refund. A code has neither if all its rows were left out.
    pub(crate) fn is_present(&self, code: u32) -> bool {
        self.absent.is_some()
            || (code as usize) < self.stats.len() && self.stats.orders(code) > 0
            || self.refunds_before_purchase.contains_key(&code)
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
