//! The customer base as Python sees it, and the one-shot `rfm` over one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

fn columns(base: &CustomerBase) -> Vec<String> {
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
    base: Arc<Mutex<CustomerBase>>,
}

impl CoreBase {
    /// The base; a panic while it was held leaves it as it was, because it changes only by `commit`.
    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, CustomerBase> {
        self.base.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl CoreBase {
    #[new]
    fn new(options: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = options.py();
        let spec = options.extract::<ReadOptions>()?.spec(py)?;
        let base = CustomerBase::new(spec).map_err(|error| into_py(py, &error))?;
        Ok(Self { base: Arc::new(Mutex::new(base)) })
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
        // The lock is not held while data are read: a producer may be Python code that looks at this very base.
        let columns = columns(&self.lock(py));
        let update = fold(data, &mut call, columns, |schema| self.lock(py).begin(schema))?;
        py.detach(|| self.base.lock().unwrap_or_else(PoisonError::into_inner).commit(update)).map_err(|error| into_py(py, &error))
    }

    #[pyo3(signature = (day, *, sort, n_threads))]
    fn rfm(&self, py: Python<'_>, day: Option<(String, i64)>, sort: bool, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let mut call = Call::new(py, n_threads, None, None)?;
        let day = day.as_ref().map(as_of);
        let customers = self.lock(py).len();
        let base = self.base.clone();
        let table = call.run(py, customers, move |context| {
            let base = base.lock().unwrap_or_else(PoisonError::into_inner);
            rfm::rfm(&base, day, sort, context)
        })?;
        Ok(CoreTable::new(table))
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.lock(py).len()
    }

    #[getter]
    fn rows(&self, py: Python<'_>) -> u64 {
        self.lock(py).rows()
    }
}
