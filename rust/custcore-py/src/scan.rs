//! Python binding of `scan`: updates several customer bases in one pass.

use custcore::{SharedScan, VersionedBase, commit_updates, error_of_base};
use pyo3::prelude::*;

use crate::base::{CoreBase, columns};
use crate::boundary::source::Source;
use crate::change::CoreChange;
use crate::error::into_py;
use crate::runtime::Call;
use crate::shared::{SharedBase, change_versions};

/// Prepares to add the rows of `data` to all of the bases, which must be distinct, or to none of them.
#[pyfunction]
#[pyo3(signature = (data, bases, *, batch_id, n_threads, progress, rows_total))]
pub fn scan(
    data: &Bound<'_, PyAny>,
    bases: Vec<(String, Bound<'_, CoreBase>)>,
    batch_id: Option<String>,
    n_threads: Option<i64>,
    progress: Option<Py<PyAny>>,
    rows_total: Option<u64>,
) -> PyResult<CoreChange> {
    let py = data.py();
    let mut call = Call::new(py, n_threads, progress, rows_total)?;
    let before: Vec<VersionedBase> = bases.iter().map(|(_, base)| base.get().base.version(py)).collect::<PyResult<_>>()?;
    for ((name, _), base) in bases.iter().zip(&before) {
        let check = batch_id.as_deref().map_or(Ok(()), |batch| base.check_batch(batch));
        check.map_err(|error| into_py(py, &error_of_base(error, name)))?;
    }
    let wanted = before.iter().flat_map(|base| columns(base.main())).collect();
    let mut source = Source::open(data, Some(wanted))?;
    let named = bases.iter().map(|(name, _)| name.as_str()).zip(&before);
    let scan = SharedScan::begin(named, source.all_columns()).map_err(|error| into_py(py, &error))?;
    // The versions are not held while rows are read, so that other updates are merged in place.
    drop(before);
    let scan = call.fold(py, &mut source, scan)?;
    let rows = usize::try_from(scan.rows()).unwrap_or(usize::MAX);
    let updates = call.run(py, rows, move |context| scan.finish(context))?;
    let names: Vec<String> = bases.iter().map(|(name, _)| name.clone()).collect();
    let shared: Vec<SharedBase> = bases.iter().map(|(_, base)| base.get().base.clone()).collect();
    Ok(CoreChange::new(move |py| {
        change_versions(py, &mut call, &shared.iter().collect::<Vec<_>>(), rows, move |bases, context| {
            let named = names.iter().map(String::as_str).zip(bases.iter_mut().map(|base| &mut **base)).collect();
            commit_updates(named, updates, batch_id.as_deref(), context).map(|()| 0)
        })
    }))
}
