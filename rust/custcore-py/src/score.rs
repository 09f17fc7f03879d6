//! Python binding of the quantile scorer.

use std::sync::Arc;

use custcore::{Dimension, Error, ErrorKind, Number, QuantileScorer, ScoreSpec, drift_table, population_drift, thresholds_table};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::boundary::header::Selection;
use crate::error::into_py;
use crate::input::{Input, fitted_columns};
use crate::number::{self, keys, number, parts};
use crate::options::{names, word};
use crate::rfm::{ScoreOptions, TIES};
use crate::runtime::Call;
use crate::store;
use crate::table::CoreTable;

/// A quantile scorer; `fit` returns a fitted, immutable one.
#[pyclass(frozen, module = "custcore._core", name = "QuantileScorer")]
pub struct CoreQuantileScorer {
    scorer: Arc<QuantileScorer>,
}

#[pymethods]
impl CoreQuantileScorer {
    /// `dimensions` are (column, bins, whether small values are best).
    #[new]
    fn new(py: Python<'_>, dimensions: Vec<(String, u8, bool)>, options: ScoreOptions, weights: Option<Vec<f64>>) -> PyResult<Self> {
        let dimension =
            |(column, bins, reversed): (String, u8, bool)| Dimension { name: column.clone(), column, bins, reversed, cuts: None };
        let spec = ScoreSpec { dimensions: dimensions.into_iter().map(dimension).collect(), ..options.spec(py)? };
        Ok(Self { scorer: Arc::new(QuantileScorer::new(spec, weights).map_err(|error| into_py(py, &error))?) })
    }

    #[pyo3(signature = (table, *, n_threads))]
    fn fit(&self, table: &Bound<'_, PyAny>, n_threads: Option<i64>) -> PyResult<Self> {
        let py = table.py();
        let spec = self.scorer.spec();
        let input = Input::read(table, fitted_columns(spec.used_columns(), spec.finds_ids()))?;
        let mut scorer = QuantileScorer::clone(&self.scorer);
        let scorer = Call::new(py, n_threads, None, None)?.run_on(py, input.batches, move |batches, context| {
            scorer.fit(batches, context)?;
            Ok(scorer)
        })?;
        Ok(Self { scorer: Arc::new(scorer) })
    }

    #[pyo3(signature = (table, *, n_threads))]
    fn transform(&self, table: &Bound<'_, PyAny>, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let py = table.py();
        let spec = self.scorer.scorer().map_err(|error| into_py(py, &error))?.spec();
        let Input { batches, report } = Input::read(table, Selection::Using { names: spec.used_columns(), first: spec.finds_ids() })?;
        let scorer = self.scorer.clone();
        let tables = Call::new(py, n_threads, None, None)?
            .run_on(py, batches, move |batches, context| scorer.transform(batches, &report, context))?;
        CoreTable::concat(py, tables)
    }

    fn score_one(
        &self,
        py: Python<'_>,
        values: Vec<Bound<'_, PyAny>>,
        customer_id: Option<&Bound<'_, PyAny>>,
        group: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<u8>> {
        let scorer = self.scorer.scorer().map_err(|error| into_py(py, &error))?;
        let dimensions = &scorer.spec().dimensions;
        if values.len() != dimensions.len() {
            let message = format!("{} values were given for {} columns; pass one for each", values.len(), dimensions.len());
            return Err(into_py(py, &Error::new(ErrorKind::InvalidArgument, message)));
        }
        let numbers = dimensions.iter().zip(&values).map(|(d, value)| number(value, &d.column)).collect::<PyResult<Vec<Number>>>()?;
        let mut scores = vec![0; numbers.len()];
        let id_parts = parts(customer_id);
        let id = id_parts.as_deref().map(|parts| keys(parts, "customer_id")).transpose()?;
        let group = group.map(|value| number::group(value, "group")).transpose()?;
        scorer.score_one(&numbers, id.as_deref(), group, &mut scores).map_err(|error| into_py(py, &error))?;
        Ok(scores)
    }

    fn thresholds(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.scorer.scorer().and_then(thresholds_table).map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    /// Population drift between the customers of a table and those of the fit.
    #[pyo3(signature = (table, *, by_score, n_threads))]
    fn drift(&self, table: &Bound<'_, PyAny>, by_score: bool, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let py = table.py();
        let scorer = self.scorer.clone();
        let spec = scorer.scorer().map_err(|error| into_py(py, &error))?.spec();
        let columns = fitted_columns(spec.used_columns(), spec.finds_ids());
        let drifted = Call::new(py, n_threads, None, None)?.run_on(py, Input::read(table, columns)?.batches, move |batches, context| {
            drift_table(&population_drift(scorer.scorer()?, batches, context)?, by_score)
        })?;
        Ok(CoreTable::new(drifted))
    }

    #[getter]
    fn is_fitted(&self) -> bool {
        self.scorer.scorer().is_ok()
    }

    /// The settings as the arguments of `custcore.QuantileScorer`.
    #[getter]
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let spec = self.scorer.spec();
        let settings = PyDict::new(py);
        settings.set_item("columns", spec.dimensions.iter().map(|d| d.column.as_str()).collect::<Vec<_>>())?;
        settings.set_item("directions", spec.dimensions.iter().map(|d| if d.reversed { "low" } else { "high" }).collect::<Vec<_>>())?;
        settings.set_item("bins", spec.dimensions.iter().map(|d| u16::from(d.bins)).collect::<Vec<_>>())?;
        settings.set_item("ties", word(&spec.ties, &TIES))?;
        settings.set_item("customer_id", spec.ids.as_ref().map(|ids| names(py, ids)).transpose()?)?;
        settings.set_item("weights", self.scorer.weights().map(<[f64]>::to_vec))?;
        Ok(settings)
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        store::to_bytes(py, &*self.scorer)
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        Ok(Self { scorer: Arc::new(store::from_bytes(py, data)?) })
    }
}
