//! Arrow tables of cohort retention.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array};
use arrow_schema::Metadata;

use super::cells::{Cell, Cells, CohortCells, averages};
use super::cohorts::{Cohort, MOST_CELLS};
use super::count::Unattributed;
use super::found::CohortView;
use super::members::Member;
use super::period_tables::check_periods;
use super::spec::CohortBy;
use super::values::Values;
use crate::column::value::ValueKind;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::memory::check_room;
use crate::exec::par::Threads;
use crate::group::interner::Keys;
use crate::num::money::{Amount, Money};
use crate::table::{Table, TableBuilder, money_column};
use crate::time::calendar::date_text;
use crate::time::period::shown;

/// A column of the long table that the cohort matrix can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// Members whose return window has ended.
    Eligible,
    /// Eligible members who returned.
    Customers,
    /// Members who returned in a window that has not ended.
    CustomersOpen,
    /// Retention rate: customers by eligible.
    Rate,
    /// Lower bound of the rate.
    RateLow,
    /// Upper bound of the rate.
    RateHigh,
    /// Orders.
    Orders,
    /// Revenue.
    Revenue,
    /// Cumulative revenue up to this period.
    RevenueCumulative,
    /// Cumulative revenue by cohort size.
    PerCustomer,
    /// Whether the window has begun.
    IsObserved,
    /// Whether the window has ended for all members.
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

    /// The available columns; revenue columns only with amounts.
    fn all(money: Option<Money>) -> impl Iterator<Item = (&'static str, Self)> {
        VALUES.into_iter().filter(move |(_, value)| money.is_some() || !value.needs_money())
    }

    /// The column of this name.
    pub(crate) fn named(name: &str, money: Option<Money>) -> Result<Self> {
        Self::all(money).find(|(known, _)| *known == name).map(|(_, value)| value).ok_or_else(|| {
            let words: Vec<String> = Self::all(money).map(|(known, _)| format!("'{known}'")).collect();
            Error::new(ErrorKind::InvalidArgument, format!("value='{name}' is unknown; use one of {}", words.join(", ")))
        })
    }
}

