//! Python binding of the customer base, and the one-shot `rfm`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_schema::Schema;
use custcore::{
    Context, CustomerBase, CustomerId, Error, ErrorKind, LimitedBuilder, MemoryLimit, Result, RfmScorer, Spill, Update, UpdateBuilder,
    VersionedBase, check_limited_batch, check_spill_dir, cohort_retention_of, commit_limited, date_text, default_spill_dir, limited_meta,
    spill_all,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyInt, PyString, PyTuple};

use crate::boundary::source::Source;
use crate::change::CoreChange;
use crate::cohort::{CohortOptions, CoreCohortRetention};
use crate::error::into_py;
use crate::options::{ReadOptions, as_of, kept_options};
use crate::rfm::CoreScorer;
use crate::runtime::{Call, INLINE_ROWS};
use crate::shared::{SharedBase, change, change_versions};
use crate::table::CoreTable;

/// Typical minimum number of bytes per customer in a serialized base; estimates the amount of work.
const BYTES_PER_CUSTOMER: usize = 64;

/// Reads `data` into the update that `begin` starts.
fn fold(
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

/// The columns that a base reads.
pub fn columns(base: &CustomerBase) -> Vec<String> {
    base.spec().roles.columns().into_iter().map(str::to_owned).collect()
}

/// The RFM table of transactions, without a persistent base.
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
    let customers = update.customers();
    let table = call.run(py, customers, move |context| {
        base.commit(update, None, context)?;
        custcore::rfm(&base, None, sort, context)
    })?;
    Ok(CoreTable::new(table))
}

/// The RFM table of transactions with scores and segments, without a persistent base.
#[pyfunction]
#[pyo3(signature = (data, options, scorer, *, sort, n_threads, progress, rows_total))]
pub fn rfm_scores(
    data: &Bound<'_, PyAny>,
    options: &Bound<'_, PyAny>,
    scorer: &CoreScorer,
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
    let customers = update.customers();
    let scorer = RfmScorer::clone(&scorer.scorer);
    let table = call.run(py, customers, move |context| {
        base.commit(update, None, context)?;
        custcore::rfm_scores(base, None, sort, scorer, context)
    })?;
    Ok(CoreTable::new(table))
}

/// The customer base.
#[pyclass(frozen, module = "custcore._core", name = "CustomerBase")]
pub struct CoreBase {
    /// The base; with a memory limit, the part of it that is in memory.
    pub base: SharedBase,
    /// The memory limit.
    limit: Option<MemoryLimit>,
    /// The part on disk.
    disk: Disk,
}

/// The part of a base that is on disk. Locked only while the base is checked out, or for moments.
type Disk = Arc<Mutex<Option<Spill>>>;

