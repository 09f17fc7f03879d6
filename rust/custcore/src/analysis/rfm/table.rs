//! Arrow tables of RFM.

use std::sync::Arc;

use arrow_array::types::{Float64Type, Int16Type, Int32Type};
use arrow_array::{
    ArrayRef, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
};

use arrow_schema::{DataType, Metadata};

use super::kernel::{RfmColumns, UnitColumn};
use super::segments::SegmentMap;
use crate::analysis::score::cells::NestedCells;
use crate::analysis::score::table::{score_column, weighted};
use crate::base::view::BaseView;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::Threads;
use crate::group::interner::NO_CODE;
use crate::num::money::{Money, decimal_text, units_to_f64};
use crate::report::Report;
use crate::table::{AS_OF, CUSTOMER_ID, Table, TableBuilder, id_text};
use crate::time::calendar::date_text;

/// One row per buyer, in the order of `codes`.
pub(crate) fn rfm_table(view: &BaseView<'_>, codes: &[u32], columns: RfmColumns, threads: Threads<'_>) -> Result<Table> {
    let (input_schema, keys, report) = (view.kinds(), view.ids(), view.report());
    let mut table = TableBuilder::default();
    table.ids(&input_schema.id, keys, codes, threads)?;
    table.column("first_date", Arc::new(Date32Array::from(columns.first)));
    table.column("last_date", Arc::new(Date32Array::from(columns.last)));
    table.column("recency_days", Arc::new(Int32Array::from(columns.recency)));
    table.column("tenure_days", Arc::new(Int32Array::from(columns.tenure)));
    let orders = Int64Array::from(columns.orders);
    table.column("n_orders", Arc::new(orders.clone()));
    // If each row is an order, both columns share one buffer.
    let rows = view.rows().map(|rows| codes.iter().map(|&code| rows[code as usize] as i64).collect());
    table.column("n_rows", Arc::new(rows.unwrap_or_else(|| orders.clone())));
    if let Some(counts) = view.n_days() {
        table.column("n_days", Arc::new(Int64Array::from_iter_values(codes.iter().map(|&code| i64::from(counts[code as usize])))));
    }
    if let Some(money) = input_schema.money {
        let (total, mean) =
            monetary(money, &columns.units, orders.values(), threads).map_err(|Overflow { row, total, output, remedy }| {
                let id = id_text(&input_schema.id, keys, codes[row]);
                Error::new(ErrorKind::SumOverflow, format!("the amounts of customer {id} add up to {total}, beyond {output}. {remedy}"))
            })?;
        table.column("monetary_total", total);
        table.column("monetary_mean", mean);
    }
    // A part of a composite key is there already.
    for attribute in view.attributes().filter(|attribute| !input_schema.id.has(attribute.name())) {
        let values = codes.iter().map(|&code| attribute.get(code).filter(|&value| value != NO_CODE));
        table.values(attribute.name(), attribute.value_type(), attribute.values(), values)?;
    }
    let mut metadata = Metadata::new();
    metadata.insert(CUSTOMER_ID, input_schema.id.names().to_text());
    if let Some(day) = report.as_of {
        metadata.insert(AS_OF, date_text(day));
    }
    table.finish(codes.len(), metadata, report)
}

/// A sum that exceeds its output type.
struct Overflow {
    row: usize,
    total: String,
    output: &'static str,
    remedy: &'static str,
}

/// Total and mean in the output type of the amounts.
fn monetary(money: Money, units: &UnitColumn, orders: &[i64], threads: Threads<'_>) -> std::result::Result<(ArrayRef, ArrayRef), Overflow> {
    match units {
        UnitColumn::Narrow(units) => monetary_of(money, units, orders, threads),
        UnitColumn::Wide(units) => monetary_of(money, units, orders, threads),
    }
}

