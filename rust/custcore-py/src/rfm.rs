//! Python bindings of the RFM scorer and the segment profile.

use std::sync::Arc;

use custcore::{
    Closed, CutsRule, Error, ErrorKind, Frequency, Monetary, Number, RfmScorer, RfmSpec, ScoreSpec, Segments, Ties, drift_table,
    segment_profile,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::boundary::header::Selection;
use crate::error::into_py;
use crate::explain::explained;
use crate::input::{Input, fitted_columns};
use crate::number::{self, keys, number, parts};
use crate::options::{Names, asked, choice, names, word};
use crate::runtime::Call;
use crate::segments::CoreSegmentMap;
use crate::store;
use crate::table::CoreTable;

pub const TIES: [(&str, Ties); 2] = [("same", Ties::Same), ("split", Ties::Split)];
const CLOSED: [(&str, Closed); 2] = [("right", Closed::Right), ("left", Closed::Left)];
const CUTS_RULES: [(&str, CutsRule); 2] = [("type7", CutsRule::Type7), ("r", CutsRule::R)];
const BINNING: [(&str, bool); 2] = [("independent", false), ("nested", true)];
const UNSEEN: [(&str, bool); 2] = [("error", false), ("global", true)];
const FREQUENCIES: [(&str, Frequency); 3] = [("orders", Frequency::Orders), ("days", Frequency::Days), ("rows", Frequency::Rows)];
const MONETARY: [(&str, Monetary); 2] = [("total", Monetary::Total), ("mean", Monetary::Mean)];

/// Binning options of scores; passed as a dict by the Python classes.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct ScoreOptions {
    ties: String,
    binning: String,
    closed: String,
    cuts_rule: String,
    by: Option<String>,
    unseen: String,
    customer_id: Option<Names>,
}

impl ScoreOptions {
    /// The settings without dimensions, which the caller sets.
    pub fn spec(&self, py: Python<'_>) -> PyResult<ScoreSpec> {
        Ok(ScoreSpec {
            dimensions: Vec::new(),
            ties: choice(py, "ties", &self.ties, &TIES)?,
            closed: choice(py, "closed", &self.closed, &CLOSED)?,
            cuts_rule: choice(py, "cuts_rule", &self.cuts_rule, &CUTS_RULES)?,
            nested: choice(py, "binning", &self.binning, &BINNING)?,
            by: self.by.clone(),
            unseen_global: choice(py, "unseen", &self.unseen, &UNSEEN)?,
            ids: self.customer_id.clone().map(Into::into),
        })
    }
}

/// An RFM scorer; `fit` returns a fitted, immutable one.
#[pyclass(frozen, module = "custcore._core", name = "RfmScorer")]
pub struct CoreScorer {
    pub scorer: Arc<RfmScorer>,
}

impl CoreScorer {
    /// The columns of a table to score: all, some of which are scored.
    fn scored_columns(&self) -> Selection {
        Selection::Using { names: self.scorer.used_columns(), first: self.scorer.spec().score.finds_ids() }
    }

