//! The Arrow tables of cohorts.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array};
use arrow_schema::Metadata;

use super::View;
use super::cells::{Cell, averages};
use super::count::Unattributed;
use super::members::{Cohort, Member};
use super::movement::{Flow, Movement};
use super::spec::CohortBy;
use crate::analysis::rfm::table::{id_column, key_column};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::Threads;
use crate::group::interner::{Keys, NO_CODE};
use crate::num::money::{Amount, Money, ratio};
use crate::table::{Table, TableBuilder, money_column};
use crate::time::calendar::date_text;
use crate::time::period::shown;

/// A column of the long table that the wide one can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// Members whose window is over.
    Eligible,
    /// Those of them who came back.
    Customers,
    /// Members who came back in a window that is not over.
    CustomersOpen,
    /// Customers by eligible.
    Rate,
    /// Its lower bound.
    RateLow,
    /// Its upper bound.
    RateHigh,
    /// Orders.
    Orders,
    /// Money.
    Revenue,
    /// Money of this and all earlier periods.
    RevenueCumulative,
    /// The same by members.
    PerCustomer,
    /// Whether the window has begun.
    IsObserved,
    /// Whether it is over.
    IsComplete,
}

const VALUES: [(&str, Value); 12] = [
    ("eligible", Value::Eligible),
    ("customers", Value::Customers),
    ("customers_open", Value::CustomersOpen),
    ("rate", Value::Rate),
    ("rate_low", Value::RateLow),
    ("rate_high", Value::RateHigh),
    ("orders", Value::Orders),
    ("revenue", Value::Revenue),
    ("revenue_cumulative", Value::RevenueCumulative),
    ("revenue_cumulative_per_customer", Value::PerCustomer),
    ("is_observed", Value::IsObserved),
    ("is_complete", Value::IsComplete),
];

impl Value {
    fn needs_money(self) -> bool {
        matches!(self, Self::Revenue | Self::RevenueCumulative | Self::PerCustomer)
    }

    /// The columns there are.
    fn all(money: Option<Money>) -> impl Iterator<Item = (&'static str, Self)> {
        VALUES.into_iter().filter(move |(_, value)| money.is_some() || !value.needs_money())
    }

    /// The column of this name.
    pub fn named(name: &str, money: Option<Money>) -> Result<Self> {
        Self::all(money).find(|(known, _)| *known == name).map(|(_, value)| value).ok_or_else(|| {
            let words: Vec<String> = Self::all(money).map(|(known, _)| format!("'{known}'")).collect();
            Error::new(ErrorKind::InvalidArgument, format!("value='{name}' is unknown; choose one of {}", words.join(", ")))
        })
    }
}

