//! Arrow columns as typed readers: customers and orders as keys, times as local days, amounts as units of money.
//!
//! This room is the only one that matches on an Arrow `DataType`. What leaves it are blocks of a few thousand rows in
//! three plain shapes (keys, days, units) with one byte of flags a row, so that every kernel behind it is written once.

pub mod amount;
pub mod bounds;
pub mod chunks;
pub mod feature;
pub mod ids;
pub mod integer;
pub mod key;
pub mod mark;
pub mod number;
pub mod time;
pub mod validate;

use arrow_schema::{DataType, TimeUnit};

use crate::error::{Error, ErrorKind};

/// Rows that are read, grouped and added up at a time: small enough that the three shapes stay in the first cache.
pub const BLOCK: usize = 2048;

/// One byte of a row: what it lacks. Zero is a row that can be used as it stands.
pub mod flag {
    /// The customer id is null.
    pub const NULL_ID: u8 = 1;
    /// The time is null.
    pub const NULL_TIME: u8 = 2;
    /// The amount is null or NaN.
    pub const NULL_AMOUNT: u8 = 4;
    /// The amount is infinite.
    pub const NONFINITE: u8 = 8;
    /// The time is at or after the end of observation.
    pub const AFTER: u8 = 16;
}

/// The name of a type as pyarrow and numpy users know it.
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "bool".to_owned(),
        DataType::Utf8 => "string".to_owned(),
        DataType::LargeUtf8 => "large_string".to_owned(),
        DataType::Utf8View => "string_view".to_owned(),
        DataType::LargeBinary => "large_binary".to_owned(),
        DataType::BinaryView => "binary_view".to_owned(),
        DataType::FixedSizeBinary(width) => format!("fixed_size_binary[{width}]"),
        DataType::Timestamp(unit, zone) => {
            let unit = match unit {
                TimeUnit::Second => "s",
                TimeUnit::Millisecond => "ms",
                TimeUnit::Microsecond => "us",
                TimeUnit::Nanosecond => "ns",
            };
            zone.as_ref().map_or_else(|| format!("timestamp[{unit}]"), |zone| format!("timestamp[{unit}, {zone}]"))
        }
        DataType::Decimal128(precision, scale) => format!("decimal128({precision}, {scale})"),
        DataType::Decimal256(precision, scale) => format!("decimal256({precision}, {scale})"),
        DataType::Dictionary(index, values) => format!("dictionary<{}, {}>", type_name(index), type_name(values)),
        other => other.to_string().to_lowercase(),
    }
}

/// `column 'x' is string; expected ...` with the way out.
pub(crate) fn invalid_type(column: &str, role: &str, found: &DataType, expected: &str, remedy: &str) -> Error {
    Error::new(ErrorKind::InvalidType, format!("column '{column}' ({role}) is {}; expected {expected}. {remedy}", type_name(found)))
        .in_column(column)
}
