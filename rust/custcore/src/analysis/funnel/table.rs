//! The table of a funnel: a row for each step, of each group.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::Metadata;

use super::count::{GroupCounts, count, median_seconds};
use super::events::EventsRead;
use super::kernel::{NO_GROUP, Rule};
use super::spec::{FunnelSpec, StepOrder};
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::num::proportion::wilson;
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit, Tally};
use crate::table::{Table, TableBuilder};

/// The standard normal quantile of a 95 % interval.
pub(super) const Z: f64 = 1.959_963_984_540_054;

/// A row of the result.
struct Row {
    group: u16,
    step: usize,
    customers: u64,
    open: Option<u64>,
    rate: Option<Rate>,
    step_rate: Option<Rate>,
    medians: [Option<f64>; 2],
}

/// A rate of a row.
type RateOf = fn(&Row) -> Option<Rate>;

/// A share with its Wilson interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rate {
    pub(super) share: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Rate {
    /// The share of some among all; `None` among none.
    pub(super) fn of(some: u64, all: u64) -> Option<Self> {
        let share = (all > 0).then(|| some as f64 / all as f64)?;
        let (low, high) = wilson(some, all, Z);
        Some(Self { share, low, high })
    }
}

/// How many customers take each step within the window after a start.
pub fn funnel(batches: &[RecordBatch], spec: &FunnelSpec, context: &Context) -> Result<Table> {
    let Some(first) = batches.first() else { return Err(Error::internal("a table without a batch")) };
    let mut read = EventsRead::new(&first.schema(), spec)?;
    for batch in batches {
        let before = read.rows;
        read.push(batch, context).map_err(|error| error.counted_from(before))?;
    }
    let codes = read.order_groups();
    let end = read.end();
    let rule = Rule {
        steps: spec.steps.len(),
        window: read.unit.of_micros(spec.window),
        strict: spec.strict,
        order: spec.order,
        end: end.map_or(i64::MIN, |(end, _)| end),
    };
    let mut groups = count(std::mem::take(&mut read.events), read.customers(), rule, context)?;
    if spec.by.is_none() {
        groups.entry(NO_GROUP).or_default();
    }
    let report = report_of(&read, spec, end.map(|(_, day)| day));
    let rows = rows_of(groups, spec, read.unit.per_second);
    let mut table = TableBuilder::default();
    if let (Some(by), Some(groups)) = (&spec.by, &read.groups) {
        let code = |row: &Row| codes.get(usize::from(row.group)).copied();
        table.values(by, &groups.value_type, groups.values.keys(), rows.iter().map(code))?;
    }
    columns(&mut table, &rows, spec);
    table.finish(rows.len(), Metadata::new(), report)
}

fn rows_of(groups: BTreeMap<u16, GroupCounts>, spec: &FunnelSpec, per_second: i64) -> Vec<Row> {
    let mut rows = Vec::with_capacity(groups.len() * spec.steps.len());
    for (group, mut counts) in groups {
        counts.steps.resize_with(spec.steps.len() - 1, Default::default);
        let all = counts.customers;
        rows.push(Row {
            group,
            step: 0,
            customers: all,
            open: Some(counts.open),
            rate: Rate::of(all, all),
            step_rate: Rate::of(all, all),
            medians: [None, None],
        });
        let mut before = all;
        for (step, times) in (1..).zip(counts.steps) {
            let customers = times.from_start.len() as u64;
            let medians = [times.from_before, times.from_start].map(|ticks| median_seconds(ticks, per_second));
            let (rate, step_rate) = (Rate::of(customers, all), Rate::of(customers, before));
            rows.push(Row { group, step, customers, open: None, rate, step_rate, medians });
            before = customers;
        }
    }
    rows
}

fn columns(table: &mut TableBuilder, rows: &[Row], spec: &FunnelSpec) {
    let name = |row: &Row| (spec.order == StepOrder::Ordered).then(|| spec.steps[row.step].as_str());
    table.column("step", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.step as i64 + 1))));
    table.column("name", Arc::new(rows.iter().map(name).collect::<StringArray>()));
    table.column("customers", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.customers as i64))));
    table.column("customers_open", Arc::new(rows.iter().map(|row| row.open.map(|open| open as i64)).collect::<Int64Array>()));
    let column = |values: &dyn Fn(&Row) -> Option<f64>| -> ArrayRef { Arc::new(rows.iter().map(values).collect::<Float64Array>()) };
    let rates: [(&str, RateOf); 2] = [("rate", |row| row.rate), ("step_rate", |row| row.step_rate)];
    for (prefix, rate) in rates {
        table.column(prefix, column(&|row| rate(row).map(|rate| rate.share)));
        table.column(&format!("{prefix}_low"), column(&|row| rate(row).map(|rate| rate.low)));
        table.column(&format!("{prefix}_high"), column(&|row| rate(row).map(|rate| rate.high)));
    }
    table.column("median_seconds", column(&|row| row.medians[0]));
    table.column("median_seconds_from_start", column(&|row| row.medians[1]));
}

fn report_of(read: &EventsRead<'_>, spec: &FunnelSpec, last_day: Option<i32>) -> Report {
    let mut report = Report { n_rows: read.rows, as_of: last_day, remarks: read.remarks(), ..Report::default() };
    let mut entry = |name, kind, tally: &Tally| report.entries.push(ReportEntry::new(name, kind, ReportUnit::Rows, tally, None));
    entry("null_customer_id", EntryKind::LeftOut, &read.null_ids);
    entry("null_timestamp", EntryKind::LeftOut, &read.null_times);
    entry("after_observation_end", EntryKind::LeftOut, &read.after_end);
    entry("null_event", EntryKind::LeftOut, &read.null_events);
    entry("other_events", EntryKind::LeftOut, &read.others);
    if spec.by.is_some() {
        entry("null_group", EntryKind::Note, &read.null_groups);
    }
    report
}
