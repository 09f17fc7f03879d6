//! Python binding of churn models and of their back-test.

use std::sync::Arc;

use custcore::{AsOf, BacktestSpec, ChurnModel, ChurnSpec, Error, ErrorKind, Population, ScoreName, churn_scores, date_text};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::base::{CoreBase, work};
use crate::error::into_py;
use crate::options::{as_of, choice};
use crate::runtime::Call;
use crate::store;
use crate::table::CoreTable;

fn spec(py: Python<'_>, days: i64, strata: Vec<u32>, min_at_risk: u64) -> PyResult<ChurnSpec> {
    let horizon = i32::try_from(days).map_err(|_| {
        let message = format!("horizon={days} is invalid; expected a number of days, 1 or more");
        into_py(py, &Error::new(ErrorKind::InvalidArgument, message))
    })?;
    ChurnSpec { horizon, strata, min_at_risk }.checked().map_err(|error| into_py(py, &error))
}

/// Settings of a churn model; `fit` returns a fitted, immutable one.
#[pyclass(frozen, module = "custcore._core", name = "ChurnModel")]
pub struct CoreChurnModel {
    spec: ChurnSpec,
    model: Option<Arc<ChurnModel>>,
}

impl CoreChurnModel {
    fn fitted(&self, py: Python<'_>) -> PyResult<&Arc<ChurnModel>> {
        self.model
            .as_ref()
            .ok_or_else(|| into_py(py, &Error::new(ErrorKind::NotFitted, "this ChurnModel is not fitted yet; call fit(base) first")))
    }

    fn of(model: ChurnModel) -> Self {
        Self { spec: model.spec().clone(), model: Some(Arc::new(model)) }
    }
}

#[pymethods]
impl CoreChurnModel {
    #[new]
    #[pyo3(signature = (*, horizon, strata, min_at_risk))]
    fn new(py: Python<'_>, horizon: i64, strata: Vec<u32>, min_at_risk: u64) -> PyResult<Self> {
        Ok(Self { spec: spec(py, horizon, strata, min_at_risk)?, model: None })
    }

    #[pyo3(signature = (base, day, *, n_threads))]
    fn fit(&self, base: &Bound<'_, CoreBase>, day: Option<(String, i64)>, n_threads: Option<i64>) -> PyResult<Self> {
        let py = base.py();
        let (base, day, spec) = (base.get().snapshot(py)?, day.as_ref().map(as_of), self.spec.clone());
        let size = work(&base);
        let fit = Call::new(py, n_threads, None, None)?.run(py, size, move |context| ChurnModel::fit(spec, &base, day, context))?;
        Ok(Self::of(fit))
    }

    #[pyo3(signature = (base, day, *, n_threads))]
    fn score(&self, base: &Bound<'_, CoreBase>, day: Option<(String, i64)>, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let py = base.py();
        let model = self.fitted(py)?.clone();
        let (base, day) = (base.get().snapshot(py)?, day.as_ref().map(as_of));
        let size = work(&base);
        let tables = Call::new(py, n_threads, None, None)?.run(py, size, move |context| churn_scores(&base, &model, day, context))?;
        CoreTable::concat(py, tables)
    }

    #[getter]
    fn is_fitted(&self) -> bool {
        self.model.is_some()
    }

    /// Horizon, strata, gaps at risk.
    #[getter]
    fn settings(&self) -> (i32, Vec<u32>, u64) {
        (self.spec.horizon, self.spec.strata.clone(), self.spec.min_at_risk)
    }

    /// The day of the fit as ISO text.
    #[getter]
    fn as_of(&self, py: Python<'_>) -> PyResult<String> {
        Ok(date_text(self.fitted(py)?.as_of()))
    }

    #[getter]
    fn loss_days(&self, py: Python<'_>) -> PyResult<i32> {
        self.fitted(py)?.loss_days().map_err(|error| into_py(py, &error))
    }

    fn curves(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.fitted(py)?.curves_table().map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    fn strata(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.fitted(py)?.strata_table().map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        store::to_bytes(py, &**self.fitted(py)?)
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        Ok(Self::of(store::from_bytes(py, data)?))
    }
}

/// Tests scores of churn as of past days: summary, thresholds, calibration.
#[pyfunction]
#[pyo3(signature = (base, *, horizon, dates, n_dates, scores, among, shares, thresholds, strata, min_at_risk, n_threads))]
#[expect(clippy::too_many_arguments, reason = "the arguments of custcore.backtest")]
pub fn backtest(
    base: &Bound<'_, CoreBase>,
    horizon: i64,
    dates: Option<Vec<(String, i64)>>,
    n_dates: usize,
    scores: Vec<String>,
    among: &str,
    shares: Vec<f64>,
    thresholds: Vec<(String, Vec<f64>)>,
    strata: Vec<u32>,
    min_at_risk: u64,
    n_threads: Option<i64>,
) -> PyResult<(CoreTable, CoreTable, CoreTable)> {
    let py = base.py();
    let score = |word: &str| choice(py, "scores", word, &ScoreName::ALL.map(|score| (score.word(), score)));
    let spec = BacktestSpec {
        model: spec(py, horizon, strata, min_at_risk)?,
        dates: dates.map(|dates| dates.iter().map(as_of).collect::<Vec<AsOf>>()),
        n_dates,
        scores: scores.iter().map(|word| score(word)).collect::<PyResult<_>>()?,
        among: choice(py, "among", among, &[("at_stake", Population::AtStake), ("all", Population::All)])?,
        shares,
        thresholds: thresholds.into_iter().map(|(word, values)| Ok((score(&word)?, values))).collect::<PyResult<_>>()?,
    };
    let base = base.get().snapshot(py)?;
    let size = work(&base);
    let found = Call::new(py, n_threads, None, None)?.run(py, size, move |context| custcore::backtest(&base, spec, context))?;
    Ok((CoreTable::new(found.summary), CoreTable::new(found.thresholds), CoreTable::new(found.calibration)))
}
