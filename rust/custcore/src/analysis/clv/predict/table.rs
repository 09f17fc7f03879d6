//! Predictions of all customers of a summary.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int32Array, Int64Array, new_null_array};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Metadata};

use super::pairs::Pairs;
use super::spec::{PredictSpec, Spend};
use super::totals::purchase_quantiles;
use super::{GivenAlive, Predictor};
use crate::analysis::clv::model::{PurchaseModel, predictor};
use crate::analysis::clv::spend::SpendOfRows;
use crate::analysis::clv::summary::{ClvSummary, Times};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::report::Report;
use crate::table::{AS_OF, CUSTOMER_ID, Table, TableBuilder};

/// Customers between two checks whether the call was cancelled.
const BLOCK: usize = 1 << 20;

/// What is expected of each row over one horizon.
struct Block {
    purchases: Vec<f64>,
    p_purchase: Vec<f64>,
    p_alive_end: Vec<f64>,
    discounted: Vec<f64>,
    quantiles: Option<(Vec<i64>, Vec<i64>)>,
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
        let times = |times: Vec<f64>| match cells.on_day_grid {
            true => Times::Days(times.into_iter().map(|time| time as i32).collect()),
            false => Times::Floats(times.into()),
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
        let mut p_alive = vec![0.0; n];
        for part in &parts {
            fill(part, summary, context, &mut [&mut p_alive], |row, out| {
                out[0] = part.predictor.p_alive(summary.x(row), summary.t_x.get(row), summary.age.get(row));
            })?;
        }
        let spend = match &spec.spend {
            Spend::None => None,
            spend => Some(SpendOfRows::of(spend, summary, context)?),
        };
        let p_alive_column: ArrayRef = Arc::new(Float64Array::from(p_alive.clone()));
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
            table.column("horizon_days", Arc::new((0..n).map(|_| horizon).collect::<Float64Array>()));
            table.column("p_alive", p_alive_column.clone());
            context.run_if_large(n, |threads| columns(&mut table, block, horizon, spend.as_ref(), spec.margin, threads))?;
            let mut metadata = Metadata::new();
            if let Some(key) = &summary.key {
                metadata.insert(CUSTOMER_ID, key.names().to_text());
            }
            if let Some(end) = summary.calibration_end() {
                metadata.insert(AS_OF, end);
            }
            let report = if tables.is_empty() { report(summary, spend.as_ref(), &spec.spend) } else { Report::default() };
            tables.push(table.finish(n, metadata, report)?);
        }
        Ok(tables)
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

/// Fills columns of the rows of a part.
fn fill(
    part: &Part<'_>,
    summary: &ClvSummary,
    context: &Context,
    columns: &mut [&mut Vec<f64>],
    value: impl Fn(usize, &mut [f64; 4]) + Sync + Send,
) -> Result<()> {
    let n = part.len(summary);
    for start in (0..n).step_by(BLOCK) {
        context.check()?;
        let len = BLOCK.min(n - start);
        let found: Vec<[f64; 4]> = context.run_if_large(len, |threads| {
            threads.par_map(len, |at| {
                let mut out = [0.0; 4];
                value(part.row(start + at), &mut out);
                out
            })
        })?;
        for (at, found) in found.iter().enumerate() {
            let row = part.row(start + at);
            columns.iter_mut().zip(found).for_each(|(column, &found)| column[row] = found);
        }
    }
    Ok(())
}

fn block_of(
    parts: &[Part<'_>],
    summary: &ClvSummary,
    p_alive: &[f64],
    horizon: Option<f64>,
    spec: &PredictSpec,
    context: &Context,
) -> Result<Block> {
    let n = summary.rows();
    let days = horizon.unwrap_or(f64::INFINITY);
    let mut block = Block {
        purchases: vec![0.0; n],
        p_purchase: vec![0.0; n],
        p_alive_end: vec![0.0; n],
        discounted: vec![0.0; n],
        quantiles: spec.level.filter(|_| horizon.is_some()).map(|_| (vec![0; n], vec![0; n])),
    };
    for part in parts {
        let pairs = &part.pairs.pairs;
        let tasks = (0..pairs.len()).collect::<Vec<usize>>();
        let given: Vec<GivenAlive> = context
            .install(|threads| {
                threads.par_tasks(tasks.chunks(64), |chunk| {
                    chunk.iter().map(|&at| part.predictor.given_alive(pairs[at].0, pairs[at].1, days, spec.discounting)).collect::<Vec<_>>()
                })
            })?
            .concat();
        context.check()?;
        let Block { purchases, p_purchase, p_alive_end, discounted, .. } = &mut block;
        fill(part, summary, context, &mut [purchases, p_purchase, p_alive_end, discounted], |row, out| {
            let given = &given[part.pairs.place(summary.x(row), summary.age.get(row))];
            *out = expectations(p_alive[row], given);
        })?;
        if let (Some((low, high)), Some(level)) = (&mut block.quantiles, spec.level) {
            quantiles(part, summary, p_alive, days, level, (low, high), context)?;
        }
    }
    Ok(block)
}

/// Purchases, the probability of any, that of not being lost at the end, and the present value, of a customer who has not dropped out with
/// probability `p_alive`.
#[inline]
pub(super) fn expectations(p_alive: f64, given: &GivenAlive) -> [f64; 4] {
    let p_purchase = p_alive * (1.0 - given.p_none);
    [p_alive * given.purchases, p_purchase, p_alive * given.p_alive_end, p_alive * given.discounted]
}

fn quantiles(
    part: &Part<'_>,
    summary: &ClvSummary,
    p_alive: &[f64],
    days: f64,
    level: f64,
    (low, high): (&mut [i64], &mut [i64]),
    context: &Context,
) -> Result<()> {
    let pairs = &part.pairs.pairs;
    let tasks = (0..pairs.len()).collect::<Vec<usize>>();
    let distributions: Vec<Vec<f64>> = context
        .install(|threads| {
            threads.par_tasks(tasks.chunks(64), |chunk| {
                let distribution = |&at: &usize| {
                    let mut out = Vec::new();
                    part.predictor.distribution(pairs[at].0, pairs[at].1, days, &mut out);
                    out
                };
                chunk.iter().map(distribution).collect::<Vec<_>>()
            })
        })?
        .concat();
    for at in 0..part.len(summary) {
        if at.is_multiple_of(BLOCK) {
            context.check()?;
        }
        let row = part.row(at);
        let distribution = &distributions[part.pairs.place(summary.x(row), summary.age.get(row))];
        let (from, to) = purchase_quantiles(p_alive[row], distribution, level);
        (low[row], high[row]) = (i64::from(from), i64::from(to));
    }
    Ok(())
}

/// A column in which NaN is null.
pub(crate) fn nullable(values: Vec<f64>) -> ArrayRef {
    if !values.iter().any(|value| value.is_nan()) {
        return Arc::new(Float64Array::from(values));
    }
    let valid: NullBuffer = values.iter().map(|value| !value.is_nan()).collect();
    let values: Vec<f64> = values.into_iter().map(|value| if value.is_nan() { 0.0 } else { value }).collect();
    Arc::new(Float64Array::new(values.into(), Some(valid)))
}

fn columns(table: &mut TableBuilder, block: Block, horizon: Option<f64>, spend: Option<&SpendOfRows>, margin: f64, threads: Threads<'_>) {
    let n = block.purchases.len();
    let null = new_null_array(&DataType::Float64, n);
    let of_end = |values: Vec<f64>| -> ArrayRef { if horizon.is_some() { Arc::new(Float64Array::from(values)) } else { null.clone() } };
    let revenue = spend.filter(|_| horizon.is_some()).map(|spend| threads.par_map(n, |row| block.purchases[row] * spend.of_row(row)));
    let value = spend.map(|spend| threads.par_map(n, |row| margin * spend.of_row(row) * block.discounted[row]));
    table.column("expected_purchases", of_end(block.purchases));
    table.column("p_purchase", of_end(block.p_purchase));
    table.column("p_alive_end", of_end(block.p_alive_end));
    table.column("expected_spend", spend.map_or_else(|| null.clone(), |spend| nullable(threads.par_map(n, |row| spend.of_row(row)))));
    table.column("expected_revenue", revenue.map_or_else(|| null.clone(), nullable));
    table.column("discounted_purchases", Arc::new(Float64Array::from(block.discounted)));
    table.column("clv", value.map_or_else(|| null.clone(), nullable));
    if let Some((low, high)) = block.quantiles {
        table.column("purchases_low", Arc::new(Int64Array::from(low)));
        table.column("purchases_high", Arc::new(Int64Array::from(high)));
    }
}

/// What is unusual, and why values are null.
fn report(summary: &ClvSummary, spend: Option<&SpendOfRows>, kind: &Spend) -> Report {
    match spend {
        Some(spend) => spend.report(summary, kind),
        None => Report { as_of: summary.calibration_end, remarks: summary.remarks.clone(), ..Report::default() },
    }
}
