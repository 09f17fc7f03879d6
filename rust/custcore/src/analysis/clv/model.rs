//! A fitted model of purchases: parameters of all customers, and of groups of customers.

use std::mem::discriminant;

use super::cells::Cells;
use super::family::PurchaseFamily;
use super::fit::{Fit, FitOptions, FitStatus, fit_purchases};
use super::likelihood::LogLikelihood;
use super::likelihood::geometric::{DropoutDraws, GeometricLikelihood};
use super::likelihood::nbd::NbdLikelihood;
use super::likelihood::pareto::ParetoLikelihood;
use super::predict::{GeometricPredictor, NbdPredictor, ParetoPredictor, Predictor};
use super::summary::ClvSummary;
use super::summary::fingerprint;
use crate::column::key::OwnedKey;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;

/// A group needs so many customers with a repeat purchase for parameters of its own.
const MIN_REPEAT_CUSTOMERS: u64 = 50;

/// Which parameters are used for customers of a group that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnseenGroups {
    /// Those of all customers.
    Pooled,
    /// None: an error.
    Error,
}

/// How groups of customers get parameters of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOptions {
    /// The column of groups, for messages.
    pub by: Option<String>,
    /// Customers of a group with parameters of its own, at least.
    pub min_customers: u64,
    /// Which parameters other groups get.
    pub unseen: UnseenGroups,
}

impl Default for GroupOptions {
    fn default() -> Self {
        Self { by: None, min_customers: 500, unseen: UnseenGroups::Pooled }
    }
}

/// Parameters, and what they were fitted to.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedParameters {
    /// The fit.
    pub fit: Fit,
    /// Customers, or the sum of their weights.
    pub customers: f64,
    /// Distinct histories.
    pub cells: u64,
    /// Customers with a repeat purchase.
    pub repeat_customers: f64,
    /// Repeat purchase days of all of them.
    pub repeat_purchases: f64,
    /// Digest of the cells.
    pub fingerprint: String,
}

impl FittedParameters {
    /// Parameters that were not fitted.
    pub(crate) fn given(fit: Fit) -> Self {
        Self { fit, customers: 0.0, cells: 0, repeat_customers: 0.0, repeat_purchases: 0.0, fingerprint: String::new() }
    }
}

/// A model of purchases. Times are in days.
#[derive(Debug, Clone, PartialEq)]
pub struct PurchaseModel {
    pub(crate) family: PurchaseFamily,
    pub(crate) options: GroupOptions,
    pub(crate) pooled: FittedParameters,
    /// Customers whose group has no parameters of its own, and their log-likelihood at those of all customers.
    pub(crate) rest: (f64, f64),
    /// Groups with parameters of their own, ascending.
    pub(crate) groups: Vec<(OwnedKey, FittedParameters)>,
    /// ISO text of the last day of calibration.
    pub(crate) calibration_end: Option<String>,
    pub(crate) remarks: Vec<String>,
}

/// Parameters and the rows that they are of; `None`: all rows.
pub(crate) type CustomersOf<'m> = (&'m FittedParameters, Option<Vec<u32>>);

impl PurchaseModel {
    /// Fits a model to the histories of customers, and to those of groups that are large enough. Whether a fit converged is for the
    /// caller to check.
    pub fn fit(
        family: PurchaseFamily,
        summary: &ClvSummary,
        options: &FitOptions,
        groups: GroupOptions,
        context: &Context,
    ) -> Result<Self> {
        let (pooled, _) = fit_rows(family, summary, None, options, context)?;
        let mut remarks = summary.remarks.clone();
        remarks.extend(dominant(summary));
        remarks.extend(unidentified(family, &pooled.fit));
        let (mut fitted, mut others) = (Vec::new(), Vec::new());
        for (at, label) in (0..).zip(summary.groups().unwrap_or_default()) {
            context.check()?;
            let rows = summary.rows_of(Some(at)).unwrap_or_default();
            let repeat = rows.iter().filter(|&&row| summary.x(row as usize) > 0).count() as u64;
            if (rows.len() as u64) < groups.min_customers || repeat < MIN_REPEAT_CUSTOMERS {
                others.push(label.borrow().to_string());
                continue;
            }
            fitted.push((label.clone(), fit_rows(family, summary, Some(&rows), options, context)?.0));
        }
        if !others.is_empty() {
            let number = others.len();
            let (groups_have, more) = (if number == 1 { "group has" } else { "groups have" }, if number > 5 { ", ..." } else { "" });
            others.truncate(5);
            remarks.push(format!(
                "{number} {groups_have} fewer than {} customers, or fewer than {MIN_REPEAT_CUSTOMERS} with a repeat purchase, and the \
                 parameters of all customers: {}{more}",
                groups.min_customers,
                others.join(", ")
            ));
        }
        let mut model =
            Self { family, options: groups, pooled, rest: (0.0, 0.0), groups: fitted, calibration_end: summary.calibration_end(), remarks };
        model.rest = model.rest_of(summary, context)?;
        Ok(model)
    }

