//! Python binding of cohort retention.

use std::sync::Arc;

use custcore::{
    CohortBy, CohortPart, CohortRetention, CohortSpec, Context, ObservationBound as End, Period, Result, ReturnCriterion, Table,
    begin_cohort_scan, finish_cohort_scan,
};
use pyo3::prelude::*;

use crate::boundary::source::Source;
use crate::error::into_py;
use crate::options::{ReadOptions, choice};
use crate::runtime::Call;
use crate::table::CoreTable;

/// Days of the week from Monday on.
pub const WEEKDAYS: [(&str, i32); 7] =
    [("monday", 0), ("tuesday", 1), ("wednesday", 2), ("thursday", 3), ("friday", 4), ("saturday", 5), ("sunday", 6)];

/// Options of cohort retention; passed as a dict by `custcore.cohort_retention`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct CohortOptions {
    period: (String, i32),
    cohort_period: (String, i32),
    period_mode: String,
    return_criteria: String,
    brackets: Option<Vec<u32>>,
    horizon: Option<u32>,
    cohort_by: String,
    cohort_column: Option<String>,
    by: Option<String>,
    start: Option<String>,
    returning: Option<String>,
    min_occurrences: u32,
    week_start: String,
    fiscal_year_start: i32,
    observation_start: Option<(String, i64)>,
    observation_end: Option<(String, i64)>,
    n_periods: Option<u32>,
    rfm: bool,
}

impl CohortOptions {
    /// The settings of the core.
    pub fn spec(&self, py: Python<'_>) -> PyResult<CohortSpec> {
        let criteria = [
            ("on", ReturnCriterion::On),
            ("on_or_after", ReturnCriterion::OnOrAfter),
            ("on_or_before", ReturnCriterion::OnOrBefore),
            ("every", ReturnCriterion::Every),
        ];
        let ways = [
            ("first", CohortBy::First),
            ("first_in_window", CohortBy::FirstInWindow),
            ("recurring", CohortBy::Recurring),
            ("column", CohortBy::Column),
        ];
        Ok(CohortSpec {
            period: period(py, "period", &self.period)?,
            cohort_period: period(py, "cohort_period", &self.cohort_period)?,
            elapsed: choice(py, "period_mode", &self.period_mode, &[("calendar", false), ("elapsed", true)])?,
            criterion: choice(py, "return_criteria", &self.return_criteria, &criteria)?,
            brackets: self.brackets.clone(),
            horizon: self.horizon,
            cohort_by: choice(py, "cohort_by", &self.cohort_by, &ways)?,
            cohort_column: self.cohort_column.clone(),
            by: self.by.clone(),
            start: self.start.clone(),
            returning: self.returning.clone(),
            min_occurrences: self.min_occurrences,
            week_start: choice(py, "week_start", &self.week_start, &WEEKDAYS)?,
            fiscal_year_start: self.fiscal_year_start,
            observation_start: self.observation_start.as_ref().map(end),
            observation_end: self.observation_end.as_ref().map(end),
            n_periods: self.n_periods,
            rfm: self.rfm,
        })
    }
}

/// A period by its word; "days" are windows of n days.
pub fn period(py: Python<'_>, argument: &str, (word, n): &(String, i32)) -> PyResult<Period> {
    let periods = [
        ("day", Period::Day),
        ("week", Period::Week),
        ("month", Period::Month),
        ("quarter", Period::Quarter),
        ("year", Period::Year),
        ("days", Period::Days(*n)),
    ];
    choice(py, argument, word, &periods)
}

/// A bound of observation.
pub fn end((kind, value): &(String, i64)) -> End {
    match kind.as_str() {
        "instant" => End::Instant(*value),
        "naive" => End::Naive(*value),
        _ => End::Date(*value as i32),
    }
}

