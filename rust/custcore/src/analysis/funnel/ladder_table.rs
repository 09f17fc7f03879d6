//! The table of a ladder of orders.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array};

use super::table::Rate;
use crate::analysis::measures::grouping::GroupColumn;
use crate::analysis::measures::labels::Label;
use crate::analysis::survival::DurationCounts;
use crate::error::Result;
use crate::report::Report;
use crate::table::{AS_OF, Table, TableBuilder};
use crate::time::calendar::date_text;

/// Days from the k-th order to the next one, or open to the last day, for k from 1 on.
pub(super) type Rungs = Vec<DurationCounts>;

/// A row of the result.
struct Row<'a> {
    group: usize,
    orders: i64,
    counts: &'a DurationCounts,
    rate: Option<Rate>,
    /// By Kaplan-Meier.
    survived: Option<(f64, (f64, f64))>,
}

impl<'a> Row<'a> {
    fn new(group: usize, orders: i64, counts: &'a DurationCounts) -> Self {
        let rate = Rate::of(counts.ended(), counts.ended() + counts.open());
        Self { group, orders, counts, rate, survived: counts.final_survival() }
    }
}

/// A row for each number of orders, of each group.
pub(super) fn ladder_table(counted: &BTreeMap<Label, Rungs>, column: Option<&GroupColumn>, report: Report) -> Result<Table> {
    let labels: Vec<Label> = counted.keys().cloned().collect();
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (group, rungs) in counted.values().enumerate() {
        rows.extend((1..).zip(rungs).map(|(orders, counts)| Row::new(group, orders, counts)));
    }
    let mut table = TableBuilder::default();
    if let Some(column) = column {
        column.add_to(&mut table, &labels, rows.iter().map(|row| row.group))?;
    }
    let counts = |count: &dyn Fn(&Row<'_>) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(rows.iter().map(count))) };
    let floats = |value: &dyn Fn(&Row<'_>) -> Option<f64>| -> ArrayRef { Arc::new(rows.iter().map(value).collect::<Float64Array>()) };
    table.column("orders", counts(&|row| row.orders));
    table.column("customers", counts(&|row| (row.counts.ended() + row.counts.open()) as i64));
    table.column("customers_next", counts(&|row| row.counts.ended() as i64));
    table.column("rate", floats(&|row| row.rate.map(|rate| rate.share)));
    table.column("rate_low", floats(&|row| row.rate.map(|rate| rate.low)));
    table.column("rate_high", floats(&|row| row.rate.map(|rate| rate.high)));
    table.column("rate_km", floats(&|row| row.survived.map(|(survival, _)| 1.0 - survival)));
    table.column("rate_km_low", floats(&|row| row.survived.map(|(_, (_, high))| 1.0 - high)));
    table.column("rate_km_high", floats(&|row| row.survived.map(|(_, (low, _))| 1.0 - low)));
    table.column("median_days", floats(&|row| row.counts.median_ended()));
    let last = report.as_of.map(|day| (AS_OF.to_owned(), date_text(day)));
    table.finish(rows.len(), last.into_iter().collect(), report)
}
