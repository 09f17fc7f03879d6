//! The values of attributes and groups: what ids may be, and booleans, dates, timestamps and floats.
//!
//! Values that are no ids are stored as 64-bit integers in the same order ([`ScalarKind`]). Grouping, merging, spilling and files
//! know of integers and byte strings only; a value gets its type back where a column is built.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, ArrowTimestampType, Date32Type, Date64Type, Float16Type, Float32Type, Float64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, PrimitiveArray};
use arrow_schema::{DataType, Field, TimeUnit};

use super::extension::Extension;
use super::invalid_type;
use super::key::{Key, KeyColumn, KeyKind, OwnedKey};
use super::scalar::{DAY_MS, ScalarKind};
use crate::error::{Error, ErrorKind, Result};
use crate::num::exact::{float_to_key, key_to_float};

impl ScalarKind {
    /// A value for comparison with values of other columns: a time in ns is one in us if it is a whole number of these.
    fn key(self, value: i64) -> Key<'static> {
        match self {
            Self::TimestampNs if value % 1000 == 0 => Key::Scalar(Self::Timestamp, value / 1000),
            Self::InstantNs if value % 1000 == 0 => Key::Scalar(Self::Instant, value / 1000),
            kind => Key::Scalar(kind, value),
        }
    }

    /// The key of a float; null for NaN.
    pub fn float(value: f64) -> Key<'static> {
        if value.is_nan() { Key::Null } else { Key::Scalar(Self::Float, float_to_key(value)) }
    }

    /// The key of a day, counted from 1970.
    pub fn date(day: i32) -> Key<'static> {
        Key::Scalar(Self::Date, i64::from(day) * DAY_MS)
    }
}

/// How values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueKind {
    /// As ids.
    Key(KeyKind),
    /// As integers that stand for something else.
    Scalar(ScalarKind),
}

impl ValueKind {
    /// How the stored values are compared.
    pub(crate) fn stored(self) -> KeyKind {
        match self {
            Self::Key(kind) => kind,
            Self::Scalar(_) => KeyKind::Signed,
        }
    }

    /// The values in words; those of different kinds differ.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Key(kind) => kind.name(),
            Self::Scalar(kind) => kind.name(),
        }
    }
}

/// The type of a column of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueType {
    /// Its type in results.
    pub(crate) data_type: DataType,
    /// How its values are compared.
    pub(crate) kind: ValueKind,
    extension: Extension,
}

impl ValueType {
    /// The type of a column of the input.
    pub(crate) fn of(field: &Field, role: &str) -> Result<Self> {
        let kind = ValueColumn::new(field.name(), role, &arrow_array::new_empty_array(field.data_type()))?.kind();
        let data_type = KeyColumn::value_type(field.data_type()).clone();
        // An extension of a dictionary is not one of its values.
        let extension = if data_type == *field.data_type() { Extension::of(field) } else { Extension::default() };
        Ok(Self { data_type, kind, extension })
    }

    /// Whether it is a type of ids without an extension.
    pub(crate) fn is_plain(&self) -> bool {
        self.extension.is_none() && matches!(self.kind, ValueKind::Key(_))
    }

    /// The field of a result.
    pub(crate) fn field(&self, name: &str) -> Field {
        self.extension.on(Field::new(name, self.data_type.clone(), true))
    }

    /// Widens the type so that it also holds the values of a column of the same kind.
    pub(crate) fn widen(&mut self, other: &Self) {
        let common = common_type(&self.data_type, &other.data_type);
        self.extension.join(&other.extension, common == self.data_type);
        self.data_type = common;
    }

    /// The stored values of a column of this kind.
    pub(crate) fn read(&self, column: &str, role: &str, array: &ArrayRef) -> Result<KeyColumn> {
        let read = ValueColumn::new(column, role, array)?;
        if read.kind() == self.kind {
            return Ok(read.stored);
        }
        let expected = format!("{}, as in the first batch", self.kind.name());
        Err(invalid_type(column, role, array.data_type(), &expected, "Cast all batches to one type"))
    }
}

/// The type that holds the values of both types, which are of the same kind.
fn common_type(a: &DataType, b: &DataType) -> DataType {
    match (a, b) {
        (DataType::Date32, DataType::Date64) => DataType::Date64,
        (DataType::Timestamp(unit, zone), DataType::Timestamp(other_unit, other_zone)) => {
            let zone = if zone == other_zone { zone.clone() } else { Some("UTC".into()) };
            DataType::Timestamp(*unit.max(other_unit), zone)
        }
        (a, b) if a.is_floating() && b.is_floating() => if a.primitive_width() >= b.primitive_width() { a } else { b }.clone(),
        (a, b) if ScalarKind::of(a).is_some() && ScalarKind::of(b).is_some() => a.clone(),
        (a, b) => KeyColumn::common_type(a, b),
    }
}

