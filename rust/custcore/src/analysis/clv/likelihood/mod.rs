//! Log-likelihoods of the models, with exact first and second derivatives by the logarithms of the parameters.

pub(crate) mod pareto;
mod pareto_grid;
pub(crate) mod pareto_integral;
mod pareto_margins;
mod pareto_sums;

use crate::error::Result;
use crate::exec::context::Context;

/// Parameters of a model, at most.
pub(crate) const MAX_PARAMETERS: usize = 4;

/// A log-likelihood, summed over customers, with its derivatives by the logarithms of the parameters. Entries beyond the parameters of the model are 0.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Derivatives {
    /// The log-likelihood.
    pub value: f64,
    /// First derivatives.
    pub gradient: [f64; MAX_PARAMETERS],
    /// Second derivatives, symmetric.
    pub hessian: [[f64; MAX_PARAMETERS]; MAX_PARAMETERS],
}

/// A log-likelihood as a function of the logarithms of its parameters. Times are in days.
pub(crate) trait LogLikelihood: Sync {
    /// Number of parameters.
    fn parameters(&self) -> usize;
    /// Customers, or the sum of their weights.
    fn customers(&self) -> f64;
    /// The log-likelihood of all customers with its derivatives; the same bits for any number of threads.
    fn evaluate(&self, log_parameters: &[f64; MAX_PARAMETERS], context: &Context) -> Result<Derivatives>;
}
