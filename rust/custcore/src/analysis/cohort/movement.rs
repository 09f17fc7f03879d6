//! Movement of customers, and of their money, from one calendar period to the next.

use std::ops::{AddAssign, Range};

use hashbrown::HashMap;

use super::cell_counts::has_places;
use super::cohorts::MOST_CELLS;
use super::count::Counter;
use super::kernel::active_periods;
use super::orders_by_customer::CohortOrder;
use super::spec::CohortBy;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::ROWS_WORTH_THREADS;
use crate::time::calendar::date_text;

/// Customers of one period.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Movement {
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
pub(crate) struct Flow {
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

/// What is added up by group and period: a place for each row where these are few, else those rows in which something is.
#[derive(Debug, Clone)]
pub(crate) enum Sums<T> {
    /// All rows.
    Dense(Vec<T>),
    /// By row.
    Sparse(HashMap<usize, T, foldhash::fast::RandomState>),
}

impl<T: Copy + Default + AddAssign> Sums<T> {
    /// Nothing yet in `rows` rows, into which so many orders go.
    fn new(rows: usize, orders: usize) -> Self {
        if has_places(rows, orders) { Self::Dense(vec![T::default(); rows]) } else { Self::Sparse(HashMap::default()) }
    }

    /// What is in a row.
    pub(crate) fn get(&self, row: usize) -> T {
        match self {
            Self::Dense(rows) => rows[row],
            Self::Sparse(rows) => rows.get(&row).copied().unwrap_or_default(),
        }
    }

    #[inline]
    fn at(&mut self, row: usize) -> &mut T {
        match self {
            Self::Dense(rows) => &mut rows[row],
            Self::Sparse(rows) => rows.entry(row).or_default(),
        }
    }

    /// Adds what was added up elsewhere.
    fn merge(&mut self, other: Self) {
        match other {
            Self::Dense(rows) => rows.into_iter().enumerate().for_each(|(row, more)| *self.at(row) += more),
            Self::Sparse(rows) => rows.into_iter().for_each(|(row, more)| *self.at(row) += more),
        }
    }
}

impl<T> Default for Sums<T> {
    fn default() -> Self {
        Self::Dense(Vec::new())
    }
}

/// The rows of one group.
#[derive(Debug)]
pub(crate) struct Periods<'a, T> {
    sums: &'a mut Sums<T>,
    first: usize,
    number: usize,
}

impl<T: Copy + Default + AddAssign> Periods<'_, T> {
    /// The row of a period, if it is one of the observed ones.
    #[inline]
    fn get(&mut self, period: usize) -> Option<&mut T> {
        if period < self.number { Some(self.sums.at(self.first + period)) } else { None }
    }
}

/// Adds the movement of a customer who was active in `active`, which ascend; `known` says that he was before.
pub(crate) fn move_customer(rows: &mut Periods<'_, Movement>, active: &[usize], mut known: bool) {
    let mut before: Option<usize> = None;
    for &period in active {
        let is_next = before.is_some_and(|before| before + 1 == period);
        let Some(row) = rows.get(period) else { continue };
        row.active += 1;
        *(if is_next {
            &mut row.retained
        } else if known {
            &mut row.reactivated
        } else {
            &mut row.new
        }) += 1;
        if let Some(row) = before.filter(|_| !is_next).and_then(|left| rows.get(left + 1)) {
            row.churned += 1;
        }
        known = true;
        before = Some(period);
    }
    if let Some(row) = before.and_then(|before| rows.get(before + 1)) {
        row.churned += 1;
    }
}

/// Adds the money of a customer, (period, units) ascending, all of it positive; `known` says that he bought before.
pub(crate) fn move_money(rows: &mut Periods<'_, Flow>, money: &[(usize, i128)], mut known: bool) {
    let mut before: Option<(usize, i128)> = None;
    for &(period, now) in money {
        let kept = before.filter(|(earlier, _)| earlier + 1 == period);
        let Some(row) = rows.get(period) else { continue };
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
        if let Some((left, units)) = before.filter(|_| kept.is_none()) {
            leave(rows, left, units);
        }
        known = true;
        before = Some((period, now));
    }
    if let Some((left, units)) = before {
        leave(rows, left, units);
    }
}

