//! The Arrow tables of RFM.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int16Array, Int32Array, Int64Array, RecordBatch,
    StringArray, UInt8Array,
};

use arrow_schema::{DataType, Metadata};

use super::kernel::RfmColumns;
use super::scorer::{Dimension, Scores};
use super::segments::SegmentMap;
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
        Keys::Integers(keys) => integer_ids(key_type, codes.map(|code| code.map(|code| keys[code as usize]))),
        Keys::Bytes(arena) => byte_ids(key_type, codes.map(|code| code.map(|code| arena.get(code)))),
    }
}

/// An id as people read it.
fn id_text(kinds: &Kinds, keys: &Keys, code: u32) -> String {
    match keys {
        Keys::Integers(keys) if kinds.id_kind == KeyKind::Unsigned => ((keys[code as usize] ^ i64::MIN) as u64).to_string(),
        Keys::Integers(keys) => keys[code as usize].to_string(),
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

/// The columns of `batch` with the scores beside them.
pub fn scores_table(
    batch: &RecordBatch,
    scores: &Scores,
    one_digit: bool,
    weights: [f64; 3],
    map: Option<&SegmentMap>,
    report: Report,
) -> Result<Table> {
    let mut table = TableBuilder::from_batch(batch);
    let rows = batch.num_rows();
    let column = |scores: &[u8]| -> ArrayRef { Arc::new(scores.iter().map(|&s| (s > 0).then_some(s)).collect::<UInt8Array>()) };
    table.column("r_score", column(&scores.r));
    table.column("f_score", column(&scores.f));
    if let Some(m) = &scores.m {
        table.column("m_score", column(m));
    }
    let cells = Cells { scores };
    table.column("rfm_cell", Arc::new(cells.text(rows)));
    // Where a dimension has more than 9 bins a score may have two digits, and 1110 could be 1-11-0 or 11-1-0: no number at all.
    let digits = |row| if one_digit { cells.digits(row) } else { None };
    table.column("rfm_score", Arc::new((0..rows).map(digits).collect::<Int32Array>()));
    table.column("rfm_total", Arc::new((0..rows).map(|row| cells.total(row, weights)).collect::<Float64Array>()));
    if let Some(map) = map {
        let codes = (0..rows).map(|row| cells.get(row).and_then(|(r, f, m)| map.segment(r, f, m.unwrap_or(1))).map(|code| code as i16));
        let names: ArrayRef = Arc::new(StringArray::from_iter_values(map.names()));
        let segments = DictionaryArray::try_new(codes.collect::<Int16Array>(), names).map_err(Error::internal)?;
        table.column("segment", Arc::new(segments));
    }
    table.finish(rows, batch.schema().metadata().clone(), report)
}

/// Scores row by row.
struct Cells<'a> {
    scores: &'a Scores,
}

impl Cells<'_> {
    /// The scores of a row, unless one of them is missing.
    #[inline]
    fn get(&self, row: usize) -> Option<(u8, u8, Option<u8>)> {
        let (r, f, m) = (self.scores.r[row], self.scores.f[row], self.scores.m.as_ref().map(|m| m[row]));
        (r > 0 && f > 0 && m != Some(0)).then_some((r, f, m))
    }

    /// `r-f-m`.
    fn text(&self, rows: usize) -> StringArray {
        use std::fmt::Write;
        let mut builder = StringBuilder::with_capacity(rows, 5 * rows);
        for row in 0..rows {
            match self.get(row) {
                // Writing to a builder cannot fail.
                Some((r, f, Some(m))) => drop(write!(builder, "{r}-{f}-{m}")),
                Some((r, f, None)) => drop(write!(builder, "{r}-{f}")),
                None => {
                    builder.append_null();
                    continue;
                }
            }
            builder.append_value("");
        }
        builder.finish()
    }

    /// The scores as digits of one number.
    fn digits(&self, row: usize) -> Option<i32> {
        let (r, f, m) = self.get(row)?;
        let rf = i32::from(r) * 10 + i32::from(f);
        Some(m.map_or(rf, |m| rf * 10 + i32::from(m)))
    }

    /// The weighted sum.
    fn total(&self, row: usize, [wr, wf, wm]: [f64; 3]) -> Option<f64> {
        self.get(row).map(|(r, f, m)| wr * f64::from(r) + wf * f64::from(f) + wm * f64::from(m.unwrap_or(0)))
    }
}

/// One row per dimension and score: the interval of values that gets it, and how many fitted customers did.
pub fn thresholds_table(dimensions: &[Dimension]) -> Result<Table> {
    let (mut names, mut scores, mut lower, mut upper, mut counts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for dimension in dimensions {
        let bins = dimension.counts.len();
        let mut ends = vec![dimension.range.0];
        ends.extend(dimension.edges.to_f64());
        ends.push(dimension.range.1);
        for score in 1..=bins {
            let bin = if dimension.reversed { bins - score } else { score - 1 };
            names.push(dimension.name);
            scores.push(score as u8);
            lower.push(ends[bin]);
            upper.push(ends[bin + 1]);
            counts.push(dimension.counts[score - 1] as i64);
        }
    }
    let rows = names.len();
    let mut table = TableBuilder::default();
    table.column("dimension", Arc::new(StringArray::from(names)));
    table.column("score", Arc::new(UInt8Array::from(scores)));
    table.column("lower", Arc::new(Float64Array::from(lower)));
    table.column("upper", Arc::new(Float64Array::from(upper)));
    table.column("is_empty", Arc::new(BooleanArray::from_iter(counts.iter().map(|&n| Some(n == 0)))));
    table.column("customers", Arc::new(Int64Array::from(counts)));
    table.finish(rows, Metadata::new(), Report::default())
}
