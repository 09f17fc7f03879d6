//! Python binding of models of purchases.

use std::sync::Arc;

use custcore::{
    ClvSummary, Context, Discounting, GroupOptions, History, Key, PredictSpec, PurchaseFamily, PurchaseModel, Result, Spend, Table,
    UnseenGroups, WithSettings,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::fitting::{Fitting, fit_info, label};
use super::spend::CoreSpendModel;
use super::summary::CoreClvSummary;
use crate::base::{CoreBase, work};
use crate::error::into_py;
use crate::number;
use crate::options::{as_of, choice};
use crate::runtime::Call;
use crate::store;
use crate::table::CoreTable;

/// How groups get parameters; a part of the dict of the fit.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Grouping {
    by: Option<String>,
    min_customers: u64,
    unseen: String,
}

impl Grouping {
    fn options(self, py: Python<'_>) -> PyResult<GroupOptions> {
        let unseen = choice(py, "unseen", &self.unseen, &[("global", UnseenGroups::Pooled), ("error", UnseenGroups::Error)])?;
        Ok(GroupOptions { by: self.by, min_customers: self.min_customers, unseen })
    }
}

/// The spend of a purchase day: a model, the own mean of each customer, or None.
#[derive(FromPyObject)]
enum SpendArgument<'py> {
    Model(Bound<'py, CoreSpendModel>),
    Word(String),
}

fn spend_of(py: Python<'_>, spend: Option<SpendArgument<'_>>) -> PyResult<Spend> {
    match spend {
        None => Ok(Spend::None),
        Some(SpendArgument::Model(model)) => Ok(Spend::Model(Box::new((*model.get().0).clone()))),
        Some(SpendArgument::Word(word)) => {
            choice(py, "spend", &word, &[("own_mean", ())])?;
            Ok(Spend::OwnMean)
        }
    }
}

/// ("continuous", rate of a year, 0), ("monthly", rate of a year, 0) or ("periodic", days of a period, rate of a period).
fn discounting(py: Python<'_>, (how, first, second): (String, f64, f64)) -> PyResult<Discounting> {
    Ok(match choice(py, "discount", &how, &[("continuous", 0), ("monthly", 1), ("periodic", 2)])? {
        0 => Discounting::continuous(first),
        1 => Discounting::monthly(first),
        _ => Discounting::Periodic { period_days: first, rate: second },
    })
}

type Rate = (String, f64, f64);
type PredictionRow = (f64, Option<f64>, Option<f64>, Option<f64>, Option<f64>, Option<f64>, f64, Option<f64>, Option<u32>, Option<u32>);

/// A fitted model of purchases.
#[pyclass(frozen, module = "custcore._core", name = "PurchaseModel")]
pub struct CorePurchaseModel(Arc<PurchaseModel>);

impl CorePurchaseModel {
    /// Runs work on the customers of a summary. It waits until the work has ended, also after Ctrl-C: no other thread may be the last to
    /// let go of the columns of a summary, which may be memory of Python.
    fn on<T: Send + 'static>(
        &self,
        summary: &Bound<'_, CoreClvSummary>,
        n_threads: Option<i64>,
        work: impl FnOnce(&PurchaseModel, &ClvSummary, &Context) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let (py, summary, model) = (summary.py(), summary.get().0.clone(), self.0.clone());
        let rows = summary.rows();
        Call::new(py, n_threads, None, None)?.run_to_the_end(py, rows, move |context| work(&model, &summary, context))
    }
}

#[pymethods]
impl CorePurchaseModel {
    /// Fits a model; whether it converged is in its fits.
    #[staticmethod]
    #[pyo3(signature = (family, summary, options, *, n_threads))]
    fn fit(family: &str, summary: &Bound<'_, CoreClvSummary>, options: &Bound<'_, PyDict>, n_threads: Option<i64>) -> PyResult<Self> {
        let py = summary.py();
        let family = PurchaseFamily::of(family).map_err(|error| into_py(py, &error))?;
        let (fitting, groups) = (options.extract::<Fitting>()?.into(), options.extract::<Grouping>()?.options(py)?);
        let summary = summary.get().0.clone();
        let rows = summary.rows();
        let model = Call::new(py, n_threads, None, None)?
            .run_to_the_end(py, rows, move |context| PurchaseModel::fit(family, &summary, &fitting, groups, context))?;
        Ok(Self(Arc::new(model)))
    }

