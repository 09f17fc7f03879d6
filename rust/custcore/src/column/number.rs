//! Numeric columns to be ranked and binned: integers, decimals and floats.

use std::cmp::Ordering;
use std::fmt;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::DataType;
use serde::{Deserialize, Serialize};

use super::integer::Integers;
use super::invalid_type;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::simd::widest;
use crate::num::exact::float_to_key;
use crate::num::money::{decimal_text, units_to_f64};

/// Numbers in a type that represents them exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Numbers {
    /// Integers up to 64 bits.
    Integers(Vec<i64>),
    /// Decimals, unscaled, and their scale (unsigned 64-bit integers at scale 0).
    Decimals(Vec<i128>, i8),
    /// Floats; -0.0 is read as 0.0.
    Floats(Vec<f64>),
}

/// How the values of a column are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberForm {
    /// Integers up to 64 bits.
    Integers,
    /// Decimals of this scale.
    Decimals(i8),
    /// Floats.
    Floats,
}

/// One number of a column.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Number {
    /// An integer.
    Integer(i64),
    /// A decimal, unscaled, and its scale.
    Decimal(i128, i8),
    /// A float.
    Float(f64),
}

impl Number {
    /// Compares two numbers: integers and decimals exactly, others as floats.
    pub fn compare(self, other: Self) -> Ordering {
        let exact = |number: Self| match number {
            Self::Integer(value) => Some((i128::from(value), 0)),
            Self::Decimal(value, scale) => Some((value, i32::from(scale))),
            Self::Float(_) => None,
        };
        let (Some((a, a_scale)), Some((b, b_scale))) = (exact(self), exact(other)) else {
            return self.to_f64().total_cmp(&other.to_f64());
        };
        // Both are rescaled to the larger scale; a number that overflows there is larger than any other.
        let scale = a_scale.max(b_scale);
        let raise = |value: i128, by: i32| 10_i128.checked_pow(by as u32).and_then(|power| value.checked_mul(power));
        match (raise(a, scale - a_scale), raise(b, scale - b_scale)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (None, _) => a.cmp(&0),
            (_, None) => 0.cmp(&b),
        }
    }

    /// How it is compared with others of its column.
    pub fn form(self) -> NumberForm {
        match self {
            Self::Integer(_) => NumberForm::Integers,
            Self::Decimal(_, scale) => NumberForm::Decimals(scale),
            Self::Float(_) => NumberForm::Floats,
        }
    }

    /// The nearest float.
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Decimal(units, scale) => units_to_f64(units, i32::from(scale)),
            Self::Float(value) => value,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            Self::Decimal(units, scale) => f.write_str(&decimal_text(*units, *scale)),
            Self::Float(value) => write!(f, "{value:?}"),
        }
    }
}

/// A numeric column with its nulls; NaN is null. Integers and float64 values are not copied.
#[derive(Debug, Clone)]
pub struct NumberColumn {
    values: NumberValues,
    /// Null rows.
    nulls: Option<NullBuffer>,
    /// Whether all values are known to be finite.
    finite: bool,
}

#[derive(Debug, Clone)]
enum NumberValues {
    Integers(Integers),
    Decimals(Vec<i128>, i8),
    Floats(ScalarBuffer<f64>),
}

