//! Python binding of summaries.

use std::sync::Arc;

use arrow_array::RecordBatch;
use custcore::{AsOf, ClvSummary, Error, ErrorKind, KeyNames, SummaryColumns, SummaryNames};
use pyo3::prelude::*;

use super::fitting::label;
use crate::base::{CoreBase, work};
use crate::boundary::header::Selection;
use crate::error::into_py;
use crate::input::Input;
use crate::options::{Names, as_of, choice};
use crate::runtime::Call;
use crate::table::CoreTable;

type Day = Option<(String, i64)>;

const NAMES: [(&str, SummaryNames); 3] =
    [("custcore", SummaryNames::Custcore), ("lifetimes", SummaryNames::Lifetimes), ("btyd", SummaryNames::Btyd)];

/// The summary of every buyer.
#[pyfunction]
#[pyo3(signature = (base, calibration_end, holdout_end, *, names, n_threads))]
pub fn clv_summary(
    base: &Bound<'_, CoreBase>,
    calibration_end: Day,
    holdout_end: Day,
    names: &str,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let py = base.py();
    let names = choice(py, "names", names, &NAMES)?;
    let (calibration_end, holdout_end) = (calibration_end.as_ref().map(as_of), holdout_end.as_ref().map(as_of));
    let base = base.get().snapshot(py)?;
    let size = work(&base);
    let tables = Call::new(py, n_threads, None, None)?
        .run(py, size, move |context| custcore::clv_summary(&base, calibration_end, holdout_end, names, context))?;
    CoreTable::concat(py, tables)
}

/// The rows of a summary, read and checked.
#[pyclass(frozen, module = "custcore._core", name = "ClvSummary")]
pub struct CoreClvSummary(pub Arc<ClvSummary>);

#[pymethods]
impl CoreClvSummary {
    /// Reads a table.
    #[staticmethod]
    #[pyo3(signature = (data, *, customer_id, by, weights, unit_days, n_threads))]
    fn read(
        data: &Bound<'_, PyAny>,
        customer_id: Option<Names>,
        by: Option<String>,
        weights: Option<String>,
        unit_days: Option<f64>,
        n_threads: Option<i64>,
    ) -> PyResult<Self> {
        let py = data.py();
        let columns = SummaryColumns { customer_id: customer_id.map(KeyNames::from), by, weights, unit_days };
        let batches = Input::read(data, Selection::All)?.batches;
        let summary = Call::new(py, n_threads, None, None)?
            .run_on(py, batches, move |batches: &[RecordBatch], context| ClvSummary::read(batches, &columns, context))?;
        Ok(Self(Arc::new(summary)))
    }

    #[getter]
    fn rows(&self) -> usize {
        self.0.rows()
    }

    #[getter]
    fn repeat_customers(&self) -> u64 {
        self.0.repeat_customers()
    }

    #[getter]
    fn repeat_purchases(&self) -> f64 {
        self.0.repeat_purchases()
    }

    #[getter]
    fn has_ids(&self) -> bool {
        self.0.has_ids()
    }

    #[getter]
    fn has_amounts(&self) -> bool {
        self.0.has_amounts()
    }

    #[getter]
    fn has_holdout(&self) -> bool {
        self.0.holdout_days().is_some()
    }

    #[getter]
    fn holdout_days(&self) -> Option<f64> {
        self.0.holdout_days()
    }

    #[getter]
    fn calibration_end(&self) -> Option<String> {
        self.0.calibration_end()
    }

    #[getter]
    fn remarks(&self) -> Vec<String> {
        self.0.remarks().to_vec()
    }

    #[getter]
    fn groups(&self, py: Python<'_>) -> PyResult<Option<Vec<Py<PyAny>>>> {
        self.0.groups().map(|labels| labels.iter().map(|key| label(py, key.borrow())).collect()).transpose()
    }

    /// The same customers on a later day.
    fn shifted(&self, py: Python<'_>, day: (String, i64)) -> PyResult<Self> {
        let day = match as_of(&day) {
            AsOf::Date(day) | AsOf::Naive(day) => Ok(day),
            AsOf::Instant(_) => Err(Error::new(ErrorKind::InvalidType, "as_of is a time with a zone; a summary has days, so pass a date")),
        };
        let shifted = day.and_then(|day| self.0.shifted_to(day)).map_err(|error| into_py(py, &error))?;
        Ok(Self(Arc::new(shifted)))
    }
}