    /// A model of known parameters.
    #[staticmethod]
    fn given(py: Python<'_>, family: &str, parameters: Vec<f64>) -> PyResult<Self> {
        let model = PurchaseFamily::of(family).and_then(|family| PurchaseModel::of_parameters(family, &parameters));
        model.map(|model| Self(Arc::new(model))).map_err(|error| into_py(py, &error))
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<(Self, String)> {
        let WithSettings { model, settings } = store::from_bytes::<WithSettings<PurchaseModel>>(py, data)?;
        Ok((Self(Arc::new(model)), settings))
    }

    fn to_bytes<'py>(&self, py: Python<'py>, settings: String) -> PyResult<Bound<'py, PyBytes>> {
        store::to_bytes(py, &WithSettings { model: (*self.0).clone(), settings })
    }

    #[getter]
    fn family(&self) -> &'static str {
        self.0.family().name()
    }

    #[getter]
    fn by(&self) -> Option<&str> {
        self.0.options().by.as_deref()
    }

    /// The labels of groups with parameters of their own.
    #[getter]
    fn groups(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        self.0.fits().filter_map(|(key, _)| key).map(|key| label(py, key.borrow())).collect()
    }

    /// The fit of all customers, then that of each group.
    fn fits<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let fits = self.0.fits().map(|(key, fitted)| {
            let remarks = if key.is_none() { self.0.remarks() } else { &[] };
            let info = fit_info(py, fitted, self.0.calibration_end(), remarks)?;
            if key.is_none() {
                let (customers, log_likelihood) = self.0.rest();
                info.set_item("rest_customers", customers)?;
                info.set_item("rest_log_likelihood", log_likelihood)?;
            }
            Ok(info)
        });
        fits.collect()
    }

    #[pyo3(signature = (summary, *, horizons, spend, margin, discounting, level, cells, horizon_column, n_threads))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of predict")]
    fn predict(
        &self,
        summary: &Bound<'_, CoreClvSummary>,
        horizons: Vec<Option<f64>>,
        spend: Option<SpendArgument<'_>>,
        margin: f64,
        discounting: Rate,
        level: Option<f64>,
        cells: bool,
        horizon_column: bool,
        n_threads: Option<i64>,
    ) -> PyResult<CoreTable> {
        let py = summary.py();
        let (spend, discounting) = (spend_of(py, spend)?, self::discounting(py, discounting)?);
        let spec = PredictSpec { horizons, spend, margin, discounting, level, cells, horizon_column };
        let tables = self.on(summary, n_threads, move |model, summary, context| model.predict(summary, &spec, context))?;
        CoreTable::concat(py, tables)
    }

    #[pyo3(signature = (x, t_x, age, m_x, *, group, horizon, spend, margin, discounting, level))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of predict_one")]
    fn predict_one(
        &self,
        py: Python<'_>,
        x: u32,
        t_x: f64,
        age: f64,
        m_x: Option<f64>,
        group: Option<&Bound<'_, PyAny>>,
        horizon: Option<f64>,
        spend: Option<SpendArgument<'_>>,
        margin: f64,
        discounting: Rate,
        level: Option<f64>,
    ) -> PyResult<PredictionRow> {
        let (spend, discounting) = (spend_of(py, spend)?, self::discounting(py, discounting)?);
        let group = match group {
            Some(value) => Some(number::group(value, "group")?.to_owned()),
            None => self.0.options().by.as_ref().map(|_| Key::Null.to_owned()),
        };
        let spec = PredictSpec { horizons: vec![horizon], spend, margin, discounting, level, cells: false, horizon_column: true };
        let found = self.0.predict_one(History { x, t_x, age, m_x }, group.as_ref(), &spec).map_err(|error| into_py(py, &error))?;
        Ok((
            found.p_alive,
            found.expected_purchases,
            found.p_purchase,
            found.p_alive_end,
            found.expected_spend,
            found.expected_revenue,
            found.discounted_purchases,
            found.clv,
            found.interval.map(|interval| interval.0),
            found.interval.map(|interval| interval.1),
        ))
    }

    #[pyo3(signature = (*, horizons, include_first, spend, margin, discounting, level))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of new_customers")]
    fn new_customers(
        &self,
        py: Python<'_>,
        horizons: Vec<Option<f64>>,
        include_first: bool,
        spend: Option<SpendArgument<'_>>,
        margin: f64,
        discounting: Rate,
        level: Option<f64>,
    ) -> PyResult<CoreTable> {
        let (spend, discounting) = (spend_of(py, spend)?, self::discounting(py, discounting)?);
        let spec = PredictSpec { horizons, spend, margin, discounting, level, cells: false, horizon_column: true };
        self.0.new_customers(&spec, include_first).map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    #[pyo3(signature = (summary, *, horizons, level, n_threads))]
    fn total(&self, summary: &Bound<'_, CoreClvSummary>, horizons: Vec<f64>, level: f64, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let found = self.on(summary, n_threads, move |model, summary, context| model.total(summary, &horizons, level, context))?;
        Ok(CoreTable::new(found))
    }

    #[pyo3(signature = (summary, *, horizon, seed, n, draw_parameters, n_threads))]
    fn simulate(
        &self,
        summary: &Bound<'_, CoreClvSummary>,
        horizon: f64,
        seed: u64,
        n: u32,
        draw_parameters: bool,
        n_threads: Option<i64>,
    ) -> PyResult<CoreTable> {
        let found = self
            .on(summary, n_threads, move |model, summary, context| model.simulate(summary, horizon, seed, n, draw_parameters, context))?;
        Ok(CoreTable::new(found))
    }

    #[pyo3(signature = (summary, *, spend, n_threads))]
    fn evaluate(
        &self,
        summary: &Bound<'_, CoreClvSummary>,
        spend: Option<SpendArgument<'_>>,
        n_threads: Option<i64>,
    ) -> PyResult<(CoreTable, CoreTable)> {
        let spend = spend_of(summary.py(), spend)?;
        let (measures, by_x): (Table, Table) =
            self.on(summary, n_threads, move |model, summary, context| model.evaluate(summary, &spend, context))?;
        Ok((CoreTable::new(measures), CoreTable::new(by_x)))
    }

    #[pyo3(signature = (summary, *, n_threads))]
    fn log_likelihood(&self, summary: &Bound<'_, CoreClvSummary>, n_threads: Option<i64>) -> PyResult<f64> {
        self.on(summary, n_threads, PurchaseModel::log_likelihood)
    }

    #[pyo3(signature = (base, calibration_end, holdout_end, *, period_days, level, n_threads))]
    fn tracking(
        &self,
        base: &Bound<'_, CoreBase>,
        calibration_end: Option<(String, i64)>,
        holdout_end: Option<(String, i64)>,
        period_days: i32,
        level: f64,
        n_threads: Option<i64>,
    ) -> PyResult<CoreTable> {
        let (py, model) = (base.py(), self.0.clone());
        let (calibration_end, holdout_end) = (calibration_end.as_ref().map(as_of), holdout_end.as_ref().map(as_of));
        let base = base.get().snapshot(py)?;
        let size = work(&base);
        let table = Call::new(py, n_threads, None, None)?
            .run(py, size, move |context| model.tracking(&base, calibration_end, holdout_end, period_days, level, context))?;
        Ok(CoreTable::new(table))
    }
}
