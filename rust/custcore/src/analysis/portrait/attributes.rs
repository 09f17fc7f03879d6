//! The values of one column of attributes, as codes and texts: codes and words as they are, dates by period, numbers in bins.

use std::collections::HashMap;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::Field;
use foldhash::fast::RandomState;

use super::labels;
use super::spec::{AttributeBins, PortraitSpec};
use crate::column::number::{Number, NumberColumn, NumberForm, Numbers};
use crate::column::scalar::ScalarKind;
use crate::column::time::{Clock, TimeColumn};
use crate::column::value::{ValueKind, ValueType};
use crate::column::{BLOCK, find_column, flag};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::intern_rows::Remap;
use crate::group::interner::{Interner, NO_CODE};
use crate::order_statistics::quantile::{BinEdges, Closed};

/// The role of the columns in errors.
const ROLE: &str = "attributes";

/// The values of the rows of a column.
#[derive(Debug)]
pub(super) struct Values {
    /// The code of each row; [`NO_CODE`] for null.
    pub(super) codes: Vec<u32>,
    /// The texts of the codes.
    pub(super) texts: Vec<Option<String>>,
    /// What is told of them.
    pub(super) remark: Option<String>,
}

/// How a column is read.
enum Kind {
    Words(ValueType),
    Periods(Clock),
    Numbers(AttributeBins),
}

/// Reads a column; `attribute` is its name in the result, and `is_counted` tells whether a row is of a customer of a segment.
pub(super) fn read(
    batches: &[RecordBatch],
    column: &str,
    attribute: &str,
    spec: &PortraitSpec,
    is_counted: impl Fn(usize) -> bool + Sync,
    context: &Context,
) -> Result<Values> {
    let Some(first) = batches.first() else { return Err(Error::internal("a table without a batch")) };
    let schema = first.schema();
    let field = schema.field(find_column(&schema, column, ROLE)?);
    let arrays = batches.iter().map(|batch| Ok(batch.column(find_column(&batch.schema(), column, ROLE)?)));
    let arrays: Vec<&ArrayRef> = arrays.collect::<Result<_>>()?;
    match kind(field, attribute, spec)? {
        Kind::Words(value_type) => words(&arrays, column, &value_type, context),
        Kind::Periods(clock) => periods(&arrays, column, &clock, spec, context),
        Kind::Numbers(bins) => numbers(&arrays, column, &bins, is_counted, context),
    }
}

fn kind(field: &Field, attribute: &str, spec: &PortraitSpec) -> Result<Kind> {
    let empty = arrow_array::new_empty_array(field.data_type());
    let asked = spec.bins.iter().find(|(name, _)| name == attribute).map(|(_, bins)| bins);
    let number = || NumberColumn::new(field.name(), ROLE, &empty);
    match asked {
        Some(AttributeBins::Each) => return ValueType::of(field, ROLE).map(Kind::Words),
        Some(bins) => return number().map(|_| Kind::Numbers(bins.clone())),
        None => {}
    }
    let value_type = ValueType::of(field, ROLE);
    if TimeColumn::new(field.name(), &empty, &Clock::Naive).is_ok() {
        let kind = value_type.as_ref().map(|value_type| value_type.kind);
        let is_zoned = matches!(kind, Ok(ValueKind::Scalar(ScalarKind::Instant | ScalarKind::InstantNs)));
        let timezone = spec.timezone.as_deref().filter(|_| is_zoned);
        return Clock::of(field.name(), field.data_type(), timezone).map(Kind::Periods);
    }
    match value_type {
        Ok(value_type) if value_type.kind != ValueKind::Scalar(ScalarKind::Float) => Ok(Kind::Words(value_type)),
        Ok(value_type) if spec.default_bins == AttributeBins::Each => Ok(Kind::Words(value_type)),
        Ok(_) => Ok(Kind::Numbers(spec.default_bins.clone())),
        // Decimals are numbers, and no values.
        Err(error) => number().map(|_| Kind::Numbers(spec.default_bins.clone())).map_err(|_| error),
    }
}

fn words(arrays: &[&ArrayRef], column: &str, value_type: &ValueType, context: &Context) -> Result<Values> {
    let mut ids = Interner::new(value_type.kind.stored());
    let (mut codes, mut block) = (Vec::with_capacity(rows_of(arrays)), Vec::with_capacity(BLOCK));
    for array in arrays {
        let keys = value_type.read(column, ROLE, array)?;
        let mut remap = Remap::default();
        for start in (0..array.len()).step_by(BLOCK) {
            context.check()?;
            let mut flags = vec![0; BLOCK.min(array.len() - start)];
            if let Some(nulls) = keys.nulls() {
                flags.iter_mut().enumerate().filter(|(i, _)| nulls.is_null(start + i)).for_each(|(_, flag)| *flag |= flag::NULL_ID);
            }
            ids.intern_rows(&keys, start, &mut flags, &mut block, &mut remap)?;
            codes.extend_from_slice(&block);
        }
    }
    Ok(Values { codes, texts: labels::of_keys(value_type, ids.keys())?, remark: None })
}

