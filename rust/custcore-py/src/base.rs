//! The customer base as Python sees it, and the one-shot `rfm` over one.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_schema::Schema;
use custcore::base::CustomerBase;
use custcore::base::edit::Id;
use custcore::base::fold::{Fold, Update};
use custcore::calendar::date_text;
use custcore::cohort::kept::of_kept;
use custcore::rfm;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyString};

use crate::boundary::source::Source;
use crate::cohort::{CohortOptions, CoreCohortRetention};
use crate::door::{Call, INLINE_ROWS, guarded};
use crate::error::into_py;
use crate::options::{ReadOptions, as_of, kept_options};
use crate::shared::{Shared, change};
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
        base.commit(update, None)?;
        rfm::rfm(&base, None, sort, context)
    })?;
    Ok(CoreTable::new(table))
}

/// The customer base.
#[pyclass(frozen, module = "custcore._core", name = "CustomerBase")]
pub struct CoreBase {
    /// The base as it stands.
    pub base: Shared,
}

impl CoreBase {
    /// The base as it stands.
    pub fn snapshot(&self, py: Python<'_>) -> PyResult<Arc<CustomerBase>> {
        self.base.snapshot(py)
    }

    /// A base by itself.
    pub fn of(base: CustomerBase) -> Self {
        Self { base: Shared::new(base) }
    }
}

#[pymethods]
impl CoreBase {
    #[new]
    fn new(options: &Bound<'_, PyAny>, track: &str, late: &str) -> PyResult<Self> {
        let py = options.py();
        let spec = options.extract::<ReadOptions>()?.kept_spec(py, track, late)?;
        Ok(Self::of(CustomerBase::new(spec).map_err(|error| into_py(py, &error))?))
    }

    #[pyo3(signature = (data, *, batch_id, n_threads, progress, rows_total))]
    fn update(
        &self,
        data: &Bound<'_, PyAny>,
        batch_id: Option<String>,
        n_threads: Option<i64>,
        progress: Option<Py<PyAny>>,
        rows_total: Option<u64>,
    ) -> PyResult<()> {
        let py = data.py();
        let mut call = Call::new(py, n_threads, progress, rows_total)?;
        let before = self.snapshot(py)?;
        if let Some(batch) = &batch_id {
            before.check_batch(batch).map_err(|error| into_py(py, &error))?;
        }
        let update = fold(data, &mut call, columns(&before), |schema| before.begin(schema))?;
        drop(before);
        // Another update may have come in between; this one is added to what stands now.
        let rows = update.state.interner.len();
        change(py, &mut call, &[&self.base], rows, move |bases, _| {
            bases.iter_mut().zip([update]).try_for_each(|(base, update)| base.commit(update, batch_id.as_deref()))
        })
    }

    /// Adds the groups of batches one by one, each for good: what it needs besides the base is one group.
    #[pyo3(signature = (data, *, n_threads, progress, rows_total))]
    fn update_by_batch(
        &self,
        data: &Bound<'_, PyAny>,
        n_threads: Option<i64>,
        progress: Option<Py<PyAny>>,
        rows_total: Option<u64>,
    ) -> PyResult<()> {
        let py = data.py();
        let mut call = Call::new(py, n_threads, progress, rows_total)?;
        let mut source = Source::open(data, Some(columns(&*self.snapshot(py)?)))?;
        let mut is_first = true;
        loop {
            let group = source.next_group(py)?;
            if group.is_empty() && !is_first {
                return Ok(());
            }
            is_first = false;
            let before = self.snapshot(py)?;
            let mut fold = before.begin(source.all_columns()).map_err(|error| into_py(py, &error))?;
            drop(before);
            let update = call.run_on(py, group, move |group, context| {
                fold.push(group, context)?;
                fold.release();
                fold.finish(context)
            })?;
            let rows = update.state.interner.len();
            change(py, &mut call, &[&self.base], rows, move |bases, _| {
                bases.iter_mut().zip([update]).try_for_each(|(base, update)| base.commit(update, None))
            })?;
        }
    }

    fn merge(&self, py: Python<'_>, other: &Self) -> PyResult<()> {
        let other = other.snapshot(py)?;
        let rows = other.size();
        self.change(py, rows, move |base| base.merge(&other))
    }

    fn seal(&self, py: Python<'_>, before: i32) -> PyResult<()> {
        let rows = self.snapshot(py)?.size();
        self.change(py, rows, move |base| base.seal(before))
    }

    fn relabel(&self, py: Python<'_>, pairs: Vec<(PyId, PyId)>) -> PyResult<()> {
        let pairs: Vec<(Id, Id)> = pairs.into_iter().map(|(old, new)| (old.0, new.0)).collect();
        let rows = self.snapshot(py)?.size();
        self.change(py, rows, move |base| base.relabel(&pairs))
    }

