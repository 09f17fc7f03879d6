//! Uplift curves as tables and back, for pickles: a row for each point, and the rest in the metadata.

use std::sync::Arc;

use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, Float64Array, Int64Array, RecordBatch};
use arrow_schema::Metadata;
use serde::{Deserialize, Serialize};

use super::uplift::UpliftCurve;
use super::uplift_curve::{Point, UpliftSums};
use crate::error::{Error, ErrorKind, Result};
use crate::report::Report;
use crate::table::{STATE, Table, TableBuilder, state_column, state_of};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CurveState {
    sums: UpliftSums,
    value: Option<(f64, f64)>,
    groups: [String; 2],
}

/// Columns of floats.
const FLOATS: [&str; 5] = ["score", "share", "sum_control", "sum_treatment", "gain"];
const COUNTS: [&str; 2] = ["n_control", "n_treatment"];
const SE: &str = "se";

impl UpliftCurve {
    /// All that is known of the curve.
    pub fn state(&self) -> Result<Table> {
        let state = CurveState { sums: self.sums, value: self.value, groups: self.groups.clone() };
        let state = serde_json::to_string(&state).map_err(Error::internal)?;
        let floats = |point: &Point| [point.score, point.share, point.sums[0], point.sums[1], point.gain];
        let mut table = TableBuilder::default();
        for (at, name) in FLOATS.into_iter().enumerate() {
            table.column(name, Arc::new(Float64Array::from_iter_values(self.points.iter().map(|point| floats(point)[at]))));
        }
        for (at, name) in COUNTS.into_iter().enumerate() {
            table.column(name, Arc::new(Int64Array::from_iter_values(self.points.iter().map(|point| point.n[at] as i64))));
        }
        table.column(SE, Arc::new(self.points.iter().map(|point| point.se).collect::<Float64Array>()));
        table.finish(self.points.len(), Metadata::from([(STATE.to_owned(), state)]), self.report.clone())
    }

    /// The curve of [`UpliftCurve::state`].
    pub fn of_state(batch: &RecordBatch, report: Report) -> Result<Self> {
        let CurveState { sums, value, groups } = state_of(batch)?;
        let mut floats = Vec::with_capacity(FLOATS.len());
        for name in FLOATS {
            floats.push(state_column::<Float64Type>(batch, name)?);
        }
        let counts = [state_column::<Int64Type>(batch, COUNTS[0])?, state_column::<Int64Type>(batch, COUNTS[1])?];
        let errors = state_column::<Float64Type>(batch, SE)?;
        let point = |at: usize| Point {
            score: floats[0].value(at),
            share: floats[1].value(at),
            sums: [floats[2].value(at), floats[3].value(at)],
            gain: floats[4].value(at),
            n: [0, 1].map(|arm| counts[arm].value(at).unsigned_abs()),
            se: (!errors.is_null(at)).then(|| errors.value(at)),
        };
        let points: Vec<Point> = (0..batch.num_rows()).map(point).collect();
        if points.is_empty() || !points.is_sorted_by(|a, b| a.share <= b.share) {
            return Err(Error::new(ErrorKind::ModelFormat, "the points of the curve are not ascending"));
        }
        Ok(Self { points, sums, value, groups, report })
    }
}
