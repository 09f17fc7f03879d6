//! The Gamma-Gamma model of spend (Fader & Hardie 2013): what a customer spends on a purchase day is Gamma(p, nu), nu ~ Gamma(q, gamma).
//!
//! The log-likelihood of a mean m over x days is `-ln B(p x, q) - ln m - p x ln(1 + gamma/(x m)) - q ln(1 + x m/gamma)`: the published
//! form without its cancellation. Both logarithms follow from one of them and ln(x m/gamma), whose sums need no loop.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::cells::BLOCK;
use super::rising::{STIRLING_FROM, ln_gamma_difference, stirling_error};
use super::{Derivatives, LogLikelihood, MAX_PARAMETERS};
use crate::error::Result;
use crate::exec::context::Context;
use crate::num::special::{digamma, exp, ln, ln_1p, ln_gamma, trigamma};

/// ln(2 pi) / 2.
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// Customers with repeat purchase days and their mean spend, in an order that does not depend on that of the customers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SpendRows {
    /// Repeat purchase days, ascending; at least 1.
    pub x: Vec<u32>,
    /// Mean spend per repeat purchase day, positive; ascending within x.
    pub mean: Vec<f64>,
    /// Customers, or the sum of their weights.
    pub weight: Vec<f64>,
}

impl SpendRows {
    /// The rows (x, mean, weight); those without repeat purchases or with a mean that is not positive are left out.
    pub(crate) fn new(rows: usize, row: impl Fn(usize) -> (u32, f64, f64) + Sync + Send, context: &Context) -> Result<Self> {
        context.run_if_large(rows, |threads| {
            let kept = |i: usize| {
                let (x, mean, weight) = row(i);
                (x >= 1 && mean > 0.0).then_some((x, mean, weight))
            };
            let chunks = threads.par_chunks(rows, |chunk| chunk.filter_map(kept).collect::<Vec<_>>());
            // By x first: a sort of the means of one x compares numbers only.
            let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
            chunks.iter().flatten().for_each(|(x, _, _)| *sizes.entry(*x).or_default() += 1);
            let mut of_x: BTreeMap<u32, Vec<(u64, u64)>> = sizes.into_iter().map(|(x, size)| (x, Vec::with_capacity(size))).collect();
            for (x, mean, weight) in chunks.into_iter().flatten() {
                // Positive numbers are ordered as their bits are.
                of_x.entry(x).or_default().push((mean.to_bits(), weight.to_bits()));
            }
            let mut all = Self::default();
            for (x, mut customers) in of_x {
                threads.if_large(customers.len()).par_sort_unstable_by(&mut customers, Ord::cmp);
                // Equal customers are one row.
                for same in customers.chunk_by(|a, b| a.0 == b.0) {
                    all.x.push(x);
                    all.mean.push(f64::from_bits(same[0].0));
                    all.weight.push(same.iter().map(|&(_, weight)| f64::from_bits(weight)).sum());
                }
            }
            all
        })
    }

    /// Customers, or the sum of their weights.
    pub(crate) fn customers(&self) -> f64 {
        self.weight.iter().sum()
    }

    /// Mean over customers of their mean spend; 0 without customers.
    pub(crate) fn mean_spend(&self) -> f64 {
        let customers = self.customers();
        let total: f64 = self.mean.iter().zip(&self.weight).map(|(mean, weight)| mean * weight).sum();
        if customers > 0.0 { total / customers } else { 0.0 }
    }
}

/// Rows of one x in one block.
#[derive(Debug)]
struct Part {
    rows: Range<usize>,
    weight: f64,
    /// The sum of ln(x m).
    ln_total: f64,
}

/// The log-likelihood of the Gamma-Gamma model as a function of ln p, ln q and ln gamma.
#[derive(Debug)]
pub(crate) struct GammaGammaLikelihood<'r> {
    rows: &'r SpendRows,
    parts: Vec<Part>,
    customers: f64,
    /// The sum of ln m.
    ln_mean: f64,
}

