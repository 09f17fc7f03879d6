//! The effect of each group on a metric, from moments by group and stratum.

use super::adjustment::Slopes;
use super::interval::{ArmEstimate, Difference, IntervalRule};
use super::metric::Metric;
use super::moments::{CellSums, MomentSet, Sums};
use super::outcome::Outcome;
use super::spec::{Alternative, MetricKind};
use crate::error::Result;
use crate::num::normal::normal_sf;
use crate::num::proportion::newcombe;

/// What a metric is computed with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Model<'a> {
    pub set: &'a MomentSet,
    pub numerator: usize,
    pub denominator: Option<usize>,
    pub kind: MetricKind,
    pub covariates: &'a [usize],
    pub rule: IntervalRule,
}

impl<'a> Model<'a> {
    /// The model of a metric.
    pub(super) fn of(metric: &'a Metric, set: &'a MomentSet, rule: IntervalRule) -> Self {
        let Metric { numerator, denominator, kind, ref covariates, .. } = *metric;
        Self { set, numerator, denominator, kind, covariates, rule }
    }

    /// The model of the same metric in the window before, as if it were a result; `None` if there is none.
    pub(super) fn of_before(metric: &'a Metric, set: &'a MomentSet, rule: IntervalRule) -> Option<Self> {
        let numerator = *metric.before.first()?;
        Some(Self { set, numerator, denominator: metric.before.get(1).copied(), kind: metric.kind, covariates: &[], rule })
    }

    pub(super) fn outcome(&self, arm: &Sums) -> Option<Outcome> {
        Outcome::of(self.numerator, self.denominator, arm)
    }
}

/// The customers of a group: the sums of all of them, and by stratum.
#[derive(Debug, Clone)]
pub(super) struct Arm {
    pub whole: Sums,
    pub strata: Vec<(usize, Sums)>,
}

/// The arms of some customers: all, or those of a segment.
#[derive(Debug, Clone)]
pub(super) struct Arms {
    /// By group.
    pub arms: Vec<Arm>,
    /// Customers of all groups, by stratum.
    pub strata: Vec<(usize, Sums)>,
}

impl Arms {
    /// The arms of the cells that `takes` takes.
    pub(super) fn of(set: &MomentSet, cells: &CellSums, n_groups: usize, takes: impl Fn(u16) -> bool) -> Self {
        let empty = Arm { whole: Sums::new(set), strata: Vec::new() };
        let mut all = Self { arms: vec![empty; n_groups], strata: Vec::new() };
        let add = |strata: &mut Vec<(usize, Sums)>, stratum: usize, sums: &Sums| match strata.iter_mut().find(|(at, _)| *at == stratum) {
            Some((_, known)) => known.merge(sums),
            None => strata.push((stratum, sums.clone())),
        };
        for (cell, sums) in cells.iter().filter(|(cell, _)| takes(cell.segment)) {
            let arm = &mut all.arms[usize::from(cell.group)];
            arm.whole.merge(sums);
            add(&mut arm.strata, cell.stratum.into(), sums);
            add(&mut all.strata, cell.stratum.into(), sums);
        }
        // One order, whichever group a stratum occurred in first.
        all.strata.sort_by_key(|(stratum, _)| *stratum);
        all.arms.iter_mut().for_each(|arm| arm.strata.sort_by_key(|(stratum, _)| *stratum));
        all
    }

    /// Customers of all groups.
    pub(super) fn n(&self) -> u64 {
        self.arms.iter().map(|arm| arm.whole.n).sum()
    }
}

/// The slopes of a model, pooled over the cells of several sets of arms: all groups and strata, or all groups and segments.
pub(super) fn slopes(model: &Model<'_>, all: &[Arms]) -> Result<Slopes> {
    if model.covariates.is_empty() {
        return Ok(Slopes::default());
    }
    let outcomes: Vec<Option<Outcome>> = all.iter().flat_map(|arms| &arms.arms).map(|arm| model.outcome(&arm.whole)).collect();
    let arms = all.iter().flat_map(|arms| &arms.arms).zip(&outcomes);
    let cells: Vec<(&Sums, &Outcome)> = arms
        .filter_map(|(arm, outcome)| Some((arm, outcome.as_ref()?)))
        .flat_map(|(arm, outcome)| arm.strata.iter().map(move |(_, sums)| (sums, outcome)))
        .collect();
    Slopes::pooled(model.set, model.covariates, &cells)
}

