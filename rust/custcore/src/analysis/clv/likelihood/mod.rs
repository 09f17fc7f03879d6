//! Log-likelihoods of the models, with exact first and second derivatives by the logarithms of the parameters.

pub(crate) mod gamma_gamma;
pub(crate) mod geometric;
pub(crate) mod nbd;
pub(crate) mod pareto;
mod pareto_grid;
pub(crate) mod pareto_integral;
mod pareto_margins;
mod pareto_sums;
pub(crate) mod rising;

use crate::error::Result;
use crate::exec::context::Context;

/// Parameters of a model, at most.
pub(crate) const MAX_PARAMETERS: usize = 4;

/// A log-likelihood, summed over customers, with its derivatives by the logarithms of the parameters. Entries beyond the parameters of
/// the model are 0.
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

#[cfg(test)]
pub(crate) mod tests {
    use super::super::cells::Cells;
    use super::*;

    /// Histories with weights, among them T = 0, `t_x` = T, many purchases.
    pub(crate) fn some_cells() -> Result<Cells> {
        let rows = [
            (0, 0, 0),
            (0, 0, 200),
            (0, 0, 200),
            (1, 5, 5),
            (1, 7, 190),
            (2, 100, 200),
            (4, 30, 210),
            (9, 205, 210),
            (40, 180, 200),
            (3, 150, 160),
            (1, 60, 333),
        ];
        Cells::of_times(rows.len(), |i| (rows[i].0, rows[i].1.into(), rows[i].2.into(), 1.0 + 0.5 * (i % 3) as f64), &Context::new(1))
    }

    /// Compares gradient and Hessian with differences of value and gradient.
    pub(crate) fn check_derivatives(likelihood: &dyn LogLikelihood, parameters: &[f64; MAX_PARAMETERS]) -> Result<()> {
        const STEP: f64 = 1e-4;
        let at = parameters.map(|parameter| if parameter > 0.0 { parameter.ln() } else { 0.0 });
        let context = Context::new(1);
        let here = likelihood.evaluate(&at, &context)?;
        let scale = here.value.abs().max(1.0);
        for i in 0..likelihood.parameters() {
            let beside = |step: f64| {
                let mut beside = at;
                beside[i] += step;
                likelihood.evaluate(&beside, &context)
            };
            // Richardson's extrapolation of central differences: an error of the fourth order.
            let (left, right, far_left, far_right) = (beside(-STEP)?, beside(STEP)?, beside(-2.0 * STEP)?, beside(2.0 * STEP)?);
            let slope =
                |of: &dyn Fn(&Derivatives) -> f64| (8.0 * (of(&right) - of(&left)) - (of(&far_right) - of(&far_left))) / (12.0 * STEP);
            let numeric = slope(&|at| at.value);
            assert!((here.gradient[i] - numeric).abs() < 1e-9 * scale, "{i}: {} {numeric}", here.gradient[i]);
            for j in 0..likelihood.parameters() {
                let numeric = slope(&|at| at.gradient[j]);
                assert!((here.hessian[i][j] - numeric).abs() < 1e-9 * scale, "{i} {j}: {} {numeric}", here.hessian[i][j]);
                assert_eq!(here.hessian[i][j].to_bits(), here.hessian[j][i].to_bits());
            }
        }
        Ok(())
    }
}
