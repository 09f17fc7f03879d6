//! Python binding of measures per period and of their decomposition.

use std::sync::Arc;

use custcore::{CustomerSegments, DecompositionSpec, KeyNames, Measures, MeasuresSpec, Result, Table};
use pyo3::prelude::*;

use crate::base::{CoreBase, work};
use crate::boundary::header::Selection;
use crate::boundary::source::Source;
use crate::cohort::{WEEKDAYS, period};
use crate::error::into_py;
use crate::input::Input;
use crate::options::{ReadOptions, as_of, choice};
use crate::runtime::Call;
use crate::table::CoreTable;

/// Options of measures; passed as a dict by `custcore.measures`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct MeasuresOptions {
    /// A period of cohorts, or ("all", 0).
    period: (String, i32),
    by: Option<String>,
    week_start: String,
    fiscal_year_start: i32,
    /// The lag of a decomposition and whether it includes partial periods; `None` for the measures.
    decomposition: Option<(u32, bool)>,
}

impl MeasuresOptions {
    fn spec(&self, py: Python<'_>) -> PyResult<MeasuresSpec> {
        Ok(MeasuresSpec {
            period: if self.period.0 == "all" { None } else { Some(period(py, "period", &self.period)?) },
            by: self.by.clone(),
            week_start: choice(py, "week_start", &self.week_start, &WEEKDAYS)?,
            fiscal_year_start: self.fiscal_year_start,
        })
    }

    fn decomposition(&self) -> Option<DecompositionSpec> {
        self.decomposition.map(|(lag, include_partial)| DecompositionSpec { lag, include_partial })
    }
}

fn table_of(measures: Measures, decomposition: Option<DecompositionSpec>) -> Result<Table> {
    match decomposition {
        None => measures.table(),
        Some(spec) => measures.decomposition(spec),
    }
}

/// A table of segments, and the name of its column of segments.
pub type SegmentsArgument<'py> = (Bound<'py, PyAny>, String);

/// Reads a table of segments; `ids` are the columns of customer ids of the transactions.
pub fn segments(
    py: Python<'_>,
    argument: Option<SegmentsArgument<'_>>,
    ids: KeyNames,
    n_threads: Option<i64>,
) -> PyResult<Option<Arc<CustomerSegments>>> {
    let Some((table, column)) = argument else { return Ok(None) };
    let names = ids.iter().map(str::to_owned).chain([column.clone()]).collect();
    let batches = Input::read(&table, Selection::Using { names, first: true })?.batches;
    let read = Call::new(py, n_threads, None, None)?
        .run_on(py, batches, move |batches, context| CustomerSegments::new(batches, &ids, &column, context))?;
    Ok(Some(Arc::new(read)))
}

/// The measures of transactions, or their decomposition, without a persistent base.
#[pyfunction]
#[pyo3(signature = (data, read, options, by, *, n_threads, progress, rows_total))]
pub fn measures(
    data: &Bound<'_, PyAny>,
    read: &Bound<'_, PyAny>,
    options: &Bound<'_, PyAny>,
    by: Option<SegmentsArgument<'_>>,
    n_threads: Option<i64>,
    progress: Option<Py<PyAny>>,
    rows_total: Option<u64>,
) -> PyResult<CoreTable> {
    let py = data.py();
    let options = options.extract::<MeasuresOptions>()?;
    let (spec, decomposition) = (options.spec(py)?, options.decomposition());
    let read = read.extract::<ReadOptions>()?.unchecked_spec(py)?;
    let by = segments(py, by, read.roles.customer_id.clone(), n_threads)?;
    let mut call = Call::new(py, n_threads, progress, rows_total)?;
    let scan = spec.scan(read, by.is_some()).map_err(|error| into_py(py, &error))?;
    let columns = scan.roles.columns().into_iter().map(str::to_owned).collect();
    let mut source = Source::open(data, Some(columns))?;
    let fold = Measures::begin_scan(&scan, source.all_columns()).map_err(|error| into_py(py, &error))?;
    let fold = call.fold(py, &mut source, fold)?;
    let rows = usize::try_from(fold.rows()).unwrap_or(usize::MAX);
    let table = call.run(py, rows, move |context| table_of(Measures::finish_scan(&spec, by.as_deref(), fold, context)?, decomposition))?;
    Ok(CoreTable::new(table))
}

/// The measures of a base, or their decomposition.
#[pyfunction]
#[pyo3(signature = (base, options, by, day, *, n_threads))]
pub fn base_measures(
    base: &Bound<'_, CoreBase>,
    options: &Bound<'_, PyAny>,
    by: Option<SegmentsArgument<'_>>,
    day: Option<(String, i64)>,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let py = base.py();
    let options = options.extract::<MeasuresOptions>()?;
    let (spec, decomposition) = (options.spec(py)?, options.decomposition());
    let base = base.get().snapshot(py)?;
    let by = segments(py, by, base.spec().roles.customer_id.clone(), n_threads)?;
    let (size, day) = (work(&base), day.as_ref().map(as_of));
    let table = Call::new(py, n_threads, None, None)?
        .run(py, size, move |context| table_of(Measures::of_base(&base, &spec, by.as_deref(), day, context)?, decomposition))?;
    Ok(CoreTable::new(table))
}
