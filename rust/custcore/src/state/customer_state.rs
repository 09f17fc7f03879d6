//! What is known of all customers, or of one thread's share of the rows: everything in it is exact and merges in any order.

use super::attributes::{Attribute, Seen};
use super::daily_tallies::Notes;
use super::days::{DayBook, DayRecord};
use super::open_orders::{Line, LineBlock, OpenOrder, Orders, Parts};
use super::order_log::Journal;
use super::spec::{OrderLines, Spec, Track};
use super::stats::Units;
use super::totals::{Order, PurchaseRules, PurchaseTallies, Rows, Standing, Totals};
use crate::column::chunks::Kinds;
use crate::column::flag;
use crate::column::mark::PURCHASE;
use crate::error::{Error, Result};
use crate::group::encoding::Plan;
use crate::group::interner::{Interner, NO_CODE};
use crate::report::Tally;

/// Rows that were left out before they could be orders, and notes on rows that were not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowTallies {
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
pub struct Spread {
    /// The whole order.
    pub order: Order,
    /// Its parts by day.
    pub parts: Parts,
    /// What its earliest line says of the attributes.
    pub seen: Vec<Seen>,
}

/// Orders ahead whose customers' cache lines are asked for.
const AHEAD: usize = 16;

/// What is known after a fold, or of one thread's share of it.
#[derive(Debug, Clone)]
pub struct State {
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
    pub journal: Option<Journal>,
    /// What happened on each day, if that is kept or days are counted.
    pub days: Option<DayBook>,
    /// Notes by day, where the base can look back.
    pub notes: Option<Notes>,
    /// Orders with lines on several days that wait no more, where the base can look back.
    pub spread: Vec<Spread>,
    /// Attributes of the customers.
    pub attributes: Vec<Attribute>,
    pub(crate) lines: Lines,
}

/// How rows become orders.
#[derive(Debug, Clone)]
pub(crate) enum Lines {
    /// Every row is an order.
    None,
    /// Orders wait until all rows were seen; beside each what its earliest line says of the attributes, end to end.
    Any(Box<Orders>, Vec<Seen>),
    /// Lines of an order follow each other.
    Adjacent(Box<Interner>, OpenOrder, Vec<Seen>),
}

impl State {
    /// The state of nothing.
    pub(crate) fn new(kinds: &Kinds, spec: &Spec, interner: Interner, order_plan: Plan) -> Self {
        let lines = match (kinds.order_kind, spec.order_lines) {
            (None, _) => Lines::None,
            (Some(kind), OrderLines::Any) => {
                Lines::Any(Box::new(Orders::new(order_plan.interner(kind), spec.track == Track::Orders)), Vec::new())
            }
            (Some(kind), OrderLines::Adjacent) => Lines::Adjacent(Box::new(Interner::new(kind)), OpenOrder::default(), Vec::new()),
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
            journal: spec.window.as_ref().map(Journal::of),
            days: spec.keeps_days().then(DayBook::default),
            notes: spec.track.looks_back().then(Notes::default),
            spread: Vec::new(),
            attributes: kinds
                .attributes
                .iter()
                .zip(&spec.roles.attributes)
                .map(|((kind, _), (_, pick))| Attribute::new(*kind, *pick))
                .collect(),
            lines,
        }
    }

    /// Turns to new plans.
    pub(crate) fn follow(&mut self, plan: Plan, order_plan: Plan) -> Result<()> {
        if plan == Plan::Table {
            self.leave_range()?;
        }
        plan.lead(&mut self.interner)?;
        if let Lines::Any(orders, _) = &mut self.lines {
            if order_plan == Plan::Table {
                orders.leave_range()?;
            }
            order_plan.lead(&mut orders.ids)?;
        }
        Ok(())
    }

    /// A state of the same kinds that knows nothing.
    pub(crate) fn like(&self) -> Self {
        let lines = match &self.lines {
            Lines::None => Lines::None,
            Lines::Any(orders, _) => Lines::Any(Box::new(orders.emptied()), Vec::new()),
            Lines::Adjacent(ids, _, _) => Lines::Adjacent(Box::new(Interner::new(ids.kind())), OpenOrder::default(), Vec::new()),
        };
        Self {
            rules: self.rules,
            interner: Interner::new(self.interner.kind()),
            totals: Totals::new(self.totals.rows().is_some()),
            rows: RowTallies::default(),
            purchases: PurchaseTallies::default(),
            last_day: i32::MIN,
            first_day: i32::MAX,
            journal: self.journal.as_ref().map(|_| Journal::default()),
            days: self.days.as_ref().map(|_| DayBook::default()),
            notes: self.notes.as_ref().map(|_| Notes::default()),
            spread: Vec::new(),
            attributes: self.attributes.iter().map(Attribute::emptied).collect(),
            lines,
        }
    }

