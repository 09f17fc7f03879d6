//! Python binding of the customer base, and the one-shot `rfm`.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_schema::Schema;
use custcore::{
    Context, CustomerBase, CustomerId, Error, LimitedBuilder, MemoryLimit, Result, RfmScorer, Update, UpdateBuilder, VersionedBase,
    cohort_retention_of, date_text,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyInt, PyString, PyTuple};

use crate::boundary::source::Source;
use crate::change::CoreChange;
use crate::cohort::{CohortOptions, CoreCohortRetention};
use crate::error::into_py;
use crate::options::{ReadOptions, as_of, asked, kept_options};
use crate::rfm::CoreScorer;
use crate::runtime::{Call, INLINE_ROWS};
use crate::shared::{SharedBase, change, change_versions};
use crate::table::CoreTable;

/// Typical minimum number of bytes per customer in a serialized base; estimates the amount of work.
const BYTES_PER_CUSTOMER: usize = 64;

/// Reads `data` into the update that `begin` starts.
pub fn fold(
    data: &Bound<'_, PyAny>,
    call: &mut Call,
    columns: Vec<String>,
    begin: impl FnOnce(&Schema) -> Result<UpdateBuilder>,
) -> PyResult<Update> {
    let py = data.py();
    let mut source = Source::open(data, Some(columns))?;
    let fold = begin(source.all_columns()).map_err(|error| into_py(py, &error))?;
    let fold = call.fold(py, &mut source, fold)?;
    let rows = usize::try_from(fold.rows()).unwrap_or(usize::MAX);
    call.run(py, rows, move |context| fold.finish(context))
}

/// Begins an update with data of a source.
fn begin(py: Python<'_>, base: &VersionedBase, source: &mut Source) -> PyResult<LimitedBuilder> {
    if let Some(limit) = base.main().limit() {
        // Two groups are in memory at a time.
        source.limit_groups(limit.memory / 16);
    }
    base.begin(source.all_columns()).map_err(|error| into_py(py, &error))
}

/// Amount of work for a pass over a base: a base on disk is not read on the calling thread.
pub fn work(base: &CustomerBase) -> usize {
    if base.is_spilled() { usize::MAX } else { base.size() }
}

/// The columns that a base reads.
pub fn columns(base: &CustomerBase) -> Vec<String> {
    base.spec().roles.columns().into_iter().map(str::to_owned).collect()
}

/// The RFM table of transactions, without a persistent base.
#[pyfunction]
#[pyo3(signature = (data, options, *, columns, sort, n_threads, progress, rows_total))]
pub fn rfm_table(
    data: &Bound<'_, PyAny>,
    options: &Bound<'_, PyAny>,
    columns: Option<Vec<String>>,
    sort: bool,
    n_threads: Option<i64>,
    progress: Option<Py<PyAny>>,
    rows_total: Option<u64>,
) -> PyResult<CoreTable> {
    let py = data.py();
    let spec = options.extract::<ReadOptions>()?.spec(py)?;
    let asked = asked(py, columns)?;
    let mut call = Call::new(py, n_threads, progress, rows_total)?;
    let mut base = CustomerBase::new(spec).map_err(|error| into_py(py, &error))?;
    let update = fold(data, &mut call, self::columns(&base), |schema| base.begin(schema))?;
    let customers = update.customers();
    let table = call.run(py, customers, move |context| {
        base.commit(update, None, context)?;
        custcore::rfm_columns(&base, None, sort, &asked, context)
    })?;
    Ok(CoreTable::new(table))
}

