//! Settings of a funnel.

use crate::column::bounds::ObservationBound;
use crate::column::key_schema::KeyNames;
use crate::error::{Error, ErrorKind, Result};

/// Most steps of a funnel.
const MOST_STEPS: usize = 100;

/// In which order steps are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOrder {
    /// As listed.
    Ordered,
    /// In any order: only how many different ones were taken counts.
    Any,
}

/// Settings of a funnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunnelSpec {
    /// The columns of customer ids.
    pub customer_id: KeyNames,
    /// The column of times.
    pub timestamp: String,
    /// The column of the names of events.
    pub event: String,
    /// The column whose value at the start is the group of the customer.
    pub by: Option<String>,
    /// The names of the events that are steps.
    pub steps: Vec<String>,
    /// How long after the start a step counts, in microseconds.
    pub window: i64,
    /// Whether a step must be later than the one before, and not at the same time.
    pub strict: bool,
    /// The order of steps.
    pub order: StepOrder,
    /// The first moment that was not observed; by default the day after the last one.
    pub observation_end: Option<ObservationBound>,
}

/// Names of computed result columns.
const RESULT_COLUMNS: [&str; 12] = [
    "step",
    "name",
    "customers",
    "customers_open",
    "rate",
    "rate_low",
    "rate_high",
    "step_rate",
    "step_rate_low",
    "step_rate_high",
    "median_seconds",
    "median_seconds_from_start",
];

impl FunnelSpec {
    /// An error if settings are out of range, or exclude each other.
    pub(super) fn check(&self) -> Result<()> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        if !(2..=MOST_STEPS).contains(&self.steps.len()) {
            return invalid(format!("steps has {} names; expected 2 to {MOST_STEPS}", self.steps.len()));
        }
        if let Some(at) = (1..self.steps.len()).find(|&at| self.steps[..at].contains(&self.steps[at])) {
            let name = &self.steps[at];
            return invalid(format!("steps has '{name}' twice; an event is one step. Give the later one another name in the data"));
        }
        if self.window <= 0 {
            return invalid("window must be longer than 0".to_owned());
        }
        if self.strict && self.order == StepOrder::Any {
            return invalid(
                "strict=True says that each step is later than the one before, and order='any' has no such steps; leave one out".to_owned(),
            );
        }
        if let Some(by) = self.by.as_deref().filter(|by| RESULT_COLUMNS.contains(by)) {
            let message = format!("the result would have two columns named '{by}'; rename that column of the input first");
            return Err(Error::new(ErrorKind::DuplicateColumn, message).in_column(by));
        }
        Ok(())
    }
}
