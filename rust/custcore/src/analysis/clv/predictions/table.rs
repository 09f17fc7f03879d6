//! Predictions of all customers of a summary.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int32Array, Int64Array, new_null_array};
use arrow_buffer::ScalarBuffer;
use arrow_schema::{DataType, Metadata};

use super::pairs::Pairs;
use super::spec::{PredictSpec, Spend};
use super::spend::SpendOfRows;
use crate::analysis::clv::model::{PurchaseModel, predictor};
use crate::analysis::clv::predict::{GivenAlive, Predictor, purchase_quantiles};
use crate::analysis::clv::summary::{ClvSummary, Times};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit, Tally};
use crate::table::{AS_OF, CUSTOMER_ID, Table, TableBuilder, nullable_floats};

/// Customers between two checks whether the call was cancelled.
const BLOCK: usize = 1 << 20;
/// Pairs of x and T between two such checks.
const PAIRS: usize = 1 << 13;
/// A pair is as much work as so many rows.
const WORK_OF_A_PAIR: usize = 64;

/// What is expected of each row over one horizon.
struct Block {
    purchases: Vec<f64>,
    p_purchase: Vec<f64>,
    p_alive_end: Vec<f64>,
    discounted: Vec<f64>,
    /// Columns of the interval, if one is asked for.
    interval: Option<[ArrayRef; 2]>,
}

/// Rows with one set of parameters.
struct Part<'a> {
    predictor: Box<dyn Predictor + 'a>,
    rows: Option<Vec<u32>>,
    pairs: Pairs,
}

impl Part<'_> {
    fn len(&self, summary: &ClvSummary) -> usize {
        self.rows.as_ref().map_or(summary.rows(), Vec::len)
    }

    fn row(&self, at: usize) -> usize {
        self.rows.as_ref().map_or(at, |rows| rows[at] as usize)
    }
}

impl PurchaseModel {
    /// Predictions of all customers, ascending by id: one table for each horizon.
    pub fn predict(&self, summary: &ClvSummary, spec: &PredictSpec, context: &Context) -> Result<Vec<Table>> {
        spec.check()?;
        if spec.spend != Spend::None && !summary.has_amounts() {
            let message = "spend= needs the mean spend of customers, but the summary has no column m_x; make the summary with an amount, or \
                           leave spend out";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        if spec.cells {
            let cells = self.cells_of(summary, spec, context)?;
            return self.predict_rows(&cells, spec, context);
        }
        self.predict_rows(summary, spec, context)
    }

    /// The distinct histories of a summary as a summary, whose weights are numbers of customers.
    fn cells_of(&self, summary: &ClvSummary, spec: &PredictSpec, context: &Context) -> Result<ClvSummary> {
        if spec.spend != Spend::None || self.options.by.is_some() {
            let message =
                "cells=True predicts distinct histories, which have no spend and no groups; leave spend= out, and use a model without by=";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let cells = summary.cells(None, context)?;
        let of_cell = |place: &[u32]| place.iter().map(|&at| cells.times[at as usize]).collect::<Vec<f64>>();
        let times = |times: Vec<f64>| {
            if cells.on_day_grid { Times::Days(times.into_iter().map(|time| time as i32).collect()) } else { Times::Floats(times.into()) }
        };
        let x = cells.runs.iter().flat_map(|run| std::iter::repeat_n(run.x as i32, run.cells.len())).collect();
        Ok(ClvSummary {
            key: None,
            ids: Vec::new(),
            x,
            t_x: times(of_cell(&cells.recency)),
            age: times(of_cell(&cells.age)),
            m_x: None,
            holdout: None,
            groups: None,
            weights: Some(cells.weight),
            calibration_end: summary.calibration_end,
            remarks: summary.remarks.clone(),
        })
    }

    fn predict_rows(&self, summary: &ClvSummary, spec: &PredictSpec, context: &Context) -> Result<Vec<Table>> {
        let parts = self.predicted_parts(summary)?;
        let n = summary.rows();
        let p_alive: ScalarBuffer<f64> = column(&parts, summary, context, |part, row, _| {
            parts[part].predictor.p_alive(summary.x(row), summary.t_x.get(row), summary.age.get(row))
        })?
        .into();
        let spend = match &spec.spend {
            Spend::None => None,
            spend => Some(SpendOfRows::of(spend, summary, context)?),
        };
        let p_alive_column: ArrayRef = Arc::new(Float64Array::new(p_alive.clone(), None));
        let mut tables = Vec::with_capacity(spec.horizons.len());
        for &horizon in &spec.horizons {
            context.check()?;
            let block = block_of(&parts, summary, &p_alive, horizon, spec, context)?;
            let mut table = TableBuilder::default();
            match &summary.key {
                Some(key) => table.id_arrays(key, summary.ids.clone()),
                None if spec.cells => history_columns(&mut table, summary),
                None => {}
            }
            if spec.horizon_column {
                table.column("horizon_days", Arc::new((0..n).map(|_| horizon).collect::<Float64Array>()));
            }
            table.column("p_alive", p_alive_column.clone());
            context.run_if_large(n, |threads| columns(&mut table, block, horizon, spend.as_ref(), spec.margin, threads))?;
            let mut metadata = Metadata::new();
            if let Some(key) = &summary.key {
                metadata.insert(CUSTOMER_ID, key.names().to_text());
            }
            if let Some(end) = summary.calibration_end() {
                metadata.insert(AS_OF, end);
            }
            let report = if tables.is_empty() { self.report(summary, spend.as_ref(), spec) } else { Report::default() };
            tables.push(table.finish(n, metadata, report)?);
        }
        Ok(tables)
    }

    /// What is unusual, and why values are null.
    fn report(&self, summary: &ClvSummary, spend: Option<&SpendOfRows>, spec: &PredictSpec) -> Report {
        let mut report = spend.map_or_else(|| summary.report(), |spend| spend.report(summary, &spec.spend));
        if let Some(count) = self.customers_without_own(summary) {
            let tally = Tally { count, ..Tally::default() };
            let entry = ReportEntry::new("without_own_parameters", EntryKind::Note, ReportUnit::Customers, &tally, None);
            report.entries.push(entry);
        }
        report
    }

    fn predicted_parts<'a>(&self, summary: &'a ClvSummary) -> Result<Vec<Part<'a>>> {
        let parts = self.parts(summary)?.into_iter().map(|(fit, rows)| {
            let n = rows.as_ref().map_or(summary.rows(), Vec::len);
            let row = |at: usize| rows.as_ref().map_or(at, |rows| rows[at] as usize);
            let pairs = Pairs::of(n, |at| (summary.x(row(at)), summary.age.get(row(at))));
            Part { predictor: predictor(self.family, &fit.fit.parameters), rows, pairs }
        });
        Ok(parts.collect())
    }
}

