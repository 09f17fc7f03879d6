//! The effect of an experiment: its moments, from which all tables follow, and which add up over disjoint customers.

use arrow_array::RecordBatch;

use super::NO_GROUP;
use super::labels::{Labels, union};
use super::metric::{Metric, check_flags, metrics_of};
use super::moment_adder::moments_of;
use super::moments::{Cell, CellSums, CellsOfRows, MomentSet, add_cell};
use super::spec::{EffectSpec, Winsorize};
use super::values::Columns;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit, Tally};
use crate::table::concatenated;

/// The moments of all sets, by cell.
pub(super) type Moments = Vec<CellSums>;

/// A period after exposure: its days, counted from the start of the window, and its moments alone and from the start up to its end.
#[derive(Debug, Clone)]
pub(super) struct PeriodMoments {
    pub first_day: i32,
    pub last_day: i32,
    pub own: Moments,
    pub cumulative: Moments,
}

/// The tables of a period.
#[derive(Debug)]
pub struct PeriodBatches {
    /// Its first and last day, counted from the start of the window.
    pub days: (i32, i32),
    /// The customers with what they did in it.
    pub own: RecordBatch,
    /// The customers with what they did up to its end.
    pub cumulative: RecordBatch,
}

/// What is known of an experiment besides its moments.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentFacts {
    /// Customers whose window before begins before the data.
    pub cut_off: Option<u64>,
    /// Customers who are in another experiment.
    pub overlap: Option<u64>,
    /// The first and the last day of the windows after exposure.
    pub days: Option<(i32, i32)>,
}

/// The effect of an experiment.
#[derive(Debug, Clone)]
pub struct EffectResult {
    pub(super) spec: EffectSpec,
    pub(super) metrics: Vec<Metric>,
    pub(super) sets: Vec<MomentSet>,
    pub(super) groups: Vec<String>,
    pub(super) control: usize,
    pub(super) strata: Vec<String>,
    pub(super) segments: Vec<String>,
    pub(super) moments: Moments,
    pub(super) periods: Vec<PeriodMoments>,
    pub(super) received: Option<usize>,
    pub(super) facts: ExperimentFacts,
    /// What was left out, and remarks.
    pub report: Report,
}

impl EffectResult {
    /// The effect in a table with a row for each customer.
    pub fn of_table(batches: &[RecordBatch], spec: EffectSpec, context: &Context) -> Result<Self> {
        // A quantile is of all rows.
        if matches!(spec.winsorize, Some(Winsorize::Quantile(_))) {
            let whole = concatenated(batches)?;
            return Self::of_batches(&[(whole, &[])], spec, &ExperimentFacts::default(), None, context);
        }
        let batches: Vec<_> = batches.iter().map(|batch| (batch.clone(), &[][..])).collect();
        Self::of_batches(&batches, spec, &ExperimentFacts::default(), None, context)
    }

    /// The effect in batches of rows, each with its periods.
    pub(super) fn of_batches(
        batches: &[(RecordBatch, &[PeriodBatches])],
        spec: EffectSpec,
        facts: &ExperimentFacts,
        report: Option<&Report>,
        context: &Context,
    ) -> Result<Self> {
        let spec = spec.checked()?;
        // Many batches are read side by side, few of them one after the other with all threads.
        let side_by_side = batches.len() >= 2 * context.threads();
        let rows = if side_by_side { batches.iter().map(|(batch, _)| batch.num_rows()).sum() } else { 0 };
        let inner = if side_by_side { context.inline() } else { context.clone() };
        let read = |(batch, periods): &(RecordBatch, &[PeriodBatches])| Self::of_batch(batch, periods, &spec, facts, report, &inner);
        let parts = context.run_if_large(rows, |threads| threads.par_tasks(batches, read))?;
        let (mut whole, mut rows_before): (Option<Self>, u64) = (None, 0);
        for ((batch, _), part) in batches.iter().zip(parts) {
            let part = part.map_err(|error| error.counted_from(rows_before))?;
            rows_before += batch.num_rows() as u64;
            whole = Some(match whole {
                None => part,
                Some(whole) => whole.merged(&part),
            });
        }
        let mut whole = whole.ok_or_else(|| Error::internal("a table without a batch"))?;
        whole.control = control_of(&whole.groups, &spec)?;
        whole.shares()?;
        Ok(whole)
    }

