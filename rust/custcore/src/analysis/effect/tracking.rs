//! Moves between segments by group: who was in which segment the day before exposure, and at the end of the window after.
//!
//! Both segments are those of one scorer, fitted before exposure: who moves has changed, not the edges.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Date32Type;
use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::Metadata;

use super::experiment::{ExperimentSpec, ExposedOn, Windows};
use super::experiment_table::{ExperimentOptions, experiment_table};
use super::labels::{Labels, union};
use super::windows::last_day;
use crate::analysis::rfm::scorer::RfmScorer;
use crate::base::CustomerBase;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::chi_squared::{chi_squared_sf, independence};
use crate::num::proportion::newcombe;
use crate::state::spec::AsOf;
use crate::table::{Table, TableBuilder};

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;
/// The segment of all that are watched.
const IN_TARGET: &str = "in target";

/// Settings of segment tracking.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrackingSpec {
    /// The group that the others are compared with; by default "control".
    pub control: Option<String>,
    /// The segments that are watched together; `None`: each by itself.
    pub target: Option<Vec<String>>,
}

/// Customers by group: `[from][to]`.
type Moves = Vec<Vec<u64>>;

/// A row; `None` is null.
struct TrackingRow<'a> {
    group: &'a str,
    from: &'a str,
    to: &'a str,
    /// Customers of the group and of control who moved, and all of the segment.
    counts: [(u64, u64); 2],
    test: Option<(f64, f64)>,
}

