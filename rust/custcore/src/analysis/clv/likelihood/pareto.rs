//! The log-likelihood of the Pareto/NBD (Schmittlein, Morrison & Colombo 1987), with exact derivatives by ln r, ln alpha, ln s, ln beta.
//!
//! Of one customer: `ln (r)_x - r ln(1 + T/alpha) - x ln(alpha + T) - s ln(1 + T/beta) + ln(1 + J)`, with the integral J of
//! [`super::pareto_integral`]. It has no ln x!.

use std::ops::Range;

use super::super::cells::Cells;
use super::pareto_grid::{Grid, Tail};
pub(crate) use super::pareto_integral::Pareto;
use super::pareto_margins::Margins;
#[cfg(test)]
use super::pareto_margins::ln_rising;
use super::pareto_sums::{Cell, MOMENTS, Odds, Sums, add_moments};
use super::{Derivatives, LogLikelihood, MAX_PARAMETERS};
use crate::error::Result;
use crate::exec::context::Context;
use crate::num::special::{exp, ln, ln_1p};

/// Parts of one x that are a task: enough cells that the table of the task costs little beside them.
const PARTS: usize = 32;
/// More distinct times than this are never a grid.
const MAX_TIMES: usize = 1 << 16;
/// A cell costs by itself about as much as so many gaps of a grid.
const GAPS_PER_CELL: usize = 4;

/// Parts of one x.
#[derive(Debug, Clone)]
struct Task {
    x: u32,
    parts: Vec<Range<usize>>,
    /// Positions of the times of its cells, first to last.
    times: Range<usize>,
    /// Whether one table over the times costs less than each cell by itself.
    on_grid: bool,
}

/// The log-likelihood of the Pareto/NBD for cells.
#[derive(Debug)]
pub(crate) struct ParetoLikelihood<'a> {
    cells: &'a Cells,
    margins: Margins,
    tasks: Vec<Task>,
    /// The largest x of a task on the grid.
    max_grid_x: Option<u32>,
}

impl<'a> ParetoLikelihood<'a> {
    /// The log-likelihood for these cells.
    pub(crate) fn new(cells: &'a Cells) -> Self {
        let parts = cells.parts();
        let mut tasks = Vec::new();
        for same_x in parts.chunk_by(|a, b| a.x == b.x) {
            for parts in same_x.chunks(PARTS) {
                let (x, parts) = (parts[0].x, parts.iter().map(|part| part.cells.clone()).collect::<Vec<_>>());
                let all = parts.first().map_or(0, |first| first.start)..parts.last().map_or(0, |last| last.end);
                let first = cells.recency[all.clone()].iter().min().map_or(0, |&first| first as usize);
                let last = cells.age[all.clone()].iter().max().map_or(0, |&last| last as usize);
                let times = first..last + 1;
                let on_grid = times.len() <= MAX_TIMES && GAPS_PER_CELL * all.len() >= times.len();
                tasks.push(Task { x, parts, times, on_grid });
            }
        }
        let max_grid_x = tasks.iter().filter(|task| task.on_grid).map(|task| task.x).max();
        Self { cells, margins: Margins::new(cells), tasks, max_grid_x }
    }

    /// The largest x that uses the grid at these parameters.
    fn grid(&self, parameters: &Pareto) -> Option<(u32, Grid)> {
        let last = self.cells.times.last().copied().unwrap_or(0.0);
        let holds = |task: &&Task| task.on_grid && Grid::holds(parameters, last, task.x);
        self.max_grid_x?;
        let max_x = self.tasks.iter().filter(holds).map(|task| task.x).max()?;
        // Nodes are needed only where a task has times.
        let end = self.tasks.iter().filter(holds).map(|task| task.times.end).max()?;
        Some((max_x, Grid::new(parameters, &self.cells.times[..end], max_x)))
    }

    fn task(&self, task: &Task, parameters: &Pareto, grid: Option<&Grid>) -> Derivatives {
        let mut all = Derivatives::default();
        let tails = grid.map(|grid| (grid, grid.tails(task.x, &task.times)));
        for part in &task.parts {
            let mut sums = Sums::new(parameters, task.x);
            match &tails {
                Some((grid, tails)) => self.on_grid(part, grid, tails, task.times.start, &mut sums),
                None => part.clone().for_each(|cell| self.off_grid(cell, task.x, parameters, &mut sums)),
            }
            add(&mut all, &sums.finish());
        }
        all
    }

