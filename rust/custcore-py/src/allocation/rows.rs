//! Cells and options of contacts as lists of dicts.

use custcore::{AllocationCell, ContactOption, Error, ErrorKind, SpendLimit};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyList, PyString};

use super::curve::CoreCurve;
use crate::error::into_py;

/// A row of a list, and where it stands for messages.
struct Row<'a, 'py> {
    dict: &'a Bound<'py, PyDict>,
    list: &'static str,
    number: usize,
}

/// Whether a value stands for none: None, or NaN, by which frames say it.
fn is_null(value: &Bound<'_, PyAny>) -> bool {
    value.is_none() || value.cast::<PyFloat>().is_ok_and(|value| value.value().is_nan())
}

/// A bound: an amount of money, or text such as `25%`.
pub fn limit(value: &Bound<'_, PyAny>, what: impl Fn() -> String) -> PyResult<Option<SpendLimit>> {
    let py = value.py();
    if is_null(value) {
        return Ok(None);
    }
    let found = if let Ok(text) = value.cast::<PyString>() {
        SpendLimit::of_text(text.to_str()?, &what())
    } else {
        match value.extract::<f64>() {
            Ok(amount) if !value.is_instance_of::<PyBool>() => SpendLimit::of_money(amount, &what()),
            _ => {
                let found = value.get_type().name()?;
                let message = format!("{} is {found}; expected an amount of money, a share of the budget such as '25%', or None", what());
                Err(Error::new(ErrorKind::InvalidType, message))
            }
        }
    };
    found.map(Some).map_err(|error| into_py(py, &error))
}

impl<'py> Row<'_, 'py> {
    fn error(&self, kind: ErrorKind, key: &str, what: &str) -> PyErr {
        let message = format!("{}[{}]['{key}'] {what}", self.list, self.number);
        into_py(self.dict.py(), &Error::new(kind, message).in_column(key).at_row(self.number as u64))
    }

    fn get(&self, key: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.dict.get_item(key)?.filter(|value| !is_null(value)))
    }

    fn required(&self, key: &Bound<'py, PyString>, expected: &str) -> PyResult<Bound<'py, PyAny>> {
        if let Some(value) = self.get(key)? {
            return Ok(value);
        }
        let name = key.to_str()?;
        if self.dict.contains(key)? {
            return Err(self.error(ErrorKind::NullValue, name, &format!("is None; expected {expected}")));
        }
        Err(self.error(ErrorKind::ColumnNotFound, name, &format!("is missing; expected {expected}")))
    }

    fn text(&self, value: &Bound<'py, PyAny>) -> PyResult<String> {
        match value.cast::<PyString>() {
            Ok(text) => Ok(text.to_str()?.to_owned()),
            Err(_) => value.str()?.extract(),
        }
    }

    fn segment(&self, keys: &Keys<'py>) -> PyResult<(String, Option<String>)> {
        let segment = self.text(&self.required(&keys.segment, "the name of a segment")?)?;
        let channel = self.get(&keys.channel)?.map(|channel| self.text(&channel)).transpose()?;
        Ok((segment, channel))
    }

    fn number(&self, value: &Bound<'py, PyAny>, key: &str) -> PyResult<f64> {
        if !value.is_instance_of::<PyBool>()
            && !value.is_instance_of::<PyString>()
            && let Ok(number) = value.extract::<f64>()
        {
            return Ok(number);
        }
        Err(self.error(ErrorKind::InvalidType, key, &format!("is {}; expected a number", value.get_type().name()?)))
    }

    fn optional_number(&self, key: &Bound<'py, PyString>) -> PyResult<Option<f64>> {
        self.get(key)?.map(|value| self.number(&value, key.to_str()?)).transpose()
    }

    fn limit(&self, key: &Bound<'py, PyString>) -> PyResult<Option<SpendLimit>> {
        let Some(value) = self.dict.get_item(key)? else { return Ok(None) };
        limit(&value, || format!("{}[{}]['{key}']", self.list, self.number))
    }
}

/// The keys of rows as objects of Python: dicts find those that they know by their address.
struct Keys<'py> {
    segment: Bound<'py, PyString>,
    channel: Bound<'py, PyString>,
}

impl<'py> Keys<'py> {
    fn new(py: Python<'py>) -> Self {
        Self { segment: PyString::intern(py, "segment"), channel: PyString::intern(py, "channel") }
    }
}

/// Calls `read` with each row of a list.
fn each_row<'py, T>(rows: &Bound<'py, PyList>, list: &'static str, mut read: impl FnMut(&Row<'_, 'py>) -> PyResult<T>) -> PyResult<Vec<T>> {
    let mut found = Vec::with_capacity(rows.len());
    for (number, item) in rows.iter().enumerate() {
        let Ok(dict) = item.cast::<PyDict>() else {
            let message = format!("{list}[{number}] is {}; expected a dict", item.get_type().name()?);
            return Err(into_py(rows.py(), &Error::new(ErrorKind::InvalidType, message).at_row(number as u64)));
        };
        found.push(read(&Row { dict, list, number })?);
    }
    Ok(found)
}

/// Cells of a list of dicts.
pub fn cells_of_rows(rows: &Bound<'_, PyList>) -> PyResult<Vec<AllocationCell>> {
    let py = rows.py();
    let keys = Keys::new(py);
    let [curve_key, low_key, high_key, se_key, core] = ["curve", "low", "high", "se", "_core"].map(|key| PyString::intern(py, key));
    each_row(rows, "cells", |row| {
        let (segment, channel) = row.segment(&keys)?;
        let given = row.required(&curve_key, "a curve, such as Curve.exp(a=50_000, b=1 / 8_000)")?;
        let inner = given.getattr_opt(&core)?;
        let Some(curve) = inner.as_ref().and_then(|inner| inner.cast::<CoreCurve>().ok()) else {
            let found = given.get_type().name()?;
            let what = format!("is {found}; expected a curve, such as Curve.exp(a=50_000, b=1 / 8_000)");
            return Err(row.error(ErrorKind::InvalidType, "curve", &what));
        };
        Ok(AllocationCell {
            segment,
            channel,
            curve: curve.get().curve().clone(),
            low: row.limit(&low_key)?,
            high: row.limit(&high_key)?,
            se: row.optional_number(&se_key)?,
        })
    })
}

/// Options of contacts of a list of dicts.
pub fn options_of_rows(rows: &Bound<'_, PyList>) -> PyResult<Vec<ContactOption>> {
    let py = rows.py();
    let keys = Keys::new(py);
    let [cost, value, customers, value_se] = ["cost", "value", "customers", "value_se"].map(|key| PyString::intern(py, key));
    each_row(rows, "options", |row| {
        let (segment, channel) = row.segment(&keys)?;
        let number =
            |key: &Bound<'_, PyString>, expected: &str| row.required(key, expected).and_then(|value| row.number(&value, key.to_str()?));
        let found = number(&customers, "the number of customers in the segment")?;
        if !((0.0..=2f64.powi(53)).contains(&found) && found.fract() == 0.0) {
            let what = format!("is {found:?}; expected a number of customers, 0 or more and whole");
            return Err(row.error(ErrorKind::InvalidArgument, "customers", &what));
        }
        Ok(ContactOption {
            segment,
            channel,
            cost: number(&cost, "the cost of a customer contacted")?,
            value: number(&value, "what a customer contacted brings")?,
            customers: found as u64,
            value_se: row.optional_number(&value_se)?,
        })
    })
}
