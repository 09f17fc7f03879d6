//! What an experiment of the same customers would find, and whether it would find something where there is nothing: from windows that are
//! over, in which nothing was tried.

use std::sync::Arc;

use arrow_array::{Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::Metadata;

use super::NO_GROUP;
use super::adjustment::Slopes;
use super::estimate::{Arm, Arms, Model, difference, slopes};
use super::interval::IntervalRule;
use super::labels::Labels;
use super::metric::{Metric, metrics_of};
use super::moment_adder::moments_of;
use super::moments::{CellSums, CellsOfRows, MomentSet, Sums};
use super::result::EffectResult;
use super::rows::EffectRow;
use super::spec::{Alternative, EffectSpec};
use super::values::Columns;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::normal::normal_quantile;
use crate::num::proportion::wilson;
use crate::num::random::Random;
use crate::report::Report;
use crate::table::{Table, TableBuilder, nullable_floats};

/// Buckets of customers, halves of which are compared.
const BUCKETS: usize = 1_024;
/// The p-value below which a comparison is a false alarm.
const FALSE_ALARM: f64 = 0.05;
/// The relative difference that [`plan_table`] gives a number of customers for.
const DIFFERENCE: f64 = 0.05;

/// The moments of the customers of a table, all in one group.
struct OneGroup {
    metrics: Vec<Metric>,
    sets: Vec<MomentSet>,
    moments: Vec<CellSums>,
}

impl OneGroup {
    /// Reads the customers of some segments of a table, or all; `buckets` are the segments of the moments.
    fn of(batch: &RecordBatch, spec: &EffectSpec, segments: Option<&[String]>, buckets: Option<&[u16]>, context: &Context) -> Result<Self> {
        let groups = members(batch, segments)?;
        let mut columns = Columns::default();
        let (metrics, sets) = metrics_of(spec, batch, &mut columns, &groups)?;
        let sizes = [1, 1, if buckets.is_some() { BUCKETS } else { 1 }];
        let cells = CellsOfRows { groups: &groups, strata: None, segments: buckets, sizes };
        let moments = sets.iter().map(|set| moments_of(set, &columns, &cells, context)).collect::<Result<_>>()?;
        Ok(Self { metrics, sets, moments })
    }
}

/// The group of each row: 0, or none for whoever is in another segment.
fn members(batch: &RecordBatch, segments: Option<&[String]>) -> Result<Vec<u16>> {
    let Some(wanted) = segments else { return Ok(vec![0; batch.num_rows()]) };
    let labels = Labels::read(batch, "segment", "who")?;
    if let Some(unknown) = wanted.iter().find(|name| !labels.names.contains(name)) {
        let message = format!("who has the segment '{unknown}', in which nobody is; expected some of {}", labels.names.join(", "));
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    let is_wanted: Vec<bool> = labels.names.iter().map(|name| wanted.contains(name)).collect();
    let group = |&code: &u16| if code != NO_GROUP && is_wanted[usize::from(code)] { 0 } else { NO_GROUP };
    Ok(labels.codes.iter().map(group).collect())
}

fn rule() -> IntervalRule {
    IntervalRule { level: 1.0 - FALSE_ALARM, alternative: Alternative::TwoSided, sequential: None }
}

/// Settings of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanSpec {
    /// Shares of the control group and of the treatment.
    pub shares: (f64, f64),
    /// The probability of finding a difference that is there.
    pub power: f64,
    /// The segments whose customers take part; by default all.
    pub segments: Option<Vec<String>>,
}

impl PlanSpec {
    /// The shares, which add up to 1.
    fn checked_shares(&self) -> Result<(f64, f64)> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        let (control, treatment) = self.shares;
        if ![control, treatment].iter().all(|share| share.is_finite() && *share > 0.0) {
            return invalid(format!("shares=({control}, {treatment}); expected the shares of control and treatment, above 0"));
        }
        if !(self.power > 0.0 && self.power < 1.0) {
            return invalid(format!("power={}; expected a probability between 0 and 1, such as 0.8", self.power));
        }
        Ok((control / (control + treatment), treatment / (control + treatment)))
    }
}

/// What an experiment would find of a metric.
struct PlanRow {
    metric: String,
    days_after: i32,
    n_control: i64,
    n_treatment: i64,
    mean: f64,
    sd: f64,
    variance_ratio: f64,
    detectable: f64,
    needed: f64,
}