/// The moves of the customers of an experiment between the segments of a scorer.
pub fn track_segments(
    base: &CustomerBase,
    assignments: &RecordBatch,
    experiment: &ExperimentSpec,
    options: &ExperimentOptions,
    spec: &TrackingSpec,
    context: &Context,
) -> Result<Table> {
    let windows = experiment.windows.checked()?;
    let Some(scorer) = &options.scorer else { return Err(Error::internal("segments without a scorer")) };
    if scorer.segment_names()?.is_none() {
        let message = "the scorer has no segments; expected an RFMScorer with a segment map";
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    let clock = &base.input_schema()?.clock;
    let as_of = last_day(base, options.as_of.map(|as_of| as_of.day(clock)).transpose()?)?;
    // Whose windows are over is known without scores; the earliest exposure is that of the scorer.
    let unscored = ExperimentOptions { scorer: None, ..options.clone() };
    let customers = experiment_table(base, assignments, experiment, &unscored, context)?.table;
    let scorer = scorer.fitted_as_of(base, first_exposure(&customers.batch)? - 1, context)?;
    let before = segments_of(base, &customers.batch, &scorer, (0, as_of), experiment, context)?;
    let after = segments_of(base, &customers.batch, &scorer, (windows.lag + windows.days_after, as_of), experiment, context)?;
    if [&before, &after].iter().any(|labels| labels.codes.len() != customers.batch.num_rows()) {
        return Err(Error::internal("customers without a segment"));
    }
    let groups = Labels::read(&customers.batch, "group", "group")?;
    let control = control_of(&groups.names, spec.control.as_deref(), experiment.group.as_deref())?;
    let known: Vec<String> = scorer.segment_names()?.unwrap_or_default();
    let (names, of_before, of_after) = union(&before.names, &after.names);
    let targets = spec.target.as_ref().map(|target| targets_of(target, &names, &known)).transpose()?;
    let mut moves: Vec<Moves> = vec![vec![vec![0; names.len()]; names.len()]; groups.names.len()];
    for ((&group, &from), &to) in groups.codes.iter().zip(&before.codes).zip(&after.codes) {
        moves[usize::from(group)][usize::from(of_before[usize::from(from)])][usize::from(of_after[usize::from(to)])] += 1;
    }
    let mut rows = Vec::new();
    for (group, name) in groups.names.iter().enumerate().filter(|(group, _)| *group != control) {
        for (from, from_name) in names.iter().enumerate() {
            let arms = [&moves[group][from], &moves[control][from]];
            let all = arms.map(|arm| arm.iter().sum::<u64>());
            if all == [0, 0] {
                continue;
            }
            // Pearson's test that both groups move alike; none where nothing can differ.
            let floats = arms.map(|arm| arm.iter().map(|&count| count as f64).collect());
            let test = Some(independence(&floats)).filter(|(_, df)| *df > 0.0);
            let row = |to, counts: [u64; 2]| TrackingRow {
                group: name,
                from: from_name,
                to,
                counts: [(counts[0], all[0]), (counts[1], all[1])],
                test,
            };
            if let Some(targets) = &targets {
                rows.push(row(IN_TARGET, arms.map(|arm| targets.iter().map(|&to| arm[to]).sum())));
            } else {
                // Of all groups, so that each has the same rows.
                let occurs = |to: &usize| moves.iter().any(|of_group| of_group[from][*to] > 0);
                rows.extend((0..names.len()).filter(occurs).map(|to| row(names[to].as_str(), arms.map(|arm| arm[to]))));
            }
        }
    }
    table_of(&rows, customers.report)
}

fn first_exposure(customers: &RecordBatch) -> Result<i32> {
    exposed_on(customers)?.values().iter().min().copied().ok_or_else(|| Error::internal("an experiment without customers"))
}

fn exposed_on(customers: &RecordBatch) -> Result<&Date32Array> {
    let column = customers.column_by_name("exposed_on").and_then(|column| column.as_primitive_opt::<Date32Type>());
    column.ok_or_else(|| Error::internal("an experiment without days"))
}

/// The segment of each customer as of the day before `days` days after exposure.
fn segments_of(
    base: &CustomerBase,
    customers: &RecordBatch,
    scorer: &RfmScorer,
    (days, as_of): (i32, i32),
    experiment: &ExperimentSpec,
    context: &Context,
) -> Result<Labels> {
    let schema = customers.schema();
    let mut columns = customers.columns().to_vec();
    let at = schema.index_of("exposed_on").map_err(Error::internal)?;
    columns[at] = Arc::new(Date32Array::from_iter_values(exposed_on(customers)?.values().iter().map(|day| day + days)));
    let moved = RecordBatch::try_new(schema, columns).map_err(Error::internal)?;
    let spec = ExperimentSpec {
        group: Some("group".to_owned()),
        exposed_on: ExposedOn::Column("exposed_on".to_owned()),
        windows: Windows { days_after: 1, days_before: 1, lag: 0, gap: 0 },
        others: Vec::new(),
        ..experiment.clone()
    };
    // The day itself is not looked at, so that it may be the one after the last.
    let options = ExperimentOptions { scorer: Some(scorer.clone()), as_of: Some(AsOf::Date(as_of + 1)), ..ExperimentOptions::default() };
    let table = experiment_table(base, &moved, &spec, &options, context)?.table;
    Ok(Labels::read(&table.batch, "segment", "segment")?.with_null())
}

/// The position of the control group.
fn control_of(names: &[String], control: Option<&str>, column: Option<&str>) -> Result<usize> {
    let asked = control.unwrap_or("control");
    let place = names.iter().position(|name| name == asked);
    place.filter(|_| names.len() > 1).ok_or_else(|| {
        let listed = names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        let column = column.unwrap_or("group");
        let message = format!("column '{column}' has the groups {listed}; expected '{asked}' and at least one other. Name it: control=...");
        Error::new(ErrorKind::InvalidArgument, message).in_column(column)
    })
}

/// The positions of the segments that are watched.
fn targets_of(target: &[String], names: &[String], known: &[String]) -> Result<Vec<usize>> {
    let mut places = Vec::new();
    for name in target {
        match names.iter().position(|other| other == name) {
            Some(place) if places.contains(&place) => {}
            Some(place) => places.push(place),
            // Nobody was in it.
            None if known.contains(name) => {}
            None => {
                let listed = known.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
                let message = format!("target has the segment '{name}'; expected {listed}");
                return Err(Error::new(ErrorKind::InvalidArgument, message));
            }
        }
    }
    if target.is_empty() {
        return Err(Error::new(ErrorKind::InvalidArgument, "target is empty; name at least one segment"));
    }
    Ok(places)
}

fn table_of(rows: &[TrackingRow<'_>], report: crate::report::Report) -> Result<Table> {
    let texts =
        |value: fn(&TrackingRow<'_>) -> String| -> ArrayRef { Arc::new(rows.iter().map(|row| Some(value(row))).collect::<StringArray>()) };
    let counts = |arm: usize| -> ArrayRef { Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.counts[arm].0 as i64))) };
    let floats =
        |value: &dyn Fn(&TrackingRow<'_>) -> Option<f64>| -> ArrayRef { Arc::new(rows.iter().map(value).collect::<Float64Array>()) };
    let share = |(count, all): (u64, u64)| (all > 0).then(|| count as f64 / all as f64);
    let interval = |row: &TrackingRow<'_>| (row.counts[0].1 > 0 && row.counts[1].1 > 0).then(|| newcombe(row.counts[0], row.counts[1], Z));
    let mut table = TableBuilder::default();
    table.column("group", texts(|row| row.group.to_owned()));
    table.column("from_segment", texts(|row| row.from.to_owned()));
    table.column("to_segment", texts(|row| row.to.to_owned()));
    table.column("customers", counts(0));
    table.column("control_customers", counts(1));
    table.column("share", floats(&|row| share(row.counts[0])));
    table.column("control_share", floats(&|row| share(row.counts[1])));
    table.column("difference", floats(&|row| share(row.counts[0]).zip(share(row.counts[1])).map(|(a, b)| a - b)));
    table.column("low", floats(&|row| interval(row).map(|(low, _)| low)));
    table.column("high", floats(&|row| interval(row).map(|(_, high)| high)));
    table.column("chi2", floats(&|row| row.test.map(|(statistic, _)| statistic)));
    table.column("df", Arc::new(rows.iter().map(|row| row.test.map(|(_, df)| df as i64)).collect::<Int64Array>()));
    table.column("p_value", floats(&|row| row.test.map(|(statistic, df)| chi_squared_sf(statistic, df))));
    table.finish(rows.len(), Metadata::new(), report)
}