/// The RFM table of transactions with scores and segments, without a persistent base.
#[pyfunction]
#[pyo3(signature = (data, options, scorer, *, columns, sort, n_threads, progress, rows_total))]
#[expect(clippy::too_many_arguments, reason = "the arguments of custcore.rfm_scores")]
pub fn rfm_scores(
    data: &Bound<'_, PyAny>,
    options: &Bound<'_, PyAny>,
    scorer: &CoreScorer,
    columns: Option<Vec<String>>,
    sort: bool,
    n_threads: Option<i64>,
    progress: Option<Py<PyAny>>,
    rows_total: Option<u64>,
) -> PyResult<CoreTable> {
    let py = data.py();
    let spec = options.extract::<ReadOptions>()?.spec(py)?;
    let asked = asked(py, columns)?;
    let mut call = Call::new(py, n_threads, progress, rows_total)?;
    let mut base = CustomerBase::new(spec).map_err(|error| into_py(py, &error))?;
    let update = fold(data, &mut call, self::columns(&base), |schema| base.begin(schema))?;
    let customers = update.customers();
    let scorer = RfmScorer::clone(&scorer.scorer);
    let table = call.run(py, customers, move |context| {
        base.commit(update, None, context)?;
        custcore::rfm_scores(base, None, sort, &asked, scorer, context)
    })?;
    Ok(CoreTable::new(table))
}

/// The customer base.
#[pyclass(frozen, module = "custcore._core", name = "CustomerBase")]
pub struct CoreBase {
    /// The base.
    pub base: SharedBase,
}

impl CoreBase {
    /// The current base.
    pub fn snapshot(&self, py: Python<'_>) -> PyResult<Arc<CustomerBase>> {
        self.base.snapshot(py)
    }

    fn of(base: CustomerBase) -> Self {
        Self { base: SharedBase::new(base) }
    }
}

#[pymethods]
impl CoreBase {
    #[new]
    fn new(options: &Bound<'_, PyAny>, track: &str, late: &str, max_memory: Option<u64>, spill_dir: Option<PathBuf>) -> PyResult<Self> {
        let py = options.py();
        let spec = options.extract::<ReadOptions>()?.kept_spec(py, track, late)?;
        let limit = max_memory.map(|memory| MemoryLimit::new(memory, spill_dir)).transpose().map_err(|error| into_py(py, &error))?;
        let base = CustomerBase::new(spec).map_err(|error| into_py(py, &error))?;
        Ok(Self::of(base.with_limit(limit)))
    }

    #[pyo3(signature = (data, *, batch_id, n_threads, progress, rows_total))]
    fn update(
        &self,
        data: &Bound<'_, PyAny>,
        batch_id: Option<String>,
        n_threads: Option<i64>,
        progress: Option<Py<PyAny>>,
        rows_total: Option<u64>,
    ) -> PyResult<CoreChange> {
        let py = data.py();
        let mut call = Call::new(py, n_threads, progress, rows_total)?;
        let before = self.base.version(py)?;
        if let Some(batch) = &batch_id {
            before.check_batch(batch).map_err(|error| into_py(py, &error))?;
        }
        let mut source = Source::open(data, Some(columns(before.main())))?;
        // The version is not held while rows are read: another update may be committed meanwhile. This one is added to the base as it
        // is then.
        let builder = begin(py, &before, &mut source)?;
        drop(before);
        let builder = call.fold(py, &mut source, builder)?;
        let rows = usize::try_from(builder.rows()).unwrap_or(usize::MAX);
        let update = call.run(py, rows, move |context| builder.finish(context))?;
        let (base, rows) = (self.base.clone(), update.customers());
        Ok(CoreChange::new(move |py| {
            change_versions(py, &mut call, &[&base], rows, move |bases, context| {
                let mut both = bases.iter_mut().zip([update]);
                both.try_for_each(|(base, update)| base.commit(update, batch_id.as_deref(), context))?;
                Ok(0)
            })
        }))
    }