fn monetary_of<U: Copy + Into<i128> + Sync>(
    money: Money,
    units: &[U],
    orders: &[i64],
    threads: Threads<'_>,
) -> std::result::Result<(ArrayRef, ArrayRef), Overflow> {
    let rows = units.len();
    let units = |row: usize| -> i128 { units[row].into() };
    let mean = |row: usize, total: f64| total / orders[row] as f64;
    match money {
        Money::Float { decimals } => {
            let (totals, means) = threads.par_map_pairs(rows, |row| {
                let total = units_to_f64(units(row), i32::from(decimals));
                (total, mean(row, total))
            });
            Ok((Arc::new(Float64Array::from(totals)), Arc::new(Float64Array::from(means))))
        }
        Money::Integer => {
            if let Some(row) = (0..rows).find(|&row| i64::try_from(units(row)).is_err()) {
                return Err(Overflow { row, total: units(row).to_string(), output: "int64", remedy: "Cast the amounts to decimal" });
            }
            let (totals, means) = threads.par_map_pairs(rows, |row| (units(row) as i64, mean(row, units(row) as f64)));
            Ok((Arc::new(Int64Array::from(totals)), Arc::new(Float64Array::from(means))))
        }
        Money::Decimal { scale } => {
            let bound = 10_u128.pow(38);
            if let Some(row) = (0..rows).find(|&row| units(row).unsigned_abs() >= bound) {
                let total = decimal_text(units(row), scale);
                return Err(Overflow { row, total, output: "decimal128(38)", remedy: "Cast the amounts to a smaller scale" });
            }
            let (totals, means) = threads.par_map_pairs(rows, |row| (units(row), mean(row, units_to_f64(units(row), i32::from(scale)))));
            let totals = Decimal128Array::from(totals).with_data_type(DataType::Decimal128(38, scale));
            Ok((Arc::new(totals), Arc::new(Float64Array::from(means))))
        }
    }
}

/// Source of the segment of a row.
#[derive(Debug)]
pub(crate) enum SegmentCodes<'a> {
    /// Looked up by RFM cell.
    ByCell(&'a SegmentMap),
    /// Given for each row as a position in the names.
    ByRow(Vec<Option<u16>>),
}

/// The columns of `batch` followed by the scores. `scores` are the R, F and, with amounts, M scores; `segments` are the names
/// and the source of each row's position in them.
pub(crate) fn scores_table(
    batch: &RecordBatch,
    scores: &[Vec<u8>],
    one_digit: bool,
    weights: [f64; 3],
    segments: Option<(Vec<&str>, SegmentCodes<'_>)>,
    report: Report,
    threads: Threads<'_>,
) -> Result<Table> {
    let mut table = TableBuilder::from_batch(batch);
    let rows = batch.num_rows();
    for (name, scores) in ["r_score", "f_score", "m_score"].into_iter().zip(scores) {
        table.column(name, score_column(scores, threads));
    }
    let cells = NestedCells::new(scores, rows, threads);
    table.column("rfm_cell", Arc::new(cells.texts(threads)?));
    // With more than 9 bins a score may have two digits and the concatenation is ambiguous (1110: 1-11-0 or 11-1-0): null.
    let digits = |scores: &[u8]| one_digit.then(|| scores.iter().fold(0, |number, &digit| number * 10 + i32::from(digit)));
    table.column("rfm_score", Arc::new(cells.numbers::<Int32Type>(digits, threads)));
    table.column("rfm_total", Arc::new(cells.numbers::<Float64Type>(|scores| Some(weighted(scores, &weights)), threads)));
    if let Some((names, segments)) = segments {
        let n = names.len();
        let names: ArrayRef = Arc::new(StringArray::from(names));
        let segments = match segments {
            SegmentCodes::ByCell(map) => {
                let code = |scores: &[u8]| map.segment(scores[0], scores[1], scores.get(2).copied().unwrap_or(1));
                let codes = cells
                    .numbers::<Int16Type>(|scores| code(scores).filter(|&code| usize::from(code) < n).map(|code| code as i16), threads);
                // SAFETY: each code was checked above, once per combination of scores, to be a position in the names.
                unsafe { DictionaryArray::new_unchecked(codes, names) }
            }
            SegmentCodes::ByRow(codes) => {
                let codes = codes.into_iter().map(|code| code.map(|code| code as i16)).collect();
                DictionaryArray::try_new(codes, names).map_err(Error::internal)?
            }
        };
        table.column("segment", Arc::new(segments));
    }
    table.finish(rows, batch.schema().metadata().clone(), report)
}
