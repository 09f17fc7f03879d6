//! Settings of measures: periods, and the groups that they are split by.

use crate::column::bounds::ObservationWindow;
use crate::column::chunks::Pick;
use crate::error::{Error, ErrorKind, Result};
use crate::state::spec::{BaseSpec, Track};
use crate::time::period::{Calendar, Period};

/// Settings of measures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasuresSpec {
    /// The period; `None` is all time as one period.
    pub period: Option<Period>,
    /// The attribute that the result is split by.
    pub by: Option<String>,
    /// First day of a week: 0 is Monday.
    pub week_start: i32,
    /// First month of the fiscal year, 1 to 12.
    pub fiscal_year_start: i32,
}

/// Names of computed result columns.
const RESULT_COLUMNS: [&str; 33] = [
    "period_start",
    "period_end",
    "is_complete",
    "left_truncated",
    "customers",
    "active",
    "new",
    "retained",
    "reactivated",
    "churned",
    "orders",
    "rows",
    "repeat_customers",
    "gross",
    "refund_orders",
    "refunds",
    "revenue",
    "average_order_value",
    "purchase_frequency",
    "revenue_per_customer",
    "repurchase_rate",
    "retention_rate",
    "churn_rate",
    "growth_rate",
    "quick_ratio",
    "from_start",
    "change",
    "customers_effect",
    "frequency_effect",
    "order_value_effect",
    "refunds_effect",
    "mix_effect",
    "period",
];

impl MeasuresSpec {
    /// The periods; all time is one window of days from `first` on.
    pub(super) fn periods(&self, first: i32) -> (Calendar, Period) {
        let calendar = Calendar { week_start: self.week_start, fiscal_shift: self.fiscal_year_start - 1, origin: 0 };
        self.period.map_or((Calendar { origin: first, ..calendar }, Period::Days(i32::MAX)), |period| (calendar, period))
    }

    /// An error if the column of groups has the name of a computed one.
    pub(super) fn check_column(name: &str) -> Result<()> {
        if RESULT_COLUMNS.contains(&name) {
            let message = format!("the result would have two columns named '{name}'; rename that column of the input first");
            return Err(Error::new(ErrorKind::DuplicateColumn, message).in_column(name));
        }
        Ok(())
    }

    /// The settings of the scan, derived from those of the input: an order log, or for groups a base of day records.
    pub fn scan(&self, mut spec: BaseSpec, has_segments: bool) -> Result<BaseSpec> {
        spec.check_keys()?;
        spec.check_decimals()?;
        spec.n_days = false;
        spec.roles.attributes = self.by.iter().map(|name| (name.clone(), Pick::First)).collect();
        if has_segments || self.by.is_some() {
            self.by.as_deref().map_or(Ok(()), Self::check_column)?;
            spec.track = Track::Days;
            return Ok(spec);
        }
        let has_lines = spec.roles.order_id.is_some();
        spec.window = Some(ObservationWindow { start: None, end: None, is_packed: true, alone: !has_lines, counts_lines: has_lines });
        Ok(spec)
    }
}