    /// Adds the groups of batches one by one and commits each, so that only one group is in memory besides the base.
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
        let before = self.base.version(py)?;
        let mut source = Source::open(data, Some(columns(before.main())))?;
        begin(py, &before, &mut source)?;
        drop(before);
        let mut is_first = true;
        loop {
            let group = source.next_group(py)?;
            if group.is_empty() && !is_first {
                return Ok(());
            }
            is_first = false;
            let mut builder = begin(py, &self.base.version(py)?, &mut source)?;
            let update = call.run_on(py, group, move |group, context| {
                builder.push(group, context)?;
                builder.release();
                builder.finish(context)
            })?;
            let rows = update.customers();
            change_versions(py, &mut call, &[&self.base], rows, move |bases, context| {
                bases.iter_mut().zip([update]).try_for_each(|(base, update)| base.commit(update, None, context))
            })?;
        }
    }

    fn merge(&self, py: Python<'_>, other: &Self) -> PyResult<CoreChange> {
        let other = other.snapshot(py)?;
        let rows = self.work(py)?.saturating_add(work(&other));
        Ok(self.change(rows, move |base, context| base.merge(&other, context).map(|()| 0)))
    }

    fn seal(&self, py: Python<'_>, before: i32) -> PyResult<CoreChange> {
        let rows = self.work(py)?;
        Ok(self.change(rows, move |base, context| base.seal_within(before, context).map(|()| 0)))
    }

    fn relabel(&self, py: Python<'_>, pairs: Vec<(PyId, PyId)>) -> PyResult<CoreChange> {
        let pairs: Vec<(CustomerId, CustomerId)> = pairs.into_iter().map(|(old, new)| (old.0, new.0)).collect();
        let rows = self.work(py)?;
        Ok(self.change(rows, move |base, context| base.relabel_within(&pairs, context).map(|()| 0)))
    }

    fn remove(&self, py: Python<'_>, ids: Vec<PyId>) -> PyResult<CoreChange> {
        let ids: Vec<CustomerId> = ids.into_iter().map(|id| id.0).collect();
        let rows = self.work(py)?;
        Ok(self.change(rows, move |base, context| base.remove_within(&ids, context)))
    }

    #[pyo3(signature = (day, *, columns, sort, n_threads))]
    fn rfm(
        &self,
        py: Python<'_>,
        day: Option<(String, i64)>,
        columns: Option<Vec<String>>,
        sort: bool,
        n_threads: Option<i64>,
    ) -> PyResult<CoreTable> {
        let asked = asked(py, columns)?;
        let mut call = Call::new(py, n_threads, None, None)?;
        let day = day.as_ref().map(as_of);
        let base = self.snapshot(py)?;
        let size = work(&base);
        let tables = call.run(py, size, move |context| custcore::rfm_by_ranges(&base, day, sort, &asked, context))?;
        CoreTable::concat(py, tables)
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
        let size = work(&base);
        let cohorts = call.run(py, size, move |context| cohort_retention_of(&base, &spec, day, context))?;
        Ok(CoreCohortRetention::new(cohorts, n_threads))
    }

    /// The settings: read options, tracking level, treatment of late lines.
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyDict>, &'static str, &'static str)> {
        kept_options(py, self.base.version(py)?.main().spec())
    }

    /// Writes the base to a temporary file, which the change renames.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<CoreChange> {
        let base = self.snapshot(py)?;
        let (size, mut call) = (work(&base), Call::new(py, None, None, None)?);
        let draft = call.run_to_the_end(py, size, move |context| base.draft(&path, context))?;
        Ok(CoreChange::new(move |py| call.commit(py, size, move |_| draft.commit().map(|()| 0))))
    }

    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf, max_memory: Option<u64>, spill_dir: Option<PathBuf>) -> PyResult<Self> {
        let load = move |context: &Context| CustomerBase::load_within(&path, max_memory, spill_dir, context);
        Ok(Self::of(Call::new(py, None, None, None)?.run(py, INLINE_ROWS, load)?))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let base = self.snapshot(py)?;
        let bytes = Call::new(py, None, None, None)?.run(py, work(&base), move |context| base.to_bytes(context))?;
        crate::guard::bytes(py, &bytes)
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: PyBackedBytes, max_memory: Option<u64>, spill_dir: Option<PathBuf>) -> PyResult<Self> {
        let rows = data.len() / BYTES_PER_CUSTOMER;
        let read = move |context: &Context| CustomerBase::from_bytes_within(&data, max_memory, spill_dir, context);
        Ok(Self::of(Call::new(py, None, None, None)?.run(py, rows, read)?))
    }

    fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        Ok(Self { base: SharedBase::of(self.snapshot(py)?) })
    }

    fn report(&self, py: Python<'_>) -> PyResult<CoreTable> {
        let base = self.snapshot(py)?;
        let report = Call::new(py, None, None, None)?.run(py, work(&base), move |context| base.report_by_ranges(context))?;
        Ok(CoreTable::of_report(report))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        let version = self.base.version(py)?;
        if let Some(customers) = py.detach(move || version.customers()) {
            return Ok(customers);
        }
        let base = self.snapshot(py)?;
        Call::new(py, None, None, None)?.run(py, INLINE_ROWS, move |context| base.customers(context))
    }

    /// The number of customers and whether it is exact. It reads no runs.
    #[getter]
    fn customers(&self, py: Python<'_>) -> PyResult<(usize, bool)> {
        let version = self.base.version(py)?;
        if let Some(customers) = py.detach(move || version.customers()) {
            return Ok((customers, true));
        }
        let base = self.snapshot(py)?;
        Ok(py.detach(|| base.known_customers().map_or_else(|| (base.customers_at_most(), false), |customers| (customers, true))))
    }

    /// The memory limit in bytes.
    #[getter]
    fn max_memory(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        Ok(self.base.version(py)?.main().limit().map(|limit| limit.memory))
    }

    /// The parent of the folder of runs.
    #[getter]
    fn spill_dir(&self, py: Python<'_>) -> PyResult<Option<PathBuf>> {
        Ok(self.base.version(py)?.main().limit().map(|limit| limit.folder.clone()))
    }

    /// Bytes on disk.
    #[getter]
    fn spilled(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.base.version(py)?.main().bytes_on_disk())
    }

    /// Spills the customers in memory; for tests.
    fn spill(&self, py: Python<'_>) -> PyResult<()> {
        self.change(usize::MAX, |base, context| base.spill(context).map(|()| 0)).applied(py).map(drop)
    }

    /// Number of runs on disk, and the customers and bytes written to runs so far.
    #[getter]
    fn runs(&self, py: Python<'_>) -> PyResult<(usize, u64, u64)> {
        let version = self.base.version(py)?;
        let base = version.main();
        let (customers, bytes) = base.written();
        Ok((base.runs(), customers, bytes))
    }

    #[getter]
    fn rows(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.base.version(py)?.rows())
    }

    #[getter]
    fn nbytes(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.base.version(py)?.bytes())
    }

    #[getter]
    fn batches(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let base = self.base.version(py)?;
        let mut batches: Vec<String> = base.batches().map(str::to_owned).collect();
        batches.sort_unstable();
        Ok(batches)
    }

    #[getter]
    fn sealed(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.base.version(py)?.sealed().map(date_text))
    }

    #[getter]
    fn last_day(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.base.version(py)?.last_day().map(date_text))
    }
}

