//! The columns that moments are of: values of a table, and what is derived from them, read in blocks as small integers.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, Int8Array, RecordBatch};
use arrow_buffer::ScalarBuffer;

use super::buffer::{Buffer, flags_at_least, flags_below};
use super::fixed_point::{DECIMALS, LARGEST, of_decimal, of_float};
use crate::column::find_column;
use crate::column::number::{Number, NumberColumn, NumberForm};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::simd::widest;
use crate::num::special::ln_1p;

/// What is computed from a column.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) enum Transform {
    /// The value.
    Value,
    /// The value, or the cap where it is larger.
    Capped(#[serde(with = "crate::num::exact::every_float")] f64),
    /// 1 where the value is at least so much, else 0.
    AtLeast(i64),
    /// 1 where the value is below so much, else 0.
    Below(i64),
    /// ln(1 + value).
    LnOnePlus,
    /// 1 where there is a value, else 0.
    IsKnown,
}

/// A column of moments.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Expression {
    /// Position of the column in [`Columns`].
    pub column: usize,
    /// What is computed from it.
    pub transform: Transform,
}

impl Expression {
    pub(super) fn value(column: usize) -> Self {
        Self { column, transform: Transform::Value }
    }
}

/// Which customers a metric is about.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub(super) enum Filter {
    /// All.
    #[default]
    All,
    /// Those whose value of a column is at least so much.
    AtLeast(usize, i64),
    /// Those with values in all these columns.
    Complete(Vec<usize>),
}

/// The numeric columns of a table with a row for each customer.
#[derive(Debug, Default)]
pub(super) struct Columns {
    names: Vec<String>,
    /// The columns, and the values of those of floats.
    columns: Vec<(NumberColumn, Option<ScalarBuffer<f64>>)>,
}

/// Rows of a block, which are read in one go.
pub(super) const ROWS: usize = 4_096;

/// ln(1 + n) of integers below this is looked up.
const LOGARITHMS: usize = 4_096;

/// ln(1 + n) in units.
#[derive(Debug)]
pub(super) struct Logarithms(Vec<i64>);

impl Logarithms {
    pub(super) fn new() -> Self {
        Self((0..LOGARITHMS).map(|n| of_float(ln_1p(n as f64)) as i64).collect())
    }

    fn of(&self, n: i64) -> i64 {
        match usize::try_from(n).ok().and_then(|at| self.0.get(at)) {
            Some(&units) => units,
            None => of_float(ln_1p(n as f64)) as i64,
        }
    }
}

impl Columns {
    /// The position of a column, which is read from the table if it was not before.
    pub(super) fn find(&mut self, batch: &RecordBatch, name: &str, role: &str) -> Result<usize> {
        if let Some(at) = self.names.iter().position(|known| known == name) {
            return Ok(at);
        }
        let array = batch.column(find_column(&batch.schema(), name, role)?);
        let column = match array.as_boolean_opt() {
            // A flag is 0 or 1.
            Some(flags) => {
                let flags: Int8Array = flags.iter().map(|flag| flag.map(i8::from)).collect();
                NumberColumn::new(name, role, &(Arc::new(flags) as ArrayRef))?
            }
            None => NumberColumn::new(name, role, array)?,
        };
        let floats = (column.form() == NumberForm::Floats).then(|| column.float_values());
        let is_small = match &floats {
            Some(floats) => largest_bits(floats) <= LARGEST.to_bits(),
            None => column.whole_i32().is_some(),
        };
        if !is_small && let Some(row) = (0..column.len()).find(|&row| column.get(row).is_some_and(is_too_large)) {
            let value = column.get(row).map_or(f64::NAN, Number::to_f64);
            let message = format!(
                "column '{name}' ({role}) is {value} at row {row}; expected values up to 1e15. Divide the column by a power of ten"
            );
            return Err(Error::new(ErrorKind::OutOfRange, message).in_column(name).at_row(row as u64));
        }
        self.names.push(name.to_owned());
        self.columns.push((column, floats));
        Ok(self.columns.len() - 1)
    }

    /// A column of moments in words.
    pub(super) fn describe(&self, expression: Expression) -> String {
        let name = &self.names[expression.column];
        match expression.transform {
            Transform::Value | Transform::Capped(_) => name.clone(),
            Transform::AtLeast(least) => format!("{name} >= {least}"),
            Transform::Below(least) => format!("{name} < {least}"),
            Transform::LnOnePlus => format!("ln(1 + {name})"),
            Transform::IsKnown => format!("{name} is known"),
        }
    }

    /// The column at a position.
    pub(super) fn get(&self, at: usize) -> &NumberColumn {
        &self.columns[at].0
    }

    /// The name of a column.
    pub(super) fn name(&self, at: usize) -> &str {
        &self.names[at]
    }

