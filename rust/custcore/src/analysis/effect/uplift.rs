//! What a score is worth: the gain of treating the customers with the highest scores, measured in two random groups.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Metadata};

use super::uplift_curve::{Customer, Point, UpliftSums, curve};
use crate::column::find_column;
use crate::column::key::OwnedKey;
use crate::column::number::NumberColumn;
use crate::column::value::ValueColumn;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit, Tally};
use crate::table::{Table, TableBuilder};

/// Groups that an error lists.
const MOST_GROUPS: usize = 20;

/// Settings of an uplift curve.
#[derive(Debug, Clone, PartialEq)]
pub struct UpliftSpec {
    /// The column of scores.
    pub score: String,
    /// The column of groups.
    pub group: String,
    /// The column of outcomes.
    pub outcome: String,
    /// The group that was not treated; by default "control".
    pub control: Option<String>,
    /// What a unit of the outcome earns, and what treating a customer costs.
    pub value: Option<(f64, f64)>,
}

/// A point of the curve, or between two of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UpliftPoint {
    /// Share of customers.
    pub share: f64,
    /// The lowest score among them.
    pub score: Option<f64>,
    /// Gain per customer.
    pub gain: f64,
    /// Its standard error.
    pub se: Option<f64>,
    /// Its value less the cost.
    pub net: Option<f64>,
}

/// The curve of a score.
#[derive(Debug, Clone)]
pub struct UpliftCurve {
    pub(super) points: Vec<Point>,
    pub(super) sums: UpliftSums,
    pub(super) value: Option<(f64, f64)>,
    /// The names of the control group and of the treated one.
    pub groups: [String; 2],
    pub(super) report: Report,
}

impl UpliftCurve {
    /// The curve of the customers of a table.
    pub fn new(batches: &[RecordBatch], spec: &UpliftSpec, context: &Context) -> Result<Self> {
        if let Some((margin, cost)) = spec.value
            && !(margin.is_finite() && cost.is_finite() && cost >= 0.0)
        {
            let message = format!("margin={margin:?} and cost={cost:?}; expected finite numbers, and a cost of 0 or more");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let mut read = CustomersRead::default();
        for batch in batches {
            context.check()?;
            let before = read.rows;
            read.push(batch, spec).map_err(|error| error.counted_from(before))?;
        }
        let (treated, groups) = read.treated(spec)?;
        let mut customers: Vec<Customer> =
            read.customers.iter().map(|&(group, score, outcome)| Customer { score, outcome, is_treated: group == treated }).collect();
        let (points, sums) = context.run_if_large(read.customers.len(), |threads| curve(&mut customers, threads, || context.check()))??;
        let report = Report {
            entries: vec![ReportEntry::new("null_group", EntryKind::LeftOut, ReportUnit::Rows, &read.null_groups, None)],
            n_rows: read.rows,
            ..Report::default()
        };
        Ok(Self { points, sums, value: spec.value, groups, report })
    }

    /// Area below the curve, and its standard error.
    pub fn auuc(&self) -> (f64, Option<f64>) {
        self.sums.auuc
    }

    /// Area between the curve and that of a random order, and its standard error.
    pub fn qini(&self) -> (f64, Option<f64>) {
        self.sums.qini
    }

    /// The share of customers with the largest gain, or with the largest net value; the smallest of several.
    pub fn best_share(&self) -> f64 {
        let worth = |point: &Point| self.net(point.share, point.gain).unwrap_or(point.gain);
        let first = (0.0, self.net(0.0, 0.0).unwrap_or(0.0));
        self.points.iter().fold(first, |best, point| if worth(point) > best.1 { (point.share, worth(point)) } else { best }).0
    }

    fn net(&self, share: f64, gain: f64) -> Option<f64> {
        self.value.map(|(margin, cost)| margin * gain - cost * share)
    }

    /// The curve at a share of customers. Within customers of equal scores it is straight: they are treated in random order.
    pub fn at(&self, share: f64) -> Result<UpliftPoint> {
        if !(0.0..=1.0).contains(&share) {
            let message = format!("share={share:?}; expected a share of the customers, from 0 to 1");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let at = self.points.partition_point(|point| point.share < share);
        let start = Point::start();
        let before = at.checked_sub(1).map_or(&start, |before| &self.points[before]);
        let point = self.points.get(at).unwrap_or(before);
        let step = point.share - before.share;
        let part = if step > 0.0 { (share - before.share) / step } else { 1.0 };
        let between = |low: f64, high: f64| if part >= 1.0 { high } else { low + part * (high - low) };
        let gain = between(before.gain, point.gain);
        let se = point.se.map(|se| between(before.se.unwrap_or(0.0), se)).filter(|_| share > 0.0);
        let score = (share > 0.0).then_some(point.score);
        Ok(UpliftPoint { share, score, gain, se, net: self.net(share, gain) })
    }

    /// The points of the curve, from nobody to all customers.
    pub fn table(&self) -> Result<Table> {
        let start = Point::start();
        let rows: Vec<&Point> = std::iter::once(&start).chain(&self.points).collect();
        let floats =
            |value: &dyn Fn(&Point) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| value(row)))) };
        let optional =
            |value: &dyn Fn(&Point) -> Option<f64>| -> ArrayRef { Arc::new(rows.iter().map(|row| value(row)).collect::<Float64Array>()) };
        let counts = |value: &dyn Fn(&Point) -> u64| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| value(row) as i64)))
        };
        let mut table = TableBuilder::default();
        table.column("share", floats(&|row| row.share));
        table.column("score", optional(&|row| (row.share > 0.0).then_some(row.score)));
        table.column("n_control", counts(&|row| row.n[0]));
        table.column("n_treatment", counts(&|row| row.n[1]));
        table.column("control", optional(&|row| row.mean(0)));
        table.column("treatment", optional(&|row| row.mean(1)));
        table.column("gain", floats(&|row| row.gain));
        table.column("se", optional(&|row| row.se));
        table.column_if("net", self.value.map(|_| optional(&|row| self.net(row.share, row.gain))));
        table.finish(rows.len(), Metadata::new(), self.report.clone())
    }
}

