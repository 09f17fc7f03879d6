//! Python bindings of the life cycle: its model, stages, counts and flows.

use std::sync::Arc;

use custcore::{Among, AsOf, CustomerId, LifecycleModel, LifecycleSpec, Rhythm, StageLanguage, Table, date_text};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::base::{CoreBase, PyId, work};
use crate::error::into_py;
use crate::options::{as_of, choice, word};
use crate::runtime::Call;
use crate::store;
use crate::table::CoreTable;

const AMONG: [(&str, Among); 2] = [("returning", Among::Returning), ("all", Among::All)];
const RHYTHMS: [(&str, Rhythm); 2] = [("population", Rhythm::Population), ("own", Rhythm::Own)];
const LANGUAGES: [(&str, StageLanguage); 2] = [("en", StageLanguage::En), ("zh", StageLanguage::Zh)];

/// Settings of a life-cycle model; passed as a dict by `custcore.LifecycleModel`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct LifecycleOptions {
    active_days: Option<i64>,
    loss_days: Option<i64>,
    quantiles: [f64; 2],
    among: String,
    min_at_risk: i64,
    loyal_orders: i64,
    rhythm: String,
    prior_gaps: i64,
}

/// A life-cycle model; `fit` returns a fitted, immutable one.
#[pyclass(frozen, module = "custcore._core", name = "LifecycleModel")]
pub struct CoreLifecycleModel {
    /// The model.
    pub model: Arc<LifecycleModel>,
}

impl CoreLifecycleModel {
    fn of(model: LifecycleModel) -> Self {
        Self { model: Arc::new(model) }
    }
}

#[pymethods]
impl CoreLifecycleModel {
    #[new]
    fn new(options: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = options.py();
        let options: LifecycleOptions = options.extract()?;
        let spec = LifecycleSpec {
            active_days: options.active_days,
            loss_days: options.loss_days,
            quantiles: options.quantiles,
            among: choice(py, "among", &options.among, &AMONG)?,
            min_at_risk: options.min_at_risk,
            loyal_orders: options.loyal_orders,
            rhythm: choice(py, "rhythm", &options.rhythm, &RHYTHMS)?,
            prior_gaps: options.prior_gaps,
        };
        LifecycleModel::new(spec).map(Self::of).map_err(|error| into_py(py, &error))
    }

    #[pyo3(signature = (base, day, *, n_threads))]
    fn fit(&self, base: &Bound<'_, CoreBase>, day: Option<(String, i64)>, n_threads: Option<i64>) -> PyResult<Self> {
        let py = base.py();
        let (base, model, day) = (base.get().snapshot(py)?, self.model.clone(), day.as_ref().map(as_of));
        let size = work(&base);
        Call::new(py, n_threads, None, None)?.run(py, size, move |context| model.fit(&base, day, context)).map(Self::of)
    }

    #[getter]
    fn is_fitted(&self) -> bool {
        self.model.is_fitted()
    }

    /// The windows in days; None if they are multiples.
    #[getter]
    fn days(&self, py: Python<'_>) -> PyResult<Option<(i32, i32)>> {
        self.model.days().map_err(|error| into_py(py, &error))
    }

    /// The windows in typical gaps; None if they are in days.
    #[getter]
    fn multiples(&self, py: Python<'_>) -> PyResult<Option<(f64, f64)>> {
        self.model.multiples().map_err(|error| into_py(py, &error))
    }

    /// The day of the fit, as text.
    #[getter]
    fn as_of(&self) -> Option<String> {
        self.model.as_of().map(date_text)
    }

    /// The horizon in days, and the share of gaps that end within it.
    #[getter]
    fn horizon(&self) -> Option<(i32, f64)> {
        self.model.horizon()
    }

    #[getter]
    fn typical_days(&self) -> Option<i32> {
        self.model.typical_days()
    }

