//! Reads integer columns of any width as i64.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::DataType;

/// Values of an integer column in their original width.
#[derive(Debug, Clone)]
enum IntegerValues {
    I8(ScalarBuffer<i8>),
    I16(ScalarBuffer<i16>),
    I32(ScalarBuffer<i32>),
    I64(ScalarBuffer<i64>),
    U8(ScalarBuffer<u8>),
    U16(ScalarBuffer<u16>),
    U32(ScalarBuffer<u32>),
    U64(ScalarBuffer<u64>),
}

/// An integer column of any width.
#[derive(Debug, Clone)]
pub(crate) struct Integers {
    values: IntegerValues,
    nulls: Option<NullBuffer>,
}

macro_rules! each_width {
    ($values:expr, $v:ident => $body:expr) => {
        match $values {
            IntegerValues::I8($v) => $body,
            IntegerValues::I16($v) => $body,
            IntegerValues::I32($v) => $body,
            IntegerValues::I64($v) => $body,
            IntegerValues::U8($v) => $body,
            IntegerValues::U16($v) => $body,
            IntegerValues::U32($v) => $body,
            IntegerValues::U64($v) => $body,
        }
    };
}

impl Integers {
    /// The reader of `array`, or `None` when it is not an integer column.
    pub(crate) fn new(array: &ArrayRef) -> Option<Self> {
        let values = match array.data_type() {
            DataType::Int8 => IntegerValues::I8(array.as_primitive::<Int8Type>().values().clone()),
            DataType::Int16 => IntegerValues::I16(array.as_primitive::<Int16Type>().values().clone()),
            DataType::Int32 => IntegerValues::I32(array.as_primitive::<Int32Type>().values().clone()),
            DataType::Int64 => IntegerValues::I64(array.as_primitive::<Int64Type>().values().clone()),
            DataType::UInt8 => IntegerValues::U8(array.as_primitive::<UInt8Type>().values().clone()),
            DataType::UInt16 => IntegerValues::U16(array.as_primitive::<UInt16Type>().values().clone()),
            DataType::UInt32 => IntegerValues::U32(array.as_primitive::<UInt32Type>().values().clone()),
            DataType::UInt64 => IntegerValues::U64(array.as_primitive::<UInt64Type>().values().clone()),
            _ => return None,
        };
        Some(Self { values, nulls: array.nulls().cloned() })
    }

    /// The values of a column of 32-bit integers without nulls, which are not copied; `None` for others.
    pub(crate) fn whole_i32(&self) -> Option<ScalarBuffer<i32>> {
        match &self.values {
            IntegerValues::I32(values) if self.nulls.as_ref().is_none_or(|nulls| nulls.null_count() == 0) => Some(values.clone()),
            _ => None,
        }
    }

    /// The values of a column of 64-bit integers; unspecified for null rows. `None` for other widths.
    pub(crate) fn of_64_bits(&self) -> Option<&[i64]> {
        if let IntegerValues::I64(values) = &self.values { Some(values) } else { None }
    }

    /// A column of these values, without nulls.
    pub(crate) fn from_values(values: Vec<i64>) -> Self {
        Self { values: IntegerValues::I64(values.into()), nulls: None }
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        each_width!(&self.values, v => v.len())
    }

    /// The address of the values.
    pub(crate) fn address(&self) -> usize {
        each_width!(&self.values, v => v.as_ptr() as usize)
    }

    /// Whether the values are equal and stored alike, those of null rows too.
    pub(crate) fn has_same_values(&self, other: &Self) -> bool {
        match (&self.values, &other.values) {
            (IntegerValues::I32(a), IntegerValues::I32(b)) => a == b,
            (IntegerValues::I64(a), IntegerValues::I64(b)) => a == b,
            _ => false,
        }
    }

    /// Whether the values are unsigned 64-bit, not all of which fit an i64.
    pub(crate) fn is_u64(&self) -> bool {
        matches!(self.values, IntegerValues::U64(_))
    }

    /// Rows that are null.
    pub(crate) fn nulls(&self) -> Option<&NullBuffer> {
        self.nulls.as_ref()
    }

    #[allow(clippy::cast_lossless, clippy::unnecessary_cast, reason = "one body for all widths, some of which lose no bits")]
    /// Reads rows `start..start + out.len()` as i64; unsigned 64-bit values keep their bits. Values of null rows are unspecified.
    #[inline]
    pub(crate) fn read(&self, start: usize, out: &mut [i64]) {
        each_width!(&self.values, v => {
            for (slot, &value) in out.iter_mut().zip(&v[start..]) {
                *slot = value as i64;
            }
        });
    }

    /// One row as i128; exact for all widths.
    pub(crate) fn get(&self, row: usize) -> i128 {
        each_width!(&self.values, v => i128::from(v[row]))
    }
}
