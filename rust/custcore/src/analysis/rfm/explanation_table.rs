//! The explanation of a customer's scores as a table: one row per dimension.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, UInt8Array};
use arrow_schema::Metadata;

use super::explain::{DimensionExplanation, ScoreChange, ScoreExplanation};
use crate::analysis::score::binner::BinBound;
use crate::analysis::score::explain::EdgeRule;
use crate::error::Result;
use crate::report::Report;
use crate::table::{Table, TableBuilder};

impl EdgeRule {
    /// Its name in results.
    pub fn word(self) -> &'static str {
        match self {
            Self::Type7 => "type7",
            Self::R => "r",
            Self::Cuts => "cuts",
            Self::Split => "split",
        }
    }
}

impl<'a> ScoreExplanation<'a> {
    /// One row per dimension, values as floats.
    pub fn table(&self) -> Result<Table> {
        let rows = &self.dimensions;
        let mut table = TableBuilder::default();
        let floats =
            |of: &dyn Fn(&DimensionExplanation<'a>) -> Option<f64>| -> ArrayRef { Arc::new(rows.iter().map(of).collect::<Float64Array>()) };
        let texts = |of: &dyn Fn(&DimensionExplanation<'a>) -> Option<String>| -> ArrayRef {
            Arc::new(rows.iter().map(of).collect::<StringArray>())
        };
        let value = |bound: Option<BinBound>| bound.map(|bound| bound.value.to_f64());
        let is_closed = |bound: Option<BinBound>| bound.map(|bound| bound.is_closed);
        let at = |change: Option<ScoreChange<'_>>| change.map(|change| change.value.to_f64());
        let segment = |change: Option<ScoreChange<'_>>| change.and_then(|change| change.segment.map(str::to_owned));
        let new_score = |change: Option<ScoreChange<'_>>, dimension: usize| change.and_then(|change| change.scores[dimension]);
        table.column("dimension", texts(&|row| Some(row.name.clone())));
        table.column("column", texts(&|row| Some(row.column.clone())));
        table.column("value", floats(&|row| Some(row.value.to_f64())));
        table.column("score", Arc::new(rows.iter().map(|row| Some(row.bin.score)).collect::<UInt8Array>()));
        table.column("bins", Arc::new(rows.iter().map(|row| Some(row.bin.bins)).collect::<UInt8Array>()));
        table.column("lower", floats(&|row| value(row.bin.lower)));
        table.column("lower_closed", Arc::new(rows.iter().map(|row| is_closed(row.bin.lower)).collect::<BooleanArray>()));
        table.column("upper", floats(&|row| value(row.bin.upper)));
        table.column("upper_closed", Arc::new(rows.iter().map(|row| is_closed(row.bin.upper)).collect::<BooleanArray>()));
        table.column("rule", texts(&|row| Some(row.bin.rule.word().to_owned())));
        table.column("within", texts(&|row| within_text(row)));
        table.column("customers", Arc::new(rows.iter().map(|row| row.bin.customers.map(|count| count as i64)).collect::<Int64Array>()));
        for (name, of) in [("lower", 0), ("higher", 1)] {
            let change = |row: &DimensionExplanation<'a>| if of == 0 { row.lower } else { row.higher };
            let scores = rows.iter().enumerate().map(|(dimension, row)| new_score(change(row), dimension));
            table.column(&format!("{name}_score"), Arc::new(scores.collect::<UInt8Array>()));
            table.column(&format!("{name}_score_at"), floats(&|row| at(change(row))));
        }
        if self.segment.is_some() {
            for (name, of) in [("below", 0), ("above", 1)] {
                let change = |row: &DimensionExplanation<'a>| if of == 0 { row.segment_below } else { row.segment_above };
                table.column(&format!("segment_{name}"), texts(&|row| segment(change(row))));
                table.column(&format!("segment_{name}_at"), floats(&|row| at(change(row))));
            }
        }
        table.finish(rows.len(), Metadata::new(), Report::default())
    }
}

/// The preceding scores, as in the table of thresholds.
fn within_text(row: &DimensionExplanation<'_>) -> Option<String> {
    let parts: Vec<String> = row.bin.within.iter().map(|(name, score)| format!("{name}={score}")).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