impl NumberColumn {
    /// The values of a numeric column.
    pub fn new(column: &str, role: &str, array: &ArrayRef) -> Result<Self> {
        let nulls = array.nulls().cloned();
        let values = match array.data_type() {
            DataType::Float64 => NumberValues::Floats(array.as_primitive::<Float64Type>().values().clone()),
            DataType::Float32 => NumberValues::Floats(array.as_primitive::<Float32Type>().values().iter().map(|&x| f64::from(x)).collect()),
            DataType::Float16 => NumberValues::Floats(array.as_primitive::<Float16Type>().values().iter().map(|&x| f64::from(x)).collect()),
            DataType::Decimal32(_, scale) => {
                NumberValues::Decimals(array.as_primitive::<Decimal32Type>().values().iter().map(|&x| x.into()).collect(), *scale)
            }
            DataType::Decimal64(_, scale) => {
                NumberValues::Decimals(array.as_primitive::<Decimal64Type>().values().iter().map(|&x| x.into()).collect(), *scale)
            }
            DataType::Decimal128(_, scale) => NumberValues::Decimals(array.as_primitive::<Decimal128Type>().values().to_vec(), *scale),
            DataType::Decimal256(_, scale) => {
                let wide = array.as_primitive::<Decimal256Type>();
                let narrowed = wide.iter().enumerate().map(|(row, value)| {
                    value.unwrap_or_default().to_i128().ok_or_else(|| {
                        Error::new(
                            ErrorKind::OutOfRange,
                            format!("column '{column}' has a decimal beyond 128 bits at row {row}. Cast it to decimal128"),
                        )
                        .in_column(column)
                        .at_row(row as u64)
                    })
                });
                NumberValues::Decimals(narrowed.collect::<Result<_>>()?, *scale)
            }
            found => match Integers::new(array) {
                Some(integers) if integers.is_u64() => {
                    NumberValues::Decimals((0..integers.len()).map(|row| integers.get(row)).collect(), 0)
                }
                Some(integers) => NumberValues::Integers(integers),
                None => {
                    let remedy = match found {
                        DataType::Null => "The column contains only nulls and has no type: cast it to a number",
                        _ => "Cast it first",
                    };
                    return Err(invalid_type(column, role, found, "a number", remedy));
                }
            },
        };
        // One branch-free pass: values that are not finite are rare.
        let finite = match &values {
            NumberValues::Floats(floats) => are_finite(floats),
            _ => true,
        };
        let nulls = match &values {
            NumberValues::Floats(floats) if !finite && floats.iter().fold(false, |any, x| any | x.is_nan()) => {
                let valid = arrow_buffer::BooleanBuffer::collect_bool(floats.len(), |row| !floats[row].is_nan());
                NullBuffer::union(nulls.as_ref(), Some(&NullBuffer::new(valid)))
            }
            _ => nulls,
        };
        Ok(Self { values, nulls: nulls.filter(|n| n.null_count() > 0), finite })
    }

    /// A column of these values, which contain no NaN.
    pub fn from_numbers(values: Numbers) -> Self {
        let values = match values {
            Numbers::Integers(values) => NumberValues::Integers(Integers::from_values(values)),
            Numbers::Decimals(values, scale) => NumberValues::Decimals(values, scale),
            Numbers::Floats(values) => NumberValues::Floats(values.into()),
        };
        Self { finite: !matches!(values, NumberValues::Floats(_)), values, nulls: None }
    }

    /// Null rows.
    pub fn nulls(&self) -> Option<&NullBuffer> {
        self.nulls.as_ref()
    }

    /// How the values are compared.
    pub fn form(&self) -> NumberForm {
        match &self.values {
            NumberValues::Integers(_) => NumberForm::Integers,
            NumberValues::Decimals(_, scale) => NumberForm::Decimals(*scale),
            NumberValues::Floats(_) => NumberForm::Floats,
        }
    }

    /// Reads rows `start..start + out.len()` as integers of the same order: integers unchanged, floats by
    /// [`float_to_key`]. Values of null rows are unspecified; decimals have no such keys.
    pub fn read_keys(&self, start: usize, out: &mut [i64]) {
        match &self.values {
            NumberValues::Integers(values) => values.read(start, out),
            NumberValues::Floats(values) => floats_to_keys(&values[start..start + out.len()], out),
            NumberValues::Decimals(_, _) => out.fill(0),
        }
    }

    /// The keys of rows `start..start + out.len()`: as they lie in memory, or read into `out`.
    pub(crate) fn keys<'a>(&'a self, start: usize, out: &'a mut [i64]) -> &'a [i64] {
        if let NumberValues::Integers(values) = &self.values
            && let Some(values) = values.of_64_bits()
        {
            return &values[start..start + out.len()];
        }
        self.read_keys(start, out);
        out
    }

