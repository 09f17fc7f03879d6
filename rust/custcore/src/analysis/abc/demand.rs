//! Kernel of demand classes: how regular the revenue of a customer is from period to period.

use std::ops::Range;

use super::kernel::NO_CLASS;
use super::spec::XyzSpec;
use crate::base::view::{DaysView, TotalsView};
use crate::report::Tally;
use crate::time::period::{Calendar, Period};

/// The periods that count.
#[derive(Debug, Clone, Copy)]
pub(super) struct CompletePeriods {
    calendar: Calendar,
    period: Period,
    /// The last one that is over.
    last: i64,
}

impl CompletePeriods {
    /// Those that end by the end of a day.
    pub(super) fn until(day: i32, spec: &XyzSpec) -> Self {
        let calendar = spec.calendar();
        Self { calendar, period: spec.period, last: calendar.index(day + 1, spec.period) - 1 }
    }

    fn index(&self, day: i32) -> i64 {
        self.calendar.index(day, self.period)
    }
}

/// The demand of one customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Demand {
    /// Complete periods from that of the first purchase on.
    pub periods: i32,
    /// Revenue in these periods, in units.
    pub units: i128,
    /// Coefficient of variation of the revenue of a period; NaN where there is none.
    pub cv: f64,
    /// Position of the class; [`NO_CLASS`] for customers of too few periods.
    pub class: u8,
}

/// The demand of customers, by code, and the revenue that is in none of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Demands {
    pub of_customers: Vec<Demand>,
    /// Customers with revenue in a period that is not over.
    pub incomplete: Tally,
    /// Customers with refunds before the period of their first purchase.
    pub before: Tally,
}

/// The demand of a range of codes; those of no buyer are empty.
pub(super) fn demands(days: &DaysView, totals: TotalsView<'_>, codes: Range<u32>, periods: &CompletePeriods, spec: &XyzSpec) -> Demands {
    let mut demands = Demands::default();
    let all = days.range(codes.clone());
    // Revenue of the periods with any, reused.
    let mut sums: Vec<i128> = Vec::new();
    for (code, ends) in codes.zip(all.offsets.windows(2)) {
        if totals.orders(code) == 0 {
            demands.of_customers.push(Demand { periods: 0, units: 0, cv: f64::NAN, class: NO_CLASS });
            continue;
        }
        let first = periods.index(totals.get(code).first);
        sums.clear();
        let (mut incomplete, mut before) = (None, None);
        let mut current = None;
        for (&day, &units) in all.days[ends[0]..ends[1]].iter().zip(&all.units[ends[0]..ends[1]]) {
            let index = periods.index(day);
            if index < first {
                *before.get_or_insert(0) += units;
            } else if index > periods.last {
                *incomplete.get_or_insert(0) += units;
            } else {
                if current != Some(index) {
                    current = Some(index);
                    sums.push(0);
                }
                *sums.last_mut().unwrap_or(&mut 0) += units;
            }
        }
        for (tally, units) in [(&mut demands.incomplete, incomplete), (&mut demands.before, before)] {
            if let Some(units) = units {
                tally.count += 1;
                tally.units += units;
            }
        }
        let n = i32::try_from((periods.last - first + 1).max(0)).unwrap_or(i32::MAX);
        demands.of_customers.push(demand(n, &sums, spec));
    }
    demands
}

/// The demand over `n` periods, of which those in `sums` have any.
fn demand(n: i32, sums: &[i128], spec: &XyzSpec) -> Demand {
    let total: i128 = sums.iter().sum();
    let nothing = Demand { periods: n, units: total, cv: f64::NAN, class: NO_CLASS };
    if n < i32::try_from(spec.min_periods).unwrap_or(i32::MAX) {
        return nothing;
    }
    if total <= 0 {
        return Demand { class: 2, ..nothing };
    }
    let cv = variation(i128::from(n), total, sums);
    let class = if cv <= spec.thresholds.0 { 0 } else { u8::from(cv > spec.thresholds.1) + 1 };
    Demand { cv, class, ..nothing }
}

/// Population standard deviation by mean: `sqrt(n sum x^2 - (sum x)^2) / sum x`, with an exact root where 128 bits suffice.
fn variation(n: i128, total: i128, sums: &[i128]) -> f64 {
    let squares = sums.iter().try_fold(0_i128, |squares, sum| squares.checked_add(sum.checked_mul(*sum)?));
    let exact = || squares?.checked_mul(n)?.checked_sub(total.checked_mul(total)?);
    if let Some(spread) = exact() {
        return (spread as f64).sqrt() / total as f64;
    }
    let (count, mean) = (n as f64, total as f64 / n as f64);
    let empty = (count - sums.len() as f64) * mean * mean;
    let spread = sums.iter().map(|&sum| (sum as f64 - mean) * (sum as f64 - mean)).sum::<f64>() + empty;
    (spread / count).sqrt() / mean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> XyzSpec {
        XyzSpec { period: Period::Month, thresholds: (0.5, 1.0), min_periods: 3, week_start: 0, fiscal_year_start: 1 }
    }

    #[test]
    fn classes_end_at_their_thresholds() {
        let class = |n, sums: &[i128]| demand(n, sums, &spec()).class;
        // 1 and 3: mean 2, deviation 1, over four periods.
        assert_eq!(demand(4, &[1, 3, 1, 3], &spec()), Demand { periods: 4, units: 8, cv: 0.5, class: 0 });
        // 2, 0, 2, 0: mean 1, deviation 1.
        assert_eq!((demand(4, &[2, 2], &spec()).cv, class(4, &[2, 2])), (1.0, 1));
        assert_eq!((class(4, &[8]), class(2, &[1, 1]), class(3, &[-1, 1])), (2, NO_CLASS, 2));
        assert!(demand(3, &[], &spec()).cv.is_nan());
    }

    #[test]
    fn large_money_varies_as_small_money_does() {
        let (small, large) = ([7_i128, 1, 4], [7_i128, 1, 4].map(|x| x << 80));
        let (a, b) = (variation(5, 12, &small), variation(5, 12 << 80, &large));
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }
}
