//! Serialization of models of purchases and of spend: parameters, covariance, status; no customers.

use serde::{Deserialize, Serialize};

use super::family::PurchaseFamily;
use super::fit::{Fit, FitLimit, FitStart, FitStatus};
use super::model::{FittedParameters, GroupOptions, PurchaseModel, UnseenGroups};
use super::spend::{Independence, MeanOfX, SPEND_PARAMETERS, SpendModel};
use crate::analysis::model::StoredModel;
use crate::column::key::OwnedKey;
use crate::error::{Error, ErrorKind, Result};
use crate::num::exact::every_float;

/// The limits of fits.
const LIMITS: [FitLimit; 5] =
    [FitLimit::NoDropout, FitLimit::EqualDropout, FitLimit::EqualRate, FitLimit::PointDropout, FitLimit::ConstantSpend];

impl FitStatus {
    /// Its words: that of the status, and that of the limit.
    pub fn words(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Converged => ("converged", None),
            Self::Boundary(limit) => ("boundary", Some(limit.name())),
            Self::NotConverged => ("not_converged", None),
            Self::Given => ("given", None),
        }
    }

    fn of_words(status: &str, limit: Option<&str>) -> Result<Self> {
        let plain = [Self::Converged, Self::NotConverged, Self::Given];
        let found = plain.into_iter().chain(LIMITS.map(Self::Boundary)).find(|found| found.words() == (status, limit));
        found.ok_or_else(|| invalid("an unknown status of the fit"))
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredStart {
    start: Vec<f64>,
    end: Vec<f64>,
    #[serde(with = "every_float")]
    log_likelihood: f64,
    status: String,
    limit: Option<String>,
}

/// Serialized form of parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredParameters {
    parameters: Vec<f64>,
    #[serde(with = "every_float")]
    log_likelihood: f64,
    status: String,
    limit: Option<String>,
    covariance: Vec<Vec<Option<f64>>>,
    standard_errors: Vec<Option<f64>>,
    #[serde(with = "every_float")]
    gradient_norm: f64,
    decrement: Option<f64>,
    evaluations: usize,
    starts: Vec<StoredStart>,
    customers: f64,
    cells: u64,
    repeat_customers: f64,
    repeat_purchases: f64,
    fingerprint: String,
}

/// Serialized form of a model of purchases, with the settings of the caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurchaseState {
    family: String,
    settings: String,
    by: Option<String>,
    min_customers: u64,
    pooled_unseen: bool,
    pooled: StoredParameters,
    rest: (f64, f64),
    groups: Vec<(OwnedKey, StoredParameters)>,
    calibration_end: Option<String>,
    remarks: Vec<String>,
}

/// Serialized form of a spend model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpendState {
    settings: String,
    fitted: StoredParameters,
    left_out: u64,
    money_left_out: f64,
    independence: Option<StoredIndependence>,
    calibration_end: Option<String>,
    remarks: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredIndependence {
    customers: u64,
    pearson: Option<f64>,
    spearman: Option<f64>,
    by_x: Vec<(String, u64, Option<f64>)>,
}

/// A model with the settings of its caller, which the core does not read.
#[derive(Debug, Clone, PartialEq)]
pub struct WithSettings<M> {
    /// The model.
    pub model: M,
    /// The settings.
    pub settings: String,
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::ModelFormat, format!("the model has {what}"))
}

impl StoredParameters {
    pub(crate) fn of(fitted: &FittedParameters) -> Self {
        let FittedParameters { fit, customers, cells, repeat_customers, repeat_purchases, fingerprint } = fitted.clone();
        let (status, limit) = fit.status.words();
        let starts = fit.starts.iter().map(|one| {
            let (status, limit) = one.status.words();
            StoredStart {
                start: one.start.clone(),
                end: one.end.clone(),
                log_likelihood: one.log_likelihood,
                status: status.to_owned(),
                limit: limit.map(str::to_owned),
            }
        });
        Self {
            starts: starts.collect(),
            parameters: fit.parameters,
            log_likelihood: fit.log_likelihood,
            status: status.to_owned(),
            limit: limit.map(str::to_owned),
            covariance: fit.covariance,
            standard_errors: fit.standard_errors,
            gradient_norm: fit.gradient_norm,
            decrement: fit.decrement,
            evaluations: fit.evaluations,
            customers,
            cells,
            repeat_customers,
            repeat_purchases,
            fingerprint,
        }
    }