/// The money of a customer who has none in the period after.
fn leave(rows: &mut Periods<'_, Flow>, period: usize, units: i128) {
    if let Some(row) = rows.get(period + 1) {
        row.start += units;
        row.churned += units;
    }
}

impl Counter<'_> {
    /// Movement by group and period.
    pub(crate) fn movement(&self) -> Result<Sums<Movement>> {
        let first = self.observation.periods().start;
        let least = self.spec.min_occurrences;
        self.of_all(|orders, rows, active: &mut Vec<i64>, periods: &mut Vec<usize>| {
            let returns = || orders.iter().filter(|order| order.returns());
            active_periods(returns().filter(|order| order.in_window()).map(|order| self.observation.index(order.day)), least, active);
            let known = self.looks_back() && returns().any(|order| !order.in_window());
            periods.clear();
            periods.extend(active.iter().map(|&index| usize::try_from(index - first).unwrap_or(0)));
            move_customer(rows, periods, known);
        })
    }

    /// Flows of money by group and period.
    pub(crate) fn flows(&self) -> Result<Sums<Flow>> {
        let first = self.observation.periods().start;
        self.of_all(|orders, rows, (): &mut (), money: &mut Vec<(usize, i128)>| {
            money.clear();
            for order in orders.iter().filter(|order| order.in_window()) {
                let period = usize::try_from(self.observation.index(order.day) - first).unwrap_or(0);
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
                 is wrong, leave it out with observation_start and observation_end; else choose a longer period"
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
                add(&orders, &mut Periods { sums: &mut sums, first: group * periods, number: periods }, &mut a, &mut b);
            }
            sums
        };
        let customers = self.orders_by_customer.customers();
        let side_by_side = customers >= ROWS_WORTH_THREADS && rows < ROWS_WORTH_THREADS;
        let runs = if side_by_side { self.threads.par_chunks(customers, count) } else { vec![count(0..customers)] };
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
    use super::*;

    /// What `add` makes of 4 rows, with places and without.
    fn both<T: Copy + Default + AddAssign>(n: usize, add: impl Fn(&mut Periods<'_, T>)) -> [Vec<T>; 2] {
        [Sums::Dense(vec![T::default(); n]), Sums::Sparse(HashMap::default())].map(|mut sums| {
            add(&mut Periods { sums: &mut sums, first: 0, number: n });
            (0..n).map(|row| sums.get(row)).collect()
        })
    }

    #[test]
    fn customers_come_and_go() {
        let found = both(5, |rows| {
            move_customer(rows, &[0, 1, 3], false);
            move_customer(rows, &[4], true);
        });
        for rows in found {
            let seen: Vec<[i64; 5]> = rows.iter().map(|row| [row.active, row.new, row.retained, row.reactivated, row.churned]).collect();
            assert_eq!(seen, [[1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [0, 0, 0, 0, 1], [1, 0, 0, 1, 0], [1, 0, 0, 1, 1]]);
        }
    }

    #[test]
    fn money_comes_and_goes() {
        for rows in both(4, |rows| move_money(rows, &[(0, 10), (1, 4), (3, 6)], false)) {
            let seen: Vec<[i128; 7]> =
                rows.iter().map(|r| [r.start, r.churned, r.contraction, r.expansion, r.reactivated, r.new, r.end]).collect();
            assert_eq!(seen, [[0, 0, 0, 0, 0, 10, 10], [10, 0, 6, 0, 0, 0, 4], [4, 4, 0, 0, 0, 0, 0], [0, 0, 0, 0, 6, 0, 6]]);
        }
    }
}
