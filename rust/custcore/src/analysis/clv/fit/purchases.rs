//! Fits of the models of purchases.

use super::super::cells::Cells;
use super::super::family::PurchaseFamily;
use super::super::likelihood::LogLikelihood;
use super::super::likelihood::nbd::NbdLikelihood;
use super::driver::{FitModel, fit_likelihood};
use super::{Fit, FitLimit, FitOptions, FitStatus};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;

/// Probabilities of dropping out at a purchase, or rates per year, below this are those of the NBD.
const NO_DROPOUT: f64 = 1e-6;
/// Shapes of a distribution without spread.
const LARGE: f64 = 1e6;
/// Shapes of a distribution on its two ends only.
const SMALL: f64 = 1e-6;
/// Days of a year.
const YEAR: f64 = 365.25;
/// The parameter a or s of a result without drop-out. Its odds of being lost are no number next to 1 up to 10^284 times the usual ones.
const NOBODY: f64 = 1e-300;

/// Fits a model of purchases; `likelihood` is that of the family for the histories of `cells`.
///
/// Where the best log-likelihood is at [`FitLimit::NoDropout`], the result is the fit of the NBD: its r and alpha with their covariance,
/// its log-likelihood, and a or s of 1e-300 beside b or beta of 1, at which all predictions are those of the NBD.
pub(crate) fn fit_purchases(
    family: PurchaseFamily,
    likelihood: &dyn LogLikelihood,
    cells: &Cells,
    options: &FitOptions,
    context: &Context,
) -> Result<Fit> {
    check_data(cells)?;
    let model = FitModel {
        names: family.parameters(),
        starts: starts(family, mean_age(cells)),
        limit: &|parameters| limit(family, parameters),
        open: &|limit| if limit == FitLimit::EqualRate { [0, 1] } else { [2, 3] },
    };
    let fit = fit_likelihood(likelihood, &model, options, context)?;
    if fit.status == FitStatus::Boundary(FitLimit::NoDropout) { without_dropout(fit, cells, options, context) } else { Ok(fit) }
}

/// The NBD in the place of a fit without drop-out.
fn without_dropout(fit: Fit, cells: &Cells, options: &FitOptions, context: &Context) -> Result<Fit> {
    let likelihood = NbdLikelihood::new(cells);
    let start = fit.parameters[..2].to_vec();
    let prior = options.prior.as_ref().map(|prior| prior[..2].to_vec());
    let options = FitOptions { start: Some(start), prior, ..options.clone() };
    let nbd = fit_purchases(PurchaseFamily::Nbd, &likelihood, cells, &options, context)?;
    let mut covariance = vec![vec![None; 4]; 4];
    covariance.iter_mut().zip(&nbd.covariance).for_each(|(all, known)| all[..2].copy_from_slice(known));
    let status = if nbd.status == FitStatus::NotConverged { nbd.status } else { fit.status };
    Ok(Fit {
        parameters: nbd.parameters.iter().copied().chain([NOBODY, 1.0]).collect(),
        status,
        covariance,
        standard_errors: nbd.standard_errors.iter().copied().chain([None, None]).collect(),
        evaluations: fit.evaluations + nbd.evaluations,
        starts: fit.starts,
        ..nbd
    })
}

fn check_data(cells: &Cells) -> Result<()> {
    let customers = cells.customers();
    if cells.len() == 0 || customers < 2.0 {
        let message =
            format!("{customers} customers cannot be fitted: expected at least 2, better 500; fit the customers of more groups together");
        return Err(Error::new(ErrorKind::NotEnoughData, message));
    }
    if cells.max_x() == 0 {
        let message = "no_repeat: no customer has a repeat purchase day (x is 0 in all rows), so r and alpha are not identified: \
             the likelihood rises without end as r falls to 0. Expected some customers with x > 0; take a longer calibration period";
        return Err(Error::new(ErrorKind::NotEnoughData, message));
    }
    Ok(())
}

fn mean_age(cells: &Cells) -> f64 {
    let ages = cells.age.iter().map(|&age| cells.times[age as usize]);
    ages.zip(&cells.weight).map(|(age, weight)| age * weight).sum::<f64>() / cells.customers()
}

fn starts(family: PurchaseFamily, mean_age: f64) -> Vec<Vec<f64>> {
    let alpha = mean_age / 2.0;
    let dropout = |scale: f64| [(1.0, 1.0), (0.1, 1.0), (1.0, 10.0)].map(|(left, right)| vec![1.0, alpha, left, scale * right]).to_vec();
    match family {
        PurchaseFamily::Nbd => vec![vec![1.0, alpha]],
        PurchaseFamily::Bgnbd | PurchaseFamily::Mbgnbd => dropout(1.0),
        PurchaseFamily::ParetoNbd => dropout(mean_age),
    }
}

/// The edge at which parameters are, if at any.
fn limit(family: PurchaseFamily, parameters: &[f64]) -> Option<FitLimit> {
    let dropout = match (family, parameters) {
        (PurchaseFamily::Bgnbd | PurchaseFamily::Mbgnbd, &[_, _, a, b]) => {
            // b of nothing beside a: all drop out at their first draw, which is an equal probability, too.
            let is_certain = b / (a + b) < NO_DROPOUT;
            dropout_limit(a / (a + b), a + b).or(is_certain.then_some(FitLimit::EqualDropout))
        }
        (PurchaseFamily::ParetoNbd, &[_, _, s, beta]) => dropout_limit(s / beta * YEAR, s),
        _ => None,
    };
    dropout.or_else(|| parameters.first().is_some_and(|&r| r > LARGE).then_some(FitLimit::EqualRate))
}

fn dropout_limit(rate: f64, shape: f64) -> Option<FitLimit> {
    if rate < NO_DROPOUT {
        Some(FitLimit::NoDropout)
    } else if shape > LARGE {
        Some(FitLimit::EqualDropout)
    } else {
        (shape < SMALL).then_some(FitLimit::PointDropout)
    }
}
