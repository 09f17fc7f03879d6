//! Kernel that counts members by cell. It sees slices and numbers only.

use super::spec::{ReturnCriterion, Spans};
use crate::num::proportion;

/// Accumulator of members by cell.
pub(crate) trait CountMembers {
    /// Adds members whose return window has ended.
    fn add_eligible(&mut self, cell: usize, members: i64);
    /// Adds eligible members who returned.
    fn add_customers(&mut self, cell: usize, members: i64);
    /// Adds members who returned in a window that has not ended.
    fn add_open(&mut self, cell: usize, members: i64);
}

/// Dense counts by cell; the rows of a cohort are contiguous.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    /// Members whose return window has ended.
    pub eligible: Vec<i64>,
    /// Eligible members who returned.
    pub customers: Vec<i64>,
    /// Members who returned in a window that has not ended.
    pub open: Vec<i64>,
    /// Orders.
    pub orders: Vec<i64>,
    /// Revenue in units.
    pub units: Vec<i128>,
}

impl Counts {
    /// Zero counts of `cells` cells.
    pub(crate) fn new(cells: usize) -> Self {
        Self { eligible: vec![0; cells], customers: vec![0; cells], open: vec![0; cells], orders: vec![0; cells], units: vec![0; cells] }
    }

    /// Adds other counts.
    pub(crate) fn merge(&mut self, other: &Self) {
        let add = |to: &mut [i64], from: &[i64]| to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        add(&mut self.eligible, &other.eligible);
        add(&mut self.customers, &other.customers);
        add(&mut self.open, &other.open);
        add(&mut self.orders, &other.orders);
        self.units.iter_mut().zip(&other.units).for_each(|(to, from)| *to += from);
    }
}

impl CountMembers for Counts {
    #[inline]
    fn add_eligible(&mut self, cell: usize, members: i64) {
        self.eligible[cell] += members;
    }

    #[inline]
    fn add_customers(&mut self, cell: usize, members: i64) {
        self.customers[cell] += members;
    }

    #[inline]
    fn add_open(&mut self, cell: usize, members: i64) {
        self.open[cell] += members;
    }
}

/// Cells of a cohort, and how many of its rows are observed for a member.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CohortPosition {
    /// The first cell.
    pub first: usize,
    /// Number of rows.
    pub rows: usize,
    /// Rows whose first window has begun for the member.
    pub begun: usize,
    /// Rows whose return window has ended for the member.
    pub ended: usize,
}

/// Counts a member who was active at the ascending period offsets `active`. Counts are kept as differences between
/// consecutive rows; [`sum_up`] turns them into totals.
pub(crate) fn count_member(
    counts: &mut impl CountMembers,
    place: CohortPosition,
    criterion: ReturnCriterion,
    horizon: Option<u32>,
    spans: Spans<'_>,
    active: &[i64],
) {
    add_step(place, 0, place.ended, |cell, n| counts.add_eligible(cell, n));
    let mut add_returned = |from: usize, to: usize| {
        let to = to.min(place.rows);
        add_step(place, from, to.min(place.ended), |cell, n| counts.add_customers(cell, n));
        add_step(place, from.max(place.ended), to.min(place.begun), |cell, n| counts.add_open(cell, n));
    };
    add_returned(0, 1);
    let returns = active.partition_point(|&k| k < 1);
    let active = &active[returns..];
    let (Some(&first), Some(&last)) = (active.first(), active.last()) else { return };
    let clip = |k: i64| usize::try_from(k).unwrap_or(0).min(place.rows);
    match criterion {
        ReturnCriterion::On => {
            let mut next = 1;
            for row in active.iter().map(|&k| spans.row(k)) {
                if row >= place.rows {
                    break;
                }
                if row >= next {
                    add_returned(row, row + 1);
                    next = row + 1;
                }
            }
        }
        ReturnCriterion::OnOrAfter => match horizon {
            None => add_returned(1, clip(last + 1)),
            Some(horizon) => {
                let mut next = 1;
                for &k in active {
                    let from = clip(k - i64::from(horizon) + 1).max(next);
                    add_returned(from, clip(k + 1));
                    next = next.max(clip(k + 1));
                }
            }
        },
        ReturnCriterion::OnOrBefore => add_returned(clip(first), place.rows),
        ReturnCriterion::Every => {
            let run = (1..).zip(active).take_while(|(k, active)| k == *active).count();
            add_returned(1, 1 + run);
        }
    }
}

