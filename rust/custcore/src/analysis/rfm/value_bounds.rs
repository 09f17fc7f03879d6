//! The least recency and frequency of a customer. Whoever has no purchase, or one after the day of the scores, is no customer;
//! a score of them would be one of the best or the worst without a reason.

use arrow_array::RecordBatch;

use crate::column::find_column;
use crate::column::number::{Number, NumberColumn};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::order_statistics::rank::range;

/// What is bounded, and how to mend a value beyond it.
struct ValueBound {
    least: i64,
    meaning: &'static str,
    remedy: &'static str,
}

/// The bounds of recency and frequency. Money has none: refunds may exceed purchases.
const BOUNDS: [ValueBound; 2] = [
    ValueBound {
        least: 0,
        meaning: "the days since the last purchase",
        remedy: "compute it as of the day of the last purchase or a later one",
    },
    ValueBound { least: 1, meaning: "every customer has a purchase", remedy: "leave out whoever has none, or pass null to get no score" },
];

/// The names of the arguments for one customer.
const ARGUMENTS: [&str; 2] = ["recency_days", "frequency"];

impl ValueBound {
    #[inline]
    fn holds(&self, value: Number) -> bool {
        match value {
            Number::Integer(value) => value >= self.least,
            value => value.compare(Number::Integer(self.least)).is_ge(),
        }
    }
}

/// The least value of a dimension; money has none.
pub(super) fn least_value(dimension: usize) -> Option<i64> {
    BOUNDS.get(dimension).map(|bound| bound.least)
}

/// An error if a value of one customer is out of bounds.
#[inline]
pub(super) fn check_one(values: &[Number; 3]) -> Result<()> {
    match BOUNDS.iter().zip(values).position(|(bound, &value)| !bound.holds(value)) {
        None => Ok(()),
        Some(at) => Err(one_beyond(at, values[at])),
    }
}

#[cold]
fn one_beyond(at: usize, value: Number) -> Error {
    let (ValueBound { least, meaning, .. }, argument) = (&BOUNDS[at], ARGUMENTS[at]);
    let remedy = if at == 0 { BOUNDS[0].remedy } else { "whoever has none has no score" };
    let message = format!("{argument} is {value}; expected {least} or more ({meaning}): {remedy}");
    Error::new(ErrorKind::OutOfRange, message).in_column(argument)
}

/// An error for the first row of a table whose recency or frequency is out of bounds; null is not.
pub(super) fn check_table(batches: &[RecordBatch], columns: [&str; 3], context: &Context) -> Result<()> {
    let mut rows_before = 0;
    for batch in batches {
        check_batch(batch, columns, context).map_err(|error| error.counted_from(rows_before))?;
        rows_before += batch.num_rows() as u64;
    }
    Ok(())
}

fn check_batch(batch: &RecordBatch, columns: [&str; 3], context: &Context) -> Result<()> {
    let schema = batch.schema();
    for (bound, name) in BOUNDS.iter().zip(columns) {
        let role = "scored column";
        let values = NumberColumn::new(name, role, batch.column(find_column(&schema, name, role)?))?;
        let least = context.run_if_large(values.len(), |threads| range(&values, threads))?;
        if least.is_none_or(|(least, _)| bound.holds(least)) {
            continue;
        }
        let mut beyond = (0..values.len()).filter_map(|row| values.get(row).filter(|&value| !bound.holds(value)).map(|value| (row, value)));
        if let Some((row, value)) = beyond.next() {
            let ValueBound { least, meaning, remedy } = bound;
            let more = match beyond.count() {
                0 => String::new(),
                more => format!(", and {more} more rows have such values"),
            };
            let message = format!("column '{name}' is {value} at row {row}{more}; expected {least} or more ({meaning}): {remedy}");
            return Err(Error::new(ErrorKind::OutOfRange, message).in_column(name).at_row(row as u64));
        }
    }
    Ok(())
}
