//! The BG/NBD (Fader, Hardie & Lee 2005) and the MBG/NBD (Batislam, Denizel & Filiztekin 2007): a customer drops out after a purchase
//! with a probability p ~ Beta(a, b) of his own.
//!
//! With n drop-out draws survived (x, or x + 1 where the first purchase counts), the log-likelihood is that of the NBD, plus
//! `ln (b)_n - ln (a+b)_n`, plus ln(1 + e^z), `z = ln a - ln(b + n - 1) + (r + x) ln((alpha+T)/(alpha+t_x))`: the odds that the last
//! draw was lost. Only the last term is needed cell by cell.

use super::super::cells::{Cells, Run};
#[cfg(test)]
use super::nbd;
use super::nbd::{NbdLikelihood, TimeTerms};
use super::rising::rising_ratio;
use super::{Derivatives, LogLikelihood, MAX_PARAMETERS};
use crate::error::Result;
use crate::exec::context::Context;
use crate::num::softplus::{Block, LANES, dot, softplus};
use crate::num::special::{exp, ln};
#[cfg(test)]
use crate::num::special::{ln_1p, ln_1p_exp};

/// After which purchases a customer may drop out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DropoutDraws {
    /// After each repeat purchase: the BG/NBD.
    Repeats,
    /// After each purchase, the first one included: the MBG/NBD.
    All,
}

impl DropoutDraws {
    /// Draws of a customer with x repeat purchases.
    const fn of(self, x: u32) -> u32 {
        match self {
            Self::Repeats => x,
            Self::All => x + 1,
        }
    }
}

/// The log-likelihood of a BG/NBD or MBG/NBD as a function of ln r, ln alpha, ln a and ln b.
#[derive(Debug)]
pub(crate) struct GeometricLikelihood<'c> {
    cells: &'c Cells,
    nbd: NbdLikelihood<'c>,
    draws: DropoutDraws,
    /// Draws of each distinct x, ascending.
    draw_counts: Vec<u32>,
    parts: Vec<Run>,
}

/// Sums over cells of one x: of ln(1 + e^z); of sigma = e^z/(1+e^z) times 1, L, M, and the second derivative of L; of
/// sigma (1 - sigma) times 1, L, M, L^2, L M, M^2. L is `ln((alpha+T)/(alpha+t_x))`, M its derivative by ln alpha.
#[derive(Debug, Clone, Copy, Default)]
struct PartSums {
    value: f64,
    odds: [f64; 4],
    spread: [f64; 6],
}

impl<'c> GeometricLikelihood<'c> {
    /// The likelihood of the histories of `cells`.
    pub(crate) fn new(draws: DropoutDraws, cells: &'c Cells) -> Self {
        let nbd = NbdLikelihood::new(cells);
        let draw_counts = nbd.counts().0.iter().map(|&x| draws.of(x)).collect();
        let parts = cells.parts().into_iter().filter(|part| draws.of(part.x) > 0).collect();
        Self { cells, nbd, draws, draw_counts, parts }
    }

    /// Sums over the cells of one part, at z = `offset` + `shape` L.
    fn part(&self, part: &Run, offset: f64, shape: f64, times: &[TimeTerms]) -> PartSums {
        let mut sums = PartSums::default();
        let mut block = Columns::default();
        for start in part.cells.clone().step_by(LANES) {
            let cells = start..part.cells.end.min(start + LANES);
            let places = self.cells.recency[cells.clone()].iter().zip(&self.cells.age[cells.clone()]);
            for (i, (&recency, &age)) in places.enumerate() {
                let ((log_recency, share_recency), (log_age, share_age)) = (times[recency as usize], times[age as usize]);
                let (log, slope) = (log_age - log_recency, share_age - share_recency);
                block.z[i] = offset + shape * log;
                block.log[i] = log;
                block.slope[i] = slope;
                block.curve[i] = slope * (1.0 - share_age - share_recency);
            }
            // The last block may be short: what is left in it from the block before has no weight.
            block.weight[..cells.len()].copy_from_slice(&self.cells.weight[cells.clone()]);
            block.weight[cells.len()..].fill(0.0);
            block.add_to(&mut sums);
        }
        sums
    }

