//! The state of all customers, or of the rows of one thread. All of it is exact and merges in any order.

use super::accumulator::Level;
use super::accumulators::Accumulators;
use super::adjacent_order::AdjacentOrder;
use super::block_kernels::UnitValue;
use super::daily_tallies::DailyTallies;
use super::days::{DayRecord, DayRuns, purchase_row};
use super::open_orders::OpenOrders;
use super::order_lines::{OrderLine, OrderParts};
use super::order_list::OrderList;
use super::order_log::OrderLog;
use super::spec::{BaseSpec, OrderLines, Track};
use super::totals::{Order, OrderClass, PurchaseRules, PurchaseTallies, RowSlice, Totals};
use crate::column::chunks::InputSchema;
use crate::column::flag;
use crate::error::Result;
use crate::exec::par::Threads;
use crate::group::encoding::KeyEncoding;
use crate::group::interner::{Interner, NO_CODE};
use crate::report::Tally;

/// Tallies of rows that were left out, and of rows that count but have a null.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RowTallies {
    /// Rows without a customer id.
    pub null_id: Tally,
    /// Rows without a timestamp.
    pub null_time: Tally,
    /// Rows with an infinite amount.
    pub nonfinite: Tally,
    /// Rows after the last day (`until`).
    pub after: Tally,
    /// Rows that count, without an amount.
    pub null_amount: Tally,
    /// Rows that count, whose amount changed by more than 1 % when it was rounded; what that took, in units of 10^-18.
    pub rounded_amount: Tally,
    /// Rows that count, without an order id; each is one order.
    pub null_order: Tally,
    /// Late lines: lines of sealed orders.
    pub late: Tally,
    /// Orders of removed customers.
    pub removed: Tally,
}

impl RowTallies {
    /// All of them.
    pub(crate) fn all(&self) -> [Tally; 9] {
        let Self { null_id, null_time, nonfinite, after, null_amount, rounded_amount, null_order, late, removed } = *self;
        [null_id, null_time, nonfinite, after, null_amount, rounded_amount, null_order, late, removed]
    }

    pub(crate) fn merge(&mut self, other: &Self, rows_before: u64) {
        self.null_id.merge(&other.null_id, rows_before);
        self.null_time.merge(&other.null_time, rows_before);
        self.nonfinite.merge(&other.nonfinite, rows_before);
        self.after.merge(&other.after, rows_before);
        self.null_amount.merge(&other.null_amount, rows_before);
        self.rounded_amount.merge(&other.rounded_amount, rows_before);
        self.null_order.merge(&other.null_order, rows_before);
        self.late.merge(&other.late, rows_before);
        self.removed.merge(&other.removed, rows_before);
    }
}

/// A closed split order: its lines are on several days. As of a day in between only some of its lines count, so its class
/// differs by day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SplitOrder {
    /// The whole order.
    pub order: Order,
    /// Its parts by day.
    pub parts: OrderParts,
}

/// The state of an update, of a base, or of one thread's part of an update.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) rules: PurchaseRules,
    /// Ids.
    pub interner: Interner,
    /// Totals by code.
    pub totals: Totals,
    /// Tallies of rows.
    pub rows: RowTallies,
    /// Tallies of orders that are not purchases.
    pub purchases: PurchaseTallies,
    /// The last day among rows with an id and a timestamp.
    pub last_day: i32,
    /// The first day among them, if there is an order log.
    pub first_day: i32,
    /// All orders, if an order log is kept.
    pub order_log: Option<OrderLog>,
    /// Purchases by customer and day, if they are kept or purchase days are counted.
    pub days: Option<DayRuns>,
    /// Daily tallies, if the base has snapshots as of past days.
    pub daily_tallies: Option<DailyTallies>,
    /// Closed split orders, if the base has snapshots as of past days.
    pub split_orders: Vec<SplitOrder>,
    /// Attributes and other accumulators.
    pub accumulators: Accumulators,
    pub(crate) lines: OrderAssembly,
    /// Number of customers that were erased in place since the codes were given.
    pub(crate) erased: usize,
}

