//! The health of a base: its measures in the last complete month against what they were in the months before.

mod control;
pub(crate) mod months;
mod periods;
mod structure;
mod table;

use self::months::measure_series;
use self::periods::{Months, end_of};
use self::structure::structure_series;
use self::table::health_table;
use super::rfm::scorer::RfmScorer;
use crate::base::CustomerBase;
use crate::error::Result;
use crate::exec::context::Context;
use crate::state::spec::AsOf;
use crate::table::Table;
use crate::time::calendar::date_text;

/// Customers, value, structure, risk and flows of the last month that is complete as of a day, each with limits from up to twelve
/// complete months before it. Segments are those of one scorer, which is fitted as of the end of that month unless it is fitted.
pub fn health(base: &CustomerBase, as_of: Option<AsOf>, scorer: &RfmScorer, context: &Context) -> Result<Table> {
    let day = as_of.map(|as_of| as_of.day(&base.input_schema()?.clock)).transpose()?.or_else(|| base.last_day());
    let Some(months) = day.zip(base.first_day()).and_then(|(day, first)| Months::until(day, first)) else {
        let mut report = base.report_by_ranges(context)?;
        report.remarks.push("no month is complete: there is nothing to compare".to_owned());
        return health_table(&[], report);
    };
    let (mut series, mut report) = measure_series(base, &months, context)?;
    if series.iter().all(|series| series.values.iter().all(Option::is_none)) {
        report.remarks.push("there is no purchase in these months".to_owned());
        return health_table(&[], report);
    }
    let end = end_of(months.last);
    if day.is_some_and(|day| day != end) {
        report.remarks.push(format!("as of {}, the end of the last complete month", date_text(end)));
    }
    if let Some(last) = base.last_day().filter(|&last| last < end) {
        report.remarks.push(format!("the data end on {}, before the end of the month", date_text(last)));
    }
    let (more, remarks) = structure_series(base, &months, scorer, context)?;
    series.extend(more);
    report.remarks.extend(remarks);
    health_table(&series, report)
}