/// Adds one member to the rows `from..to` of a cohort, as differences.
#[inline]
fn add_step(place: CohortPosition, from: usize, to: usize, mut add: impl FnMut(usize, i64)) {
    if from < to {
        add(place.first + from, 1);
        if to < place.rows {
            add(place.first + to, -1);
        }
    }
}

/// Cumulative sums of the differences, within the rows of one cohort.
pub(crate) fn sum_up(steps: &mut [i64]) {
    let mut sum = 0;
    for step in steps {
        sum += *step;
        *step = sum;
    }
}

/// Writes the values that occur at least `least` times in the ascending `periods` into `out`, which is cleared first.
pub(crate) fn active_periods(periods: impl Iterator<Item = i64>, least: u32, out: &mut Vec<i64>) {
    out.clear();
    let mut run: Option<(i64, u32)> = None;
    for period in periods {
        let count = match run {
            Some((open, count)) if open == period => count.saturating_add(1),
            _ => 1,
        };
        run = Some((period, count));
        if count == least {
            out.push(period);
        }
    }
}

/// Standard normal quantile of the 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// 95 % score interval of the proportion `c` of `n`.
pub(crate) fn wilson(c: i64, n: i64) -> (f64, f64) {
    proportion::wilson(c as u64, n as u64, Z)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::cohort::spec::CohortSpec;

    fn customers(criterion: ReturnCriterion, horizon: Option<u32>, active: &[i64]) -> Vec<i64> {
        let mut counts = Counts::new(6);
        let spec = CohortSpec::default();
        count_member(&mut counts, CohortPosition { first: 0, rows: 6, begun: 6, ended: 6 }, criterion, horizon, spec.spans(), active);
        sum_up(&mut counts.customers);
        counts.customers
    }

    #[test]
    fn return_criteria() {
        assert_eq!(customers(ReturnCriterion::On, None, &[0, 2, 5, 9]), [1, 0, 1, 0, 0, 1]);
        assert_eq!(customers(ReturnCriterion::OnOrAfter, None, &[0, 3]), [1, 1, 1, 1, 0, 0]);
        assert_eq!(customers(ReturnCriterion::OnOrAfter, None, &[9]), [1; 6]);
        assert_eq!(customers(ReturnCriterion::OnOrAfter, Some(2), &[2, 3, 9]), [1, 1, 1, 1, 0, 0]);
        assert_eq!(customers(ReturnCriterion::OnOrBefore, None, &[0, 3]), [1, 0, 0, 1, 1, 1]);
        assert_eq!(customers(ReturnCriterion::Every, None, &[1, 2, 4]), [1, 1, 1, 0, 0, 0]);
        assert_eq!(customers(ReturnCriterion::Every, None, &[2]), [1, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn open_windows_are_counted_separately() {
        let mut counts = Counts::new(4);
        let spec = CohortSpec::default();
        let place = CohortPosition { first: 0, rows: 4, begun: 3, ended: 1 };
        count_member(&mut counts, place, ReturnCriterion::On, None, spec.spans(), &[0, 2, 3]);
        for steps in [&mut counts.eligible, &mut counts.customers, &mut counts.open] {
            sum_up(steps);
        }
        assert_eq!((counts.eligible, counts.customers, counts.open), (vec![1, 0, 0, 0], vec![1, 0, 0, 0], vec![0, 0, 1, 0]));
    }

    #[test]
    fn active_periods_need_min_occurrences() {
        let mut out = Vec::new();
        active_periods([0, 0, 1, 3, 3, 3].into_iter(), 2, &mut out);
        assert_eq!(out, [0, 3]);
    }

    #[test]
    fn wilson_intervals() {
        assert_eq!(wilson(0, 10).0.to_bits(), 0.0_f64.to_bits());
        assert_eq!(wilson(10, 10).1.to_bits(), 1.0_f64.to_bits());
        let (low, high) = wilson(5, 10);
        assert!((low - 0.236_593).abs() < 1e-6 && (high - 0.763_407).abs() < 1e-6);
    }
}