/// What an experiment on the customers of tables would find, from windows in which nothing was tried: a row for each metric of each table,
/// which is given with the length of its window.
pub fn plan_table(batches: &[(RecordBatch, i32)], spec: &EffectSpec, plan: &PlanSpec, context: &Context) -> Result<Table> {
    let shares = plan.checked_shares()?;
    let mut rows = Vec::new();
    for (batch, days_after) in batches {
        let read = OneGroup::of(batch, spec, plan.segments.as_deref(), None, context)?;
        for metric in &read.metrics {
            rows.push(plan_row(metric, &read, (*days_after, plan.power), shares)?);
        }
    }
    let floats = |value: &dyn Fn(&PlanRow) -> f64| {
        let finite = |value: f64| if value.is_finite() { value } else { f64::NAN };
        nullable_floats(rows.iter().map(|row| finite(value(row))).collect())
    };
    let mut table = TableBuilder::default();
    table.column("metric", Arc::new(rows.iter().map(|row| Some(row.metric.as_str())).collect::<StringArray>()));
    table.column("days_after", Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.days_after))));
    table.column("n_control", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.n_control))));
    table.column("n_treatment", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.n_treatment))));
    table.column("mean", floats(&|row| row.mean));
    table.column("sd", floats(&|row| row.sd));
    table.column("variance_ratio", floats(&|row| row.variance_ratio));
    table.column("detectable", floats(&|row| row.detectable));
    table.column("detectable_relative", floats(&|row| if row.mean > 0.0 { row.detectable / row.mean } else { f64::NAN }));
    let needed = rows.iter().map(|row| row.needed.is_finite().then(|| row.needed.ceil() as i64));
    table.column("n_for_5_percent", Arc::new(needed.collect::<Int64Array>()));
    table.finish(rows.len(), Metadata::new(), Report::default())
}

fn plan_row(metric: &Metric, read: &OneGroup, (days_after, power): (i32, f64), (of_control, of_treatment): (f64, f64)) -> Result<PlanRow> {
    let set = &read.sets[metric.set];
    let model = Model::of(metric, set, rule());
    let arms = Arms::of(set, &read.moments[metric.set], 1, |_| true);
    let slopes = slopes(&model, std::slice::from_ref(&arms))?;
    let whole = &arms.arms[0].whole;
    let n = whole.n as f64;
    let n_control = (n * of_control).round();
    let n_treatment = n - n_control;
    let (mut mean, mut variance, mut adjusted) = (f64::NAN, f64::NAN, f64::NAN);
    if let Some(outcome) = model.outcome(whole).filter(|_| whole.n > 1) {
        mean = outcome.mean(whole);
        variance = outcome.squares(set, whole)? / (n - 1.0);
        adjusted = slopes.squares(set, &outcome, whole)? / (n - 1.0);
    }
    let both = normal_quantile(1.0 - FALSE_ALARM / 2.0) + normal_quantile(power);
    let wanted = DIFFERENCE * mean;
    Ok(PlanRow {
        metric: metric.name.clone(),
        days_after,
        n_control: n_control as i64,
        n_treatment: n_treatment as i64,
        mean,
        sd: variance.sqrt(),
        variance_ratio: if metric.covariates.is_empty() { f64::NAN } else { adjusted / variance },
        detectable: both * (adjusted * (1.0 / n_control + 1.0 / n_treatment)).sqrt(),
        needed: both * both * adjusted * (1.0 / of_control + 1.0 / of_treatment) / (wanted * wanted),
    })
}

/// How often halves of customers, drawn at random, differ although nothing was tried: a row for each metric. The rows of the table must
/// ascend by id.
pub fn aa_table(batch: &RecordBatch, spec: &EffectSpec, draws: u32, seed: u64, context: &Context) -> Result<Table> {
    if draws == 0 {
        return Err(Error::new(ErrorKind::InvalidArgument, "n=0; expected at least one comparison, such as 1000"));
    }
    let buckets: Vec<u16> = (0..batch.num_rows()).map(|row| (Random::new(seed, row as u64).next_u64() >> 54) as u16).collect();
    let read = OneGroup::of(batch, spec, None, Some(&buckets), context)?;
    let mut alarms = vec![(0_u64, 0_u64); read.metrics.len()];
    for draw in 0..draws {
        context.check()?;
        let in_control = half(&mut Random::new(!seed, draw.into()));
        let halves: Vec<[Sums; 2]> = read.sets.iter().zip(&read.moments).map(|(set, cells)| halves(set, cells, &in_control)).collect();
        for (metric, alarms) in read.metrics.iter().zip(&mut alarms) {
            let p_value = comparison(metric, &read.sets[metric.set], &halves[metric.set])?;
            alarms.0 += u64::from(p_value < FALSE_ALARM);
            alarms.1 += u64::from(!p_value.is_nan());
        }
    }
    let z = rule().normal();
    let rate = |&(alarms, tested): &(u64, u64)| {
        if tested == 0 {
            return [f64::NAN; 3];
        }
        let (low, high) = wilson(alarms, tested, z);
        [alarms as f64 / tested as f64, low, high]
    };
    let rates: Vec<[f64; 3]> = alarms.iter().map(rate).collect();
    let mut table = TableBuilder::default();
    table.column("metric", Arc::new(read.metrics.iter().map(|metric| Some(metric.name.as_str())).collect::<StringArray>()));
    table.column("customers", Arc::new(Int64Array::from(vec![batch.num_rows() as i64; rates.len()])));
    table.column("comparisons", Arc::new(Int64Array::from_iter_values(alarms.iter().map(|alarms| alarms.1 as i64))));
    for (at, name) in ["false_alarms", "low", "high"].into_iter().enumerate() {
        table.column(name, nullable_floats(rates.iter().map(|rate| rate[at]).collect()));
    }
    table.finish(rates.len(), Metadata::new(), Report::default())
}

