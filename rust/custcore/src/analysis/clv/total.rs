//! Totals over customers, with their errors.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array};
use arrow_schema::Metadata;

use super::cells::Cells;
use super::fit::FitStatus;
use super::model::{PurchaseModel, predictor};
use super::predict::{Discounting, Predictor, parameter_variance};
use super::predictions::Pairs;
use super::simulate::{Simulation, simulate_totals};
use super::summary::ClvSummary;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::normal::normal_quantile;
use crate::table::{Table, TableBuilder};

/// Pairs of x and T that are computed in one go.
const BATCH: usize = 64;

/// Expected purchase days over one horizon, and their variance, summed over customers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sums {
    mean: f64,
    variance: f64,
}

/// Distinct histories, and the pairs of x and T among them.
struct Histories {
    cells: Cells,
    pairs: Pairs,
}

impl Histories {
    fn of(cells: Cells) -> Self {
        let x: Vec<u32> = cells.runs.iter().flat_map(|run| std::iter::repeat_n(run.x, run.cells.len())).collect();
        let pairs = Pairs::of(cells.len(), |at| (x[at], cells.times[cells.age[at] as usize]));
        Self { cells, pairs }
    }

    /// The sums over customers; the same bits for any number of threads.
    fn sums(&self, predictor: &dyn Predictor, horizon: f64, context: &Context) -> Result<Sums> {
        let (cells, pairs) = (&self.cells, &self.pairs.pairs);
        let tasks: Vec<usize> = (0..pairs.len()).collect();
        let plain = Discounting::Continuous { delta: 0.0 };
        let parts = cells.parts();
        context.run_if_large(cells.len().max(pairs.len() * BATCH), |threads| {
            let given = threads.par_tasks(tasks.chunks(BATCH), |chunk| {
                chunk.iter().map(|&at| predictor.given_alive(pairs[at].0, pairs[at].1, horizon, plain)).collect::<Vec<_>>()
            });
            let given = given.concat();
            context.check()?;
            let sums = threads.par_tasks(&parts, |part| {
                let mut sums = Sums::default();
                for at in part.cells.clone() {
                    let (t_x, age) = (cells.times[cells.recency[at] as usize], cells.times[cells.age[at] as usize]);
                    let p_alive = predictor.p_alive(part.x, t_x, age);
                    let given = &given[self.pairs.place(part.x, age)];
                    let mean = p_alive * given.purchases;
                    sums.mean += cells.weight[at] * mean;
                    sums.variance += cells.weight[at] * (p_alive * given.squared - mean * mean).max(0.0);
                }
                sums
            });
            Ok(sums.iter().fold(Sums::default(), |all, part| Sums { mean: all.mean + part.mean, variance: all.variance + part.variance }))
        })?
    }
}

impl PurchaseModel {
    /// Expected purchase days of all customers over each horizon, with a normal interval: the customers vary, and the parameters are
    /// estimates.
    pub fn total(&self, summary: &ClvSummary, horizons: &[f64], level: f64, context: &Context) -> Result<Table> {
        let invalid = |message: String| Error::new(ErrorKind::InvalidArgument, message);
        if let Some(days) = horizons.iter().find(|days| !(**days >= 0.0 && days.is_finite())) {
            return Err(invalid(format!("horizon={days} days is invalid; expected 0 or more")));
        }
        if !(level > 0.0 && level < 1.0) {
            return Err(invalid(format!("level={level} is invalid; expected a probability between 0 and 1, such as 0.95")));
        }
        let mut all = vec![(Sums::default(), 0.0); horizons.len()];
        let mut is_given = false;
        for (fitted, rows) in self.parts(summary)? {
            let fit = &fitted.fit;
            is_given |= fit.status == FitStatus::Given;
            let histories = Histories::of(summary.cells(rows.as_deref(), context)?);
            let own = predictor(self.family, &fit.parameters);
            let means = |parameters: &[f64]| -> Result<Vec<f64>> {
                let predictor = predictor(self.family, parameters);
                horizons.iter().map(|&days| Ok(histories.sums(predictor.as_ref(), days, context)?.mean)).collect()
            };
            let of_parameters = parameter_variance(&fit.parameters, &fit.covariance, means)?;
            for ((sums, variance), (&days, more)) in all.iter_mut().zip(horizons.iter().zip(of_parameters)) {
                let found = histories.sums(own.as_ref(), days, context)?;
                sums.mean += found.mean;
                sums.variance += found.variance;
                *variance += more;
            }
        }
        let z = normal_quantile(0.5 + level / 2.0);
        let number = |value: &dyn Fn(&Sums, f64) -> f64| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(all.iter().map(|(sums, of_parameters)| value(sums, *of_parameters))))
        };
        let error = |sums: &Sums, of_parameters: f64| (sums.variance + of_parameters).sqrt();
        let mut table = TableBuilder::default();
        table.column("horizon_days", Arc::new(Float64Array::from(horizons.to_vec())));
        table.column("customers", Arc::new(Int64Array::from(vec![summary.rows() as i64; all.len()])));
        table.column("expected_purchases", number(&|sums, _| sums.mean));
        table.column("standard_error", number(&error));
        table.column("parameter_error", number(&|_, of_parameters| of_parameters.sqrt()));
        table.column("low", number(&|sums, more| (sums.mean - z * error(sums, more)).max(0.0)));
        table.column("high", number(&|sums, more| sums.mean + z * error(sums, more)));
        let mut report = summary.report();
        if is_given {
            report.remarks.push("the parameters were given: the standard error does not know their uncertainty".to_owned());
        }
        table.finish(all.len(), Metadata::new(), report)
    }

    /// The purchase days of all customers over a horizon in `n` simulations, with the parameters of the fit, or with parameters that each
    /// simulation draws from their normal distribution.
    pub fn simulate(
        &self,
        summary: &ClvSummary,
        horizon: f64,
        seed: u64,
        n: u32,
        draw_parameters: bool,
        context: &Context,
    ) -> Result<Table> {
        if !(horizon >= 0.0 && horizon.is_finite()) {
            let message = format!("horizon={horizon} days is invalid; expected 0 or more");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let mut totals = vec![0_u64; n as usize];
        for (part, (fitted, rows)) in (0..).zip(self.parts(summary)?) {
            let fit = &fitted.fit;
            let simulation = Simulation {
                family: self.family,
                parameters: &fit.parameters,
                covariance: draw_parameters.then_some(fit.covariance.as_slice()),
                horizon,
                // Groups have streams of their own.
                seed: seed.wrapping_add(part),
                predictor: &|parameters| predictor(self.family, parameters),
            };
            let found = simulate_totals(&simulation, &summary.cells(rows.as_deref(), context)?, n as usize, context)?;
            totals.iter_mut().zip(found).for_each(|(sum, more)| *sum += more);
        }
        let mut table = TableBuilder::default();
        table.column("simulation", Arc::new(Int64Array::from_iter_values(1..=i64::from(n))));
        table.column("purchases", Arc::new(Int64Array::from_iter_values(totals.iter().map(|&total| total as i64))));
        table.finish(totals.len(), Metadata::new(), summary.report())
    }
}
