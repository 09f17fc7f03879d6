//! What new customers cost, and when they had earned it: cohorts by the period of the first purchase, beside a table of costs.

mod cohorts;
mod costs;
pub(crate) mod spec;
mod table;
mod values;

use arrow_array::RecordBatch;

use self::cohorts::{Clocked, Cohorts, add_part};
use self::costs::read_costs;
use self::spec::AcquisitionSpec;
use self::table::acquisition_table;
pub use self::values::CustomerValues;
use super::measures::grouping::Grouping;
use crate::base::CustomerBase;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::report::Report;
use crate::table::Table;
use crate::time::period::Calendar;

/// What the customers of each cohort cost, and what they earned: one row for each period and group with customers or costs.
pub fn acquisition(
    base: &CustomerBase,
    spec: &AcquisitionSpec,
    costs: &[RecordBatch],
    values: Option<&CustomerValues>,
    context: &Context,
) -> Result<Table> {
    spec.check()?;
    let input_schema = base.input_schema()?;
    let money = input_schema.money.ok_or_else(|| {
        let message = "acquisition() compares costs with revenue, and the base has no amounts; build it with amount=";
        Error::new(ErrorKind::InvalidArgument, message)
    })?;
    let day = spec.as_of.map(|as_of| as_of.day(&input_schema.clock)).transpose()?;
    let grouping = Grouping::by(spec.by.as_deref(), None);
    let calendar = Calendar::default();
    let mut cohorts = Cohorts::new();
    let (mut report, mut column, mut last_day): (Option<Report>, _, _) = (None, None, day);
    base.by_ranges(context, |part| {
        let view = part.view_with_days(day, context)?;
        view.days()?;
        if column.is_none() {
            column = grouping.column(&view)?;
        }
        last_day = day.or_else(|| view.last_day());
        let clocked = Clocked { calendar, period: spec.period };
        add_part(&mut cohorts, &view, (grouping, clocked), values, context)?;
        let of_part = view.report();
        match &mut report {
            None => report = Some(of_part),
            Some(report) => report.join(&of_part),
        }
        Ok(())
    })?;
    let report = report.ok_or_else(|| Error::internal("a base without ranges"))?;
    for (key, cost) in read_costs(costs, spec, column.as_ref(), &calendar, context)? {
        cohorts.entry(key).or_default().costs.push(cost);
    }
    // The index of the last period that is over.
    let last = last_day.map_or(i64::MIN, |day| calendar.index(day.saturating_add(1), spec.period) - 1);
    acquisition_table(&cohorts, spec, (column.as_ref(), money, values.is_some()), (&calendar, last), report)
}