fn lock(disk: &Disk) -> MutexGuard<'_, Option<Spill>> {
    disk.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CoreBase {
    /// The current base; with a memory limit, the part in memory.
    pub fn snapshot(&self, py: Python<'_>) -> PyResult<Arc<CustomerBase>> {
        self.base.snapshot(py)
    }

    /// A base without a memory limit.
    pub fn of(base: CustomerBase) -> Self {
        Self { base: SharedBase::new(base), limit: None, disk: Disk::default() }
    }

    /// The current version, for changes that need all of it in memory; an error if a part of it is on disk.
    pub fn in_memory(&self, py: Python<'_>, what: &str) -> PyResult<VersionedBase> {
        if self.limit.is_some() { self.whole(py, what).map(VersionedBase::new) } else { self.base.version(py) }
    }

    /// The current base, for work that needs all of it in memory; an error if a part of it is on disk.
    pub fn whole(&self, py: Python<'_>, what: &str) -> PyResult<Arc<CustomerBase>> {
        let base = self.snapshot(py)?;
        match &self.limit {
            Some(limit) if lock(&self.disk).is_some() => {
                let message = format!(
                    "{what} needs the whole base in memory, but it exceeds max_memory={} bytes and a part of it is on disk. rfm(), \
                    len(), report and update() support such a base; for {what} build it with a larger max_memory",
                    limit.memory
                );
                Err(into_py(py, &Error::new(ErrorKind::MemoryLimit, message)))
            }
            _ => Ok(base),
        }
    }

    /// Spills the whole base and runs `work` on it; `None` if no part of it is on disk.
    fn on_disk<T: Send + 'static>(
        &self,
        py: Python<'_>,
        call: &mut Call,
        work: impl FnOnce(&Spill, &MemoryLimit, &Context) -> Result<T> + Send + 'static,
    ) -> PyResult<Option<T>> {
        let Some(limit) = self.limit.clone() else { return Ok(None) };
        let disk = self.disk.clone();
        change(py, call, &[&self.base], INLINE_ROWS, move |bases, context| {
            let mut disk = lock(&disk);
            let Some(base) = bases.first_mut().filter(|_| disk.is_some()) else { return Ok(None) };
            spill_all(base, &mut disk, context)?;
            disk.as_ref().map(|disk| work(disk, &limit, context)).transpose()
        })
    }

    /// Updates a base that has a memory limit.
    fn update_limited(&self, data: &Bound<'_, PyAny>, mut call: Call, limit: &MemoryLimit, batch: Option<String>) -> PyResult<CoreChange> {
        let py = data.py();
        let before = self.snapshot(py)?;
        let mut source = Source::open(data, Some(columns(&before)))?;
        let begin = |disk: Option<&Spill>| {
            check_limited_batch(&before, disk, batch.as_deref())?;
            LimitedBuilder::begin(&before, disk, source.all_columns(), limit)
        };
        let fold = begin(lock(&self.disk).as_ref()).map_err(|error| into_py(py, &error))?;
        drop(before);
        let fold = call.fold(py, &mut source, fold)?;
        let rows = usize::try_from(fold.rows()).unwrap_or(usize::MAX);
        let update = call.run(py, rows, move |context| fold.finish(context))?;
        let (base, disk, limit) = (self.base.clone(), self.disk.clone(), limit.clone());
        Ok(CoreChange::new(move |py| {
            change(py, &mut call, &[&base], rows, move |bases, context| {
                let mut disk = lock(&disk);
                let mut both = bases.iter_mut().zip([update]);
                both.try_for_each(|(base, update)| commit_limited(base, &mut disk, &limit, update, batch.as_deref(), context))?;
                Ok(0)
            })
        }))
    }
}

#[pymethods]
impl CoreBase {
    #[new]
    fn new(options: &Bound<'_, PyAny>, track: &str, late: &str, max_memory: Option<u64>, spill_dir: Option<PathBuf>) -> PyResult<Self> {
        let py = options.py();
        let spec = options.extract::<ReadOptions>()?.kept_spec(py, track, late)?;
        let limit = |memory| {
            let folder = spill_dir.clone().unwrap_or_else(default_spill_dir);
            check_spill_dir(&folder)?;
            MemoryLimit::new(memory, folder)
        };
        let limit = max_memory.map(limit).transpose().map_err(|error| into_py(py, &error))?;
        let base = CustomerBase::new(spec).map_err(|error| into_py(py, &error))?;
        Ok(Self { limit, ..Self::of(base) })
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
        if let Some(limit) = &self.limit {
            return self.update_limited(data, call, limit, batch_id);
        }
        let before = self.base.version(py)?;
        if let Some(batch) = &batch_id {
            before.check_batch(batch).map_err(|error| into_py(py, &error))?;
        }
        // The version is not held while rows are read: another update may be committed meanwhile. This one is added to the base as it
        // is then.
        let update = fold(data, &mut call, columns(before.main()), move |schema| before.begin(schema))?;
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
        if let Some(limit) = &self.limit {
            // Each group of batches is an update.
            let mut source = Source::open(data, Some(columns(&*self.snapshot(py)?)))?;
            return self.update_by_group(py, &mut call, &mut source, limit);
        }
        let mut source = Source::open(data, Some(columns(self.base.version(py)?.main())))?;
        let mut is_first = true;
        loop {
            let group = source.next_group(py)?;
            if group.is_empty() && !is_first {
                return Ok(());
            }
            is_first = false;
            let begun = self.base.version(py)?.begin(source.all_columns());
            let mut fold = begun.map_err(|error| into_py(py, &error))?;
            let update = call.run_on(py, group, move |group, context| {
                fold.push(group, context)?;
                fold.release();
                fold.finish(context)
            })?;
            let rows = update.customers();
            change_versions(py, &mut call, &[&self.base], rows, move |bases, context| {
                bases.iter_mut().zip([update]).try_for_each(|(base, update)| base.commit(update, None, context))
            })?;
        }
    }