impl CohortView<'_> {
    fn metadata(&self) -> Metadata {
        let mut metadata = Metadata::new();
        if let Some(day) = self.report.as_of {
            metadata.insert("custcore.as_of", date_text(day));
        }
        metadata
    }

    pub(super) fn finish(&self, table: TableBuilder, rows: usize) -> Result<Table> {
        table.finish(rows, self.metadata(), self.report.clone())
    }

    /// Adds the `by` column if the result is split.
    pub(super) fn by_column(&self, table: &mut TableBuilder, groups: impl ExactSizeIterator<Item = usize> + Clone) -> Result<()> {
        let (Some(name), Some(at)) = (&self.spec.by, self.spec.by_attribute()) else { return Ok(()) };
        let value = |group: usize| self.found.and_then(|found| found.groups.value(group));
        let values = self.found.and_then(|found| found.groups.values.as_ref());
        let keys = values.map_or_else(|| self.base.attribute(at).values(), Values::keys);
        table.values(name, &self.input_schema.attributes[at], keys, groups.map(value))
    }

    /// Adds the cohort column; `None` for rows of no cohort.
    fn cohort_column(&self, table: &mut TableBuilder, keys: impl ExactSizeIterator<Item = Option<i64>> + Clone) -> Result<()> {
        if let (CohortBy::Column, Some(at)) = (self.spec.cohort_by, self.spec.cohort_attribute()) {
            let values = self.found.and_then(|found| found.values.as_ref());
            let known = values.map_or_else(|| self.base.attribute(at).values(), Values::keys);
            let codes = keys.map(|key| key.and_then(|key| values.and_then(|values| values.key(key as usize))));
            return table.values("cohort", &self.input_schema.attributes[at], known, codes);
        }
        let start = |key: i64| self.found.map(|found| shown(found.observation.calendar.start(key, self.spec.cohort_period)));
        table.column("cohort", Arc::new(keys.map(|key| key.and_then(start)).collect::<Date32Array>()));
        Ok(())
    }

    /// Text of a cohort for messages.
    fn cohort_text(&self, cohort: &Cohort) -> String {
        if self.spec.cohort_by == CohortBy::Column {
            let values = self.found.and_then(|found| found.values.as_ref());
            let kind = self.spec.cohort_attribute().map(|at| self.input_schema.attributes[at].kind);
            return match (values.map(Values::keys), values.and_then(|values| values.key(cohort.key as usize)), kind) {
                (Some(Keys::Bytes(arena)), Some(code), _) => format!("'{}'", String::from_utf8_lossy(&arena.get(code)).escape_debug()),
                (Some(Keys::Integers(ids)), Some(code), Some(ValueKind::Scalar(kind))) => kind.text(ids[code as usize]),
                (Some(Keys::Integers(ids)), Some(code), _) => ids[code as usize].to_string(),
                _ => cohort.key.to_string(),
            };
        }
        self.found.map_or(String::new(), |found| date_text(shown(found.observation.calendar.start(cohort.key, self.spec.cohort_period))))
    }

    /// One value column; `None` is an absent cell.
    fn values<'a>(&self, value: Value, cells: impl Iterator<Item = Option<Cell<'a>>> + Clone) -> Result<ArrayRef> {
        let seen = || cells.clone().map(|cell| cell.filter(|cell| cell.is_observed));
        let counts =
            |count: fn(&Cell<'_>) -> i64| -> ArrayRef { Arc::new(seen().map(|cell| cell.as_ref().map(count)).collect::<Int64Array>()) };
        let shares = |share: &dyn Fn(&Cell<'_>) -> Option<f64>| -> ArrayRef {
            Arc::new(seen().map(|cell| cell.as_ref().and_then(share)).collect::<Float64Array>())
        };
        let sums = |sum: fn(&Cell<'_>) -> i128| {
            let whose = |row: usize| cells.clone().nth(row).flatten().map_or(String::new(), |cell| self.whose(&cell));
            money_column(self.input_schema.money, seen().map(|cell| cell.as_ref().map(sum)), whose)
        };
        Ok(match value {
            Value::Eligible => counts(|cell| cell.count.eligible),
            Value::Customers => counts(|cell| cell.count.customers),
            Value::CustomersOpen => counts(|cell| cell.count.open),
            Value::Rate => shares(&|cell| cell.rate()),
            Value::RateLow => shares(&|cell| cell.interval().map(|(low, _)| low)),
            Value::RateHigh => shares(&|cell| cell.interval().map(|(_, high)| high)),
            Value::Orders => counts(|cell| cell.count.orders),
            Value::Revenue => sums(|cell| cell.count.units)?,
            Value::RevenueCumulative => sums(|cell| cell.cumulative)?,
            Value::PerCustomer => shares(&|cell| {
                let size = Some(cell.cohort.size).filter(|&size| size > 0)?;
                Some(Amount { units: cell.cumulative, money: self.input_schema.money? }.to_f64() / size as f64)
            }),
            Value::IsObserved => Arc::new(cells.map(|cell| cell.map(|cell| cell.is_observed)).collect::<BooleanArray>()),
            Value::IsComplete => Arc::new(cells.map(|cell| cell.map(|cell| cell.is_complete)).collect::<BooleanArray>()),
        })
    }

    fn whose(&self, cell: &Cell<'_>) -> String {
        format!("of cohort {}", self.cohort_text(cell.cohort))
    }

    /// Whether the first days of a cohort precede the observation window; `None` if the cohort is not a period.
    pub(super) fn left_truncated(&self, cohort: &Cohort) -> Option<bool> {
        let observation = &self.found?.observation;
        if self.spec.cohort_by == CohortBy::Column {
            return None;
        }
        let edge = |key| observation.calendar.start(key, self.spec.cohort_period);
        let (begin, end, day) = (edge(cohort.key), edge(cohort.key + 1), i64::from(observation.start.day));
        Some(begin <= day && day < end && (begin < day || observation.start.has_time()))
    }

    /// First day and end (exclusive) of a cell, if the same for all members.
    fn period(&self, cell: &Cell<'_>) -> Option<(i32, i32)> {
        if self.spec.has_member_windows() {
            return None;
        }
        let (observation, cohort) = (&self.found?.observation, cell.cohort);
        let (first, last) = self.spec.spans().periods(cell.row as usize);
        let start = |k: i64| shown(observation.calendar.start(cohort.key + k, self.spec.period));
        Some((start(first), start(last + 1)))
    }

    fn period_index(&self, row: u32) -> i32 {
        i32::try_from(self.spec.spans().periods(row as usize).1).unwrap_or(i32::MAX)
    }
}

