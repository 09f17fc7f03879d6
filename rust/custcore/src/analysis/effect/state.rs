//! Serialization of effects: settings and exact moments, from which all tables follow. Sums are decimal digits, as they have 256 bits.

use std::collections::BTreeSet;

use arrow_buffer::i256;
use serde::{Deserialize, Serialize};

use super::metric::Metric;
use super::moments::{Cell, CellSums, MomentSet, Sums};
use super::result::{EffectResult, ExperimentFacts, Moments, PeriodMoments, control_of};
use super::spec::{EffectSpec, MetricKind};
use crate::analysis::model::StoredModel;
use crate::error::{Error, ErrorKind, Result};
use crate::table::report_text::ReportText;
use crate::time::calendar::{MAX_DAY, MIN_DAY};

/// An effect that is stored, with settings of the caller, which are kept as they are.
#[derive(Debug, Clone)]
pub struct StoredEffect {
    /// The effect.
    pub effect: EffectResult,
    /// What else the caller keeps.
    pub settings: String,
}

/// Serialized form of an effect.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffectState {
    settings: String,
    spec: EffectSpec,
    metrics: Vec<Metric>,
    sets: Vec<MomentSet>,
    groups: Vec<String>,
    strata: Vec<String>,
    segments: Vec<String>,
    moments: Vec<CellsState>,
    periods: Vec<PeriodState>,
    received: Option<usize>,
    facts: ExperimentFacts,
    report: ReportText,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PeriodState {
    first_day: i32,
    last_day: i32,
    own: Vec<CellsState>,
    cumulative: Vec<CellsState>,
}

/// The cells of a set.
type CellsState = Vec<CellState>;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CellState {
    /// Positions of group, stratum and segment.
    cell: (u16, u16, u16),
    n: u64,
    sums: Vec<String>,
    products: Vec<String>,
    cubes: Vec<Option<String>>,
}

impl CellState {
    fn of((cell, sums): (&Cell, &Sums)) -> Self {
        let texts = |values: &[i256]| values.iter().map(i256::to_string).collect();
        Self {
            cell: (cell.group, cell.stratum, cell.segment),
            n: sums.n,
            sums: texts(&sums.sums),
            products: texts(&sums.products),
            cubes: sums.cubes.iter().map(|cube| cube.map(|cube| cube.to_string())).collect(),
        }
    }

    /// The cell and its sums; `None` if they are not those of a set.
    fn sums(&self, set: &MomentSet, sizes: [usize; 3]) -> Option<(Cell, Sums)> {
        let (group, stratum, segment) = self.cell;
        let is_there = [group, stratum, segment].iter().zip(sizes).all(|(&at, size)| usize::from(at) < size);
        let lengths = [self.sums.len(), self.products.len(), self.cubes.len()];
        if !is_there || self.n == 0 || lengths != [set.columns.len(), set.pairs.len(), set.cubes.len()] {
            return None;
        }
        let numbers = |texts: &[String]| texts.iter().map(|text| i256::from_string(text)).collect::<Option<Vec<_>>>();
        let cube = |text: &Option<String>| text.as_ref().map_or(Some(None), |text| i256::from_string(text).map(Some));
        let (sums, products) = (numbers(&self.sums)?, numbers(&self.products)?);
        let cubes = self.cubes.iter().map(cube).collect::<Option<Vec<_>>>()?;
        Some((Cell { group, stratum, segment }, Sums { n: self.n, sums, products, cubes }))
    }
}

fn cells_of(moments: &Moments) -> Vec<CellsState> {
    moments.iter().map(|cells| cells.iter().map(CellState::of).collect()).collect()
}

impl StoredModel for StoredEffect {
    const KIND: &'static str = "effect";
    type Body = EffectState;

    fn body(&self) -> EffectState {
        let effect = self.effect.clone();
        let period = |period: &PeriodMoments| PeriodState {
            first_day: period.first_day,
            last_day: period.last_day,
            own: cells_of(&period.own),
            cumulative: cells_of(&period.cumulative),
        };
        EffectState {
            settings: self.settings.clone(),
            moments: cells_of(&effect.moments),
            periods: effect.periods.iter().map(period).collect(),
            report: ReportText::of(&effect.report),
            spec: effect.spec,
            metrics: effect.metrics,
            sets: effect.sets,
            groups: effect.groups,
            strata: effect.strata,
            segments: effect.segments,
            received: effect.received,
            facts: effect.facts,
        }
    }

