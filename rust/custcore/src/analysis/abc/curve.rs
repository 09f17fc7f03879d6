//! Kernels of the Pareto curve, the Gini coefficient and top shares, over money in descending order.

use super::kernel::Units;
use crate::num::money::ratio;

/// The value of some first customers in descending order of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Number of customers.
    pub customers: usize,
    /// Their value in units; negative money counts as 0.
    pub value: i128,
}

/// The heads of these sizes, which ascend; `units` descend.
pub(super) fn heads(units: &Units, sizes: impl Iterator<Item = usize>) -> Vec<Head> {
    let (mut at, mut value) = (0, 0);
    sizes
        .map(|customers| {
            value += (at..customers).map(|at| units.get(at).max(0)).sum::<i128>();
            at = customers;
            Head { customers, value }
        })
        .collect()
}

/// The sizes of the heads of a curve of `points` points: `ceil(k n / points)`, or all where there are no more customers.
pub(super) fn curve_sizes(customers: usize, points: usize) -> impl Iterator<Item = usize> {
    let points = points.min(customers).max(1);
    (0..=if customers == 0 { 0 } else { points }).map(move |k| (k as u128 * customers as u128).div_ceil(points as u128) as usize)
}

/// The first `q` of the customers: the fewest whose share is at least `q`.
pub(super) fn first_of(customers: usize, q: f64) -> usize {
    let share = |size: usize| size as f64 / customers as f64;
    let mut size = ((q * customers as f64).ceil() as usize).min(customers);
    while size > 0 && share(size - 1) >= q {
        size -= 1;
    }
    while size < customers && share(size) < q {
        size += 1;
    }
    size
}

/// The Gini coefficient, `sum (2 i - n - 1) v_i / (n sum v)` over values in ascending order; `None` if they sum to 0. `units`
/// descend.
pub(super) fn gini(units: &Units) -> Option<f64> {
    let n = units.len() as i128;
    let values = || (0..units.len()).map(|at| (at as i128, units.get(at).max(0)));
    let total: i128 = values().map(|(_, value)| value).sum();
    if total == 0 {
        return None;
    }
    // In descending order the row at position `at` is number n - at.
    let factor = |at: i128| n - 1 - 2 * at;
    let exact = values().try_fold(0_i128, |sum, (at, value)| sum.checked_add(value.checked_mul(factor(at))?));
    Some(match exact.zip(total.checked_mul(n)) {
        Some((sum, whole)) => ratio(sum, whole),
        // Sums beyond 128 bits.
        None => values().map(|(at, value)| ratio(value, total) * factor(at) as f64).sum::<f64>() / n as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_has_as_many_points_as_asked_for_or_all() {
        assert_eq!(curve_sizes(3, 200).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(curve_sizes(10, 4).collect::<Vec<_>>(), [0, 3, 5, 8, 10]);
        assert_eq!(curve_sizes(0, 4).collect::<Vec<_>>(), [0]);
        let units = Units::Narrow(vec![5, 3, 0, -2]);
        let found: Vec<_> = heads(&units, curve_sizes(4, 2)).iter().map(|head| (head.customers, head.value)).collect();
        assert_eq!(found, [(0, 0), (2, 8), (4, 8)]);
    }

    #[test]
    fn shares_of_customers_are_compared_as_quotients() {
        // 0.1 * 30 is 3.0000000000000004 in real numbers, but 3 / 30 is 0.1.
        assert_eq!((first_of(30, 0.1), first_of(5, 0.2), first_of(7, 0.5), first_of(3, 1.0)), (3, 1, 4, 3));
        assert_eq!((first_of(0, 0.5), first_of(1, 0.01)), (0, 1));
    }

    #[test]
    fn gini_of_known_distributions() {
        let of = |units: &[i64]| gini(&Units::Narrow(units.to_vec()));
        assert_eq!((of(&[1, 1, 1, 1]), of(&[8, 0, 0, 0]), of(&[3, 1])), (Some(0.0), Some(0.75), Some(0.25)));
        assert_eq!((of(&[]), of(&[0, -5])), (None, None));
        let huge = Units::Wide([4_i128, 2, 1].map(|x| x << 120).to_vec());
        assert!(gini(&huge).is_some_and(|found| (found - 2.0 / 7.0).abs() < 1e-15));
    }
}
