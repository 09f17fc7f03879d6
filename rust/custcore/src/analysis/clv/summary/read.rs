//! Reads a summary from a table.

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::ScalarBuffer;
use arrow_schema::Schema;
use arrow_select::concat::concat_batches;
use arrow_select::take::{take, take_record_batch};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::from_base::CALIBRATION_END;
use super::names::{ColumnNames, LIFETIMES_SPLIT, M_BEFORE, SummaryNames, X_BEFORE};
use super::order::{order_by_id, summary_error};
use super::rows::{ClvSummary, Groups, Holdout, Means, Times};
use crate::analysis::clv::cells::GRID_DAYS;
use crate::column::find_column;
use crate::column::key::OwnedKey;
use crate::column::key_schema::{KeyNames, KeySchema};
use crate::column::number::{Number, NumberColumn};
use crate::column::value::ValueColumn;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::table::CUSTOMER_ID;
use crate::time::calendar::date_of_text;

/// More groups than this are no groups.
const MAX_GROUPS: usize = 10_000;
/// Larger spends than this are no money, and would overflow.
pub(crate) const LARGEST_SPEND: f64 = 1e100;
/// Times that differ from a whole day by less than this share are that day: weeks are sevenths of days.
const DAY_TOLERANCE: f64 = 1e-9;

/// Which columns of a table are the summary.
#[derive(Debug, Clone, Default)]
pub struct SummaryColumns {
    /// The columns of ids; by default those that the metadata name, else `customer_id` if it is there, else none.
    pub customer_id: Option<KeyNames>,
    /// The column of groups with models of their own.
    pub by: Option<String>,
    /// The column of weights.
    pub weights: Option<String>,
    /// Days in the unit of the times; `None`: they are whole days.
    pub unit_days: Option<f64>,
}

impl ClvSummary {
    /// Reads and checks a summary. Column names are those of custcore, lifetimes or btyd.
    pub fn read(batches: &[RecordBatch], columns: &SummaryColumns, context: &Context) -> Result<Self> {
        let Some(first) = batches.first() else { return Err(summary_error("the summary has no batches; expected a table".to_owned())) };
        let schema = first.schema();
        let names = names_of(&schema)?;
        let key = match id_names(&schema, columns.customer_id.as_ref()) {
            Some(names) => Some(KeySchema::of(&schema, &names, "customer_id")?),
            None => None,
        };
        let batch = if batches.len() == 1 { first.clone() } else { concat_batches(&schema, batches).map_err(Error::internal)? };
        // The rows are checked in the order in which they came, so that an error names the row of the caller.
        let found = Self::of_batch(&batch, names, key.clone(), columns)?;
        let Some(order) = key.as_ref().map(|key| order_by_id(&batch, key, context)).transpose()?.flatten() else { return Ok(found) };
        Self::of_batch(&take_record_batch(&batch, &order).map_err(Error::internal)?, names, key, columns)
    }

    fn of_batch(batch: &RecordBatch, names: ColumnNames, key: Option<KeySchema>, columns: &SummaryColumns) -> Result<Self> {
        let schema = batch.schema();
        let find = |name: &str, role: &str| -> Result<&ArrayRef> { Ok(batch.column(find_column(&schema, name, role)?)) };
        let has = |name: &str| schema.fields().iter().any(|field| field.name() == name);
        let number = |name: &str| NumberColumn::new(name, name, find(name, name)?);
        let ids = match &key {
            Some(key) => key.parts().iter().map(|part| plain(find(&part.name, "customer_id")?)).collect::<Result<Vec<_>>>()?,
            None => Vec::new(),
        };
        let x = whole_numbers(names.x, &number(names.x)?)?;
        let (t_x, age) = (times(names.t_x, &number(names.t_x)?, columns)?, times(names.age, &number(names.age)?, columns)?);
        let (t_x, age) = match (t_x, age) {
            (Times::Days(t_x), Times::Days(age)) => (Times::Days(t_x), Times::Days(age)),
            (t_x, age) => (Times::Floats(floats(t_x)), Times::Floats(floats(age))),
        };
        let m_x = if has(names.m_x) { Some(means(names.m_x, number(names.m_x)?)?) } else { None };
        let holdout = if has(names.x_holdout) { Some(holdout(names, &has, &number, columns)?) } else { None };
        let weights = match &columns.weights {
            Some(name) => Some(weights(name, &NumberColumn::new(name, "weights", find(name, "weights")?)?)?),
            None => None,
        };
        let groups = match &columns.by {
            Some(name) => Some(groups(name, &ValueColumn::new(name, "by", find(name, "by")?)?, batch.num_rows())?),
            None => None,
        };
        let calibration_end = schema.metadata().get(CALIBRATION_END).and_then(|text| date_of_text(text));
        let mut summary = Self { key, ids, x, t_x, age, m_x, holdout, groups, weights, calibration_end, remarks: Vec::new() };
        summary.check(names)?;
        Ok(summary)
    }

