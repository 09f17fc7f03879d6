//! Reads a table of costs: by period, and by group.

use std::collections::BTreeMap;

use arrow_array::{ArrayRef, RecordBatch};

use super::spec::AcquisitionSpec;
use crate::analysis::measures::grouping::GroupColumn;
use crate::analysis::measures::labels::Label;
use crate::column::number::{Number, NumberColumn};
use crate::column::time::{Clock, TimeColumn};
use crate::column::value::ValueType;
use crate::column::{BLOCK, find_column, invalid_type};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::intern_rows::Remap;
use crate::group::interner::{Interner, Keys, NO_CODE};
use crate::num::exact::exact_sum;
use crate::time::period::Calendar;

const PERIOD: &str = "period";
const COST: &str = "cost";

/// The costs of each period and group, several rows added up.
pub(super) fn read_costs(
    batches: &[RecordBatch],
    spec: &AcquisitionSpec,
    column: Option<&GroupColumn>,
    calendar: &Calendar,
    context: &Context,
) -> Result<BTreeMap<(i64, Label), f64>> {
    let mut rows = BTreeMap::<(i64, Label), Vec<f64>>::new();
    let mut before = 0;
    for batch in batches {
        context.check()?;
        add_batch(&mut rows, batch, spec, column, calendar).map_err(|error| error.counted_from(before).said_of("costs"))?;
        before += batch.num_rows() as u64;
    }
    Ok(rows.into_iter().map(|(key, costs)| (key, exact_sum(&costs).unwrap_or(0.0))).collect())
}

fn add_batch(
    rows: &mut BTreeMap<(i64, Label), Vec<f64>>,
    batch: &RecordBatch,
    spec: &AcquisitionSpec,
    column: Option<&GroupColumn>,
    calendar: &Calendar,
) -> Result<()> {
    let schema = batch.schema();
    let find = |name: &str, role: &str| -> Result<&ArrayRef> { Ok(batch.column(find_column(&schema, name, role)?)) };
    let days = days_of(find(PERIOD, "a day of the period")?)?;
    let costs = NumberColumn::new(COST, "cost", find(COST, "cost")?)?;
    let labels = match column {
        Some(GroupColumn::Attribute(name, value_type)) => Some(labels_of(name, value_type, find(name, "by")?, batch, &schema)?),
        _ => None,
    };
    for (row, &day) in days.iter().enumerate() {
        let cost = costs.get(row).map(Number::to_f64);
        let wrong = |kind, what: &str| {
            let message = format!("column '{COST}' is {what} at row {row}; expected a number of 0 or more");
            Err(Error::new(kind, message).in_column(COST).at_row(row as u64))
        };
        let cost = match cost {
            None => return wrong(ErrorKind::NullValue, "null"),
            Some(cost) if cost.is_infinite() => return wrong(ErrorKind::NonFinite, "infinite"),
            Some(cost) if cost < 0.0 => return wrong(ErrorKind::OutOfRange, &cost.to_string()),
            Some(cost) => cost,
        };
        let label = labels.as_ref().map_or(Label::All, |labels| labels[row].clone());
        rows.entry((calendar.index(day, spec.period), label)).or_default().push(cost);
    }
    Ok(())
}

/// The days of a column without nulls.
fn days_of(column: &ArrayRef) -> Result<Vec<i32>> {
    let clock = Clock::of(PERIOD, column.data_type(), None)?;
    let times = TimeColumn::new(PERIOD, column, &clock)?;
    if let Some(row) = times.nulls().and_then(|nulls| (0..column.len()).find(|&row| nulls.is_null(row))) {
        let message = format!("column '{PERIOD}' is null at row {row}; expected a day of the period that the cost is of");
        return Err(Error::new(ErrorKind::NullValue, message).in_column(PERIOD).at_row(row as u64));
    }
    let mut days = vec![0; column.len()];
    if !times.read(0, &mut days)
        && let Some(row) = times.first_out_of_range(0, column.len())
    {
        return Err(TimeColumn::out_of_range(PERIOD, row as u64));
    }
    Ok(days)
}

/// The group of each row.
fn labels_of(
    name: &str,
    value_type: &ValueType,
    column: &ArrayRef,
    batch: &RecordBatch,
    schema: &arrow_schema::Schema,
) -> Result<Vec<Label>> {
    let own = ValueType::of(schema.field(find_column(schema, name, "by")?), "by")?;
    if own.kind != value_type.kind {
        let expected = format!("{}, as in the base", value_type.kind.name());
        return Err(invalid_type(name, "by", column.data_type(), &expected, "Values of different kinds are never equal: cast this column"));
    }
    let stored = own.read(name, "by", column)?;
    let mut values = Interner::new(own.kind.stored());
    let (mut all, mut codes, mut remap) = (Vec::with_capacity(batch.num_rows()), Vec::new(), Remap::default());
    for start in (0..batch.num_rows()).step_by(BLOCK) {
        values.intern_block(&stored, (start, BLOCK.min(batch.num_rows() - start)), &mut codes, &mut remap)?;
        all.extend_from_slice(&codes);
    }
    let keys = values.keys();
    let label = |code: u32| match keys {
        _ if code == NO_CODE => Label::Null,
        Keys::Range { base, .. } => Label::Integer(base + i64::from(code)),
        Keys::Integers(values) => Label::Integer(values[code as usize]),
        Keys::Bytes(arena) => Label::Bytes(arena.get(code).to_vec()),
    };
    Ok(all.into_iter().map(label).collect())
}
