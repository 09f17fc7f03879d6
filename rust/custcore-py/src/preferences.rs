//! Python bindings of what customers like: preferences, breadth, sensitivity to promotion, channels.

use custcore::{
    Context, CustomerBase, PreferenceMeasure, PreferenceSpec, Preferred, Result, Table, breadth as breadth_of, channels as channels_of,
    group_preferences, preference_features as features_of, preferences as preferences_of, promotion_sensitivity as sensitivity_of,
};
use pyo3::prelude::*;

use crate::base::{CoreBase, work};
use crate::measures::{SegmentsArgument, segments};
use crate::options::{as_of, choice};
use crate::runtime::Call;
use crate::table::CoreTable;

type Day = Option<(String, i64)>;

fn spec(py: Python<'_>, preferred: &str, measure: &str, prior_orders: f64) -> PyResult<PreferenceSpec> {
    let measures = [("spend", PreferenceMeasure::Spend), ("orders", PreferenceMeasure::Orders)];
    Ok(PreferenceSpec {
        preferred: choice(py, "preferred", preferred, &[("categories", Preferred::Categories), ("channels", Preferred::Channels)])?,
        measure: choice(py, "measure", measure, &measures)?,
        prior_orders,
    })
}

/// Runs an analysis by ranges of ids.
fn by_ranges(
    base: &Bound<'_, CoreBase>,
    n_threads: Option<i64>,
    analysis: impl FnOnce(&CustomerBase, &Context) -> Result<Vec<Table>> + Send + 'static,
) -> PyResult<CoreTable> {
    let py = base.py();
    let base = base.get().snapshot(py)?;
    let size = work(&base);
    let tables = Call::new(py, n_threads, None, None)?.run(py, size, move |context| analysis(&base, context))?;
    CoreTable::concat(py, tables)
}

/// The preferences of customers, or of groups.
#[pyfunction]
#[pyo3(signature = (base, preferred, measure, prior_orders, *, by, segment_table, day, n_threads))]
#[expect(clippy::too_many_arguments, reason = "those of the Python method")]
pub fn preferences(
    base: &Bound<'_, CoreBase>,
    preferred: &str,
    measure: &str,
    prior_orders: f64,
    by: Option<String>,
    segment_table: Option<SegmentsArgument<'_>>,
    day: Day,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let py = base.py();
    let (spec, day) = (spec(py, preferred, measure, prior_orders)?, day.as_ref().map(as_of));
    if by.is_none() && segment_table.is_none() {
        return by_ranges(base, n_threads, move |base, context| preferences_of(base, &spec, day, context));
    }
    let base = base.get().snapshot(py)?;
    let of_customers = segments(py, segment_table, base.spec().roles.customer_id.clone(), n_threads)?;
    let size = work(&base);
    let table = Call::new(py, n_threads, None, None)?
        .run(py, size, move |context| group_preferences(&base, &spec, (by.as_deref(), of_customers.as_deref()), day, context))?;
    Ok(CoreTable::new(table))
}

/// Shares as columns of the largest categories.
#[pyfunction]
#[pyo3(signature = (base, preferred, measure, prior_orders, top, *, day, n_threads))]
pub fn preference_features(
    base: &Bound<'_, CoreBase>,
    preferred: &str,
    measure: &str,
    prior_orders: f64,
    top: usize,
    day: Day,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let (spec, day) = (spec(base.py(), preferred, measure, prior_orders)?, day.as_ref().map(as_of));
    by_ranges(base, n_threads, move |base, context| features_of(base, &spec, top, day, context))
}

/// How broad customers buy.
#[pyfunction]
#[pyo3(signature = (base, prior_orders, *, day, n_threads))]
pub fn breadth(base: &Bound<'_, CoreBase>, prior_orders: f64, day: Day, n_threads: Option<i64>) -> PyResult<CoreTable> {
    let day = day.as_ref().map(as_of);
    by_ranges(base, n_threads, move |base, context| breadth_of(base, prior_orders, day, context))
}

/// How much customers buy with a discount.
#[pyfunction]
#[pyo3(signature = (base, prior_rows, *, day, n_threads))]
pub fn promotion_sensitivity(base: &Bound<'_, CoreBase>, prior_rows: f64, day: Day, n_threads: Option<i64>) -> PyResult<CoreTable> {
    let day = day.as_ref().map(as_of);
    by_ranges(base, n_threads, move |base, context| sensitivity_of(base, prior_rows, day, context))
}

/// The main and the last channel of customers.
#[pyfunction]
#[pyo3(signature = (base, *, day, n_threads))]
pub fn channels(base: &Bound<'_, CoreBase>, day: Day, n_threads: Option<i64>) -> PyResult<CoreTable> {
    let day = day.as_ref().map(as_of);
    by_ranges(base, n_threads, move |base, context| channels_of(base, day, context))
}