/// Sums over rows of one x, with u = x m/gamma: of ln(1 + 1/u); of ln(1 + u); of k = 1/(1 + u); of k (1 - k).
#[derive(Debug, Clone, Copy, Default)]
struct PartSums {
    ln_inverse: f64,
    ln_total: f64,
    share: f64,
    spread: f64,
}

impl<'r> GammaGammaLikelihood<'r> {
    /// The likelihood of these rows.
    pub(crate) fn new(rows: &'r SpendRows) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut ln_mean = 0.0;
        for (at, &x) in rows.x.iter().enumerate() {
            let (mean, weight) = (rows.mean[at], rows.weight[at]);
            let more = weight * ln(f64::from(x) * mean);
            ln_mean += weight * ln(mean);
            match parts.last_mut() {
                Some(part) if rows.x[part.rows.start] == x && part.rows.len() < BLOCK => {
                    part.rows.end = at + 1;
                    part.weight += weight;
                    part.ln_total += more;
                }
                _ => parts.push(Part { rows: at..at + 1, weight, ln_total: more }),
            }
        }
        Self { rows, parts, customers: rows.customers(), ln_mean }
    }

    fn part(&self, part: &Part, gamma: f64, ln_gamma: f64) -> PartSums {
        let x = f64::from(self.rows.x[part.rows.start]);
        let mut sums = PartSums::default();
        let (mut log, mut above, mut below) = (0.0, 0.0, 0.0);
        let total = |row: usize| x * self.rows.mean[row];
        let (first, last) = (total(part.rows.start), total(part.rows.end - 1));
        for row in part.rows.clone() {
            let (total, weight) = (total(row), self.rows.weight[row]);
            let small = if total > gamma { gamma / total } else { total / gamma };
            let inverse = 1.0 / (1.0 + small);
            log += weight * ln_1p(small);
            sums.share += weight * inverse * if total > gamma { small } else { 1.0 };
            sums.spread += weight * small * inverse * inverse;
        }
        // The sums of max(ln u, 0) and max(-ln u, 0). Means ascend, so few parts have both.
        if first > gamma {
            above = part.ln_total - part.weight * ln_gamma;
        } else if last <= gamma {
            below = part.weight * ln_gamma - part.ln_total;
        } else {
            for row in part.rows.clone() {
                let log = ln(total(row) / gamma);
                above += self.rows.weight[row] * log.max(0.0);
                below += self.rows.weight[row] * (-log).max(0.0);
            }
        }
        sums.ln_inverse = log + below;
        sums.ln_total = log + above;
        sums
    }
}

impl LogLikelihood for GammaGammaLikelihood<'_> {
    fn parameters(&self) -> usize {
        3
    }

    fn customers(&self) -> f64 {
        self.customers
    }

    fn evaluate(&self, log_parameters: &[f64; MAX_PARAMETERS], context: &Context) -> Result<Derivatives> {
        context.check()?;
        let [p, q, gamma, _] = log_parameters.map(exp);
        let sums = context.run_if_large(self.rows.x.len(), |threads| {
            threads.par_tasks(&self.parts, |part| {
                context.check()?;
                Ok(self.part(part, gamma, log_parameters[2]))
            })
        })?;
        let mut all = Derivatives { value: -self.ln_mean, ..Derivatives::default() };
        let mut beta = (0, LnBeta::default());
        for (part, sums) in self.parts.iter().zip(sums) {
            let sums: PartSums = sums?;
            let x = self.rows.x[part.rows.start];
            let shape = p * f64::from(x);
            if beta.0 != x {
                beta = (x, LnBeta::of(shape, q));
            }
            let beta = &beta.1;
            let (weight, rest) = (part.weight, part.weight - sums.share);
            all.value -= weight * beta.value + shape * sums.ln_inverse + q * sums.ln_total;
            let by_p = -shape * (weight * beta.by_a + sums.ln_inverse);
            let by_q = -q * (weight * beta.by_b + sums.ln_total);
            all.gradient[0] += by_p;
            all.gradient[1] += by_q;
            all.gradient[2] += q * rest - shape * sums.share;
            all.hessian[0][0] += by_p - shape * shape * weight * beta.by_aa;
            all.hessian[0][1] -= shape * q * weight * beta.by_ab;
            all.hessian[0][2] -= shape * sums.share;
            all.hessian[1][1] += by_q - q * q * weight * beta.by_bb;
            all.hessian[1][2] += q * rest;
            all.hessian[2][2] -= (shape + q) * sums.spread;
        }
        all.hessian[1][0] = all.hessian[0][1];
        all.hessian[2][0] = all.hessian[0][2];
        all.hessian[2][1] = all.hessian[1][2];
        Ok(all)
    }
}

