//! Converts single Python numbers, ids and rows of features without Arrow, for one customer at a time.

use custcore::{Error, ErrorKind, Key, Number, ScalarKind};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyString, PyTuple};

use crate::error::into_py;

/// A Python number in a type that represents it exactly.
#[inline]
pub fn number(value: &Bound<'_, PyAny>, argument: &str) -> PyResult<Number> {
    let py = value.py();
    let parsed = if value.is_instance_of::<PyFloat>() {
        value.extract().map(Number::Float)
    } else if value.is_instance_of::<PyInt>() {
        match value.extract() {
            Ok(value) => Ok(Number::Integer(value)),
            Err(_) => value.extract().map(|value| Number::Decimal(value, 0)).or_else(|_| value.extract().map(Number::Float)),
        }
    } else if value.hasattr("as_tuple")? {
        decimal(value)
    } else if value.hasattr("__index__")? {
        value.call_method0("__index__")?.extract().map(Number::Integer)
    } else {
        value.extract().map(Number::Float)
    };
    match parsed {
        Ok(Number::Float(value)) if value.is_nan() => {
            Err(into_py(py, &Error::new(ErrorKind::InvalidArgument, format!("{argument} is NaN; a customer without a value has no score"))))
        }
        // -0.0 equals 0.0.
        Ok(Number::Float(value)) => Ok(Number::Float(value + 0.0)),
        Ok(number) => Ok(number),
        Err(_) if value.is_instance_of::<PyInt>() => {
            let message = format!("{argument} is an integer that exceeds the largest float; expected a smaller number");
            Err(into_py(py, &Error::new(ErrorKind::OutOfRange, message)))
        }
        Err(_) => {
            let found = value.get_type().name()?;
            Err(into_py(py, &Error::new(ErrorKind::InvalidType, format!("{argument} is {found}; expected a number"))))
        }
    }
}

/// A number as Python has it: whole decimals are integers unless `is_decimal`.
pub fn to_python(py: Python<'_>, number: Number, is_decimal: bool) -> PyResult<Bound<'_, PyAny>> {
    match number {
        Number::Integer(value) if !is_decimal => Ok(value.into_pyobject(py)?.into_any()),
        Number::Decimal(units, 0) if !is_decimal => Ok(units.into_pyobject(py)?.into_any()),
        Number::Float(value) => Ok(PyFloat::new(py, value).into_any()),
        number => py.import("decimal")?.getattr("Decimal")?.call1((number.to_string(),)),
    }
}

/// The features of one row as floats; the error names the first that is not a number.
#[inline]
pub fn features(values: &Bound<'_, PyAny>, names: Option<&[String]>) -> PyResult<Vec<f64>> {
    values.extract().or_else(|_| each_feature(values, names))
}

#[cold]
fn each_feature(values: &Bound<'_, PyAny>, names: Option<&[String]>) -> PyResult<Vec<f64>> {
    let mut numbers = Vec::new();
    for value in values.try_iter()? {
        let value = value?;
        numbers.push(value.extract().map_err(|_| {
            let (column, feature) = named(names, numbers.len());
            let shown = value.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string());
            let message = format!("feature {feature} is {shown}, not a number that a float can hold; every feature needs one");
            into_py(value.py(), &Error::new(ErrorKind::InvalidType, message).in_column(column))
        })?);
    }
    Ok(numbers)
}

/// The error for the first feature that is NaN or infinite.
#[cold]
pub fn nonfinite(py: Python<'_>, numbers: &[f64], names: Option<&[String]>) -> Option<PyErr> {
    let position = numbers.iter().position(|x| !x.is_finite())?;
    let ((column, feature), x) = (named(names, position), numbers[position]);
    let message = format!("feature {feature} is {x}; distances to it are undefined. Fill it in, as before the fit");
    Some(into_py(py, &Error::new(ErrorKind::NonFinite, message).in_column(column)))
}

/// The name of a feature, or its position; and as a message shows it.
fn named(names: Option<&[String]>, position: usize) -> (String, String) {
    match names.and_then(|names| names.get(position)) {
        Some(name) => (name.clone(), format!("'{name}'")),
        None => (position.to_string(), position.to_string()),
    }
}

