//! Python binding of the model of contracts.

use std::sync::Arc;

use custcore::{Context, SbgModel};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::fitting::{Fitting, fit_info};
use crate::error::into_py;
use crate::guard::guarded;
use crate::store;

/// A fitted shifted beta-geometric model.
#[pyclass(frozen, module = "custcore._core", name = "SbgModel")]
pub struct CoreSbgModel(Arc<SbgModel>);

#[pymethods]
impl CoreSbgModel {
    /// Fits the model to cohorts: customers lost at renewal 1, 2, ..., and those left after the last one.
    #[staticmethod]
    #[pyo3(signature = (cohorts, options))]
    fn fit(py: Python<'_>, cohorts: Vec<(Vec<u64>, u64)>, options: Fitting) -> PyResult<Self> {
        let options = options.into();
        let model = py.detach(|| guarded(|| SbgModel::fit(&cohorts, &options, &Context::new(1))));
        model.map(|model| Self(Arc::new(model))).map_err(|error| into_py(py, &error))
    }

    /// A model of known parameters.
    #[staticmethod]
    fn given(py: Python<'_>, parameters: Vec<f64>) -> PyResult<Self> {
        SbgModel::of_parameters(&parameters).map(|model| Self(Arc::new(model))).map_err(|error| into_py(py, &error))
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<(Self, String)> {
        let model: SbgModel = store::from_bytes(py, data)?;
        let settings = model.settings().to_owned();
        Ok((Self(Arc::new(model)), settings))
    }

    fn to_bytes<'py>(&self, py: Python<'py>, settings: String) -> PyResult<Bound<'py, PyBytes>> {
        store::to_bytes(py, &(*self.0).clone().with_settings(settings))
    }

    /// The fit, as a list of one dict.
    fn fits<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        Ok(vec![fit_info(py, self.0.fitted(), None, &[])?])
    }

    fn survival(&self, t: u32) -> f64 {
        self.0.survival(t)
    }

    fn retention_rate(&self, t: u32) -> f64 {
        self.0.retention_rate(t)
    }

    fn discounted_lifetime(&self, py: Python<'_>, n: u32, rate: f64) -> PyResult<f64> {
        self.0.discounted_lifetime(n, rate).map_err(|error| into_py(py, &error))
    }
}
