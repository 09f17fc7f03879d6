//! Python binding of the effect of experiments.

use std::sync::Arc;

use arrow_array::RecordBatch;
use custcore::{
    Adjustment, Alternative, CampaignCost, CustomerBase, EffectResult, EffectSpec, ExperimentOptions, ExperimentSpec, ExposedOn, KeyNames,
    MetricSpec, OnConflict, OnMissing, PValueAdjustment, PlanSpec, Report, StoredEffect, TrackingSpec, Windows, Winsorize, aa_table,
    concatenated, date_text, effect as effect_in_base, effect_of_scan, experiment_scan, experiment_table as table_of_experiment,
    plan_table, track_segments as track_segments_of,
};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::base::{CoreBase, columns, fold, work};
use crate::boundary::header::Selection;
use crate::error::into_py;
use crate::input::Input;
use crate::options::{Names, ReadOptions, as_of, choice};
use crate::rfm::CoreScorer;
use crate::runtime::Call;
use crate::store;
use crate::table::CoreTable;

/// How an experiment is read; passed as a dict by the Python functions.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct ExperimentArguments {
    customer_id: Names,
    group: Option<String>,
    exposed_on: Option<String>,
    start: Option<(String, i64)>,
    days_after: i32,
    days_before: i32,
    lag: i32,
    gap: i32,
    on_conflict: String,
    passed_on: Vec<String>,
    every: Option<i32>,
    as_of: Option<(String, i64)>,
}

impl ExperimentArguments {
    fn spec(&self, py: Python<'_>) -> PyResult<ExperimentSpec> {
        let exposed_on = match (&self.start, &self.exposed_on) {
            (Some(start), _) => ExposedOn::Start(as_of(start)),
            (None, column) => ExposedOn::Column(column.clone().unwrap_or_default()),
        };
        Ok(ExperimentSpec {
            customer_id: self.customer_id.clone().into(),
            group: self.group.clone(),
            exposed_on,
            windows: Windows { days_after: self.days_after, days_before: self.days_before, lag: self.lag, gap: self.gap },
            on_conflict: choice(py, "on_conflict", &self.on_conflict, &[("drop", OnConflict::Drop), ("error", OnConflict::Error)])?,
            others: self.passed_on.clone(),
        })
    }

    /// The columns of the experiment that are read.
    fn columns(&self) -> Vec<String> {
        let ids = KeyNames::from(self.customer_id.clone());
        let mut names: Vec<String> = ids.iter().map(str::to_owned).collect();
        names.extend(self.group.clone());
        names.extend(self.exposed_on.clone().filter(|_| self.start.is_none()));
        names.extend(self.passed_on.iter().cloned());
        names
    }

    fn options(&self, scorer: Option<&Bound<'_, CoreScorer>>, others: &[Bound<'_, PyAny>]) -> PyResult<ExperimentOptions> {
        let ids = KeyNames::from(self.customer_id.clone());
        let names: Vec<String> = ids.iter().map(str::to_owned).collect();
        let others = others.iter().map(|other| {
            let batches = Input::read(other, Selection::Using { names: names.clone(), first: false })?.batches;
            concatenated(&batches).map_err(|error| into_py(other.py(), &error))
        });
        Ok(ExperimentOptions {
            scorer: scorer.map(|scorer| (*scorer.get().scorer).clone()),
            every: self.every,
            as_of: self.as_of.as_ref().map(as_of),
            others: others.collect::<PyResult<_>>()?,
            attributes: Vec::new(),
        })
    }
}

/// What is computed of an experiment; passed as a dict by the Python functions.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct EffectArguments {
    /// Kind, name and columns of each metric.
    metrics: Vec<(String, String, Vec<String>)>,
    group: String,
    control: Option<String>,
    /// "none", "own", "history" or "columns", and the columns.
    adjust: (String, Vec<String>),
    strata: Option<String>,
    min_stratum: u64,
    by: Option<String>,
    winsorize: Option<f64>,
    caps: Option<Vec<(String, f64)>>,
    alternative: String,
    level: f64,
    correction: Option<String>,
    primary: Option<String>,
    shares: Option<Vec<(String, f64)>>,
    sequential: Option<f64>,
    received: Option<String>,
    on_missing: String,
}