/// ln B(a, b) with its derivatives.
#[derive(Debug, Clone, Copy, Default)]
struct LnBeta {
    value: f64,
    by_a: f64,
    by_b: f64,
    by_aa: f64,
    by_ab: f64,
    by_bb: f64,
}

impl LnBeta {
    /// At a, b > 0. Once an argument is beyond 8, by Stirling's series: gamma functions would cancel.
    fn of(a: f64, b: f64) -> Self {
        let both = a + b;
        let (small, large) = (a.min(b), a.max(b));
        // ψ(a + b) - ψ(a), its derivative by a, and the same for b.
        let (of_a, of_b) = (gamma_difference(a, b), gamma_difference(b, a));
        let value = if large <= STIRLING_FROM {
            ln_gamma(a) + ln_gamma(b) - ln_gamma(both)
        } else if small <= STIRLING_FROM {
            ln_gamma(small) - ln_gamma_difference(large, small).value
        } else {
            let errors = stirling_error(a).value + stirling_error(b).value - stirling_error(both).value;
            HALF_LN_TWO_PI + errors - 0.5 * ln(small / both * large) - a * ln_1p(b / a) - b * ln_1p(a / b)
        };
        let of_both = trigamma(both);
        Self { value, by_a: -of_a.0, by_b: -of_b.0, by_aa: -of_a.1, by_ab: -of_both, by_bb: -of_b.1 }
    }
}

/// ψ(z + m) - ψ(z) and ψ'(z + m) - ψ'(z).
fn gamma_difference(z: f64, m: f64) -> (f64, f64) {
    if z >= STIRLING_FROM {
        let difference = ln_gamma_difference(z, m);
        (difference.first, difference.second)
    } else {
        (digamma(z + m) - digamma(z), trigamma(z + m) - trigamma(z))
    }
}

/// The log-likelihood of one customer with the mean m over x purchase days.
#[cfg(test)]
pub(crate) fn log_likelihood_one(p: f64, q: f64, gamma: f64, x: u32, mean: f64) -> f64 {
    let (shape, total) = (p * f64::from(x), f64::from(x) * mean);
    -LnBeta::of(shape, q).value - ln(mean) - shape * ln_1p(gamma / total) - q * ln_1p(total / gamma)
}

