//! The table of what new customers cost and earned.

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array};

use super::cohorts::{Cohort, Cohorts};
use super::spec::AcquisitionSpec;
use crate::analysis::measures::grouping::GroupColumn;
use crate::analysis::measures::labels::Label;
use crate::error::Result;
use crate::num::exact::exact_sum;
use crate::num::money::{Amount, Money};
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit, Tally};
use crate::table::{AS_OF, Table, TableBuilder};
use crate::time::calendar::date_text;
use crate::time::period::{Calendar, shown};

/// A row of the result.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Row {
    customers: u64,
    cost: Option<f64>,
    cac: Option<f64>,
    margin: Option<f64>,
    value: Option<f64>,
    value_to_cac: Option<f64>,
    payback: Option<i64>,
    observed: Option<i64>,
}

impl Row {
    /// The numbers of a cohort of which `observed` is the index of the last complete period.
    fn of(cohort: &Cohort, spec: &AcquisitionSpec, money: Money, has_values: bool, observed: i64) -> Self {
        let customers = cohort.customers;
        let n = customers as f64;
        let cost = exact_sum(&cohort.costs);
        let cac = cost.filter(|_| customers > 0).map(|cost| cost / n);
        // Margin up to and including a period, of all customers.
        let mut units = 0;
        let mut earn = |more: &i128| {
            units += more;
            spec.margin * Amount { units, money }.to_f64()
        };
        let earned: Vec<f64> = cohort.units.iter().map(&mut earn).collect();
        let until = |index: i64| usize::try_from(index).ok().and_then(|at| earned.get(at).or(earned.last())).copied();
        let margin = earned.last().filter(|_| customers > 0).map(|earned| earned / n);
        let value = match spec.n_periods.map(|periods| i64::from(periods) - 1) {
            _ if has_values => cohort.mean_value(),
            None => margin,
            Some(last) => until(last).filter(|_| last <= observed && customers > 0).map(|earned| earned / n),
        };
        let is_paid = |index: &i64| cost.zip(until(*index)).is_some_and(|(cost, earned)| earned >= cost);
        // Nothing changes after the last period with revenue.
        let payback = (0..=observed.min(earned.len() as i64 - 1)).find(is_paid);
        let value_to_cac = value.zip(cac).filter(|(_, cac)| *cac > 0.0).map(|(value, cac)| value / cac);
        Self { customers, cost, cac, margin, value, value_to_cac, payback, observed: (observed >= 0).then_some(observed) }
    }
}

pub(super) fn acquisition_table(
    cohorts: &Cohorts,
    spec: &AcquisitionSpec,
    (column, money, has_values): (Option<&GroupColumn>, Money, bool),
    (calendar, last): (&Calendar, i64),
    mut report: Report,
) -> Result<Table> {
    let (mut without_customers, mut without_cost, mut without_value) = (Tally::default(), Tally::default(), Tally::default());
    let (mut rows, mut starts) = (Vec::with_capacity(cohorts.len()), Vec::with_capacity(cohorts.len()));
    let mut labels: Vec<Label> = cohorts.keys().map(|(_, label)| label.clone()).collect();
    labels.sort_unstable();
    labels.dedup();
    let mut groups = Vec::with_capacity(cohorts.len());
    for ((index, label), cohort) in cohorts {
        let row = Row::of(cohort, spec, money, has_values, last.saturating_sub(*index));
        if row.customers == 0 && row.cost.is_some_and(|cost| cost > 0.0) {
            without_customers.add_many(1, 0);
        }
        if row.cost.is_none() {
            without_cost.add_many(row.customers, 0);
        }
        if has_values {
            without_value.add_many(row.customers - cohort.valued, 0);
        }
        starts.push(shown(calendar.start(*index, spec.period)));
        groups.push(labels.partition_point(|other| other < label));
        rows.push(row);
    }
    let note = |name, unit, tally: &Tally| ReportEntry::new(name, EntryKind::Note, unit, tally, None);
    report.entries.push(note("cost_without_customers", ReportUnit::Rows, &without_customers));
    report.entries.push(note("customers_without_cost", ReportUnit::Customers, &without_cost));
    if has_values {
        report.entries.push(note("customers_without_value", ReportUnit::Customers, &without_value));
    }
    let mut table = TableBuilder::default();
    table.column("cohort", Arc::new(Date32Array::from(starts)));
    if let Some(column) = column {
        column.add_to(&mut table, &labels, groups.into_iter())?;
    }
    let floats = |value: fn(&Row) -> Option<f64>| -> ArrayRef { Arc::new(rows.iter().map(value).collect::<Float64Array>()) };
    let counts = |value: fn(&Row) -> Option<i64>| -> ArrayRef { Arc::new(rows.iter().map(value).collect::<Int64Array>()) };
    table.column("new_customers", counts(|row| Some(row.customers as i64)));
    table.column("cost", floats(|row| row.cost));
    table.column("cac", floats(|row| row.cac));
    table.column("margin_per_customer", floats(|row| row.margin));
    table.column("value", floats(|row| row.value));
    table.column("value_to_cac", floats(|row| row.value_to_cac));
    table.column("payback", counts(|row| row.payback));
    table.column("observed_periods", counts(|row| row.observed));
    let as_of = report.as_of.map(|day| (AS_OF.to_owned(), date_text(day)));
    table.finish(rows.len(), as_of.into_iter().collect(), report)
}
