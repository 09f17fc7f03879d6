//! Numeric columns as values to be ranked and cut: integers, decimals and floats.

use std::cmp::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Decimal256Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

use super::integer::Integers;
use super::invalid_type;
use crate::error::{Error, ErrorKind, Result};

/// Values of a numeric column, in a type that keeps them exact.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// Integers up to 64 bits.
    Integers(Vec<i64>),
    /// Decimals, unscaled, and their scale (unsigned 64-bit integers at scale 0).
    Decimals(Vec<i128>, i8),
    /// Floats; -0.0 is read as 0.0.
    Floats(Vec<f64>),
}

/// One number in the type of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// An integer.
    Integer(i64),
    /// A decimal, unscaled, and its scale.
    Decimal(i128, i8),
    /// A float.
    Float(f64),
}

impl Number {
    /// How two numbers compare: whole numbers and decimals exactly, a float with another as floats.
    pub fn compare(self, other: Self) -> Ordering {
        let exact = |number: Self| match number {
            Self::Integer(value) => Some((i128::from(value), 0)),
            Self::Decimal(value, scale) => Some((value, i32::from(scale))),
            Self::Float(_) => None,
        };
        let (Some((a, a_scale)), Some((b, b_scale))) = (exact(self), exact(other)) else {
            return self.to_f64().total_cmp(&other.to_f64());
        };
        // Both are brought to the larger scale; a number too large for that is larger than any other.
        let scale = a_scale.max(b_scale);
        let raise = |value: i128, by: i32| 10_i128.checked_pow(by as u32).and_then(|power| value.checked_mul(power));
        match (raise(a, scale - a_scale), raise(b, scale - b_scale)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (None, _) => a.cmp(&0),
            (_, None) => 0.cmp(&b),
        }
    }

    /// The nearest float.
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Decimal(units, scale) => crate::money::units_to_f64(units, i32::from(scale)),
            Self::Float(value) => value,
        }
    }
}

/// A numeric column with its nulls; NaN is null.
#[derive(Debug, Clone)]
pub struct NumberColumn {
    /// The values; null rows hold anything.
    pub values: Numbers,
    /// Null rows.
    pub nulls: Option<NullBuffer>,
}