/// How rows are grouped into orders.
#[derive(Debug, Clone)]
pub(crate) enum OrderAssembly {
    /// Every row is an order.
    None,
    /// Orders stay open until all rows are read.
    Any(Box<OpenOrders>),
    /// Lines of an order are adjacent.
    Adjacent(Box<Interner>, AdjacentOrder),
}

impl State {
    /// An empty state.
    pub(crate) fn new(input_schema: &InputSchema, spec: &BaseSpec, interner: Interner, order_encoding: KeyEncoding) -> Self {
        let lines = match (input_schema.order_kind(), spec.order_lines) {
            (None, _) => OrderAssembly::None,
            (Some(kind), OrderLines::Any) => {
                OrderAssembly::Any(Box::new(OpenOrders::new(order_encoding.interner(kind), spec.track == Track::Orders)))
            }
            (Some(kind), OrderLines::Adjacent) => OrderAssembly::Adjacent(Box::new(Interner::new(kind)), AdjacentOrder::default()),
        };
        // Without amounts every order is a purchase.
        let zero_is_purchase = spec.zero_is_purchase || input_schema.money.is_none();
        // An update checked them when it began.
        let day_ranges = spec.day_ranges.as_ref().and_then(|ranges| ranges.days(&input_schema.clock).ok()).unwrap_or_default();
        Self {
            rules: PurchaseRules { returns: spec.returns, zero_is_purchase },
            interner,
            totals: match &spec.window {
                Some(window) if window.alone => Totals::absent(),
                _ if day_ranges.is_empty() => Totals::new(input_schema.order.is_some()),
                _ => Totals::with_ranges(day_ranges),
            },
            rows: RowTallies::default(),
            purchases: PurchaseTallies::default(),
            last_day: i32::MIN,
            first_day: i32::MAX,
            order_log: spec.window.as_ref().map(OrderLog::of),
            days: spec.keeps_days().then(DayRuns::default),
            daily_tallies: spec.track.looks_back().then(DailyTallies::default),
            split_orders: Vec::new(),
            accumulators: Accumulators::new(&spec.roles, &spec.accumulators, input_schema),
            lines,
            erased: 0,
        }
    }

    /// Changes the encodings of customer ids and order ids.
    pub(crate) fn apply_encodings(&mut self, encoding: KeyEncoding, order_encoding: KeyEncoding) -> Result<()> {
        if encoding == KeyEncoding::Table {
            self.leave_range()?;
        }
        encoding.apply(&mut self.interner)?;
        if let OrderAssembly::Any(orders) = &mut self.lines {
            if order_encoding == KeyEncoding::Table {
                orders.leave_range()?;
            }
            order_encoding.apply(&mut orders.ids)?;
        }
        Ok(())
    }

    /// An empty state with the same settings and input schema.
    pub(crate) fn empty_like(&self) -> Self {
        let lines = match &self.lines {
            OrderAssembly::None => OrderAssembly::None,
            OrderAssembly::Any(orders) => OrderAssembly::Any(Box::new(orders.empty_like())),
            OrderAssembly::Adjacent(ids, _) => OrderAssembly::Adjacent(Box::new(Interner::new(ids.kind())), AdjacentOrder::default()),
        };
        Self {
            rules: self.rules,
            interner: Interner::new(self.interner.kind()),
            totals: self.totals.empty_like(),
            rows: RowTallies::default(),
            purchases: PurchaseTallies::default(),
            last_day: i32::MIN,
            first_day: i32::MAX,
            order_log: self.order_log.as_ref().map(|_| OrderLog::default()),
            days: self.days.as_ref().map(|_| DayRuns::default()),
            daily_tallies: self.daily_tallies.as_ref().map(|_| DailyTallies::default()),
            split_orders: Vec::new(),
            accumulators: self.accumulators.empty_like(),
            lines,
            erased: 0,
        }
    }

