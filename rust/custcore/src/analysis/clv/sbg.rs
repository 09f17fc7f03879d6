//! The shifted beta-geometric model of contracts (Fader & Hardie 2007): a customer does not renew with a probability p ~ Beta(a, b) of his
//! own. Leaving is seen, renewal by renewal.
//!
//! Of those who face renewal t, the share (b+t-1)/(a+b+t-1) stays, so S(t) = (b)_t/(a+b)_t and P(T = t) = a (b)_(t-1)/(a+b)_t. The
//! log-likelihood is a sum over renewals of `lost ln(a/(a+b+t-1)) + kept ln((b+t-1)/(a+b+t-1))`: cohorts of any length add up, and those
//! who are still there enter with S.

use super::fit::{Edge, Fit, FitLimit, FitModel, FitOptions, fit_likelihood};
use super::likelihood::rising::rising_ratio;
use super::likelihood::{Derivatives, LogLikelihood, MAX_PARAMETERS};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::special::{exp, ln, ln_1p};

/// The names of the parameters, in the order of the covariance.
pub(crate) const SBG_PARAMETERS: [&str; 2] = ["a", "b"];
/// Probabilities of leaving below this are 0, those of staying as well.
const NO_DROPOUT: f64 = 1e-6;
/// a + b of a distribution without spread.
const LARGE: f64 = 1e6;
/// a + b of a distribution on its two ends only.
const SMALL: f64 = 1e-6;
/// The smallest discount rate: sums of discounted lifetimes have some 40 / rate terms.
const LEAST_RATE: f64 = 1e-6;

/// Counts of all cohorts at one renewal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Renewal {
    /// Its number, from 1.
    pub t: u32,
    /// Customers who did not renew.
    pub lost: f64,
    /// Customers who could.
    pub at_risk: f64,
}

/// The renewals of a cohort of which `lost[t - 1]` customers left at renewal t and `survivors` are still there after the last one.
pub(crate) fn renewals_of_cohort(lost: &[f64], survivors: f64) -> Vec<Renewal> {
    let mut at_risk = survivors + lost.iter().sum::<f64>();
    let mut renewal = |(t, &lost): (u32, &f64)| {
        let renewal = Renewal { t, lost, at_risk };
        at_risk -= lost;
        renewal
    };
    (1..).zip(lost).map(&mut renewal).collect()
}

/// The log-likelihood of the model as a function of ln a and ln b.
#[derive(Debug)]
pub(crate) struct SbgLikelihood {
    renewals: Vec<Renewal>,
    customers: f64,
}

impl SbgLikelihood {
    /// The likelihood of renewals, those of several cohorts one after the other.
    pub(crate) fn new(renewals: &[Renewal]) -> Result<Self> {
        for (row, renewal) in renewals.iter().enumerate() {
            let Renewal { t, lost, at_risk } = *renewal;
            if t == 0 || !(0.0 <= lost && lost <= at_risk && at_risk.is_finite()) {
                let message = format!(
                    "row {row}: {lost} lost of {at_risk} at risk at renewal {t}; expected renewals 1, 2, ... and 0 <= lost <= at risk"
                );
                return Err(Error::new(ErrorKind::InvalidArgument, message).at_row(row as u64));
            }
        }
        let mut sorted: Vec<Renewal> = renewals.iter().copied().filter(|renewal| renewal.at_risk > 0.0).collect();
        sorted.sort_by(|a, b| a.t.cmp(&b.t).then(a.at_risk.total_cmp(&b.at_risk)).then(a.lost.total_cmp(&b.lost)));
        let mut all: Vec<Renewal> = Vec::new();
        for renewal in sorted {
            match all.last_mut() {
                Some(last) if last.t == renewal.t => {
                    last.lost += renewal.lost;
                    last.at_risk += renewal.at_risk;
                }
                _ => all.push(renewal),
            }
        }
        let customers = all.iter().map(|renewal| renewal.at_risk).fold(0.0, f64::max);
        Ok(Self { renewals: all, customers })
    }

    /// An error where a and b are not identified.
    fn check(&self) -> Result<()> {
        let lost: f64 = self.renewals.iter().map(|renewal| renewal.lost).sum();
        let message = if self.renewals.len() < 2 {
            "customers of one renewal only: a and b are not identified, only a/(a+b) is. Expected counts of at least two renewals"
        } else if lost == 0.0 {
            "nobody was lost, so a and b are not identified. Expected some customers who did not renew; take more renewals or cohorts"
        } else if self.customers < 2.0 {
            "one customer cannot be fitted. Expected at least 2, better 500; take more cohorts"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::NotEnoughData, message))
    }
}

