//! Python binding of uplift curves.

use std::sync::Arc;

use custcore::{UpliftCurve, UpliftSpec};
use pyo3::prelude::*;

use crate::boundary::header::Selection;
use crate::error::into_py;
use crate::input::Input;
use crate::runtime::Call;
use crate::table::CoreTable;

/// The gain of treating the customers with the highest scores.
#[pyclass(frozen, module = "custcore._core", name = "UpliftCurve")]
pub struct CoreUpliftCurve {
    curve: Arc<UpliftCurve>,
}

/// A value and its standard error.
type Estimate = (f64, Option<f64>);
/// Share, score, gain, standard error, net value.
type UpliftPoint = (f64, Option<f64>, f64, Option<f64>, Option<f64>);

#[pymethods]
impl CoreUpliftCurve {
    fn table(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.curve.table().map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    /// All that is known of the curve, as a table.
    fn state(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.curve.state().map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    #[staticmethod]
    fn of_state(py: Python<'_>, state: &CoreTable) -> PyResult<Self> {
        let curve = state.whole().and_then(|batch| UpliftCurve::of_state(&batch, state.report().clone()));
        Ok(Self { curve: Arc::new(curve.map_err(|error| into_py(py, &error))?) })
    }

    #[getter]
    fn auuc(&self) -> Estimate {
        self.curve.auuc()
    }

    #[getter]
    fn qini(&self) -> Estimate {
        self.curve.qini()
    }

    #[getter]
    fn best_share(&self) -> f64 {
        self.curve.best_share()
    }

    /// The names of the control group and of the treated one.
    #[getter]
    fn groups(&self) -> (&str, &str) {
        let [control, treated] = &self.curve.groups;
        (control, treated)
    }

    fn at(&self, py: Python<'_>, share: f64) -> PyResult<UpliftPoint> {
        let point = self.curve.at(share).map_err(|error| into_py(py, &error))?;
        Ok((point.share, point.score, point.gain, point.se, point.net))
    }
}

/// The curve of a score in two random groups.
#[pyfunction]
#[pyo3(signature = (data, *, score, group, outcome, control, value, n_threads))]
pub fn uplift_curve(
    data: &Bound<'_, PyAny>,
    score: String,
    group: String,
    outcome: String,
    control: Option<String>,
    value: Option<(f64, f64)>,
    n_threads: Option<i64>,
) -> PyResult<CoreUpliftCurve> {
    let py = data.py();
    let spec = UpliftSpec { score, group, outcome, control, value };
    let names = vec![spec.score.clone(), spec.group.clone(), spec.outcome.clone()];
    let batches = Input::read(data, Selection::Using { names, first: false })?.batches;
    let curve =
        Call::new(py, n_threads, None, None)?.run_on(py, batches, move |batches, context| UpliftCurve::new(batches, &spec, context))?;
    Ok(CoreUpliftCurve { curve: Arc::new(curve) })
}
