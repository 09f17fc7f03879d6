//! Expected spend of a purchase day: the Gamma-Gamma model (Fader & Hardie 2013), and whether it suits the data.

mod check;

use sha2::{Digest, Sha256};

use super::fit::{Fit, FitOptions, fit_spend};
use super::likelihood::LogLikelihood;
use super::likelihood::gamma_gamma::{GammaGammaLikelihood, SpendRows, expected_spend};
use super::model::{FittedParameters, logs};
use super::summary::ClvSummary;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::exact::exact_sum;

pub use self::check::{Independence, MeanOfX};

/// A fitted Gamma-Gamma model.
#[derive(Debug, Clone, PartialEq)]
pub struct SpendModel {
    pub(crate) fitted: FittedParameters,
    /// Customers with repeat purchases whose mean spend is not positive.
    pub(crate) left_out: u64,
    /// Their money.
    pub(crate) money_left_out: f64,
    pub(crate) independence: Option<Independence>,
    pub(crate) calibration_end: Option<String>,
    pub(crate) remarks: Vec<String>,
}

/// The names of its parameters.
pub(crate) const SPEND_PARAMETERS: [&str; 3] = ["p", "q", "gamma"];

impl SpendModel {
    /// Fits the model to customers with a repeat purchase and a positive mean spend.
    pub fn fit(summary: &ClvSummary, options: &FitOptions, context: &Context) -> Result<Self> {
        let Some(m_x) = &summary.m_x else { return Err(no_amounts()) };
        let has_none = |mean: f64| mean.is_nan() || mean <= 0.0;
        let others = (0..summary.rows()).filter(|&row| summary.x[row] > 0 && has_none(m_x.get(row)));
        let (mut left_out, mut money) = (0, Vec::new());
        for row in others {
            left_out += 1;
            money.push(if m_x.get(row).is_nan() { 0.0 } else { m_x.get(row) * f64::from(summary.x[row]) });
        }
        let money_left_out = exact_sum(&money).unwrap_or(0.0);
        let rows = spend_rows(summary, context)?;
        if rows.customers() < 2.0 {
            let message = format!(
                "the spend model needs customers with a repeat purchase and a positive mean spend; there are {}. Fit it to a longer history",
                rows.customers()
            );
            return Err(Error::new(ErrorKind::NotEnoughData, message));
        }
        let independence = Independence::of(&rows, context)?;
        let fit = fit_spend(&rows, options, context)?;
        let customers = rows.customers();
        let fitted = FittedParameters {
            customers,
            cells: rows.x.len() as u64,
            repeat_customers: customers,
            repeat_purchases: rows.x.iter().zip(&rows.weight).map(|(&x, weight)| f64::from(x) * weight).sum(),
            fingerprint: fingerprint(&rows),
            fit,
        };
        let mut remarks = Vec::new();
        if left_out > 0 {
            remarks.push(format!(
                "{left_out} customers with repeat purchases have no positive mean spend (their money: {money_left_out}); they are not in the \
                 fit, and are predicted like customers without a repeat purchase"
            ));
        }
        Ok(Self { fitted, left_out, money_left_out, independence: Some(independence), calibration_end: summary.calibration_end(), remarks })
    }

    /// A model of known parameters.
    pub fn of_parameters(parameters: &[f64]) -> Result<Self> {
        if parameters.len() != 3 || !parameters.iter().all(|value| *value > 0.0 && value.is_finite()) {
            let message = "the parameters of the Gamma-Gamma model are p, q and gamma; expected three positive, finite numbers";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let fitted = FittedParameters::given(Fit::given(parameters));
        Ok(Self { fitted, left_out: 0, money_left_out: 0.0, independence: None, calibration_end: None, remarks: Vec::new() })
    }

    /// The parameters, and what they were fitted to.
    pub fn fitted(&self) -> &FittedParameters {
        &self.fitted
    }

    /// Customers with repeat purchases that are not in the fit, and their money.
    pub fn left_out(&self) -> (u64, f64) {
        (self.left_out, self.money_left_out)
    }

    /// Whether mean spend depends on the number of purchases.
    pub fn independence(&self) -> Option<&Independence> {
        self.independence.as_ref()
    }

    /// The last day of calibration, if it is known.
    pub fn calibration_end(&self) -> Option<&str> {
        self.calibration_end.as_deref()
    }

    /// What is unusual in the data of the fit.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The log-likelihood of other customers at the parameters of this model.
    pub fn log_likelihood(&self, summary: &ClvSummary, context: &Context) -> Result<f64> {
        let rows = spend_rows(summary, context)?;
        Ok(GammaGammaLikelihood::new(&rows).evaluate(&logs(&self.fitted.fit.parameters), context)?.value)
    }

    /// Expected spend of a purchase day of a customer; `None` where it is infinite. A mean that is not positive counts as none.
    pub fn expected(&self, x: u32, m_x: Option<f64>) -> Option<f64> {
        let &[p, q, gamma] = self.fitted.fit.parameters.as_slice() else { return None };
        match m_x.filter(|mean| x > 0 && *mean > 0.0) {
            Some(mean) => expected_spend(p, q, gamma, x, mean),
            None => expected_spend(p, q, gamma, 0, 0.0),
        }
    }
}

/// The customers whose spend is known.
fn spend_rows(summary: &ClvSummary, context: &Context) -> Result<SpendRows> {
    let Some(m_x) = &summary.m_x else { return Err(no_amounts()) };
    SpendRows::new(summary.rows(), |row| (summary.x(row), m_x.get(row), summary.weight(row)), context)
}

/// A digest of the rows that a model was fitted to.
fn fingerprint(rows: &SpendRows) -> String {
    let mut digest = Sha256::new();
    for ((x, mean), weight) in rows.x.iter().zip(&rows.mean).zip(&rows.weight) {
        digest.update(x.to_le_bytes());
        digest.update(mean.to_le_bytes());
        digest.update(weight.to_le_bytes());
    }
    format!("{:x}", digest.finalize())
}

/// The error of a summary without mean spends.
pub(crate) fn no_amounts() -> Error {
    let message = "the summary has no mean spend (column m_x); make it with an amount";
    Error::new(ErrorKind::InvalidArgument, message)
}
