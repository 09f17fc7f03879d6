//! What a change of revenue between two periods consists of: the effects of the number of customers, of orders per customer, of
//! the value of an order, of refunds, and of the mix of groups.
//!
//! The effects are those of the logarithmic mean Divisia index (Ang 2005): with gross = customers * frequency * order value and
//! L(a, b) = (a - b) / ln(a / b), an effect is L(gross1, gross0) ln(x1 / x0), and they add up to the change without a residual.

use super::found::Measures;
use super::kernel::MeasureSums;
use crate::error::{Error, ErrorKind, Result};
use crate::num::money::Amount;
use crate::table::Table;

/// The effects of one change, in units of money.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Effects {
    /// Change of the revenue.
    pub change: i128,
    /// Of the number of active customers.
    pub customers: f64,
    /// Of orders per active customer.
    pub frequency: f64,
    /// Of the amount of an order.
    pub order_value: f64,
    /// Of refunds.
    pub refunds: i128,
    /// Of the shares of groups among the customers.
    pub mix: f64,
}

/// (a - b) / ln(a / b), for positive numbers.
fn logarithmic_mean(a: i128, b: i128) -> f64 {
    if a == b {
        return a as f64;
    }
    let (change, ratio) = ((a - b) as f64, a as f64 / b as f64);
    // The logarithm of a ratio near 1 is that of its distance from 1, which has no rounding yet; that of a ratio near 0 would lose digits so.
    let log = if (0.5..2.0).contains(&ratio) { (change / b as f64).ln_1p() } else { ratio.ln() };
    change / log
}

/// ln(a / b), for positive numbers.
fn log_ratio(a: f64, b: f64) -> f64 {
    (a / b).ln()
}

/// The effects of groups between two periods: pairs of (before, after).
pub(super) fn effects<'a>(groups: impl Iterator<Item = (&'a MeasureSums, &'a MeasureSums)> + Clone) -> Effects {
    let mut sum = Effects::default();
    let all = |of: fn(&(&'a MeasureSums, &'a MeasureSums)) -> i64| groups.clone().map(|pair| of(&pair)).sum::<i64>();
    let (before_all, after_all) = (all(|pair| pair.0.movement.active), all(|pair| pair.1.movement.active));
    for (before, after) in groups {
        let (v0, v1) = (before.gross, after.gross);
        sum.change += after.revenue() - before.revenue();
        sum.refunds += after.refunds - before.refunds;
        let (n0, n1) = (before.movement.active, after.movement.active);
        if n0 == 0 || n1 == 0 {
            // Without customers on one side all of it is their effect; of one of several groups, that of the mix.
            let change = (v1 - v0) as f64;
            if before_all == 0 || after_all == 0 {
                sum.customers += change;
            } else {
                sum.mix += change;
            }
            continue;
        }
        if v0 <= 0 || v1 <= 0 {
            // Orders that are worth nothing have no logarithm.
            sum.order_value += (v1 - v0) as f64;
            continue;
        }
        let mean = logarithmic_mean(v1, v0);
        let is_all = (n0, n1) == (before_all, after_all);
        let [n0, n1, all0, all1] = [n0, n1, before_all, after_all].map(|n| n as f64);
        let [o0, o1] = [before.orders, after.orders].map(|n| n as f64);
        sum.customers += mean * log_ratio(all1, all0);
        if !is_all {
            sum.mix += mean * log_ratio(n1 / all1, n0 / all0);
        }
        sum.frequency += mean * log_ratio(o1 / n1, o0 / n0);
        sum.order_value += mean * log_ratio(v1 as f64 / o1, v0 as f64 / o0);
    }
    sum
}

/// The settings of a decomposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecompositionSpec {
    /// Number of periods between the two that are compared.
    pub lag: u32,
    /// Whether periods that are not complete are compared, too.
    pub include_partial: bool,
}

/// The change of one period.
#[derive(Debug, Clone, Copy)]
pub(super) struct PeriodChange {
    /// The period, and the one it is compared with.
    pub period: usize,
    /// The one that it is compared with.
    pub from: usize,
    /// The effects.
    pub effects: Effects,
}