/// A `decimal.Decimal`: (sign, digits, exponent).
fn decimal(value: &Bound<'_, PyAny>) -> PyResult<Number> {
    // NaN and infinity have a string as exponent.
    let Ok((sign, digits, exponent)) = value.call_method0("as_tuple")?.extract::<(i128, Vec<i128>, i32)>() else {
        return value.call_method0("__float__")?.extract().map(Number::Float);
    };
    let units = digits.iter().try_fold(0_i128, |units, digit| units.checked_mul(10)?.checked_add(*digit));
    match (units, i8::try_from(-exponent)) {
        (Some(units), Ok(scale)) => Ok(Number::Decimal(if sign == 1 { -units } else { units }, scale)),
        _ => value.call_method0("__float__")?.extract().map(Number::Float),
    }
}

/// The parts of a Python id, each borrowed from one of `values`.
pub fn keys<'a>(values: &'a [Bound<'_, PyAny>], argument: &str) -> PyResult<Vec<Key<'a>>> {
    values.iter().map(|value| key(value, argument)).collect()
}

/// A Python id as its parts: those of a tuple, or itself.
pub fn parts<'py>(id: Option<&Bound<'py, PyAny>>) -> Option<Vec<Bound<'py, PyAny>>> {
    let id = id?;
    Some(id.cast::<PyTuple>().map_or_else(|_| vec![id.clone()], |parts| parts.iter().collect()))
}

/// A Python id, borrowed from `value`.
pub fn key<'a>(value: &'a Bound<'_, PyAny>, argument: &str) -> PyResult<Key<'a>> {
    if value.is_none() {
        return Ok(Key::Null);
    }
    if let Ok(text) = value.cast::<PyString>() {
        return text.to_str().map(Key::Text);
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Key::Binary(bytes.as_bytes()));
    }
    if !value.is_instance_of::<PyFloat>()
        && let Ok(integer) = value.extract::<i128>()
    {
        return Ok(Key::Integer(integer));
    }
    let found = value.get_type().name()?;
    Err(into_py(value.py(), &Error::new(ErrorKind::InvalidType, format!("{argument} is {found}; expected an integer, a string or bytes"))))
}

/// A Python value of a group, borrowed from `value`: an id, a bool, a float, a date or a datetime.
pub fn group<'a>(value: &'a Bound<'_, PyAny>, argument: &str) -> PyResult<Key<'a>> {
    if let Ok(value) = value.cast::<PyBool>() {
        return Ok(Key::Scalar(ScalarKind::Boolean, i64::from(value.is_true())));
    }
    if let Ok(value) = value.cast::<PyFloat>() {
        return Ok(ScalarKind::float(value.extract()?));
    }
    if value.hasattr("toordinal")? {
        return time(value);
    }
    key(value, argument)
}

/// The day number of 1970-01-01 in Python.
const EPOCH: i64 = 719_163;

/// A `datetime.date`, or a `datetime.datetime` as an instant if it has a zone.
fn time(value: &Bound<'_, PyAny>) -> PyResult<Key<'static>> {
    let part = |of: &Bound<'_, PyAny>, name: &str| of.getattr(name)?.extract::<i64>();
    let day = value.call_method0("toordinal")?.extract::<i64>()? - EPOCH;
    if !value.hasattr("hour")? {
        return Ok(ScalarKind::date(day as i32));
    }
    let seconds = 86_400 * day + 3600 * part(value, "hour")? + 60 * part(value, "minute")? + part(value, "second")?;
    let micros = 1_000_000 * seconds + part(value, "microsecond")?;
    let offset = value.call_method0("utcoffset")?;
    let (mut kinds, mut micros) = ((ScalarKind::Timestamp, ScalarKind::TimestampNs), micros);
    if !offset.is_none() {
        micros -= 1_000_000 * (86_400 * part(&offset, "days")? + part(&offset, "seconds")?) + part(&offset, "microseconds")?;
        kinds = (ScalarKind::Instant, ScalarKind::InstantNs);
    }
    // A time of pandas may have nanoseconds.
    match value.getattr_opt("nanosecond")?.map(|nanos| nanos.extract::<i64>()).transpose()? {
        Some(nanos) if nanos != 0 => Ok(Key::Scalar(kinds.1, micros.saturating_mul(1000).saturating_add(nanos))),
        _ => Ok(Key::Scalar(kinds.0, micros)),
    }
}
