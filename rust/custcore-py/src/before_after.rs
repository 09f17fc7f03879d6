//! Python binding of comparisons before and after without random groups.

use std::sync::Arc;

use custcore::{
    Baseline, BeforeAfter, BeforeAfterSpec, ComparedMetric, ComparedWindows, CustomerId, MatchColumn, TreatedOn, TreatmentCost, date_text,
};
use pyo3::prelude::*;

use crate::base::{CoreBase, PyId, work};
use crate::boundary::header::Selection;
use crate::error::into_py;
use crate::input::Input;
use crate::options::{Names, as_of, choice};
use crate::runtime::Call;
use crate::table::CoreTable;

/// Options of a comparison; passed as a dict.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct BeforeAfterOptions {
    customer_id: Names,
    exposed_on: String,
    start: Option<(String, i64)>,
    days_after: i64,
    days_before: i64,
    lag: i64,
    baseline: String,
    /// Columns and edges; `None` for the usual ones.
    r#match: Option<Vec<(String, Option<Vec<f64>>)>>,
    metrics: Vec<String>,
    as_of: Option<(String, i64)>,
}

impl BeforeAfterOptions {
    fn spec(&self, py: Python<'_>) -> PyResult<BeforeAfterSpec> {
        let days = |days: i64| i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX });
        let metric = |name: &String| choice(py, "metrics", name, &ComparedMetric::ALL);
        let column = |(name, edges): &(String, Option<Vec<f64>>)| MatchColumn::new(name, edges.clone());
        let matching = self.r#match.iter().flatten().map(column).collect::<custcore::Result<_>>();
        Ok(BeforeAfterSpec {
            customer_id: self.customer_id.clone().into(),
            treated_on: match &self.start {
                Some(start) => TreatedOn::Start(as_of(start)),
                None => TreatedOn::Column(self.exposed_on.clone()),
            },
            windows: ComparedWindows { days_after: days(self.days_after), days_before: days(self.days_before), lag: days(self.lag) },
            baseline: choice(py, "baseline", &self.baseline, &[("before", Baseline::Before), ("year_before", Baseline::YearBefore)])?,
            matching: matching.map_err(|error| into_py(py, &error))?,
            metrics: self.metrics.iter().map(metric).collect::<PyResult<_>>()?,
            as_of: self.as_of.as_ref().map(as_of),
        })
    }
}

/// Metric, verdict in words, effect, and its interval.
type HeadlineParts = (&'static str, &'static str, Option<f64>, Option<(f64, f64)>);

/// A comparison before and after.
#[pyclass(frozen, module = "custcore._core", name = "BeforeAfter")]
pub struct CoreBeforeAfter {
    result: Arc<BeforeAfter>,
}

#[pymethods]
impl CoreBeforeAfter {
    fn table(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.result.table().map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    fn balance(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.result.balance().map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    fn placebo(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.result.placebo().map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    #[pyo3(signature = (n, seed, *, n_threads))]
    fn placebo_draws(&self, py: Python<'_>, n: u64, seed: u64, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let result = self.result.clone();
        let rows = usize::try_from(n).unwrap_or(usize::MAX).saturating_mul(result.controls());
        let table = Call::new(py, n_threads, None, None)?.run(py, rows, move |context| result.placebo_draws(n, seed, context))?;
        Ok(CoreTable::new(table))
    }

    /// `cost`: fixed, per contact, per order.
    fn roi(&self, py: Python<'_>, margin: f64, cost: (f64, f64, f64)) -> PyResult<CoreTable> {
        let cost = TreatmentCost { fixed: cost.0, per_contact: cost.1, per_order: cost.2 };
        self.result.roi(margin, cost).map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    /// All that is known of the comparison, as a table.
    fn state(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.result.state().map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    #[staticmethod]
    fn of_state(py: Python<'_>, state: &CoreTable) -> PyResult<Self> {
        let result = state.whole().and_then(|batch| BeforeAfter::of_state(&batch, state.report().clone()));
        Ok(Self { result: Arc::new(result.map_err(|error| into_py(py, &error))?) })
    }

    #[getter]
    fn definition(&self) -> String {
        self.result.definition()
    }

    #[getter]
    fn headlines(&self) -> Vec<HeadlineParts> {
        self.result.headlines().iter().map(|row| (row.metric, row.verdict.words(), row.effect, row.interval)).collect()
    }

    /// The first and the last day of treatment, as ISO dates.
    #[getter]
    fn days(&self) -> (String, String) {
        let (first, last) = self.result.days();
        (date_text(first), date_text(last))
    }
}

/// Compares treated customers with others.
#[pyfunction]
#[pyo3(signature = (base, treated, exclude, options, *, n_threads))]
pub fn before_after(
    base: &Bound<'_, CoreBase>,
    treated: &Bound<'_, PyAny>,
    exclude: Vec<PyId>,
    options: BeforeAfterOptions,
    n_threads: Option<i64>,
) -> PyResult<CoreBeforeAfter> {
    let py = base.py();
    let spec = options.spec(py)?;
    let base = base.get().snapshot(py)?;
    let day = match &spec.treated_on {
        TreatedOn::Column(name) => Some(name.clone()),
        TreatedOn::Start(_) => None,
    };
    let names = spec.customer_id.iter().map(str::to_owned).chain(day).collect();
    let batches = Input::read(treated, Selection::Using { names, first: true })?.batches;
    let exclude: Vec<CustomerId> = exclude.into_iter().map(|id| id.0).collect();
    let size = work(&base);
    let result =
        Call::new(py, n_threads, None, None)?.run(py, size, move |context| BeforeAfter::new(&base, &batches, &exclude, spec, context))?;
    Ok(CoreBeforeAfter { result: Arc::new(result) })
}