    /// Whether rows are orders without attributes, so that whole blocks can be added up at once.
    pub fn is_plain(&self) -> bool {
        matches!(self.lines, Lines::None) && self.attributes.is_empty()
    }

    /// Money that makes a row a purchase of which nothing but customer, day and money need be known, if it is this much or
    /// more; no money does where the number of each row is written down.
    pub fn least_packed(&self) -> i64 {
        let is_numbered = self.days.is_some() || self.journal.as_ref().is_some_and(|journal| journal.purchases().is_none());
        if is_numbered { i64::MAX } else { i64::from(!self.rules.zero_is_purchase) }
    }

    /// Adds a block of rows to a plain state; see [`Totals::add_rows`].
    pub fn add_rows<U: Units>(&mut self, rows: &Rows<'_, U>) {
        self.totals.add_rows(self.rules, rows, &mut self.purchases);
        if let Some(journal) = &mut self.journal {
            journal.add_rows(self.rules, rows);
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
    fn enter(&mut self, standing: Standing, (customer, day): (u32, i32), (lines, units, first_row): (u64, i128, u64)) {
        if let Some(notes) = &mut self.notes {
            notes.add_order(day, standing, (lines, units, first_row));
        }
        let Some(days) = &mut self.days else { return };
        if standing == Standing::LeftOut {
            return;
        }
        let is_purchase = standing == Standing::Purchase;
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
    pub fn note_null_amount(&mut self, day: i32, row: u64) {
        self.rows.null_amount.add(0, row);
        if let Some(notes) = &mut self.notes {
            notes.on(day).null_amount.add(0, row);
        }
    }

    /// Counts a line that has no order id.
    fn note_null_order(&mut self, line: &Line) {
        self.rows.null_order.add(line.units, line.row);
        if let Some(notes) = &mut self.notes {
            notes.on(line.day).null_order.add(line.units, line.row);
        }
    }

    /// How much there is to look at: customers, their days, orders that wait.
    pub fn size(&self) -> usize {
        self.interner.len() + self.days.as_ref().map_or(0, DayBook::len) + self.waiting_orders() + self.spread.len()
    }

    /// Orders whose lines may still come.
    pub(crate) fn waiting_orders(&self) -> usize {
        if let Lines::Any(orders, _) = &self.lines { orders.orders().len() } else { 0 }
    }

    /// Bytes of all that it holds.
    pub fn bytes(&self) -> usize {
        let lines = match &self.lines {
            Lines::None => 0,
            Lines::Adjacent(ids, open, picks) => ids.bytes() + open.bytes() + picks.capacity() * size_of::<Seen>(),
            Lines::Any(orders, picks) => orders.bytes() + picks.capacity() * size_of::<Seen>(),
        };
        let of = |spread: &Spread| spread.parts.capacity() * size_of::<Order>() + spread.seen.capacity() * size_of::<Seen>();
        let spread = self.spread.capacity() * size_of::<Spread>() + self.spread.iter().map(of).sum::<usize>();
        self.interner.bytes()
            + self.totals.bytes()
            + self.days.as_ref().map_or(0, DayBook::bytes)
            + self.attributes.iter().map(Attribute::bytes).sum::<usize>()
            + self.journal.as_ref().map_or(0, Journal::bytes)
            + self.notes.as_ref().map_or(0, Notes::bytes)
            + spread
            + lines
    }

    /// The order ids, where rows are lines.
    pub fn order_ids(&mut self) -> Option<&mut Interner> {
        match &mut self.lines {
            Lines::None => None,
            Lines::Any(orders, _) => Some(&mut orders.ids),
            Lines::Adjacent(ids, _, _) => Some(ids),
        }
    }

    /// Where lines follow each other, forgets all order ids but that of the open order; codes given out before are void.
    pub fn forget_order_ids(&mut self) -> Result<()> {
        if let Lines::Adjacent(ids, open, _) = &mut self.lines {
            let mut fresh = Interner::new(ids.kind());
            if let Some(code) = open.code_mut() {
                *code = fresh.intern_from(ids.keys(), *code)?;
            }
            **ids = fresh;
        }
        Ok(())
    }

    /// Adds one row; `order` is the code of its order id, [`NO_CODE`] for none; `seen` are its attributes.
    pub fn add_line(&mut self, order: u32, line: Line, seen: &[Seen]) -> Result<()> {
        if order == NO_CODE && !matches!(self.lines, Lines::None) {
            self.note_null_order(&line);
        }
        let ended = match &mut self.lines {
            Lines::Any(orders, picks) if order != NO_CODE => {
                let position = orders.add(order, &line.order())? as usize * seen.len();
                if position == picks.len() {
                    picks.extend_from_slice(seen);
                } else {
                    for ((attribute, pick), &seen) in self.attributes.iter().zip(&mut picks[position..]).zip(seen) {
                        *pick = attribute.earlier(*pick, seen);
                    }
                }
                return Ok(());
            }
            Lines::Adjacent(_, open, picks) if order != NO_CODE => {
                let ended = open.add(order, &line.order());
                let before = picks.clone();
                if ended.is_some() || picks.is_empty() {
                    picks.clear();
                    picks.extend_from_slice(seen);
                } else {
                    for ((attribute, pick), &seen) in self.attributes.iter().zip(picks).zip(seen) {
                        *pick = attribute.earlier(*pick, seen);
                    }
                }
                ended.map(|order| (order, before))
            }
            _ => {
                self.add_order(&line.order(), &[], seen);
                return Ok(());
            }
        };
        if let Some(((order, parts), seen)) = ended {
            self.add_order(&order, &parts, &seen);
        }
        Ok(())
    }

    /// Has orders found by a look-up, so that order ids that were not seen take no memory; before any orders are there.
    pub(crate) fn make_orders_sparse(&mut self) {
        if let Lines::Any(orders, _) = &mut self.lines {
            orders.make_sparse();
        }
    }

    /// Whether rows wait for the other lines of their orders.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.lines, Lines::Any(_, _))
    }

    /// Whether lines wait for their orders and nothing but totals is kept, so that whole blocks can be added at once.
    pub fn is_plain_lines(&self) -> bool {
        matches!(self.lines, Lines::Any(_, _)) && self.attributes.is_empty()
    }

    /// Adds a block of lines that lack nothing where [`State::is_plain_lines`].
    pub fn add_whole_lines(&mut self, lines: &LineBlock<'_>) -> Result<()> {
        let Lines::Any(all, _) = &mut self.lines else { return Err(Error::internal("lines where rows are orders")) };
        all.add_lines(lines)
    }

    /// Adds a block of rows where [`State::is_plain_lines`]: `orders` are the codes of their order ids, `line` tells a row
    /// unless it does not count.
    pub fn add_lines(&mut self, orders: &[u32], line: impl Fn(usize) -> Option<Line>) -> Result<()> {
        let Lines::Any(all, _) = &mut self.lines else { return Err(Error::internal("lines where rows are orders")) };
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
            self.add_order(&line.order(), &[], &[]);
        }
        Ok(())
    }

    pub(crate) fn add_order(&mut self, order: &Order, parts: &[Order], seen: &[Seen]) {
        if self.notes.is_some() && !parts.is_empty() {
            self.spread.push(Spread { order: *order, parts: parts.to_vec(), seen: seen.to_vec() });
            return;
        }
        // Orders that wait need no totals, so that these reach no further than the customers whose orders do not wait.
        self.totals.grow(order.customer as usize + 1);
        let standing = self.totals.add_order(self.rules, order, &mut self.purchases);
        if let Some(journal) = &mut self.journal {
            let purchase = if standing == Standing::Purchase { PURCHASE } else { 0 };
            if standing != Standing::LeftOut {
                journal.add_order(order.customer, order.day, order.units, order.marks | purchase, order.first_row);
            }
        }
        self.enter(standing, (order.customer, order.day), (order.lines, order.units, order.first_row));
        if standing == Standing::Purchase {
            for (attribute, &seen) in self.attributes.iter_mut().zip(seen) {
                attribute.see(order.customer, seen);
            }
        }
    }

    /// Turns the orders that have waited into purchases and refunds; after the last row.
    pub fn close_orders(&mut self) {
        let n = self.attributes.len();
        match std::mem::replace(&mut self.lines, Lines::None) {
            Lines::None => {}
            Lines::Any(orders, picks) => {
                let orders = orders.orders();
                for (position, order) in orders.iter().enumerate() {
                    if let Some(ahead) = orders.get(position + AHEAD) {
                        self.totals.prefetch(ahead.customer);
                    }
                    self.add_order(order, &[], &picks[position * n..(position + 1) * n]);
                }
            }
            Lines::Adjacent(_, mut open, picks) => {
                if let Some((order, parts)) = open.end() {
                    self.add_order(&order, &parts, &picks);
                }
            }
        }
        if let Some(journal) = &mut self.journal {
            journal.close();
        }
    }
}