/// Cohort retention of transactions, without a persistent base.
#[pyfunction]
#[pyo3(signature = (data, read, options, *, n_threads, progress, rows_total))]
pub fn cohort_retention(
    data: &Bound<'_, PyAny>,
    read: &Bound<'_, PyAny>,
    options: &Bound<'_, PyAny>,
    n_threads: Option<i64>,
    progress: Option<Py<PyAny>>,
    rows_total: Option<u64>,
) -> PyResult<CoreCohortRetention> {
    let py = data.py();
    let spec = options.extract::<CohortOptions>()?.spec(py)?;
    let read = read.extract::<ReadOptions>()?.unchecked_spec(py)?;
    let mut call = Call::new(py, n_threads, progress, rows_total)?;
    let scan = spec.scan(read).map_err(|error| into_py(py, &error))?;
    let columns = scan.roles.columns().into_iter().map(str::to_owned).collect();
    let mut source = Source::open(data, Some(columns))?;
    let fold = begin_cohort_scan(&scan, source.all_columns()).map_err(|error| into_py(py, &error))?;
    let fold = call.fold(py, &mut source, fold)?;
    let rows = usize::try_from(fold.rows()).unwrap_or(usize::MAX);
    let cohorts = call.run(py, rows, move |context| finish_cohort_scan(spec, fold, context))?;
    Ok(CoreCohortRetention::new(cohorts, n_threads))
}

/// The result of cohort retention; its tables are built on demand.
#[pyclass(frozen, module = "custcore._core", name = "CohortRetention")]
pub struct CoreCohortRetention {
    cohorts: Arc<CohortRetention>,
    n_threads: Option<i64>,
}

impl CoreCohortRetention {
    /// A result whose tables are built with `n_threads` threads.
    pub fn new(cohorts: CohortRetention, n_threads: Option<i64>) -> Self {
        Self { cohorts: Arc::new(cohorts), n_threads }
    }

    /// Builds a table from all customers.
    fn table(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&CohortRetention, &Context) -> Result<Table> + Send + 'static,
    ) -> PyResult<CoreTable> {
        let cohorts = self.cohorts.clone();
        let rows = cohorts.size();
        let table = Call::new(py, self.n_threads, None, None)?.run(py, rows, move |context| work(&cohorts, context))?;
        Ok(CoreTable::new(table))
    }
}

#[pymethods]
impl CoreCohortRetention {
    fn cells(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.table(py, CohortRetention::cells)
    }

    /// The long table without rows.
    fn empty_cells(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.table(py, CohortRetention::empty_cells)
    }

    /// The wide table, or a part of it: `part` is (first cohort, end of cohorts, maximum number of columns).
    #[pyo3(signature = (value, part=None))]
    fn matrix(&self, py: Python<'_>, value: String, part: Option<(usize, usize, usize)>) -> PyResult<CoreTable> {
        let part = part.map(|(first, end, columns)| CohortPart { cohorts: first..end, columns });
        self.table(py, move |cohorts, context| cohorts.matrix(&value, part, context))
    }

    /// The averages of the first `columns` periods.
    #[pyo3(signature = (kind, columns=None))]
    fn average(&self, py: Python<'_>, kind: &str, columns: Option<usize>) -> PyResult<CoreTable> {
        let simple = choice(py, "kind", kind, &[("pooled", false), ("simple", true)])?;
        self.table(py, move |cohorts, _| cohorts.average(simple, columns.unwrap_or(usize::MAX)))
    }

    fn movement(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.table(py, CohortRetention::movement)
    }

    fn revenue_retention(&self, py: Python<'_>, reactivation: bool) -> PyResult<CoreTable> {
        self.table(py, move |cohorts, context| cohorts.revenue_retention(reactivation, context))
    }

    fn customers(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.table(py, CohortRetention::customers)
    }

    fn rfm(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.table(py, CohortRetention::rfm)
    }

    #[getter]
    fn n_cohorts(&self) -> usize {
        self.cohorts.n_cohorts()
    }

    #[getter]
    fn n_columns(&self) -> usize {
        self.cohorts.n_columns()
    }

    /// Whether the first days of the first cohort were not observed.
    #[getter]
    fn starts_truncated(&self, py: Python<'_>) -> PyResult<bool> {
        self.cohorts.starts_truncated().map_err(|error| into_py(py, &error))
    }

    #[getter]
    fn n_customers(&self) -> usize {
        self.cohorts.n_customers()
    }

    #[getter]
    fn observed(&self) -> Option<(String, String)> {
        self.cohorts.observed()
    }

    #[getter]
    fn timezone(&self) -> Option<String> {
        self.cohorts.timezone()
    }
}
