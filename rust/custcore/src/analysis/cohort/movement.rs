//! Customer movement of a cohort scan, and revenue flows from one calendar period to the next.

use std::ops::{AddAssign, Range};

use super::cohorts::MOST_CELLS;
use super::count::Counter;
use super::kernel::active_periods;
use super::orders_by_customer::CohortOrder;
use super::spec::CohortBy;
use crate::analysis::movement::{Movement, Periods, Sums, add_movement};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::ROWS_WORTH_THREADS;
use crate::time::calendar::date_text;

/// Revenue flows of one period, in units; negative revenue of a customer in a period counts as 0.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flow {
    /// Revenue of the previous period.
    pub start: i128,
    /// Previous revenue of churned customers.
    pub churned: i128,
    /// Decrease in revenue of retained customers.
    pub contraction: i128,
    /// Increase in revenue of retained customers.
    pub expansion: i128,
    /// Revenue of reactivated customers.
    pub reactivated: i128,
    /// Revenue of new customers.
    pub new: i128,
    /// Revenue of this period.
    pub end: i128,
}

impl AddAssign for Flow {
    fn add_assign(&mut self, other: Self) {
        self.start += other.start;
        self.churned += other.churned;
        self.contraction += other.contraction;
        self.expansion += other.expansion;
        self.reactivated += other.reactivated;
        self.new += other.new;
        self.end += other.end;
    }
}

/// Adds the revenue flows of a customer from positive (period, units) pairs, ascending by period; `known` means that the
/// customer bought before the first period.
pub(crate) fn add_flows(rows: &mut Periods<'_, Flow>, revenue: &[(usize, i128)], mut known: bool) {
    let mut before: Option<(usize, i128)> = None;
    for &(period, now) in revenue {
        let previous = before.filter(|(earlier, _)| earlier + 1 == period);
        let Some(row) = rows.get(period) else { continue };
        row.end += now;
        if let Some((_, units)) = previous {
            row.start += units;
            row.contraction += (units - now).max(0);
            row.expansion += (now - units).max(0);
        } else if known {
            row.reactivated += now;
        } else {
            row.new += now;
        }
        if let Some((left, units)) = before.filter(|_| previous.is_none()) {
            add_churned(rows, left, units);
        }
        known = true;
        before = Some((period, now));
    }
    if let Some((left, units)) = before {
        add_churned(rows, left, units);
    }
}

/// Adds the churned revenue of a customer without revenue in the following period.
fn add_churned(rows: &mut Periods<'_, Flow>, period: usize, units: i128) {
    if let Some(row) = rows.get(period + 1) {
        row.start += units;
        row.churned += units;
    }
}

impl Counter<'_> {
    /// Customer movement by group and period.
    pub(crate) fn movement(&self) -> Result<Sums<Movement>> {
        let first = self.observation.periods().start;
        let least = self.spec.min_occurrences;
        self.of_all(|orders, rows, active: &mut Vec<i64>, periods: &mut Vec<usize>| {
            let returns = || orders.iter().filter(|order| order.returns());
            active_periods(returns().filter(|order| order.in_window()).map(|order| self.observation.index(order.day)), least, active);
            let known = self.counts_history() && returns().any(|order| !order.in_window());
            periods.clear();
            periods.extend(active.iter().map(|&index| usize::try_from(index - first).unwrap_or(0)));
            add_movement(rows, periods, known);
        })
    }

    /// Revenue flows by group and period.
    pub(crate) fn flows(&self) -> Result<Sums<Flow>> {
        let first = self.observation.periods().start;
        self.of_all(|orders, rows, (): &mut (), revenue: &mut Vec<(usize, i128)>| {
            revenue.clear();
            for order in orders.iter().filter(|order| order.in_window()) {
                let period = usize::try_from(self.observation.index(order.day) - first).unwrap_or(0);
                match revenue.last_mut() {
                    Some((open, units)) if *open == period => *units += order.units,
                    _ => revenue.push((period, order.units)),
                }
            }
            revenue.retain(|(_, units)| *units > 0);
            let known = self.counts_history() && orders.iter().any(|order| order.is_purchase() && !order.in_window());
            add_flows(rows, revenue, known);
        })
    }

    /// Whether orders before the start of observation make a customer known.
    fn counts_history(&self) -> bool {
        self.spec.cohort_by != CohortBy::FirstInWindow
    }

    /// Sums the contributions of `add` over the orders of every buyer, by group and period.
    fn of_all<T, A, B>(&self, add: impl Fn(&[CohortOrder], &mut Periods<'_, T>, &mut A, &mut B) + Sync + Send) -> Result<Sums<T>>
    where
        T: Copy + Default + AddAssign + Send,
        A: Default,
        B: Default,
    {
        let range = self.observation.periods();
        let periods = usize::try_from(range.end - range.start).unwrap_or(0);
        let rows = periods.saturating_mul(self.groups.number());
        if rows as u64 > MOST_CELLS {
            let (first, last) = (date_text(self.observation.start.day), date_text(self.observation.end.last_day()));
            let message = format!(
                "the result would have {rows} rows, more than 50,000,000: one for each period from {first} to {last} and each group. If a date \
                 is wrong, exclude it with observation_start and observation_end; otherwise choose a longer period"
            );
            return Err(Error::new(ErrorKind::OutOfRange, message));
        }
        let count = |run: Range<usize>| {
            let mut sums = Sums::new(rows, self.orders_by_customer.n_orders());
            let (mut orders, mut a, mut b) = (Vec::new(), A::default(), B::default());
            for customer in run {
                self.orders_by_customer.orders(customer, &mut orders);
                if !orders.iter().any(CohortOrder::is_purchase) {
                    continue;
                }
                let group = self.groups.group(self.view, customer as u32);
                add(&orders, &mut sums.periods(group * periods, periods), &mut a, &mut b);
            }
            sums
        };
        let customers = self.orders_by_customer.customers();
        let parallel = customers >= ROWS_WORTH_THREADS && rows < ROWS_WORTH_THREADS;
        let runs = if parallel { self.threads.par_chunks(customers, count) } else { vec![count(0..customers)] };
        let mut runs = runs.into_iter();
        let mut sums = runs.next().unwrap_or_default();
        for run in runs {
            sums.merge(run);
        }
        Ok(sums)
    }
}

#[cfg(test)]
mod tests {
    use hashbrown::HashMap;

    use super::*;

    #[test]
    fn flows_by_period() {
        for mut sums in [Sums::Dense(vec![Flow::default(); 4]), Sums::Sparse(HashMap::default())] {
            add_flows(&mut sums.periods(0, 4), &[(0, 10), (1, 4), (3, 6)], false);
            let rows: Vec<Flow> = (0..4).map(|row| sums.get(row)).collect();
            let seen: Vec<[i128; 7]> =
                rows.iter().map(|r| [r.start, r.churned, r.contraction, r.expansion, r.reactivated, r.new, r.end]).collect();
            assert_eq!(seen, [[0, 0, 0, 0, 0, 10, 10], [10, 0, 6, 0, 0, 0, 4], [4, 4, 0, 0, 0, 0, 0], [0, 0, 0, 0, 6, 0, 6]]);
        }
    }
}
