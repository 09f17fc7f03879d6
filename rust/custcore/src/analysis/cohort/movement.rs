//! Customer movement and revenue flows from one calendar period to the next.

use std::ops::{AddAssign, Range};

use hashbrown::HashMap;

use super::cell_counts::is_dense;
use super::cohorts::MOST_CELLS;
use super::count::Counter;
use super::kernel::active_periods;
use super::orders_by_customer::CohortOrder;
use super::spec::CohortBy;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::ROWS_WORTH_THREADS;
use crate::time::calendar::date_text;

/// Customer movement of one period.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Movement {
    /// Active customers.
    pub active: i64,
    /// Active for the first time.
    pub new: i64,
    /// Active in the previous period, too.
    pub retained: i64,
    /// Active earlier, but not in the previous period.
    pub reactivated: i64,
    /// Active in the previous period, but not in this one.
    pub churned: i64,
}

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

/// Sums by group and period: dense if there are few rows, otherwise sparse.
#[derive(Debug, Clone)]
pub(crate) enum Sums<T> {
    /// A value for every row.
    Dense(Vec<T>),
    /// Non-empty rows.
    Sparse(HashMap<usize, T, foldhash::fast::RandomState>),
}

impl<T: Copy + Default + AddAssign> Sums<T> {
    /// Zero sums of `rows` rows for an input of `orders` orders.
    pub(super) fn new(rows: usize, orders: usize) -> Self {
        if is_dense(rows, orders) { Self::Dense(vec![T::default(); rows]) } else { Self::Sparse(HashMap::default()) }
    }

    /// The sum of a row.
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

    /// Merges other sums.
    fn merge(&mut self, other: Self) {
        self.merge_at(other, |row| row);
    }

    /// Merges other sums, whose rows are at `place` here.
    pub(super) fn merge_at(&mut self, other: Self, place: impl Fn(usize) -> usize) {
        match other {
            Self::Dense(rows) => rows.into_iter().enumerate().for_each(|(row, more)| *self.at(place(row)) += more),
            Self::Sparse(rows) => rows.into_iter().for_each(|(row, more)| *self.at(place(row)) += more),
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
    /// The row of a period, if observed.
    #[inline]
    fn get(&mut self, period: usize) -> Option<&mut T> {
        if period < self.number { Some(self.sums.at(self.first + period)) } else { None }
    }
}

/// Adds the movement of a customer active in the ascending periods `active`; `known` means active before the first period.
pub(crate) fn add_movement(rows: &mut Periods<'_, Movement>, active: &[usize], mut known: bool) {
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
                add(&orders, &mut Periods { sums: &mut sums, first: group * periods, number: periods }, &mut a, &mut b);
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
    use super::*;

    /// The result of `add` on `n` rows, with dense and with sparse sums.
    fn both<T: Copy + Default + AddAssign>(n: usize, add: impl Fn(&mut Periods<'_, T>)) -> [Vec<T>; 2] {
        [Sums::Dense(vec![T::default(); n]), Sums::Sparse(HashMap::default())].map(|mut sums| {
            add(&mut Periods { sums: &mut sums, first: 0, number: n });
            (0..n).map(|row| sums.get(row)).collect()
        })
    }

    #[test]
    fn movement_by_period() {
        let found = both(5, |rows| {
            add_movement(rows, &[0, 1, 3], false);
            add_movement(rows, &[4], true);
        });
        for rows in found {
            let seen: Vec<[i64; 5]> = rows.iter().map(|row| [row.active, row.new, row.retained, row.reactivated, row.churned]).collect();
            assert_eq!(seen, [[1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [0, 0, 0, 0, 1], [1, 0, 0, 1, 0], [1, 0, 0, 1, 1]]);
        }
    }

    #[test]
    fn flows_by_period() {
        for rows in both(4, |rows| add_flows(rows, &[(0, 10), (1, 4), (3, 6)], false)) {
            let seen: Vec<[i128; 7]> =
                rows.iter().map(|r| [r.start, r.churned, r.contraction, r.expansion, r.reactivated, r.new, r.end]).collect();
            assert_eq!(seen, [[0, 0, 0, 0, 0, 10, 10], [10, 0, 6, 0, 0, 0, 4], [4, 4, 0, 0, 0, 0, 0], [0, 0, 0, 0, 6, 0, 6]]);
        }
    }
}