/// A column of values.
#[derive(Debug, Clone)]
pub(crate) struct ValueColumn {
    /// The values as they are stored.
    pub stored: KeyColumn,
    scalar: Option<ScalarKind>,
}

impl ValueColumn {
    /// The reader of a column; `role` is the argument that named it.
    pub(crate) fn new(column: &str, role: &str, array: &ArrayRef) -> Result<Self> {
        let scalar = ScalarKind::of(KeyColumn::value_type(array.data_type()));
        let Some(kind) = scalar else {
            let stored = KeyColumn::read(array).ok_or_else(|| wrong_value(column, role, array.data_type()))?;
            return Ok(Self { stored, scalar });
        };
        let encoded = match array.as_any_dictionary_opt() {
            None => encode(kind, array),
            Some(dictionary) => encode(kind, dictionary.values()).map(|values| dictionary.with_values(values)),
        };
        let encoded = encoded.ok_or_else(|| {
            let message = format!("column '{column}' ({role}) has a time beyond the years that microseconds can count. Set it to null");
            Error::new(ErrorKind::OutOfRange, message).in_column(column)
        })?;
        let stored = KeyColumn::read(&encoded).ok_or_else(|| wrong_value(column, role, array.data_type()))?;
        Ok(Self { stored, scalar })
    }

    fn kind(&self) -> ValueKind {
        self.scalar.map_or_else(|| ValueKind::Key(self.stored.kind()), ValueKind::Scalar)
    }

    /// The value of a row.
    pub(crate) fn key(&self, row: usize) -> Key<'_> {
        self.typed(self.stored.key(row))
    }

    /// The values of the dictionary, in its order; `None` for a plain column.
    pub(crate) fn dictionary(&self) -> Option<Vec<OwnedKey>> {
        Some(self.stored.dictionary()?.iter().map(|key| self.typed(key.borrow()).to_owned()).collect())
    }

    fn typed<'a>(&self, stored: Key<'a>) -> Key<'a> {
        match (stored, self.scalar) {
            // Stored as i64.
            (Key::Integer(value), Some(kind)) => kind.key(value as i64),
            (key, _) => key,
        }
    }
}

fn wrong_value(column: &str, role: &str, found: &DataType) -> Error {
    let remedy = match KeyColumn::value_type(found) {
        DataType::Null => "The column contains only nulls and has no type: cast it to the type of its values, or leave it out",
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            "Cast it first, e.g. to float64 or string"
        }
        _ => "Cast it first, e.g. to string",
    };
    let expected = "an integer, string, binary, bool, date, timestamp, float or a dictionary of these";
    invalid_type(column, role, found, expected, remedy)
}

/// The values as integers; `None` if a time is too large.
fn encode(kind: ScalarKind, array: &ArrayRef) -> Option<ArrayRef> {
    fn whole<T: ArrowPrimitiveType>(array: &ArrayRef, factor: i64) -> Option<Int64Array>
    where
        T::Native: Into<i64>,
    {
        let values = array.as_primitive::<T>();
        if factor == 1 {
            return Some(values.unary(Into::into));
        }
        values.iter().map(|value| value.map(|value| value.into().checked_mul(factor).ok_or(())).transpose()).collect::<Result<_, ()>>().ok()
    }
    fn float<T: ArrowPrimitiveType>(array: &ArrayRef) -> Int64Array
    where
        T::Native: Into<f64>,
    {
        let values = array.as_primitive::<T>().iter();
        values.map(|value| value.map(Into::into).filter(|value: &f64| !value.is_nan()).map(float_to_key)).collect()
    }
    let stored = match (kind, array.data_type()) {
        (ScalarKind::Boolean, _) => array.as_boolean().iter().map(|value| value.map(i64::from)).collect(),
        (_, DataType::Date32) => whole::<Date32Type>(array, DAY_MS)?,
        (_, DataType::Date64) => whole::<Date64Type>(array, 1)?,
        (_, DataType::Timestamp(TimeUnit::Second, _)) => whole::<TimestampSecondType>(array, 1_000_000)?,
        (_, DataType::Timestamp(TimeUnit::Millisecond, _)) => whole::<TimestampMillisecondType>(array, 1000)?,
        (_, DataType::Timestamp(TimeUnit::Microsecond, _)) => whole::<TimestampMicrosecondType>(array, 1)?,
        (_, DataType::Timestamp(TimeUnit::Nanosecond, _)) => whole::<TimestampNanosecondType>(array, 1)?,
        (_, DataType::Float16) => float::<Float16Type>(array),
        (_, DataType::Float32) => float::<Float32Type>(array),
        _ => float::<Float64Type>(array),
    };
    Some(Arc::new(stored))
}