impl EffectArguments {
    fn spec(self, py: Python<'_>) -> PyResult<EffectSpec> {
        let metric = |(kind, name, columns): (String, String, Vec<String>)| {
            let mut columns = columns.into_iter();
            let mut next = || columns.next().unwrap_or_default();
            match kind.as_str() {
                "mean" => MetricSpec::Mean { name, column: next() },
                "proportion" => MetricSpec::Proportion { name, column: next() },
                "ratio" => MetricSpec::Ratio { name, numerator: next(), denominator: next() },
                _ => MetricSpec::Named(name),
            }
        };
        let adjust = match self.adjust.0.as_str() {
            "own" => Adjustment::Own,
            "history" => Adjustment::History,
            "columns" => Adjustment::Columns(self.adjust.1),
            _ => Adjustment::None,
        };
        let alternatives = [("two-sided", Alternative::TwoSided), ("greater", Alternative::Greater), ("less", Alternative::Less)];
        let corrections = [("holm", PValueAdjustment::Holm), ("bh", PValueAdjustment::Bh)];
        let missing = [("error", OnMissing::Error), ("zero", OnMissing::Zero), ("drop", OnMissing::Drop)];
        Ok(EffectSpec {
            metrics: self.metrics.into_iter().map(metric).collect(),
            group: self.group,
            control: self.control,
            adjust,
            strata: self.strata,
            min_stratum: self.min_stratum,
            by: self.by,
            winsorize: self.caps.map(Winsorize::Caps).or(self.winsorize.map(Winsorize::Quantile)),
            alternative: choice(py, "alternative", &self.alternative, &alternatives)?,
            level: self.level,
            correction: self.correction.map_or(Ok(PValueAdjustment::None), |word| choice(py, "correction", &word, &corrections))?,
            primary: self.primary,
            shares: self.shares,
            sequential: self.sequential,
            received: self.received,
            on_missing: choice(py, "on_missing", &self.on_missing, &missing)?,
        })
    }
}

/// Reads the named columns of a table as one batch.
fn batch_of(table: &Bound<'_, PyAny>, names: Vec<String>) -> PyResult<(RecordBatch, Report)> {
    let Input { batches, report } = Input::read(table, Selection::Using { names, first: true })?;
    Ok((concatenated(&batches).map_err(|error| into_py(table.py(), &error))?, report))
}

/// The customers of an experiment with what they did before and after.
#[pyfunction]
#[pyo3(signature = (base, experiment, arguments, scorer, *, attributes, n_threads))]
pub fn experiment_table(
    base: &Bound<'_, CoreBase>,
    experiment: &Bound<'_, PyAny>,
    arguments: &Bound<'_, PyAny>,
    scorer: Option<&Bound<'_, CoreScorer>>,
    attributes: Vec<String>,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let py = base.py();
    let arguments = arguments.extract::<ExperimentArguments>()?;
    let (spec, options) = (arguments.spec(py)?, ExperimentOptions { attributes, ..arguments.options(scorer, &[])? });
    let (assignments, _) = batch_of(experiment, arguments.columns())?;
    let base = base.get().snapshot(py)?;
    let size = work(&base).saturating_add(assignments.num_rows());
    let table = Call::new(py, n_threads, None, None)?
        .run(py, size, move |context| Ok(table_of_experiment(&base, &assignments, &spec, &options, context)?.table))?;
    Ok(CoreTable::new(table))
}

/// Moves of the customers of an experiment between the segments of a scorer.
#[pyfunction]
#[pyo3(signature = (base, experiment, arguments, scorer, *, control, target, n_threads))]
pub fn track_segments(
    base: &Bound<'_, CoreBase>,
    experiment: &Bound<'_, PyAny>,
    arguments: &Bound<'_, PyAny>,
    scorer: &Bound<'_, CoreScorer>,
    control: Option<String>,
    target: Option<Vec<String>>,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let py = base.py();
    let arguments = arguments.extract::<ExperimentArguments>()?;
    let (spec, options) = (arguments.spec(py)?, arguments.options(Some(scorer), &[])?);
    let (assignments, _) = batch_of(experiment, arguments.columns())?;
    let base = base.get().snapshot(py)?;
    let size = work(&base).saturating_add(assignments.num_rows());
    let tracking = TrackingSpec { control, target };
    let table = Call::new(py, n_threads, None, None)?
        .run(py, size, move |context| track_segments_of(&base, &assignments, &spec, &options, &tracking, context))?;
    Ok(CoreTable::new(table))
}

