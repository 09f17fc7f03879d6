//! The columns that moments are of: values of a table, and what is derived from them, read in blocks as small integers.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, Int8Array, RecordBatch};
use arrow_buffer::ScalarBuffer;

use super::fixed_point::{DECIMALS, LARGEST, of_decimal, of_float, power_of_ten};
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

/// Values of some rows as integers; each is that many units of 10^-`decimals`.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    pub decimals: u8,
    pub values: Integers,
    /// Scratch memory.
    units: Vec<i64>,
}

/// Integers in the narrowest type in which sums of products of a block cannot overflow.
#[derive(Debug)]
pub(super) enum Integers {
    /// Up to 2^25.
    Narrow(Vec<i32>),
    /// Up to 2^57.
    Wide(Vec<i64>),
    /// Up to 10^27.
    Huge(Vec<i128>),
}

impl Default for Integers {
    fn default() -> Self {
        Self::Narrow(Vec::new())
    }
}

/// Rows of a block, which are read in one go.
pub(super) const ROWS: usize = 4_096;

const NARROW: i64 = 1 << 25;
const WIDE: i64 = 1 << 57;
/// Floats up to this size are multiplied by 10^6 and rounded without an error.
const EXACT: f64 = 2e9;
/// 1.5 * 2^52: adding it rounds to an integer in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
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

    /// Reads the rows at `places` of a block that starts at row `start`. Null is 0.
    pub(super) fn read(&self, expression: Expression, (start, places): (usize, &[u32]), logarithms: &Logarithms, out: &mut Buffer) {
        let (column, floats) = &self.columns[expression.column];
        if column.nulls().is_none() {
            match (expression.transform, column.form(), floats) {
                (Transform::Value, NumberForm::Floats, Some(floats)) => {
                    return out.fill_floats(places.iter().map(|&place| floats[start + place as usize]));
                }
                (Transform::Capped(cap), NumberForm::Floats, Some(floats)) => {
                    return out.fill_floats(places.iter().map(|&place| floats[start + place as usize].min(cap)));
                }
                (transform, NumberForm::Integers, _) if !matches!(transform, Transform::Capped(_)) => {
                    let mut keys = vec![0; ROWS];
                    let keys = column.keys(start, &mut keys[..ROWS.min(column.len() - start)]);
                    let values = places.iter().map(|&place| keys[place as usize]);
                    return match transform {
                        Transform::AtLeast(least) => out.fill_flags(values.map(|value| value >= least)),
                        Transform::Below(least) => out.fill_flags(values.map(|value| value < least)),
                        Transform::IsKnown => out.fill_flags(values.map(|_| true)),
                        Transform::LnOnePlus => out.fill_wide(DECIMALS, values.map(|value| logarithms.of(value.max(0)))),
                        _ => out.fill_wide(0, values),
                    };
                }
                _ => {}
            }
        }
        read_each(column, expression.transform, places.iter().map(|&place| start + place as usize), logarithms, out);
    }
}

