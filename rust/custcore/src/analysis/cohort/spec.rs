//! What cohorts are asked for: periods, criteria, who is in a cohort, what is observed.

use crate::column::bounds::{ObservationBound, ObservationWindow};
use crate::column::chunks::Pick;
use crate::error::{Error, ErrorKind, Result};
use crate::state::spec::BaseSpec;
use crate::time::period::{Calendar, Period};

/// When a customer counts as having come back in period k, for k >= 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReturnCriterion {
    /// Active in it.
    #[default]
    On,
    /// Active in it or later; with a horizon not much later.
    OnOrAfter,
    /// Active in a period from 1 to k.
    OnOrBefore,
    /// Active in each of 1 to k.
    Every,
}

/// What puts a customer into a cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CohortBy {
    /// The period of the first purchase.
    #[default]
    First,
    /// The period of the first purchase that is observed.
    FirstInWindow,
    /// Every period with a purchase.
    Recurring,
    /// The value of a column.
    Column,
}

/// The settings of cohorts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CohortSpec {
    /// What columns are counted in.
    pub period: Period,
    /// What cohorts are made of.
    pub cohort_period: Period,
    /// Whether periods are counted from each customer's own first day instead of the calendar's.
    pub elapsed: bool,
    /// When a customer counts.
    pub criterion: ReturnCriterion,
    /// Last periods of brackets, ascending from 1 on, if periods are put together.
    pub brackets: Option<Vec<u32>>,
    /// With [`ReturnCriterion::OnOrAfter`]: how many periods count.
    pub horizon: Option<u32>,
    /// What puts a customer into a cohort.
    pub cohort_by: CohortBy,
    /// The column of [`CohortBy::Column`].
    pub cohort_column: Option<String>,
    /// Column that the result is split by.
    pub by: Option<String>,
    /// Boolean column of the rows that begin a life.
    pub start: Option<String>,
    /// Boolean column of the rows that count as coming back.
    pub returning: Option<String>,
    /// Orders that make a customer active in a period.
    pub min_occurrences: u32,
    /// First day of a week: 0 is Monday.
    pub week_start: i32,
    /// Month in which quarters and years begin, 1 to 12.
    pub fiscal_year_start: i32,
    /// The first moment that is observed.
    pub observation_start: Option<ObservationBound>,
    /// The first moment after it.
    pub observation_end: Option<ObservationBound>,
    /// Number of periods of every cohort; all that are observed if not given.
    pub n_periods: Option<u32>,
    /// Whether the RFM table of the same rows will be asked for.
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

/// Names that results give to what they compute.
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
    /// Whether the windows of the members of a cohort differ.
    pub fn own_windows(&self) -> bool {
        self.elapsed || self.cohort_by == CohortBy::Column || self.cohort_period != self.period
    }

    /// Whether days and money are all that need be known of a purchase: cohorts of first purchases by the calendar, over
    /// all that there is.
    pub fn is_packed(&self) -> bool {
        let plain = !self.own_windows() && matches!(self.cohort_by, CohortBy::First | CohortBy::FirstInWindow);
        let all = self.observation_start.is_none() && matches!(self.observation_end, None | Some(ObservationBound::Date(_)));
        let rows = self.n_periods.is_none() && self.brackets.is_none() && self.by.is_none();
        plain && all && rows && self.start.is_none() && self.returning.is_none() && self.min_occurrences == 1
    }

    /// Where periods begin, with windows of n days counted from `origin`.
    pub fn calendar(&self, origin: i32) -> Calendar {
        Calendar { week_start: self.week_start, fiscal_shift: self.fiscal_year_start - 1, origin }
    }

    /// An error for settings that do not go together.
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

    /// The settings of the scan, from those of reading rows.
    pub fn scan(&self, mut spec: BaseSpec) -> Result<BaseSpec> {
        self.check()?;
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
        spec.window = Some(ObservationWindow { start: self.observation_start, end: self.observation_end, is_packed, alone });
        Ok(spec)
    }

    /// Position of the column of `by` among the attributes of the scan.
    pub fn by_attribute(&self) -> Option<usize> {
        self.by.as_ref().map(|_| 0)
    }

    /// Position of the column of cohorts among them.
    pub fn cohort_attribute(&self) -> Option<usize> {
        let column = self.cohort_column.as_ref()?;
        Some(usize::from(self.by.as_ref().is_some_and(|by| by != column)))
    }

    /// The rows of a cohort.
    pub fn spans(&self) -> Spans<'_> {
        Spans { brackets: self.brackets.as_deref(), horizon: self.horizon.map_or(1, i64::from) }
    }
}

/// The rows of a cohort: a period each, or after period 0 a bracket of periods each.
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

    /// Number of rows, where brackets say it.
    pub fn rows(&self) -> Option<usize> {
        self.brackets.map(|brackets| brackets.len() + 1)
    }

    /// The row that period k belongs to; it may lie behind the last.
    #[inline]
    pub fn row(&self, k: i64) -> usize {
        match self.brackets {
            Some(brackets) if k > 0 => 1 + brackets.partition_point(|&last| i64::from(last) < k),
            _ => k as usize,
        }
    }

    /// Of `rows` rows, those whose first period is below `begun`.
    #[inline]
    pub fn begun(&self, begun: i64, rows: usize) -> usize {
        match self.brackets {
            Some(_) => (0..rows).take_while(|&row| self.periods(row).0 < begun).count(),
            None => begun.clamp(0, rows as i64) as usize,
        }
    }

    /// Of `rows` rows, those whose judged period is below `ended`: the last of a bracket, with a horizon the last that counts.
    #[inline]
    pub fn ended(&self, ended: i64, rows: usize) -> usize {
        match self.brackets {
            Some(_) => (0..rows).take_while(|&row| self.periods(row).1 < ended).count(),
            None => (ended - self.horizon + 1).clamp(0, rows as i64) as usize,
        }
    }

    /// The name of a row as a column.
    pub fn name(&self, row: usize) -> String {
        match self.periods(row) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        }
    }
}