/// The estimate of a group: the mean of the adjusted outcome in each stratum, weighted by the customers of all groups.
pub(super) fn arm_estimate(model: &Model<'_>, slopes: &Slopes, arms: &Arms, group: usize) -> Result<Option<ArmEstimate>> {
    let arm = &arms.arms[group];
    let Some(outcome) = model.outcome(&arm.whole).filter(|_| arm.whole.n > 0) else { return Ok(None) };
    let total = arms.n() as f64;
    let mut estimate = ArmEstimate { n: arm.whole.n, ..ArmEstimate::default() };
    for (stratum, of_all) in &arms.strata {
        let Some((_, cell)) = arm.strata.iter().find(|(at, _)| at == stratum) else { return Ok(None) };
        let weight = of_all.n as f64 / total;
        let means: Vec<f64> = slopes.covariates.iter().map(|&column| of_all.mean(column)).collect();
        estimate.value += weight * (outcome.mean(cell) - slopes.shift(cell, &means));
        let (n, df) = (cell.n as f64, cell.n as f64 - 1.0);
        let variance = slopes.squares(model.set, &outcome, cell)? / df;
        estimate.terms.push((weight * weight * variance / n, df));
    }
    Ok(Some(estimate))
}

/// The variance of an outcome within the cells of a group.
fn pooled_variance(model: &Model<'_>, slopes: &Slopes, arm: &Arm) -> Result<f64> {
    let Some(outcome) = model.outcome(&arm.whole) else { return Ok(f64::NAN) };
    // Of the group as a whole, whatever the strata.
    Ok(slopes.squares(model.set, &outcome, &arm.whole)? / (arm.whole.n as f64 - 1.0))
}

/// The share of the variance among control that adjustment leaves; NaN without adjustment.
pub(super) fn variance_ratio(model: &Model<'_>, slopes: &Slopes, control: &Arm) -> Result<f64> {
    if model.covariates.is_empty() {
        return Ok(f64::NAN);
    }
    let plain = pooled_variance(model, &Slopes::default(), control)?;
    Ok(pooled_variance(model, slopes, control)? / plain)
}

/// The difference of a group to control.
pub(super) fn difference(model: &Model<'_>, slopes: &Slopes, arms: &Arms, group: usize, control: usize) -> Result<Difference> {
    let (Some(treatment), Some(of_control)) = (arm_estimate(model, slopes, arms, group)?, arm_estimate(model, slopes, arms, control)?)
    else {
        return Ok(Difference::NULL);
    };
    let mut all = model.rule.welch(&treatment, &of_control);
    let is_plain = model.covariates.is_empty() && arms.strata.len() == 1 && model.rule.sequential.is_none();
    if model.kind == MetricKind::Proportion && is_plain && !all.effect.is_nan() {
        let successes = |group: usize| (arms.arms[group].whole.count(model.numerator), arms.arms[group].whole.n);
        of_proportions(model.rule, &mut all, successes(group), successes(control));
    }
    Ok(all)
}

/// Newcombe's (1998, method 10) interval of a difference of proportions, and the pooled z test.
fn of_proportions(rule: IntervalRule, all: &mut Difference, (k_t, n_t): (u64, u64), (k_c, n_c): (u64, u64)) {
    let z = rule.normal();
    all.df = f64::NAN;
    let (low, high) = newcombe((k_t, n_t), (k_c, n_c), z);
    (all.low, all.high) = match rule.alternative {
        Alternative::TwoSided => (low, high),
        Alternative::Greater => (low, f64::INFINITY),
        Alternative::Less => (f64::NEG_INFINITY, high),
    };
    let pooled = (k_t + k_c) as f64 / (n_t + n_c) as f64;
    let se = (pooled * (1.0 - pooled) * (1.0 / n_t as f64 + 1.0 / n_c as f64)).sqrt();
    let score = all.effect / se;
    all.p_value = match rule.alternative {
        _ if se == 0.0 => f64::NAN,
        Alternative::TwoSided => (2.0 * normal_sf(score.abs())).min(1.0),
        Alternative::Greater => normal_sf(score),
        Alternative::Less => normal_sf(-score),
    };
    let variance = |k: u64, n: u64| {
        let p = k as f64 / n as f64;
        p * (1.0 - p) / n as f64
    };
    let variances = (variance(k_t, n_t), variance(k_c, n_c));
    all.se = (variances.0 + variances.1).sqrt();
    (all.relative, all.relative_low, all.relative_high) = (f64::NAN, f64::NAN, f64::NAN);
    rule.set_relative(all, variances, z);
}