    /// The share b/(b + n - 1) in ln(b + n - 1), n >= 1 the draws of an x; and the logarithm itself. Never (b + n) - 1, which is 0 at
    /// n = 1 and tiny b.
    fn last_draw(&self, b: f64, x: u32) -> (f64, f64) {
        let before = b + f64::from(self.draws.of(x).saturating_sub(1));
        (b / before, ln(before))
    }
}

/// Columns of a block of cells.
struct Columns {
    z: Block,
    weight: Block,
    log: Block,
    slope: Block,
    curve: Block,
}

impl Default for Columns {
    fn default() -> Self {
        Self { z: [0.0; LANES], weight: [0.0; LANES], log: [0.0; LANES], slope: [0.0; LANES], curve: [0.0; LANES] }
    }
}

impl Columns {
    fn add_to(&self, sums: &mut PartSums) {
        const ONES: Block = [1.0; LANES];
        let (mut value, mut odds, mut spread) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        softplus(&self.z, &self.weight, &mut value, &mut odds, &mut spread);
        sums.value += dot(&value, &ONES);
        let of_odds = [&ONES, &self.log, &self.slope, &self.curve];
        sums.odds.iter_mut().zip(of_odds).for_each(|(sum, column)| *sum += dot(&odds, column));
        let spread_log: Block = std::array::from_fn(|i| spread[i] * self.log[i]);
        let spread_slope: Block = std::array::from_fn(|i| spread[i] * self.slope[i]);
        let of_spread = [
            (&spread, &ONES),
            (&spread_log, &ONES),
            (&spread_slope, &ONES),
            (&spread_log, &self.log),
            (&spread_log, &self.slope),
            (&spread_slope, &self.slope),
        ];
        sums.spread.iter_mut().zip(of_spread).for_each(|(sum, (left, right))| *sum += dot(left, right));
    }
}

impl PartSums {
    /// Adds the derivatives of these cells, whose x has the shape r + x and the share b/(b + n - 1).
    fn add_to(&self, all: &mut Derivatives, r: f64, shape: f64, share: f64) {
        let [odds, odds_log, odds_slope, odds_curve] = self.odds;
        let [spread, spread_log, spread_slope, spread_log_log, spread_log_slope, spread_slope_slope] = self.spread;
        all.value += self.value;
        let gradient = [r * odds_log, shape * odds_slope, odds, -share * odds];
        all.gradient.iter_mut().zip(gradient).for_each(|(all, more)| *all += more);
        let hessian = [
            [r * odds_log + r * r * spread_log_log, r * odds_slope + r * shape * spread_log_slope, r * spread_log, -share * r * spread_log],
            [0.0, shape * odds_curve + shape * shape * spread_slope_slope, shape * spread_slope, -share * shape * spread_slope],
            [0.0, 0.0, spread, -share * spread],
            [0.0, 0.0, 0.0, share * share * spread - share * (1.0 - share) * odds],
        ];
        all.hessian.as_flattened_mut().iter_mut().zip(hessian.as_flattened()).for_each(|(all, more)| *all += more);
    }
}

impl LogLikelihood for GeometricLikelihood<'_> {
    fn parameters(&self) -> usize {
        4
    }

    fn customers(&self) -> f64 {
        self.nbd.customers()
    }

    fn evaluate(&self, log_parameters: &[f64; MAX_PARAMETERS], context: &Context) -> Result<Derivatives> {
        context.check()?;
        let [r, alpha, a, b] = log_parameters.map(exp);
        let times = self.nbd.time_terms(alpha, context)?;
        let mut all = self.nbd.sum(log_parameters, &times);
        for (ratio, weight) in rising_ratio(a, b, &self.draw_counts).iter().zip(self.nbd.counts().1) {
            all.value += weight * ratio.value;
            all.gradient[2] += weight * a * ratio.by_a;
            all.gradient[3] += weight * b * ratio.by_b;
            all.hessian[2][2] += weight * a * (ratio.by_a + a * ratio.by_aa);
            all.hessian[2][3] += weight * a * b * ratio.by_aa;
            all.hessian[3][3] += weight * b * (ratio.by_b + b * ratio.by_bb);
        }
        let sums = context.run_if_large(self.cells.len(), |threads| {
            threads.par_tasks(&self.parts, |part| {
                context.check()?;
                let offset = log_parameters[2] - self.last_draw(b, part.x).1;
                Ok(self.part(part, offset, r + f64::from(part.x), &times))
            })
        })?;
        for (part, sums) in self.parts.iter().zip(sums) {
            let sums: PartSums = sums?;
            sums.add_to(&mut all, r, r + f64::from(part.x), self.last_draw(b, part.x).0);
        }
        for i in 1..MAX_PARAMETERS {
            for j in 0..i {
                all.hessian[i][j] = all.hessian[j][i];
            }
        }
        Ok(all)
    }
}