/// x, `t_x`, T and the number of customers of distinct histories.
fn history_columns(table: &mut TableBuilder, summary: &ClvSummary) {
    let times = |times: &Times| -> ArrayRef {
        match times {
            Times::Days(days) => Arc::new(Int32Array::new(days.clone(), None)),
            Times::Floats(times) => Arc::new(Float64Array::new(times.clone(), None)),
        }
    };
    table.column("x", Arc::new(Int32Array::new(summary.x.clone(), None)));
    table.column("t_x", times(&summary.t_x));
    table.column("T", times(&summary.age));
    table.column("n_customers", Arc::new(Float64Array::from(summary.weights.clone().unwrap_or_default())));
}

/// A column of the rows of all parts: `value` gets the part, the row, and the number of its pair of x and T.
fn column(
    parts: &[Part<'_>],
    summary: &ClvSummary,
    context: &Context,
    value: impl Fn(usize, usize, usize) -> f64 + Sync + Send,
) -> Result<Vec<f64>> {
    let mut column = vec![0.0; summary.rows()];
    for (number, part) in parts.iter().enumerate() {
        let of_row = |row: usize| value(number, row, part.pairs.place(summary.x(row), summary.age.get(row)));
        match &part.rows {
            Some(rows) => {
                for rows in rows.chunks(BLOCK) {
                    context.check()?;
                    rows.iter().for_each(|&row| column[row as usize] = of_row(row as usize));
                }
            }
            None => {
                for (block, out) in column.chunks_mut(BLOCK).enumerate() {
                    context.check()?;
                    let fill = |first: usize, out: &mut [f64]| {
                        (block * BLOCK + first..).zip(out).for_each(|(row, out)| *out = of_row(row));
                    };
                    context.run_if_large(out.len(), |threads| threads.par_fill(out, fill))?;
                }
            }
        }
    }
    Ok(column)
}

fn block_of(
    parts: &[Part<'_>],
    summary: &ClvSummary,
    p_alive: &[f64],
    horizon: Option<f64>,
    spec: &PredictSpec,
    context: &Context,
) -> Result<Block> {
    let days = horizon.unwrap_or(f64::INFINITY);
    let mut given: Vec<Vec<GivenAlive>> = Vec::with_capacity(parts.len());
    for part in parts {
        let of_pair = |&(x, age): &(u32, f64)| part.predictor.given_alive(x, age, days, spec.discounting);
        given.push(of_pairs(&part.pairs, context, of_pair)?);
    }
    let of = |value: &(dyn Fn(f64, &GivenAlive) -> f64 + Sync)| {
        column(parts, summary, context, |part, row, pair| value(p_alive[row], &given[part][pair]))
    };
    let of_end = |value: &(dyn Fn(f64, &GivenAlive) -> f64 + Sync)| if horizon.is_some() { of(value) } else { Ok(Vec::new()) };
    Ok(Block {
        purchases: of_end(&|p_alive, given| expectations(p_alive, given)[0])?,
        p_purchase: of_end(&|p_alive, given| expectations(p_alive, given)[1])?,
        p_alive_end: of_end(&|p_alive, given| expectations(p_alive, given)[2])?,
        discounted: of(&|p_alive, given| expectations(p_alive, given)[3])?,
        interval: match (spec.level, horizon) {
            (None, _) => None,
            (Some(level), Some(days)) => Some(quantiles(parts, summary, p_alive, (days, level), context)?),
            // Without an end there is no number of purchases.
            (Some(_), None) => Some([(); 2].map(|()| new_null_array(&DataType::Int64, summary.rows()))),
        },
    })
}

/// A value for each pair of x and T, computed by several threads.
fn of_pairs<T: Send>(pairs: &Pairs, context: &Context, value: impl Fn(&(u32, f64)) -> T + Sync + Send) -> Result<Vec<T>> {
    let mut all = Vec::with_capacity(pairs.pairs.len());
    for pairs in pairs.pairs.chunks(PAIRS) {
        context.check()?;
        let work = |chunk: &[(u32, f64)]| chunk.iter().map(&value).collect::<Vec<T>>();
        let found = context.run_if_large(pairs.len() * WORK_OF_A_PAIR, |threads| threads.par_tasks(pairs.chunks(64), work))?;
        all.extend(found.into_iter().flatten());
    }
    Ok(all)
}

/// Purchases, the probability of any, that of not being lost at the end, and the present value, of a customer who has not dropped out with
/// probability `p_alive`.
#[inline]
pub(super) fn expectations(p_alive: f64, given: &GivenAlive) -> [f64; 4] {
    [p_alive * given.purchases, p_alive * given.p_any, p_alive * given.p_alive_end, p_alive * given.discounted]
}

/// The interval of the number of purchases of each row.
fn quantiles(
    parts: &[Part<'_>],
    summary: &ClvSummary,
    p_alive: &[f64],
    (days, level): (f64, f64),
    context: &Context,
) -> Result<[ArrayRef; 2]> {
    let (mut low, mut high) = (vec![0; summary.rows()], vec![0; summary.rows()]);
    for part in parts {
        let distributions = of_pairs(&part.pairs, context, |&(x, age)| {
            let mut out = Vec::new();
            part.predictor.distribution(x, age, days, &mut out);
            out
        })?;
        for at in 0..part.len(summary) {
            if at.is_multiple_of(BLOCK) {
                context.check()?;
            }
            let row = part.row(at);
            let distribution = &distributions[part.pairs.place(summary.x(row), summary.age.get(row))];
            let (from, to) = purchase_quantiles(p_alive[row], distribution, level);
            (low[row], high[row]) = (i64::from(from), i64::from(to));
        }
    }
    Ok([low, high].map(|bounds| Arc::new(Int64Array::from(bounds)) as ArrayRef))
}

fn columns(table: &mut TableBuilder, block: Block, horizon: Option<f64>, spend: Option<&SpendOfRows>, margin: f64, threads: Threads<'_>) {
    let n = block.discounted.len();
    let null = new_null_array(&DataType::Float64, n);
    let of_end = |values: Vec<f64>| -> ArrayRef { if horizon.is_some() { Arc::new(Float64Array::from(values)) } else { null.clone() } };
    let revenue = spend.filter(|_| horizon.is_some()).map(|spend| threads.par_map(n, |row| block.purchases[row] * spend.of_row(row)));
    let value = spend.map(|spend| threads.par_map(n, |row| margin * spend.of_row(row) * block.discounted[row]));
    table.column("expected_purchases", of_end(block.purchases));
    table.column("p_purchase", of_end(block.p_purchase));
    table.column("p_alive_end", of_end(block.p_alive_end));
    table
        .column("expected_spend", spend.map_or_else(|| null.clone(), |spend| nullable_floats(threads.par_map(n, |row| spend.of_row(row)))));
    table.column("expected_revenue", revenue.map_or_else(|| null.clone(), nullable_floats));
    table.column("discounted_purchases", Arc::new(Float64Array::from(block.discounted)));
    table.column("clv", value.map_or_else(|| null.clone(), nullable_floats));
    if let Some([low, high]) = block.interval {
        table.column("purchases_low", low);
        table.column("purchases_high", high);
    }
}
