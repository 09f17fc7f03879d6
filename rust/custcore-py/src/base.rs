//! The customer base as Python sees it, and the one-shot `rfm` over one.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_schema::Schema;
use custcore::base::CustomerBase;
use custcore::base::fold::{Fold, Update};
use custcore::rfm;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;

use crate::boundary::source::Source;
use crate::door::Call;
use crate::error::into_py;
use crate::options::{ReadOptions, as_of};
use crate::table::CoreTable;

/// Folds `data` into an update of the base that `begin` begins it for.
fn fold(
    data: &Bound<'_, PyAny>,
    call: &mut Call,
    columns: Vec<String>,
    begin: impl FnOnce(&Schema) -> custcore::error::Result<Fold>,
) -> PyResult<Update> {
    let py = data.py();
    let mut source = Source::open(data, Some(columns))?;
    let fold = begin(source.all_columns()).map_err(|error| into_py(py, &error))?;
    let fold = call.fold(py, &mut source, fold)?;
    let rows = usize::try_from(fold.rows()).unwrap_or(usize::MAX);
    call.run(py, rows, move |context| fold.finish(context))
}

/// The columns that a base reads.
pub fn columns(base: &CustomerBase) -> Vec<String> {
    base.spec().roles.columns().into_iter().map(str::to_owned).collect()
}

/// The RFM table of transactions, in one go.
#[pyfunction]
#[pyo3(signature = (data, options, *, sort, n_threads, progress, rows_total))]
pub fn rfm_table(
    data: &Bound<'_, PyAny>,
    options: &Bound<'_, PyAny>,
    sort: bool,
    n_threads: Option<i64>,
    progress: Option<Py<PyAny>>,
    rows_total: Option<u64>,
) -> PyResult<CoreTable> {
    let py = data.py();
    let spec = options.extract::<ReadOptions>()?.spec(py)?;
    let mut call = Call::new(py, n_threads, progress, rows_total)?;
    let mut base = CustomerBase::new(spec).map_err(|error| into_py(py, &error))?;
    let update = fold(data, &mut call, columns(&base), |schema| base.begin(schema))?;
    let customers = update.state.interner.len();
    let table = call.run(py, customers, move |context| {
        base.commit(update)?;
        rfm::rfm(&base, None, sort, context)
    })?;
    Ok(CoreTable::new(table))
}

/// The customer base.
#[pyclass(frozen, module = "custcore._core", name = "CustomerBase")]
pub struct CoreBase {
    /// The base as it stands. The lock is held for moments, with the GIL, to take or to replace it: nobody computes under it,
    /// so a forked child never inherits it locked.
    pub base: Mutex<Arc<CustomerBase>>,
}

impl CoreBase {
    /// The base as it stands.
    pub fn snapshot(&self, py: Python<'_>) -> Arc<CustomerBase> {
        self.base.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[pymethods]
impl CoreBase {
    #[new]
    fn new(options: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = options.py();
        let spec = options.extract::<ReadOptions>()?.spec(py)?;
        let base = CustomerBase::new(spec).map_err(|error| into_py(py, &error))?;
        Ok(Self { base: Mutex::new(Arc::new(base)) })
    }

    #[pyo3(signature = (data, *, n_threads, progress, rows_total))]
    fn update(
        &self,
        data: &Bound<'_, PyAny>,
        n_threads: Option<i64>,
        progress: Option<Py<PyAny>>,
        rows_total: Option<u64>,
    ) -> PyResult<()> {
        let py = data.py();
        let mut call = Call::new(py, n_threads, progress, rows_total)?;
        let before = self.snapshot(py);
        let update = fold(data, &mut call, columns(&before), |schema| before.begin(schema))?;
        drop(before);
        // Another update may have come in between; this one is added to what stands now. A reader that is at work keeps
        // what it has, and then the base is copied.
        let mut base = self.base.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut base).commit(update).map_err(|error| into_py(py, &error))
    }

    #[pyo3(signature = (day, *, sort, n_threads))]
    fn rfm(&self, py: Python<'_>, day: Option<(String, i64)>, sort: bool, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let mut call = Call::new(py, n_threads, None, None)?;
        let day = day.as_ref().map(as_of);
        let base = self.snapshot(py);
        let customers = base.len();
        let table = call.run(py, customers, move |context| rfm::rfm(&base, day, sort, context))?;
        Ok(CoreTable::new(table))
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.snapshot(py).len()
    }

    #[getter]
    fn rows(&self, py: Python<'_>) -> u64 {
        self.snapshot(py).rows()
    }
}