fn periods(arrays: &[&ArrayRef], column: &str, clock: &Clock, spec: &PortraitSpec, context: &Context) -> Result<Values> {
    let mut places: HashMap<i64, u32, RandomState> = HashMap::default();
    let (mut codes, mut texts) = (Vec::with_capacity(rows_of(arrays)), Vec::new());
    let mut days = [0; BLOCK];
    for array in arrays {
        let before = codes.len();
        let times = TimeColumn::new(column, array, clock)?;
        for start in (0..array.len()).step_by(BLOCK) {
            context.check()?;
            let days = &mut days[..BLOCK.min(array.len() - start)];
            if !times.read(start, days)
                && let Some(row) = times.first_out_of_range(start, days.len())
            {
                return Err(TimeColumn::out_of_range(column, (before + row) as u64));
            }
            for (row, &day) in (start..).zip(&*days) {
                if times.nulls().is_some_and(|nulls| nulls.is_null(row)) {
                    codes.push(NO_CODE);
                    continue;
                }
                let index = spec.calendar.index(day, spec.period);
                codes.push(*places.entry(index).or_insert_with(|| {
                    texts.push(Some(labels::of_period(index, spec.period, &spec.calendar)));
                    (texts.len() - 1) as u32
                }));
            }
        }
    }
    Ok(Values { codes, texts, remark: None })
}

fn numbers(
    arrays: &[&ArrayRef],
    column: &str,
    bins: &AttributeBins,
    is_counted: impl Fn(usize) -> bool + Sync,
    context: &Context,
) -> Result<Values> {
    let mut codes = vec![NO_CODE; rows_of(arrays)];
    let (mut rows, mut values) = (Vec::new(), None);
    let mut before = 0;
    for array in arrays {
        context.check()?;
        let numbers = NumberColumn::new(column, ROLE, array)?;
        if let Some(row) = numbers.first_infinite() {
            let row = (before + row) as u64;
            let message = format!("column '{column}' is infinite at row {row}. Correct it, or set it to null");
            return Err(Error::new(ErrorKind::NonFinite, message).in_column(column).at_row(row));
        }
        let values = values.get_or_insert_with(|| match numbers.form() {
            NumberForm::Integers => Numbers::Integers(Vec::new()),
            NumberForm::Decimals(scale) => Numbers::Decimals(Vec::new(), scale),
            NumberForm::Floats => Numbers::Floats(Vec::new()),
        });
        for row in 0..array.len() {
            let Some(number) = numbers.get(row).filter(|_| is_counted(before + row)) else { continue };
            rows.push(before + row);
            match (&mut *values, number) {
                (Numbers::Integers(values), Number::Integer(value)) => values.push(value),
                (Numbers::Decimals(values, _), Number::Decimal(value, _)) => values.push(value),
                (Numbers::Floats(values), number) => values.push(number.to_f64()),
                _ => return Err(Error::internal("numbers of two forms in one column")),
            }
        }
        before += array.len();
    }
    let numbers = NumberColumn::from_numbers(values.unwrap_or(Numbers::Floats(Vec::new())));
    let found = context.run_if_large(rows.len(), |threads| {
        let edges = match bins {
            AttributeBins::Quantiles(n) => BinEdges::type7(&numbers, usize::from(*n), threads)?,
            AttributeBins::Edges(edges) => BinEdges::explicit(same_form(edges), Closed::Right),
            AttributeBins::Each => return None,
        };
        let bins = edges.bin_rows(&numbers, threads);
        Some((edges, bins))
    })?;
    // Without a value there are no quantiles.
    let Some((edges, of_rows)) = found else { return Ok(Values { codes, texts: Vec::new(), remark: None }) };
    rows.iter().zip(of_rows).for_each(|(&row, bin)| codes[row] = u32::from(bin) - 1);
    Ok(Values { codes, texts: labels::of_bins(&edges), remark: labels::said(bins, &edges) })
}

/// Edges as numbers of one form.
fn same_form(edges: &[Number]) -> Numbers {
    let integers = edges.iter().map(|edge| if let Number::Integer(value) = edge { Some(*value) } else { None });
    integers
        .collect::<Option<Vec<_>>>()
        .map_or_else(|| Numbers::Floats(edges.iter().map(|edge| edge.to_f64()).collect()), Numbers::Integers)
}

fn rows_of(arrays: &[&ArrayRef]) -> usize {
    arrays.iter().copied().map(Array::len).sum()
}