    fn restore(body: EffectState) -> Result<Self> {
        let wrong = |what: &str| Error::new(ErrorKind::ModelFormat, format!("the {what} of the effect are inconsistent"));
        let spec = body.spec.checked()?;
        if !body.sets.iter().all(is_set) {
            return Err(wrong("columns"));
        }
        let is_metric = |metric: &Metric| body.sets.get(metric.set).is_some_and(|set| is_of(metric, set));
        if body.metrics.is_empty() || body.metrics.len() != spec.metrics.len() || !body.metrics.iter().all(is_metric) {
            return Err(wrong("metrics"));
        }
        let names = [&body.groups, &body.strata, &body.segments];
        let is_list = |names: &&Vec<String>| !names.is_empty() && names.len() < usize::from(u16::MAX) && is_ascending(names);
        if !names.iter().all(is_list) {
            return Err(wrong("names"));
        }
        let sizes = names.map(Vec::len);
        let moments = |state: &[CellsState]| moments_of(state, &body.sets, sizes).ok_or_else(|| wrong("moments"));
        let periods = body.periods.iter().map(|state| {
            let (own, cumulative) = (moments(&state.own)?, moments(&state.cumulative)?);
            Ok(PeriodMoments { first_day: state.first_day, last_day: state.last_day, own, cumulative })
        });
        let periods = periods.collect::<Result<_>>()?;
        if body.facts.days.is_some_and(|(first, last)| [first, last].iter().any(|day| !(MIN_DAY..=MAX_DAY).contains(day))) {
            return Err(wrong("days"));
        }
        let effect = EffectResult {
            control: control_of(&body.groups, &spec)?,
            moments: moments(&body.moments)?,
            periods,
            spec,
            metrics: body.metrics,
            sets: body.sets,
            groups: body.groups,
            strata: body.strata,
            segments: body.segments,
            received: body.received,
            facts: body.facts,
            report: body.report.report().ok_or_else(|| wrong("sums of the report"))?,
        };
        effect.shares()?;
        Ok(Self { effect, settings: body.settings })
    }
}

fn is_ascending(names: &[String]) -> bool {
    names.windows(2).all(|pair| pair[0] < pair[1])
}

/// Whether pairs and cubes are of columns of the set.
fn is_set(set: &MomentSet) -> bool {
    let n = set.columns.len();
    set.pairs.iter().all(|&(a, b)| a <= b && b < n) && set.cubes.iter().all(|&column| column < n)
}

/// Whether a metric has its columns in a set, and the products that its estimates need.
fn is_of(metric: &Metric, set: &MomentSet) -> bool {
    let outcome: Vec<usize> = std::iter::once(metric.numerator).chain(metric.denominator).collect();
    let pairs: BTreeSet<(usize, usize)> = set.pairs.iter().copied().collect();
    let has_pairs = |columns: &[usize]| columns.iter().all(|&a| columns.iter().all(|&b| pairs.contains(&(a.min(b), a.max(b)))));
    let all: Vec<usize> = outcome.iter().chain(&metric.covariates).copied().collect();
    all.iter().chain(&metric.before).all(|&column| column < set.columns.len())
        && metric.denominator.is_some() == (metric.kind == MetricKind::Ratio)
        && (metric.before.is_empty() || metric.before.len() == outcome.len())
        && metric.covariates.len() == metric.covariate_names.len()
        && metric.cap.is_none_or(f64::is_finite)
        && has_pairs(&all)
        && has_pairs(&metric.before)
}

/// The moments of sets; `None` if they are of others.
fn moments_of(state: &[CellsState], sets: &[MomentSet], sizes: [usize; 3]) -> Option<Moments> {
    let cells = |(cells, set): (&CellsState, &MomentSet)| -> Option<CellSums> {
        let sums = cells.iter().map(|cell| cell.sums(set, sizes)).collect::<Option<Vec<_>>>()?;
        let (n, sums) = (sums.len(), sums.into_iter().collect::<CellSums>());
        (sums.len() == n).then_some(sums)
    };
    (state.len() == sets.len()).then(|| state.iter().zip(sets).map(cells).collect()).flatten()
}