/// The customers that were read so far.
#[derive(Debug, Default)]
struct CustomersRead {
    /// Group, score and outcome.
    customers: Vec<(u8, f64, f64)>,
    groups: Vec<OwnedKey>,
    rows: u64,
    null_groups: Tally,
}

impl CustomersRead {
    fn push(&mut self, batch: &RecordBatch, spec: &UpliftSpec) -> Result<()> {
        let schema = batch.schema();
        let column = |name: &str, role: &str| -> Result<&ArrayRef> { Ok(batch.column(find_column(&schema, name, role)?)) };
        let scores = numbers(&spec.score, "score", column(&spec.score, "score")?)?;
        let outcomes = numbers(&spec.outcome, "outcome", column(&spec.outcome, "outcome")?)?;
        let groups = ValueColumn::new(&spec.group, "group", column(&spec.group, "group")?)?;
        let (scores_of, outcomes_of) = (scores.float_values(), outcomes.float_values());
        self.customers.reserve(batch.num_rows());
        for row in 0..batch.num_rows() {
            let key = groups.key(row);
            if key.text().is_none() {
                self.null_groups.add(0, self.rows + row as u64);
                continue;
            }
            let known = self.groups.iter().position(|group| group.borrow() == key);
            let group = known.unwrap_or_else(|| {
                self.groups.push(key.to_owned());
                self.groups.len() - 1
            });
            if group >= MOST_GROUPS {
                return Err(self.other_groups(spec));
            }
            check(&scores, &spec.score, row)?;
            check(&outcomes, &spec.outcome, row)?;
            self.customers.push((group as u8, scores_of[row] + 0.0, outcomes_of[row]));
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// The group of the treated, and the names of both.
    fn treated(&self, spec: &UpliftSpec) -> Result<(u8, [String; 2])> {
        let names: Vec<String> = self.groups.iter().map(|group| group.borrow().text().unwrap_or_default()).collect();
        let control = spec.control.as_deref().unwrap_or("control");
        let place = names.iter().position(|name| name == control);
        match (place, names.as_slice()) {
            (Some(place), [_, _]) => Ok((1 - place as u8, [control.to_owned(), names[1 - place].clone()])),
            _ => Err(self.other_groups(spec)),
        }
    }

    fn other_groups(&self, spec: &UpliftSpec) -> Error {
        let mut names: Vec<String> = self.groups.iter().map(|group| group.borrow().text().unwrap_or_default()).collect();
        names.sort_unstable();
        let listed: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
        let listed = if listed.is_empty() { "none".to_owned() } else { listed.join(", ") };
        let control = spec.control.as_deref().unwrap_or("control");
        let message = format!(
            "column '{}' has the groups {listed}; expected two, of which one is '{control}'. Name the one that was not treated \
             (control=...), and leave other groups out",
            spec.group
        );
        let kind = if names.is_empty() { ErrorKind::NotEnoughData } else { ErrorKind::InvalidArgument };
        Error::new(kind, message).in_column(&spec.group)
    }
}

/// A column of numbers, or of booleans as 0 and 1.
fn numbers(name: &str, role: &str, array: &ArrayRef) -> Result<NumberColumn> {
    if array.data_type() != &DataType::Boolean {
        return NumberColumn::new(name, role, array);
    }
    let ones: ArrayRef = Arc::new(array.as_boolean().iter().map(|value| value.map(f64::from)).collect::<Float64Array>());
    NumberColumn::new(name, role, &ones)
}

/// An error for a value that is no finite number.
fn check(values: &NumberColumn, column: &str, row: usize) -> Result<()> {
    let (kind, what) = match values.get(row) {
        None => (ErrorKind::NullValue, "null or NaN"),
        Some(value) if !value.to_f64().is_finite() => (ErrorKind::NonFinite, "infinite"),
        Some(_) => return Ok(()),
    };
    let message = format!("column '{column}' is {what} at row {row}; expected a number for every customer. Fill it, or leave the row out");
    Err(Error::new(kind, message).in_column(column).at_row(row as u64))
}
