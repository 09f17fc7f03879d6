//! Python bindings of value classes, the Pareto curve, concentration, and demand classes.

use custcore::{AbcSpec, ClassBy, ClassRule, ClassTies, Context, CustomerBase, Result, Table, XyzSpec};
use pyo3::prelude::*;

use crate::base::{CoreBase, columns, fold, work};
use crate::cohort::{WEEKDAYS, period};
use crate::error::into_py;
use crate::options::{ReadOptions, as_of, choice};
use crate::runtime::Call;
use crate::table::CoreTable;

/// Options of value classes; passed as a dict.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct AbcOptions {
    by: String,
    thresholds: Option<Vec<f64>>,
    rule: String,
    ties: String,
    group: Option<String>,
}

impl AbcOptions {
    fn spec(&self, py: Python<'_>) -> PyResult<AbcSpec> {
        Ok(AbcSpec {
            by: choice(py, "by", &self.by, &[("value", ClassBy::Value), ("customers", ClassBy::Customers)])?,
            thresholds: self.thresholds.clone(),
            rule: choice(py, "rule", &self.rule, &[("before", ClassRule::Before), ("upto", ClassRule::Upto)])?,
            ties: choice(py, "ties", &self.ties, &[("split", ClassTies::Split), ("same", ClassTies::Same)])?,
            group: self.group.clone(),
        })
    }
}

/// Options of demand classes; passed as a dict.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct XyzOptions {
    period: (String, i32),
    thresholds: (f64, f64),
    min_periods: u32,
    week_start: String,
    fiscal_year_start: i32,
}

impl XyzOptions {
    fn spec(&self, py: Python<'_>) -> PyResult<XyzSpec> {
        Ok(XyzSpec {
            period: period(py, "period", &self.period)?,
            thresholds: self.thresholds,
            min_periods: self.min_periods,
            week_start: choice(py, "week_start", &self.week_start, &WEEKDAYS)?,
            fiscal_year_start: self.fiscal_year_start,
        })
    }
}

type Day = Option<(String, i64)>;

/// Runs an analysis of a base as of a day.
fn analyze<R: Send + 'static>(
    base: &Bound<'_, CoreBase>,
    n_threads: Option<i64>,
    analysis: impl FnOnce(&CustomerBase, &Context) -> Result<R> + Send + 'static,
) -> PyResult<R> {
    let py = base.py();
    let base = base.get().snapshot(py)?;
    let size = work(&base);
    Call::new(py, n_threads, None, None)?.run(py, size, move |context| analysis(&base, context))
}

/// The value class of every buyer of transactions, without a persistent base.
#[pyfunction]
#[pyo3(signature = (data, read, options, *, n_threads, progress, rows_total))]
pub fn abc_table(
    data: &Bound<'_, PyAny>,
    read: &Bound<'_, PyAny>,
    options: AbcOptions,
    n_threads: Option<i64>,
    progress: Option<Py<PyAny>>,
    rows_total: Option<u64>,
) -> PyResult<CoreTable> {
    let py = data.py();
    let spec = options.spec(py)?;
    let mut call = Call::new(py, n_threads, progress, rows_total)?;
    let mut base = CustomerBase::new(read.extract::<ReadOptions>()?.spec(py)?).map_err(|error| into_py(py, &error))?;
    let update = fold(data, &mut call, columns(&base), |schema| base.begin(schema))?;
    let customers = update.customers();
    let table = call.run(py, customers, move |context| {
        base.commit(update, None, context)?;
        custcore::abc(&base, None, &spec, context)
    })?;
    Ok(CoreTable::new(table))
}

/// The value class of every buyer.
#[pyfunction]
#[pyo3(signature = (base, day, options, *, n_threads))]
pub fn abc(base: &Bound<'_, CoreBase>, day: Day, options: AbcOptions, n_threads: Option<i64>) -> PyResult<CoreTable> {
    let (spec, day) = (options.spec(base.py())?, day.as_ref().map(as_of));
    let table: Table = analyze(base, n_threads, move |base, context| custcore::abc(base, day, &spec, context))?;
    Ok(CoreTable::new(table))
}

/// The Pareto curve.
#[pyfunction]
#[pyo3(signature = (base, day, points, *, n_threads))]
pub fn pareto(base: &Bound<'_, CoreBase>, day: Day, points: usize, n_threads: Option<i64>) -> PyResult<CoreTable> {
    let day = day.as_ref().map(as_of);
    Ok(CoreTable::new(analyze(base, n_threads, move |base, context| custcore::pareto(base, day, points, context))?))
}

/// Top shares and the Gini coefficient.
#[pyfunction]
#[pyo3(signature = (base, day, top, *, n_threads))]
pub fn concentration(base: &Bound<'_, CoreBase>, day: Day, top: Vec<f64>, n_threads: Option<i64>) -> PyResult<CoreTable> {
    let day = day.as_ref().map(as_of);
    Ok(CoreTable::new(analyze(base, n_threads, move |base, context| custcore::concentration(base, day, &top, context))?))
}

/// The demand class of every buyer.
#[pyfunction]
#[pyo3(signature = (base, day, options, *, n_threads))]
pub fn xyz(base: &Bound<'_, CoreBase>, day: Day, options: XyzOptions, n_threads: Option<i64>) -> PyResult<CoreTable> {
    let py = base.py();
    let (spec, day) = (options.spec(py)?, day.as_ref().map(as_of));
    let tables = analyze(base, n_threads, move |base, context| custcore::xyz_by_ranges(base, day, &spec, context))?;
    CoreTable::concat(py, tables)
}

/// Value classes by demand classes.
#[pyfunction]
#[pyo3(signature = (base, day, abc, xyz, *, n_threads))]
pub fn abc_xyz(base: &Bound<'_, CoreBase>, day: Day, abc: AbcOptions, xyz: XyzOptions, n_threads: Option<i64>) -> PyResult<CoreTable> {
    let py = base.py();
    let (abc, xyz, day) = (abc.spec(py)?, xyz.spec(py)?, day.as_ref().map(as_of));
    Ok(CoreTable::new(analyze(base, n_threads, move |base, context| custcore::abc_xyz(base, day, &abc, &xyz, context))?))
}
