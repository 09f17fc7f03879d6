//! The Arrow tables of scorers: thresholds, and scores beside a table's own columns.

use std::sync::Arc;

use arrow_array::types::Float64Type;
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt8Array};
use arrow_schema::Metadata;

use super::Scorer;
use super::cells::Cells;
use crate::error::Result;
use crate::report::Report;
use crate::table::{Table, TableBuilder};

/// Scores as a column; 0 is null.
pub fn score_column(scores: &[u8]) -> ArrayRef {
    if scores.contains(&0) {
        return Arc::new(scores.iter().map(|&score| (score > 0).then_some(score)).collect::<UInt8Array>());
    }
    Arc::new(UInt8Array::from(scores.to_vec()))
}

/// The weighted sum of scores.
pub fn weighted(scores: &[u8], weights: &[f64]) -> f64 {
    scores.iter().zip(weights).map(|(&score, weight)| weight * f64::from(score)).sum()
}

/// The columns of `batch` with `<column>_score` of each dimension, the cell, and with weights the weighted sum.
pub fn scores_table(batch: &RecordBatch, scorer: &Scorer, scores: &[Vec<u8>], weights: Option<&[f64]>, report: Report) -> Result<Table> {
    let rows = batch.num_rows();
    let mut table = TableBuilder::from_batch(batch);
    for (dimension, scores) in scorer.spec().dimensions.iter().zip(scores) {
        table.column(&format!("{}_score", dimension.column), score_column(scores));
    }
    let cells = Cells::new(scores, rows);
    table.column("score_cell", Arc::new(cells.texts()?));
    if let Some(weights) = weights {
        table.column("score_total", Arc::new(cells.numbers::<Float64Type>(|scores| Some(weighted(scores, weights)))));
    }
    table.finish(rows, batch.schema().metadata().clone(), report)
}

/// One row per dimension, cell and score: the interval of values that gets it, and how many fitted customers did.
pub fn thresholds_table(scorer: &Scorer) -> Result<Table> {
    let mut columns = Columns::default();
    for fitted in &scorer.fitted {
        for (cell, binner) in fitted.binners.iter().enumerate() {
            let Some(binner) = binner else { continue };
            let bins = binner.counts.len();
            let mut ends = vec![binner.range.0];
            ends.extend(binner.edges());
            // Fewer customers than tiles: the last tiles stay empty.
            ends.resize(bins, binner.range.1);
            ends.push(binner.range.1);
            for score in 1..=bins {
                let bin = if fitted.dimension.reversed { bins - score } else { score - 1 };
                columns.dimension.push(fitted.dimension.name.clone());
                columns.cell.push(cell);
                columns.bins_of_cell.push(fitted.binners.len());
                columns.score.push(score as u8);
                columns.lower.push(ends[bin]);
                columns.upper.push(ends[bin + 1]);
                columns.customers.push(binner.counts[score - 1] as i64);
            }
        }
    }
    columns.table(scorer)
}

#[derive(Default)]
struct Columns {
    dimension: Vec<String>,
    cell: Vec<usize>,
    bins_of_cell: Vec<usize>,
    score: Vec<u8>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    customers: Vec<i64>,
}

impl Columns {
    fn table(self, scorer: &Scorer) -> Result<Table> {
        let rows = self.score.len();
        let mut table = TableBuilder::default();
        if let Some(groups) = scorer.groups() {
            let group =
                |(&cell, &cells): (&usize, &usize)| groups.get(cell / (cells / groups.len()).max(1)).and_then(|key| key.borrow().text());
            let names: StringArray = self.cell.iter().zip(&self.bins_of_cell).map(group).collect();
            table.column("group", Arc::new(names));
        }
        table.column("dimension", Arc::new(StringArray::from(self.dimension.clone())));
        if scorer.spec().nested {
            let within: StringArray = self.cell.iter().zip(&self.bins_of_cell).map(|(&cell, &cells)| within(scorer, cell, cells)).collect();
            table.column("within", Arc::new(within));
        }
        table.column("score", Arc::new(UInt8Array::from(self.score)));
        table.column("lower", Arc::new(Float64Array::from(self.lower)));
        table.column("upper", Arc::new(Float64Array::from(self.upper)));
        table.column("customers", Arc::new(Int64Array::from(self.customers.clone())));
        table.column("is_empty", Arc::new(self.customers.iter().map(|&n| Some(n == 0)).collect::<BooleanArray>()));
        table.finish(rows, Metadata::new(), Report::default())
    }
}

/// The scores that a nested cell stands for, e.g. `recency=5, frequency=3`; null for a dimension that is nested in none.
fn within(scorer: &Scorer, cell: usize, cells: usize) -> Option<String> {
    let groups = scorer.groups().map_or(1, <[_]>::len);
    let (mut rest, mut left) = (cell % (cells / groups).max(1), (cells / groups).max(1));
    let mut parts = Vec::new();
    for fitted in &scorer.fitted {
        let bins = usize::from(fitted.dimension.bins);
        if left == 1 {
            break;
        }
        left /= bins;
        parts.push(format!("{}={}", fitted.dimension.name, rest / left + 1));
        rest %= left;
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}
