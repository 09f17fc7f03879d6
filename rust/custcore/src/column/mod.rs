//! Typed readers of Arrow columns: customers and orders as keys, times as local days, amounts as units of money.
//!
//! Only this module matches on an Arrow `DataType`. It produces blocks of a few thousand rows as plain arrays (keys, days,
//! units) with one byte of flags per row, so that each kernel is written once.

pub(crate) mod amount;
pub(crate) mod bounds;
pub(crate) mod category;
pub(crate) mod chunks;
pub(crate) mod composite;
pub(crate) mod customer_id;
pub(crate) mod extension;
pub(crate) mod feature;
pub(crate) mod ids;
pub(crate) mod integer;
pub(crate) mod key;
pub(crate) mod key_schema;
pub(crate) mod mark;
pub(crate) mod number;
pub(crate) mod relabelling;
pub(crate) mod scalar;
pub(crate) mod time;
pub mod validate;
pub(crate) mod value;

use arrow_schema::{DataType, Schema, TimeUnit};

use crate::error::{Error, ErrorKind, Result, suggestion};

/// Rows that are read, grouped and aggregated at a time: small enough for the arrays of a block to stay in the L1 cache.
pub(crate) const BLOCK: usize = 2048;

/// Bits of the flag byte of a row: why it cannot be used. Zero is a usable row.
pub(crate) mod flag {
    /// The customer id is null.
    pub(crate) const NULL_ID: u8 = 1;
    /// The time is null.
    pub(crate) const NULL_TIME: u8 = 2;
    /// The amount is null or NaN.
    pub(crate) const NULL_AMOUNT: u8 = 4;
    /// The amount is infinite.
    pub(crate) const NONFINITE: u8 = 8;
    /// The time is at or after the end of observation.
    pub(crate) const AFTER: u8 = 16;
    /// Rounding to units of money changed the amount by more than 1 %.
    pub(crate) const ROUNDED: u8 = 32;
}

/// The name of a type as in pyarrow.
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
        DataType::List(item) => format!("list<{}>", type_name(item.data_type())),
        DataType::LargeList(item) => format!("large_list<{}>", type_name(item.data_type())),
        DataType::FixedSizeList(item, width) => format!("fixed_size_list<{}>[{width}]", type_name(item.data_type())),
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields.iter().map(|field| format!("{}: {}", field.name(), type_name(field.data_type()))).collect();
            format!("struct<{}>", fields.join(", "))
        }
        other => other.to_string().to_lowercase(),
    }
}

/// The error `column 'x' is string; expected ...` with a remedy.
pub(crate) fn invalid_type(column: &str, role: &str, found: &DataType, expected: &str, remedy: &str) -> Error {
    Error::new(ErrorKind::InvalidType, format!("column '{column}' ({role}) is {}; expected {expected}. {remedy}", type_name(found)))
        .in_column(column)
}

/// The position of a column of the data by name; `role` is what reads it.
pub fn find_column(schema: &Schema, name: &str, role: &str) -> Result<usize> {
    locate(schema, name, &format!(" ({role})"), "data")
}

/// The position of a column of a result by name.
pub fn find_result_column(schema: &Schema, name: &str) -> Result<usize> {
    locate(schema, name, "", "table")
}

/// Columns that `rfm` makes of transactions and other analyses read.
const OF_RFM: [&str; 6] = ["recency_days", "n_orders", "n_rows", "n_days", "monetary_total", "monetary_mean"];

/// The position of a column by name; `role` follows the name in errors, and `place` is where it was looked for.
fn locate(schema: &Schema, name: &str, role: &str, place: &str) -> Result<usize> {
    let mut found = schema.fields().iter().enumerate().filter(|(_, field)| field.name() == name).map(|(i, _)| i);
    match (found.next(), found.next()) {
        (Some(i), None) => Ok(i),
        (Some(_), Some(_)) => {
            Err(Error::new(ErrorKind::DuplicateColumn, format!("two columns are named '{name}'{role}; rename or drop one of them"))
                .in_column(name))
        }
        (None, _) => {
            let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
            let mut message = format!("column '{name}'{role} is not in the {place}; {}", suggestion(name, &names));
            // Transactions where a table of customers is expected.
            if place == "data" && OF_RFM.contains(&name) && !OF_RFM.iter().any(|other| names.contains(other)) {
                message += ". If these are transactions, run custcore.rfm on them first";
            }
            Err(Error::new(ErrorKind::ColumnNotFound, message).in_column(name))
        }
    }
}