/// Reads a column row by row.
fn read_each(column: &NumberColumn, transform: Transform, rows: impl Iterator<Item = usize>, logarithms: &Logarithms, out: &mut Buffer) {
    let get = |row: usize| column.get(row);
    match transform {
        Transform::Value if column.form() == NumberForm::Integers => {
            out.fill_wide(0, rows.map(|row| if let Some(Number::Integer(value)) = get(row) { value } else { 0 }));
        }
        Transform::Value if column.form() == NumberForm::Floats => out.fill_floats(rows.map(|row| get(row).map_or(0.0, Number::to_f64))),
        Transform::Value => out.fill_huge(rows.map(|row| match get(row) {
            Some(Number::Decimal(value, scale)) => of_decimal(value, scale).unwrap_or(0),
            _ => 0,
        })),
        Transform::Capped(cap) => out.fill_floats(rows.map(|row| get(row).map_or(0.0, |value| value.to_f64().min(cap)))),
        Transform::AtLeast(least) => out.fill_flags(rows.map(|row| get(row).is_some_and(|value| is_at_least(value, least)))),
        Transform::Below(least) => out.fill_flags(rows.map(|row| get(row).is_some_and(|value| !is_at_least(value, least)))),
        Transform::IsKnown => out.fill_flags(rows.map(|row| column.is_valid(row))),
        Transform::LnOnePlus => out.fill_wide(
            DECIMALS,
            rows.map(|row| match get(row) {
                Some(Number::Integer(value)) => logarithms.of(value.max(0)),
                Some(value) => of_float(ln_1p(value.to_f64().max(0.0))) as i64,
                None => 0,
            }),
        ),
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

impl Buffer {
    fn fill_narrow(&mut self, decimals: u8, filled: impl Iterator<Item = i32>) {
        self.decimals = decimals;
        if let Integers::Narrow(values) = &mut self.values {
            values.clear();
            values.extend(filled);
        } else {
            self.values = Integers::Narrow(filled.collect());
        }
    }

    fn fill_flags(&mut self, flags: impl Iterator<Item = bool>) {
        self.fill_narrow(0, flags.map(i32::from));
    }

    /// Integers below 2^63, which are narrowed or widened as they need.
    fn fill_wide(&mut self, decimals: u8, values: impl Iterator<Item = i64>) {
        self.decimals = decimals;
        let values: Vec<i64> = values.collect();
        let largest = values.iter().map(|value| value.unsigned_abs()).max().unwrap_or(0);
        if largest <= NARROW as u64 {
            self.fill_narrow(decimals, values.into_iter().map(|value| value as i32));
        } else if largest <= WIDE as u64 {
            self.values = Integers::Wide(values);
        } else {
            self.values = Integers::Huge(values.into_iter().map(i128::from).collect());
        }
    }

    fn fill_huge(&mut self, values: impl Iterator<Item = i128>) {
        let values: Vec<i128> = values.collect();
        // Money has two decimals or none, mostly.
        for decimals in [0, 2, 6] {
            let unit = power_of_ten(DECIMALS - decimals);
            if values.iter().all(|value| value % unit == 0 && (value / unit).abs() <= i128::from(WIDE)) {
                return self.fill_wide(decimals, values.iter().map(|value| (value / unit) as i64));
            }
        }
        self.decimals = DECIMALS;
        if values.iter().all(|value| value.abs() <= i128::from(WIDE)) {
            return self.fill_wide(DECIMALS, values.iter().map(|&value| value as i64));
        }
        self.values = Integers::Huge(values);
    }

    fn fill_floats(&mut self, values: impl Iterator<Item = f64>) {
        let values: Vec<f64> = values.collect();
        let mut units = std::mem::take(&mut self.units);
        units.resize(values.len(), 0);
        for (decimals, scale) in [(0, 1.0), (2, 1e2), (6, 1e6)] {
            // The same as `of_float`: a float that is the nearest one to a number of few decimals is so to one of six.
            if whole_units(&values, scale, &mut units) {
                self.fill_wide(decimals, units.iter().copied());
                self.units = units;
                return;
            }
        }
        self.units = units;
        self.fill_huge(values.into_iter().map(of_float));
    }
}

widest! {
    /// The bits of the largest size; those of NaN are larger than all others.
    fn largest_bits(values: &[f64]) -> u64 {
        values.iter().fold(0, |largest, value| largest.max(value.abs().to_bits()))
    }
}

widest! {
    /// Floats in units of 1 / `scale`; whether all are so many units, to the nearest float.
    fn whole_units(values: &[f64], scale: f64, units: &mut [i64]) -> bool {
        let mut are_whole = true;
        for (units, &value) in units.iter_mut().zip(values) {
            let shifted = value * scale + ROUND;
            are_whole &= (((shifted - ROUND) / scale).to_bits() == (value + 0.0).to_bits()) & (value.abs() <= EXACT);
            *units = (shifted.to_bits() as i64) - (ROUND.to_bits() as i64);
        }
        are_whole
    }
}
