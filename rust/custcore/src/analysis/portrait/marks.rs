//! The marks of segments: the rows of a portrait that set them apart.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int16Type};
use arrow_array::{BooleanArray, Float64Array, Int16Array, RecordBatch, UInt32Array};
use arrow_select::concat::concat_batches;
use arrow_select::take::take;

use crate::column::find_result_column;
use crate::error::{Error, Result};
use crate::report::Report;
use crate::table::{Table, TableBuilder};

/// The columns of a portrait that say what its marks are.
#[derive(Debug)]
pub(super) struct Marks {
    segments: Int16Array,
    index: Float64Array,
    is_mark: BooleanArray,
}

impl Marks {
    pub(super) fn of(batch: &RecordBatch) -> Result<Self> {
        let schema = batch.schema();
        let column = |name: &str| -> Result<_> { Ok(batch.column(find_result_column(&schema, name)?)) };
        let unlike = || Error::internal("a portrait of other columns");
        let segments = column("segment")?.as_any_dictionary_opt().and_then(|column| column.keys().as_primitive_opt::<Int16Type>());
        Ok(Self {
            segments: segments.ok_or_else(unlike)?.clone(),
            index: column("index")?.as_primitive_opt::<Float64Type>().ok_or_else(unlike)?.clone(),
            is_mark: column("is_mark")?.as_boolean_opt().ok_or_else(unlike)?.clone(),
        })
    }

    /// The rows of a segment.
    pub(super) fn rows(&self, segment: usize) -> Range<usize> {
        let codes = self.segments.values();
        let first = codes.partition_point(|&code| (code as usize) < segment);
        first..first + codes[first..].partition_point(|&code| code as usize == segment)
    }

    /// The first `n` marks above an index of 100, the strongest first, and the last one below.
    pub(super) fn strongest(&self, rows: Range<usize>, n: usize) -> (Vec<usize>, Option<usize>) {
        let is_mark = |row: &usize| self.is_mark.value(*row);
        let above = rows.clone().filter(is_mark).filter(|&row| self.index.value(row) > 100.0).take(n).collect();
        (above, rows.rev().filter(is_mark).find(|&row| self.index.value(row) < 100.0))
    }
}

/// A portrait as one batch.
pub(super) fn whole(portrait: &[RecordBatch]) -> Result<RecordBatch> {
    let Some(first) = portrait.first() else { return Err(Error::internal("a portrait without a batch")) };
    concat_batches(&first.schema(), portrait).map_err(Error::internal)
}

/// The first `n` marks of each segment of a portrait above an index of 100, and the last one below.
pub fn portrait_marks(portrait: &[RecordBatch], n: usize, report: Report) -> Result<Table> {
    let batch = whole(portrait)?;
    let marks = Marks::of(&batch)?;
    let (mut rows, mut first) = (Vec::new(), 0);
    while let Some(&segment) = marks.segments.values().get(first) {
        let of_segment = marks.rows(segment as usize);
        first = of_segment.end;
        let (above, below) = marks.strongest(of_segment, n);
        rows.extend(above.into_iter().chain(below).map(|row| row as u32));
    }
    let rows = UInt32Array::from(rows);
    let mut table = TableBuilder::default();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        table.column(field.name(), take(column, &rows, None).map_err(Error::internal)?);
    }
    table.finish(rows.len(), batch.schema().metadata().clone(), report)
}
