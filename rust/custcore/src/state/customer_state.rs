//! What is known of all customers, or of one thread's share of the rows: everything in it is exact and merges in any order.

use super::accumulator::{Level, RowBlock};
use super::accumulators::Accumulators;
use super::daily_tallies::DailyTallies;
use super::days::{DayRecord, DayRuns};
use super::open_orders::{AdjacentOrder, LineBlock, OpenOrders, OrderLine, OrderParts};
use super::order_log::OrderLog;
use super::spec::{BaseSpec, OrderLines, Track};
use super::stats::UnitValue;
use super::totals::{Order, OrderClass, PurchaseRules, PurchaseTallies, RowSlice, Totals};
use crate::column::chunks::InputSchema;
use crate::column::mark::PURCHASE;
use crate::column::{BLOCK, flag};
use crate::error::{Error, Result};
use crate::group::encoding::KeyEncoding;
use crate::group::interner::{Interner, NO_CODE};
use crate::report::Tally;

/// Rows that were left out before they could be orders, and notes on rows that were not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RowTallies {
    /// Rows without an id.
    pub null_id: Tally,
    /// Rows without a time.
    pub null_time: Tally,
    /// Rows with an infinite amount.
    pub nonfinite: Tally,
    /// Rows after the last day that counts.
    pub after: Tally,
    /// Rows that count, without an amount.
    pub null_amount: Tally,
    /// Rows that count, without an order id: each an order of its own.
    pub null_order: Tally,
    /// Lines of orders that were sealed.
    pub late: Tally,
    /// Orders of customers who were removed.
    pub removed: Tally,
}

impl RowTallies {
    pub(crate) fn merge(&mut self, other: &Self, rows_before: u64) {
        self.null_id.merge(&other.null_id, rows_before);
        self.null_time.merge(&other.null_time, rows_before);
        self.nonfinite.merge(&other.nonfinite, rows_before);
        self.after.merge(&other.after, rows_before);
        self.null_amount.merge(&other.null_amount, rows_before);
        self.null_order.merge(&other.null_order, rows_before);
        self.late.merge(&other.late, rows_before);
        self.removed.merge(&other.removed, rows_before);
    }
}

/// An order with lines on several days that gets no more of them. As of a day in between only some of it counts, so it is
/// no purchase or refund once and for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SplitOrder {
    /// The whole order.
    pub order: Order,
    /// Its parts by day.
    pub parts: OrderParts,
}

/// Orders ahead whose customers' cache lines are asked for.
const AHEAD: usize = 16;

/// What is known after a fold, or of one thread's share of it.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) rules: PurchaseRules,
    /// Ids.
    pub interner: Interner,
    /// Totals by code.
    pub totals: Totals,
    /// Rows left out, and notes.
    pub rows: RowTallies,
    /// Orders that are no purchases.
    pub purchases: PurchaseTallies,
    /// The last day among rows that have an id and a time.
    pub last_day: i32,
    /// The first one, where orders are written down.
    pub first_day: i32,
    /// Every order, where they are written down.
    pub order_log: Option<OrderLog>,
    /// What happened on each day, if that is kept or days are counted.
    pub days: Option<DayRuns>,
    /// Notes by day, where the base can look back.
    pub notes: Option<DailyTallies>,
    /// Orders with lines on several days that wait no more, where the base can look back.
    pub spread: Vec<SplitOrder>,
    /// What is kept of customers besides.
    pub accumulators: Accumulators,
    pub(crate) lines: OrderAssembly,
}

/// How rows become orders.
#[derive(Debug, Clone)]
pub(crate) enum OrderAssembly {
    /// Every row is an order.
    None,
    /// Orders wait until all rows were seen.
    Any(Box<OpenOrders>),
    /// Lines of an order follow each other.
    Adjacent(Box<Interner>, AdjacentOrder),
}