impl View<'_> {
    fn metadata(&self) -> Metadata {
        let mut metadata = Metadata::new();
        if let Some(day) = self.report.as_of {
            metadata.insert("custcore.as_of", date_text(day));
        }
        metadata
    }

    fn finish(&self, table: TableBuilder, rows: usize) -> Result<Table> {
        table.finish(rows, self.metadata(), self.report.clone())
    }

    /// The value of `by` in every row, if the result is split.
    fn by_column(&self, table: &mut TableBuilder, groups: impl ExactSizeIterator<Item = usize> + Clone) -> Result<()> {
        let (Some(name), Some(at)) = (&self.spec.by, self.spec.by_attribute()) else { return Ok(()) };
        let value = |group: usize| self.found.and_then(|found| found.groups.value(group));
        let keys = self.state.attributes[at].values.keys();
        table.column(name, key_column(&self.kinds.attributes[at].1, keys, groups.map(value))?);
        Ok(())
    }

    /// Cohorts as they are shown, `None` for rows outside of all.
    fn cohort_column(&self, keys: impl ExactSizeIterator<Item = Option<i64>> + Clone) -> Result<ArrayRef> {
        if let (CohortBy::Column, Some(at)) = (self.spec.cohort_by, self.spec.cohort_attribute()) {
            let values = self.found.and_then(|found| found.values.as_ref());
            let code = |key: i64| values.and_then(|values| values.codes.get(key as usize).copied()).filter(|&code| code != NO_CODE);
            let codes = keys.map(|key| key.and_then(code));
            return key_column(&self.kinds.attributes[at].1, self.state.attributes[at].values.keys(), codes);
        }
        let start = |key: i64| self.found.map(|found| shown(found.scene.calendar.start(key, self.spec.cohort_period)));
        Ok(Arc::new(keys.map(|key| key.and_then(start)).collect::<Date32Array>()))
    }

    /// A cohort as people read it.
    fn cohort_text(&self, cohort: &Cohort) -> String {
        if self.spec.cohort_by == CohortBy::Column {
            let keys = self.spec.cohort_attribute().map(|at| self.state.attributes[at].values.keys());
            let code = self.found.and_then(|found| found.values.as_ref()).and_then(|values| values.codes.get(cohort.key as usize));
            return match (keys, code) {
                (Some(Keys::Bytes(arena)), Some(&code)) => format!("'{}'", String::from_utf8_lossy(arena.get(code)).escape_debug()),
                (Some(Keys::Integers(ids)), Some(&code)) => ids[code as usize].to_string(),
                _ => cohort.key.to_string(),
            };
        }
        self.found.map_or(String::new(), |found| date_text(shown(found.scene.calendar.start(cohort.key, self.spec.cohort_period))))
    }

    fn cohort(&self, cell: &Cell) -> Option<&Cohort> {
        self.found.and_then(|found| found.cohorts.all.get(cell.cohort as usize))
    }

    /// One column of cells; `None` stands for a cell that is not there.
    fn values(&self, value: Value, cells: impl ExactSizeIterator<Item = Option<Cell>> + Clone) -> Result<ArrayRef> {
        let seen = || cells.clone().map(|cell| cell.filter(|cell| cell.is_observed));
        let counts =
            |count: fn(&Cell) -> i64| -> ArrayRef { Arc::new(seen().map(|cell| cell.as_ref().map(count)).collect::<Int64Array>()) };
        let shares = |share: &dyn Fn(&Cell) -> Option<f64>| -> ArrayRef {
            Arc::new(seen().map(|cell| cell.as_ref().and_then(share)).collect::<Float64Array>())
        };
        let sums = |sum: fn(&Cell) -> i128| {
            let whose = |row: usize| cells.clone().nth(row).flatten().map_or(String::new(), |cell| self.whose(&cell));
            money_column(self.kinds.money, seen().map(|cell| cell.as_ref().map(sum)), whose)
        };
        Ok(match value {
            Value::Eligible => counts(|cell| cell.eligible),
            Value::Customers => counts(|cell| cell.customers),
            Value::CustomersOpen => counts(|cell| cell.open),
            Value::Rate => shares(&Cell::rate),
            Value::RateLow => shares(&|cell| cell.interval().map(|(low, _)| low)),
            Value::RateHigh => shares(&|cell| cell.interval().map(|(_, high)| high)),
            Value::Orders => counts(|cell| cell.orders),
            Value::Revenue => sums(|cell| cell.units)?,
            Value::RevenueCumulative => sums(|cell| cell.cumulative)?,
            Value::PerCustomer => shares(&|cell| {
                let size = self.cohort(cell).map(|cohort| cohort.size).filter(|&size| size > 0)?;
                Some(Amount { units: cell.cumulative, money: self.kinds.money? }.to_f64() / size as f64)
            }),
            Value::IsObserved => Arc::new(cells.map(|cell| cell.map(|cell| cell.is_observed)).collect::<BooleanArray>()),
            Value::IsComplete => Arc::new(cells.map(|cell| cell.map(|cell| cell.is_complete)).collect::<BooleanArray>()),
        })
    }

    fn whose(&self, cell: &Cell) -> String {
        self.cohort(cell).map_or(String::new(), |cohort| format!("of cohort {}", self.cohort_text(cohort)))
    }

    /// Whether the first days of a cohort were not observed; `None` where it is no period.
    fn left_truncated(&self, cohort: &Cohort) -> Option<bool> {
        let scene = &self.found?.scene;
        if self.spec.cohort_by == CohortBy::Column {
            return None;
        }
        let edge = |key| scene.calendar.start(key, self.spec.cohort_period);
        let (begin, end, day) = (edge(cohort.key), edge(cohort.key + 1), i64::from(scene.start.day));
        Some(begin <= day && day < end && (begin < day || scene.start.has_time()))
    }

    /// First and last day (exclusive) of a cell, where they are the same for all members.
    fn period(&self, cell: &Cell) -> Option<(i32, i32)> {
        if self.spec.own_windows() {
            return None;
        }
        let (scene, cohort) = (&self.found?.scene, self.cohort(cell)?);
        let (first, last) = self.spec.spans().periods(cell.row as usize);
        let start = |k: i64| shown(scene.calendar.start(cohort.key + k, self.spec.period));
        Some((start(first), start(last + 1)))
    }

    fn period_index(&self, row: u32) -> i32 {
        i32::try_from(self.spec.spans().periods(row as usize).1).unwrap_or(i32::MAX)
    }
}

/// A row of the long table: a cell, or what lies in none of a group's.
#[derive(Clone, Copy)]
enum Line {
    Cell(Cell),
    Lost(usize),
}

impl Line {
    fn cell(self) -> Option<Cell> {
        match self {
            Self::Cell(cell) => Some(cell),
            Self::Lost(_) => None,
        }
    }
}

