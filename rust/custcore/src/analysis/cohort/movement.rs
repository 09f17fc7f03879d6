//! Movement of customers, and of their money, from one calendar period to the next.

use std::ops::{AddAssign, Range};

use super::book::Order;
use super::count::Counter;
use super::kernel::active_periods;
use super::members::MOST_CELLS;
use super::spec::CohortBy;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::ROWS_WORTH_THREADS;

/// Customers of one period.
#[derive(Debug, Clone, Copy, Default)]
pub struct Movement {
    /// Active in it.
    pub active: i64,
    /// Never before.
    pub new: i64,
    /// Also in the period before.
    pub retained: i64,
    /// Not in the period before, but earlier.
    pub reactivated: i64,
    /// Active in the period before only.
    pub churned: i64,
}

/// Money of one period, in units; a customer's negative period counts as 0.
#[derive(Debug, Clone, Copy, Default)]
pub struct Flow {
    /// That of the period before.
    pub start: i128,
    /// Of customers who left.
    pub churned: i128,
    /// What others spend less.
    pub contraction: i128,
    /// What others spend more.
    pub expansion: i128,
    /// Of customers who are back.
    pub reactivated: i128,
    /// Of new customers.
    pub new: i128,
    /// That of the period.
    pub end: i128,
}

impl AddAssign for Movement {
    fn add_assign(&mut self, other: Self) {
        self.active += other.active;
        self.new += other.new;
        self.retained += other.retained;
        self.reactivated += other.reactivated;
        self.churned += other.churned;
    }
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

/// Adds the movement of a customer who was active in `active`, which ascend; `known` says that he was before.
pub fn move_customer(rows: &mut [Movement], active: &[usize], mut known: bool) {
    let (mut before, n): (Option<usize>, _) = (None, rows.len());
    for &period in active.iter().filter(|&&period| period < n) {
        let is_next = before.is_some_and(|before| before + 1 == period);
        if let Some(left) = before.filter(|_| !is_next) {
            rows[left + 1].churned += 1;
        }
        let row = &mut rows[period];
        row.active += 1;
        *(if is_next {
            &mut row.retained
        } else if known {
            &mut row.reactivated
        } else {
            &mut row.new
        }) += 1;
        known = true;
        before = Some(period);
    }
    if let Some(row) = before.and_then(|before| rows.get_mut(before + 1)) {
        row.churned += 1;
    }
}

/// Adds the money of a customer, (period, units) ascending, all of it positive; `known` says that he bought before.
pub fn move_money(rows: &mut [Flow], money: &[(usize, i128)], mut known: bool) {
    let (mut before, n): (Option<(usize, i128)>, _) = (None, rows.len());
    for &(period, now) in money.iter().filter(|(period, _)| *period < n) {
        let kept = before.filter(|(earlier, _)| earlier + 1 == period);
        if let Some((left, units)) = before.filter(|_| kept.is_none()) {
            leave(rows, left, units);
        }
        let row = &mut rows[period];
        row.end += now;
        if let Some((_, units)) = kept {
            row.start += units;
            row.contraction += (units - now).max(0);
            row.expansion += (now - units).max(0);
        } else if known {
            row.reactivated += now;
        } else {
            row.new += now;
        }
        known = true;
        before = Some((period, now));
    }
    if let Some((left, units)) = before {
        leave(rows, left, units);
    }
}

/// The money of a customer who has none in the period after.
fn leave(rows: &mut [Flow], period: usize, units: i128) {
    if let Some(row) = rows.get_mut(period + 1) {
        row.start += units;
        row.churned += units;
    }
}

impl Counter<'_> {
    /// Movement by group and period.
    pub fn movement(&self) -> Result<Vec<Movement>> {
        let first = self.scene.periods().start;
        let least = self.spec.min_occurrences;
        self.of_all(|orders, rows, active: &mut Vec<i64>, periods: &mut Vec<usize>| {
            let returns = || orders.iter().filter(|order| order.returns());
            active_periods(returns().filter(|order| order.in_window()).map(|order| self.scene.index(order.day)), least, active);
            let known = self.looks_back() && returns().any(|order| !order.in_window());
            periods.clear();
            periods.extend(active.iter().map(|&index| usize::try_from(index - first).unwrap_or(0)));
            move_customer(rows, periods, known);
        })
    }