impl LogLikelihood for SbgLikelihood {
    fn parameters(&self) -> usize {
        2
    }

    fn customers(&self) -> f64 {
        self.customers
    }

    fn evaluate(&self, log_parameters: &[f64; MAX_PARAMETERS], context: &Context) -> Result<Derivatives> {
        context.check()?;
        let [a, b, ..] = log_parameters.map(exp);
        let mut all = Derivatives::default();
        for &Renewal { t, lost, at_risk } in &self.renewals {
            // Shares of a and b in a + b + t - 1, and of b in b + t - 1, whose derivatives by the logarithms are products of themselves.
            let before = b + f64::from(t - 1);
            let (of_a, of_b, of_before) = (a / (a + before), b / (a + before), b / before);
            let kept = at_risk - lost;
            all.value += lost * ln(of_a) - kept * ln_1p(a / before);
            all.gradient[0] += lost - at_risk * of_a;
            all.gradient[1] += kept * of_before - at_risk * of_b;
            all.hessian[0][0] -= at_risk * of_a * (1.0 - of_a);
            all.hessian[0][1] += at_risk * of_a * of_b;
            all.hessian[1][1] += kept * of_before * (1.0 - of_before) - at_risk * of_b * (1.0 - of_b);
        }
        all.hessian[1][0] = all.hessian[0][1];
        Ok(all)
    }
}

/// Fits the model.
pub(crate) fn fit_sbg(likelihood: &SbgLikelihood, options: &FitOptions, context: &Context) -> Result<Fit> {
    likelihood.check()?;
    let model = FitModel {
        names: &SBG_PARAMETERS,
        starts: [(1.0, 1.0), (0.1, 1.0), (1.0, 10.0)].map(|(a, b)| vec![a, b]).to_vec(),
        edges: &|parameters| limit(parameters[0], parameters[1]).map(|limit| Edge { limit, open: [0, 1] }).into_iter().collect(),
    };
    fit_likelihood(likelihood, &model, options, context)
}

fn limit(a: f64, b: f64) -> Option<FitLimit> {
    if a / (a + b) < NO_DROPOUT {
        Some(FitLimit::NoDropout)
    } else if a + b > LARGE || b / (a + b) < NO_DROPOUT {
        Some(FitLimit::EqualDropout)
    } else {
        (a + b < SMALL).then_some(FitLimit::PointDropout)
    }
}

/// The share of those who face renewal t >= 1 that stays.
pub(crate) fn retention_rate(a: f64, b: f64, t: u32) -> f64 {
    let before = b + f64::from(t.saturating_sub(1));
    before / (a + before)
}

/// S(t), the share of a cohort that is still there after renewal t.
pub(crate) fn survival(a: f64, b: f64, t: u32) -> f64 {
    rising_ratio(a, b, &[t]).iter().map(|ratio| exp(ratio.value)).sum()
}

