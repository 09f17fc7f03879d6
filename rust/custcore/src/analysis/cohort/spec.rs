//! Settings of cohort retention: periods, return criterion, cohort definition, observation window.

use crate::column::bounds::{ObservationBound, ObservationWindow};
use crate::column::chunks::Pick;
use crate::error::{Error, ErrorKind, Result};
use crate::state::spec::BaseSpec;
use crate::time::period::{Calendar, Period};

/// When a customer counts as returned at period offset k, for k >= 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReturnCriterion {
    /// Active in period k.
    #[default]
    On,
    /// Active in period k or later, with a horizon only within so many periods.
    OnOrAfter,
    /// Active in any of the periods 1 to k.
    OnOrBefore,
    /// Active in each of the periods 1 to k.
    Every,
}

/// How customers are assigned to cohorts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CohortBy {
    /// The period of the first purchase.
    #[default]
    First,
    /// The period of the first observed purchase.
    FirstInWindow,
    /// Every period with a purchase.
    Recurring,
    /// The value of a column.
    Column,
}

/// Settings of cohort retention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CohortSpec {
    /// Period of the columns.
    pub period: Period,
    /// Period of the cohorts.
    pub cohort_period: Period,
    /// Whether periods are counted from each customer's first day instead of the calendar.
    pub elapsed: bool,
    /// When a customer counts as returned.
    pub criterion: ReturnCriterion,
    /// Last periods of the brackets, ascending from 1, if periods are grouped into brackets.
    pub brackets: Option<Vec<u32>>,
    /// With [`ReturnCriterion::OnOrAfter`]: number of periods in the return window.
    pub horizon: Option<u32>,
    /// How customers are assigned to cohorts.
    pub cohort_by: CohortBy,
    /// The column of [`CohortBy::Column`].
    pub cohort_column: Option<String>,
    /// Column by which the result is split.
    pub by: Option<String>,
    /// Boolean column: rows that may start a cohort membership.
    pub start: Option<String>,
    /// Boolean column: rows that count as returns.
    pub returning: Option<String>,
    /// Minimum orders for a customer to be active in a period.
    pub min_occurrences: u32,
    /// First day of a week: 0 is Monday.
    pub week_start: i32,
    /// First month of the fiscal year, 1 to 12.
    pub fiscal_year_start: i32,
    /// Start of observation, inclusive.
    pub observation_start: Option<ObservationBound>,
    /// End of observation, exclusive.
    pub observation_end: Option<ObservationBound>,
    /// Number of periods of every cohort; all observed ones if not given.
    pub n_periods: Option<u32>,
    /// Whether the result includes the RFM table of the same rows.
    pub rfm: bool,
}

impl Default for CohortSpec {
    fn default() -> Self {
        Self {
            period: Period::Month,
            cohort_period: Period::Month,
            elapsed: false,
            criterion: ReturnCriterion::default(),
            brackets: None,
            horizon: None,
            cohort_by: CohortBy::default(),
            cohort_column: None,
            by: None,
            start: None,
            returning: None,
            min_occurrences: 1,
            week_start: 0,
            fiscal_year_start: 1,
            observation_start: None,
            observation_end: None,
            n_periods: None,
            rfm: false,
        }
    }
}

/// Names of computed result columns.
const RESULT_COLUMNS: [&str; 34] = [
    "cohort",
    "cohort_size",
    "period_index",
    "period_start",
    "period_end",
    "eligible",
    "customers",
    "customers_open",
    "rate",
    "rate_low",
    "rate_high",
    "orders",
    "revenue",
    "revenue_cumulative",
    "revenue_cumulative_per_customer",
    "is_observed",
    "is_complete",
    "left_truncated",
    "cohorts",
    "active",
    "new",
    "retained",
    "reactivated",
    "churned",
    "revenue_start",
    "revenue_churned",
    "revenue_contraction",
    "revenue_expansion",
    "revenue_reactivated",
    "revenue_new",
    "revenue_end",
    "grr",
    "nrr",
    "first_date",
];

impl CohortSpec {
    /// Whether observation windows differ between the members of a cohort.
    pub fn has_member_windows(&self) -> bool {
        self.elapsed || self.cohort_by == CohortBy::Column || self.cohort_period != self.period
    }

    /// Whether the order log can be packed to the day and revenue of each purchase: calendar cohorts of first purchases over
    /// the whole data.
    pub fn is_packed(&self) -> bool {
        let plain = !self.has_member_windows() && matches!(self.cohort_by, CohortBy::First | CohortBy::FirstInWindow);
        let all = self.observation_start.is_none() && matches!(self.observation_end, None | Some(ObservationBound::Date(_)));
        let rows = self.n_periods.is_none() && self.brackets.is_none() && self.by.is_none();
        plain && all && rows && self.start.is_none() && self.returning.is_none() && self.min_occurrences == 1
    }

