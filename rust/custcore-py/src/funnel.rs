//! Python bindings of funnels of events, and of the ladder of orders.

use custcore::{FunnelSpec, KeyNames, StepOrder, funnel as funnel_of, order_ladder as ladder_of};
use pyo3::prelude::*;

use crate::base::{CoreBase, work};
use crate::boundary::header::Selection;
use crate::cohort::end;
use crate::input::Input;
use crate::measures::{SegmentsArgument, segments};
use crate::options::{Names, as_of, choice};
use crate::runtime::Call;
use crate::table::CoreTable;

/// How many customers take each step; `window` is in microseconds.
#[pyfunction]
#[pyo3(signature = (data, *, customer_id, timestamp, event, by, steps, window, strict, order, observation_end, n_threads))]
#[expect(clippy::too_many_arguments, reason = "those of the Python function")]
pub fn funnel(
    data: &Bound<'_, PyAny>,
    customer_id: Names,
    timestamp: String,
    event: String,
    by: Option<String>,
    steps: Vec<String>,
    window: i64,
    strict: bool,
    order: &str,
    observation_end: Option<(String, i64)>,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let py = data.py();
    let spec = FunnelSpec {
        customer_id: KeyNames::from(customer_id),
        timestamp,
        event,
        by,
        steps,
        window,
        strict,
        order: choice(py, "order", order, &[("ordered", StepOrder::Ordered), ("any", StepOrder::Any)])?,
        observation_end: observation_end.as_ref().map(end),
    };
    let columns = [Some(spec.timestamp.as_str()), Some(spec.event.as_str()), spec.by.as_deref()];
    let names = spec.customer_id.iter().chain(columns.into_iter().flatten()).map(str::to_owned).collect();
    let batches = Input::read(data, Selection::Using { names, first: false })?.batches;
    let table = Call::new(py, n_threads, None, None)?.run_on(py, batches, move |batches, context| funnel_of(batches, &spec, context))?;
    Ok(CoreTable::new(table))
}

/// Of the customers with so many orders, how many made one more.
#[pyfunction]
#[pyo3(signature = (base, n, by, segment_table, day, *, n_threads))]
pub fn order_ladder(
    base: &Bound<'_, CoreBase>,
    n: usize,
    by: Option<String>,
    segment_table: Option<SegmentsArgument<'_>>,
    day: Option<(String, i64)>,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let py = base.py();
    let base = base.get().snapshot(py)?;
    let of_customers = segments(py, segment_table, base.spec().roles.customer_id.clone(), n_threads)?;
    let (size, day) = (work(&base), day.as_ref().map(as_of));
    let table = Call::new(py, n_threads, None, None)?
        .run(py, size, move |context| ladder_of(&base, n, (by.as_deref(), of_customers.as_deref()), day, context))?;
    Ok(CoreTable::new(table))
}
