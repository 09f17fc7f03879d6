//! Exact moments of customers who are alike, and differences of two arms over many of them.

use arrow_buffer::i256;

use super::customer::Customer;
use super::features::{BALANCED, FEATURES};
use super::spec::ComparedMetric;
use crate::num::money::units_to_f64;
use crate::num::wide;

/// Control and treated, in this order, in arrays of arms.
pub(super) const ARMS: usize = 2;

/// The moments of an outcome in the windows after (y) and before (x), in units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Moments {
    pub n: u64,
    y: i128,
    x: i128,
    yy: i256,
    xy: i256,
    xx: i256,
}

/// Means of y and x, and sums of squares and products of deviations from them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Deviations {
    pub n: f64,
    pub y: f64,
    pub x: f64,
    pub yy: f64,
    pub xy: f64,
    pub xx: f64,
}

/// The mean of y - θx, and the sum of squares of deviations from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    pub n: f64,
    pub mean: f64,
    pub squares: f64,
}

impl Moments {
    /// Adds a customer.
    pub(super) fn add(&mut self, (y, x): (i128, i128)) {
        self.n += 1;
        self.y += y;
        self.x += x;
        let (wide_y, wide_x) = (i256::from_i128(y), i256::from_i128(x));
        self.yy = self.yy.wrapping_add(wide_y.wrapping_mul(wide_y));
        self.xy = self.xy.wrapping_add(wide_x.wrapping_mul(wide_y));
        self.xx = self.xx.wrapping_add(wide_x.wrapping_mul(wide_x));
    }

    /// Means and deviations of values with `scale` decimal places; without customers all are NaN or 0.
    pub(super) fn deviations(&self, scale: i32) -> Deviations {
        let n = self.n as f64;
        let of = |products: i256, a: i128, b: i128| centred(self.n, products, a, b) / power(2 * scale);
        Deviations {
            n,
            y: units_to_f64(self.y, scale) / n,
            x: units_to_f64(self.x, scale) / n,
            yy: of(self.yy, self.y, self.y),
            xy: of(self.xy, self.y, self.x),
            xx: of(self.xx, self.x, self.x),
        }
    }
}

impl Deviations {
    /// The values y - θx.
    pub(super) fn cell(&self, theta: f64) -> Cell {
        let squares = self.yy - 2.0 * theta * self.xy + theta * theta * self.xx;
        Cell { n: self.n, mean: self.y - theta * self.x, squares: squares.max(0.0) }
    }
}

/// What the customers of an arm are on average.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FeatureSums {
    pub n: u64,
    sums: [i128; BALANCED],
    squares: [i256; BALANCED],
}

impl FeatureSums {
    /// Adds a customer.
    pub(super) fn add(&mut self, customer: &Customer) {
        self.n += 1;
        for (at, (_, feature)) in FEATURES[..BALANCED].iter().enumerate() {
            let value = feature.of(customer, 0);
            self.sums[at] += value;
            let wide = i256::from_i128(value);
            self.squares[at] = self.squares[at].wrapping_add(wide.wrapping_mul(wide));
        }
    }

    /// The mean of a feature; NaN without customers.
    pub(super) fn mean(&self, at: usize, money_scale: i32) -> f64 {
        units_to_f64(self.sums[at], scale_of(at, money_scale)) / self.n as f64
    }

    /// Its variance; NaN with fewer than two customers.
    pub(super) fn variance(&self, at: usize, money_scale: i32) -> f64 {
        if self.n < 2 {
            return f64::NAN;
        }
        centred(self.n, self.squares[at], self.sums[at], self.sums[at]) / (self.n as f64 - 1.0) / power(2 * scale_of(at, money_scale))
    }
}

/// The sum of products of deviations. Money of a customer is below 2^90 units, so that sums of products fit 256 bits.
fn centred(n: u64, products: i256, a: i128, b: i128) -> f64 {
    wide::centred(n, products, i256::from_i128(a), i256::from_i128(b)).unwrap_or(f64::NAN)
}