impl State {
    /// The state of nothing.
    pub(crate) fn new(kinds: &InputSchema, spec: &BaseSpec, interner: Interner, order_encoding: KeyEncoding) -> Self {
        let lines = match (kinds.order_kind, spec.order_lines) {
            (None, _) => OrderAssembly::None,
            (Some(kind), OrderLines::Any) => {
                OrderAssembly::Any(Box::new(OpenOrders::new(order_encoding.interner(kind), spec.track == Track::Orders)))
            }
            (Some(kind), OrderLines::Adjacent) => OrderAssembly::Adjacent(Box::new(Interner::new(kind)), AdjacentOrder::default()),
        };
        // Without amounts every order is a purchase.
        let zero_is_purchase = spec.zero_is_purchase || kinds.money.is_none();
        Self {
            rules: PurchaseRules { returns: spec.returns, zero_is_purchase },
            interner,
            totals: match &spec.window {
                Some(window) if window.alone => Totals::absent(),
                _ => Totals::new(kinds.order_kind.is_some()),
            },
            rows: RowTallies::default(),
            purchases: PurchaseTallies::default(),
            last_day: i32::MIN,
            first_day: i32::MAX,
            order_log: spec.window.as_ref().map(OrderLog::of),
            days: spec.keeps_days().then(DayRuns::default),
            notes: spec.track.looks_back().then(DailyTallies::default),
            spread: Vec::new(),
            accumulators: Accumulators::new(&spec.roles.attributes, &spec.accumulators, kinds),
            lines,
        }
    }

    /// Turns to new plans.
    pub(crate) fn follow(&mut self, encoding: KeyEncoding, order_encoding: KeyEncoding) -> Result<()> {
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

    /// A state of the same kinds that knows nothing.
    pub(crate) fn like(&self) -> Self {
        let lines = match &self.lines {
            OrderAssembly::None => OrderAssembly::None,
            OrderAssembly::Any(orders) => OrderAssembly::Any(Box::new(orders.empty_like())),
            OrderAssembly::Adjacent(ids, _) => OrderAssembly::Adjacent(Box::new(Interner::new(ids.kind())), AdjacentOrder::default()),
        };
        Self {
            rules: self.rules,
            interner: Interner::new(self.interner.kind()),
            totals: Totals::new(self.totals.rows().is_some()),
            rows: RowTallies::default(),
            purchases: PurchaseTallies::default(),
            last_day: i32::MIN,
            first_day: i32::MAX,
            order_log: self.order_log.as_ref().map(|_| OrderLog::default()),
            days: self.days.as_ref().map(|_| DayRuns::default()),
            notes: self.notes.as_ref().map(|_| DailyTallies::default()),
            spread: Vec::new(),
            accumulators: self.accumulators.empty_like(),
            lines,
        }
    }

    /// Whether rows are orders without attributes, so that whole blocks can be added up at once.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.lines, OrderAssembly::None) && self.accumulators.is_empty()
    }

    /// Money that makes a row a purchase of which nothing but customer, day and money need be known, if it is this much or
    /// more; no money does where the number of each row is written down.
    pub(crate) fn least_packed(&self) -> i64 {
        let is_numbered = self.days.is_some() || self.order_log.as_ref().is_some_and(|order_log| order_log.purchases().is_none());
        if is_numbered { i64::MAX } else { i64::from(!self.rules.zero_is_purchase) }
    }

    /// Adds a block of rows to a plain state; see [`Totals::add_rows`].
    pub(crate) fn add_rows<U: UnitValue>(&mut self, rows: &RowSlice<'_, U>) {
        self.totals.add_rows(self.rules, rows, &mut self.purchases);
        if let Some(order_log) = &mut self.order_log {
            order_log.add_rows(self.rules, rows);
        }
        if self.days.is_none() {
            return;
        }
        for (i, (&customer, &day)) in rows.codes.iter().zip(rows.days).enumerate().filter(|(_, (code, _))| **code != NO_CODE) {
            let units = rows.units[i].into();
            let standing = self.rules.standing(units, rows.flags[i] & flag::NULL_AMOUNT != 0);
            self.enter(standing, (customer, day), (1, units, rows.rows.get(i)));
        }
    }