    /// Whether a filter takes a row.
    pub(super) fn takes(&self, filter: &Filter, row: usize) -> bool {
        match filter {
            Filter::All => true,
            Filter::AtLeast(column, least) => self.columns[*column].0.get(row).is_some_and(|value| is_at_least(value, *least)),
            Filter::Complete(columns) => columns.iter().all(|&column| self.columns[column].0.is_valid(row)),
        }
    }

    /// Reads some rows. Null is 0.
    pub(super) fn read(&self, expression: Expression, rows: Range<usize>, logarithms: &Logarithms, out: &mut Buffer) {
        let (column, floats) = &self.columns[expression.column];
        if column.nulls().is_none() {
            match (expression.transform, column.form(), floats) {
                (Transform::Value, NumberForm::Floats, Some(floats)) => return out.fill_floats(&floats[rows]),
                (Transform::Capped(cap), NumberForm::Floats, Some(floats)) => {
                    let capped: Vec<f64> = floats[rows].iter().map(|value| value.min(cap)).collect();
                    return out.fill_floats(&capped);
                }
                (transform, NumberForm::Integers, _) if !matches!(transform, Transform::Capped(_)) => {
                    let mut units = std::mem::take(&mut out.units);
                    units.resize(rows.len(), 0);
                    let values = column.keys(rows.start, &mut units);
                    match transform {
                        Transform::AtLeast(least) => out.narrow(0, values.len(), |flags| flags_at_least(values, least, flags)),
                        Transform::Below(least) => out.narrow(0, values.len(), |flags| flags_below(values, least, flags)),
                        Transform::IsKnown => out.narrow(0, values.len(), |flags| flags.fill(1)),
                        Transform::LnOnePlus => {
                            let logarithms: Vec<i64> = values.iter().map(|value| logarithms.of((*value).max(0))).collect();
                            out.fill_wide(DECIMALS, &logarithms);
                        }
                        _ => out.fill_wide(0, values),
                    }
                    out.units = units;
                    return;
                }
                _ => {}
            }
        }
        read_each(column, expression.transform, rows, logarithms, out);
    }
}

/// Reads a column row by row.
fn read_each(column: &NumberColumn, transform: Transform, rows: Range<usize>, logarithms: &Logarithms, out: &mut Buffer) {
    let get = |row: usize| column.get(row);
    let flags = |out: &mut Buffer, is_set: &dyn Fn(usize) -> bool| {
        out.narrow(0, rows.len(), |flags| flags.iter_mut().zip(rows.clone()).for_each(|(flag, row)| *flag = is_set(row).into()));
    };
    let wide = |out: &mut Buffer, decimals: u8, value: &dyn Fn(usize) -> i64| {
        out.fill_wide(decimals, &rows.clone().map(value).collect::<Vec<i64>>());
    };
    let floats = |out: &mut Buffer, value: &dyn Fn(Number) -> f64| {
        out.fill_floats(&rows.clone().map(|row| get(row).map_or(0.0, value)).collect::<Vec<f64>>());
    };
    match transform {
        Transform::Value if column.form() == NumberForm::Integers => {
            wide(out, 0, &|row| if let Some(Number::Integer(value)) = get(row) { value } else { 0 });
        }
        Transform::Value if column.form() == NumberForm::Floats => floats(out, &Number::to_f64),
        Transform::Value => {
            let decimal = |row: usize| match get(row) {
                Some(Number::Decimal(value, scale)) => of_decimal(value, scale).unwrap_or(0),
                _ => 0,
            };
            out.fill_huge(rows.clone().map(decimal).collect());
        }
        Transform::Capped(cap) => floats(out, &|value| value.to_f64().min(cap)),
        Transform::AtLeast(least) => flags(out, &|row| get(row).is_some_and(|value| is_at_least(value, least))),
        Transform::Below(least) => flags(out, &|row| get(row).is_some_and(|value| !is_at_least(value, least))),
        Transform::IsKnown => flags(out, &|row| column.is_valid(row)),
        Transform::LnOnePlus => wide(out, DECIMALS, &|row| match get(row) {
            Some(Number::Integer(value)) => logarithms.of(value.max(0)),
            Some(value) => of_float(ln_1p(value.to_f64().max(0.0))) as i64,
            None => 0,
        }),
    }
}

fn is_at_least(value: Number, least: i64) -> bool {
    value.compare(Number::Integer(least)).is_ge()
}

fn is_too_large(value: Number) -> bool {
    match value {
        Number::Decimal(value, scale) => of_decimal(value, scale).is_none(),
        value => value.to_f64().abs() > LARGEST,
    }
}

widest! {
    /// The bits of the largest size; those of NaN are larger than all others.
    fn largest_bits(values: &[f64]) -> u64 {
        values.iter().fold(0, |largest, value| largest.max(value.abs().to_bits()))
    }
}