/// A row of the long table: a cell, or the unattributed orders of a group.
#[derive(Clone, Copy)]
enum CohortRow<'a> {
    Cell(Cell<'a>),
    Unattributed(usize),
}

impl<'a> CohortRow<'a> {
    fn cell(self) -> Option<Cell<'a>> {
        match self {
            Self::Cell(cell) => Some(cell),
            Self::Unattributed(_) => None,
        }
    }

    /// The value `of` an observed cell, or of the unattributed orders of the group.
    fn seen<T>(self, of: impl FnOnce(Cell<'a>) -> T, unattributed: impl FnOnce(usize) -> T) -> Option<T> {
        match self {
            Self::Cell(cell) => cell.is_observed.then(|| of(cell)),
            Self::Unattributed(group) => Some(unattributed(group)),
        }
    }
}

/// Iterator over all rows of the long table, run once per column. The unattributed orders of a group follow its cells.
#[derive(Clone)]
struct CohortRows<'a> {
    view: &'a CohortView<'a>,
    cohorts: &'a [Cohort],
    open: Option<CohortCells<'a>>,
    groups: Range<usize>,
    left: usize,
}

impl<'a> Iterator for CohortRows<'a> {
    type Item = CohortRow<'a>;

    #[inline]
    fn next(&mut self) -> Option<CohortRow<'a>> {
        loop {
            if let Some(cell) = self.open.as_mut().and_then(CohortCells::next) {
                self.left -= 1;
                return Some(CohortRow::Cell(cell));
            }
            match (self.view.found, self.cohorts.split_first()) {
                (Some(found), Some((cohort, others))) if cohort.group == self.groups.start => {
                    self.open = Some(CohortCells::of(self.view.spec, &found.observation, &found.counts, cohort));
                    self.cohorts = others;
                }
                _ => {
                    let group = self.groups.next()?;
                    self.left -= 1;
                    return Some(CohortRow::Unattributed(group));
                }
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for CohortRows<'_> {}

impl CohortView<'_> {
    fn cohorts(&self, positions: Range<usize>) -> Vec<Cohort> {
        self.found.map_or_else(Vec::new, |found| found.cohorts.slice(self.spec, &found.observation, positions))
    }
}

/// Checks that sums of revenue fit the output type, before any table is built.
pub(super) fn check_money(view: &CohortView<'_>, unattributed: &Unattributed) -> Result<()> {
    if !matches!(view.input_schema.money, Some(Money::Integer | Money::Decimal { .. })) {
        return Ok(());
    }
    let Some(found) = view.found else { return Ok(()) };
    // Only cohorts with members have revenue.
    let cells = || Cells::of(view.spec, &found.observation, &found.counts, &found.cohorts.stored).filter(|cell| cell.count.units != 0);
    let whose = |row: usize| cells().nth(row).map_or("of no cohort".to_owned(), |cell| view.whose(&cell));
    let seen = |units: fn(&Cell<'_>) -> i128| cells().map(move |cell| cell.is_observed.then(|| units(&cell)));
    money_column(view.input_schema.money, seen(|cell| cell.count.units).chain(unattributed.units.iter().map(|&units| Some(units))), whose)?;
    money_column(view.input_schema.money, seen(|cell| cell.cumulative), whose)?;
    Ok(())
}

/// Bytes of a row of the long table, without the `by` column.
const ROW_BYTES: usize = 120;
/// Bytes of a cohort while a table is built.
const COHORT_BYTES: usize = size_of::<Cohort>();
/// Overhead in bytes of a column of the cohort matrix: name, buffers and export.
const COLUMN_BYTES: usize = 1 << 10;
/// Most fields of a cohort matrix: the cells are a triangle, the matrix is the full square.
const MOST_FIELDS: usize = 2 * MOST_CELLS as usize;

/// The long table.
pub(super) fn cells_table(view: &CohortView<'_>, unattributed: &Unattributed, context: &Context) -> Result<Table> {
    let (n, cells) = view.found.map_or((0, 0), |found| (found.cohorts.number, found.cohorts.cells));
    // Without an observation window there are no rows.
    let groups = view.found.map_or(0, |_| unattributed.orders.len());
    let rows = cells + groups;
    let what = || {
        format!(
            "the long table has {rows} rows of {n} cohorts; exclude outlying dates with observation_start and observation_end, set \
             n_periods, or use matrix() or average()"
        )
    };
    check_room((rows * ROW_BYTES + n * COHORT_BYTES) as u64, what)?;
    let all = view.cohorts(0..n);
    let cohort_rows = || CohortRows { view, cohorts: &all, open: None, groups: 0..groups, left: rows };
    let cells = || cohort_rows().map(CohortRow::cell);
    let cohorts = || cells().map(|cell| cell.map(|cell| cell.cohort));
    let mut table = TableBuilder::default();
    let group = |row: CohortRow<'_>| match row {
        CohortRow::Cell(cell) => cell.cohort.group,
        CohortRow::Unattributed(group) => group,
    };
    view.by_column(&mut table, cohort_rows().map(group))?;
    view.cohort_column(&mut table, cohorts().map(|cohort| cohort.map(|cohort| cohort.key)))?;
    context.check()?;
    table.column("cohort_size", Arc::new(cohorts().map(|cohort| cohort.map(|cohort| cohort.size)).collect::<Int64Array>()));
    table.column("period_index", Arc::new(cells().map(|cell| cell.map(|cell| view.period_index(cell.row))).collect::<Int32Array>()));
    let periods = || cells().map(|cell| cell.and_then(|cell| view.period(&cell)));
    table.column("period_start", Arc::new(periods().map(|period| period.map(|(start, _)| start)).collect::<Date32Array>()));
    table.column("period_end", Arc::new(periods().map(|period| period.map(|(_, end)| end)).collect::<Date32Array>()));
    for (name, value) in Value::all(view.input_schema.money) {
        context.check()?;
        // Orders and revenue are the two columns that include unattributed orders.
        let column = match value {
            Value::Orders => Arc::new(
                cohort_rows().map(|row| row.seen(|cell| cell.count.orders, |group| unattributed.orders[group])).collect::<Int64Array>(),
            ),
            Value::Revenue => {
                let units = cohort_rows().map(|row| row.seen(|cell| cell.count.units, |group| unattributed.units[group]));
                let whose = |row: usize| cells().nth(row).flatten().map_or("of no cohort".to_owned(), |cell| view.whose(&cell));
                money_column(view.input_schema.money, units, whose)?
            }
            value => view.values(value, cells())?,
        };
        table.column(name, column);
    }
    let truncated = cohorts().map(|cohort| cohort.and_then(|cohort| view.left_truncated(cohort)));
    table.column("left_truncated", Arc::new(truncated.collect::<BooleanArray>()));
    view.finish(table, rows)
}

/// A part of the cohort matrix: a range of cohorts and the first columns.
#[derive(Debug, Clone)]
pub struct CohortPart {
    /// Positions of the cohorts.
    pub cohorts: Range<usize>,
    /// Maximum number of columns.
    pub columns: usize,
}

/// The cohort matrix, or a part of it.
pub(super) fn matrix_table(view: &CohortView<'_>, value: Value, part: &CohortPart, context: &Context) -> Result<Table> {
    let (n, longest) = view.found.map_or((0, 0), |found| (found.cohorts.number, found.cohorts.longest));
    let shown = part.cohorts.start.min(n)..part.cohorts.end.min(n);
    let (rows, columns) = (shown.len(), longest.min(part.columns));
    let size = format!("the wide table has {rows} cohorts and {columns} periods");
    let remedy = "exclude outlying dates with observation_start and observation_end, set n_periods, or use to_table() or average()";
    if rows.saturating_mul(columns) > MOST_FIELDS {
        return Err(Error::new(ErrorKind::OutOfRange, format!("{size}, more than 100,000,000 fields; {remedy}")));
    }
    let bytes = rows * (8 * columns + size_of::<CohortCells<'_>>() + size_of::<Option<Cell<'_>>>() + COHORT_BYTES) + columns * COLUMN_BYTES;
    check_room(bytes as u64, || format!("{size}; {remedy}"))?;
    let cohorts = view.cohorts(shown);
    let mut table = TableBuilder::default();
    view.by_column(&mut table, cohorts.iter().map(|cohort| cohort.group))?;
    view.cohort_column(&mut table, cohorts.iter().map(|cohort| Some(cohort.key)))?;
    table.column("cohort_size", Arc::new(cohorts.iter().map(|cohort| cohort.size).collect::<Int64Array>()));
    let open = |cohort| view.found.map(|found| CohortCells::of(view.spec, &found.observation, &found.counts, cohort));
    let mut open: Vec<CohortCells<'_>> = cohorts.iter().filter_map(open).collect();
    let mut column = Vec::with_capacity(open.len());
    for row in 0..columns {
        context.check()?;
        column.clear();
        column.extend(open.iter_mut().map(Iterator::next));
        table.column(&view.spec.spans().name(row), view.values(value, column.iter().copied())?);
    }
    view.finish(table, cohorts.len())
}

/// The averages of the first `columns` periods.
pub(super) fn average_table(view: &CohortView<'_>, simple: bool, columns: usize) -> Result<Table> {
    let (groups, rows) = view.found.map_or((0, 0), |found| (found.groups.number(), found.cohorts.longest.min(columns)));
    let number = check_periods(rows, groups)?;
    let averages = view
        .found
        .map_or_else(Vec::new, |found| averages(view.spec, &found.observation, &found.counts, &found.cohorts.stored, groups, rows));
    debug_assert_eq!(averages.len(), number);
    let rows = rows.max(1);
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

/// The cohort memberships of all customers.
pub(super) fn customers_table(view: &CohortView<'_>, members: &[Member], threads: Threads<'_>) -> Result<Table> {
    let mut table = TableBuilder::default();
    let codes: Vec<u32> = members.iter().map(|member| member.customer).collect();
    table.ids(&view.input_schema.id, view.base.ids(), &codes, threads)?;
    let group = |member: &Member| view.found.map_or(0, |found| found.groups.group(&view.base, member.customer));
    // A part of a composite key is there already.
    if !view.spec.by.as_ref().is_some_and(|by| view.input_schema.id.has(by)) {
        view.by_column(&mut table, members.iter().map(group))?;
    }
    view.cohort_column(&mut table, members.iter().map(|member| Some(member.key)))?;
    table.column("first_date", Arc::new(Date32Array::from_iter_values(members.iter().map(|member| member.anchor))));
    view.finish(table, members.len())
}
