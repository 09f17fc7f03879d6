//! Settings of the effect of an experiment.

use serde::{Deserialize, Serialize};

use crate::analysis::p_values::PValueAdjustment;
use crate::error::{Error, ErrorKind, Result};

/// How a metric is summarized over customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MetricKind {
    /// The mean of a value.
    Mean,
    /// The share of customers with a property.
    Proportion,
    /// The sum of one value by the sum of another.
    Ratio,
}

impl MetricKind {
    /// The name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Proportion => "proportion",
            Self::Ratio => "ratio",
        }
    }
}

/// A metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MetricSpec {
    /// One of the metrics of an experiment table, such as "revenue".
    Named(String),
    /// The mean of a column.
    Mean {
        /// Its name in results.
        name: String,
        /// The column.
        column: String,
    },
    /// The mean of a column of 0 and 1.
    Proportion {
        /// Its name in results.
        name: String,
        /// The column.
        column: String,
    },
    /// The sum of a column by the sum of another.
    Ratio {
        /// Its name in results.
        name: String,
        /// The column above.
        numerator: String,
        /// The column below.
        denominator: String,
    },
}

impl MetricSpec {
    pub(super) fn is_named(&self) -> bool {
        matches!(self, Self::Named(_))
    }
}

/// What a metric is adjusted by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Adjustment {
    /// Nothing.
    None,
    /// The same metric in the window before.
    Own,
    /// That and all that is known of the customer before exposure.
    History,
    /// These columns.
    Columns(Vec<String>),
}

impl Adjustment {
    /// The name in results.
    pub(super) fn name(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Own => Some("own".to_owned()),
            Self::History => Some("history".to_owned()),
            Self::Columns(names) => Some(names.join(", ")),
        }
    }
}

/// How large values are capped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Winsorize {
    /// At this quantile of all groups.
    Quantile(f64),
    /// At these values by metric.
    Caps(Vec<(String, f64)>),
}

/// What a missing value in a metric of columns does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnMissing {
    /// It is an error.
    Error,
    /// It counts as 0.
    Zero,
    /// It leaves the customer out of the metric.
    Drop,
}

/// The alternative to no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Alternative {
    /// Any effect.
    TwoSided,
    /// More than in control.
    Greater,
    /// Less than in control.
    Less,
}

/// Settings of the effect of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectSpec {
    /// The metrics.
    pub metrics: Vec<MetricSpec>,
    /// The column of groups.
    pub group: String,
    /// The group that the others are compared with; by default "control", if there is one.
    pub control: Option<String>,
    /// What the metrics are adjusted by.
    pub adjust: Adjustment,
    /// A column of strata.
    pub strata: Option<String>,
    /// The least number of customers of each group in a stratum.
    pub min_stratum: u64,
    /// A column of segments, whose effects are shown beside that of all.
    pub by: Option<String>,
    /// How large values are capped.
    pub winsorize: Option<Winsorize>,
    /// The alternative to no effect.
    pub alternative: Alternative,
    /// Coverage of the intervals.
    pub level: f64,
    /// How p-values are adjusted for the number of comparisons.
    pub correction: PValueAdjustment,
    /// A metric that is a family of comparisons of its own.
    pub primary: Option<String>,
    /// The planned shares of the groups; equal by default.
    pub shares: Option<Vec<(String, f64)>>,
    /// The number of customers planned, for intervals that are valid at every look.
    pub sequential: Option<f64>,
    /// A column that is 1 for the customers that the campaign reached.
    pub received: Option<String>,
    /// What a missing value does.
    pub on_missing: OnMissing,
}

/// Columns of an experiment table that named metrics are computed from, and those that they are adjusted by with all history.
const OF_METRICS: [&str; 4] = ["orders_before", "orders_after", "revenue_before", "revenue_after"];
const OF_HISTORY: [&str; 3] = ["n_orders", "monetary_total", "recency_days"];

impl EffectSpec {
    /// Whether a column is read that tells of all time before exposure.
    pub(super) fn reads_history(&self) -> bool {
        OF_HISTORY.iter().any(|column| self.reads(column))
    }

    /// Whether a column of an experiment table may be read.
    pub(super) fn reads(&self, column: &str) -> bool {
        let of_metric = |metric: &MetricSpec| match metric {
            MetricSpec::Named(_) => false,
            MetricSpec::Mean { column: own, .. } | MetricSpec::Proportion { column: own, .. } => own == column,
            MetricSpec::Ratio { numerator, denominator, .. } => numerator == column || denominator == column,
        };
        let adjusts = matches!(&self.adjust, Adjustment::Columns(columns) if columns.iter().any(|own| own == column));
        let labels = [&self.strata, &self.by, &self.received].into_iter().flatten().any(|own| own == column);
        let by_name = OF_METRICS.contains(&column) || (self.adjust == Adjustment::History && OF_HISTORY.contains(&column));
        by_name || column == self.group || adjusts || labels || self.metrics.iter().any(of_metric)
    }

    /// An error for settings out of range.
    pub fn checked(self) -> Result<Self> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        if !(self.level > 0.0 && self.level < 1.0) {
            return invalid(format!("level={}; expected a coverage between 0 and 1, such as 0.95", self.level));
        }
        if let Some(n) = self.sequential.filter(|n| !(n.is_finite() && *n >= 1.0)) {
            return invalid(format!("sequential={n}; expected the number of customers that the experiment will have"));
        }
        if self.sequential.is_some() && self.alternative != Alternative::TwoSided {
            return invalid("sequential intervals are two-sided; leave alternative at 'two-sided'".to_owned());
        }
        match &self.winsorize {
            Some(Winsorize::Quantile(q)) if !(*q > 0.5 && *q <= 1.0) => {
                return invalid(format!("winsorize={q}; expected a quantile above 0.5, such as 0.99, or caps by metric"));
            }
            Some(Winsorize::Caps(caps)) => {
                if let Some((name, cap)) = caps.iter().find(|(_, cap)| !cap.is_finite()) {
                    return invalid(format!("winsorize has {cap} for '{name}'; expected a number"));
                }
                let known = |name: &str| self.metrics.iter().any(|metric| metric.name() == name);
                if let Some((name, _)) = caps.iter().find(|(name, _)| !known(name)) {
                    return invalid(format!("winsorize has '{name}', which is not among the metrics"));
                }
            }
            _ => {}
        }
        if let Some(primary) = self.primary.as_ref().filter(|primary| self.metrics.iter().all(|metric| metric.name() != primary.as_str())) {
            return invalid(format!("primary='{primary}' is not among the metrics"));
        }
        Ok(self)
    }
}

impl MetricSpec {
    /// The name in results.
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) | Self::Mean { name, .. } | Self::Proportion { name, .. } | Self::Ratio { name, .. } => name,
        }
    }
}