    /// A model of known parameters.
    pub fn of_parameters(family: PurchaseFamily, parameters: &[f64]) -> Result<Self> {
        let names = family.parameters();
        if parameters.len() != names.len() {
            let message = format!("{} has the parameters {}; {} were given", family.name(), names.join(", "), parameters.len());
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        if let Some(at) = parameters.iter().position(|&value| !(value > 0.0 && value.is_finite())) {
            let message = format!("parameter {} is {}; expected a positive, finite number", names[at], parameters[at]);
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let pooled = FittedParameters::given(Fit::given(parameters));
        Ok(Self {
            family,
            options: GroupOptions::default(),
            pooled,
            rest: (0.0, 0.0),
            groups: Vec::new(),
            calibration_end: None,
            remarks: Vec::new(),
        })
    }

    /// The customers whose group has no parameters of its own, and their log-likelihood at those of all customers.
    fn rest_of(&self, summary: &ClvSummary, context: &Context) -> Result<(f64, f64)> {
        let Some(groups) = summary.groups.as_ref().filter(|_| !self.groups.is_empty()) else { return Ok((0.0, 0.0)) };
        let has_own = |label: &OwnedKey| self.groups.binary_search_by(|(own, _)| own.cmp(label)).is_ok();
        let pooled: Vec<bool> = groups.labels.iter().map(|label| !has_own(label)).collect();
        let rows: Vec<u32> = (0..summary.rows() as u32).filter(|&row| pooled[groups.of_row[row as usize] as usize]).collect();
        if rows.is_empty() {
            return Ok((0.0, 0.0));
        }
        let cells = summary.cells(Some(&rows), context)?;
        let value = likelihood(self.family, &cells).evaluate(&logs(&self.pooled.fit.parameters), context)?.value;
        Ok((cells.customers(), value))
    }

    /// Customers whose group has no parameters of its own, and their log-likelihood at those of all customers; 0 without groups.
    pub fn rest(&self) -> (f64, f64) {
        self.rest
    }

    /// Its kind of model.
    pub fn family(&self) -> PurchaseFamily {
        self.family
    }

    /// How groups get parameters.
    pub fn options(&self) -> &GroupOptions {
        &self.options
    }

    /// The parameters of all customers, then those of groups, with their labels.
    pub fn fits(&self) -> impl Iterator<Item = (Option<&OwnedKey>, &FittedParameters)> {
        [(None, &self.pooled)].into_iter().chain(self.groups.iter().map(|(label, fit)| (Some(label), fit)))
    }

    /// The last day of calibration, if it is known.
    pub fn calibration_end(&self) -> Option<&str> {
        self.calibration_end.as_deref()
    }

    /// What is unusual in the data of the fit.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The parameters of a group, or of all customers.
    pub(crate) fn parameters_of(&self, label: Option<&OwnedKey>) -> Result<&FittedParameters> {
        let Some(label) = label else { return Ok(&self.pooled) };
        match self.groups.binary_search_by(|(own, _)| own.cmp(label)) {
            Ok(at) => Ok(&self.groups[at].1),
            Err(_) if self.options.unseen == UnseenGroups::Pooled => Ok(&self.pooled),
            Err(_) => {
                let message = format!(
                    "the group {} has no parameters of its own: it was not in the fit, or too small. unseen='global' uses those of all customers",
                    label.borrow()
                );
                Err(Error::new(ErrorKind::InvalidArgument, message))
            }
        }
    }

    /// The log-likelihood of other customers at the parameters of this model, in days.
    pub fn log_likelihood(&self, summary: &ClvSummary, context: &Context) -> Result<f64> {
        let mut sum = 0.0;
        for (fit, rows) in self.parts(summary)? {
            let cells = summary.cells(rows.as_deref(), context)?;
            sum += likelihood(self.family, &cells).evaluate(&logs(&fit.fit.parameters), context)?.value;
        }
        Ok(sum)
    }

    /// An error where the groups of a summary are of another type than those of the fit: none would be found.
    fn check_labels(&self, summary: &ClvSummary) -> Result<()> {
        let Some(own) = self.groups.iter().map(|(label, _)| label).find(|label| **label != OwnedKey::Null) else { return Ok(()) };
        let is_other = |label: &&OwnedKey| **label != OwnedKey::Null && discriminant(*label) != discriminant(own);
        let Some(other) = summary.groups().unwrap_or_default().iter().find(is_other) else { return Ok(()) };
        let by = self.options.by.as_deref().unwrap_or_default();
        let message = format!(
            "column '{by}' has the group {}, of another type than those of the fit, such as {}; cast the column to the type of the fit",
            other.borrow(),
            own.borrow()
        );
        Err(Error::new(ErrorKind::InvalidType, message).in_column(by))
    }

    /// Customers of a summary whose group has no parameters of its own; `None` without groups.
    pub(crate) fn customers_without_own(&self, summary: &ClvSummary) -> Option<u64> {
        let groups = summary.groups.as_ref().filter(|_| self.options.by.is_some())?;
        let has_own = |label: &OwnedKey| self.groups.binary_search_by(|(own, _)| own.cmp(label)).is_ok();
        let pooled: Vec<bool> = groups.labels.iter().map(|label| !has_own(label)).collect();
        Some(groups.of_row.iter().filter(|&&group| pooled[group as usize]).count() as u64)
    }

    /// The customers of a summary by their parameters: all rows, or those of each group.
    pub(crate) fn parts(&self, summary: &ClvSummary) -> Result<Vec<CustomersOf<'_>>> {
        if self.options.by.is_some() && summary.groups.is_none() && summary.rows() > 0 {
            let by = self.options.by.as_deref().unwrap_or_default();
            return Err(Error::new(
                ErrorKind::ColumnNotFound,
                format!("the model has parameters by '{by}', which is not in the summary; add the column"),
            )
            .in_column(by));
        }
        self.check_labels(summary)?;
        let Some(labels) = summary.groups().filter(|_| !self.groups.is_empty() || self.options.unseen == UnseenGroups::Error) else {
            return Ok(vec![(&self.pooled, None)]);
        };
        (0..).zip(labels).map(|(at, label)| Ok((self.parameters_of(Some(label))?, summary.rows_of(Some(at))))).collect()
    }
}

/// The predictor of a family at its parameters.
pub(crate) fn predictor(family: PurchaseFamily, parameters: &[f64]) -> Box<dyn Predictor> {
    match (family, parameters) {
        (PurchaseFamily::ParetoNbd, &[r, alpha, s, beta]) => Box::new(ParetoPredictor::new(r, alpha, s, beta)),
        (PurchaseFamily::Bgnbd | PurchaseFamily::Mbgnbd, &[r, alpha, a, b]) => Box::new(GeometricPredictor::new(family, r, alpha, a, b)),
        (_, others) => {
            let at = |at: usize| others.get(at).copied().unwrap_or(1.0);
            Box::new(NbdPredictor::new(at(0), at(1)))
        }
    }
}

/// The log-likelihood of a family on the histories of customers.
pub(crate) fn likelihood(family: PurchaseFamily, cells: &Cells) -> Box<dyn LogLikelihood + '_> {
    match family {
        PurchaseFamily::Nbd => Box::new(NbdLikelihood::new(cells)),
        PurchaseFamily::Bgnbd => Box::new(GeometricLikelihood::new(DropoutDraws::Repeats, cells)),
        PurchaseFamily::Mbgnbd => Box::new(GeometricLikelihood::new(DropoutDraws::All, cells)),
        PurchaseFamily::ParetoNbd => Box::new(ParetoLikelihood::new(cells)),
    }
}

