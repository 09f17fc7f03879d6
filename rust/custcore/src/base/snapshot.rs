//! The snapshot of a state as of the end of a day, which analyses read.
//!
//! Open orders count with the lines read so far. As of a past day only lines up to that day count, as if the later
//! rows did not exist.

use std::borrow::Cow;

use crate::column::bounds::ObservationWindow;
use crate::column::mark::{BEFORE, PURCHASE, RETURNING, START};
use crate::error::{Error, Result};
use crate::exec::par::Threads;
use crate::state::accumulator::Level;
use crate::state::customer_state::{OrderAssembly, State};
use crate::state::days::{DayRun, DayRunBuilder, DayRuns, DaysOfCustomer, Group, Piece};
use crate::state::order_lines::order_until;
use crate::state::order_log::OrderLog;
use crate::state::spec::Returns;
use crate::state::totals::{OrderClass, Totals};

/// Rows and amount of the records after a day.
#[derive(Debug, Default)]
struct Later {
    rows: u64,
    units: i128,
}

impl Later {
    #[inline]
    fn add(&mut self, (rows, units): (u64, i128)) {
        self.rows += rows;
        self.units += units;
    }
}

/// What some customers had up to the end of a day.
#[derive(Debug)]
struct Past {
    /// Their totals, by code from `start` on.
    totals: Totals,
    start: u32,
    later: Later,
    /// Their days, if they are asked for.
    kept: DayRun,
}

/// Pieces for each task, and the first code of each task.
fn tasks<'a>(pieces: &'a [Piece], threads: Threads<'_>) -> Vec<(u32, &'a [Piece])> {
    let number = if threads.count() > 1 { 4 * threads.count() } else { 1 };
    let chunks = pieces.chunks(pieces.len().div_ceil(number).max(1));
    let mut tasks: Vec<(u32, &[Piece])> = chunks.map(|pieces| (pieces[0].first(), pieces)).collect();
    match tasks.first_mut() {
        Some((start, _)) => *start = 0,
        None => tasks.push((0, &[])),
    }
    tasks
}

/// Orders that count in a view: (key of the order, customer).
#[derive(Debug, Default)]
struct OrdersOfView {
    purchases: Vec<(u32, u32)>,
    refunds: Vec<(u32, u32)>,
}

impl Past {
    /// The customers of some pieces, with the settings of a view.
    fn of(pieces: &[Piece], (start, day): (u32, i32), view: &State) -> Self {
        let mut totals = view.totals.empty_like();
        totals.grow(pieces.last().map_or(0, |piece| (piece.last() + 1 - start) as usize));
        let records = pieces.iter().map(|piece| piece.segment.len()).sum();
        let mut kept = view.days.is_some().then(|| DayRunBuilder::new(records));
        let mut later = Later::default();
        for piece in pieces {
            let is_kept = piece.segment.ends_of_days().is_none_or(|(_, last)| last <= day);
            if let Some(kept) = kept.as_mut().filter(|_| is_kept) {
                kept.share(piece.clone());
            }
            let of_purchases = piece.segment.is_of_purchases();
            for group in piece.groups() {
                let up_to = if is_kept { group.clone() } else { group.until(day) };
                let after = Group { range: up_to.range.end..group.range.end, ..group };
                if of_purchases {
                    later.add(after.segment.sums(after.range));
                } else {
                    after.records().for_each(|record| later.add((u64::from(record.purchase_rows()), record.units)));
                }
                if up_to.range.is_empty() {
                    continue;
                }
                // The days of a customer are added up first, so that the totals are touched once per customer.
                let sum = if of_purchases { up_to.sum_of_purchases() } else { up_to.sum() };
                totals.add_days(&DaysOfCustomer { customer: sum.customer - start, ..sum });
                if let Some(kept) = kept.as_mut().filter(|_| !is_kept) {
                    kept.append(&up_to);
                }
            }
        }
        Self { totals, start, later, kept: kept.map(DayRunBuilder::finish).unwrap_or_default() }
    }
}