    fn remove(&self, py: Python<'_>, ids: Vec<PyId>) -> PyResult<usize> {
        let ids: Vec<Id> = ids.into_iter().map(|id| id.0).collect();
        let rows = self.snapshot(py)?.size();
        self.change(py, rows, move |base| base.remove(&ids))
    }

    #[pyo3(signature = (day, *, sort, n_threads))]
    fn rfm(&self, py: Python<'_>, day: Option<(String, i64)>, sort: bool, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let mut call = Call::new(py, n_threads, None, None)?;
        let day = day.as_ref().map(as_of);
        let base = self.snapshot(py)?;
        let size = base.size();
        let table = call.run(py, size, move |context| rfm::rfm(&base, day, sort, context))?;
        Ok(CoreTable::new(table))
    }

    #[pyo3(signature = (options, day, *, n_threads))]
    fn cohort_retention(
        &self,
        options: &Bound<'_, PyAny>,
        day: Option<(String, i64)>,
        n_threads: Option<i64>,
    ) -> PyResult<CoreCohortRetention> {
        let py = options.py();
        let spec = options.extract::<CohortOptions>()?.spec(py)?;
        let mut call = Call::new(py, n_threads, None, None)?;
        let day = day.as_ref().map(as_of);
        let base = self.snapshot(py)?;
        let size = base.size();
        let cohorts = call.run(py, size, move |context| of_kept(&base, spec, day, context))?;
        Ok(CoreCohortRetention::new(cohorts, n_threads))
    }

    /// The settings: options of reading, level, what late lines are.
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyDict>, &'static str, &'static str)> {
        kept_options(py, self.snapshot(py)?.spec())
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let base = self.snapshot(py)?;
        let size = base.size();
        Call::new(py, None, None, None)?.run(py, size, move |context| base.save(&path, context))
    }

    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let base = Call::new(py, None, None, None)?.run(py, INLINE_ROWS, move |context| CustomerBase::load(&path, context))?;
        Ok(Self::of(base))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let base = self.snapshot(py)?;
        let size = base.size();
        let bytes = Call::new(py, None, None, None)?.run(py, size, move |context| base.to_bytes(context))?;
        Ok(PyBytes::new(py, &bytes))
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        let base = py.detach(|| guarded(|| CustomerBase::from_bytes(data))).map_err(|error| into_py(py, &error))?;
        Ok(Self::of(base))
    }

    fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        Ok(Self { base: Shared::of(self.snapshot(py)?) })
    }

    fn report(&self, py: Python<'_>) -> PyResult<CoreTable> {
        let base = self.snapshot(py)?;
        let report = py.detach(|| base.report(None)).map_err(|error| into_py(py, &error))?;
        Ok(CoreTable::of_report(report))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        let base = self.snapshot(py)?;
        Ok(py.detach(|| base.len()))
    }

    #[getter]
    fn rows(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.snapshot(py)?.rows())
    }

    #[getter]
    fn nbytes(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.snapshot(py)?.bytes())
    }

    #[getter]
    fn batches(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.snapshot(py)?.batches().map(str::to_owned).collect())
    }

    #[getter]
    fn sealed(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.snapshot(py)?.sealed().map(date_text))
    }

    #[getter]
    fn last_day(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.snapshot(py)?.last_day().map(date_text))
    }
}

impl CoreBase {
    /// Changes the base in a call of its own.
    fn change<T: Send + 'static>(
        &self,
        py: Python<'_>,
        rows: usize,
        work: impl FnOnce(&mut CustomerBase) -> custcore::error::Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let mut call = Call::new(py, None, None, None)?;
        change(py, &mut call, &[&self.base], rows, move |bases, _| match bases.first_mut() {
            Some(base) => work(base),
            None => Err(custcore::error::Error::internal("no base to change")),
        })
    }
}

/// A customer id that Python hands over.
struct PyId(Id);

impl<'py> FromPyObject<'_, 'py> for PyId {
    type Error = PyErr;

    fn extract(id: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = id.cast::<PyString>() {
            Ok(Self(Id::Text(text.to_str()?.to_owned())))
        } else if let Ok(bytes) = id.cast::<PyBytes>() {
            Ok(Self(Id::Binary(bytes.as_bytes().to_vec())))
        } else if id.is_instance_of::<PyInt>() {
            Ok(Self(Id::Integer(id.extract()?)))
        } else {
            Err(PyTypeError::new_err(format!("{} is no customer id; expected int, str or bytes", id.get_type().name()?)))
        }
    }
}