    /// Calendar of the periods; windows of n days are counted from `origin`.
    pub fn calendar(&self, origin: i32) -> Calendar {
        Calendar { week_start: self.week_start, fiscal_shift: self.fiscal_year_start - 1, origin }
    }

    /// Checks for incompatible settings.
    pub fn check(&self) -> Result<()> {
        if let Some(by) = self.by.as_deref().filter(|by| RESULT_COLUMNS.contains(by)) {
            let message = format!("the result would have two columns named '{by}'; rename that column of the input first");
            return Err(Error::new(ErrorKind::DuplicateColumn, message).in_column(by));
        }
        if self.elapsed && self.period.days().is_none() {
            let message = "period_mode='elapsed' needs a period of days, weeks or a number of days: months have no fixed length";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        Ok(())
    }

    /// The settings of the scan, derived from those of the input.
    pub fn scan(&self, mut spec: BaseSpec) -> Result<BaseSpec> {
        self.check()?;
        spec.check_keys()?;
        spec.check_decimals()?;
        spec.roles.attributes = Vec::new();
        for name in [&self.by, &self.cohort_column].into_iter().flatten() {
            if !spec.roles.attributes.iter().any(|(known, _)| known == name) {
                spec.roles.attributes.push((name.clone(), Pick::First));
            }
        }
        spec.roles.start.clone_from(&self.start);
        spec.roles.returning.clone_from(&self.returning);
        spec.n_days = false;
        let is_packed = self.is_packed();
        let alone = is_packed && !self.rfm && spec.roles.order_id.is_none();
        spec.window =
            Some(ObservationWindow { start: self.observation_start, end: self.observation_end, is_packed, alone, counts_lines: false });
        Ok(spec)
    }

    /// Position of the `by` column among the attributes of the scan.
    pub fn by_attribute(&self) -> Option<usize> {
        self.by.as_ref().map(|_| 0)
    }

    /// Position of the cohort column among the attributes of the scan.
    pub fn cohort_attribute(&self) -> Option<usize> {
        let column = self.cohort_column.as_ref()?;
        Some(usize::from(self.by.as_ref().is_some_and(|by| by != column)))
    }

    /// The periods of the rows of a cohort.
    pub fn spans(&self) -> Spans<'_> {
        Spans { brackets: self.brackets.as_deref(), horizon: self.horizon.map_or(1, i64::from) }
    }
}

/// The periods of the rows of a cohort: one period per row, or period 0 followed by brackets.
#[derive(Debug, Clone, Copy)]
pub struct Spans<'a> {
    brackets: Option<&'a [u32]>,
    horizon: i64,
}

impl Spans<'_> {
    /// First and last period of a row.
    pub fn periods(&self, row: usize) -> (i64, i64) {
        match self.brackets {
            Some(brackets) if row > 0 => {
                let before = if row > 1 { brackets[row - 2] } else { 0 };
                (i64::from(before) + 1, i64::from(brackets[row - 1]))
            }
            _ => (row as i64, row as i64),
        }
    }

    /// Number of rows, if given by brackets.
    pub fn rows(&self) -> Option<usize> {
        self.brackets.map(|brackets| brackets.len() + 1)
    }

    /// The row of period k; may be beyond the last row.
    #[inline]
    pub fn row(&self, k: i64) -> usize {
        match self.brackets {
            Some(brackets) if k > 0 => 1 + brackets.partition_point(|&last| i64::from(last) < k),
            _ => k as usize,
        }
    }

    /// Number of the first `rows` rows whose first period is below `begun`.
    #[inline]
    pub fn begun(&self, begun: i64, rows: usize) -> usize {
        match self.brackets {
            Some(_) => (0..rows).take_while(|&row| self.periods(row).0 < begun).count(),
            None => begun.clamp(0, rows as i64) as usize,
        }
    }

    /// Number of the first `rows` rows whose return window has ended: its last period, that of the bracket or of the horizon,
    /// is below `ended`. Row 0 is the size of the cohort and does not wait for the horizon.
    #[inline]
    pub fn ended(&self, ended: i64, rows: usize) -> usize {
        match self.brackets {
            Some(_) => (0..rows).take_while(|&row| self.periods(row).1 < ended).count(),
            None => (ended - self.horizon + 1).max(ended.min(1)).clamp(0, rows as i64) as usize,
        }
    }

    /// The column name of a row.
    pub fn name(&self, row: usize) -> String {
        match self.periods(row) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        }
    }
}
