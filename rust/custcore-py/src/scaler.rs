//! Python binding of the feature scaler.

use std::sync::Arc;

use custcore::{Error, ErrorKind, Scaler, ScalerMethod, ScalerModel, features_table};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::into_py;
use crate::input::Rows;
use crate::options::{choice, word};
use crate::store;
use crate::table::CoreTable;

const HOW: [(&str, ScalerMethod); 2] = [("standard", ScalerMethod::Standard), ("robust", ScalerMethod::Robust)];

/// Settings of a scaler; `fit` returns a fitted, immutable one.
#[pyclass(frozen, module = "custcore._core", name = "Scaler")]
pub struct CoreScaler {
    columns: Option<Vec<String>>,
    how: ScalerMethod,
    log1p: Vec<String>,
    scaler: Option<Arc<Scaler>>,
}

impl CoreScaler {
    /// A scaler from a stored model.
    pub fn of(model: ScalerModel) -> Self {
        let ScalerModel { columns, how, log1p, fitted } = model;
        Self { columns, how, log1p, scaler: fitted.map(Arc::new) }
    }

    /// The model to be stored.
    pub fn model(&self) -> ScalerModel {
        let fitted = self.scaler.as_deref().cloned();
        ScalerModel { columns: self.columns.clone(), how: self.how, log1p: self.log1p.clone(), fitted }
    }

    /// The fitted scaler.
    pub fn fitted(&self, py: Python<'_>) -> PyResult<Arc<Scaler>> {
        let error = || into_py(py, &Error::new(ErrorKind::NotFitted, "this Scaler is not fitted yet; call fit(x) first"));
        self.scaler.clone().ok_or_else(error)
    }
}

#[pymethods]
impl CoreScaler {
    #[new]
    #[pyo3(signature = (columns, *, how, log1p))]
    fn new(py: Python<'_>, columns: Option<Vec<String>>, how: &str, log1p: Vec<String>) -> PyResult<Self> {
        Ok(Self { columns, how: choice(py, "how", how, &HOW)?, log1p, scaler: None })
    }

    #[staticmethod]
    fn from_parameters(
        py: Python<'_>,
        feature_names: Option<Vec<String>>,
        how: &str,
        centers: Vec<f64>,
        scales: Vec<f64>,
        log1p: Vec<bool>,
    ) -> PyResult<Self> {
        let scaler = Scaler { how: choice(py, "how", how, &HOW)?, names: feature_names, centers, scales, log1p };
        let fitted = scaler.checked().map_err(|error| into_py(py, &error))?;
        Ok(Self::of(ScalerModel { columns: fitted.names.clone(), how: fitted.how, log1p: fitted.log1p_names(), fitted: Some(fitted) }))
    }

    #[pyo3(signature = (x, *, n_threads))]
    fn fit(&self, x: &Bound<'_, PyAny>, n_threads: Option<i64>) -> PyResult<Self> {
        let (how, log1p) = (self.how, self.log1p.clone());
        let rows = Rows::read(x, self.columns.clone())?;
        let scaler = rows.run(x.py(), n_threads, None, move |features, _, context| Scaler::fit(features, how, &log1p, context))?;
        Ok(Self { columns: self.columns.clone(), how, log1p: self.log1p.clone(), scaler: Some(Arc::new(scaler)) })
    }

    #[pyo3(signature = (x, *, n_threads))]
    fn transform(&self, x: &Bound<'_, PyAny>, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let py = x.py();
        let scaler = self.fitted(py)?;
        let rows = Rows::read(x, scaler.names.clone())?;
        rows.run(py, n_threads, Some(scaler), |features, _, _| features_table(features)).map(CoreTable::new)
    }

    fn transform_rows(&self, py: Python<'_>, rows: Vec<Vec<f64>>) -> PyResult<Vec<Vec<f64>>> {
        let scaler = self.fitted(py)?;
        rows.iter().map(|row| scaler.row(row).map_err(|error| into_py(py, &error))).collect()
    }

    fn inverse_rows(&self, py: Python<'_>, rows: Vec<Vec<f64>>) -> PyResult<Vec<Vec<f64>>> {
        let scaler = self.fitted(py)?;
        rows.iter().map(|row| scaler.inverse_row(row).map_err(|error| into_py(py, &error))).collect()
    }

    #[getter]
    fn is_fitted(&self) -> bool {
        self.scaler.is_some()
    }

    #[getter]
    fn how(&self) -> &'static str {
        word(&self.how, &HOW)
    }

    /// The requested features.
    #[getter]
    fn columns(&self) -> Option<Vec<String>> {
        self.columns.clone()
    }

    #[getter]
    fn feature_names(&self) -> Option<Vec<String>> {
        self.scaler.as_ref().map_or_else(|| self.columns.clone(), |scaler| scaler.names.clone())
    }

    #[getter]
    fn centers(&self, py: Python<'_>) -> PyResult<Vec<f64>> {
        Ok(self.fitted(py)?.centers.clone())
    }

    #[getter]
    fn scales(&self, py: Python<'_>) -> PyResult<Vec<f64>> {
        Ok(self.fitted(py)?.scales.clone())
    }

    /// The names of the features that are transformed by log(1 + x) first.
    #[getter]
    fn log1p(&self) -> Vec<String> {
        self.log1p.clone()
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        store::to_bytes(py, &self.model())
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        Ok(Self::of(store::from_bytes(py, data)?))
    }
}