    /// Enters an order among the days, and in the notes if it is no purchase.
    fn enter(&mut self, standing: OrderClass, (customer, day): (u32, i32), (lines, units, first_row): (u64, i128, u64)) {
        if let Some(notes) = &mut self.notes {
            notes.add_order(day, standing, (lines, units, first_row));
        }
        let Some(days) = &mut self.days else { return };
        if standing == OrderClass::LeftOut {
            return;
        }
        let is_purchase = standing == OrderClass::Purchase;
        let mut record = DayRecord { customer, day, orders: u32::from(is_purchase), rows: 0, others: 0, units };
        let mut left = lines;
        loop {
            let some = u32::try_from(left).unwrap_or(u32::MAX);
            (record.rows, record.others) = if is_purchase { (some, 0) } else { (0, some) };
            days.add(record);
            left -= u64::from(some);
            if left == 0 {
                return;
            }
            (record.orders, record.units) = (0, 0);
        }
    }

    /// Counts a row that has no amount.
    pub(crate) fn note_null_amount(&mut self, day: i32, row: u64) {
        self.rows.null_amount.add(0, row);
        if let Some(notes) = &mut self.notes {
            notes.on(day).null_amount.add(0, row);
        }
    }

    /// Counts a line that has no order id.
    fn note_null_order(&mut self, line: &OrderLine) {
        self.rows.null_order.add(line.units, line.row);
        if let Some(notes) = &mut self.notes {
            notes.on(line.day).null_order.add(line.units, line.row);
        }
    }

    /// How much there is to look at: customers, their days, orders that wait.
    pub(crate) fn size(&self) -> usize {
        self.interner.len() + self.days.as_ref().map_or(0, DayRuns::len) + self.waiting_orders() + self.spread.len()
    }

    /// Orders whose lines may still come.
    pub(crate) fn waiting_orders(&self) -> usize {
        if let OrderAssembly::Any(orders) = &self.lines { orders.orders().len() } else { 0 }
    }

    /// Bytes of all that it holds.
    pub(crate) fn bytes(&self) -> usize {
        let lines = match &self.lines {
            OrderAssembly::None => 0,
            OrderAssembly::Adjacent(ids, open) => ids.bytes() + open.bytes(),
            OrderAssembly::Any(orders) => orders.bytes(),
        };
        let of = |spread: &SplitOrder| spread.parts.capacity() * size_of::<Order>();
        let spread = self.spread.capacity() * size_of::<SplitOrder>() + self.spread.iter().map(of).sum::<usize>();
        self.interner.bytes()
            + self.totals.bytes()
            + self.days.as_ref().map_or(0, DayRuns::bytes)
            + self.accumulators.bytes()
            + self.order_log.as_ref().map_or(0, OrderLog::bytes)
            + self.notes.as_ref().map_or(0, DailyTallies::bytes)
            + spread
            + lines
    }

    /// The order ids, where rows are lines.
    pub(crate) fn order_ids(&mut self) -> Option<&mut Interner> {
        match &mut self.lines {
            OrderAssembly::None => None,
            OrderAssembly::Any(orders) => Some(&mut orders.ids),
            OrderAssembly::Adjacent(ids, _) => Some(ids),
        }
    }

    /// Where lines follow each other, forgets all order ids but that of the open order; codes given out before are void.
    pub(crate) fn forget_order_ids(&mut self) -> Result<()> {
        if let OrderAssembly::Adjacent(ids, open) = &mut self.lines {
            let mut fresh = Interner::new(ids.kind());
            if let Some(code) = open.code_mut() {
                *code = fresh.intern_from(ids.keys(), *code)?;
            }
            **ids = fresh;
        }
        Ok(())
    }

