//! Several customer bases from one scan, as Python sees it.

use std::sync::{Arc, PoisonError};

use custcore::base::CustomerBase;
use custcore::base::scan::{Scan, commit_all};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;

use crate::base::{CoreBase, columns};
use crate::boundary::source::Source;
use crate::door::Call;
use crate::error::into_py;

/// Adds the rows of `data` to each of the bases, which are distinct, or to none of them.
#[pyfunction]
#[pyo3(signature = (data, bases, *, batch_id, n_threads, progress, rows_total))]
pub fn scan(
    data: &Bound<'_, PyAny>,
    bases: Vec<(String, Bound<'_, CoreBase>)>,
    batch_id: Option<String>,
    n_threads: Option<i64>,
    progress: Option<Py<PyAny>>,
    rows_total: Option<u64>,
) -> PyResult<()> {
    let py = data.py();
    let mut call = Call::new(py, n_threads, progress, rows_total)?;
    let before: Vec<Arc<CustomerBase>> = bases.iter().map(|(_, base)| base.get().snapshot(py)).collect();
    let wanted = before.iter().flat_map(|base| columns(base)).collect();
    let mut source = Source::open(data, Some(wanted))?;
    let named = bases.iter().map(|(name, _)| name.as_str()).zip(before.iter().map(Arc::as_ref));
    let scan = Scan::begin(named, source.all_columns(), batch_id.as_deref()).map_err(|error| into_py(py, &error))?;
    let scan = call.fold(py, &mut source, scan)?;
    let rows = usize::try_from(scan.rows()).unwrap_or(usize::MAX);
    let updates = call.run(py, rows, move |context| scan.finish(context))?;
    drop(before);
    // Whoever holds one of these locks holds the GIL, too, and keeps it meanwhile: in whatever order they are taken, nobody waits.
    let mut locked: Vec<_> =
        bases.iter().map(|(_, base)| base.get().base.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)).collect();
    let named = bases.iter().map(|(name, _)| name.as_str()).zip(locked.iter_mut().map(|base| Arc::make_mut(base))).collect();
    commit_all(named, updates, batch_id.as_deref()).map_err(|error| into_py(py, &error))
}
