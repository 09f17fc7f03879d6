//! Settings of a comparison before and after.

use super::features::{FEATURES, MatchFeature};
use crate::column::key_schema::KeyNames;
use crate::error::{Error, ErrorKind, Result};
use crate::state::spec::AsOf;

/// The longest window in days: a hundred years.
const LONGEST: i32 = 36_525;
/// Columns that customers may be matched on.
pub(super) const MOST_COLUMNS: usize = 7;

/// When customers were treated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreatedOn {
    /// A column of dates or times.
    Column(String),
    /// One day for all.
    Start(AsOf),
}

/// With what customers are compared where there are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Baseline {
    /// The window before.
    Before,
    /// The days of the window after, a year earlier.
    YearBefore,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ComparedMetric {
    /// Money of a customer.
    Revenue,
    /// Orders of a customer.
    Orders,
    /// Share of customers with an order.
    Active,
    /// Share of customers with two or more.
    Repeat,
}

impl ComparedMetric {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Self); 4] =
        [("revenue", Self::Revenue), ("orders", Self::Orders), ("active", Self::Active), ("repeat", Self::Repeat)];

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, metric)| *metric == self).map_or("", |(name, _)| name)
    }
}

/// A column that customers are matched on: those of one class are alike.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchColumn {
    /// What is known of a customer the day before.
    pub(super) feature: MatchFeature,
    /// Ascending upper ends of all classes but the last; `None`: each value is a class.
    pub(super) edges: Option<Vec<f64>>,
}

impl MatchColumn {
    /// A column by name.
    pub fn new(name: &str, edges: Option<Vec<f64>>) -> Result<Self> {
        let feature = FEATURES.iter().find(|(known, _)| *known == name).map(|(_, feature)| *feature).ok_or_else(|| {
            let names: Vec<String> = FEATURES.iter().map(|(name, _)| format!("'{name}'")).collect();
            Error::new(ErrorKind::InvalidArgument, format!("match has the column '{name}'; expected {}", names.join(", ")))
        })?;
        if let Some(edges) = &edges
            && !(edges.iter().all(|edge| edge.is_finite()) && edges.windows(2).all(|pair| pair[0] < pair[1]))
        {
            let message = format!("match: the edges of '{name}' are {edges:?}; expected finite numbers that ascend");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        Ok(Self { feature, edges })
    }

    /// Recency, orders so far and in the window before, and, with money, the monetary score.
    pub(super) fn usual(has_money: bool) -> Vec<Self> {
        let doubling: Vec<f64> = (0..31).map(|power| f64::from((1_u32 << power) - 1)).collect();
        let column = |feature, edges| Self { feature, edges };
        let mut columns = vec![
            column(MatchFeature::RecencyDays, Some(vec![7.0, 14.0, 30.0, 60.0, 90.0, 180.0, 365.0])),
            column(MatchFeature::Orders, Some(doubling.clone())),
            column(MatchFeature::OrdersBefore, Some(doubling)),
        ];
        if has_money {
            columns.push(column(MatchFeature::MonetaryScore, None));
        }
        columns
    }
}

/// Days before and after treatment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ComparedWindows {
    /// Length of the window after.
    pub days_after: i32,
    /// Length of the window before.
    pub days_before: i32,
    /// Days from treatment to the window after.
    pub lag: i32,
}

impl ComparedWindows {
    /// The last day of the window after.
    pub(super) fn end(self, day: i32) -> i32 {
        day + self.lag + self.days_after - 1
    }

    /// By what the window before is scaled to the length of the window after.
    pub(super) fn scale(self) -> f64 {
        f64::from(self.days_after) / f64::from(self.days_before)
    }
}

/// Settings of a comparison before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct BeforeAfterSpec {
    /// The columns of customer ids.
    pub customer_id: KeyNames,
    /// When customers were treated.
    pub treated_on: TreatedOn,
    /// The windows.
    pub windows: ComparedWindows,
    /// What the treated are compared with by themselves.
    pub baseline: Baseline,
    /// What controls are matched on; if empty, on what is usual.
    pub matching: Vec<MatchColumn>,
    /// What is compared.
    pub metrics: Vec<ComparedMetric>,
    /// The last day that counts.
    pub as_of: Option<AsOf>,
}

impl BeforeAfterSpec {
    pub(super) fn check(&self, has_money: bool) -> Result<()> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        let ComparedWindows { days_after, days_before, lag } = self.windows;
        for (name, days, least) in [("days_after", days_after, 1), ("days_before", days_before, 1), ("lag", lag, 0)] {
            if !(least..=LONGEST).contains(&days) {
                return invalid(format!("{name}={days}; expected whole days, {least} to {LONGEST}"));
            }
        }
        if self.metrics.is_empty() || self.metrics.iter().enumerate().any(|(at, metric)| self.metrics[..at].contains(metric)) {
            let names: Vec<&str> = self.metrics.iter().map(|metric| metric.name()).collect();
            return invalid(format!("metrics is {names:?}; expected one or more metrics, each once"));
        }
        if self.matching.len() > MOST_COLUMNS {
            return invalid(format!("match has {} columns; expected up to {MOST_COLUMNS}", self.matching.len()));
        }
        let needs_money = |column: &MatchColumn| column.feature.is_money();
        if !has_money && (self.metrics.contains(&ComparedMetric::Revenue) || self.matching.iter().any(needs_money)) {
            let message = "there is no amount, but metrics has 'revenue' or match has money; pass metrics=['orders'], or name the amount";
            return Err(Error::new(ErrorKind::StateMismatch, message));
        }
        Ok(())
    }
}