impl CoreBase {
    /// Amount of work for a pass over the base.
    fn work(&self, py: Python<'_>) -> PyResult<usize> {
        let version = self.base.version(py)?;
        Ok(if version.main().is_spilled() { usize::MAX } else { version.size() })
    }

    /// A change of the whole base.
    fn change(&self, rows: usize, work: impl FnOnce(&mut CustomerBase, &Context) -> Result<usize> + Send + 'static) -> CoreChange {
        let base = self.base.clone();
        CoreChange::new(move |py| {
            let mut call = Call::new(py, None, None, None)?;
            change(py, &mut call, &[&base], rows, move |bases, context| match bases.first_mut() {
                Some(base) => work(base, context),
                None => Err(Error::internal("no base to change")),
            })
        })
    }
}

/// A customer id from Python.
pub struct PyId(pub CustomerId);

impl<'py> FromPyObject<'_, 'py> for PyId {
    type Error = PyErr;

    fn extract(id: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(parts) = id.cast::<PyTuple>() {
            let parts = parts.iter().map(|part| Ok(part.extract::<Self>()?.0)).collect::<PyResult<_>>()?;
            Ok(Self(CustomerId::Tuple(parts)))
        } else if let Ok(text) = id.cast::<PyString>() {
            Ok(Self(CustomerId::Text(text.to_str()?.to_owned())))
        } else if let Ok(bytes) = id.cast::<PyBytes>() {
            Ok(Self(CustomerId::Binary(bytes.as_bytes().to_vec())))
        } else if id.is_instance_of::<PyInt>() {
            Ok(Self(CustomerId::Integer(id.extract()?)))
        } else {
            Err(PyTypeError::new_err(format!(
                "{} is not a customer id; expected int, str, bytes or a tuple of these",
                id.get_type().name()?
            )))
        }
    }
}