/// The long table.
pub(super) fn cells_table(view: &View<'_>, lost: &Unattributed) -> Result<Table> {
    let mut lines = Vec::new();
    if let Some(found) = view.found {
        let group = |cell: &Cell| view.cohort(cell).map_or(0, |cohort| cohort.group);
        let mut rest = found.cells.as_slice();
        for of in 0..found.groups.number() {
            let (theirs, others) = rest.split_at(rest.partition_point(|cell| group(cell) <= of));
            lines.extend(theirs.iter().copied().map(Line::Cell));
            lines.push(Line::Lost(of));
            rest = others;
        }
    }
    let mut table = TableBuilder::default();
    let cohorts = || lines.iter().map(|line| line.cell().and_then(|cell| view.cohort(&cell).copied()));
    let group = |line: &Line| match line {
        Line::Cell(cell) => view.cohort(cell).map_or(0, |cohort| cohort.group),
        Line::Lost(group) => *group,
    };
    view.by_column(&mut table, lines.iter().map(group))?;
    table.column("cohort", view.cohort_column(cohorts().map(|cohort| cohort.map(|cohort| cohort.key)))?);
    table.column("cohort_size", Arc::new(cohorts().map(|cohort| cohort.map(|cohort| cohort.size)).collect::<Int64Array>()));
    let cells = || lines.iter().map(|line| line.cell());
    table.column("period_index", Arc::new(cells().map(|cell| cell.map(|cell| view.period_index(cell.row))).collect::<Int32Array>()));
    let periods = || cells().map(|cell| cell.and_then(|cell| view.period(&cell)));
    table.column("period_start", Arc::new(periods().map(|period| period.map(|(start, _)| start)).collect::<Date32Array>()));
    table.column("period_end", Arc::new(periods().map(|period| period.map(|(_, end)| end)).collect::<Date32Array>()));
    for (name, value) in Value::all(view.kinds.money) {
        // Two columns tell what lies in no cell.
        let column = match value {
            Value::Orders => {
                let orders = |line: &Line| match line {
                    Line::Cell(cell) => cell.is_observed.then_some(cell.orders),
                    Line::Lost(group) => Some(lost.orders[*group]),
                };
                Arc::new(lines.iter().map(orders).collect::<Int64Array>())
            }
            Value::Revenue => {
                let units = |line: &Line| match line {
                    Line::Cell(cell) => cell.is_observed.then_some(cell.units),
                    Line::Lost(group) => Some(lost.units[*group]),
                };
                let whose = |row: usize| lines[row].cell().map_or("of no cohort".to_owned(), |cell| view.whose(&cell));
                money_column(view.kinds.money, lines.iter().map(units), whose)?
            }
            value => view.values(value, cells())?,
        };
        table.column(name, column);
    }
    let truncated = cohorts().map(|cohort| cohort.and_then(|cohort| view.left_truncated(&cohort)));
    table.column("left_truncated", Arc::new(truncated.collect::<BooleanArray>()));
    view.finish(table, lines.len())
}

/// The wide table.
pub(super) fn matrix_table(view: &View<'_>, value: Value) -> Result<Table> {
    let (cohorts, cells) = view.found.map_or((&[][..], &[][..]), |found| (&found.cohorts.all, &found.cells));
    let mut table = TableBuilder::default();
    view.by_column(&mut table, cohorts.iter().map(|cohort| cohort.group))?;
    table.column("cohort", view.cohort_column(cohorts.iter().map(|cohort| Some(cohort.key)))?);
    table.column("cohort_size", Arc::new(cohorts.iter().map(|cohort| cohort.size).collect::<Int64Array>()));
    for row in 0..view.found.map_or(0, |found| found.cohorts.longest()) {
        let column = cohorts.iter().map(|cohort| (row < cohort.rows).then(|| cells[cohort.first + row]));
        table.column(&view.spec.spans().name(row), view.values(value, column)?);
    }
    view.finish(table, cohorts.len())
}

/// The averages.
pub(super) fn average_table(view: &View<'_>, simple: bool) -> Result<Table> {
    let (averages, rows) = view
        .found
        .map_or((Vec::new(), 1), |found| (averages(&found.cells, &found.cohorts, found.groups.number()), found.cohorts.longest().max(1)));
    let mut table = TableBuilder::default();
    view.by_column(&mut table, (0..averages.len()).map(|at| at / rows))?;
    let indices = (0..averages.len()).map(|at| view.period_index((at % rows) as u32));
    table.column("period_index", Arc::new(indices.collect::<Int32Array>()));
    table.column("cohorts", Arc::new(averages.iter().map(|average| average.cohorts).collect::<Int64Array>()));
    table.column("eligible", Arc::new(averages.iter().map(|average| average.eligible).collect::<Int64Array>()));
    table.column("customers", Arc::new(averages.iter().map(|average| average.customers).collect::<Int64Array>()));
    let rates = averages.iter().map(|average| if simple { average.simple() } else { average.pooled() });
    table.column("rate", Arc::new(rates.collect::<Float64Array>()));
    let intervals = || averages.iter().map(|average| if simple { None } else { average.interval() });
    table.column("rate_low", Arc::new(intervals().map(|interval| interval.map(|(low, _)| low)).collect::<Float64Array>()));
    table.column("rate_high", Arc::new(intervals().map(|interval| interval.map(|(_, high)| high)).collect::<Float64Array>()));
    view.finish(table, averages.len())
}