    /// Flows of money by group and period.
    pub fn flows(&self) -> Result<Vec<Flow>> {
        let first = self.scene.periods().start;
        self.of_all(|orders, rows, (): &mut (), money: &mut Vec<(usize, i128)>| {
            money.clear();
            for order in orders.iter().filter(|order| order.in_window()) {
                let period = usize::try_from(self.scene.index(order.day) - first).unwrap_or(0);
                match money.last_mut() {
                    Some((open, units)) if *open == period => *units += order.units,
                    _ => money.push((period, order.units)),
                }
            }
            money.retain(|(_, units)| *units > 0);
            let known = self.looks_back() && orders.iter().any(|order| order.is_purchase() && !order.in_window());
            move_money(rows, money, known);
        })
    }

    /// Whether what lies before the start of observation makes a customer known.
    fn looks_back(&self) -> bool {
        self.spec.cohort_by != CohortBy::FirstInWindow
    }

    /// Adds up what `add` makes of the orders of every buyer, by group and period.
    fn of_all<T, A, B>(&self, add: impl Fn(&[Order], &mut [T], &mut A, &mut B) + Sync + Send) -> Result<Vec<T>>
    where
        T: Copy + Default + AddAssign + Send,
        A: Default,
        B: Default,
    {
        let range = self.scene.periods();
        let periods = usize::try_from(range.end - range.start).unwrap_or(0);
        let rows = periods.saturating_mul(self.groups.number());
        if rows as u64 > MOST_CELLS {
            let message = format!("the result would have {rows} rows, more than 50,000,000; choose a longer period");
            return Err(Error::new(ErrorKind::OutOfRange, message));
        }
        let count = |run: Range<usize>| {
            let mut sums = vec![T::default(); rows];
            let (mut orders, mut a, mut b) = (Vec::new(), A::default(), B::default());
            for customer in run {
                self.book.orders(customer, &mut orders);
                if !orders.iter().any(Order::is_purchase) {
                    continue;
                }
                let group = self.groups.group(self.state, customer as u32);
                add(&orders, &mut sums[group * periods..(group + 1) * periods], &mut a, &mut b);
            }
            sums
        };
        let customers = self.book.customers();
        let side_by_side = customers >= ROWS_WORTH_THREADS && rows < ROWS_WORTH_THREADS;
        let runs = if side_by_side { self.threads.par_chunks(customers, count) } else { vec![count(0..customers)] };
        let mut runs = runs.into_iter();
        let mut sums = runs.next().unwrap_or_default();
        for run in runs {
            sums.iter_mut().zip(run).for_each(|(sum, more)| *sum += more);
        }
        Ok(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_come_and_go() {
        let mut rows = [Movement::default(); 5];
        move_customer(&mut rows, &[0, 1, 3], false);
        move_customer(&mut rows, &[4], true);
        let seen = rows.map(|row| [row.active, row.new, row.retained, row.reactivated, row.churned]);
        assert_eq!(seen, [[1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [0, 0, 0, 0, 1], [1, 0, 0, 1, 0], [1, 0, 0, 1, 1]]);
    }

    #[test]
    fn money_comes_and_goes() {
        let mut rows = [Flow::default(); 4];
        move_money(&mut rows, &[(0, 10), (1, 4), (3, 6)], false);
        let seen = rows.map(|r| [r.start, r.churned, r.contraction, r.expansion, r.reactivated, r.new, r.end]);
        assert_eq!(seen, [[0, 0, 0, 0, 0, 10, 10], [10, 0, 6, 0, 0, 0, 4], [4, 4, 0, 0, 0, 0, 0], [0, 0, 0, 0, 6, 0, 6]]);
    }
}
