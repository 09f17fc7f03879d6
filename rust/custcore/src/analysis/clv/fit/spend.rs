//! The fit of the model of spend.

use super::super::likelihood::LogLikelihood;
use super::super::likelihood::gamma_gamma::{GammaGammaLikelihood, SpendRows};
use super::driver::{FitModel, fit_likelihood};
use super::{Fit, FitLimit, FitOptions};
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
    let model = FitModel {
        names: &SPEND_PARAMETERS,
        starts: starts.map(|(p, q)| vec![p, q, mean * (q - 1.0) / p]).to_vec(),
        limit: &limit,
        open: &|limit| if limit == FitLimit::ConstantSpend { [0, 2] } else { [1, 2] },
    };
    fit_likelihood(&likelihood, &model, options, context)
}

/// All customers have the same rate nu where q is large; each of them always spends the same where p is.
fn limit(parameters: &[f64]) -> Option<FitLimit> {
    match *parameters {
        [p, _, _] if p > LARGE => Some(FitLimit::ConstantSpend),
        [_, q, _] if q > LARGE => Some(FitLimit::EqualRate),
        _ => None,
    }
}
