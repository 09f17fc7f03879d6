//! The course of every fit: starts, the search from each, whether it ended in a maximum or at an edge, and the best of them.

use std::cell::Cell;

use super::covariance::{Newton, covariance};
use super::optimiser::{End, MAX_LOG, Point, minimise};
use super::result::{Fit, FitLimit, FitOptions, FitStart, FitStatus, padded};
use crate::analysis::clv::likelihood::LogLikelihood;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::special::{exp, ln};

/// A maximum: every parameter is within 0.001 of its own standard error of it. A difference of two log-likelihoods of 1e8 is noise
/// below 1e-7, so no change of the log-likelihood can be the test.
const DECREMENT: f64 = 1e-6;
/// On a ridge that rises as -e^-t, a Newton step is 1 however flat it is; in a maximum with that decrement it is far below this.
const LONGEST_STEP: f64 = 0.1;
/// Mean gradients at which the search stops. The first one is enough for a maximum; the others are for ridges, which it leaves early.
const GRADIENTS: [f64; 3] = [1e-7, 1e-10, 1e-13];
/// Log-likelihoods that differ by less are equal.
const EQUAL: f64 = 1e-6;

/// What a fit needs to know of its model.
pub(crate) struct FitModel<'m> {
    /// Names of the parameters.
    pub names: &'m [&'m str],
    /// The starts, in the order in which they are tried.
    pub starts: Vec<Vec<f64>>,
    /// The edges that parameters are at; the first one is reported.
    pub edges: &'m dyn Fn(&[f64]) -> Vec<Edge>,
}

/// An edge of the parameter space.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    /// What it means.
    pub limit: FitLimit,
    /// The two parameters that it leaves open: only a function of both is known.
    pub open: [usize; 2],
}

/// Minus the mean log-likelihood, with a prior, as a function of the logarithms of the parameters.
struct Objective<'o> {
    likelihood: &'o dyn LogLikelihood,
    prior: Option<&'o [Option<(f64, f64)>]>,
    context: &'o Context,
    evaluations: Cell<usize>,
}

impl Objective<'_> {
    fn at(&self, log_parameters: &[f64]) -> Result<Point> {
        self.evaluations.set(self.evaluations.get() + 1);
        let n = self.likelihood.parameters();
        let customers = self.likelihood.customers();
        let all = self.likelihood.evaluate(&padded(log_parameters), self.context)?;
        let mut point = Point {
            value: -all.value / customers,
            gradient: all.gradient[..n].iter().map(|slope| -slope / customers).collect(),
            hessian: all.hessian[..n].iter().flat_map(|row| row[..n].iter().map(|second| -second / customers)).collect(),
        };
        for (i, (mean, deviation)) in self.priors() {
            let distance = (log_parameters[i] - mean) / deviation;
            point.value += 0.5 * distance * distance / customers;
            point.gradient[i] += distance / deviation / customers;
            point.hessian[i * n + i] += 1.0 / (deviation * deviation * customers);
        }
        Ok(point)
    }

    fn priors(&self) -> impl Iterator<Item = (usize, (f64, f64))> {
        self.prior.into_iter().flatten().enumerate().filter_map(|(i, prior)| prior.map(|prior| (i, prior)))
    }

    /// The log-likelihood of a point, without the prior.
    fn log_likelihood(&self, end: &End) -> f64 {
        let prior: f64 = self.priors().map(|(i, (mean, deviation))| 0.5 * ((end.at[i] - mean) / deviation).powi(2)).sum();
        prior - end.point.value * self.likelihood.customers()
    }
}

/// Where the search from one start ended.
struct Reached {
    end: End,
    newton: Option<Newton>,
    status: FitStatus,
}

/// Fits the parameters of a model by maximum likelihood.
pub(crate) fn fit_likelihood(likelihood: &dyn LogLikelihood, model: &FitModel<'_>, options: &FitOptions, context: &Context) -> Result<Fit> {
    check_options(model.names, options)?;
    let objective = Objective { likelihood, prior: options.prior.as_deref(), context, evaluations: Cell::new(0) };
    let starts = options.start.as_ref().map_or_else(|| model.starts.clone(), |start| vec![start.clone()]);
    let mut tried: Vec<FitStart> = Vec::new();
    let mut reached: Vec<Reached> = Vec::new();
    for start in starts {
        let found = search(&objective, &start, model, options.max_iter)?;
        let end = found.end.at.iter().map(|&log| exp(log)).collect();
        tried.push(FitStart { start, end, log_likelihood: objective.log_likelihood(&found.end), status: found.status });
        let is_maximum = found.status == FitStatus::Converged;
        reached.push(found);
        if is_maximum && !options.all_starts && reached.len() == 1 {
            break;
        }
    }
    let best = best(&reached, likelihood.customers()).ok_or_else(no_value)?;
    let Reached { end, newton, status } = &reached[best];
    let parameters = tried[best].end.clone();
    let customers = likelihood.customers();
    let information: Vec<f64> = end.point.hessian.iter().map(|second| second * customers).collect();
    let open: Vec<[usize; 2]> = (model.edges)(&parameters).iter().map(|edge| edge.open).collect();
    // Held fixed, one of two open parameters takes the direction without information out of it.
    let held: Vec<usize> = open.iter().map(|open| open[1]).collect();
    let covariance = covariance(parameters.len(), &information, &held, open.as_flattened());
    Ok(Fit {
        log_likelihood: tried[best].log_likelihood,
        status: *status,
        standard_errors: parameters.iter().enumerate().map(|(i, &value)| covariance[i][i].map(|of| value * of.sqrt())).collect(),
        covariance,
        parameters,
        gradient_norm: end.point.gradient.iter().fold(0.0, |norm, slope| slope.abs().max(norm)),
        decrement: newton.as_ref().map(|newton| newton.decrement * customers),
        evaluations: objective.evaluations.get(),
        starts: tried,
    })
}