/// What an experiment on the customers of tables would find; each is given with the length of its window.
#[pyfunction]
#[pyo3(signature = (tables, effect, *, segments, shares, power, n_threads))]
pub fn experiment_plan(
    py: Python<'_>,
    tables: Vec<(Bound<'_, PyAny>, i32)>,
    effect: &Bound<'_, PyAny>,
    segments: Option<Vec<String>>,
    shares: (f64, f64),
    power: f64,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let effect = effect.extract::<EffectArguments>()?.spec(py)?;
    let batches = tables.iter().map(|(table, days)| Ok((batch_of(table, Vec::new())?.0, *days))).collect::<PyResult<Vec<_>>>()?;
    let plan = PlanSpec { shares, power, segments };
    let size = batches.iter().map(|(batch, _)| batch.num_rows()).sum();
    let table = Call::new(py, n_threads, None, None)?.run(py, size, move |context| plan_table(&batches, &effect, &plan, context))?;
    Ok(CoreTable::new(table))
}

/// How often random halves of the customers of a table differ.
#[pyfunction]
#[pyo3(signature = (table, effect, *, draws, seed, n_threads))]
pub fn aa_comparisons(
    table: &Bound<'_, PyAny>,
    effect: &Bound<'_, PyAny>,
    draws: u32,
    seed: u64,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let py = table.py();
    let effect = effect.extract::<EffectArguments>()?.spec(py)?;
    let (batch, _) = batch_of(table, Vec::new())?;
    let size = batch.num_rows().saturating_add(draws as usize * 1_024);
    let table = Call::new(py, n_threads, None, None)?.run(py, size, move |context| aa_table(&batch, &effect, draws, seed, context))?;
    Ok(CoreTable::new(table))
}

/// The effect of an experiment.
#[pyclass(frozen, module = "custcore._core", name = "EffectResult")]
pub struct CoreEffectResult(Arc<EffectResult>);

#[pymethods]
impl CoreEffectResult {
    /// The effect on the customers of a base.
    #[staticmethod]
    #[pyo3(signature = (base, experiment, arguments, effect, scorer, others, *, n_threads))]
    fn of_base(
        base: &Bound<'_, CoreBase>,
        experiment: &Bound<'_, PyAny>,
        arguments: &Bound<'_, PyAny>,
        effect: &Bound<'_, PyAny>,
        scorer: Option<&Bound<'_, CoreScorer>>,
        others: Vec<Bound<'_, PyAny>>,
        n_threads: Option<i64>,
    ) -> PyResult<Self> {
        let py = base.py();
        let arguments = arguments.extract::<ExperimentArguments>()?;
        let (spec, options) = (arguments.spec(py)?, arguments.options(scorer, &others)?);
        let effect = effect.extract::<EffectArguments>()?.spec(py)?;
        let (assignments, _) = batch_of(experiment, arguments.columns())?;
        let base = base.get().snapshot(py)?;
        let size = work(&base).saturating_add(assignments.num_rows());
        let found = Call::new(py, n_threads, None, None)?
            .run(py, size, move |context| effect_in_base(&base, &assignments, &spec, &options, effect, context))?;
        Ok(Self(Arc::new(found)))
    }

    /// The effect on the customers of transactions, from one scan.
    #[staticmethod]
    #[pyo3(signature = (data, options, experiment, arguments, effect, scorer, others, *, n_threads, progress, rows_total))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of custcore.effect")]
    fn of_transactions(
        data: &Bound<'_, PyAny>,
        options: &Bound<'_, PyAny>,
        experiment: &Bound<'_, PyAny>,
        arguments: &Bound<'_, PyAny>,
        effect: &Bound<'_, PyAny>,
        scorer: Option<&Bound<'_, CoreScorer>>,
        others: Vec<Bound<'_, PyAny>>,
        n_threads: Option<i64>,
        progress: Option<Py<PyAny>>,
        rows_total: Option<u64>,
    ) -> PyResult<Self> {
        let py = data.py();
        let arguments = arguments.extract::<ExperimentArguments>()?;
        let (spec, asked) = (arguments.spec(py)?, arguments.options(scorer, &others)?);
        let effect = effect.extract::<EffectArguments>()?.spec(py)?;
        let purchases = options.extract::<ReadOptions>()?.spec(py)?;
        let (assignments, _) = batch_of(experiment, arguments.columns())?;
        let mut call = Call::new(py, n_threads, progress, rows_total)?;
        let base = experiment_scan(purchases, &assignments, &spec, &asked, &effect).and_then(CustomerBase::new);
        let mut base = base.map_err(|error| into_py(py, &error))?;
        let update = fold(data, &mut call, columns(&base), |schema| base.begin(schema))?;
        let size = update.customers().saturating_add(assignments.num_rows());
        let found = call.run(py, size, move |context| {
            base.commit(update, None, context)?;
            effect_of_scan(base, &assignments, &spec, &asked, effect, context)
        })?;
        Ok(Self(Arc::new(found)))
    }

    /// The effect in a table with a row for each customer.
    #[staticmethod]
    #[pyo3(signature = (table, names, effect, *, n_threads))]
    fn of_table(table: &Bound<'_, PyAny>, names: Vec<String>, effect: &Bound<'_, PyAny>, n_threads: Option<i64>) -> PyResult<Self> {
        let py = table.py();
        let effect = effect.extract::<EffectArguments>()?.spec(py)?;
        let batches = Input::read(table, Selection::Using { names, first: true })?.batches;
        let found = Call::new(py, n_threads, None, None)?
            .run_on(py, batches, move |batches, context| EffectResult::of_table(batches, effect, context))?;
        Ok(Self(Arc::new(found)))
    }

    fn table(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.run(py, EffectResult::table)
    }

    fn segments(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.run(py, EffectResult::segments)
    }

    fn periods(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.run(py, EffectResult::periods)
    }

    fn checks(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.run(py, EffectResult::checks)
    }

    fn received(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.run(py, EffectResult::received)
    }

    fn moments(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.run(py, EffectResult::moments_table)
    }

    /// The return on a cost: in all, per contact and per order.
    fn roi(&self, py: Python<'_>, metric: String, margin: f64, cost: (f64, f64, f64)) -> PyResult<CoreTable> {
        let cost = CampaignCost { fixed: cost.0, per_contact: cost.1, per_order: cost.2 };
        self.run(py, move |effect| effect.roi(&metric, margin, cost))
    }

    fn plan_next(&self, py: Python<'_>, power: f64) -> PyResult<CoreTable> {
        self.run(py, move |effect| effect.plan_next(power))
    }

    /// The result of the customers of both.
    fn merge(&self, py: Python<'_>, other: &Bound<'_, Self>) -> PyResult<Self> {
        let merged = self.0.merge(&other.get().0).map_err(|error| into_py(py, &error))?;
        Ok(Self(Arc::new(merged)))
    }

    /// The moments with settings of the caller.
    fn to_bytes<'py>(&self, py: Python<'py>, settings: String) -> PyResult<Bound<'py, PyBytes>> {
        store::to_bytes(py, &StoredEffect { effect: (*self.0).clone(), settings })
    }

    /// The result of such bytes, and the settings.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<(Self, String)> {
        let StoredEffect { effect, settings } = store::from_bytes(py, data)?;
        Ok((Self(Arc::new(effect)), settings))
    }

    #[getter]
    fn groups(&self) -> Vec<String> {
        self.0.groups().to_vec()
    }

    /// The first and the last day of the windows after exposure, as ISO texts.
    #[getter]
    fn days(&self) -> Option<(String, String)> {
        self.0.days().map(|(first, last)| (date_text(first), date_text(last)))
    }

    #[getter]
    fn control(&self) -> String {
        self.0.control().to_owned()
    }
}

impl CoreEffectResult {
    fn run(
        &self,
        py: Python<'_>,
        table: impl FnOnce(&EffectResult) -> custcore::Result<custcore::Table> + Send + 'static,
    ) -> PyResult<CoreTable> {
        let effect = Arc::clone(&self.0);
        Ok(CoreTable::new(Call::new(py, None, None, None)?.run(py, 0, move |_| table(&effect))?))
    }
}