    pub(crate) fn restore(self, n: usize) -> Result<FittedParameters> {
        let is_positive = |value: &f64| *value > 0.0 && value.is_finite();
        let counts = [self.customers, self.repeat_customers, self.repeat_purchases];
        let right_size = self.parameters.len() == n
            && self.standard_errors.len() == n
            && self.covariance.len() == n
            && self.covariance.iter().all(|row| row.len() == n)
            && self.starts.iter().all(|one| one.start.len() == n && one.end.len() == n);
        if !right_size || !self.parameters.iter().all(is_positive) || !counts.iter().all(|count| *count >= 0.0 && count.is_finite()) {
            return Err(invalid("parameters that are not positive numbers, or of another number"));
        }
        let status = FitStatus::of_words(&self.status, self.limit.as_deref())?;
        let starts = self.starts.into_iter().map(|one| {
            let status = FitStatus::of_words(&one.status, one.limit.as_deref())?;
            Ok(FitStart { start: one.start, end: one.end, log_likelihood: one.log_likelihood, status })
        });
        let fit = Fit {
            starts: starts.collect::<Result<_>>()?,
            parameters: self.parameters,
            log_likelihood: self.log_likelihood,
            status,
            covariance: self.covariance,
            standard_errors: self.standard_errors,
            gradient_norm: self.gradient_norm,
            decrement: self.decrement,
            evaluations: self.evaluations,
        };
        Ok(FittedParameters {
            fit,
            customers: self.customers,
            cells: self.cells,
            repeat_customers: self.repeat_customers,
            repeat_purchases: self.repeat_purchases,
            fingerprint: self.fingerprint,
        })
    }
}

impl StoredModel for WithSettings<PurchaseModel> {
    const KIND: &'static str = "clv_purchases";
    type Body = PurchaseState;

    fn body(&self) -> PurchaseState {
        let model = &self.model;
        PurchaseState {
            family: model.family.name().to_owned(),
            settings: self.settings.clone(),
            by: model.options.by.clone(),
            min_customers: model.options.min_customers,
            pooled_unseen: model.options.unseen == UnseenGroups::Pooled,
            pooled: StoredParameters::of(&model.pooled),
            rest: model.rest,
            groups: model.groups.iter().map(|(label, fit)| (label.clone(), StoredParameters::of(fit))).collect(),
            calibration_end: model.calibration_end.clone(),
            remarks: model.remarks.clone(),
        }
    }

    fn restore(body: PurchaseState) -> Result<Self> {
        let family = PurchaseFamily::of(&body.family)?;
        let n = family.parameters().len();
        let ascend = body.groups.is_sorted_by(|(a, _), (b, _)| a < b);
        if !(ascend && body.rest.0.is_finite() && body.rest.1.is_finite()) {
            return Err(invalid("groups out of order"));
        }
        let groups = body.groups.into_iter().map(|(label, stored)| Ok((label, stored.restore(n)?))).collect::<Result<_>>()?;
        let unseen = if body.pooled_unseen { UnseenGroups::Pooled } else { UnseenGroups::Error };
        let model = PurchaseModel {
            family,
            options: GroupOptions { by: body.by, min_customers: body.min_customers, unseen },
            pooled: body.pooled.restore(n)?,
            rest: body.rest,
            groups,
            calibration_end: body.calibration_end,
            remarks: body.remarks,
        };
        Ok(Self { model, settings: body.settings })
    }
}

impl StoredModel for WithSettings<SpendModel> {
    const KIND: &'static str = "clv_spend";
    type Body = SpendState;

    fn body(&self) -> SpendState {
        let model = &self.model;
        let independence = model.independence.as_ref().map(|found| StoredIndependence {
            customers: found.customers,
            pearson: found.pearson,
            spearman: found.spearman,
            by_x: found.by_x.iter().map(|row| (row.x.to_owned(), row.customers, row.mean)).collect(),
        });
        SpendState {
            settings: self.settings.clone(),
            fitted: StoredParameters::of(&model.fitted),
            left_out: model.left_out,
            money_left_out: model.money_left_out,
            independence,
            calibration_end: model.calibration_end.clone(),
            remarks: model.remarks.clone(),
        }
    }

    fn restore(body: SpendState) -> Result<Self> {
        let independence = body.independence.map(|stored| {
            let names = Independence::CLASSES;
            let by_x = names.iter().zip(stored.by_x).map(|(&x, (_, customers, mean))| MeanOfX { x, customers, mean }).collect();
            Independence { customers: stored.customers, pearson: stored.pearson, spearman: stored.spearman, by_x }
        });
        let model = SpendModel {
            fitted: body.fitted.restore(SPEND_PARAMETERS.len())?,
            left_out: body.left_out,
            money_left_out: body.money_left_out,
            independence,
            calibration_end: body.calibration_end,
            remarks: body.remarks,
        };
        Ok(Self { model, settings: body.settings })
    }
}