impl Measures {
    /// The effects that make up the change of revenue from one period to a later one: one row for each period.
    pub fn decomposition(mut self, spec: DecompositionSpec) -> Result<Table> {
        if self.money.is_none() {
            let message = "decomposition() needs amounts: name their column, amount=";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        if self.all_time {
            let message = "decomposition() compares periods, and period='all' is only one; choose e.g. period='month'";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let (lag, number) = (spec.lag.max(1) as usize, self.number);
        let mut changes = Vec::with_capacity(number.saturating_sub(lag));
        let mut partial = 0;
        for period in lag..number {
            let from = period - lag;
            if !(spec.include_partial || self.is_complete(from) && self.is_complete(period)) {
                partial += 1;
                continue;
            }
            let groups = self.rows.chunks_exact(number).map(|rows| (&rows[from], &rows[period]));
            changes.push(PeriodChange { period, from, effects: effects(groups) });
        }
        if partial > 0 {
            let changes = if partial == 1 { "1 change".to_owned() } else { format!("{partial} changes") };
            self.report.remarks.push(format!("{changes} left out: a period is not over on the last day"));
        }
        self.changes_table(&changes)
    }

    /// Units as money.
    pub(super) fn money_of(&self, units: i128) -> f64 {
        self.money.map_or(0.0, |money| Amount { units, money }.to_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::movement::Movement;

    fn sums(active: i64, orders: i64, gross: i128, refunds: i128) -> MeasureSums {
        MeasureSums { movement: Movement { active, ..Movement::default() }, orders, gross, refunds, ..MeasureSums::default() }
    }

    fn total(effects: &Effects) -> f64 {
        effects.customers + effects.frequency + effects.order_value + effects.mix + effects.refunds as f64
    }

    #[test]
    fn effects_add_up_to_the_change() {
        let (a, b) = (sums(10, 14, 1_000, -30), sums(13, 17, 1_800, -500));
        let found = effects([(&a, &b)].into_iter());
        assert_eq!(found.change, 330);
        assert!((total(&found) - 330.0).abs() < 1e-9);
        assert_eq!(found.refunds, -470);
        assert!(found.customers > 0.0 && found.frequency < 0.0 && found.order_value > 0.0 && found.mix == 0.0);
    }

    #[test]
    fn effects_add_up_whatever_the_sizes() {
        let large = 9_000_000_000_000_000;
        for (v0, v1) in [(large, 1), (1, large), (large, large - 1), (large, large + 1), (3, 2), (2, 1), (1, 2)] {
            let (before, after) = (sums(3, 7, v0, 0), sums(5, 6, v1, 0));
            let found = effects([(&before, &after)].into_iter());
            let change = (v1 - v0) as f64;
            assert!((total(&found) - change).abs() <= 1e-13 * v0.max(v1) as f64, "{v0} to {v1}: {} of {change}", total(&found));
        }
    }

    #[test]
    fn nothing_on_one_side_has_no_logarithm() {
        let (none, some, free) = (sums(0, 0, 0, -5), sums(2, 3, 60, 0), sums(4, 4, 0, 0));
        let of = |a, b| effects([(a, b)].into_iter());
        assert_eq!(of(&none, &some), Effects { change: 65, customers: 60.0, refunds: 5, ..Effects::default() });
        assert_eq!(of(&some, &none), Effects { change: -65, customers: -60.0, refunds: -5, ..Effects::default() });
        assert_eq!(of(&some, &free), Effects { change: -60, order_value: -60.0, ..Effects::default() });
        assert_eq!(of(&none, &free), Effects { change: 5, refunds: 5, ..Effects::default() });
        assert_eq!(of(&some, &some), Effects::default());
    }

    #[test]
    fn groups_move_the_mix() {
        // The same number of customers in all, who move from the cheap group to the dear one.
        let pairs =
            [(sums(5, 5, 100, 0), sums(2, 2, 40, 0)), (sums(5, 5, 500, 0), sums(8, 8, 800, 0)), (sums(1, 1, 7, 0), sums(0, 0, 0, 0))];
        let found = effects(pairs[..2].iter().map(|(a, b)| (a, b)));
        assert!((found.mix - 240.0).abs() < 1e-9 && found.customers == 0.0, "{found:?}");
        let found = effects(pairs.iter().map(|(a, b)| (a, b)));
        assert!((total(&found) - 233.0).abs() < 1e-9);
        assert!(found.customers < 0.0, "there are fewer customers");
    }

    #[test]
    fn the_mean_of_nearly_equal_numbers_is_accurate() {
        let a = 1_i128 << 60;
        for step in [1, 1 << 10, 1 << 40] {
            let mean = logarithmic_mean(a + step, a);
            let expected = a as f64 + step as f64 / 2.0;
            assert!((mean / expected - 1.0).abs() < 1e-12, "{mean}");
        }
    }
}
