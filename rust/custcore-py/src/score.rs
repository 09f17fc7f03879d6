//! The quantile scorer of any columns as Python sees it.

use std::sync::Arc;

use custcore::column::number::Number;
use custcore::error::{Error, ErrorKind};
use custcore::score::table::{scores_table, thresholds_table};
use custcore::score::{Dimension, ScoreSpec, Scorer};
use pyo3::prelude::*;

use crate::door::Call;
use crate::error::into_py;
use crate::number::{key, number};
use crate::rfm::{Input, ScoreOptions};
use crate::table::CoreTable;

/// A quantile scorer; `fit` gives a fitted one, which never changes.
#[pyclass(frozen, module = "custcore._core", name = "QuantileScorer")]
pub struct CoreQuantileScorer {
    spec: ScoreSpec,
    weights: Option<Vec<f64>>,
    scorer: Option<Arc<Scorer>>,
}

impl CoreQuantileScorer {
    fn fitted(&self, py: Python<'_>) -> PyResult<&Arc<Scorer>> {
        self.scorer
            .as_ref()
            .ok_or_else(|| into_py(py, &Error::new(ErrorKind::NotFitted, "this QuantileScorer is not fitted yet; call fit(table) first")))
    }
}

#[pymethods]
impl CoreQuantileScorer {
    /// `dimensions` are (column, bins, whether a small value is the best).
    #[new]
    fn new(py: Python<'_>, dimensions: Vec<(String, u8, bool)>, options: ScoreOptions, weights: Option<Vec<f64>>) -> PyResult<Self> {
        let dimension =
            |(column, bins, reversed): (String, u8, bool)| Dimension { name: column.clone(), column, bins, reversed, cuts: None };
        let spec = ScoreSpec { dimensions: dimensions.into_iter().map(dimension).collect(), ..options.spec(py)? };
        Ok(Self { spec: spec.checked().map_err(|error| into_py(py, &error))?, weights, scorer: None })
    }

    #[pyo3(signature = (table, *, n_threads))]
    fn fit(&self, table: &Bound<'_, PyAny>, n_threads: Option<i64>) -> PyResult<Self> {
        let py = table.py();
        let spec = self.spec.clone();
        let scorer = Call::new(py, n_threads, None, None)?.run_on(
            py,
            Input::read(table, self.spec.needed_columns())?.batches,
            move |batches, context| context.install(|| Scorer::fit_batches(&spec, batches, context))?,
        )?;
        Ok(Self { spec: self.spec.clone(), weights: self.weights.clone(), scorer: Some(Arc::new(scorer)) })
    }

    #[pyo3(signature = (table, *, n_threads))]
    fn transform(&self, table: &Bound<'_, PyAny>, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let py = table.py();
        let scorer = self.fitted(py)?.clone();
        let weights = self.weights.clone();
        let Input { batches, report } = Input::read(table, None)?;
        let tables = Call::new(py, n_threads, None, None)?.run_on(py, batches, move |batches, context| {
            let score = |batch| {
                context.check()?;
                let scores = context.install(|| scorer.score(batch))??;
                scores_table(batch, &scorer, &scores, weights.as_deref(), report.clone())
            };
            batches.iter().map(score).collect()
        })?;
        CoreTable::concat(py, tables)
    }

    fn score_one(
        &self,
        py: Python<'_>,
        values: Vec<Bound<'_, PyAny>>,
        customer_id: Option<&Bound<'_, PyAny>>,
        group: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<u8>> {
        let scorer = self.fitted(py)?;
        if values.len() != self.spec.dimensions.len() {
            let message = format!("{} values for {} columns; pass one for each", values.len(), self.spec.dimensions.len());
            return Err(into_py(py, &Error::new(ErrorKind::InvalidArgument, message)));
        }
        let numbers =
            self.spec.dimensions.iter().zip(&values).map(|(d, value)| number(value, &d.column)).collect::<PyResult<Vec<Number>>>()?;
        let mut scores = vec![0; numbers.len()];
        let customer_id = customer_id.map(|id| key(id, "customer_id")).transpose()?;
        let group = group.map(|group| key(group, "group")).transpose()?;
        scorer.score_one(&numbers, customer_id, group, &mut scores).map_err(|error| into_py(py, &error))?;
        Ok(scores)
    }

    fn thresholds(&self, py: Python<'_>) -> PyResult<CoreTable> {
        thresholds_table(self.fitted(py)?).map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    #[getter]
    fn is_fitted(&self) -> bool {
        self.scorer.is_some()
    }
}