impl State {
    /// The state as of the end of a day, by default the last one; with `days`, including day records.
    pub(crate) fn state_as_of(&self, until: Option<i32>, days: bool, threads: Threads<'_>) -> Result<Cow<'_, Self>> {
        let past = until.filter(|&day| day < self.last_day);
        if past.is_none() && self.is_final() {
            return Ok(Cow::Borrowed(self));
        }
        let mut view = Self { interner: self.interner.view(), accumulators: self.accumulators.clone(), ..self.empty_like() };
        (view.rows, view.first_day, view.last_day) = (self.rows, self.first_day, past.unwrap_or(self.last_day));
        if view.first_day > view.last_day {
            (view.first_day, view.last_day) = (i32::MAX, i32::MIN);
        }
        (view.lines, view.daily_tallies) = (OrderAssembly::None, None);
        match past {
            None => {
                (view.totals, view.purchases) = (self.totals.clone(), self.purchases);
                view.days = self.days.clone().filter(|_| days);
            }
            Some(day) => {
                view.days = days.then(DayRuns::default);
                self.look_back(day, &mut view, threads)?;
            }
        }
        view.totals.grow(self.interner.len());
        let (mut open, mut split_orders) = (OrdersOfView::default(), OrdersOfView::default());
        for (order, parts, (level, at)) in self.waiting() {
            if let Some(until) = past {
                let parts = if parts.is_empty() { std::slice::from_ref(&order) } else { parts };
                for part in parts.iter().filter(|part| part.day > until) {
                    view.rows.after.add_many(part.lines, part.units);
                }
            }
            if let Some(order) = order_until(&order, parts, past) {
                let orders = if level == Level::Open { &mut open } else { &mut split_orders };
                match view.add_order(&order, &[]) {
                    Some(OrderClass::Purchase) => orders.purchases.push((at, order.customer)),
                    Some(OrderClass::Refund) => orders.refunds.push((at, order.customer)),
                    _ => {}
                }
            }
        }
        for (level, orders) in [(Level::Open, open), (Level::Split, split_orders)] {
            view.accumulators.promote(level, Level::Customer, &orders.purchases);
            view.accumulators.promote_refunds(level, &orders.refunds);
            view.accumulators.retain(level, &[]);
        }
        if let Some(days) = &mut view.days {
            days.flush();
        }
        Ok(Cow::Owned(view))
    }

    /// Number of customers of the snapshot as of the last day, without computing it.
    pub(crate) fn count_customers(&self) -> usize {
        let mut customers = self.totals.count_present();
        if self.is_final() {
            return customers;
        }
        let mut is_counted = vec![false; self.interner.len()];
        for order in self.unfinished() {
            let is_counted = &mut is_counted[order.customer as usize];
            let counts = self.rules.classify(order.units, order.amount_is_null) != OrderClass::LeftOut;
            if counts && !*is_counted {
                *is_counted = true;
                customers += usize::from(!self.totals.is_present(order.customer));
            }
        }
        customers
    }

    /// Whether each order makes its customer one of the snapshot, whatever other lines it gets.
    pub(crate) fn each_order_counts(&self) -> bool {
        self.rules.returns != Returns::Exclude || (self.is_final() && matches!(self.lines, OrderAssembly::None))
    }

    /// Whether there are neither open nor split orders.
    pub(in crate::base) fn is_final(&self) -> bool {
        let waits = match &self.lines {
            OrderAssembly::None => false,
            OrderAssembly::Any(orders) => !orders.orders().is_empty(),
            OrderAssembly::Adjacent(_, open) => open.current().is_some(),
        };
        !waits && self.split_orders.is_empty()
    }

    /// Fills a view from the day records up to a day.
    fn look_back(&self, day: i32, view: &mut Self, threads: Threads<'_>) -> Result<()> {
        let (Some(day_runs), Some(daily_tallies)) = (&self.days, &self.daily_tallies) else {
            return Err(Error::internal("a snapshot as of a past day needs day records"));
        };
        view.accumulators.look_back(day)?;
        let (up_to, after) = daily_tallies.split(day);
        view.purchases = up_to.purchases;
        (view.rows.null_amount, view.rows.null_order) = (up_to.null_amount, up_to.null_order);
        view.rows.rounded_amount = up_to.rounded_amount;
        for left in [&after.purchases.netted_refunds, &after.purchases.zero_orders] {
            view.rows.after.add_many(left.rows, 0);
        }
        view.rows.after.add_many(after.purchases.excluded_refunds.rows, after.purchases.excluded_refunds.units);
        let whole = day_runs.whole();
        let tasks = tasks(whole.pieces(), threads.if_large(whole.len()));
        let mut parts = threads.par_tasks(tasks, |(start, pieces)| Past::of(pieces, (start, day), view));
        let later = parts
            .iter()
            .fold(Later::default(), |sum, part| Later { rows: sum.rows + part.later.rows, units: sum.units + part.later.units });
        view.rows.after.add_many(later.rows, later.units);
        if let Some(days) = &mut view.days {
            days.add_run(DayRun::concat(parts.iter_mut().map(|part| std::mem::take(&mut part.kept))));
        }
        view.totals = if let [one] = parts.as_mut_slice() {
            std::mem::take(&mut one.totals)
        } else {
            let totals: Vec<(&Totals, usize)> = parts.iter().map(|part| (&part.totals, part.start as usize)).collect();
            Totals::concat(&totals, self.interner.len(), threads)
        };
        Ok(())
    }

    /// The order log of the purchases and refunds of every day, packed if analyses need no marks. Requires a snapshot with day
    /// records. Days before `start` are marked.
    pub(crate) fn replay(&self, start: Option<i32>, is_packed: bool) -> OrderLog {
        let mut order_log = OrderLog::of(&ObservationWindow { is_packed, ..ObservationWindow::default() });
        let Some(days) = &self.days else { return order_log };
        let whole = days.whole();
        for group in whole.pieces().iter().flat_map(Piece::groups) {
            for record in group.records() {
                let before = if start.is_some_and(|start| record.day < start) { BEFORE } else { 0 };
                let marks = START | RETURNING | before | if record.orders > 0 { PURCHASE } else { 0 };
                // The rows of days are not kept.
                order_log.add_order(record.customer, record.day, record.units, marks, u64::MAX);
                // The first purchase of a day carries its amount.
                (1..record.orders).for_each(|_| order_log.add_order(record.customer, record.day, 0, marks, u64::MAX));
            }
        }
        order_log.close();
        order_log
    }
}