    fn on_grid(&self, part: &Range<usize>, grid: &Grid, tails: &[Tail], first: usize, sums: &mut Sums) {
        let Cells { recency, age, weight, .. } = self.cells;
        for ((&recency, &age), &weight) in recency[part.clone()].iter().zip(&age[part.clone()]).zip(&weight[part.clone()]) {
            let (from, to) = (&tails[recency as usize - first], &tails[age as usize - first]);
            let mut moments = from.moments;
            moments.iter_mut().zip(&to.moments).for_each(|(moment, to)| *moment -= to);
            let odds = to.factor * moments[0];
            if odds <= 0.0 {
                continue;
            }
            let p_alive = 1.0 / (1.0 + odds);
            sums.add_odds(weight, 1.0 + odds);
            let odds = Odds { p_lost: odds * p_alive, p_alive };
            let (end, rest) = (&grid.at[age as usize], grid.rest[age as usize]);
            sums.add(&Cell { weight, odds, moments: &moments, end, origin: [0.0; 2], rest });
        }
    }

    fn off_grid(&self, cell: usize, x: u32, parameters: &Pareto, sums: &mut Sums) {
        let (t_x, age) = (self.cells.times[self.cells.recency[cell] as usize], self.cells.times[self.cells.age[cell] as usize]);
        let (weight, length) = (self.cells.weight[cell], age - t_x);
        let integrand = parameters.integrand(x, t_x);
        // Moments about t_x: m(tau) - m(t_x) from tau - t_x, without a difference of logarithms.
        let Pareto { alpha, beta, s, .. } = *parameters;
        let (a, b) = (integrand.a, integrand.b);
        let (part_a, part_b) = (alpha / a, beta / b);
        let mut moments = [0.0; MOMENTS];
        integrand.terms(length, |u, log_a, log_b, term| {
            add_moments(&mut moments, &[log_a, part_a * u / (a + u), log_b, part_b * u / (b + u)], term);
        });
        let end = [ln_1p(length / a), part_a * length / (a + length), ln_1p(length / b), part_b * length / (b + length)];
        let (odds, exponent) = (s / b * moments[0], integrand.q * end[0] + s * end[2]);
        if odds <= 0.0 {
            return;
        }
        let odds = if exponent < LARGE_EXPONENT {
            let odds = odds * exp(exponent);
            let p_alive = 1.0 / (1.0 + odds);
            sums.add_value(weight, ln_1p(odds));
            Odds { p_lost: odds * p_alive, p_alive }
        } else {
            let log = exponent + ln(odds);
            sums.add_value(weight, log);
            Odds { p_lost: 1.0, p_alive: exp(-log) }
        };
        let origin = [t_x / a, t_x / b];
        sums.add(&Cell { weight, odds, moments: &moments, end: &end, origin, rest: beta / (beta + age) });
    }
}

/// Beyond this exponent J is not computed, only its logarithm.
const LARGE_EXPONENT: f64 = 600.0;

fn add(sum: &mut Derivatives, term: &Derivatives) {
    sum.value += term.value;
    for i in 0..MAX_PARAMETERS {
        sum.gradient[i] += term.gradient[i];
        for j in 0..MAX_PARAMETERS {
            sum.hessian[i][j] += term.hessian[i][j];
        }
    }
}

impl LogLikelihood for ParetoLikelihood<'_> {
    fn parameters(&self) -> usize {
        4
    }

    fn customers(&self) -> f64 {
        self.cells.customers()
    }

    fn evaluate(&self, log_parameters: &[f64; MAX_PARAMETERS], context: &Context) -> Result<Derivatives> {
        let [r, alpha, s, beta] = log_parameters.map(exp);
        let parameters = Pareto { r, alpha, s, beta };
        let grid = self.grid(&parameters);
        let mut all = self.margins.evaluate(&parameters, context)?;
        let terms = context.run_if_large(GAPS_PER_CELL * self.cells.len(), |threads| {
            threads.par_tasks(&self.tasks, |task| {
                context.check()?;
                let grid = grid.as_ref().filter(|(max_x, _)| task.on_grid && task.x <= *max_x).map(|(_, grid)| grid);
                Ok(self.task(task, &parameters, grid))
            })
        })?;
        for term in terms {
            add(&mut all, &term?);
        }
        Ok(all)
    }
}

/// The log-likelihood of one customer with x repeat purchase days, the last one at `t_x`, of this age. For J > 1 its factors are
/// merged with the other terms, which nearly cancel them for customers who were lost long ago.
#[cfg(test)]
pub(crate) fn log_likelihood_one(parameters: &Pareto, x: u32, t_x: f64, age: f64) -> f64 {
    let Pareto { r, alpha, s, beta } = *parameters;
    let (odds, exponent) = parameters.odds(x, t_x, age);
    let of_purchases = |time: f64| ln_rising(r, x) - r * ln_1p(time / alpha) - f64::from(x) * ln(alpha + time);
    if odds <= 0.0 || exponent + ln(odds) <= 0.0 {
        return of_purchases(age) - s * ln_1p(age / beta) + ln_1p(odds * exp(exponent));
    }
    of_purchases(t_x) - s * ln_1p(t_x / beta) + ln(odds) + ln_1p(exp(-exponent - ln(odds)))
}

#[cfg(test)]
mod tests;
