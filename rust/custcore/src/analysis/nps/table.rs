//! The table of net promoter scores: all answers first, then each segment.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::Metadata;

use super::answers::AnswersRead;
use super::kernel::Answers;
use super::spec::NpsSpec;
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit, Tally};
use crate::table::{Table, TableBuilder};

/// Net promoter scores of all answers and, with `by`, of each segment.
pub fn nps(batches: &[RecordBatch], spec: &NpsSpec, context: &Context) -> Result<Table> {
    let Some(first) = batches.first() else { return Err(Error::internal("a table without a batch")) };
    let mut read = AnswersRead::new(&first.schema(), spec)?;
    for batch in batches {
        let before = read.rows;
        read.push(batch, context).map_err(|error| error.counted_from(before))?;
    }
    let (all, segments, read) = read.finish();
    let report = report_of(&read, spec);
    let rows: Vec<&Answers> = std::iter::once(&all).chain(segments.iter().map(|(_, answers)| answers)).collect();
    let counts =
        |count: fn(&Answers) -> u64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| count(row) as i64))) };
    let scores: Vec<Option<(f64, f64, f64)>> = rows.iter().map(|row| row.nps(spec.interval)).collect();
    let floats =
        |value: fn((f64, f64, f64)) -> f64| -> ArrayRef { Arc::new(scores.iter().map(|score| score.map(value)).collect::<Float64Array>()) };
    let mut table = TableBuilder::default();
    if spec.by.is_some() {
        let names = std::iter::once(None).chain(segments.iter().map(|(name, _)| Some(name)));
        table.column("segment", Arc::new(names.collect::<StringArray>()));
    }
    table.column("answers", counts(Answers::answers));
    table.column("missing", counts(|row| row.missing));
    table.column("promoters", counts(|row| row.promoters));
    table.column("passives", counts(|row| row.passives));
    table.column("detractors", counts(|row| row.detractors));
    table.column("nps", floats(|(nps, _, _)| nps));
    table.column("nps_low", floats(|(_, low, _)| low));
    table.column("nps_high", floats(|(_, _, high)| high));
    table.finish(rows.len(), Metadata::new(), report)
}

fn report_of(read: &AnswersRead<'_>, spec: &NpsSpec) -> Report {
    let mut report = Report { n_rows: read.rows, ..Report::default() };
    let mut entry = |name, kind, tally: &Tally| report.entries.push(ReportEntry::new(name, kind, ReportUnit::Rows, tally, None));
    if spec.customer_id.is_some() {
        entry("null_customer_id", EntryKind::LeftOut, &read.null_ids);
        let mut others = Tally::default();
        others.add_many(read.other_answers, 0);
        entry("other_answers", EntryKind::LeftOut, &others);
    }
    if spec.timestamp.is_some() {
        entry("null_timestamp", EntryKind::LeftOut, &read.null_times);
    }
    if spec.by.is_some() {
        entry("null_segment", EntryKind::Note, &read.null_segments);
    }
    report
}