impl NumberColumn {
    /// The values of a numeric column.
    pub fn new(column: &str, role: &str, array: &ArrayRef) -> Result<Self> {
        let nulls = array.nulls().cloned();
        let values = match array.data_type() {
            DataType::Float64 => Numbers::Floats(array.as_primitive::<Float64Type>().values().iter().map(|x| x + 0.0).collect()),
            DataType::Float32 => {
                Numbers::Floats(array.as_primitive::<Float32Type>().values().iter().map(|&x| f64::from(x) + 0.0).collect())
            }
            DataType::Decimal128(_, scale) => Numbers::Decimals(array.as_primitive::<Decimal128Type>().values().to_vec(), *scale),
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
                Numbers::Decimals(narrowed.collect::<Result<_>>()?, *scale)
            }
            found => match Integers::new(array) {
                Some(integers) if integers.is_u64() => Numbers::Decimals((0..integers.len()).map(|row| integers.get(row)).collect(), 0),
                Some(integers) => {
                    let mut out = vec![0; integers.len()];
                    integers.read(0, &mut out);
                    Numbers::Integers(out)
                }
                None => return Err(invalid_type(column, role, found, "a number", "Cast it first")),
            },
        };
        let nulls = match &values {
            Numbers::Floats(floats) if floats.iter().any(|x| x.is_nan()) => {
                let valid = arrow_buffer::BooleanBuffer::collect_bool(floats.len(), |row| !floats[row].is_nan());
                NullBuffer::union(nulls.as_ref(), Some(&NullBuffer::new(valid)))
            }
            _ => nulls,
        };
        Ok(Self { values, nulls: nulls.filter(|n| n.null_count() > 0) })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match &self.values {
            Numbers::Integers(v) => v.len(),
            Numbers::Decimals(v, _) => v.len(),
            Numbers::Floats(v) => v.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first row whose value is infinite.
    pub fn first_infinite(&self) -> Option<usize> {
        match &self.values {
            Numbers::Floats(floats) => floats.iter().enumerate().position(|(row, x)| x.is_infinite() && self.is_valid(row)),
            _ => None,
        }
    }

    /// Whether a row has a value.
    #[inline]
    pub fn is_valid(&self, row: usize) -> bool {
        self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
    }

    /// Rows that have a value.
    pub fn valid_rows(&self) -> usize {
        self.len() - self.nulls.as_ref().map_or(0, NullBuffer::null_count)
    }

    /// The value of a row, unless it is null.
    #[inline]
    pub fn get(&self, row: usize) -> Option<Number> {
        self.is_valid(row).then(|| match &self.values {
            Numbers::Integers(v) => Number::Integer(v[row]),
            Numbers::Decimals(v, scale) => Number::Decimal(v[row], *scale),
            Numbers::Floats(v) => Number::Float(v[row]),
        })
    }

    /// Some rows, each of which has a value.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        fn pick<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|&row| values[row as usize]).collect()
        }
        let values = match &self.values {
            Numbers::Integers(v) => Numbers::Integers(pick(v, rows)),
            Numbers::Decimals(v, scale) => Numbers::Decimals(pick(v, rows), *scale),
            Numbers::Floats(v) => Numbers::Floats(pick(v, rows)),
        };
        Self { values, nulls: None }
    }

    /// Columns of one type end to end.
    pub fn concat(parts: Vec<Self>) -> Result<Self> {
        let mut parts = parts.into_iter();
        let Some(mut whole) = parts.next() else { return Err(Error::internal("no column to put end to end")) };
        for part in parts {
            let (before, added) = (whole.len(), part.len());
            match (&mut whole.values, part.values) {
                (Numbers::Integers(a), Numbers::Integers(b)) => a.extend(b),
                (Numbers::Decimals(a, own), Numbers::Decimals(b, other)) if *own == other => a.extend(b),
                (Numbers::Floats(a), Numbers::Floats(b)) => a.extend(b),
                _ => return Err(Error::internal("columns of unlike types end to end")),
            }
            if whole.nulls.is_some() || part.nulls.is_some() {
                let mut valid = arrow_buffer::NullBufferBuilder::new(before + added);
                for (nulls, len) in [(&whole.nulls, before), (&part.nulls, added)] {
                    match nulls {
                        Some(nulls) => valid.append_buffer(nulls),
                        None => valid.append_n_non_nulls(len),
                    }
                }
                whole.nulls = valid.finish();
            }
        }
        Ok(whole)
    }

    /// The values as floats.
    pub fn to_f64(&self) -> Vec<f64> {
        match &self.values {
            Numbers::Integers(v) => v.iter().map(|&x| x as f64).collect(),
            Numbers::Decimals(v, scale) => v.iter().map(|&x| Number::Decimal(x, *scale).to_f64()).collect(),
            Numbers::Floats(v) => v.clone(),
        }
    }

    /// The values that are not null, as floats.
    pub fn valid_f64(&self) -> Vec<f64> {
        let floats = self.to_f64();
        match &self.nulls {
            None => floats,
            Some(nulls) => floats.into_iter().enumerate().filter(|(row, _)| nulls.is_valid(*row)).map(|(_, value)| value).collect(),
        }
    }

    /// The smallest and the largest value as floats; `None` when all rows are null.
    pub fn range(&self) -> Option<(f64, f64)> {
        fn ends<T: Copy + PartialOrd>(values: &[T], nulls: Option<&NullBuffer>) -> Option<(T, T)> {
            let valid = values.iter().enumerate().filter(|(row, _)| nulls.is_none_or(|n| n.is_valid(*row))).map(|(_, &value)| value);
            valid.fold(None, |ends, value| match ends {
                None => Some((value, value)),
                Some((low, high)) => Some((if value < low { value } else { low }, if value > high { value } else { high })),
            })
        }
        let nulls = self.nulls.as_ref();
        match &self.values {
            Numbers::Integers(v) => ends(v, nulls).map(|(low, high)| (low as f64, high as f64)),
            Numbers::Decimals(v, scale) => {
                let float = |units| crate::money::units_to_f64(units, i32::from(*scale));
                ends(v, nulls).map(|(low, high)| (float(low), float(high)))
            }
            Numbers::Floats(v) => ends(v, nulls),
        }
    }
}
