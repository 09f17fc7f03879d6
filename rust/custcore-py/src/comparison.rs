//! Python binding of comparisons of score tables.

use std::sync::Arc;

use arrow_array::RecordBatch;
use custcore::{Comparison, ComparisonSpec, Error, ErrorKind, KeyNames, SCORES};
use pyo3::prelude::*;

use crate::boundary::header::Selection;
use crate::error::into_py;
use crate::input::Input;
use crate::options::Names;
use crate::runtime::Call;
use crate::table::CoreTable;

/// Two score tables, customer by customer.
#[pyclass(frozen, module = "custcore._core", name = "Comparison")]
pub struct CoreComparison {
    comparison: Arc<Comparison>,
}

#[pymethods]
impl CoreComparison {
    fn moves(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.comparison.moves().map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    fn segments(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.comparison.segments().map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    #[pyo3(signature = (*, n_threads))]
    fn customers(&self, py: Python<'_>, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let comparison = self.comparison.clone();
        let rows = usize::try_from(comparison.n_customers()).unwrap_or(usize::MAX);
        let table = Call::new(py, n_threads, None, None)?.run(py, rows, move |context| comparison.customers(context))?;
        Ok(CoreTable::new(table))
    }

    /// Customers before, after, of both, and of both in different segments.
    #[getter]
    fn counts(&self) -> (u64, u64, u64, u64) {
        let counts = self.comparison.customers_compared();
        (counts.before, counts.after, counts.both, counts.moved)
    }

    /// The days of the tables, as ISO dates.
    #[getter]
    fn days(&self) -> (Option<&str>, Option<&str>) {
        let [before, after] = self.comparison.days();
        (before.as_deref(), after.as_deref())
    }
}

/// Most decimal places that float amounts are rounded to.
const MAX_DECIMALS: u8 = 12;

/// The rows of a score table. The columns of ids may be named by its metadata, so all are read.
fn rows(table: &Bound<'_, PyAny>, spec: &ComparisonSpec) -> PyResult<Vec<RecordBatch>> {
    let ids = spec.customer_id.iter().flat_map(KeyNames::iter);
    let names = ids.chain([spec.segment.as_str(), spec.monetary.as_str()]).chain(SCORES).map(str::to_owned).collect();
    Ok(Input::read(table, Selection::Using { names, first: spec.customer_id.is_none() })?.batches)
}

/// Compares two score tables.
#[pyfunction]
#[pyo3(signature = (before, after, *, customer_id, segment, monetary, amount_decimals, n_threads))]
pub fn compare(
    before: &Bound<'_, PyAny>,
    after: &Bound<'_, PyAny>,
    customer_id: Option<Names>,
    segment: String,
    monetary: String,
    amount_decimals: i64,
    n_threads: Option<i64>,
) -> PyResult<CoreComparison> {
    let py = before.py();
    let amount_decimals = u8::try_from(amount_decimals).ok().filter(|&decimals| decimals <= MAX_DECIMALS).ok_or_else(|| {
        into_py(py, &Error::new(ErrorKind::OutOfRange, format!("amount_decimals={amount_decimals} is outside 0 to {MAX_DECIMALS}")))
    })?;
    let spec = ComparisonSpec { customer_id: customer_id.map(Into::into), segment, monetary, amount_decimals };
    let first = rows(before, &spec)?;
    let split = first.len();
    let batches = first.into_iter().chain(rows(after, &spec)?).collect();
    let compared = Call::new(py, n_threads, None, None)?.run_on(py, batches, move |batches, context| {
        let (before, after) = batches.split_at(split);
        Comparison::new(before, after, &spec, context)
    })?;
    Ok(CoreComparison { comparison: Arc::new(compared) })
}