    fn merge(&self, py: Python<'_>, other: &Self) -> PyResult<CoreChange> {
        let other = other.whole(py, "merge()")?;
        let rows = self.in_memory(py, "merge()")?.size() + other.size();
        Ok(self.change(rows, move |base, context| base.merge(&other, context).map(|()| 0)))
    }

    fn seal(&self, py: Python<'_>, before: i32) -> PyResult<CoreChange> {
        let rows = self.in_memory(py, "seal()")?.size();
        Ok(self.change(rows, move |base, _| base.seal(before).map(|()| 0)))
    }

    fn relabel(&self, py: Python<'_>, pairs: Vec<(PyId, PyId)>) -> PyResult<CoreChange> {
        let pairs: Vec<(CustomerId, CustomerId)> = pairs.into_iter().map(|(old, new)| (old.0, new.0)).collect();
        let rows = self.in_memory(py, "relabel()")?.size();
        Ok(self.change(rows, move |base, _| base.relabel(&pairs).map(|()| 0)))
    }

    fn remove(&self, py: Python<'_>, ids: Vec<PyId>) -> PyResult<CoreChange> {
        let ids: Vec<CustomerId> = ids.into_iter().map(|id| id.0).collect();
        let rows = self.in_memory(py, "remove()")?.size();
        Ok(self.change(rows, move |base, _| base.remove(&ids)))
    }

    #[pyo3(signature = (day, *, sort, n_threads))]
    fn rfm(&self, py: Python<'_>, day: Option<(String, i64)>, sort: bool, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let mut call = Call::new(py, n_threads, None, None)?;
        let day = day.as_ref().map(as_of);
        let tables = self.on_disk(py, &mut call, move |disk, limit, context| custcore::rfm_on_disk(disk, limit, day, sort, context))?;
        if let Some(tables) = tables {
            return CoreTable::concat(py, tables);
        }
        let base = self.snapshot(py)?;
        let size = base.size();
        let table = call.run(py, size, move |context| custcore::rfm(&base, day, sort, context))?;
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
        let base = self.whole(py, "cohort_retention()")?;
        let size = base.size();
        let cohorts = call.run(py, size, move |context| cohort_retention_of(&base, &spec, day, context))?;
        Ok(CoreCohortRetention::new(cohorts, n_threads))
    }