    /// The moments of a batch, whose control group is not known yet.
    fn of_batch(
        batch: &RecordBatch,
        periods: &[PeriodBatches],
        spec: &EffectSpec,
        facts: &ExperimentFacts,
        report: Option<&Report>,
        context: &Context,
    ) -> Result<Self> {
        let groups = Labels::read(batch, &spec.group, "group")?;
        let labels = |name: &Option<String>, role: &str| -> Result<Option<Labels>> {
            name.as_ref().map(|name| Ok(Labels::read(batch, name, role)?.with_null())).transpose()
        };
        let (strata, segments) = (labels(&spec.strata, "strata")?, labels(&spec.by, "by")?);
        let mut columns = Columns::default();
        let (metrics, sets) = metrics_of(spec, batch, &mut columns, &groups.codes)?;
        let received = received_column(spec, batch, &mut columns)?;
        let size = |labels: &Option<Labels>| labels.as_ref().map_or(1, |labels| labels.names.len().max(1));
        let cells = CellsOfRows {
            groups: &groups.codes,
            strata: strata.as_ref().map(|labels| labels.codes.as_slice()),
            segments: segments.as_ref().map(|labels| labels.codes.as_slice()),
            sizes: [groups.names.len(), size(&strata), size(&segments)],
        };
        let all_moments = |sets: &[MomentSet], columns: &Columns| -> Result<Moments> {
            sets.iter().map(|set| moments_of(set, columns, &cells, context)).collect()
        };
        let moments = all_moments(&sets, &columns)?;
        drop(columns);
        // Caps are those of the whole window. Moments are where those of the whole window are, also of a column that is twice without caps.
        let uncapped: Vec<MomentSet> = sets.iter().map(MomentSet::without_caps).collect();
        let of_period = |batch: &RecordBatch| -> Result<Moments> {
            let mut columns = Columns::default();
            let plain = EffectSpec { winsorize: None, ..spec.clone() };
            metrics_of(&plain, batch, &mut columns, &groups.codes)?;
            all_moments(&uncapped, &columns)
        };
        let periods = periods
            .iter()
            .map(|period| {
                let (own, cumulative) = (of_period(&period.own)?, of_period(&period.cumulative)?);
                Ok(PeriodMoments { first_day: period.days.0, last_day: period.days.1, own, cumulative })
            })
            .collect::<Result<_>>()?;
        let names = |labels: Option<Labels>| labels.map_or_else(|| vec![String::new()], |labels| labels.names);
        let (strata, segments) = (names(strata), names(segments));
        Ok(Self {
            spec: spec.clone(),
            metrics,
            sets,
            groups: groups.names.clone(),
            control: 0,
            strata,
            segments,
            moments,
            periods,
            received,
            facts: facts.clone(),
            report: report.cloned().unwrap_or_else(|| report_of(&groups)),
        })
    }

    /// Adds the result of other customers, with the same settings.
    pub fn merge(&self, other: &Self) -> Result<Self> {
        let differ = |what: &str| {
            let message = format!("the results differ in {what}, so their moments do not add up. Compute both with the same settings");
            Err(Error::new(ErrorKind::StateMismatch, message))
        };
        if self.spec != other.spec {
            return differ("their settings");
        }
        if self.sets.iter().zip(&other.sets).any(|(a, b)| a.columns != b.columns || a.filter != b.filter)
            || self.sets.len() != other.sets.len()
        {
            return differ("their columns or the caps of winsorize");
        }
        if self.periods.len() != other.periods.len() {
            return differ("their periods");
        }
        if self.groups[self.control] != other.groups[other.control] {
            return differ("their control groups");
        }
        let mut merged = self.merged(other);
        merged.control = control_of(&merged.groups, &merged.spec)?;
        Ok(merged)
    }