    fn curve(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.model.curve().map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    /// The settings as the arguments of `custcore.LifecycleModel`.
    #[getter]
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let spec = self.model.spec();
        let settings = PyDict::new(py);
        settings.set_item("active_days", spec.active_days)?;
        settings.set_item("loss_days", spec.loss_days)?;
        settings.set_item("quantiles", (spec.quantiles[0], spec.quantiles[1]))?;
        settings.set_item("among", word(&spec.among, &AMONG))?;
        settings.set_item("min_at_risk", spec.min_at_risk)?;
        settings.set_item("loyal_orders", spec.loyal_orders)?;
        settings.set_item("rhythm", word(&spec.rhythm, &RHYTHMS))?;
        settings.set_item("prior_gaps", spec.prior_gaps)?;
        Ok(settings)
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        store::to_bytes(py, &*self.model)
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        store::from_bytes(py, data).map(Self::of)
    }
}

fn ids(prospects: Option<Vec<PyId>>) -> Option<Vec<CustomerId>> {
    prospects.map(|ids| ids.into_iter().map(|id| id.0).collect())
}

/// The stage of each customer.
#[pyfunction]
#[pyo3(signature = (base, day, *, model, prospects, lang, n_threads))]
pub fn lifecycle(
    base: &Bound<'_, CoreBase>,
    day: Option<(String, i64)>,
    model: Option<&Bound<'_, CoreLifecycleModel>>,
    prospects: Option<Vec<PyId>>,
    lang: &str,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let py = base.py();
    let lang = choice(py, "lang", lang, &LANGUAGES)?;
    let (base, day, prospects) = (base.get().snapshot(py)?, day.as_ref().map(as_of), ids(prospects));
    let model = model.map(|model| model.get().model.clone());
    let size = work(&base).saturating_add(prospects.as_ref().map_or(0, Vec::len));
    let tables = Call::new(py, n_threads, None, None)?
        .run(py, size, move |context| custcore::lifecycle(&base, day, model.as_deref(), prospects.as_deref(), lang, context))?;
    CoreTable::concat(py, tables)
}

/// Customers and money of each stage at each date.
#[pyfunction]
#[pyo3(signature = (base, dates, model, *, prospects, lang, n_threads))]
pub fn lifecycle_counts(
    base: &Bound<'_, CoreBase>,
    dates: Vec<(String, i64)>,
    model: &Bound<'_, CoreLifecycleModel>,
    prospects: Option<Vec<PyId>>,
    lang: &str,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let prospects = ids(prospects);
    follow(base, &dates, model, lang, n_threads, move |base, dates, model, lang, context| {
        custcore::lifecycle_counts(base, dates, model, prospects.as_deref(), lang, context)
    })
}

/// Customers who moved between stages from each date to the next.
#[pyfunction]
#[pyo3(signature = (base, dates, model, *, lang, n_threads))]
pub fn lifecycle_flows(
    base: &Bound<'_, CoreBase>,
    dates: Vec<(String, i64)>,
    model: &Bound<'_, CoreLifecycleModel>,
    lang: &str,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    follow(base, &dates, model, lang, n_threads, custcore::lifecycle_flows)
}

fn follow(
    base: &Bound<'_, CoreBase>,
    dates: &[(String, i64)],
    model: &Bound<'_, CoreLifecycleModel>,
    lang: &str,
    n_threads: Option<i64>,
    analysis: impl FnOnce(&custcore::CustomerBase, &[AsOf], &LifecycleModel, StageLanguage, &custcore::Context) -> custcore::Result<Table>
    + Send
    + 'static,
) -> PyResult<CoreTable> {
    let py = base.py();
    let lang = choice(py, "lang", lang, &LANGUAGES)?;
    let dates: Vec<AsOf> = dates.iter().map(as_of).collect();
    let (base, model) = (base.get().snapshot(py)?, model.get().model.clone());
    let size = work(&base).saturating_mul(dates.len());
    let table = Call::new(py, n_threads, None, None)?.run(py, size, move |context| analysis(&base, &dates, &model, lang, context))?;
    Ok(CoreTable::new(table))
}