    /// The settings: read options, tracking level, treatment of late lines.
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyDict>, &'static str, &'static str)> {
        kept_options(py, self.base.version(py)?.main().spec())
    }

    /// Writes the base to a temporary file, which the change renames.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<CoreChange> {
        let base = self.whole(py, "save()")?;
        let (size, mut call) = (base.size(), Call::new(py, None, None, None)?);
        let draft = call.run_to_the_end(py, size, move |context| base.draft(&path, context))?;
        Ok(CoreChange::new(move |py| call.commit(py, size, move |_| draft.commit().map(|()| 0))))
    }

    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let base = Call::new(py, None, None, None)?.run(py, INLINE_ROWS, move |context| CustomerBase::load(&path, context))?;
        Ok(Self::of(base))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let base = self.whole(py, "to_bytes()")?;
        let size = base.size();
        let bytes = Call::new(py, None, None, None)?.run(py, size, move |context| base.to_bytes(context))?;
        crate::guard::bytes(py, &bytes)
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: PyBackedBytes) -> PyResult<Self> {
        let rows = data.len() / BYTES_PER_CUSTOMER;
        let base = Call::new(py, None, None, None)?.run(py, rows, move |context| CustomerBase::from_bytes(&data, context))?;
        Ok(Self::of(base))
    }

    fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        let base = SharedBase::of(self.whole(py, "a copy")?);
        Ok(Self { base, limit: self.limit.clone(), disk: Disk::default() })
    }

    fn report(&self, py: Python<'_>) -> PyResult<CoreTable> {
        let mut call = Call::new(py, None, None, None)?;
        if let Some((_, report)) = self.on_disk(py, &mut call, limited_meta)? {
            return Ok(CoreTable::of_report(report));
        }
        let base = self.snapshot(py)?;
        let report = py.detach(|| base.report(None)).map_err(|error| into_py(py, &error))?;
        Ok(CoreTable::of_report(report))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        let mut call = Call::new(py, None, None, None)?;
        if let Some((customers, _)) = self.on_disk(py, &mut call, limited_meta)? {
            return Ok(customers);
        }
        let version = self.base.version(py)?;
        if let Some(customers) = py.detach(move || version.customers()) {
            return Ok(customers);
        }
        let base = self.snapshot(py)?;
        Ok(py.detach(|| base.len()))
    }

    /// Number of bytes on disk; 0 if the base fits in memory.
    #[getter]
    fn spilled(&self) -> u64 {
        lock(&self.disk).as_ref().map_or(0, Spill::bytes)
    }

    #[getter]
    fn rows(&self, py: Python<'_>) -> PyResult<u64> {
        let base = self.base.version(py)?;
        Ok(base.rows() + lock(&self.disk).as_ref().map_or(0, |disk| disk.account().rows()))
    }

    #[getter]
    fn nbytes(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.base.version(py)?.bytes())
    }

    #[getter]
    fn batches(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let base = self.base.version(py)?;
        let disk = lock(&self.disk);
        let mut batches: Vec<String> =
            base.batches().chain(disk.iter().flat_map(|disk| disk.account().batches())).map(str::to_owned).collect();
        batches.sort_unstable();
        Ok(batches)
    }

    #[getter]
    fn sealed(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.base.version(py)?.sealed().map(date_text))
    }

    #[getter]
    fn last_day(&self, py: Python<'_>) -> PyResult<Option<String>> {
        let base = self.base.version(py)?;
        let disk = lock(&self.disk).as_ref().and_then(|disk| disk.account().last_day());
        Ok(base.last_day().max(disk).map(date_text))
    }
}

impl CoreBase {
    /// Adds groups of batches to a base that has a memory limit and commits each.
    fn update_by_group(&self, py: Python<'_>, call: &mut Call, source: &mut Source, limit: &MemoryLimit) -> PyResult<()> {
        loop {
            let group = source.next_group(py)?;
            if group.is_empty() {
                return Ok(());
            }
            let before = self.snapshot(py)?;
            let begin = |disk: Option<&Spill>| LimitedBuilder::begin(&before, disk, source.all_columns(), limit);
            let mut fold = begin(lock(&self.disk).as_ref()).map_err(|error| into_py(py, &error))?;
            drop(before);
            let update = call.run_on(py, group, move |group, context| {
                fold.push(group, context)?;
                fold.release();
                fold.finish(context)
            })?;
            let (disk, limit) = (self.disk.clone(), limit.clone());
            change(py, call, &[&self.base], INLINE_ROWS, move |bases, context| {
                let mut disk = lock(&disk);
                bases.iter_mut().zip([update]).try_for_each(|(base, update)| commit_limited(base, &mut disk, &limit, update, None, context))
            })?;
        }
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
struct PyId(CustomerId);

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
