//! The Arrow tables of RFM.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray,
};

use arrow_schema::{DataType, Metadata};

use super::kernel::RfmColumns;
use crate::base::intern::{Keys, NO_CODE};
use crate::base::spec::Spec;
use crate::base::state::State;
use crate::calendar::date_text;
use crate::column::chunks::Kinds;
use crate::column::ids::{byte_ids, integer_ids};
use crate::column::key::KeyKind;
use crate::error::{Error, ErrorKind, Result};
use crate::money::{Money, decimal_text, units_to_f64};
use crate::report::Report;
use crate::score::table::{cell_column, score_column, total_column};
use crate::table::{Table, TableBuilder};

/// One row per buyer, in the order of `codes`.
pub fn rfm_table(spec: &Spec, kinds: &Kinds, state: &State, codes: &[u32], columns: RfmColumns, report: Report) -> Result<Table> {
    let mut table = TableBuilder::default();
    let keys = state.interner.keys();
    table.column(&kinds.id_name, id_column(kinds, keys, codes)?);
    table.column("first_date", Arc::new(Date32Array::from(columns.first)));
    table.column("last_date", Arc::new(Date32Array::from(columns.last)));
    table.column("recency_days", Arc::new(Int32Array::from(columns.recency)));
    table.column("tenure_days", Arc::new(Int32Array::from(columns.tenure)));
    let orders = Int64Array::from(columns.orders);
    table.column("n_orders", Arc::new(orders.clone()));
    table.column("n_rows", Arc::new(Int64Array::from_iter_values(codes.iter().map(|&code| state.totals.rows(code) as i64))));
    if let Some(days) = &state.days {
        let counts = days.counts(state.interner.len());
        table.column("n_days", Arc::new(Int64Array::from_iter_values(codes.iter().map(|&code| i64::from(counts[code as usize])))));
    }
    if let Some(money) = kinds.money {
        let units = codes.iter().map(|&code| state.totals.slots()[code as usize].units);
        let (total, mean) = monetary(money, units, orders.values(), &kinds.id_name, |row| id_text(kinds, keys, codes[row]))?;
        table.column("monetary_total", total);
        table.column("monetary_mean", mean);
    }
    for (((name, _), (_, value_type)), attribute) in spec.roles.attributes.iter().zip(&kinds.attributes).zip(&state.attributes) {
        let values = codes.iter().map(|&code| attribute.get(code).map(|seen| seen.value).filter(|&value| value != NO_CODE));
        table.column(name, key_column(value_type, attribute.values.keys(), values)?);
    }
    let mut metadata = Metadata::new();
    metadata.insert("custcore.customer_id", kinds.id_name.clone());
    if let Some(day) = report.as_of {
        metadata.insert("custcore.as_of", date_text(day));
    }
    table.finish(codes.len(), metadata, report)
}

/// The ids of `codes` in the type they came in.
pub fn id_column(kinds: &Kinds, keys: &Keys, codes: &[u32]) -> Result<ArrayRef> {
    key_column(&kinds.id_type, keys, codes.iter().map(|&code| Some(code)))
}

/// Keys by code in the type they came in; none is null.
fn key_column(key_type: &DataType, keys: &Keys, codes: impl ExactSizeIterator<Item = Option<u32>> + Clone) -> Result<ArrayRef> {
    match keys {
        Keys::Range { base, .. } => integer_ids(key_type, codes.map(|code| code.map(|code| base + i64::from(code)))),
        Keys::Integers(keys) => integer_ids(key_type, codes.map(|code| code.map(|code| keys[code as usize]))),
        Keys::Bytes(arena) => byte_ids(key_type, codes.map(|code| code.map(|code| arena.get(code)))),
    }
}

/// An id as people read it.
fn id_text(kinds: &Kinds, keys: &Keys, code: u32) -> String {
    let integer = |id: i64| if kinds.id_kind == KeyKind::Unsigned { ((id ^ i64::MIN) as u64).to_string() } else { id.to_string() };
    match keys {
        Keys::Range { base, .. } => integer(base + i64::from(code)),
        Keys::Integers(keys) => integer(keys[code as usize]),
        Keys::Bytes(arena) => format!("'{}'", String::from_utf8_lossy(arena.get(code)).escape_debug()),
    }
}