/// Expected number of renewals to come of a customer with n - 1 renewals behind him, n >= 1, each discounted at `rate` per period from
/// the next renewal on: `(b+n-1)/(a+b+n-1) 2F1(1, b+n; a+b+n; 1/(1+rate))`.
pub(crate) fn discounted_lifetime(a: f64, b: f64, n: u32, rate: f64) -> Result<f64> {
    if !(rate >= LEAST_RATE && rate.is_finite()) {
        let message = format!("the discount rate per period is {rate}; expected at least {LEAST_RATE}, for example 0.1 for 10 % a period");
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    let discount = 1.0 / (1.0 + rate);
    let mut stay = b + f64::from(n.saturating_sub(1));
    let mut term = stay / (a + stay);
    let mut sum = 0.0;
    // All later terms together are less than term / (1 - discount).
    while term > 1e-17 * (1.0 - discount) * sum {
        sum += term;
        stay += 1.0;
        term *= discount * (stay / (a + stay));
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::super::fit::FitStatus;
    use super::super::likelihood::tests::check_derivatives;
    use super::*;

    /// Customers who left at renewals 1 to 7, of 1000: "regular" and "high end" of Fader & Hardie (2007), table 1.
    const REGULAR: [f64; 7] = [369.0, 163.0, 86.0, 56.0, 37.0, 27.0, 21.0];
    const HIGH_END: [f64; 7] = [131.0, 126.0, 90.0, 60.0, 42.0, 34.0, 26.0];

    #[test]
    fn fits_are_those_of_the_paper() -> Result<()> {
        for (lost, survivors, a, b, log_likelihood) in [(REGULAR, 241.0, 0.704, 1.182, -1680.3), (HIGH_END, 491.0, 0.668, 3.806, -1611.2)] {
            let likelihood = SbgLikelihood::new(&renewals_of_cohort(&lost, survivors))?;
            let fit = fit_sbg(&likelihood, &FitOptions::default(), &Context::new(1))?;
            assert_eq!(fit.status, FitStatus::Converged);
            assert!((fit.parameters[0] - a).abs() < 5e-4 && (fit.parameters[1] - b).abs() < 5e-4, "{:?}", fit.parameters);
            assert!((fit.log_likelihood - log_likelihood).abs() < 0.05);
            assert_eq!(fit.standard_errors.iter().flatten().count(), 2);
        }
        Ok(())
    }

    #[test]
    fn the_likelihood_is_that_of_lifetimes() -> Result<()> {
        let renewals: Vec<Renewal> = [renewals_of_cohort(&REGULAR, 241.0), renewals_of_cohort(&HIGH_END[..3], 653.0)].concat();
        let likelihood = SbgLikelihood::new(&renewals)?;
        let (a, b) = (0.9, 2.1);
        let found = likelihood.evaluate(&[ln(a), ln(b), 0.0, 0.0], &Context::new(1))?.value;
        let lost = |t: u32| ln(survival(a, b, t - 1) - survival(a, b, t));
        let expected: f64 = (1..).zip(REGULAR).map(|(t, count)| count * lost(t)).sum::<f64>()
            + (1..).zip(&HIGH_END[..3]).map(|(t, count)| count * lost(t)).sum::<f64>()
            + 241.0 * ln(survival(a, b, 7))
            + 653.0 * ln(survival(a, b, 3));
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        check_derivatives(&likelihood, &[0.9, 2.1, 0.0, 0.0])?;
        check_derivatives(&likelihood, &[1e-3, 40.0, 0.0, 0.0])
    }

    #[test]
    fn the_discounted_lifetime_is_a_sum_of_survivors() -> Result<()> {
        let (a, b, rate) = (0.704, 1.182, 0.1);
        // With n - 1 = 2 renewals behind him: S(2 + k) / S(2) at the k-th renewal from now, the next one undiscounted.
        let direct: f64 = (1..600).map(|k| survival(a, b, 2 + k) / survival(a, b, 2) / f64::powi(1.0 + rate, k as i32 - 1)).sum();
        let found = discounted_lifetime(a, b, 3, rate)?;
        assert!((found - direct).abs() < 1e-12 * direct, "{found} {direct}");
        assert!(discounted_lifetime(a, b, 3, 0.0).is_err());
        assert!((retention_rate(a, b, 3) - survival(a, b, 3) / survival(a, b, 2)).abs() < 1e-15);
        Ok(())
    }

    #[test]
    fn data_that_say_nothing_are_refused() -> Result<()> {
        let fit = |renewals: &[Renewal]| {
            SbgLikelihood::new(renewals).and_then(|likelihood| fit_sbg(&likelihood, &FitOptions::default(), &Context::new(1)))
        };
        let kind = |renewals: &[Renewal]| fit(renewals).map(|fit| fit.status).map_err(|error| error.kind());
        assert_eq!(kind(&renewals_of_cohort(&[3.0], 7.0)), Err(ErrorKind::NotEnoughData));
        assert_eq!(kind(&renewals_of_cohort(&[0.0, 0.0], 7.0)), Err(ErrorKind::NotEnoughData));
        assert_eq!(kind(&[Renewal { t: 1, lost: 3.0, at_risk: 2.0 }]), Err(ErrorKind::InvalidArgument));
        // The same share leaves each time: an equal probability.
        let geometric = fit(&renewals_of_cohort(&[500.0, 250.0, 125.0], 125.0))?;
        assert_eq!(geometric.status, FitStatus::Boundary(FitLimit::EqualDropout));
        assert_eq!(geometric.standard_errors, [None, None]);
        assert!((geometric.parameters[0] / geometric.parameters[1] - 1.0).abs() < 1e-3);
        Ok(())
    }
}
