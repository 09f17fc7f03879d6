//! Python binding of the Gamma-Gamma model of spend.

use std::sync::Arc;

use custcore::{SpendModel, WithSettings};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::fitting::{Fitting, fit_info};
use super::summary::CoreClvSummary;
use crate::error::into_py;
use crate::runtime::Call;
use crate::store;
use crate::table::CoreTable;

/// A fitted Gamma-Gamma model.
#[pyclass(frozen, module = "custcore._core", name = "SpendModel")]
pub struct CoreSpendModel(pub Arc<SpendModel>);

#[pymethods]
impl CoreSpendModel {
    #[staticmethod]
    #[pyo3(signature = (summary, options, *, n_threads))]
    fn fit(summary: &Bound<'_, CoreClvSummary>, options: Fitting, n_threads: Option<i64>) -> PyResult<Self> {
        let (py, summary, options) = (summary.py(), summary.get().0.clone(), options.into());
        let rows = summary.rows();
        let model =
            Call::new(py, n_threads, None, None)?.run_to_the_end(py, rows, move |context| SpendModel::fit(&summary, &options, context))?;
        Ok(Self(Arc::new(model)))
    }

    /// A model of known parameters.
    #[staticmethod]
    fn given(py: Python<'_>, parameters: Vec<f64>) -> PyResult<Self> {
        SpendModel::of_parameters(&parameters).map(|model| Self(Arc::new(model))).map_err(|error| into_py(py, &error))
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<(Self, String)> {
        let WithSettings { model, settings } = store::from_bytes::<WithSettings<SpendModel>>(py, data)?;
        Ok((Self(Arc::new(model)), settings))
    }

    fn to_bytes<'py>(&self, py: Python<'py>, settings: String) -> PyResult<Bound<'py, PyBytes>> {
        store::to_bytes(py, &WithSettings { model: (*self.0).clone(), settings })
    }

    /// The fit, as a list of one dict.
    fn fits<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let model = &self.0;
        let info = fit_info(py, model.fitted(), model.calibration_end(), model.remarks())?;
        let (customers, money) = model.left_out();
        info.set_item("customers_left_out", customers)?;
        info.set_item("money_left_out", money)?;
        let independence = model.independence();
        info.set_item("pearson", independence.and_then(|found| found.pearson))?;
        info.set_item("spearman", independence.and_then(|found| found.spearman))?;
        let by_x = independence.map_or(&[][..], |found| found.by_x.as_slice());
        info.set_item("mean_by_x", by_x.iter().map(|row| (row.x, row.customers, row.mean)).collect::<Vec<_>>())?;
        Ok(vec![info])
    }

    /// Expected spend of the customers of a summary.
    #[pyo3(signature = (summary, *, n_threads))]
    fn predict(&self, summary: &Bound<'_, CoreClvSummary>, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let (py, summary, model) = (summary.py(), summary.get().0.clone(), self.0.clone());
        let rows = summary.rows();
        let table = Call::new(py, n_threads, None, None)?.run_to_the_end(py, rows, move |context| model.predict(&summary, context))?;
        Ok(CoreTable::new(table))
    }

    /// The log-likelihood of the customers of a summary.
    #[pyo3(signature = (summary, *, n_threads))]
    fn log_likelihood(&self, summary: &Bound<'_, CoreClvSummary>, n_threads: Option<i64>) -> PyResult<f64> {
        let (py, summary, model) = (summary.py(), summary.get().0.clone(), self.0.clone());
        let rows = summary.rows();
        Call::new(py, n_threads, None, None)?.run_to_the_end(py, rows, move |context| model.log_likelihood(&summary, context))
    }

    fn predict_one(&self, x: u32, m_x: Option<f64>) -> Option<f64> {
        self.0.expected(x, m_x)
    }
}
