//! Response curves.

use custcore::{CurveFitKind, CurveShape, ResponseCurve};
use pyo3::prelude::*;

use crate::error::into_py;
use crate::options::choice;

/// A response curve.
#[pyclass(frozen, module = "custcore._core", name = "Curve")]
pub struct CoreCurve(ResponseCurve);

impl CoreCurve {
    pub fn new(curve: ResponseCurve) -> Self {
        Self(curve)
    }

    pub fn curve(&self) -> &ResponseCurve {
        &self.0
    }
}

fn made(py: Python<'_>, curve: custcore::Result<ResponseCurve>) -> PyResult<CoreCurve> {
    curve.map(CoreCurve).map_err(|error| into_py(py, &error))
}

#[pymethods]
impl CoreCurve {
    #[staticmethod]
    fn exp(py: Python<'_>, a: f64, b: f64) -> PyResult<Self> {
        made(py, ResponseCurve::exp(a, b))
    }

    #[staticmethod]
    fn hill(py: Python<'_>, a: f64, c: f64, k: f64) -> PyResult<Self> {
        made(py, ResponseCurve::hill(a, c, k))
    }

    #[staticmethod]
    #[pyo3(name = "table")]
    fn of_points(py: Python<'_>, spend: Vec<f64>, value: Vec<f64>) -> PyResult<Self> {
        made(py, ResponseCurve::table(&spend, &value))
    }

    #[staticmethod]
    #[pyo3(signature = (spend, value, se, *, kind, k))]
    fn fit(py: Python<'_>, spend: Vec<f64>, value: Vec<f64>, se: Option<Vec<f64>>, kind: &str, k: Option<f64>) -> PyResult<Self> {
        let kind = choice(py, "kind", kind, &[("exp", CurveFitKind::Exp), ("hill", CurveFitKind::Hill(k))])?;
        made(py, ResponseCurve::fit(&spend, &value, se.as_deref(), kind))
    }

    /// The curve with a standard error of its height.
    fn with_se(&self, se: Option<f64>) -> Self {
        Self(self.0.clone().with_se(se))
    }

    #[getter]
    fn kind(&self) -> &'static str {
        match self.0.shape() {
            CurveShape::Exp { .. } => "exp",
            CurveShape::Hill { .. } => "hill",
            CurveShape::Table { .. } => "table",
        }
    }

    /// The parameters by name, as lists for points.
    #[getter]
    fn parameters(&self) -> Vec<(&'static str, Vec<f64>)> {
        match self.0.shape() {
            CurveShape::Exp { a, b } => vec![("a", vec![*a]), ("b", vec![*b])],
            CurveShape::Hill { a, c, k } => vec![("a", vec![*a]), ("c", vec![*c]), ("k", vec![*k])],
            CurveShape::Table { spend, value } => vec![("spend", spend.clone()), ("value", value.clone())],
        }
    }

    #[getter]
    fn se(&self) -> Option<f64> {
        self.0.se()
    }

    fn value(&self, spend: f64) -> f64 {
        self.0.value(spend)
    }

    fn marginal(&self, spend: f64) -> f64 {
        self.0.marginal(spend)
    }
}
