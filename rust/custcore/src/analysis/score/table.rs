//! The output tables of scorers: scores appended to a table, thresholds and drift.

use std::sync::Arc;

use arrow_array::types::Float64Type;
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt8Array};
use arrow_schema::Metadata;

use super::cells::{NestedCells, misses_some};
use super::drift::{PopulationDrift, psi};
use super::scorer::Scorer;
use crate::error::Result;
use crate::exec::par::Threads;
use crate::report::Report;
use crate::table::{Table, TableBuilder};

/// Scores as a column; 0 becomes null.
pub(crate) fn score_column(scores: &[u8], threads: Threads<'_>) -> ArrayRef {
    if misses_some(scores, threads) {
        return Arc::new(scores.iter().map(|&score| (score > 0).then_some(score)).collect::<UInt8Array>());
    }
    Arc::new(UInt8Array::from(scores.to_vec()))
}

/// The weighted sum of scores.
pub(crate) fn weighted(scores: &[u8], weights: &[f64]) -> f64 {
    scores.iter().zip(weights).map(|(&score, weight)| weight * f64::from(score)).sum()
}

/// The columns of `batch` followed by `<column>_score` of each dimension, the score cell and, with weights, the weighted sum.
pub(crate) fn scores_table(
    batch: &RecordBatch,
    scorer: &Scorer,
    scores: &[Vec<u8>],
    weights: Option<&[f64]>,
    report: Report,
    threads: Threads<'_>,
) -> Result<Table> {
    let rows = batch.num_rows();
    let mut table = TableBuilder::from_batch(batch);
    for (dimension, scores) in scorer.spec().dimensions.iter().zip(scores) {
        table.column(&format!("{}_score", dimension.column), score_column(scores, threads));
    }
    let cells = NestedCells::new(scores, rows, threads);
    table.column("score_cell", Arc::new(cells.texts(threads)?));
    if let Some(weights) = weights {
        table.column("score_total", Arc::new(cells.numbers::<Float64Type>(|scores| Some(weighted(scores, weights)), threads)));
    }
    table.finish(rows, batch.schema().metadata().clone(), report)
}

/// Population drift since the fit: one row per dimension, or per dimension and score.
pub fn drift_table(drifts: &[PopulationDrift], by_score: bool) -> Result<Table> {
    let mut table = TableBuilder::default();
    let float = |values: Vec<f64>| Arc::new(Float64Array::from(values));
    let count = |values: Vec<u64>| Arc::new(values.iter().map(|&count| Some(count as i64)).collect::<Int64Array>());
    let names = |times: &dyn Fn(&PopulationDrift) -> usize| {
        Arc::new(drifts.iter().flat_map(|drift| std::iter::repeat_n(Some(&drift.dimension), times(drift))).collect::<StringArray>())
    };
    let shares: Vec<Vec<(f64, f64)>> = drifts.iter().map(|drift| drift.shares().collect()).collect();
    let each = shares.iter().map(|shares| shares.iter().map(|&(fitted, now)| psi(fitted, now)).collect::<Vec<f64>>());
    let rows = if by_score {
        table.column("dimension", names(&|drift| drift.fitted.len()));
        table.column("score", Arc::new(drifts.iter().flat_map(|drift| 1..=drift.fitted.len() as u8).collect::<UInt8Array>()));
        table.column("customers_fitted", count(drifts.iter().flat_map(|drift| drift.fitted.clone()).collect()));
        table.column("customers_now", count(drifts.iter().flat_map(|drift| drift.now.clone()).collect()));
        table.column("share_fitted", float(shares.iter().flatten().map(|share| share.0).collect()));
        table.column("share_now", float(shares.iter().flatten().map(|share| share.1).collect()));
        let each: Vec<f64> = each.flatten().collect();
        let rows = each.len();
        table.column("psi", float(each));
        rows
    } else {
        table.column("dimension", names(&|_| 1));
        table.column("customers_fitted", count(drifts.iter().map(|drift| drift.fitted.iter().sum()).collect()));
        table.column("customers_now", count(drifts.iter().map(|drift| drift.now.iter().sum()).collect()));
        table.column("psi", float(each.map(|each| each.iter().sum()).collect()));
        drifts.len()
    };
    table.finish(rows, Metadata::new(), Report::default())
}