    /// Refuses rows that cannot be, and remarks on those that are unlikely.
    fn check(&mut self, names: ColumnNames) -> Result<()> {
        let mut more_than_days = 0_u64;
        for row in 0..self.rows() {
            let (x, t_x, age) = (self.x[row], self.t_x.get(row), self.age.get(row));
            let wrong = if t_x > age {
                Some((names.t_x, format!("{} > {}: the last purchase is after the end of calibration", names.t_x, names.age)))
            } else if x == 0 && t_x > 0.0 {
                Some((
                    names.t_x,
                    format!("{} = 0 with {} > 0: a customer without repeat purchases has no time of the last one", names.x, names.t_x),
                ))
            } else if x > 0 && t_x == 0.0 {
                Some((
                    names.t_x,
                    format!("{} > 0 with {} = 0: repeat purchases on the day of the first one are the same day", names.x, names.t_x),
                ))
            } else {
                None
            };
            if let Some((column, what)) = wrong {
                let message = format!("{what} at row {row} ({x}, {t_x}, {age}). Make the summary with clv_summary, or correct the row");
                return Err(summary_error(message).in_column(column).at_row(row as u64));
            }
            more_than_days += u64::from(f64::from(x) > t_x && matches!(self.t_x, Times::Days(_)));
        }
        if more_than_days > 0 {
            let rows = if more_than_days == 1 { "1 row has" } else { &format!("{more_than_days} rows have") };
            self.remarks.push(format!(
                "{rows} more repeat purchases than days to the last one: purchases of one day were not collapsed into one. The models count days"
            ));
        }
        Ok(())
    }
}

/// The first set of names of which the table has the first three.
fn names_of(schema: &Schema) -> Result<ColumnNames> {
    let has = |name: &str| schema.fields().iter().any(|field| field.name() == name);
    let sets = SummaryNames::ALL.map(SummaryNames::columns);
    let found = sets.iter().chain([&LIFETIMES_SPLIT]).find(|names| has(names.x) && has(names.t_x) && has(names.age));
    found.copied().ok_or_else(|| {
        let columns: Vec<String> = schema.fields().iter().map(|field| format!("'{}'", field.name())).collect();
        let message = format!(
            "the table is no summary: it needs columns x, t_x and T (or frequency, recency, T as of lifetimes, or x, t.x, T.cal as of btyd), \
             and has {}. Make one with clv_summary, or rename its columns",
            columns.join(", ")
        );
        Error::new(ErrorKind::ColumnNotFound, message).in_column("x")
    })
}

/// The columns of ids; `None` if there are none.
fn id_names(schema: &Schema, wanted: Option<&KeyNames>) -> Option<KeyNames> {
    if let Some(names) = wanted {
        return Some(names.clone());
    }
    let has = |name: &str| schema.fields().iter().any(|field| field.name() == name);
    let named = schema.metadata().get(CUSTOMER_ID).map(|text| KeyNames::of_text(text, schema)).filter(|names| names.iter().all(has));
    named.or_else(|| has("customer_id").then(|| "customer_id".into()))
}

/// A column of ids in the type of results: dictionaries are decoded.
fn plain(column: &ArrayRef) -> Result<ArrayRef> {
    match column.as_any_dictionary_opt() {
        Some(dictionary) => take(dictionary.values(), dictionary.keys(), None).map_err(Error::internal),
        None => Ok(column.clone()),
    }
}