/// Stored values as a column of `data_type`; `None` if it is a type of ids.
pub(super) fn scalar_column(data_type: &DataType, values: impl Iterator<Item = Option<i64>>) -> Option<ArrayRef> {
    fn time<T: ArrowTimestampType>(values: impl Iterator<Item = Option<i64>>, divisor: i64, zone: Option<Arc<str>>) -> ArrayRef {
        let column: PrimitiveArray<T> = values.map(|value| value.map(|value| value / divisor)).collect();
        Arc::new(column.with_timezone_opt(zone))
    }
    type Half = <Float16Type as ArrowPrimitiveType>::Native;
    let floats = |value: Option<i64>| value.map(key_to_float);
    Some(match data_type {
        DataType::Boolean => Arc::new(values.map(|value| value.map(|value| value != 0)).collect::<BooleanArray>()),
        DataType::Date32 => Arc::new(values.map(|value| value.map(|ms| (ms / DAY_MS) as i32)).collect::<PrimitiveArray<Date32Type>>()),
        DataType::Date64 => Arc::new(values.collect::<PrimitiveArray<Date64Type>>()),
        DataType::Timestamp(TimeUnit::Second, zone) => time::<TimestampSecondType>(values, 1_000_000, zone.clone()),
        DataType::Timestamp(TimeUnit::Millisecond, zone) => time::<TimestampMillisecondType>(values, 1000, zone.clone()),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => time::<TimestampMicrosecondType>(values, 1, zone.clone()),
        DataType::Timestamp(TimeUnit::Nanosecond, zone) => time::<TimestampNanosecondType>(values, 1, zone.clone()),
        DataType::Float16 => Arc::new(values.map(floats).map(|value| value.map(Half::from_f64)).collect::<PrimitiveArray<Float16Type>>()),
        DataType::Float32 => Arc::new(values.map(floats).map(|value| value.map(|x| x as f32)).collect::<PrimitiveArray<Float32Type>>()),
        DataType::Float64 => Arc::new(values.map(floats).collect::<PrimitiveArray<Float64Type>>()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> Vec<DataType> {
        let zone = Some("Europe/Berlin".into());
        let units = [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond];
        let times = units.into_iter().flat_map(|unit| [DataType::Timestamp(unit, None), DataType::Timestamp(unit, zone.clone())]);
        let others = [DataType::Boolean, DataType::Date32, DataType::Date64, DataType::Float16, DataType::Float32, DataType::Float64];
        times.chain(others).collect()
    }

    #[test]
    fn types_can_be_read_from_their_text() {
        for data_type in types() {
            assert_eq!(data_type.to_string().parse().ok(), Some(data_type));
        }
    }

    #[test]
    fn stored_values_come_back_in_their_type() -> Result<()> {
        for data_type in types() {
            let kind = ScalarKind::of(&data_type).ok_or_else(|| Error::internal("no kind"))?;
            // Whole days are values of all types of times.
            let values = match kind {
                ScalarKind::Boolean => vec![Some(1), None, Some(0)],
                ScalarKind::Float => vec![Some(float_to_key(-1.5)), None, Some(float_to_key(f64::INFINITY))],
                _ => vec![Some(-86_400_000_000_000), None, Some(864_000_000_000_000)],
            };
            let column = scalar_column(&data_type, values.iter().copied()).ok_or_else(|| Error::internal("no column"))?;
            assert_eq!((column.data_type(), column.null_count()), (&data_type, 1));
            let read = ValueColumn::new("x", "attributes", &column)?;
            assert_eq!(read.kind(), ValueKind::Scalar(kind));
            let stored = |row: usize| if let Key::Integer(value) = read.stored.key(row) { Some(value as i64) } else { None };
            assert_eq!((0..3).map(stored).collect::<Vec<_>>(), values, "{data_type}");
        }
        Ok(())
    }

    #[test]
    fn values_are_shown_as_what_they_are() {
        let text = |kind: ScalarKind, value: i64| kind.text(value);
        assert_eq!(text(ScalarKind::Boolean, 1), "true");
        assert_eq!(text(ScalarKind::Date, -DAY_MS), "1969-12-31");
        assert_eq!(text(ScalarKind::Timestamp, -1), "1969-12-31T23:59:59.999999");
        assert_eq!(text(ScalarKind::InstantNs, 1), "1970-01-01T00:00:00.000000001Z");
        assert_eq!(text(ScalarKind::Float, float_to_key(-0.0)), "0.0");
        assert_eq!(ScalarKind::float(f64::NAN), Key::Null);
        assert!(!text(ScalarKind::Date, i64::MAX).is_empty());
    }

    #[test]
    fn the_wider_type_holds_both() {
        let zoned = |unit, zone: &str| DataType::Timestamp(unit, Some(zone.into()));
        assert_eq!(common_type(&DataType::Date64, &DataType::Date32), DataType::Date64);
        assert_eq!(common_type(&DataType::Float16, &DataType::Float32), DataType::Float32);
        assert_eq!(
            common_type(&zoned(TimeUnit::Second, "Asia/Tokyo"), &zoned(TimeUnit::Millisecond, "Europe/Berlin")),
            zoned(TimeUnit::Millisecond, "UTC")
        );
    }
}
