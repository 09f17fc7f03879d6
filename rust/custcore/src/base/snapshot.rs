//! The snapshot of a state as of the end of a day, which analyses read.
//!
//! Open orders count with the lines read so far. As of a past day only lines up to that day count, as if the later
//! rows did not exist.

use std::borrow::Cow;

use crate::column::mark::{BEFORE, PURCHASE, RETURNING, START};
use crate::error::{Error, Result};
use crate::state::accumulator::Level;
use crate::state::customer_state::{OrderAssembly, State};
use crate::state::days::{DayRun, DayRuns, DaysOfCustomer};
use crate::state::order_lines::order_until;
use crate::state::order_log::OrderLog;
use crate::state::spec::Returns;
use crate::state::totals::{OrderClass, Totals};

impl State {
    /// The state as of the end of a day, by default the last one; with `days`, including day records.
    pub(crate) fn state_as_of(&self, until: Option<i32>, days: bool) -> Result<Cow<'_, Self>> {
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
                self.look_back(day, &mut view)?;
            }
        }
        view.totals.grow(self.interner.len());
        let (mut open, mut split_orders) = (Vec::new(), Vec::new());
        for (order, parts, (level, at)) in self.waiting() {
            if let Some(until) = past {
                let parts = if parts.is_empty() { std::slice::from_ref(&order) } else { parts };
                for part in parts.iter().filter(|part| part.day > until) {
                    view.rows.after.add_many(part.lines, part.units);
                }
            }
            if let Some(order) = order_until(&order, parts, past)
                && view.add_order(&order, &[]) == Some(OrderClass::Purchase)
            {
                let orders = if level == Level::Open { &mut open } else { &mut split_orders };
                orders.push((at, order.customer));
            }
        }
        for (level, orders) in [(Level::Open, open), (Level::Split, split_orders)] {
            view.accumulators.promote(level, Level::Customer, &orders);
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
    fn look_back(&self, day: i32, view: &mut Self) -> Result<()> {
        let (Some(day_runs), Some(daily_tallies)) = (&self.days, &self.daily_tallies) else {
            return Err(Error::internal("a snapshot as of a past day needs day records"));
        };
        self.accumulators.check_past()?;
        view.totals = Totals::new(self.totals.rows().is_some());
        view.totals.grow(self.interner.len());
        let (up_to, after) = daily_tallies.split(day);
        view.purchases = up_to.purchases;
        (view.rows.null_amount, view.rows.null_order) = (up_to.null_amount, up_to.null_order);
        view.rows.rounded_amount = up_to.rounded_amount;
        for left in [&after.purchases.netted_refunds, &after.purchases.zero_orders] {
            view.rows.after.add_many(left.rows, 0);
        }
        view.rows.after.add_many(after.purchases.excluded_refunds.rows, after.purchases.excluded_refunds.units);
        let whole = day_runs.whole();
        let mut kept = DayRun::default();
        let mut later = (0, 0);
        // The days of a customer are added up first, so that the totals are touched once per customer.
        let mut sum: Option<DaysOfCustomer> = None;
        for record in whole.records() {
            if record.day > day {
                later = (later.0 + u64::from(record.purchase_rows()), later.1 + record.units);
                continue;
            }
            match &mut sum {
                Some(sum) if sum.customer == record.customer => sum.add(&record),
                _ => {
                    if let Some(sum) = sum.replace(DaysOfCustomer::of(&record)) {
                        view.totals.add_days(&sum);
                    }
                }
            }
            if view.days.is_some() {
                kept.push(&record);
            }
        }
        if let Some(sum) = sum {
            view.totals.add_days(&sum);
        }
        view.rows.after.add_many(later.0, later.1);
        if let Some(days) = &mut view.days {
            days.add_run(kept);
        }
        Ok(())
    }

    /// The order log of the purchases and refunds of every day. Requires a snapshot with day records. Days
    /// before `start` are marked.
    pub(crate) fn replay(&self, start: Option<i32>) -> OrderLog {
        let mut order_log = OrderLog::default();
        let Some(days) = &self.days else { return order_log };
        for record in days.whole().records() {
            let before = if start.is_some_and(|start| record.day < start) { BEFORE } else { 0 };
            let marks = START | RETURNING | before | if record.orders > 0 { PURCHASE } else { 0 };
            // The rows of days are not kept.
            order_log.add(record.customer, record.day, record.units, marks, u64::MAX);
            // The first purchase of a day carries its amount.
            (1..record.orders).for_each(|_| order_log.add(record.customer, record.day, 0, marks, u64::MAX));
        }
        order_log.close();
        order_log
    }
}
