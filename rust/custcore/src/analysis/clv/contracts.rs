//! A fitted model of contracts, where leaving is seen.

use serde::{Deserialize, Serialize};

use super::family::SBG_NAME;
use super::fit::{Fit, FitOptions};
use super::model::FittedParameters;
use super::sbg::{SBG_PARAMETERS, SbgLikelihood, discounted_lifetime, fit_sbg, renewals_of_cohort, retention_rate, survival};
use super::state::StoredParameters;
use crate::analysis::model::StoredModel;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;

/// A fitted shifted beta-geometric model (Fader & Hardie 2007).
#[derive(Debug, Clone, PartialEq)]
pub struct SbgModel {
    fitted: FittedParameters,
    settings: String,
}

impl SbgModel {
    /// Fits the model to cohorts: customers who left at renewal 1, 2, ..., and those who are still there after the last one.
    pub fn fit(cohorts: &[(Vec<u64>, u64)], options: &FitOptions, context: &Context) -> Result<Self> {
        let renewals: Vec<_> = cohorts
            .iter()
            .flat_map(|(lost, survivors)| {
                let lost: Vec<f64> = lost.iter().map(|&lost| lost as f64).collect();
                renewals_of_cohort(&lost, *survivors as f64)
            })
            .collect();
        let fit = fit_sbg(&SbgLikelihood::new(&renewals)?, options, context)?;
        let stayed = cohorts.iter().map(|(_, survivors)| survivors).sum::<u64>() as f64;
        let left = cohorts.iter().flat_map(|(lost, _)| lost).sum::<u64>() as f64;
        let fitted = FittedParameters {
            fit,
            customers: stayed + left,
            cells: renewals.len() as u64,
            repeat_customers: stayed,
            repeat_purchases: renewals.iter().map(|renewal| renewal.at_risk - renewal.lost).sum(),
            fingerprint: String::new(),
        };
        Ok(Self { fitted, settings: String::new() })
    }

    /// A model of known parameters.
    pub fn of_parameters(parameters: &[f64]) -> Result<Self> {
        if parameters.len() != SBG_PARAMETERS.len() || !parameters.iter().all(|value| *value > 0.0 && value.is_finite()) {
            let message = format!("the parameters of {SBG_NAME} are a and b; expected two positive, finite numbers");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        Ok(Self { fitted: FittedParameters::given(Fit::given(parameters)), settings: String::new() })
    }

    /// The same model with settings of the caller, which the core does not read.
    #[must_use]
    pub fn with_settings(self, settings: String) -> Self {
        Self { settings, ..self }
    }

    /// The settings of the caller.
    pub fn settings(&self) -> &str {
        &self.settings
    }

    /// The parameters, and what they were fitted to.
    pub fn fitted(&self) -> &FittedParameters {
        &self.fitted
    }

    fn parameters(&self) -> (f64, f64) {
        let at = |at: usize| self.fitted.fit.parameters.get(at).copied().unwrap_or(1.0);
        (at(0), at(1))
    }

    /// The share of a cohort that is still there after renewal t.
    pub fn survival(&self, t: u32) -> f64 {
        let (a, b) = self.parameters();
        survival(a, b, t)
    }

    /// The share of those who face renewal t, from 1, that stays.
    pub fn retention_rate(&self, t: u32) -> f64 {
        let (a, b) = self.parameters();
        retention_rate(a, b, t)
    }

    /// Expected renewals to come of a customer with n - 1 renewals behind him, discounted per period.
    pub fn discounted_lifetime(&self, n: u32, rate: f64) -> Result<f64> {
        let (a, b) = self.parameters();
        discounted_lifetime(a, b, n, rate)
    }
}

/// Serialized form of a model of contracts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SbgState {
    settings: String,
    fitted: StoredParameters,
}

impl StoredModel for SbgModel {
    const KIND: &'static str = "clv_contracts";
    type Body = SbgState;

    fn body(&self) -> SbgState {
        SbgState { settings: self.settings.clone(), fitted: StoredParameters::of(&self.fitted) }
    }

    fn restore(body: SbgState) -> Result<Self> {
        Ok(Self { fitted: body.fitted.restore(SBG_PARAMETERS.len())?, settings: body.settings })
    }
}