/// Decimal places of a feature.
fn scale_of(at: usize, money_scale: i32) -> i32 {
    if FEATURES[at].1.is_money() { money_scale } else { 0 }
}

/// The outcomes of a customer after and before, in units.
pub(super) fn outcome(metric: ComparedMetric, customer: &Customer) -> (i128, i128) {
    of_windows(metric, (customer.orders_after, customer.after), (customer.orders_before, customer.before))
}

/// The outcomes after and in the window of the baseline.
pub(super) fn outcome_and_baseline(metric: ComparedMetric, customer: &Customer) -> (i128, i128) {
    of_windows(metric, (customer.orders_after, customer.after), (customer.orders_baseline, customer.baseline))
}

fn of_windows(metric: ComparedMetric, after: (u32, i128), before: (u32, i128)) -> (i128, i128) {
    let of = |(orders, units): (u32, i128)| match metric {
        ComparedMetric::Revenue => units,
        ComparedMetric::Orders => orders.into(),
        ComparedMetric::Active => i128::from(orders >= 1),
        ComparedMetric::Repeat => i128::from(orders >= 2),
    };
    (of(after), of(before))
}

/// A difference of two arms over strata, and its variance; `None` where no variance can be told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Difference {
    pub effect: f64,
    pub variance: Option<f64>,
}

/// Σ w (treated - control) over strata with weights that sum to 1. A cell of one customer takes the variance within the strata of
/// its arm.
pub(super) fn difference(strata: impl Iterator<Item = (f64, [Cell; ARMS])> + Clone) -> Difference {
    let (mut effect, mut pooled) = (0.0, [(0.0, 0.0); ARMS]);
    for (weight, cells) in strata.clone() {
        effect += weight * (cells[1].mean - cells[0].mean);
        for ((squares, degrees), cell) in pooled.iter_mut().zip(&cells) {
            *squares += cell.squares;
            *degrees += cell.n - 1.0;
        }
    }
    let mut variance = Some(0.0);
    for (weight, cells) in strata {
        for (cell, (squares, degrees)) in cells.iter().zip(&pooled) {
            let own = match cell {
                Cell { n, squares, .. } if *n > 1.0 => Some(squares / (n - 1.0)),
                _ if *degrees > 0.0 => Some(squares / degrees),
                _ => None,
            };
            variance = variance.zip(own).map(|(sum, own)| sum + weight * weight * own / cell.n);
        }
    }
    Difference { effect, variance }
}

/// 10^scale.
pub(super) fn power(scale: i32) -> f64 {
    10f64.powi(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviations_are_those_of_the_values() {
        // 30 digits: sums of squares in floats would lose all of them.
        let base = 10_i128.pow(24);
        let mut moments = Moments::default();
        [(base + 1, 3), (base + 4, 5), (base + 7, 1)].into_iter().for_each(|pair| moments.add(pair));
        let found = moments.deviations(0);
        assert_eq!((found.yy, found.xy, found.xx, found.x), (18.0, -6.0, 8.0, 3.0));
        // y - x: base + (-2, -1, 6).
        assert!((found.cell(1.0).squares - 38.0).abs() < 1e-12);
    }

    #[test]
    fn a_cell_of_one_takes_the_variance_of_its_arm() {
        let cell = |n, mean, squares| Cell { n, mean, squares };
        let strata = [(0.25, [cell(3.0, 1.0, 6.0), cell(1.0, 5.0, 0.0)]), (0.75, [cell(2.0, 2.0, 4.0), cell(3.0, 4.0, 2.0)])];
        let found = difference(strata.iter().copied());
        assert!((found.effect - (0.25 * 4.0 + 0.75 * 2.0)).abs() < 1e-15);
        let expected = 0.0625 * (3.0 / 3.0 + 1.0) + 0.5625 * (4.0 / 2.0 + 1.0 / 3.0);
        assert!((found.variance.unwrap_or_default() - expected).abs() < 1e-15);
        let alone = [(1.0, [cell(2.0, 1.0, 1.0), cell(1.0, 2.0, 0.0)])];
        assert_eq!(difference(alone.iter().copied()).variance, None);
    }
}
