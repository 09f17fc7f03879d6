//! The NBD: customers buy at a rate of their own, lambda ~ Gamma(r, alpha), and never drop out (Ehrenberg 1959). Its log-likelihood
//! `ln (r)_x - r ln(1 + T/alpha) - x ln(alpha + T)` is a part of that of every other model of purchases.

use super::super::cells::Cells;
use super::rising::rising;
use super::{Derivatives, LogLikelihood, MAX_PARAMETERS};
use crate::error::Result;
use crate::exec::context::Context;
#[cfg(test)]
use crate::num::special::ln;
use crate::num::special::{exp, ln_1p};

/// ln(1 + t/alpha) and alpha/(alpha + t) of a time t.
pub(super) type TimeTerms = (f64, f64);

/// The log-likelihood of the NBD as a function of ln r and ln alpha.
#[derive(Debug)]
pub(crate) struct NbdLikelihood<'c> {
    times: &'c [f64],
    counts: Vec<u32>,
    count_weights: Vec<f64>,
    /// For each time: customers of this age, and the sum of their x.
    ages: Vec<(f64, f64)>,
    customers: f64,
}

impl<'c> NbdLikelihood<'c> {
    /// The likelihood of the histories of `cells`.
    pub(crate) fn new(cells: &'c Cells) -> Self {
        let (counts, count_weights) = cells.x_histogram().into_iter().unzip();
        let mut ages = vec![(0.0, 0.0); cells.times.len()];
        for run in &cells.runs {
            let x = f64::from(run.x);
            for cell in run.cells.clone() {
                let (customers, purchases) = &mut ages[cells.age[cell] as usize];
                *customers += cells.weight[cell];
                *purchases += cells.weight[cell] * x;
            }
        }
        Self { times: &cells.times, counts, count_weights, ages, customers: cells.customers() }
    }

    /// The distinct x, ascending, with the weight of each.
    pub(super) fn counts(&self) -> (&[u32], &[f64]) {
        (&self.counts, &self.count_weights)
    }

    /// The terms of all times at one alpha.
    pub(super) fn time_terms(&self, alpha: f64, context: &Context) -> Result<Vec<TimeTerms>> {
        let terms = |i: usize| (ln_1p(self.times[i] / alpha), alpha / (alpha + self.times[i]));
        context.run_if_large(self.times.len(), |threads| threads.par_map(self.times.len(), terms))
    }

    /// The log-likelihood, from the terms of the times.
    pub(super) fn sum(&self, log_parameters: &[f64; MAX_PARAMETERS], times: &[TimeTerms]) -> Derivatives {
        let [ln_r, ln_alpha, ..] = *log_parameters;
        let r = exp(ln_r);
        let (mut value, mut by_r, mut by_rr) = (0.0, 0.0, 0.0);
        for (rising, weight) in rising(r, &self.counts).iter().zip(&self.count_weights) {
            value += weight * rising.value;
            by_r += weight * rising.first;
            by_rr += weight * rising.second;
        }
        let (mut by_alpha, mut by_alpha_alpha, mut by_r_alpha) = (0.0, 0.0, 0.0);
        for (&(customers, purchases), &(log, share)) in self.ages.iter().zip(times) {
            // Of ages only: most times of a table of floats are those of last purchases.
            if customers > 0.0 {
                let rest = 1.0 - share;
                value -= (r * customers + purchases) * log + purchases * ln_alpha;
                by_r -= customers * log;
                by_r_alpha += customers * rest;
                by_alpha += r * customers * rest - purchases * share;
                by_alpha_alpha -= (r * customers + purchases) * share * rest;
            }
        }
        let mut all = Derivatives { value, ..Derivatives::default() };
        all.gradient[..2].copy_from_slice(&[r * by_r, by_alpha]);
        all.hessian[0][..2].copy_from_slice(&[r * by_r + r * r * by_rr, r * by_r_alpha]);
        all.hessian[1][..2].copy_from_slice(&[r * by_r_alpha, by_alpha_alpha]);
        all
    }
}

impl LogLikelihood for NbdLikelihood<'_> {
    fn parameters(&self) -> usize {
        2
    }

    fn customers(&self) -> f64 {
        self.customers
    }

    fn evaluate(&self, log_parameters: &[f64; MAX_PARAMETERS], context: &Context) -> Result<Derivatives> {
        context.check()?;
        Ok(self.sum(log_parameters, &self.time_terms(exp(log_parameters[1]), context)?))
    }
}

/// The log-likelihood of one customer under the NBD.
#[cfg(test)]
pub(crate) fn log_likelihood_one(r: f64, alpha: f64, x: u32, age: f64) -> f64 {
    let rising: f64 = rising(r, &[x]).iter().map(|rising| rising.value).sum();
    rising - r * ln_1p(age / alpha) - f64::from(x) * ln(alpha + age)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_derivatives, some_cells};
    use super::*;

    #[test]
    fn derivatives_are_those_of_the_value() -> Result<()> {
        let cells = some_cells()?;
        let nbd = NbdLikelihood::new(&cells);
        for parameters in [[0.7, 30.0, 0.0, 0.0], [1e3, 2e5, 0.0, 0.0], [0.01, 1e-3, 0.0, 0.0]] {
            check_derivatives(&nbd, &parameters)?;
        }
        Ok(())
    }

    #[test]
    fn the_sum_is_that_of_customers() -> Result<()> {
        let cells = some_cells()?;
        let found = NbdLikelihood::new(&cells).evaluate(&[0.7_f64.ln(), 30.0_f64.ln(), 0.0, 0.0], &Context::new(1))?;
        let mut expected = 0.0;
        for run in &cells.runs {
            for cell in run.cells.clone() {
                expected += cells.weight[cell] * log_likelihood_one(0.7, 30.0, run.x, cells.times[cells.age[cell] as usize]);
            }
        }
        assert!((found.value - expected).abs() < 1e-12 * expected.abs());
        Ok(())
    }
}