fn null_error(name: &str, row: usize) -> Error {
    let message = format!("column '{name}' is null at row {row}; expected a number for each customer. Leave such rows out");
    summary_error(message).in_column(name).at_row(row as u64)
}

/// Non-negative whole numbers that fit 31 bits.
fn whole_numbers(name: &str, column: &NumberColumn) -> Result<ScalarBuffer<i32>> {
    if let Some(values) = column.whole_i32().filter(|values| values.iter().all(|&value| value >= 0)) {
        return Ok(values);
    }
    let value = |row: usize| -> Result<i32> {
        let number = column.get(row).ok_or_else(|| null_error(name, row))?;
        whole_below(number, f64::from(i32::MAX)).ok_or_else(|| {
            let message =
                format!("column '{name}' is {number} at row {row}; expected a whole number of purchase days, 0 or more. Correct the row");
            summary_error(message).in_column(name).at_row(row as u64)
        })
    };
    (0..column.len()).map(value).collect::<Result<Vec<i32>>>().map(ScalarBuffer::from)
}

/// A number that is whole, 0 or more, and below a limit of at most 2^31.
#[inline]
fn whole_below(number: Number, limit: f64) -> Option<i32> {
    let value = number.to_f64();
    (value >= 0.0 && value.fract() == 0.0 && value < limit).then_some(value as i32)
}

/// The whole day that a time is but for rounding errors, or the time.
pub(crate) fn to_whole_day(days: f64) -> f64 {
    let whole = days.round();
    if (days - whole).abs() <= DAY_TOLERANCE * whole.max(1.0) { whole } else { days }
}

/// Times in days.
fn times(name: &str, column: &NumberColumn, columns: &SummaryColumns) -> Result<Times> {
    if let Some(row) = (0..column.len()).find(|&row| !column.is_valid(row)) {
        return Err(null_error(name, row));
    }
    // Whole days, the usual case, need no floats.
    if columns.unit_days.is_none() {
        let on_grid = |day: &i32| (0..GRID_DAYS as i32).contains(day);
        if let Some(values) = column.whole_i32().filter(|values| values.iter().all(on_grid)) {
            return Ok(Times::Days(values));
        }
        let days = (0..column.len()).map(|row| column.get(row).and_then(|number| whole_below(number, GRID_DAYS)));
        if let Some(days) = days.collect::<Option<Vec<i32>>>() {
            return Ok(Times::Days(days.into()));
        }
    }
    let mut values = column.to_f64();
    if let Some(row) = values.iter().position(|&value| !(value >= 0.0 && value.is_finite())) {
        let value = values[row];
        let message = format!("column '{name}' is {value} at row {row}; expected a finite time, 0 or more. Correct the row");
        return Err(summary_error(message).in_column(name).at_row(row as u64));
    }
    let unit = columns.unit_days.unwrap_or(1.0);
    values.iter_mut().for_each(|value| *value = to_whole_day(*value * unit));
    let on_grid = |value: f64| value.fract() == 0.0 && value < GRID_DAYS;
    match values.iter().position(|&value| !on_grid(value)) {
        None => Ok(Times::Days(values.into_iter().map(|value| value as i32).collect())),
        Some(row) if columns.unit_days.is_none() && values[row].fract() != 0.0 => {
            let message = format!(
                "column '{name}' is {} at row {row}, which is no whole number of days. Name the unit of its times: unit='week', or unit='day' \
                 for parts of days",
                values[row]
            );
            Err(summary_error(message).in_column(name).at_row(row as u64))
        }
        Some(_) => Ok(Times::Floats(values.into())),
    }
}

fn floats(times: Times) -> ScalarBuffer<f64> {
    match times {
        Times::Days(days) => days.iter().map(|&day| f64::from(day)).collect(),
        Times::Floats(times) => times,
    }
}

/// Mean spends.
fn means(name: &str, column: NumberColumn) -> Result<Means> {
    if let Some(row) = column.first_infinite() {
        let message = format!("column '{name}' is infinite at row {row}; expected a finite mean spend, or null. Correct the row");
        return Err(summary_error(message).in_column(name).at_row(row as u64));
    }
    let means = Means::new(column);
    if let Some(row) = (0..means.len()).find(|&row| means.get(row).abs() > LARGEST_SPEND) {
        let message = format!(
            "column '{name}' is {:e} at row {row}; expected money, at most {LARGEST_SPEND:e} a day. Correct the row, or divide all amounts",
            means.get(row)
        );
        return Err(summary_error(message).in_column(name).at_row(row as u64));
    }
    Ok(means)
}

