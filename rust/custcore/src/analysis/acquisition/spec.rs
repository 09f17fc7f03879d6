//! Settings of what new customers cost.

use crate::error::{Error, ErrorKind, Result};
use crate::state::spec::AsOf;
use crate::time::period::Period;

/// Settings of what new customers cost.
#[derive(Debug, Clone, PartialEq)]
pub struct AcquisitionSpec {
    /// The period of cohorts and of costs.
    pub period: Period,
    /// The attribute of the first purchase by which cohorts and costs are split.
    pub by: Option<String>,
    /// What is earned of an amount.
    pub margin: f64,
    /// How many periods of a cohort its value is of; by default all to date.
    pub n_periods: Option<u32>,
    /// The last day that counts.
    pub as_of: Option<AsOf>,
}

/// Names of computed result columns.
const RESULT_COLUMNS: [&str; 10] =
    ["cohort", "new_customers", "cost", "cac", "margin_per_customer", "value", "value_to_cac", "payback", "observed_periods", "period"];

impl AcquisitionSpec {
    pub(super) fn check(&self) -> Result<()> {
        if !(self.margin > 0.0 && self.margin.is_finite()) {
            let message = format!("margin={} is invalid; expected a number above 0, such as 0.3: what is earned of an amount", self.margin);
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        if let Some(by) = self.by.as_deref().filter(|by| RESULT_COLUMNS.contains(by)) {
            let message = format!("the result would have two columns named '{by}'; rename that column of the input first");
            return Err(Error::new(ErrorKind::DuplicateColumn, message).in_column(by));
        }
        Ok(())
    }
}
