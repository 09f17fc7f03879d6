//! The rows of the tables of a back-test.

use super::calibration::Bin;
use super::ranking::Flagged;
use super::spec::ScoreName;

/// A row of the summary.
#[derive(Debug)]
pub(super) struct SummaryRow {
    pub date: i32,
    pub score: ScoreName,
    pub customers: u64,
    pub churned: u64,
    pub auc: Option<f64>,
    pub average_precision: Option<f64>,
    pub brier: Option<f64>,
}

/// A row of the thresholds.
#[derive(Debug)]
pub(super) struct ThresholdRow {
    /// `None` for all dates.
    pub date: Option<i32>,
    pub score: ScoreName,
    /// The share that was asked for; `None` if a threshold was.
    pub share: Option<f64>,
    pub flagged: Flagged,
    /// Customers scored.
    pub customers: u64,
    /// How many of them churned.
    pub churned: u64,
}

/// A row of the calibration.
#[derive(Debug)]
pub(super) struct CalibrationRow {
    pub date: i32,
    pub bin: usize,
    pub content: Bin,
}
