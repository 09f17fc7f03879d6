//! The fit of the model of spend.

use super::super::likelihood::LogLikelihood;
use super::super::likelihood::gamma_gamma::{GammaGammaLikelihood, SpendRows};
use super::driver::{Edge, FitModel, fit_likelihood};
use super::result::{Fit, FitLimit, FitOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;

/// The names of the parameters, in the order of the covariance.
pub(crate) const SPEND_PARAMETERS: [&str; 3] = ["p", "q", "gamma"];
/// Shapes of a distribution without spread.
const LARGE: f64 = 1e6;

/// Fits the Gamma-Gamma model.
pub(crate) fn fit_spend(rows: &SpendRows, options: &FitOptions, context: &Context) -> Result<Fit> {
    let likelihood = GammaGammaLikelihood::new(rows);
    if likelihood.customers() < 2.0 {
        let message = format!(
            "{} customers with a repeat purchase day and a positive mean spend cannot be fitted: expected at least 2, better 500; \
             take a longer calibration period",
            likelihood.customers()
        );
        return Err(Error::new(ErrorKind::NotEnoughData, message));
    }
    let mean = rows.mean_spend();
    let starts = [(1.0, 2.0), (1.0, 5.0), (5.0, 2.0), (5.0, 5.0)];
    let model =
        FitModel { names: &SPEND_PARAMETERS, starts: starts.map(|(p, q)| vec![p, q, mean * (q - 1.0) / p]).to_vec(), edges: &edges };
    fit_likelihood(&likelihood, &model, options, context)
}

/// Each customer always spends the same where p is large; all customers have the same rate nu where q is.
fn edges(parameters: &[f64]) -> Vec<Edge> {
    let edge = |shape: usize, limit| (parameters[shape] > LARGE).then_some(Edge { limit, open: [shape, 2] });
    [edge(0, FitLimit::ConstantSpend), edge(1, FitLimit::EqualRate)].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::super::result::FitStatus;
    use super::*;
    use crate::num::random::Random;
    use crate::num::special::ln;

    /// Customers with p = 2, q = 3, gamma = 60: gamma variables of whole shape are sums of exponential ones.
    fn rows(customers: usize, seed: u64) -> Result<SpendRows> {
        let mut random = Random::new(seed, 0);
        let mut gamma = |shape: u32| (0..shape).map(|_| -ln(1.0 - random.unit())).sum::<f64>();
        let mut rows = Vec::new();
        for i in 0..customers {
            let x = 1 + (i % 4) as u32;
            let nu = gamma(3) / 60.0;
            rows.push((x, gamma(2 * x) / nu / f64::from(x)));
        }
        SpendRows::new(rows.len(), |i| (rows[i].0, rows[i].1, 1.0), &Context::new(1))
    }

    #[test]
    fn parameters_of_simulated_customers_are_found() -> Result<()> {
        let rows = rows(20_000, 4)?;
        let fit = fit_spend(&rows, &FitOptions::default(), &Context::new(1))?;
        assert_eq!((fit.status, fit.starts.len()), (FitStatus::Converged, 1));
        for (i, expected) in [2.0, 3.0, 60.0].into_iter().enumerate() {
            let error = fit.standard_errors[i].unwrap_or(0.0);
            assert!(error < 0.1 * expected && (fit.parameters[i] - expected).abs() < 3.5 * error, "{i}: {:?}", fit.parameters);
        }
        let all = fit_spend(&rows, &FitOptions { all_starts: true, ..FitOptions::default() }, &Context::new(1))?;
        assert!(all.starts.len() == 4 && all.starts.iter().all(|start| (start.log_likelihood - fit.log_likelihood).abs() < 1e-6));
        Ok(())
    }

    #[test]
    fn edges_are_named() {
        let limits = |parameters: &[f64]| edges(parameters).iter().map(|edge| edge.limit.name()).collect::<Vec<_>>();
        assert_eq!(limits(&[2.0, 3.0, 60.0]), [""; 0]);
        assert_eq!(limits(&[2e6, 3.0, 1e-5]), ["constant_spend"]);
        assert_eq!(limits(&[2.0, 3e6, 1e8]), ["equal_rate"]);
    }

    #[test]
    fn one_customer_is_refused() -> Result<()> {
        let found = fit_spend(&rows(1, 1)?, &FitOptions::default(), &Context::new(1)).map(|fit| fit.status);
        assert_eq!(found.map_err(|error| error.kind()), Err(ErrorKind::NotEnoughData));
        Ok(())
    }
}
