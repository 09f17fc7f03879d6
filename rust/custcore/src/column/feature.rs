//! Numeric columns as clustering features: floats without a copy, all other numbers as float64.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::ScalarBuffer;
use arrow_schema::DataType;

use super::number::NumberColumn;
use crate::error::{Error, ErrorKind, Result};

/// The values of a feature.
#[derive(Debug, Clone)]
pub(crate) enum Feature {
    /// float32, not copied.
    F32(ScalarBuffer<f32>),
    /// float64, not copied, or other numbers rounded to float64.
    F64(ScalarBuffer<f64>),
}

impl Feature {
    /// The values of a numeric column; nulls are an error. `first_row` is the position of its first row in the whole input.
    pub(crate) fn new(column: &str, array: &ArrayRef, first_row: u64) -> Result<Self> {
        let values = match array.data_type() {
            DataType::Float32 => Self::F32(array.as_primitive::<Float32Type>().values().clone()),
            DataType::Float64 => Self::F64(array.as_primitive::<Float64Type>().values().clone()),
            _ => Self::F64(NumberColumn::new(column, "a feature", array)?.to_f64().into()),
        };
        if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
            let row = first_row + (0..array.len()).position(|row| nulls.is_null(row)).unwrap_or(0) as u64;
            let message = format!(
                "column '{column}' (a feature) is null at row {row} ({} in its batch). Fill or drop such rows before clustering",
                nulls.null_count()
            );
            return Err(Error::new(ErrorKind::NullValue, message).in_column(column).at_row(row));
        }
        Ok(values)
    }

    /// The values as float64; copies float32 values.
    pub(crate) fn widened(self) -> ScalarBuffer<f64> {
        match self {
            Self::F32(values) => values.iter().map(|&x| f64::from(x)).collect::<Vec<_>>().into(),
            Self::F64(values) => values,
        }
    }
}
