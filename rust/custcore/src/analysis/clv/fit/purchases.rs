//! Fits of the models of purchases.

use super::super::cells::Cells;
use super::super::family::PurchaseFamily;
use super::super::likelihood::LogLikelihood;
use super::super::likelihood::nbd::NbdLikelihood;
use super::driver::{Edge, FitModel, fit_likelihood};
use super::result::{Fit, FitLimit, FitOptions, FitStatus};
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
/// A beta, in days, of customers who drop out at once or never.
const AT_ONCE: f64 = 1e-100;
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
    let model =
        FitModel { names: family.parameters(), starts: starts(family, mean_age(cells)), edges: &|parameters| edges(family, parameters) };
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
        let found = match cells.len() {
            0 => "there are no customers to fit".to_owned(),
            _ if customers > 1.0 => format!("{customers} customers cannot be fitted"),
            _ if customers < 1.0 => format!("weights that add up to {customers:e} cannot be fitted"),
            _ => format!("{customers} customer cannot be fitted"),
        };
        let message = format!("{found}: expected at least 2, better 500; fit the customers of more groups together");
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

/// The edges that parameters are at.
fn edges(family: PurchaseFamily, parameters: &[f64]) -> Vec<Edge> {
    let dropout = match (family, parameters) {
        (PurchaseFamily::Bgnbd | PurchaseFamily::Mbgnbd, &[_, _, a, b]) => {
            // b of nothing beside a: all drop out at their first draw, which is an equal probability, too.
            let is_certain = b / (a + b) < NO_DROPOUT;
            dropout_limit(a / (a + b), a + b).or(is_certain.then_some(FitLimit::EqualDropout))
        }
        (PurchaseFamily::ParetoNbd, &[_, _, s, beta]) => {
            // Whoever drops out does so at once, long before the end of the first day.
            dropout_limit(s / beta * YEAR, s).or((beta < AT_ONCE).then_some(FitLimit::PointDropout))
        }
        _ => None,
    };
    let dropout = dropout.map(|limit| Edge { limit, open: [2, 3] });
    let rate = parameters.first().is_some_and(|&r| r > LARGE).then_some(Edge { limit: FitLimit::EqualRate, open: [0, 1] });
    dropout.into_iter().chain(rate).collect()
}