/// The error of a likelihood that is no number wherever the search went.
fn no_value() -> Error {
    let message = "the likelihood is no finite number at any start: weights, times or amounts are too large or too small. Use other units";
    Error::new(ErrorKind::OutOfRange, message)
}

/// The best end; of those that are equally good, a maximum, then the first.
fn best(reached: &[Reached], customers: f64) -> Option<usize> {
    let lowest = reached.iter().map(|reached| reached.end.point.value).fold(f64::INFINITY, f64::min);
    let is_best = |i: &usize| (reached[*i].end.point.value - lowest) * customers <= EQUAL;
    let is_maximum = |i: &usize| reached[*i].status == FitStatus::Converged;
    let all = 0..reached.len();
    all.clone().find(|i| is_best(i) && is_maximum(i)).or_else(|| all.clone().find(is_best))
}

fn search(objective: &Objective<'_>, start: &[f64], model: &FitModel<'_>, max_iter: usize) -> Result<Reached> {
    let function = |at: &[f64]| objective.at(at);
    let customers = objective.likelihood.customers();
    let newton = |point: &Point| Newton::of(&point.gradient, &point.hessian);
    let mut at: Vec<f64> = start.iter().map(|&value| ln(value)).collect();
    let mut iterations = 0;
    let mut last = None;
    for gradient in GRADIENTS {
        let mut end = minimise(&at, gradient, max_iter - iterations, &function)?;
        iterations = (iterations + end.iterations).min(max_iter);
        let mut step = newton(&end.point);
        if let Some(now) = &step {
            let next: Vec<f64> = end.at.iter().zip(&now.step).map(|(at, step)| at + step).collect();
            if next.iter().all(|log| log.abs() <= MAX_LOG) {
                let point = objective.at(&next)?;
                if let Some(then) = newton(&point).filter(|then| then.decrement < now.decrement) {
                    step = Some(then);
                    end = End { at: next, point, iterations };
                }
            }
        }
        let parameters: Vec<f64> = end.at.iter().map(|&log| exp(log)).collect();
        let is_settled = step.as_ref().is_some_and(|newton| newton.decrement * customers <= DECREMENT);
        let is_long = |newton: &Newton| newton.step.iter().any(|step| step.abs() >= LONGEST_STEP);
        let status = match (model.edges)(&parameters).first() {
            Some(edge) => FitStatus::Boundary(edge.limit),
            None if is_settled && !step.as_ref().is_some_and(is_long) => FitStatus::Converged,
            None => FitStatus::NotConverged,
        };
        // The other parameters may not have followed to an edge yet; without drop-out they are those of another fit.
        let is_over = match status {
            FitStatus::Boundary(limit) => is_settled || limit == FitLimit::NoDropout,
            status => status == FitStatus::Converged,
        };
        at.clone_from(&end.at);
        last = Some(Reached { end, newton: step, status });
        if is_over || iterations >= max_iter {
            break;
        }
    }
    last.ok_or_else(|| Error::internal("a search without an end"))
}

fn check_options(names: &[&str], options: &FitOptions) -> Result<()> {
    let refuse = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
    let listed = names.join(", ");
    if let Some(start) = &options.start {
        let is_in_domain = |value: &f64| *value > 0.0 && ln(*value).abs() <= MAX_LOG;
        if start.len() != names.len() || !start.iter().all(is_in_domain) {
            return refuse(format!("start is {start:?}; expected {} positive numbers: {listed}", names.len()));
        }
    }
    if let Some(prior) = &options.prior {
        let is_normal = |prior: &Option<(f64, f64)>| prior.is_none_or(|(mean, sd)| mean.is_finite() && sd > 0.0 && sd.is_finite());
        if prior.len() != names.len() || !prior.iter().all(is_normal) {
            return refuse(format!(
                "prior is {prior:?}; expected, for each of {listed}, nothing or the mean and the positive standard deviation of its logarithm"
            ));
        }
    }
    Ok(())
}