/// Total and mean in the output type of the money; an error names the customer whose sum does not fit.
fn monetary(
    money: Money,
    units: impl ExactSizeIterator<Item = i128> + Clone,
    orders: &[i64],
    id_name: &str,
    id: impl Fn(usize) -> String,
) -> Result<(ArrayRef, ArrayRef)> {
    let overflow = |row: usize, total: String, output: &str, remedy: &str| {
        Error::new(
            ErrorKind::SumOverflow,
            format!("the amounts of customer {id_name}={} add up to {total}, beyond {output}. {remedy}", id(row)),
        )
    };
    let (total, floats): (ArrayRef, Vec<f64>) = match money {
        Money::Float { decimals } => {
            let floats: Vec<f64> = units.map(|units| units_to_f64(units, i32::from(decimals))).collect();
            (Arc::new(Float64Array::from(floats.clone())), floats)
        }
        Money::Integer => {
            let totals = units.enumerate().map(|(row, units)| {
                i64::try_from(units).map_err(|_| overflow(row, units.to_string(), "Int64", "Cast the amounts to decimal"))
            });
            let totals = totals.collect::<Result<Vec<i64>>>()?;
            let floats = totals.iter().map(|&total| total as f64).collect();
            (Arc::new(Int64Array::from(totals)), floats)
        }
        Money::Decimal { scale } => {
            let bound = 10_i128.pow(38);
            let totals = units.enumerate().map(|(row, units)| {
                if units.abs() < bound {
                    Ok(units)
                } else {
                    Err(overflow(row, decimal_text(units, scale), "Decimal128(38)", "Cast the amounts to a smaller scale"))
                }
            });
            let totals = totals.collect::<Result<Vec<i128>>>()?;
            let floats = totals.iter().map(|&total| units_to_f64(total, i32::from(scale))).collect();
            let column = Decimal128Array::from(totals).with_precision_and_scale(38, scale).map_err(Error::internal)?;
            (Arc::new(column), floats)
        }
    };
    let means = floats.iter().zip(orders).map(|(total, &n)| total / n as f64);
    Ok((total, Arc::new(Float64Array::from_iter_values(means))))
}

/// The columns of `batch` with the scores beside them. `scores` are those of R, F and, with money, M; `segments` the names
/// and each row's position in them.
pub fn scores_table(
    batch: &RecordBatch,
    scores: &[Vec<u8>],
    one_digit: bool,
    weights: [f64; 3],
    segments: Option<(Vec<&str>, Vec<Option<u16>>)>,
    report: Report,
) -> Result<Table> {
    let mut table = TableBuilder::from_batch(batch);
    let rows = batch.num_rows();
    for (name, scores) in ["r_score", "f_score", "m_score"].into_iter().zip(scores) {
        table.column(name, score_column(scores));
    }
    table.column("rfm_cell", cell_column(scores, rows));
    // Where a dimension has more than 9 bins a score may have two digits, and 1110 could be 1-11-0 or 11-1-0: no number at all.
    let digits = |row: usize| {
        let digits = scores.iter().map(|scores| Some(i32::from(scores[row])).filter(|&score| one_digit && score > 0));
        digits.reduce(|number, digit| Some(number? * 10 + digit?)).flatten()
    };
    table.column("rfm_score", Arc::new((0..rows).map(digits).collect::<Int32Array>()));
    table.column("rfm_total", total_column(scores, &weights, rows));
    if let Some((names, codes)) = segments {
        let names: ArrayRef = Arc::new(StringArray::from(names));
        let codes: Int16Array = codes.into_iter().map(|code| code.map(|code| code as i16)).collect();
        table.column("segment", Arc::new(DictionaryArray::try_new(codes, names).map_err(Error::internal)?));
    }
    table.finish(rows, batch.schema().metadata().clone(), report)
}