/// The edge of a distribution of drop-out probabilities or rates.
fn dropout_limit(rate: f64, shape: f64) -> Option<FitLimit> {
    if rate < NO_DROPOUT {
        Some(FitLimit::NoDropout)
    } else if shape > LARGE {
        Some(FitLimit::EqualDropout)
    } else {
        (shape < SMALL).then_some(FitLimit::PointDropout)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::likelihood::geometric::{DropoutDraws, GeometricLikelihood};
    use super::*;
    use crate::num::random::Random;
    use crate::num::special::{exp, ln};

    /// Histories of a BG/NBD with r = 1 and a = 1, so that rates are exponential and probabilities are 1 - u^(1/b); `rate` and
    /// `probability` make them the same for all.
    struct Simulation {
        alpha: f64,
        b: f64,
        rate: Option<f64>,
        probability: Option<f64>,
    }

    impl Simulation {
        fn cells(&self, customers: usize, seed: u64) -> Result<Cells> {
            let mut random = Random::new(seed, 0);
            let mut rows = Vec::new();
            for _ in 0..customers {
                let age = (200.0 + 200.0 * random.unit()).floor();
                let rate = self.rate.unwrap_or(-ln(1.0 - random.unit()) / self.alpha);
                let probability = self.probability.unwrap_or(1.0 - exp(ln(1.0 - random.unit()) / self.b));
                let (mut x, mut last, mut time) = (0, 0.0, 0.0);
                loop {
                    time -= ln(1.0 - random.unit()) / rate;
                    if time > age {
                        break;
                    }
                    (x, last) = (x + 1, time);
                    if random.unit() < probability {
                        break;
                    }
                }
                rows.push((x, last, age));
            }
            Cells::of_times(rows.len(), |i| (rows[i].0, rows[i].1, rows[i].2, 1.0), &Context::new(1))
        }
    }

    const USUAL: Simulation = Simulation { alpha: 30.0, b: 3.0, rate: None, probability: None };

    fn fit(cells: &Cells, options: &FitOptions) -> Result<Fit> {
        let likelihood = GeometricLikelihood::new(DropoutDraws::Repeats, cells);
        fit_purchases(PurchaseFamily::Bgnbd, &likelihood, cells, options, &Context::new(1))
    }

    #[test]
    fn parameters_of_simulated_customers_are_found() -> Result<()> {
        let cells = USUAL.cells(20_000, 5)?;
        let found = fit(&cells, &FitOptions::default())?;
        assert_eq!((found.status, found.starts.len()), (FitStatus::Converged, 1));
        for (i, expected) in [1.0, 30.0, 1.0, 3.0].into_iter().enumerate() {
            let error = found.standard_errors[i].unwrap_or(0.0);
            assert!(error < 0.1 * expected && (found.parameters[i] - expected).abs() < 3.5 * error, "{i}: {:?}", found.parameters);
            let of_log = found.covariance[i][i].unwrap_or(f64::NAN).sqrt();
            assert!((error - found.parameters[i] * of_log).abs() < 1e-12 * error);
        }
        assert!(found.decrement.is_some_and(|decrement| decrement < 1e-6) && found.gradient_norm < 1e-7);
        // From other starts, the same maximum.
        let all = fit(&cells, &FitOptions { all_starts: true, ..FitOptions::default() })?;
        assert_eq!((all.starts.len(), &all.parameters), (3, &found.parameters));
        assert!(all.starts.iter().all(|start| (start.log_likelihood - found.log_likelihood).abs() < 1e-6));
        let far = fit(&cells, &FitOptions { start: Some(vec![40.0, 2.0, 1e-3, 50.0]), ..FitOptions::default() })?;
        assert!(far.parameters.iter().zip(&found.parameters).all(|(far, near)| (far / near - 1.0).abs() < 1e-6));
        Ok(())
    }

    #[test]
    fn without_dropout_the_fit_is_that_of_the_nbd() -> Result<()> {
        let cells = Simulation { probability: Some(0.0), ..USUAL }.cells(3_000, 4)?;
        let found = fit(&cells, &FitOptions::default())?;
        let likelihood = NbdLikelihood::new(&cells);
        let nbd = fit_purchases(PurchaseFamily::Nbd, &likelihood, &cells, &FitOptions::default(), &Context::new(1))?;
        assert_eq!((nbd.status, found.status), (FitStatus::Converged, FitStatus::Boundary(FitLimit::NoDropout)));
        assert!((found.log_likelihood - nbd.log_likelihood).abs() < 1e-6);
        assert!((found.parameters[0] / nbd.parameters[0] - 1.0).abs() < 1e-6 && found.parameters[2] < 1e-100);
        assert!(found.standard_errors[1].is_some() && found.standard_errors[2..] == [None, None]);
        assert_eq!(found.starts.len(), 3);
        Ok(())
    }

    #[test]
    fn ridges_are_edges_not_maxima() -> Result<()> {
        // At these seeds the spread of the simulated customers is below that of equal ones.
        let dropout = fit(&Simulation { probability: Some(0.2), ..USUAL }.cells(3_000, 4)?, &FitOptions::default())?;
        assert_eq!(dropout.status, FitStatus::Boundary(FitLimit::EqualDropout));
        let probability = dropout.parameters[2] / (dropout.parameters[2] + dropout.parameters[3]);
        assert!((probability - 0.2).abs() < 0.02, "{:?}", dropout.parameters);
        assert!(dropout.standard_errors[0].is_some() && dropout.standard_errors[2..] == [None, None]);
        let rate = fit(&Simulation { rate: Some(0.03), ..USUAL }.cells(3_000, 4)?, &FitOptions::default())?;
        assert_eq!(rate.status, FitStatus::Boundary(FitLimit::EqualRate));
        assert!((rate.parameters[0] / rate.parameters[1] - 0.03).abs() < 0.002 && rate.standard_errors[0].is_none());
        Ok(())
    }

    #[test]
    fn edges_are_named() {
        let limits = |family, parameters: &[f64]| edges(family, parameters).iter().map(|edge| edge.limit.name()).collect::<Vec<_>>();
        assert_eq!(limits(PurchaseFamily::Bgnbd, &[1.0, 1.0, 0.5, 2.0]), [""; 0]);
        assert_eq!(limits(PurchaseFamily::Mbgnbd, &[1.0, 1.0, 1e-7, 2.0]), ["no_dropout"]);
        assert_eq!(limits(PurchaseFamily::Bgnbd, &[1e7, 1.0, 1e-8, 1e-8]), ["point_dropout", "equal_rate"]);
        assert_eq!(limits(PurchaseFamily::ParetoNbd, &[1.0, 1.0, 2e6, 1e8]), ["equal_dropout"]);
        assert_eq!(limits(PurchaseFamily::ParetoNbd, &[1.0, 1.0, 1e-3, 1e6]), ["no_dropout"]);
        assert_eq!(limits(PurchaseFamily::Nbd, &[1e7, 1e9]), ["equal_rate"]);
    }

    #[test]
    fn a_prior_draws_the_logarithms_to_its_mean() -> Result<()> {
        let cells = USUAL.cells(500, 3)?;
        let free = fit(&cells, &FitOptions::default())?;
        let prior = vec![None, None, None, Some((0.0, 1e-3))];
        let held = fit(&cells, &FitOptions { prior: Some(prior), ..FitOptions::default() })?;
        assert!((held.parameters[3] - 1.0).abs() < 1e-2 && (free.parameters[3] - 1.0).abs() > 0.5, "{free:?}");
        assert!(held.log_likelihood < free.log_likelihood && held.status == FitStatus::Converged);
        assert!(held.standard_errors[3].is_some_and(|error| (error - 1e-3).abs() < 1e-4));
        Ok(())
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() -> Result<()> {
        let context = Context::new(1);
        let kind = |cells: &Cells, options: &FitOptions| fit(cells, options).map(|fit| fit.status).map_err(|error| error.kind());
        let nobody_again = Cells::of_days(3, |_| (0, 0, 30), &context)?;
        assert_eq!(kind(&nobody_again, &FitOptions::default()), Err(ErrorKind::NotEnoughData));
        let one = Cells::of_days(1, |_| (2, 20, 30), &context)?;
        assert_eq!(kind(&one, &FitOptions::default()), Err(ErrorKind::NotEnoughData));
        let two = Cells::of_days(2, |i| (2 * i as u32, 20 * i as u32, 30), &context)?;
        let start = FitOptions { start: Some(vec![1.0, 0.0, 1.0, 1.0]), ..FitOptions::default() };
        assert_eq!(kind(&two, &start), Err(ErrorKind::InvalidArgument));
        let prior = FitOptions { prior: Some(vec![Some((0.0, -1.0)); 4]), ..FitOptions::default() };
        assert_eq!(kind(&two, &prior), Err(ErrorKind::InvalidArgument));
        let short = FitOptions { max_iter: 1, ..FitOptions::default() };
        assert_eq!(kind(&USUAL.cells(500, 3)?, &short), Ok(FitStatus::NotConverged));
        context.cancel();
        let likelihood = GeometricLikelihood::new(DropoutDraws::Repeats, &two);
        let cancelled = fit_purchases(PurchaseFamily::Bgnbd, &likelihood, &two, &FitOptions::default(), &context);
        assert_eq!(cancelled.map(|fit| fit.status).map_err(|error| error.kind()), Err(ErrorKind::Cancelled));
        Ok(())
    }
}
