//! The shares of one customer or group.

use super::spec::PreferenceMeasure;
use crate::num::special::ln;

/// What a customer has of a category, and what all customers have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Had {
    /// The category: its place in the order of values.
    pub category: u32,
    /// Orders with it.
    pub orders: u64,
    /// Rows.
    pub rows: u64,
    /// Money, at least 0.
    pub units: i128,
    /// The share of all customers; NaN without any.
    pub share_all: f64,
}

/// The preference for a category. NaN is null.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Preference {
    pub share: f64,
    pub share_shrunk: f64,
    pub index: f64,
    /// From 1.
    pub rank: u32,
}

/// The quotient; NaN for a divisor of 0.
pub(super) fn quotient(part: i128, whole: i128) -> f64 {
    if whole == 0 { f64::NAN } else { part as f64 / whole as f64 }
}

/// The preferences of one with `orders` orders with a category, in the same order.
pub(super) fn preferences(had: &[Had], orders: u64, measure: PreferenceMeasure, prior: f64, out: &mut Vec<Preference>) {
    let units: i128 = had.iter().map(|had| had.units).sum();
    let n = orders as f64;
    out.clear();
    out.extend(had.iter().map(|had| {
        let share = match measure {
            PreferenceMeasure::Spend => quotient(had.units, units),
            PreferenceMeasure::Orders => quotient(i128::from(had.orders), i128::from(orders)),
        };
        let p = had.share_all;
        // Without a share nothing is known but what all customers do.
        let share_shrunk = if share.is_nan() { p } else { (n * share + prior * p) / (n + prior) };
        let index = if p > 0.0 { 100.0 * share_shrunk / p } else { f64::NAN };
        Preference { share, share_shrunk, index, rank: 0 }
    }));
    let mut order: Vec<usize> = (0..out.len()).collect();
    let shown = |at: usize| if out[at].share_shrunk.is_nan() { f64::NEG_INFINITY } else { out[at].share_shrunk };
    // Stable: ties stay in the order of categories.
    order.sort_by(|&a, &b| shown(b).total_cmp(&shown(a)));
    (1..).zip(order).for_each(|(rank, at)| out[at].rank = rank);
}

/// Entropy of shares in nats.
pub(super) fn entropy(shares: impl Iterator<Item = f64>) -> f64 {
    let sum: f64 = shares.map(|share| if share == 0.0 { 0.0 } else { share * ln(share) }).sum();
    // -0.0 for a single category.
    if sum == 0.0 { 0.0 } else { -sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn had(category: u32, orders: u64, units: i128, share_all: f64) -> Had {
        Had { category, orders, rows: orders, units, share_all }
    }

    #[test]
    fn shares_are_shrunk_towards_those_of_all() {
        let mut found = Vec::new();
        preferences(&[had(0, 2, 30, 0.5), had(1, 1, 10, 0.25)], 3, PreferenceMeasure::Spend, 5.0, &mut found);
        assert_eq!(found[0], Preference { share: 0.75, share_shrunk: 4.75 / 8.0, index: 118.75, rank: 1 });
        assert_eq!(found[1], Preference { share: 0.25, share_shrunk: 0.25, index: 100.0, rank: 2 });
        preferences(&[had(0, 2, 0, 0.25), had(1, 3, 0, 0.25), had(2, 1, 0, 0.5)], 3, PreferenceMeasure::Orders, 0.0, &mut found);
        assert_eq!(found.iter().map(|found| (found.share, found.rank)).collect::<Vec<_>>(), [(2.0 / 3.0, 2), (1.0, 1), (1.0 / 3.0, 3)]);
    }

    #[test]
    fn without_money_a_customer_is_like_all() {
        let mut found = Vec::new();
        preferences(&[had(0, 2, 0, 0.25), had(1, 3, 0, 0.25), had(2, 1, 0, 0.5)], 3, PreferenceMeasure::Spend, 5.0, &mut found);
        assert!(found.iter().all(|found| found.share.is_nan() && (found.index - 100.0).abs() < 1e-12));
        assert_eq!(found.iter().map(|found| found.rank).collect::<Vec<_>>(), [2, 3, 1]);
        preferences(&[had(0, 1, 0, f64::NAN)], 1, PreferenceMeasure::Spend, 5.0, &mut found);
        assert!(found[0].share_shrunk.is_nan() && found[0].index.is_nan() && found[0].rank == 1);
    }

    #[test]
    fn entropies() {
        assert_eq!(entropy([1.0, 0.0].into_iter()).to_bits(), 0.0_f64.to_bits());
        assert!((entropy([0.5, 0.5].into_iter()) - 2.0_f64.ln()).abs() < 1e-15);
    }
}