/// One row per dimension, cell and score: the interval of values with this score, and the number of fitted customers.
pub fn thresholds_table(scorer: &Scorer) -> Result<Table> {
    let mut columns = ThresholdColumns::default();
    for (position, fitted) in scorer.fitted.iter().enumerate() {
        for (cell, binner) in fitted.binners.iter().enumerate() {
            let Some(binner) = binner else { continue };
            let bins = binner.counts.len();
            let (least, most) = binner.range;
            let mut edges = binner.edges();
            // With fewer customers than tiles, the last tiles are empty.
            edges.resize(bins - 1, most);
            // Explicit cuts may be outside the range of fitted values; the outer interval is then empty.
            let lower = |bin: usize| if bin == 0 { edges.first().map_or(least, |&edge| least.min(edge)) } else { edges[bin - 1] };
            let upper = |bin: usize| edges.get(bin).copied().unwrap_or_else(|| edges.last().map_or(most, |&edge| most.max(edge)));
            let (group, within) = cell_labels(scorer, position, cell);
            for score in 1..=bins {
                let bin = if fitted.dimension.reversed { bins - score } else { score - 1 };
                columns.group.push(group.clone());
                columns.dimension.push(fitted.dimension.name.clone());
                columns.within.push(within.clone());
                columns.score.push(score as u8);
                columns.lower.push(lower(bin));
                columns.upper.push(upper(bin));
                columns.customers.push(binner.counts[score - 1] as i64);
            }
        }
    }
    columns.table(scorer)
}

#[derive(Default)]
struct ThresholdColumns {
    group: Vec<Option<String>>,
    dimension: Vec<String>,
    within: Vec<Option<String>>,
    score: Vec<u8>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    customers: Vec<i64>,
}

impl ThresholdColumns {
    fn table(self, scorer: &Scorer) -> Result<Table> {
        let rows = self.score.len();
        let mut table = TableBuilder::default();
        if scorer.groups().is_some() {
            table.column("group", Arc::new(StringArray::from(self.group)));
        }
        table.column("dimension", Arc::new(StringArray::from(self.dimension)));
        if scorer.spec().nested {
            table.column("within", Arc::new(StringArray::from(self.within)));
        }
        table.column("score", Arc::new(UInt8Array::from(self.score)));
        table.column("lower", Arc::new(Float64Array::from(self.lower)));
        table.column("upper", Arc::new(Float64Array::from(self.upper)));
        table.column("customers", Arc::new(Int64Array::from(self.customers.clone())));
        table.column("is_empty", Arc::new(self.customers.iter().map(|&n| Some(n == 0)).collect::<BooleanArray>()));
        table.finish(rows, Metadata::new(), Report::default())
    }
}

/// The group of a cell of the dimension at `position`, and the preceding scores, e.g. `recency=5, frequency=3`.
fn cell_labels(scorer: &Scorer, position: usize, cell: usize) -> (Option<String>, Option<String>) {
    let mut cell = cell;
    let mut parts = Vec::new();
    for before in scorer.fitted[..position].iter().rev() {
        if let Some((parent, score)) = before.nest.as_ref().and_then(|nest| nest.parent(cell)) {
            parts.push(format!("{}={score}", before.dimension.name));
            cell = parent as usize;
        }
    }
    parts.reverse();
    let group = scorer.groups().and_then(|groups| groups.get(cell)).and_then(|key| key.borrow().text());
    (group, (!parts.is_empty()).then(|| parts.join(", ")))
}