    /// The moments of both, whose settings are the same; the control group is not known yet.
    fn merged(&self, other: &Self) -> Self {
        let (groups, own_groups, other_groups) = union(&self.groups, &other.groups);
        let (strata, own_strata, other_strata) = union(&self.strata, &other.strata);
        let (segments, own_segments, other_segments) = union(&self.segments, &other.segments);
        let place = |cell: &Cell, (groups, strata, segments): (&[u16], &[u16], &[u16])| Cell {
            group: groups[usize::from(cell.group)],
            stratum: strata[usize::from(cell.stratum)],
            segment: segments[usize::from(cell.segment)],
        };
        let add = |a: &Moments, b: &Moments| -> Moments {
            let both = a.iter().zip(b).map(|(a, b)| {
                let mut whole = CellSums::new();
                a.iter().for_each(|(cell, sums)| add_cell(&mut whole, place(cell, (&own_groups, &own_strata, &own_segments)), sums));
                b.iter().for_each(|(cell, sums)| add_cell(&mut whole, place(cell, (&other_groups, &other_strata, &other_segments)), sums));
                whole
            });
            both.collect()
        };
        let period = |(a, b): (&PeriodMoments, &PeriodMoments)| PeriodMoments {
            own: add(&a.own, &b.own),
            cumulative: add(&a.cumulative, &b.cumulative),
            ..*a
        };
        let mut report = self.report.clone();
        report.join(&other.report);
        report.n_rows += other.report.n_rows;
        for remark in &other.report.remarks {
            if !report.remarks.contains(remark) {
                report.remarks.push(remark.clone());
            }
        }
        let sum = |a: Option<u64>, b: Option<u64>| a.zip(b).map(|(a, b)| a + b);
        Self {
            control: 0,
            moments: add(&self.moments, &other.moments),
            periods: self.periods.iter().zip(&other.periods).map(period).collect(),
            facts: ExperimentFacts {
                cut_off: sum(self.facts.cut_off, other.facts.cut_off),
                overlap: sum(self.facts.overlap, other.facts.overlap),
                days: self.facts.days.zip(other.facts.days).map(|(a, b)| (a.0.min(b.0), a.1.max(b.1))),
            },
            groups,
            strata,
            segments,
            report,
            ..self.clone()
        }
    }

    /// Customers by group.
    pub(super) fn sizes(&self) -> Vec<u64> {
        // A metric may be about some customers only; the first set without a filter has all.
        let all = self.sets.iter().position(|set| set.filter == super::values::Filter::All);
        let mut sizes = vec![0; self.groups.len()];
        let cells = self.moments.get(all.unwrap_or(0));
        cells.into_iter().flatten().for_each(|(cell, sums)| sizes[usize::from(cell.group)] += sums.n);
        sizes
    }

    /// The groups that are compared with control.
    pub(super) fn treatments(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.groups.len()).filter(|&group| group != self.control)
    }

    /// The name of the control group.
    pub fn control(&self) -> &str {
        &self.groups[self.control]
    }

    /// The first and the last day of the windows after exposure; `None` for a table.
    pub fn days(&self) -> Option<(i32, i32)> {
        self.facts.days
    }

    /// The names of the groups.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }
}

/// The report of a table of customers.
fn report_of(groups: &Labels) -> Report {
    let null_groups = groups.codes.iter().filter(|&&code| code == NO_GROUP).count() as u64;
    let tally = Tally { count: null_groups, rows: null_groups, ..Tally::default() };
    let entry = ReportEntry::new("null_group", EntryKind::LeftOut, ReportUnit::Rows, &tally, None);
    Report { entries: vec![entry], n_rows: groups.codes.len() as u64, ..Report::default() }
}

/// The control group.
pub(super) fn control_of(groups: &[String], spec: &EffectSpec) -> Result<usize> {
    let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message).in_column(&spec.group));
    if groups.len() < 2 {
        return invalid(format!(
            "column '{}' (group) has {} groups with customers: {}. An effect needs a control group and at least one other",
            spec.group,
            groups.len(),
            groups.join(", ")
        ));
    }
    let asked = spec.control.as_deref().unwrap_or("control");
    if let Some(at) = groups.iter().position(|name| name == asked) {
        return Ok(at);
    }
    let names = groups.join(", ");
    invalid(match &spec.control {
        None => format!("which group is the control is not known: there is none named 'control' among {names}. Pass control=, one of them"),
        Some(control) => format!("control='{control}' is not among the groups {names}"),
    })
}

/// The position of the column of received customers among the columns.
fn received_column(spec: &EffectSpec, batch: &RecordBatch, columns: &mut Columns) -> Result<Option<usize>> {
    let Some(name) = &spec.received else { return Ok(None) };
    let at = columns.find(batch, name, "received")?;
    check_flags(columns, at, "received")?;
    let column = columns.get(at);
    if let Some(row) = (0..column.len()).find(|&row| !column.is_valid(row)) {
        let message = format!("column '{name}' (received) is null at row {row}; expected 1 for whoever the campaign reached, else 0");
        return Err(Error::new(ErrorKind::NullValue, message).in_column(name).at_row(row as u64));
    }
    Ok(Some(at))
}