/// The log-likelihood of one customer under a BG/NBD or MBG/NBD with the parameters r, alpha, a, b.
#[cfg(test)]
pub(crate) fn log_likelihood_one(draws: DropoutDraws, parameters: [f64; 4], x: u32, t_x: f64, age: f64) -> f64 {
    let [r, alpha, a, b] = parameters;
    let base = nbd::log_likelihood_one(r, alpha, x, age);
    let made = draws.of(x);
    if made == 0 {
        return base;
    }
    let ratio: f64 = rising_ratio(a, b, &[made]).iter().map(|ratio| ratio.value).sum();
    let odds = ln(a) - ln(b + f64::from(made - 1)) + (r + f64::from(x)) * ln_1p((age - t_x) / (alpha + t_x));
    base + ratio + ln_1p_exp(odds)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_derivatives, some_cells};
    use super::*;

    const DRAWS: [DropoutDraws; 2] = [DropoutDraws::Repeats, DropoutDraws::All];

    #[test]
    fn derivatives_are_those_of_the_value() -> Result<()> {
        let cells = some_cells()?;
        for draws in DRAWS {
            let likelihood = GeometricLikelihood::new(draws, &cells);
            for parameters in [[0.25, 30.0, 0.8, 2.4], [5.0, 200.0, 1e-3, 0.01], [0.5, 2.0, 300.0, 900.0], [0.5, 2.0, 1e-9, 3.0]] {
                check_derivatives(&likelihood, &parameters)?;
            }
        }
        Ok(())
    }

    #[test]
    fn the_sum_is_that_of_customers() -> Result<()> {
        let cells = some_cells()?;
        let parameters = [0.25, 30.0, 0.8, 2.4_f64];
        for draws in DRAWS {
            let found = GeometricLikelihood::new(draws, &cells).evaluate(&parameters.map(ln), &Context::new(1))?;
            let mut expected = 0.0;
            for run in &cells.runs {
                for cell in run.cells.clone() {
                    let (t_x, age) = (cells.times[cells.recency[cell] as usize], cells.times[cells.age[cell] as usize]);
                    expected += cells.weight[cell] * log_likelihood_one(draws, parameters, run.x, t_x, age);
                }
            }
            assert!((found.value - expected).abs() < 1e-12 * expected.abs());
        }
        Ok(())
    }

    #[test]
    fn any_number_of_threads_gives_the_same_bits() -> Result<()> {
        let row = |i: usize| ((i % 7) as u32, ((i % 7) * (i % 91)).min(600) as u32, 600 + (i % 4_001) as u32);
        let cells = Cells::of_days(200_000, row, &Context::new(2))?;
        assert!(cells.len() > 1 << 16);
        let likelihood = GeometricLikelihood::new(DropoutDraws::All, &cells);
        let at = [0.25, 30.0, 0.8, 2.4_f64].map(ln);
        assert_eq!(likelihood.evaluate(&at, &Context::new(1))?, likelihood.evaluate(&at, &Context::new(3))?);
        Ok(())
    }

    #[test]
    fn one_customer_is_that_of_the_published_sheet() {
        // Equation 6 of Fader, Hardie & Lee (2005), computed with mpmath to 60 digits; parameters of CDNOW in weeks.
        let parameters = [0.243, 4.414, 0.793, 2.426];
        let found = log_likelihood_one(DropoutDraws::Repeats, parameters, 2, 30.43, 38.86);
        assert!((found + 9.458_606_307_066_27).abs() < 1e-13, "{found}");
        // Tiny b: b + (x - 1) is b.
        assert!(log_likelihood_one(DropoutDraws::Repeats, [0.243, 4.414, 0.793, 1e-17], 1, 30.43, 38.86).is_finite());
    }
}