    /// The decimals that are not null, unscaled; `None` for other columns.
    pub fn valid_decimals(&self) -> Option<Vec<i128>> {
        let NumberValues::Decimals(values, _) = &self.values else { return None };
        Some(values.iter().enumerate().filter(|(row, _)| self.is_valid(*row)).map(|(_, &value)| value).collect())
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match &self.values {
            NumberValues::Integers(v) => v.len(),
            NumberValues::Decimals(v, _) => v.len(),
            NumberValues::Floats(v) => v.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first row whose value is infinite.
    pub fn first_infinite(&self) -> Option<usize> {
        match &self.values {
            NumberValues::Floats(floats) if !self.finite => {
                floats.iter().enumerate().position(|(row, x)| x.is_infinite() && self.is_valid(row))
            }
            _ => None,
        }
    }

    /// Whether a row has a value.
    #[inline]
    pub fn is_valid(&self, row: usize) -> bool {
        self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
    }

    /// Number of rows that have a value.
    pub fn valid_rows(&self) -> usize {
        self.len() - self.nulls.as_ref().map_or(0, NullBuffer::null_count)
    }

    /// The value of a row; `None` if it is null.
    #[inline]
    pub fn get(&self, row: usize) -> Option<Number> {
        self.is_valid(row).then(|| match &self.values {
            NumberValues::Integers(v) => Number::Integer(v.get(row) as i64),
            NumberValues::Decimals(v, scale) => Number::Decimal(v[row], *scale),
            NumberValues::Floats(v) => Number::Float(v[row] + 0.0),
        })
    }

    /// The given rows, none of which may be null.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        Self::from_numbers(match &self.values {
            NumberValues::Integers(v) => Numbers::Integers(rows.iter().map(|&row| v.get(row as usize) as i64).collect()),
            NumberValues::Decimals(v, scale) => Numbers::Decimals(rows.iter().map(|&row| v[row as usize]).collect(), *scale),
            NumberValues::Floats(v) => Numbers::Floats(rows.iter().map(|&row| v[row as usize]).collect()),
        })
    }

    /// The values as floats; unspecified for null rows.
    pub fn to_f64(&self) -> Vec<f64> {
        match &self.values {
            NumberValues::Integers(v) => (0..v.len()).map(|row| v.get(row) as f64).collect(),
            NumberValues::Decimals(v, scale) => v.iter().map(|&x| Number::Decimal(x, *scale).to_f64()).collect(),
            NumberValues::Floats(v) => v.iter().map(|x| x + 0.0).collect(),
        }
    }

    /// The values of a column of 32-bit integers without nulls, which are not copied; `None` for others.
    pub(crate) fn whole_i32(&self) -> Option<ScalarBuffer<i32>> {
        match &self.values {
            NumberValues::Integers(values) => values.whole_i32(),
            _ => None,
        }
    }

    /// The values as floats, not copied if they are float64; unspecified for null rows.
    pub(crate) fn float_values(&self) -> ScalarBuffer<f64> {
        match &self.values {
            NumberValues::Floats(values) => values.clone(),
            _ => self.to_f64().into(),
        }
    }

    /// The same column as floats.
    #[must_use]
    pub fn as_floats(&self) -> Self {
        Self { values: NumberValues::Floats(self.to_f64().into()), nulls: self.nulls.clone(), finite: false }
    }

    /// The values that are not null, as floats.
    pub fn valid_f64(&self) -> Vec<f64> {
        let floats = self.to_f64();
        match &self.nulls {
            None => floats,
            Some(nulls) => floats.into_iter().enumerate().filter(|(row, _)| nulls.is_valid(*row)).map(|(_, value)| value).collect(),
        }
    }
}

widest! {
    /// Whether all floats are finite: those that are not have all bits of the exponent set.
    fn are_finite(values: &[f64]) -> bool {
        const EXPONENT: u64 = f64::INFINITY.to_bits();
        values.iter().fold(0, |found, value| found | u64::from(value.to_bits() & EXPONENT == EXPONENT)) == 0
    }
}

widest! {
    /// Floats as integers of the same order; -0.0 is 0.0.
    fn floats_to_keys(values: &[f64], out: &mut [i64]) {
        for (slot, value) in out.iter_mut().zip(values) {
            *slot = float_to_key(value + 0.0);
        }
    }
}
