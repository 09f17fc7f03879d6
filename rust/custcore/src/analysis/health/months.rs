//! Measures of months: as series, and those of a month beside the month before and the year before.

use std::sync::Arc;

use arrow_array::{RecordBatch, StringArray, UInt32Array};
use arrow_select::take::take_record_batch;

use super::control::Series;
use super::periods::{Months, end_of, start_of};
use crate::analysis::measures::found::Measures;
use crate::analysis::measures::spec::MeasuresSpec;
use crate::base::CustomerBase;
use crate::column::find_column;
use crate::column::number::{Number, NumberColumn};
use crate::column::time::{Clock, TimeColumn};
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::report::Report;
use crate::state::spec::AsOf;
use crate::table::{Table, TableBuilder};
use crate::time::period::{Calendar, Period};

/// Measures of a health report, by area.
const MEASURES: [(&str, &str); 15] = [
    ("base", "customers"),
    ("base", "active"),
    ("base", "new"),
    ("base", "retained"),
    ("base", "reactivated"),
    ("base", "churned"),
    ("base", "retention_rate"),
    ("base", "churn_rate"),
    ("value", "revenue"),
    ("value", "refunds"),
    ("value", "orders"),
    ("value", "average_order_value"),
    ("value", "purchase_frequency"),
    ("value", "revenue_per_customer"),
    ("value", "repurchase_rate"),
];

/// The measures of complete months, and the report as of the end of the last one.
pub(super) fn measure_series(base: &CustomerBase, months: &Months, context: &Context) -> Result<(Vec<Series>, Report)> {
    let Table { batch, report } = measures(base, end_of(months.last), context)?;
    let starts = starts_of(&batch)?;
    let schema = batch.schema();
    let mut series = Vec::with_capacity(MEASURES.len());
    for (area, name) in MEASURES {
        // Without amounts there is no money.
        let Ok(at) = find_column(&schema, name, "measure") else { continue };
        let column = NumberColumn::new(name, "measure", batch.column(at))?;
        let of_month = |month: i64| {
            let start = start_of(month);
            starts.iter().position(|&other| other == start).and_then(|row| column.get(row)).map(Number::to_f64)
        };
        series.push(Series { area, measure: name.to_owned(), values: months.all().map(of_month).collect(), is_total: name == "customers" });
    }
    Ok((series, report))
}

/// The measures of a month, of the month before and of the same month a year before, the latest first; months without any data are
/// left out. `day` is any day of the month, which is not complete if the base ends in it.
pub fn month_measures(base: &CustomerBase, day: i32, context: &Context) -> Result<Table> {
    let month = Calendar::default().index(day, Period::Month);
    let Table { batch, report } = measures(base, base.last_day().map_or(i32::MIN, |last| last.min(end_of(month))), context)?;
    let starts = starts_of(&batch)?;
    let asked = [("month", month), ("month_before", month - 1), ("year_before", month - 12)];
    let found = asked.iter().filter_map(|&(name, month)| {
        let row = starts.iter().position(|&other| other == start_of(month))?;
        Some((name, row as u32))
    });
    let (names, rows): (Vec<&str>, Vec<u32>) = found.unzip();
    let chosen = take_record_batch(&batch, &UInt32Array::from(rows)).map_err(Error::internal)?;
    let mut table = TableBuilder::default();
    table.column("which", Arc::new(StringArray::from_iter_values(&names)));
    for (field, values) in chosen.schema().fields().iter().zip(chosen.columns()) {
        table.column(field.name(), values.clone());
    }
    table.finish(names.len(), batch.schema().metadata().clone(), report)
}

fn measures(base: &CustomerBase, day: i32, context: &Context) -> Result<Table> {
    let spec = MeasuresSpec { period: Some(Period::Month), by: None, week_start: 0, fiscal_year_start: 1 };
    Measures::of_base(base, &spec, None, Some(AsOf::Date(day)), context)?.table()
}

/// The first day of the month of each row.
fn starts_of(batch: &RecordBatch) -> Result<Vec<i32>> {
    let name = "period_start";
    let column = batch.column(find_column(&batch.schema(), name, "period")?);
    let times = TimeColumn::new(name, column, &Clock::of(name, column.data_type(), None)?)?;
    let mut starts = vec![0; batch.num_rows()];
    times.read(0, &mut starts);
    Ok(starts)
}