    /// Whether rows are orders and there are no accumulators, so that whole blocks can be added at once.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.lines, OrderAssembly::None) && self.accumulators.is_empty()
    }

    /// Rows with at least this amount are purchases that need only customer, day and amount. No amount qualifies if row
    /// numbers are stored.
    pub(crate) fn least_packed(&self) -> i64 {
        let is_numbered = self.order_log.as_ref().is_some_and(|order_log| order_log.purchases().is_none());
        if is_numbered { i64::MAX } else { self.least_purchase() }
    }

    /// Rows with at least this amount are purchases.
    fn least_purchase(&self) -> i64 {
        i64::from(!self.rules.zero_is_purchase)
    }

    /// Adds a block of rows to a plain state; see [`Totals::add_rows`].
    pub(crate) fn add_rows<U: UnitValue>(&mut self, rows: &RowSlice<'_, U>) {
        self.totals.add_rows(self.rules, rows, &mut self.purchases);
        if let Some(order_log) = &mut self.order_log {
            order_log.add_rows(self.rules, rows);
        }
        let least = self.least_purchase();
        let Some(days) = &mut self.days else { return };
        if !rows.holes && days.add_purchases(rows.codes, rows.days, rows.units, U::of(least)) {
            return;
        }
        let least = i128::from(least);
        for (i, (&customer, &day)) in rows.codes.iter().zip(rows.days).enumerate().filter(|(_, (code, _))| **code != NO_CODE) {
            let Some(days) = &mut self.days else { return };
            let units = rows.units[i].into();
            if units >= least
                && let Some(row) = purchase_row(day, units)
            {
                days.add_purchase(customer, row);
                continue;
            }
            let class = self.rules.classify(units, rows.flags[i] & flag::NULL_AMOUNT != 0);
            self.add_to_days(class, (customer, day), (1, units, rows.rows.get(i)));
        }
        if let Some(days) = &mut self.days {
            days.end_block();
        }
    }

    /// Adds an order to the day records, and to the daily tallies if it is not a purchase.
    pub(super) fn add_to_days(&mut self, class: OrderClass, (customer, day): (u32, i32), (lines, units, first_row): (u64, i128, u64)) {
        if let Some(daily_tallies) = &mut self.daily_tallies {
            daily_tallies.add_order(day, class, (lines, units, first_row));
        }
        let Some(days) = &mut self.days else { return };
        if class == OrderClass::LeftOut {
            return;
        }
        let is_purchase = class == OrderClass::Purchase;
        if is_purchase
            && lines == 1
            && let Some(row) = purchase_row(day, units)
        {
            days.add_purchase(customer, row);
            days.end_block();
            return;
        }
        let mut record = DayRecord { customer, day, orders: u32::from(is_purchase), rows: 0, others: 0, units };
        let mut left = lines;
        loop {
            let some = u32::try_from(left).unwrap_or(u32::MAX);
            (record.rows, record.others) = match class {
                OrderClass::Purchase => (some, 0),
                // A refund is counted by its first row.
                OrderClass::Refund if left == lines => (some.saturating_sub(1), some),
                _ => (some, some),
            };
            days.add(record);
            left -= u64::from(some);
            if left == 0 {
                return;
            }
            (record.orders, record.units) = (0, 0);
        }
    }

    /// Counts a row with a null amount.
    pub(crate) fn count_null_amount(&mut self, day: i32, row: u64) {
        self.rows.null_amount.add(0, row);
        if let Some(daily_tallies) = &mut self.daily_tallies {
            daily_tallies.on(day).null_amount.add(0, row);
        }
    }

    /// Counts a row whose amount rounding changed by more than 1 %.
    pub(crate) fn count_rounded_amount(&mut self, day: i32, rounded_off: i128, row: u64) {
        self.rows.rounded_amount.add(rounded_off, row);
        if let Some(daily_tallies) = &mut self.daily_tallies {
            daily_tallies.on(day).rounded_amount.add(rounded_off, row);
        }
    }

    /// Counts a line with a null order id.
    pub(super) fn count_null_order(&mut self, line: &OrderLine) {
        self.rows.null_order.add(line.units, line.row);
        if let Some(daily_tallies) = &mut self.daily_tallies {
            daily_tallies.on(line.day).null_order.add(line.units, line.row);
        }
    }

    /// Amount of work for a pass over the state: customers, day records, open and split orders.
    pub(crate) fn size(&self) -> usize {
        self.interner.len() + self.days.as_ref().map_or(0, DayRuns::len) + self.waiting_orders() + self.split_orders.len()
    }

    /// Number of orders that may get more lines.
    pub(crate) fn waiting_orders(&self) -> usize {
        if let OrderAssembly::Any(orders) = &self.lines { orders.orders().len() } else { 0 }
    }

    /// Merges the day records into one run, so that nothing is merged when they are read or written.
    pub(crate) fn settle(&mut self, threads: Threads<'_>) {
        if let Some(days) = &mut self.days {
            days.settle(threads);
        }
        self.accumulators.settle();
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let lines = match &self.lines {
            OrderAssembly::None => 0,
            OrderAssembly::Adjacent(ids, open) => ids.bytes() + open.bytes(),
            OrderAssembly::Any(orders) => orders.bytes(),
        };
        let of = |split_orders: &SplitOrder| split_orders.parts.capacity() * size_of::<Order>();
        let split_orders = self.split_orders.capacity() * size_of::<SplitOrder>() + self.split_orders.iter().map(of).sum::<usize>();
        self.interner.bytes()
            + self.totals.bytes()
            + self.days.as_ref().map_or(0, DayRuns::bytes)
            + self.accumulators.bytes()
            + self.order_log.as_ref().map_or(0, OrderLog::bytes)
            + self.daily_tallies.as_ref().map_or(0, DailyTallies::bytes)
            + split_orders
            + lines
    }

    /// The order ids, if rows are order lines.
    pub(crate) fn order_ids(&mut self) -> Option<&mut Interner> {
        match &mut self.lines {
            OrderAssembly::None => None,
            OrderAssembly::Any(orders) => Some(&mut orders.ids),
            OrderAssembly::Adjacent(ids, _) => Some(ids),
        }
    }

    /// With adjacent lines, drops all order ids but that of the open order. Codes assigned before become invalid.
    pub(crate) fn reset_order_ids(&mut self) -> Result<()> {
        if let OrderAssembly::Adjacent(ids, open) = &mut self.lines {
            let mut fresh = Interner::new(ids.kind());
            if let Some(code) = open.code_mut() {
                *code = fresh.intern_from(ids.keys(), *code)?;
            }
            **ids = fresh;
        }
        Ok(())
    }

    /// Uses a hash lookup for the open orders, so that unused order ids take no memory. Only while there are no orders.
    pub(crate) fn make_orders_sparse(&mut self) {
        if let OrderAssembly::Any(orders) = &mut self.lines {
            orders.make_sparse();
        }
    }

    /// Whether orders stay open until all rows are read.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.lines, OrderAssembly::Any(_))
    }

    /// Whether rows are lines of open orders and there are no accumulators, so that whole blocks can be added at once.
    pub(crate) fn is_plain_lines(&self) -> bool {
        matches!(self.lines, OrderAssembly::Any(_)) && self.accumulators.is_empty()
    }

    /// The open orders and split orders.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = Order> {
        let open = if let OrderAssembly::Any(orders) = &self.lines { Some(orders.orders()) } else { None };
        let current = if let OrderAssembly::Adjacent(_, open) = &self.lines { open.current() } else { None };
        let open = open.into_iter().flat_map(OrderList::iter);
        open.chain(current.map(|(_, order, _)| *order)).chain(self.split_orders.iter().map(|split| split.order))
    }

    /// The open orders and split orders, with their parts by day and their keys in the accumulators.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (Order, &[Order], (Level, u32))> {
        let orders = if let OrderAssembly::Any(orders) = &self.lines { Some(orders) } else { None };
        let many = orders
            .into_iter()
            .flat_map(|orders| (0..).zip(orders.orders().iter()).map(|(at, order)| (order, orders.parts(at as usize), (Level::Open, at))));
        let current = if let OrderAssembly::Adjacent(_, open) = &self.lines { open.current() } else { None };
        let open = current.map(|(_, order, parts)| (*order, parts, (Level::Open, 0)));
        let split_orders =
            (0..).zip(&self.split_orders).map(|(at, split_orders)| (split_orders.order, split_orders.parts.as_slice(), (Level::Split, at)));
        many.chain(open).chain(split_orders)
    }
}
