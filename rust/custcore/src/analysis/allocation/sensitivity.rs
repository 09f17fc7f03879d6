//! How much a plan depends on estimates: values and heights of curves are drawn from their standard errors, and each draw is solved.

use super::curve::invalid;
use super::plan::{Allocation, To};
use super::problem::{Hulls, Problem};
use super::spec::AllocationObjective;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::random::Random;

/// The most draws, and the most spends that are kept.
const MAX_DRAWS: usize = 100_000;
const MAX_SPENDS: usize = 100_000_000;
/// Draws between two looks at the cancel flag.
const AT_ONCE: usize = 64;

/// Spend over the draws, for each cell or option, and the regret of the plan.
#[derive(Debug, Clone)]
pub(super) struct Sensitivity {
    pub(super) median: Vec<f64>,
    pub(super) low: Vec<f64>,
    pub(super) high: Vec<f64>,
    pub(super) funded: Vec<f64>,
    pub(super) regret: f64,
}

/// The spends of a draw, and by how much its best plan exceeds the plan.
type Draw = (Vec<f64>, f64);

/// Solves `n` draws.
pub(super) fn sensitivity(allocation: &Allocation, n: usize, seed: u64, context: &Context) -> Result<Sensitivity> {
    if !(1..=MAX_DRAWS).contains(&n) {
        return Err(Error::new(
            ErrorKind::OutOfRange,
            format!("n={n} is outside 1 to {MAX_DRAWS}; 1000 draws give shares within 3 points"),
        ));
    }
    let rows = allocation.plan.spend.len();
    if n.saturating_mul(rows) > MAX_SPENDS {
        let message = format!("n={n} draws of {rows} rows are more than {MAX_SPENDS} spends; use fewer draws");
        return Err(Error::new(ErrorKind::OutOfRange, message));
    }
    let solver = Solver::new(allocation)?;
    let chunks: Vec<(usize, usize)> = (0..n).step_by(AT_ONCE).map(|start| (start, n.min(start + AT_ONCE))).collect();
    let work = |(start, end): (usize, usize)| -> Result<Vec<Draw>> {
        context.check()?;
        Ok((start..end).map(|draw| solver.draw(seed, draw as u64)).collect())
    };
    let done: Result<Vec<Vec<Draw>>> = if n * rows < 4096 {
        chunks.into_iter().map(work).collect()
    } else {
        context.install(|threads| threads.par_tasks(chunks, work).into_iter().collect())?
    };
    let draws: Vec<Draw> = done?.into_iter().flatten().collect();
    let mut found = Sensitivity { median: Vec::new(), low: Vec::new(), high: Vec::new(), funded: Vec::new(), regret: 0.0 };
    let mut spends = Vec::with_capacity(n);
    for row in 0..rows {
        spends.clear();
        spends.extend(draws.iter().map(|(spend, _)| spend[row]));
        spends.sort_unstable_by(f64::total_cmp);
        found.median.push(quantile(&spends, 0.5));
        found.low.push(quantile(&spends, 0.05));
        found.high.push(quantile(&spends, 0.95));
        found.funded.push(spends.iter().filter(|spend| **spend > 0.0).count() as f64 / n as f64);
    }
    found.regret = draws.iter().map(|(_, regret)| regret).sum::<f64>() / n as f64;
    Ok(found)
}

/// The type-7 quantile of sorted values.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let place = p * (sorted.len() - 1) as f64;
    let (below, part) = (place.floor(), place - place.floor());
    let low = sorted[below as usize];
    let high = sorted[(below as usize + 1).min(sorted.len() - 1)];
    low + part * (high - low)
}

/// A problem to be solved for many draws.
enum Solver<'a> {
    Cells {
        problem: &'a Problem,
        hulls: Hulls,
        /// Standard errors relative to the height.
        errors: Vec<f64>,
        allocation: &'a Allocation,
    },
    Contacts {
        contacts: &'a super::contacts::Contacts,
        allocation: &'a Allocation,
    },
}

impl<'a> Solver<'a> {
    fn new(allocation: &'a Allocation) -> Result<Self> {
        match &allocation.to {
            To::Cells(problem) => {
                let error = |cell: &super::spec::AllocationCell| cell.se.or(cell.curve.se());
                if !problem.cells.is_empty() && problem.cells.iter().all(|cell| error(cell).is_none()) {
                    return Err(invalid(
                        "no cell has a standard error, so nothing can be drawn; give se, the standard error of the height of the curve, or fit \
                         curves: Curve.fit(...)"
                            .to_owned(),
                    ));
                }
                let relative = |cell| {
                    let error = error(cell).unwrap_or(0.0);
                    if error > 0.0 { error / cell.curve.height() } else { 0.0 }
                };
                let errors = problem.cells.iter().map(relative).collect();
                Ok(Self::Cells { hulls: problem.hulls(allocation.budget)?, problem, errors, allocation })
            }
            To::Contacts(contacts) => {
                if !contacts.options.is_empty() && contacts.options.iter().all(|option| option.value_se.is_none()) {
                    return Err(invalid(
                        "no option has a value_se, so nothing can be drawn; give the standard errors of the values".to_owned(),
                    ));
                }
                Ok(Self::Contacts { contacts, allocation })
            }
        }
    }

    fn draw(&self, seed: u64, number: u64) -> Draw {
        let mut random = Random::new(seed, number);
        match self {
            Self::Cells { problem, hulls, errors, allocation } => {
                let factors: Vec<f64> = errors.iter().map(|error| (1.0 + error * random.normal()).max(0.0)).collect();
                let best = problem.spends(hulls, Some(&factors));
                let cost = if problem.spec.objective == AllocationObjective::Profit { 1.0 } else { 0.0 };
                let worth = |spend: &[f64], values: &mut dyn Iterator<Item = f64>| -> f64 {
                    spend.iter().zip(values).zip(&factors).map(|((spend, value), factor)| factor * value - cost * spend).sum()
                };
                let values = &mut problem.cells.iter().zip(&best.spend).map(|(cell, &spend)| cell.curve.value(spend));
                let of_best = worth(&best.spend, values);
                let of_plan = worth(&allocation.plan.spend, &mut allocation.plan.value.iter().copied());
                // Where curves are not concave the plan of a draw may not be its best one.
                (best.spend, (of_best - of_plan).max(0.0))
            }
            Self::Contacts { contacts, allocation } => {
                let options = contacts.options.iter();
                let values: Vec<f64> =
                    options.map(|option| (option.value + option.value_se.unwrap_or(0.0) * random.normal()).max(0.0)).collect();
                let best = contacts.contacted(allocation.budget, &values);
                let worth = |customers: &[f64]| customers.iter().zip(&values).map(|(n, value)| n * value).sum::<f64>();
                let regret = worth(&best.customers) - worth(&allocation.plan.customers);
                let spend = best.customers.iter().zip(&contacts.options).map(|(n, option)| n * option.cost).collect();
                (spend, regret.max(0.0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_type_7() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert_eq!((quantile(&sorted, 0.0), quantile(&sorted, 0.5), quantile(&sorted, 1.0)), (1.0, 3.0, 8.0));
        assert!((quantile(&sorted, 0.9) - 6.8).abs() < 1e-12);
        assert!((quantile(&[7.0], 0.95) - 7.0).abs() < 1e-12);
    }
}