    /// Adds a block of rows one by one: `orders` are the codes of their order ids, [`NO_CODE`] for none, `line` tells a row
    /// unless it does not count, and `rows` is what accumulators read.
    pub(crate) fn add_each_line(&mut self, orders: &[u32], line: impl Fn(usize) -> Option<OrderLine>, rows: &RowBlock<'_>) -> Result<()> {
        let (mut customers, mut open) = ([NO_CODE; BLOCK], [NO_CODE; BLOCK]);
        let mut ended: Vec<(Order, OrderParts)> = Vec::new();
        for (i, &code) in orders.iter().enumerate() {
            let Some(line) = line(i) else { continue };
            match &mut self.lines {
                OrderAssembly::Any(all) if code != NO_CODE => open[i] = all.add(code, &line.order())?,
                OrderAssembly::Adjacent(_, current) if code != NO_CODE => {
                    ended.extend(current.add(code, &line.order()));
                    open[i] = ended.len() as u32;
                }
                lines => {
                    if !matches!(lines, OrderAssembly::None) {
                        self.note_null_order(&line);
                    }
                    if self.add_order(&line.order(), &[]) == Some(OrderClass::Purchase) {
                        customers[i] = line.customer;
                    }
                }
            }
        }
        self.accumulators.update(Level::Customer, &customers[..orders.len()], rows)?;
        self.accumulators.update(Level::Open, &open[..orders.len()], rows)?;
        if !ended.is_empty() {
            let current = ended.len() as u32;
            let mut closed = ClosedOrders::default();
            for (position, (order, parts)) in (0..).zip(ended) {
                self.close_order(position, &order, &parts, &mut closed);
            }
            self.promote(&closed);
            self.accumulators.retain(Level::Open, &[current]);
        }
        Ok(())
    }

    /// Has orders found by a look-up, so that order ids that were not seen take no memory; before any orders are there.
    pub(crate) fn make_orders_sparse(&mut self) {
        if let OrderAssembly::Any(orders) = &mut self.lines {
            orders.make_sparse();
        }
    }

