//! Fits: their options, and what is known of them.

use custcore::{FitOptions, FittedParameters, Key};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// How to fit; passed as a dict.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Fitting {
    start: Option<Vec<f64>>,
    all_starts: bool,
    max_iter: usize,
    prior: Option<Vec<Option<(f64, f64)>>>,
}

impl From<Fitting> for FitOptions {
    fn from(options: Fitting) -> Self {
        let Fitting { start, all_starts, max_iter, prior } = options;
        Self { start, all_starts, max_iter, prior }
    }
}

/// A label of a group as an object of Python.
pub fn label(py: Python<'_>, key: Key<'_>) -> PyResult<Py<PyAny>> {
    match key {
        Key::Null => Ok(py.None()),
        Key::Integer(value) => value.into_py_any(py),
        Key::Text(value) => value.into_py_any(py),
        Key::Binary(value) => value.into_py_any(py),
        Key::Scalar(..) => key.text().into_py_any(py),
    }
}

/// What is known of a fit, as a dict.
pub fn fit_info<'py>(
    py: Python<'py>,
    fitted: &FittedParameters,
    calibration_end: Option<&str>,
    remarks: &[String],
) -> PyResult<Bound<'py, PyDict>> {
    let fit = &fitted.fit;
    let dict = PyDict::new(py);
    let (status, limit) = fit.status.words();
    dict.set_item("parameters", fit.parameters.clone())?;
    dict.set_item("log_likelihood", fit.log_likelihood)?;
    dict.set_item("status", status)?;
    dict.set_item("limit", limit)?;
    dict.set_item("covariance", fit.covariance.clone())?;
    dict.set_item("standard_errors", fit.standard_errors.clone())?;
    dict.set_item("gradient_norm", fit.gradient_norm)?;
    dict.set_item("decrement", fit.decrement)?;
    dict.set_item("evaluations", fit.evaluations)?;
    dict.set_item("customers", fitted.customers)?;
    dict.set_item("cells", fitted.cells)?;
    dict.set_item("repeat_customers", fitted.repeat_customers)?;
    dict.set_item("repeat_purchases", fitted.repeat_purchases)?;
    dict.set_item("calibration_end", calibration_end)?;
    dict.set_item("fingerprint", &fitted.fingerprint)?;
    dict.set_item("remarks", remarks.to_vec())?;
    let starts = PyList::empty(py);
    for one in &fit.starts {
        let (status, limit) = one.status.words();
        let row = PyDict::new(py);
        row.set_item("start", one.start.clone())?;
        row.set_item("end", one.end.clone())?;
        row.set_item("log_likelihood", one.log_likelihood)?;
        row.set_item("status", status)?;
        row.set_item("limit", limit)?;
        starts.append(row)?;
    }
    dict.set_item("starts", starts)?;
    Ok(dict)
}
