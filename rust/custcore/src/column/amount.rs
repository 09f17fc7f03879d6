//! Amounts as integer units of money, from floats (at a fixed number of decimal places), integers and decimals.

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{NullBuffer, ScalarBuffer, i256};
use arrow_schema::DataType;

use super::integer::Integers;
use super::{BLOCK, flag, invalid_type};
use crate::error::{Error, ErrorKind, Result};
use crate::num::money::{
    MAX_DECIMAL_UNITS, MAX_UNITS, Money, any_coarse, float_factor, float_to_units, floats_to_units, is_coarse, rounded_off,
};

#[derive(Debug, Clone)]
enum AmountValues {
    F64(ScalarBuffer<f64>),
    F32(ScalarBuffer<f32>),
    Integers(Integers),
    D128(ScalarBuffer<i128>),
    D256(ScalarBuffer<i256>),
}

/// An amount column, read as units of money.
#[derive(Debug, Clone)]
pub(crate) struct AmountColumn {
    values: AmountValues,
    nulls: Option<NullBuffer>,
    money: Money,
    factor: f64,
}

impl AmountColumn {
    /// The unit of money for a column of this type.
    pub(crate) fn money_of(column: &str, data_type: &DataType, decimals: u8) -> Result<Money> {
        Ok(match data_type {
            DataType::Float64 | DataType::Float32 | DataType::Float16 => Money::Float { decimals },
            t if t.is_integer() => Money::Integer,
            DataType::Decimal32(_, scale)
            | DataType::Decimal64(_, scale)
            | DataType::Decimal128(_, scale)
            | DataType::Decimal256(_, scale)
                if (-38..=38).contains(scale) =>
            {
                Money::Decimal { scale: *scale }
            }
            found if found.is_decimal() => {
                return Err(invalid_type(column, "amount", found, "a decimal of scale 38 or less", "Cast it to a smaller scale"));
            }
            found => {
                let remedy = match found {
                    DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                        "Numeric text is never parsed silently. Cast it first, e.g. pd.to_numeric(df[col])"
                    }
                    DataType::Null => "The column contains only nulls and has no type: cast it to float, or leave amount=None",
                    _ => "Cast it first",
                };
                return Err(invalid_type(column, "amount", found, "a float, integer or decimal", remedy));
            }
        })
    }

    /// The reader of an amount column.
    pub(crate) fn new(column: &str, array: &ArrayRef, decimals: u8) -> Result<Self> {
        let money = Self::money_of(column, array.data_type(), decimals)?;
        let values = match array.data_type() {
            DataType::Float64 => AmountValues::F64(array.as_primitive::<Float64Type>().values().clone()),
            DataType::Float32 => AmountValues::F32(array.as_primitive::<Float32Type>().values().clone()),
            DataType::Float16 => AmountValues::F32(array.as_primitive::<Float16Type>().values().iter().map(|&x| f32::from(x)).collect()),
            DataType::Decimal32(_, _) => {
                AmountValues::D128(array.as_primitive::<Decimal32Type>().values().iter().map(|&x| x.into()).collect())
            }
            DataType::Decimal64(_, _) => {
                AmountValues::D128(array.as_primitive::<Decimal64Type>().values().iter().map(|&x| x.into()).collect())
            }
            DataType::Decimal128(_, _) => AmountValues::D128(array.as_primitive::<Decimal128Type>().values().clone()),
            DataType::Decimal256(_, _) => AmountValues::D256(array.as_primitive::<Decimal256Type>().values().clone()),
            _ => match Integers::new(array) {
                Some(values) => AmountValues::Integers(values),
                None => return Err(Error::internal("an amount type without a reader")),
            },
        };
        Ok(Self { values, nulls: array.nulls().cloned(), money, factor: float_factor(decimals) })
    }

    /// Whether units need 128 bits.
    pub(crate) fn is_wide(&self) -> bool {
        matches!(self.values, AmountValues::D128(_) | AmountValues::D256(_))
    }

    /// Null rows; NaN also counts as null but is not included.
    pub(crate) fn nulls(&self) -> Option<&NullBuffer> {
        self.nulls.as_ref()
    }

    /// Reads rows `start..start + out.len()` (at most [`BLOCK`]) in units. NaN and infinite rows are flagged and read as 0, and
    /// amounts that rounding changes much are flagged; values and flags of null rows are unspecified. Returns false if a row, null or not, is out of range.
    #[inline]
    pub(crate) fn read(&self, start: usize, out: &mut [i64], flags: &mut [u8]) -> bool {
        match &self.values {
            AmountValues::F64(v) => read_floats(&v[start..start + out.len()], self.factor, out, flags),
            AmountValues::F32(v) => {
                let mut wide = [0.0; BLOCK];
                let wide = &mut wide[..out.len()];
                wide.iter_mut().zip(&v[start..]).for_each(|(wide, &value)| *wide = f64::from(value));
                read_floats(wide, self.factor, out, flags)
            }
            AmountValues::Integers(v) => {
                v.read(start, out);
                let least = if v.is_u64() { 0 } else { 1 - MAX_UNITS };
                out.iter().fold(true, |ok, units| ok & (least..MAX_UNITS).contains(units))
            }
            AmountValues::D128(_) | AmountValues::D256(_) => true,
        }
    }

    /// As [`Self::read`], for columns whose units need 128 bits.
    pub(crate) fn read_wide(&self, start: usize, out: &mut [i128]) -> bool {
        match &self.values {
            AmountValues::D128(v) => out.copy_from_slice(&v[start..start + out.len()]),
            AmountValues::D256(v) => {
                for (slot, value) in out.iter_mut().zip(&v[start..]) {
                    *slot = value.to_i128().unwrap_or(i128::MAX);
                }
            }
            _ => {}
        }
        out.iter().fold(true, |ok, units| ok & (1 - MAX_DECIMAL_UNITS..MAX_DECIMAL_UNITS).contains(units))
    }

    /// What rounding took from a float amount, in units of 10^-18.
    pub(crate) fn rounded_off(&self, row: usize) -> i128 {
        match &self.values {
            AmountValues::F64(v) => rounded_off(v[row], self.factor),
            AmountValues::F32(v) => rounded_off(f64::from(v[row]), self.factor),
            _ => 0,
        }
    }

    /// The first of `len` rows from `start` that is not null and out of range.
    pub(crate) fn first_out_of_range(&self, start: usize, len: usize) -> Option<usize> {
        (start..start + len).find(|&row| {
            let valid = self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            valid && if self.is_wide() { !self.read_wide(row, &mut [0]) } else { !self.read(row, &mut [0], &mut [0]) }
        })
    }

    /// The error for a row whose amount is too large to be represented exactly.
    pub(crate) fn out_of_range(&self, column: &str, row: u64) -> Error {
        let message = match self.money {
            Money::Float { decimals } => format!(
                "column '{column}' has an amount at row {row} that is too large to be counted exactly in units of 10^-{decimals} \
                 (the limit is {:.3e}). Lower amount_decimals, or use larger units",
                MAX_UNITS as f64 / self.factor
            ),
            Money::Integer => {
                format!("column '{column}' has an amount at row {row} of 2^62 or more. Use larger units, or cast it to decimal")
            }
            Money::Decimal { scale } => {
                format!(
                    "column '{column}' has an amount at row {row} of 2^96 or more in units of 10^-{scale}. Cast it to a decimal of smaller scale"
                )
            }
        };
        Error::new(ErrorKind::OutOfRange, message).in_column(column).at_row(row)
    }

    /// The error for an infinite amount at `row`, the first of `count` in its batch.
    pub(crate) fn nonfinite(column: &str, row: u64, count: usize) -> Error {
        let others = if count > 1 { format!(" (and {} more in its batch)", count - 1) } else { String::new() };
        Error::new(
            ErrorKind::NonFinite,
            format!("column '{column}' has an infinite amount at row {row}{others}. Correct the data, or pass on_nonfinite='drop' to exclude and count such rows"),
        )
        .in_column(column)
        .at_row(row)
    }

    /// How many amounts are infinite.
    pub(crate) fn count_nonfinite(&self) -> usize {
        let valid = |row: usize| self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        match &self.values {
            AmountValues::F64(v) => v.iter().enumerate().filter(|(row, x)| x.is_infinite() && valid(*row)).count(),
            AmountValues::F32(v) => v.iter().enumerate().filter(|(row, x)| x.is_infinite() && valid(*row)).count(),
            _ => 0,
        }
    }
}

#[inline]
fn read_floats(values: &[f64], factor: f64, out: &mut [i64], flags: &mut [u8]) -> bool {
    let (in_range, small) = floats_to_units(values, factor, out);
    if in_range {
        // Amounts of 0 are small, too, and not rounded.
        if small && any_coarse(values, factor) {
            mark_coarse(values, factor, out, flags);
        }
        return true;
    }
    let mut all = true;
    for ((slot, flag), &value) in out.iter_mut().zip(&mut *flags).zip(values) {
        if let Some(units) = float_to_units(value, factor) {
            *slot = units;
        } else {
            *slot = 0;
            if value.is_nan() {
                *flag |= flag::NULL_AMOUNT;
            } else if value.is_infinite() {
                *flag |= flag::NONFINITE;
            } else {
                all = false;
            }
        }
    }
    mark_coarse(values, factor, out, flags);
    all
}

/// Flags the amounts that rounding changed by more than 1 %.
#[cold]
fn mark_coarse(values: &[f64], factor: f64, units: &[i64], flags: &mut [u8]) {
    for ((flag, &units), &value) in flags.iter_mut().zip(units).zip(values) {
        if is_coarse(value, factor, units) {
            *flag |= flag::ROUNDED;
        }
    }
}