/// The expected spend per purchase day of a customer with the mean m over x purchase days, or of one without (x = 0 or m <= 0): then
/// the mean of the population. `None` where it is infinite.
pub(crate) fn expected_spend(p: f64, q: f64, gamma: f64, x: u32, mean: f64) -> Option<f64> {
    let (x, total) = if x >= 1 && mean > 0.0 { (f64::from(x), f64::from(x) * mean) } else { (0.0, 0.0) };
    let below = p * x + (q - 1.0);
    (below > 0.0).then(|| if x > 0.0 { p * (gamma + total) / below } else { p * gamma / below }).filter(|spend| spend.is_finite())
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_derivatives;
    use super::*;

    fn rows() -> Result<SpendRows> {
        let rows = [(1, 20.0), (2, 35.5), (2, 8.25), (7, 30.0), (1, 0.01), (3, 1e4), (0, 5.0), (4, 0.0), (12, 33.0), (2, 35.5)];
        SpendRows::new(rows.len(), |i| (rows[i].0, rows[i].1, 1.0 + 0.25 * (i % 3) as f64), &Context::new(1))
    }

    #[test]
    fn rows_are_sorted_and_equal_ones_joined() -> Result<()> {
        let rows = rows()?;
        assert_eq!(rows.x, [1, 1, 2, 2, 3, 7, 12]);
        assert_eq!(rows.mean, [0.01, 20.0, 8.25, 35.5, 1e4, 30.0, 33.0]);
        assert_eq!(rows.weight, [1.25, 1.0, 1.5, 2.25, 1.5, 1.0, 1.5]);
        let row = |i: usize| ((i % 5) as u32, (i % 7_919) as f64, 0.1 + (i % 13) as f64);
        let many = SpendRows::new(100_000, row, &Context::new(1))?;
        assert_eq!(SpendRows::new(100_000, |i| row((i * 7_919) % 100_000), &Context::new(2))?, many);
        Ok(())
    }

    #[test]
    fn derivatives_are_those_of_the_value() -> Result<()> {
        let rows = rows()?;
        let likelihood = GammaGammaLikelihood::new(&rows);
        for parameters in [[6.25, 3.74, 15.44, 0.0], [0.02, 0.5, 1e3, 0.0], [900.0, 40.0, 2.0, 0.0], [0.5, 700.0, 3e3, 0.0]] {
            check_derivatives(&likelihood, &parameters)?;
        }
        Ok(())
    }

    #[test]
    fn the_sum_is_that_of_customers() -> Result<()> {
        let rows = rows()?;
        for gamma in [1e-3, 15.44, 100.0, 1e6] {
            let at = [6.25_f64.ln(), 3.74_f64.ln(), f64::ln(gamma), 0.0];
            let found = GammaGammaLikelihood::new(&rows).evaluate(&at, &Context::new(1))?.value;
            let customers = rows.x.iter().zip(&rows.mean).zip(&rows.weight);
            let expected: f64 = customers.map(|((&x, &mean), weight)| weight * log_likelihood_one(6.25, 3.74, gamma, x, mean)).sum();
            assert!((found - expected).abs() < 1e-12 * expected.abs(), "{gamma}: {found} {expected}");
        }
        Ok(())
    }

    #[test]
    fn the_mean_of_few_purchases_is_drawn_to_that_of_all() {
        // Fader & Hardie (2013), section 4: p = 6.25, q = 3.74, gamma = 15.44, x = 2, m = 22.35 give 24.66; the population mean is 35.22.
        let spend = |x, mean| expected_spend(6.25, 3.74, 15.44, x, mean).unwrap_or(f64::NAN);
        assert!((spend(2, 22.35) - 24.66).abs() < 5e-3);
        assert!((spend(0, 0.0) - 35.22).abs() < 5e-3);
        assert_eq!(spend(4, 0.0).to_bits(), spend(0, 0.0).to_bits());
        assert_eq!(expected_spend(6.25, 0.9, 15.44, 0, 0.0), None);
        assert!(expected_spend(6.25, 0.9, 15.44, 1, 20.0).is_some());
    }

    #[test]
    fn beta_is_continuous_where_the_series_begins() {
        for (a, b) in [(8.0, 0.4), (8.0, 8.0), (0.3, 8.0)] {
            let (left, right) = (LnBeta::of(a * (1.0 - 1e-13), b), LnBeta::of(a * (1.0 + 1e-13), b * (1.0 + 1e-13)));
            assert!((left.value - right.value).abs() < 1e-11);
            assert!((left.by_a - right.by_a).abs() < 1e-11 && (left.by_bb - right.by_bb).abs() < 1e-10);
        }
    }
}
