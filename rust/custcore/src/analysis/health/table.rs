//! The table of a health report.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, StringArray};

use super::control::{Judged, Series};
use crate::error::Result;
use crate::report::Report;
use crate::table::{AS_OF, Table, TableBuilder};
use crate::time::calendar::date_text;

/// A row for each measure.
pub(super) fn health_table(series: &[Series], report: Report) -> Result<Table> {
    let judged: Vec<Judged> = series.iter().map(Series::judged).collect();
    let floats = |value: fn(&Judged) -> Option<f64>| -> ArrayRef { Arc::new(judged.iter().map(value).collect::<Float64Array>()) };
    let mut table = TableBuilder::default();
    table.column("area", Arc::new(StringArray::from_iter_values(series.iter().map(|series| series.area))));
    table.column("measure", Arc::new(StringArray::from_iter_values(series.iter().map(|series| series.measure.as_str()))));
    table.column("value", floats(|row| row.value));
    table.column("before", floats(|row| row.before));
    table.column("change", floats(|row| row.change));
    table.column("low", floats(|row| row.limits.map(|(low, _)| low)));
    table.column("high", floats(|row| row.limits.map(|(_, high)| high)));
    table.column("flag", Arc::new(judged.iter().map(|row| row.flag).collect::<BooleanArray>()));
    let as_of = report.as_of.map(|day| (AS_OF.to_owned(), date_text(day)));
    table.finish(series.len(), as_of.into_iter().collect(), report)
}