    /// The values of one customer.
    #[inline]
    fn values(
        &self,
        py: Python<'_>,
        recency_days: &Bound<'_, PyAny>,
        frequency: &Bound<'_, PyAny>,
        monetary: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<[Number; 3]> {
        let monetary = match monetary {
            Some(value) => number(value, "monetary")?,
            None if self.scorer.has_money() => {
                let error = Error::new(ErrorKind::InvalidArgument, "monetary is missing; the scorer was fitted with a monetary column");
                return Err(into_py(py, &error));
            }
            None => Number::Integer(0),
        };
        Ok([number(recency_days, "recency_days")?, number(frequency, "frequency")?, monetary])
    }
}

#[pymethods]
impl CoreScorer {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "the arguments of custcore.RFMScorer")]
    fn new(
        py: Python<'_>,
        bins: (u8, u8, u8),
        cuts: (Option<Vec<f64>>, Option<Vec<f64>>, Option<Vec<f64>>),
        options: ScoreOptions,
        weights: (f64, f64, f64),
        frequency: &str,
        monetary: &str,
        segments: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let segments = match segments {
            None => Segments::Off,
            Some(map) => map.cast::<CoreSegmentMap>().map_or(Segments::Auto, |map| map.get().segments()),
        };
        let spec = RfmSpec {
            bins: bins.into(),
            cuts: cuts.into(),
            score: options.spec(py)?,
            weights: weights.into(),
            frequency: choice(py, "frequency", frequency, &FREQUENCIES)?,
            monetary: choice(py, "monetary", monetary, &MONETARY)?,
            segments,
        };
        Ok(Self { scorer: Arc::new(RfmScorer::new(spec).map_err(|error| into_py(py, &error))?) })
    }

    #[pyo3(signature = (table, *, n_threads))]
    fn fit(&self, table: &Bound<'_, PyAny>, n_threads: Option<i64>) -> PyResult<Self> {
        let py = table.py();
        let input = Input::read(table, fitted_columns(self.scorer.used_columns(), self.scorer.spec().score.finds_ids()))?;
        let mut scorer = RfmScorer::clone(&self.scorer);
        let scorer = Call::new(py, n_threads, None, None)?.run_on(py, input.batches, move |batches, context| {
            scorer.fit(batches, context)?;
            Ok(scorer)
        })?;
        Ok(Self { scorer: Arc::new(scorer) })
    }

    #[pyo3(signature = (table, *, columns, n_threads))]
    fn transform(&self, table: &Bound<'_, PyAny>, columns: Option<Vec<String>>, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let py = table.py();
        self.scorer.scorer().map_err(|error| into_py(py, &error))?;
        let asked = asked(py, columns)?;
        let Input { batches, report } = Input::read_asked(table, self.scored_columns(), &asked)?;
        let scorer = self.scorer.clone();
        let tables = Call::new(py, n_threads, None, None)?
            .run_on(py, batches, move |batches, context| scorer.transform_columns(batches, &report, &asked, context))?;
        CoreTable::concat(py, tables)
    }

    /// Fits and scores in one step; a table without rows gives an empty result.
    #[pyo3(signature = (table, *, n_threads))]
    fn fit_transform(&self, table: &Bound<'_, PyAny>, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let py = table.py();
        let Input { batches, report } = Input::read(table, self.scored_columns())?;
        let mut scorer = RfmScorer::clone(&self.scorer);
        let tables = Call::new(py, n_threads, None, None)?
            .run_on(py, batches, move |batches, context| scorer.fit_transform(batches, &report, context))?;
        CoreTable::concat(py, tables)
    }

    fn score_one<'py>(
        &self,
        py: Python<'py>,
        recency_days: &Bound<'py, PyAny>,
        frequency: &Bound<'py, PyAny>,
        monetary: Option<&Bound<'py, PyAny>>,
        customer_id: Option<&Bound<'py, PyAny>>,
        group: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(u8, u8, Option<u8>, Option<&str>)> {
        let values = self.values(py, recency_days, frequency, monetary)?;
        let id_parts = parts(customer_id);
        let id = id_parts.as_deref().map(|parts| keys(parts, "customer_id")).transpose()?;
        let group = group.map(|value| number::group(value, "group")).transpose()?;
        let score = self.scorer.score_one(&values, id.as_deref(), group).map_err(|error| into_py(py, &error))?;
        Ok((score.r, score.f, score.m, score.segment))
    }

    /// The scores of one customer, where the edges of their bins are, and what would change them.
    fn explain<'py>(
        &self,
        py: Python<'py>,
        recency_days: &Bound<'py, PyAny>,
        frequency: &Bound<'py, PyAny>,
        monetary: Option<&Bound<'py, PyAny>>,
        customer_id: Option<&Bound<'py, PyAny>>,
        group: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let values = self.values(py, recency_days, frequency, monetary)?;
        let id_parts = parts(customer_id);
        let id = id_parts.as_deref().map(|parts| keys(parts, "customer_id")).transpose()?;
        let group = group.map(|value| number::group(value, "group")).transpose()?;
        let explanation = self.scorer.explain(&values, id.as_deref(), group).map_err(|error| into_py(py, &error))?;
        let is_decimal = |value: &Bound<'py, PyAny>| value.hasattr("as_tuple");
        let decimals = [is_decimal(recency_days)?, is_decimal(frequency)?, monetary.map_or(Ok(false), is_decimal)?];
        explained(py, &explanation, decimals)
    }

    fn thresholds(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.scorer.thresholds().map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    /// Population drift between the customers of a table and those of the fit.
    #[pyo3(signature = (table, *, by_score, n_threads))]
    fn drift(&self, table: &Bound<'_, PyAny>, by_score: bool, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let py = table.py();
        let scorer = self.scorer.clone();
        let spec = scorer.scorer().map_err(|error| into_py(py, &error))?.spec();
        let columns = fitted_columns(spec.used_columns(), spec.finds_ids());
        let drifted = Call::new(py, n_threads, None, None)?.run_on(py, Input::read(table, columns)?.batches, move |batches, context| {
            drift_table(&scorer.drift(batches, context)?, by_score)
        })?;
        Ok(CoreTable::new(drifted))
    }

    #[getter]
    fn is_fitted(&self) -> bool {
        self.scorer.scorer().is_ok()
    }

    /// The settings as the arguments of `custcore.RFMScorer`; segments are None, "auto" or a map of the core.
    #[getter]
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let spec = self.scorer.spec();
        let settings = PyDict::new(py);
        settings.set_item("bins", spec.bins.map(u16::from))?;
        settings.set_item("ties", word(&spec.score.ties, &TIES))?;
        settings.set_item("binning", word(&spec.score.nested, &BINNING))?;
        settings.set_item("cuts", spec.cuts.clone())?;
        settings.set_item("closed", word(&spec.score.closed, &CLOSED))?;
        settings.set_item("cuts_rule", word(&spec.score.cuts_rule, &CUTS_RULES))?;
        settings.set_item("by", spec.score.by.as_deref())?;
        settings.set_item("unseen", word(&spec.score.unseen_global, &UNSEEN))?;
        settings.set_item("customer_id", spec.score.ids.as_ref().map(|ids| names(py, ids)).transpose()?)?;
        settings.set_item("weights", spec.weights)?;
        settings.set_item("frequency", word(&spec.frequency, &FREQUENCIES))?;
        settings.set_item("monetary", word(&spec.monetary, &MONETARY))?;
        match &spec.segments {
            Segments::Off => settings.set_item("segments", py.None())?,
            Segments::Auto => settings.set_item("segments", "auto")?,
            segments => settings.set_item("segments", Bound::new(py, CoreSegmentMap::of(segments.clone()))?)?,
        }
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

/// The profile of a scored table by its segment column.
#[pyfunction]
#[pyo3(signature = (table, by, columns, *, n_threads))]
pub fn profile_table(table: &Bound<'_, PyAny>, by: String, columns: [String; 3], n_threads: Option<i64>) -> PyResult<CoreTable> {
    let py = table.py();
    let names = [&by].into_iter().chain(&columns).cloned().collect();
    let input = Input::read(table, Selection::Using { names, first: false })?;
    let profiled = Call::new(py, n_threads, None, None)?.run_on(py, input.batches, move |batches, _| {
        let [recency, frequency, monetary] = &columns;
        segment_profile(batches, &by, [recency, frequency, monetary])
    })?;
    Ok(CoreTable::new(profiled))
}
