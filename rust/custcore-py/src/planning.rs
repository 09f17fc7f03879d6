//! Python binding of the planning of experiments.

use custcore::{Error, ErrorKind, PlannedMetric, TestErrors};
use pyo3::prelude::*;

use crate::error::into_py;

fn metric(py: Python<'_>, sd: Option<f64>, rate: Option<f64>) -> PyResult<PlannedMetric> {
    match (sd, rate) {
        (Some(sd), None) => Ok(PlannedMetric::Mean(sd)),
        (None, Some(rate)) => Ok(PlannedMetric::Proportion(rate)),
        _ => {
            let given = if sd.is_some() { "both sd and rate were" } else { "neither sd nor rate was" };
            let message = format!("{given} given; pass sd= for a mean, or rate= for a proportion");
            Err(into_py(py, &Error::new(ErrorKind::InvalidArgument, message)))
        }
    }
}

/// Customers that the control group needs.
#[pyfunction]
#[pyo3(signature = (*, sd, rate, difference, ratio, alpha, power))]
pub fn sample_size(
    py: Python<'_>,
    sd: Option<f64>,
    rate: Option<f64>,
    difference: f64,
    ratio: f64,
    alpha: f64,
    power: f64,
) -> PyResult<u64> {
    let metric = metric(py, sd, rate)?;
    custcore::sample_size(metric, difference, ratio, TestErrors { alpha, power }).map_err(|error| into_py(py, &error))
}

/// The smallest difference that groups of these sizes can show.
#[pyfunction]
#[pyo3(signature = (*, sd, rate, n_control, n_treatment, alpha, power))]
pub fn detectable(
    py: Python<'_>,
    sd: Option<f64>,
    rate: Option<f64>,
    n_control: i64,
    n_treatment: i64,
    alpha: f64,
    power: f64,
) -> PyResult<f64> {
    let metric = metric(py, sd, rate)?;
    custcore::detectable(metric, (n_control, n_treatment), TestErrors { alpha, power }).map_err(|error| into_py(py, &error))
}