/// The logarithms of parameters, padded.
pub(crate) fn logs(parameters: &[f64]) -> [f64; super::likelihood::MAX_PARAMETERS] {
    let logs: Vec<f64> = parameters.iter().map(|&parameter| crate::num::special::ln(parameter)).collect();
    super::fit::padded(&logs)
}

fn fit_rows(
    family: PurchaseFamily,
    summary: &ClvSummary,
    rows: Option<&[u32]>,
    options: &FitOptions,
    context: &Context,
) -> Result<(FittedParameters, FitStatus)> {
    let cells = summary.cells(rows, context)?;
    let likelihood = likelihood(family, &cells);
    let fit = fit_purchases(family, likelihood.as_ref(), &cells, options, context)?;
    let repeat_customers = cells.x_histogram().iter().filter(|(x, _)| *x > 0).map(|(_, weight)| weight).sum();
    let status = fit.status;
    let fitted = FittedParameters {
        customers: cells.customers(),
        cells: cells.len() as u64,
        repeat_customers,
        repeat_purchases: cells.repeat_purchases(),
        fingerprint: fingerprint(&cells),
        fit,
    };
    Ok((fitted, status))
}

/// Standard errors of logarithms above this say that a parameter may be many times larger or smaller.
const UNKNOWN: f64 = 2.0;

/// Names the parameters of a maximum of which the data say little.
fn unidentified(family: PurchaseFamily, fit: &Fit) -> Option<String> {
    let errors = fit.covariance.iter().enumerate().map(|(at, row)| row.get(at).copied().flatten().unwrap_or(0.0).sqrt());
    let names: Vec<&str> = family.parameters().iter().zip(errors).filter(|(_, error)| *error > UNKNOWN).map(|(name, _)| *name).collect();
    (fit.status == FitStatus::Converged && !names.is_empty()).then(|| {
        format!(
            "the data say little of {}: the model is close to one in which nobody drops out, or all alike. Compare it with the NBD",
            names.join(" and ")
        )
    })
}

/// Names the customer with more than half of all repeat purchases, if there is one.
fn dominant(summary: &ClvSummary) -> Option<String> {
    let all: i64 = summary.x.iter().map(|&x| i64::from(x)).sum();
    let row = summary.x.iter().position(|&x| 2 * i64::from(x) > all)?;
    let who = summary.id_text(row).map_or_else(|| format!("the customer of row {row}"), |id| format!("customer {id}"));
    let x = summary.x[row];
    Some(format!("{who} has {x} of all {all} repeat purchase days: the parameters are those of one customer. Leave resellers and bots out"))
}
