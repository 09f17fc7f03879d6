//! The terms of the Pareto/NBD log-likelihood in x alone and in T alone, summed from histograms.

use super::super::cells::Cells;
use super::Derivatives;
use super::pareto_integral::Pareto;
use crate::error::Result;
use crate::exec::context::Context;
use crate::num::special::{digamma, ln, ln_1p, ln_gamma, trigamma};

/// Above this number ln (c)_n is a difference of ln Γ, below a sum of logarithms.
const TABLE: u32 = 1 << 16;
/// Times whose terms are summed together.
const BLOCK: usize = 1 << 14;

/// Histograms of x and of T.
#[derive(Debug, Clone)]
pub(crate) struct Margins {
    /// Each x with its weight, ascending.
    x: Vec<(u32, f64)>,
    /// T, the weight of customers of this age, and the weight times x.
    age: Vec<(f64, f64, f64)>,
    /// The sum of x over customers.
    purchases: f64,
}

impl Margins {
    /// The histograms of cells.
    pub(crate) fn new(cells: &Cells) -> Self {
        let mut age: Vec<(f64, f64, f64)> = cells.times.iter().map(|&time| (time, 0.0, 0.0)).collect();
        for run in &cells.runs {
            for cell in run.cells.clone() {
                let (weight, sums) = (cells.weight[cell], &mut age[cells.age[cell] as usize]);
                sums.1 += weight;
                sums.2 += weight * f64::from(run.x);
            }
        }
        age.retain(|&(time, weight, _)| weight != 0.0 && time != 0.0);
        Self { x: cells.x_histogram(), age, purchases: cells.repeat_purchases() }
    }

    /// The sum of ln (r)_x - r ln(1 + T/alpha) - x ln(alpha + T) - s ln(1 + T/beta), with derivatives by the logarithms.
    pub(crate) fn evaluate(&self, parameters: &Pareto, context: &Context) -> Result<Derivatives> {
        let Pareto { r, alpha, s, beta } = *parameters;
        let blocks: Vec<[f64; 7]> = context.run_if_large(self.age.len(), |threads| {
            threads.par_tasks(self.age.chunks(BLOCK), |block| {
                let mut sums = [0.0; 7];
                for &(age, weight, purchases) in block {
                    let (log_a, log_b) = (ln_1p(age / alpha), ln_1p(age / beta));
                    let (p, o) = (age / (alpha + age), age / (beta + age));
                    let both = r * weight + purchases;
                    let terms = [both * log_a, weight * log_a, both * p, weight * p, both * p * (1.0 - p), weight * log_b, weight * o];
                    sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
                }
                sums
            })
        })?;
        let mut sums = [0.0; 7];
        blocks.iter().for_each(|block| sums.iter_mut().zip(block).for_each(|(sum, term)| *sum += term));
        let [both_log, log_a, both_p, p, both_spread, log_b, o] = sums;
        let spread: f64 = self.age.iter().map(|&(age, weight, _)| weight * age * beta / ((beta + age) * (beta + age))).sum();
        let [value, first, second] = ln_rising_sums(r, &self.x);
        let mut all = Derivatives { value: value - both_log - self.purchases * ln(alpha) - s * log_b, ..Derivatives::default() };
        all.gradient = [r * (first - log_a), both_p - self.purchases, -s * log_b, s * o];
        let h = &mut all.hessian;
        h[0][0] = all.gradient[0] + r * r * second;
        h[1][1] = -both_spread;
        h[2][2] = all.gradient[2];
        h[3][3] = -s * spread;
        (h[0][1], h[1][0]) = (r * p, r * p);
        (h[2][3], h[3][2]) = (s * o, s * o);
        Ok(all)
    }
}

/// The sums over x with weights of ln (c)_x and its first and second derivative by c.
fn ln_rising_sums(c: f64, x: &[(u32, f64)]) -> [f64; 3] {
    let mut sums = [0.0; 3];
    let mut table = [0.0; 3];
    // What was lost of the sum of logarithms so far (Kahan).
    let mut lost = 0.0;
    let mut next = 0;
    for &(x, weight) in x {
        if x > TABLE {
            let end = c + f64::from(x);
            let terms = [ln_gamma(end) - ln_gamma(c), digamma(end) - digamma(c), trigamma(end) - trigamma(c)];
            sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += weight * term);
            continue;
        }
        for i in next..x {
            let inverse = 1.0 / (c + f64::from(i));
            let term = ln(c + f64::from(i)) - lost;
            let sum = table[0] + term;
            lost = (sum - table[0]) - term;
            table[0] = sum;
            table[1] += inverse;
            table[2] -= inverse * inverse;
        }
        next = next.max(x);
        sums.iter_mut().zip(table).for_each(|(sum, term)| *sum += weight * term);
    }
    sums
}

/// ln (c)_x = ln Γ(c + x) - ln Γ(c).
#[cfg(test)]
pub(crate) fn ln_rising(c: f64, x: u32) -> f64 {
    ln_rising_sums(c, &[(x, 1.0)])[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rising_factorials_are_those_of_integers() {
        assert!((ln_rising(1.0, 10) - ln(3_628_800.0)).abs() < 1e-14);
        assert!(ln_rising(0.3, 0) == 0.0);
        // Both forms, either side of the end of the table: they differ by the last factor.
        let step = ln_rising(0.7, TABLE + 1) - ln_rising(0.7, TABLE) - ln(0.7 + f64::from(TABLE));
        assert!(step.abs() < 1e-9, "{step}");
    }
}