/// Begins a table of calendar periods, `rows` over all groups.
fn periods_table(view: &View<'_>, rows: usize) -> Result<TableBuilder> {
    let mut table = TableBuilder::default();
    let Some(found) = view.found else {
        view.by_column(&mut table, 0..0)?;
        for name in ["period_start", "period_end"] {
            table.column(name, Arc::new(Date32Array::from(Vec::<i32>::new())));
        }
        table.column("is_complete", Arc::new(BooleanArray::from(Vec::<bool>::new())));
        return Ok(table);
    };
    let (scene, periods) = (&found.scene, found.scene.periods());
    let n = ((periods.end - periods.start) as usize).max(1);
    view.by_column(&mut table, (0..rows).map(|row| row / n))?;
    let index = |row: usize| periods.start + (row % n) as i64;
    let start = |index: i64| shown(scene.calendar.start(index, scene.period));
    table.column("period_start", Arc::new(Date32Array::from_iter_values((0..rows).map(|row| start(index(row))))));
    table.column("period_end", Arc::new(Date32Array::from_iter_values((0..rows).map(|row| start(index(row) + 1)))));
    table.column("is_complete", Arc::new((0..rows).map(|row| Some(scene.is_over(index(row)))).collect::<BooleanArray>()));
    Ok(table)
}

/// A column by its name, and what it is of a row.
type Named<T, V> = (&'static str, fn(&T) -> V);

/// The movement of customers.
pub(super) fn movement_table(view: &View<'_>, rows: &[Movement]) -> Result<Table> {
    let mut table = periods_table(view, rows.len())?;
    let columns: [Named<Movement, i64>; 5] = [
        ("active", |row| row.active),
        ("new", |row| row.new),
        ("retained", |row| row.retained),
        ("reactivated", |row| row.reactivated),
        ("churned", |row| row.churned),
    ];
    for (name, value) in columns {
        table.column(name, Arc::new(Int64Array::from_iter_values(rows.iter().map(value))));
    }
    view.finish(table, rows.len())
}

/// Revenue retention.
pub(super) fn flow_table(view: &View<'_>, rows: &[Flow], reactivation: bool) -> Result<Table> {
    let mut table = periods_table(view, rows.len())?;
    let columns: [Named<Flow, i128>; 7] = [
        ("revenue_start", |row| row.start),
        ("revenue_churned", |row| row.churned),
        ("revenue_contraction", |row| row.contraction),
        ("revenue_expansion", |row| row.expansion),
        ("revenue_reactivated", |row| row.reactivated),
        ("revenue_new", |row| row.new),
        ("revenue_end", |row| row.end),
    ];
    for (name, value) in columns {
        table.column(name, money_column(view.kinds.money, rows.iter().map(|row| Some(value(row))), |_| "of a period".to_owned())?);
    }
    let share = |part: i128, row: &Flow| (row.start > 0).then(|| ratio(part, row.start));
    let grr = rows.iter().map(|row| share(row.start - row.churned - row.contraction, row));
    table.column("grr", Arc::new(grr.collect::<Float64Array>()));
    let back = |row: &Flow| if reactivation { row.reactivated } else { 0 };
    let nrr = rows.iter().map(|row| share(row.start - row.churned - row.contraction + row.expansion + back(row), row));
    table.column("nrr", Arc::new(nrr.collect::<Float64Array>()));
    view.finish(table, rows.len())
}

/// The cohort of every customer.
pub(super) fn customers_table(view: &View<'_>, members: &[Member], threads: Threads<'_>) -> Result<Table> {
    let mut table = TableBuilder::default();
    let codes: Vec<u32> = members.iter().map(|member| member.customer).collect();
    table.column(&view.kinds.id_name, id_column(view.kinds, view.state.interner.keys(), &codes, threads)?);
    let group = |member: &Member| view.found.map_or(0, |found| found.groups.group(view.state, member.customer));
    view.by_column(&mut table, members.iter().map(group))?;
    table.column("cohort", view.cohort_column(members.iter().map(|member| Some(member.key)))?);
    table.column("first_date", Arc::new(Date32Array::from_iter_values(members.iter().map(|member| member.anchor))));
    view.finish(table, members.len())
}
