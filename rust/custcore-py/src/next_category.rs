//! Python binding of models of the next category, and of their back-test.

use std::sync::Arc;

use custcore::{
    AsOf, BacktestNextSpec, Error, ErrorKind, NextCategory, NextMethod, NextSpec, RecommendSpec, backtest_next as test_next, date_text,
};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::base::{CoreBase, work};
use crate::error::into_py;
use crate::options::{as_of, choice};
use crate::runtime::Call;
use crate::store;
use crate::table::CoreTable;

fn method(py: Python<'_>, argument: &str, word: &str) -> PyResult<NextMethod> {
    choice(py, argument, word, &NextMethod::ALL.map(|method| (method.word(), method)))
}

/// Settings of a model of the next category; `fit` returns a fitted, immutable one.
#[pyclass(frozen, module = "custcore._core", name = "NextCategory")]
pub struct CoreNextCategory {
    spec: NextSpec,
    model: Option<Arc<NextCategory>>,
}

impl CoreNextCategory {
    fn fitted(&self, py: Python<'_>) -> PyResult<&Arc<NextCategory>> {
        self.model
            .as_ref()
            .ok_or_else(|| into_py(py, &Error::new(ErrorKind::NotFitted, "this NextCategory is not fitted yet; call fit(base) first")))
    }

    fn of(model: NextCategory) -> Self {
        Self { spec: model.spec(), model: Some(Arc::new(model)) }
    }
}

#[pymethods]
impl CoreNextCategory {
    #[new]
    #[pyo3(signature = (*, method, min_customers))]
    fn new(py: Python<'_>, method: &str, min_customers: u64) -> PyResult<Self> {
        let spec = NextSpec { method: self::method(py, "method", method)?, min_customers };
        Ok(Self { spec: spec.checked().map_err(|error| into_py(py, &error))?, model: None })
    }

    #[pyo3(signature = (base, day, *, n_threads))]
    fn fit(&self, base: &Bound<'_, CoreBase>, day: Option<(String, i64)>, n_threads: Option<i64>) -> PyResult<Self> {
        let py = base.py();
        let (base, day, spec) = (base.get().snapshot(py)?, day.as_ref().map(as_of), self.spec);
        let size = work(&base);
        let fit = Call::new(py, n_threads, None, None)?.run(py, size, move |context| NextCategory::fit(spec, &base, day, context))?;
        Ok(Self::of(fit))
    }

    #[pyo3(signature = (base, k, day, *, exclude_owned, n_threads))]
    fn recommend(
        &self,
        base: &Bound<'_, CoreBase>,
        k: usize,
        day: Option<(String, i64)>,
        exclude_owned: bool,
        n_threads: Option<i64>,
    ) -> PyResult<CoreTable> {
        let py = base.py();
        let model = self.fitted(py)?.clone();
        let (base, day, spec) = (base.get().snapshot(py)?, day.as_ref().map(as_of), RecommendSpec { k, exclude_owned });
        let size = work(&base);
        let tables = Call::new(py, n_threads, None, None)?.run(py, size, move |context| model.recommend(&base, spec, day, context))?;
        CoreTable::concat(py, tables)
    }

    #[getter]
    fn is_fitted(&self) -> bool {
        self.model.is_some()
    }

    /// Method and least number of customers.
    #[getter]
    fn settings(&self) -> (&'static str, u64) {
        (self.spec.method.word(), self.spec.min_customers)
    }

    /// The day of the fit as ISO text.
    #[getter]
    fn as_of(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.fitted(py)?.as_of().map(date_text))
    }

    /// Buyers, categories and pairs of the fit.
    #[getter]
    fn sizes(&self, py: Python<'_>) -> PyResult<(u64, usize, usize)> {
        let model = self.fitted(py)?;
        Ok((model.customers(), model.categories(), model.pairs()))
    }

    fn categories(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.fitted(py)?.categories_table().map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let model = self.fitted(py)?;
        model.check_stored().map_err(|error| into_py(py, &error))?;
        store::to_bytes(py, &**model)
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        Ok(Self::of(store::from_bytes(py, data)?))
    }
}

/// Tests recommendations as of past days.
#[pyfunction]
#[pyo3(signature = (base, dates, horizon, *, k, methods, min_customers, n_threads))]
pub fn backtest_next(
    base: &Bound<'_, CoreBase>,
    dates: Vec<(String, i64)>,
    horizon: i64,
    k: Vec<usize>,
    methods: Vec<String>,
    min_customers: u64,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let py = base.py();
    let horizon = i32::try_from(horizon).map_err(|_| {
        let message = format!("horizon={horizon} is invalid; expected a number of days, 1 or more");
        into_py(py, &Error::new(ErrorKind::InvalidArgument, message))
    })?;
    let spec = BacktestNextSpec {
        dates: dates.iter().map(as_of).collect::<Vec<AsOf>>(),
        horizon,
        ks: k,
        methods: methods.iter().map(|word| method(py, "methods", word)).collect::<PyResult<_>>()?,
        min_customers,
    };
    let base = base.get().snapshot(py)?;
    let size = work(&base);
    let table = Call::new(py, n_threads, None, None)?.run(py, size, move |context| test_next(&base, spec, context))?;
    Ok(CoreTable::new(table))
}