    /// Whether rows wait for the other lines of their orders.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.lines, OrderAssembly::Any(_))
    }

    /// Whether lines wait for their orders and nothing but totals is kept, so that whole blocks can be added at once.
    pub(crate) fn is_plain_lines(&self) -> bool {
        matches!(self.lines, OrderAssembly::Any(_)) && self.accumulators.is_empty()
    }

    /// Adds a block of lines that lack nothing where [`State::is_plain_lines`].
    pub(crate) fn add_whole_lines(&mut self, lines: &LineBlock<'_>) -> Result<()> {
        let OrderAssembly::Any(all) = &mut self.lines else { return Err(Error::internal("lines where rows are orders")) };
        all.add_lines(lines)
    }

    /// Adds a block of rows where [`State::is_plain_lines`]: `orders` are the codes of their order ids, `line` tells a row
    /// unless it does not count.
    pub(crate) fn add_lines(&mut self, orders: &[u32], line: impl Fn(usize) -> Option<OrderLine>) -> Result<()> {
        let OrderAssembly::Any(all) = &mut self.lines else { return Err(Error::internal("lines where rows are orders")) };
        let by_day = all.is_by_day();
        let mut alone = Vec::new();
        // Lines of an order that follow each other are one part of it.
        let mut run: Option<(u32, Order)> = None;
        for (row, &code) in orders.iter().enumerate() {
            let Some(line) = line(row) else { continue };
            if code == NO_CODE {
                alone.push(line);
                continue;
            }
            match &mut run {
                Some((open, order)) if *open == code && order.customer == line.customer && (!by_day || order.day == line.day) => {
                    order.join(&line.order());
                }
                _ => {
                    if let Some((code, order)) = run.replace((code, line.order())) {
                        all.add(code, &order)?;
                    }
                }
            }
        }
        if let Some((code, order)) = run {
            all.add(code, &order)?;
        }
        for line in alone {
            self.note_null_order(&line);
            self.add_order(&line.order(), &[]);
        }
        Ok(())
    }

    /// Adds an order that gets no more lines; the answer is what it counts as, `None` where that differs from day to day.
    pub(crate) fn add_order(&mut self, order: &Order, parts: &[Order]) -> Option<OrderClass> {
        if self.notes.is_some() && !parts.is_empty() {
            self.spread.push(SplitOrder { order: *order, parts: parts.to_vec() });
            return None;
        }
        // Orders that wait need no totals, so that these reach no further than the customers whose orders do not wait.
        self.totals.grow(order.customer as usize + 1);
        let standing = self.totals.add_order(self.rules, order, &mut self.purchases);
        if let Some(order_log) = &mut self.order_log {
            let purchase = if standing == OrderClass::Purchase { PURCHASE } else { 0 };
            if standing != OrderClass::LeftOut {
                order_log.add_order(order.customer, order.day, order.units, order.marks | purchase, order.first_row);
            }
        }
        self.enter(standing, (order.customer, order.day), (order.lines, order.units, order.first_row));
        Some(standing)
    }

    /// Adds the order that is open at a position; [`State::promote`] has to follow.
    pub(crate) fn close_order(&mut self, position: u32, order: &Order, parts: &[Order], closed: &mut ClosedOrders) {
        let standing = self.add_order(order, parts);
        if self.accumulators.is_empty() {
            return;
        }
        match standing {
            None => closed.spread.push((position, self.spread.len() as u32 - 1)),
            Some(OrderClass::Purchase) => closed.customers.push((position, order.customer)),
            Some(_) => {}
        }
    }

    /// Hands what accumulators know of orders that were closed on to their customers.
    pub(crate) fn promote(&mut self, closed: &ClosedOrders) {
        self.accumulators.promote(Level::Open, Level::Customer, &closed.customers);
        self.accumulators.promote(Level::Open, Level::Spread, &closed.spread);
    }

    /// Turns the orders that have waited into purchases and refunds; after the last row.
    pub(crate) fn close_orders(&mut self) {
        let mut closed = ClosedOrders::default();
        match std::mem::replace(&mut self.lines, OrderAssembly::None) {
            OrderAssembly::None => {}
            OrderAssembly::Any(orders) => {
                let orders = orders.orders();
                for (position, order) in orders.iter().enumerate() {
                    if let Some(ahead) = orders.get(position + AHEAD) {
                        self.totals.prefetch(ahead.customer);
                    }
                    self.close_order(position as u32, order, &[], &mut closed);
                }
            }
            OrderAssembly::Adjacent(_, mut open) => {
                if let Some((order, parts)) = open.end() {
                    self.close_order(0, &order, &parts, &mut closed);
                }
            }
        }
        self.promote(&closed);
        self.accumulators.retain(Level::Open, &[]);
        if let Some(order_log) = &mut self.order_log {
            order_log.close();
        }
    }

    /// The orders that wait, their parts by day, and where accumulators know them.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (&Order, &[Order], (Level, u32))> {
        let orders = if let OrderAssembly::Any(orders) = &self.lines { Some(orders) } else { None };
        let many = orders
            .into_iter()
            .flat_map(|orders| (0..).zip(orders.orders()).map(|(at, order)| (order, orders.parts(at as usize), (Level::Open, at))));
        let current = if let OrderAssembly::Adjacent(_, open) = &self.lines { open.current() } else { None };
        let open = current.map(|(_, order, parts)| (order, parts, (Level::Open, 0)));
        let spread = (0..).zip(&self.spread).map(|(at, spread)| (&spread.order, spread.parts.as_slice(), (Level::Spread, at)));
        many.chain(open).chain(spread)
    }
}

/// Orders that were closed, by their positions among the open ones: (position, customer), (position, position among
/// [`State::spread`]).
#[derive(Debug, Default)]
pub(crate) struct ClosedOrders {
    customers: Vec<(u32, u32)>,
    spread: Vec<(u32, u32)>,
}