fn weights(name: &str, column: &NumberColumn) -> Result<Vec<f64>> {
    if let Some(row) = (0..column.len()).find(|&row| !column.is_valid(row)) {
        return Err(null_error(name, row));
    }
    let values = column.to_f64();
    match values.iter().position(|&value| !(value >= 0.0 && value.is_finite())) {
        None => Ok(values),
        Some(row) => {
            let message = format!("column '{name}' (weights) is {} at row {row}; expected finite weights, 0 or more", values[row]);
            Err(summary_error(message).in_column(name).at_row(row as u64))
        }
    }
}

fn holdout(
    names: ColumnNames,
    has: &impl Fn(&str) -> bool,
    number: &impl Fn(&str) -> Result<NumberColumn>,
    columns: &SummaryColumns,
) -> Result<Holdout> {
    let x = whole_numbers(names.x_holdout, &number(names.x_holdout)?)?;
    let optional = |name: &str| -> Result<_> { if has(name) { Ok(Some(means(name, number(name)?)?)) } else { Ok(None) } };
    let (mean, mean_before) = (optional(names.m_holdout)?, optional(M_BEFORE)?);
    let x_before = if has(X_BEFORE) { Some(whole_numbers(X_BEFORE, &number(X_BEFORE)?)?) } else { None };
    if !has(names.holdout_days) {
        let name = names.holdout_days;
        let message =
            format!("the summary has column '{}', but not '{name}'; add a column with the length of the hold-out", names.x_holdout);
        return Err(Error::new(ErrorKind::ColumnNotFound, message).in_column(name));
    }
    let column = number(names.holdout_days)?;
    // Only the length of our own summaries is in days; others measure all times in one unit.
    let unit = columns.unit_days.filter(|_| names.holdout_days != "holdout_days").unwrap_or(1.0);
    let values = column.to_f64();
    let is_length = |row: usize| column.is_valid(row) && values[row] > 0.0 && values[row].to_bits() == values[0].to_bits();
    if let Some(row) = (0..values.len()).find(|&row| !is_length(row)) {
        let name = names.holdout_days;
        let message =
            format!("column '{name}' has not the same positive length in all rows (row {row}); the hold-out is the same for all customers");
        return Err(summary_error(message).in_column(name).at_row(row as u64));
    }
    Ok(Holdout { x, mean, days: values.first().map_or(1.0, |length| length * unit), x_before, mean_before })
}

/// The values of the column of groups, ascending, and that of each row.
fn groups(name: &str, column: &ValueColumn, rows: usize) -> Result<Groups> {
    let mut places: HashMap<OwnedKey, u32, RandomState> = HashMap::default();
    let mut found: Vec<OwnedKey> = Vec::new();
    let mut of_row = Vec::with_capacity(rows);
    for row in 0..rows {
        let key = column.key(row);
        let place = match places.get(&key) {
            Some(&place) => place,
            None if found.len() == MAX_GROUPS => {
                let message =
                    format!("column '{name}' has more than 10,000 values; expected groups of customers. Name another column: by=...");
                return Err(Error::new(ErrorKind::InvalidArgument, message).in_column(name));
            }
            None => {
                let place = found.len() as u32;
                places.insert(key.to_owned(), place);
                found.push(key.to_owned());
                place
            }
        };
        of_row.push(place);
    }
    let mut order: Vec<u32> = (0..found.len() as u32).collect();
    order.sort_by(|&a, &b| found[a as usize].cmp(&found[b as usize]));
    let mut place = vec![0; found.len()];
    (0..).zip(&order).for_each(|(at, &old): (u32, _)| place[old as usize] = at);
    of_row.iter_mut().for_each(|row| *row = place[*row as usize]);
    Ok(Groups { labels: order.iter().map(|&at| found[at as usize].clone()).collect(), of_row })
}