/// A random half of the buckets.
fn half(random: &mut Random) -> Vec<bool> {
    let mut order: Vec<usize> = (0..BUCKETS).collect();
    for at in (1..BUCKETS).rev() {
        order.swap(at, random.below(at as u64 + 1) as usize);
    }
    let mut is_chosen = vec![false; BUCKETS];
    order[..BUCKETS / 2].iter().for_each(|&bucket| is_chosen[bucket] = true);
    is_chosen
}

fn halves(set: &MomentSet, cells: &CellSums, in_control: &[bool]) -> [Sums; 2] {
    let mut halves = [Sums::new(set), Sums::new(set)];
    for (cell, sums) in cells {
        halves[usize::from(!in_control[usize::from(cell.segment)])].merge(sums);
    }
    halves
}

/// The p-value of two halves.
fn comparison(metric: &Metric, set: &MomentSet, halves: &[Sums; 2]) -> Result<f64> {
    let model = Model::of(metric, set, rule());
    let mut all = halves[0].clone();
    all.merge(&halves[1]);
    let arm = |sums: &Sums| Arm { whole: sums.clone(), strata: vec![(0, sums.clone())] };
    let arms = Arms { arms: halves.iter().map(arm).collect(), strata: vec![(0, all)] };
    let slopes: Slopes = slopes(&model, std::slice::from_ref(&arms))?;
    Ok(difference(&model, &slopes, &arms, 1, 0)?.p_value)
}

impl EffectResult {
    /// What the next experiment of the same kind would find: a row for each metric and group, from the variances of this one.
    pub fn plan_next(&self, power: f64) -> Result<Table> {
        if !(power > 0.0 && power < 1.0) {
            let message = format!("power={power}; expected a probability between 0 and 1, such as 0.8");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let both = normal_quantile(1.0 - FALSE_ALARM / 2.0) + normal_quantile(power);
        let rows = self.whole_rows(&self.moments, None)?;
        // One variance of both groups, of which the standard error was made.
        let per_customer = |row: &EffectRow| 1.0 / row.n_control as f64 + 1.0 / row.n_treatment as f64;
        let sd = |row: &EffectRow| row.difference.se / per_customer(row).sqrt();
        let needed = |row: &EffectRow| {
            let wanted = DIFFERENCE * row.difference.control;
            let n = (row.n_control + row.n_treatment) as f64;
            let needed = (both * row.difference.se / wanted).powi(2) * n;
            (needed.is_finite() && wanted > 0.0).then(|| needed.ceil() as i64)
        };
        let floats = |value: &dyn Fn(&EffectRow) -> f64| nullable_floats(rows.iter().map(value).collect());
        let counts = |value: &dyn Fn(&EffectRow) -> u64| Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| value(row) as i64)));
        let texts = |value: &dyn Fn(&EffectRow) -> String| Arc::new(rows.iter().map(|row| Some(value(row))).collect::<StringArray>());
        let mut table = TableBuilder::default();
        table.column("metric", texts(&|row| self.metrics[row.metric].name.clone()));
        table.column("group", texts(&|row| self.groups[row.group].clone()));
        table.column("n_control", counts(&|row| row.n_control));
        table.column("n_treatment", counts(&|row| row.n_treatment));
        table.column("mean", floats(&|row| row.difference.control));
        table.column("sd", floats(&sd));
        table.column("detectable", floats(&|row| both * row.difference.se));
        let relative =
            |row: &EffectRow| if row.difference.control > 0.0 { both * row.difference.se / row.difference.control } else { f64::NAN };
        table.column("detectable_relative", floats(&relative));
        table.column("n_for_5_percent", Arc::new(rows.iter().map(needed).collect::<Int64Array>()));
        table.finish(rows.len(), Metadata::new(), self.report.clone())
    }
}
