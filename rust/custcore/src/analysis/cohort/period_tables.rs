//! Arrow tables by calendar period: customer movement and revenue retention.

use std::sync::Arc;

use arrow_array::{BooleanArray, Date32Array, Float64Array, Int64Array};

use super::cohorts::MOST_CELLS;
use super::found::CohortView;
use super::movement::Flow;
use crate::analysis::movement::{Movement, Sums};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::memory::check_room;
use crate::num::money::ratio;
use crate::table::{Table, TableBuilder, money_column};
use crate::time::period::shown;

/// Upper bound of the bytes of a row of a period table, including its sums.
const PERIOD_BYTES: usize = 250;

/// Number of rows of `periods` periods of `groups` groups; an error if there are too many.
pub(super) fn check_periods(periods: usize, groups: usize) -> Result<usize> {
    let rows = periods.saturating_mul(groups);
    let what = || {
        format!(
            "the table has {rows} rows, {periods} periods of {groups} groups; exclude outlying dates with observation_start \
             and observation_end, or set n_periods or a longer period"
        )
    };
    if rows as u64 > MOST_CELLS {
        return Err(Error::new(ErrorKind::OutOfRange, format!("{}; at most 50,000,000 are possible", what())));
    }
    check_room((rows * PERIOD_BYTES) as u64, what)?;
    Ok(rows)
}

/// Begins a table with one row per group and calendar period; also returns the number of rows.
fn periods_table(view: &CohortView<'_>) -> Result<(TableBuilder, usize)> {
    let mut table = TableBuilder::default();
    let Some(found) = view.found else {
        view.by_column(&mut table, 0..0)?;
        for name in ["period_start", "period_end"] {
            table.column(name, Arc::new(Date32Array::from(Vec::<i32>::new())));
        }
        table.column("is_complete", Arc::new(BooleanArray::from(Vec::<bool>::new())));
        return Ok((table, 0));
    };
    let (observation, periods) = (&found.observation, found.observation.periods());
    let rows = check_periods((periods.end - periods.start) as usize, found.groups.number())?;
    let n = ((periods.end - periods.start) as usize).max(1);
    view.by_column(&mut table, (0..rows).map(|row| row / n))?;
    let index = |row: usize| periods.start + (row % n) as i64;
    let start = |index: i64| shown(observation.calendar.start(index, observation.period));
    table.column("period_start", Arc::new(Date32Array::from_iter_values((0..rows).map(|row| start(index(row))))));
    table.column("period_end", Arc::new(Date32Array::from_iter_values((0..rows).map(|row| start(index(row) + 1)))));
    table.column("is_complete", Arc::new((0..rows).map(|row| Some(observation.is_over(index(row)))).collect::<BooleanArray>()));
    Ok((table, rows))
}

/// A column name and the value of a row.
type Named<T, V> = (&'static str, fn(&T) -> V);

/// The customer movement table.
pub(super) fn movement_table(view: &CohortView<'_>, sums: &Sums<Movement>) -> Result<Table> {
    let (mut table, rows) = periods_table(view)?;
    let columns: [Named<Movement, i64>; 5] = [
        ("active", |row| row.active),
        ("new", |row| row.new),
        ("retained", |row| row.retained),
        ("reactivated", |row| row.reactivated),
        ("churned", |row| row.churned),
    ];
    for (name, value) in columns {
        table.column(name, Arc::new(Int64Array::from_iter_values((0..rows).map(|row| value(&sums.get(row))))));
    }
    view.finish(table, rows)
}

/// The revenue retention table.
pub(super) fn flow_table(view: &CohortView<'_>, sums: &Sums<Flow>, reactivation: bool) -> Result<Table> {
    let (mut table, rows) = periods_table(view)?;
    let columns: [Named<Flow, i128>; 7] = [
        ("revenue_start", |row| row.start),
        ("revenue_churned", |row| row.churned),
        ("revenue_contraction", |row| row.contraction),
        ("revenue_expansion", |row| row.expansion),
        ("revenue_reactivated", |row| row.reactivated),
        ("revenue_new", |row| row.new),
        ("revenue_end", |row| row.end),
    ];
    let flows = || (0..rows).map(|row| sums.get(row));
    for (name, value) in columns {
        table.column(name, money_column(view.input_schema.money, flows().map(|row| Some(value(&row))), |_| "of a period".to_owned())?);
    }
    let share = |part: i128, row: &Flow| (row.start > 0).then(|| ratio(part, row.start));
    let grr = flows().map(|row| share(row.start - row.churned - row.contraction, &row));
    table.column("grr", Arc::new(grr.collect::<Float64Array>()));
    let back = |row: &Flow| if reactivation { row.reactivated } else { 0 };
    let nrr = flows().map(|row| share(row.start - row.churned - row.contraction + row.expansion + back(&row), &row));
    table.column("nrr", Arc::new(nrr.collect::<Float64Array>()));
    view.finish(table, rows)
}
