//! Python bindings of what new customers cost, of changes of revenue, and of the health of a base.

use custcore::{
    AcquisitionSpec, CampaignIncrement, ChangeSpec, CustomerValues, DayRange, acquisition as acquisition_of, change as change_of,
    health as health_of, month_measures as measures_of_month,
};
use pyo3::prelude::*;

use crate::base::{CoreBase, work};
use crate::boundary::header::Selection;
use crate::cohort::period as period_of;
use crate::input::Input;
use crate::measures::{SegmentsArgument, segments};
use crate::options::as_of;
use crate::rfm::CoreScorer;
use crate::runtime::Call;
use crate::table::CoreTable;

/// What the customers of each cohort cost and earned.
#[pyfunction]
#[pyo3(signature = (base, costs, *, period, by, margin, n_periods, values, day, n_threads))]
#[expect(clippy::too_many_arguments, reason = "those of the Python method")]
pub fn acquisition(
    base: &Bound<'_, CoreBase>,
    costs: &Bound<'_, PyAny>,
    period: (String, i32),
    by: Option<String>,
    margin: f64,
    n_periods: Option<u32>,
    values: Option<Bound<'_, PyAny>>,
    day: Option<(String, i64)>,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let py = base.py();
    let period = period_of(py, "period", &period)?;
    let spec = AcquisitionSpec { period, by, margin, n_periods, as_of: day.as_ref().map(as_of) };
    let base = base.get().snapshot(py)?;
    let names = ["period", "cost"].into_iter().chain(spec.by.as_deref()).map(str::to_owned).collect();
    let costs = Input::read(costs, Selection::Using { names, first: false })?.batches;
    let ids = base.spec().roles.customer_id.clone();
    let values = values
        .map(|table| {
            let names = ids.iter().chain(["clv", "value"]).map(str::to_owned).collect();
            let batches = Input::read(&table, Selection::Using { names, first: true })?.batches;
            let ids = ids.clone();
            Call::new(py, n_threads, None, None)?.run_on(py, batches, move |batches, context| CustomerValues::new(batches, &ids, context))
        })
        .transpose()?;
    let table = Call::new(py, n_threads, None, None)?
        .run_on(py, costs, move |costs, context| acquisition_of(&base, &spec, costs, values.as_ref(), context))?;
    Ok(CoreTable::new(table))
}

/// What a campaign added: its number, the name of the group, customers, revenue and its bounds.
type Increment = (usize, String, u64, Option<f64>, Option<(f64, f64)>);

/// Where a change of revenue came from; periods are (first day, last day).
#[pyfunction]
#[pyo3(signature = (base, before, after, *, are_calendar, by, segment_table, campaigns, overlap, n_threads))]
#[expect(clippy::too_many_arguments, reason = "those of the Python method")]
pub fn change(
    base: &Bound<'_, CoreBase>,
    before: (i32, i32),
    after: (i32, i32),
    are_calendar: bool,
    by: Option<String>,
    segment_table: Option<SegmentsArgument<'_>>,
    campaigns: Vec<Increment>,
    overlap: Option<String>,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let py = base.py();
    let days = |(first, last): (i32, i32)| DayRange { first, last };
    let spec = ChangeSpec { before: days(before), after: days(after), are_calendar, by, overlap };
    let campaigns: Vec<CampaignIncrement> = campaigns
        .into_iter()
        .map(|(campaign, name, customers, revenue, bounds)| CampaignIncrement { campaign, name, customers, revenue, bounds })
        .collect();
    let base = base.get().snapshot(py)?;
    let of_customers = segments(py, segment_table, base.spec().roles.customer_id.clone(), n_threads)?;
    let size = work(&base);
    let table = Call::new(py, n_threads, None, None)?
        .run(py, size, move |context| change_of(&base, &spec, of_customers.as_deref(), &campaigns, context))?;
    Ok(CoreTable::new(table))
}

/// The health of a base as of the last complete month.
#[pyfunction]
#[pyo3(signature = (base, day, scorer, *, n_threads))]
pub fn health(
    base: &Bound<'_, CoreBase>,
    day: Option<(String, i64)>,
    scorer: &Bound<'_, CoreScorer>,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let py = base.py();
    let (base, scorer, day) = (base.get().snapshot(py)?, scorer.get().scorer.clone(), day.as_ref().map(as_of));
    let size = work(&base);
    let table = Call::new(py, n_threads, None, None)?.run(py, size, move |context| health_of(&base, day, &scorer, context))?;
    Ok(CoreTable::new(table))
}

/// The measures of the month of a day, of the month before and of the year before.
#[pyfunction]
#[pyo3(signature = (base, day, *, n_threads))]
pub fn month_measures(base: &Bound<'_, CoreBase>, day: i32, n_threads: Option<i64>) -> PyResult<CoreTable> {
    let py = base.py();
    let base = base.get().snapshot(py)?;
    let size = work(&base);
    let table = Call::new(py, n_threads, None, None)?.run(py, size, move |context| measures_of_month(&base, day, context))?;
    Ok(CoreTable::new(table))
}
