//! The result of every computation: one Arrow record batch with the report of excluded rows.

#[cfg(feature = "bases")]
pub(crate) mod bytes;
pub(crate) mod report_text;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    ArrayRef, ArrowPrimitiveType, Decimal128Array, Float64Array, Int64Array, PrimitiveArray, RecordBatch, RecordBatchOptions,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Metadata, Schema};
use arrow_select::concat::concat_batches;
use serde::de::DeserializeOwned;

use crate::column::composite::decode::decode;
use crate::column::ids::{all_integer_ids, byte_ids, gathered_ids, integer_ids};
use crate::column::key::KeyColumn;
use crate::column::key_schema::KeySchema;
use crate::column::value::ValueType;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::Threads;
use crate::group::interner::Keys;
use crate::num::money::{Amount, Money};
use crate::report::Report;

/// The metadata entry of a result that names its columns of customer ids.
pub(crate) const CUSTOMER_ID: &str = "custcore.customer_id";

/// The metadata entry of a result with its last day.
pub(crate) const AS_OF: &str = "custcore.as_of";

/// The metadata entry of a table that a result is restored from: what is not in its rows, as JSON.
pub(crate) const STATE: &str = "custcore.state";

/// Prefetch distance in rows.
const AHEAD: usize = 16;

/// A result.
#[derive(Debug, Clone)]
pub struct Table {
    /// The rows.
    pub batch: RecordBatch,
    /// What was excluded, and why.
    pub report: Report,
}

/// Collects the columns of a result.
#[derive(Debug, Default)]
pub(crate) struct TableBuilder {
    fields: Vec<Arc<Field>>,
    columns: Vec<ArrayRef>,
}

impl TableBuilder {
    /// A builder that starts with the columns of `batch`.
    pub(crate) fn from_batch(batch: &RecordBatch) -> Self {
        Self { fields: batch.schema().fields().to_vec(), columns: batch.columns().to_vec() }
    }

    /// A builder that starts with those columns of `batch` whose names `wants` takes.
    pub(crate) fn from_columns(batch: &RecordBatch, wants: impl Fn(&str) -> bool) -> Self {
        let (schema, mut builder) = (batch.schema(), Self::default());
        for (field, values) in schema.fields().iter().zip(batch.columns()).filter(|(field, _)| wants(field.name())) {
            builder.fields.push(field.clone());
            builder.columns.push(values.clone());
        }
        builder
    }

    /// Adds a column. All are nullable, so that the schema does not depend on the data.
    pub(crate) fn column(&mut self, name: &str, values: ArrayRef) {
        let field = Field::new(name, values.data_type().clone(), true);
        self.fields.push(Arc::new(field));
        self.columns.push(values);
    }

    /// Adds a column, if there is one.
    pub(crate) fn column_if(&mut self, name: &str, values: Option<ArrayRef>) {
        if let Some(values) = values {
            self.column(name, values);
        }
    }

    /// Adds a column of values of `codes`; `None` is null.
    pub(crate) fn values(
        &mut self,
        name: &str,
        value_type: &ValueType,
        keys: &Keys,
        codes: impl ExactSizeIterator<Item = Option<u32>> + Clone,
    ) -> Result<()> {
        let column = key_column(&value_type.data_type, keys, codes)?;
        self.value_array(name, value_type, column);
        Ok(())
    }

    /// Adds a column of values that is built already.
    pub(crate) fn value_array(&mut self, name: &str, value_type: &ValueType, values: ArrayRef) {
        self.columns.push(values);
        self.fields.push(Arc::new(value_type.field(name)));
    }

    /// Adds the columns of ids of `codes`.
    pub(crate) fn ids(&mut self, key: &KeySchema, keys: &Keys, codes: &[u32], threads: Threads<'_>) -> Result<()> {
        self.id_arrays(key, id_columns(key, keys, codes, threads)?);
        Ok(())
    }

    /// Adds columns of ids that are built already.
    pub(crate) fn id_arrays(&mut self, key: &KeySchema, columns: Vec<ArrayRef>) {
        self.fields.extend(key.parts().iter().map(|part| Arc::new(part.field(true))));
        self.columns.extend(columns);
    }

    /// Builds the table of `rows` rows.
    pub(crate) fn finish(self, rows: usize, metadata: Metadata, report: Report) -> Result<Table> {
        for (i, field) in self.fields.iter().enumerate() {
            if self.fields[..i].iter().any(|before| before.name() == field.name()) {
                let name = field.name();
                let message = format!("the result would have two columns named '{name}'; rename or drop the input column");
                return Err(Error::new(ErrorKind::DuplicateColumn, message).in_column(name));
            }
        }
        let schema = Arc::new(Schema::new_with_metadata(self.fields, metadata));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(schema, self.columns, &options).map_err(Error::internal)?;
        Ok(Table { batch, report })
    }
}

/// A column in which NaN is null.
pub(crate) fn nullable_floats(values: Vec<f64>) -> ArrayRef {
    if !values.iter().any(|value| value.is_nan()) {
        return Arc::new(Float64Array::from(values));
    }
    let valid: NullBuffer = values.iter().map(|value| !value.is_nan()).collect();
    let values: Vec<f64> = values.into_iter().map(|value| if value.is_nan() { 0.0 } else { value }).collect();
    Arc::new(Float64Array::new(values.into(), Some(valid)))
}

/// The ids of `codes` in the types of their columns.
pub(crate) fn id_columns(key: &KeySchema, keys: &Keys, codes: &[u32], threads: Threads<'_>) -> Result<Vec<ArrayRef>> {
    if let [part] = key.parts() {
        return Ok(vec![id_column(&part.value_type, keys, codes, threads)?]);
    }
    let Keys::Bytes(arena) = keys else { return Err(Error::internal("a composite key of integers")) };
    let types: Vec<_> = key.parts().iter().map(|part| (part.kind, &part.value_type)).collect();
    let id = |row: usize| {
        if let Some(&ahead) = codes.get(row + AHEAD) {
            arena.prefetch(ahead);
        }
        arena.get(codes[row])
    };
    decode(&types, codes.len(), id, threads)
}

fn id_column(value_type: &DataType, keys: &Keys, codes: &[u32], threads: Threads<'_>) -> Result<ArrayRef> {
    match keys {
        Keys::Range { base, .. } => {
            return all_integer_ids(value_type, threads.par_map(codes.len(), |row| base + i64::from(codes[row])));
        }
        Keys::Integers(keys) => {
            return all_integer_ids(value_type, threads.par_map(codes.len(), |row| keys[codes[row] as usize]));
        }
        Keys::Bytes(arena) => {
            let length = |row: usize| arena.length(codes[row]);
            let copy = |row: usize, to: &mut [u8]| {
                if let Some(&ahead) = codes.get(row + AHEAD) {
                    arena.prefetch(ahead);
                }
                arena.copy(codes[row], to);
            };
            if let Some(column) = gathered_ids(value_type, codes.len(), length, copy, threads)? {
                return Ok(column);
            }
        }
    }
    key_column(value_type, keys, codes.iter().map(|&code| Some(code)))
}

/// An id for messages, such as `customer_id=7`.
pub(crate) fn id_text(key: &KeySchema, keys: &Keys, code: u32) -> String {
    let columns = id_columns(key, keys, &[code], Threads::inline()).unwrap_or_default();
    let part = |(column, name): (&ArrayRef, &str)| {
        KeyColumn::new(name, "customer_id", column).map_or(String::new(), |column| format!("{name}={}", column.key(0)))
    };
    columns.iter().zip(key.names().iter()).map(part).collect::<Vec<_>>().join(", ")
}

/// The keys of codes as a column of the input type; `None` is null.
pub(crate) fn key_column(key_type: &DataType, keys: &Keys, codes: impl ExactSizeIterator<Item = Option<u32>> + Clone) -> Result<ArrayRef> {
    match keys {
        Keys::Range { base, .. } => integer_ids(key_type, codes.map(|code| code.map(|code| base + i64::from(code)))),
        Keys::Integers(keys) => integer_ids(key_type, codes.map(|code| code.map(|code| keys[code as usize]))),
        Keys::Bytes(arena) => byte_ids(key_type, codes.map(|code| code.map(|code| arena.get(code)))),
    }
}

/// Sums of money in their output type; `whose` names the row of a sum that overflows.
pub(crate) fn money_column(
    money: Option<Money>,
    sums: impl Iterator<Item = Option<i128>>,
    whose: impl Fn(usize) -> String,
) -> Result<ArrayRef> {
    let Some(money) = money else { return Err(Error::internal("sums without money")) };
    let beyond = |row: usize, units: i128, output: &str, remedy: &str| {
        let total = Amount { units, money };
        Error::new(ErrorKind::SumOverflow, format!("the revenue {} is {total} in total, which does not fit {output}. {remedy}", whose(row)))
    };
    Ok(match money {
        Money::Float { .. } => Arc::new(sums.map(|sum| sum.map(|units| Amount { units, money }.to_f64())).collect::<Float64Array>()),
        Money::Integer => {
            let fit = |(row, sum): (usize, Option<i128>)| {
                sum.map(|units| i64::try_from(units).map_err(|_| beyond(row, units, "int64", "Cast the amounts to decimal"))).transpose()
            };
            Arc::new(sums.enumerate().map(fit).collect::<Result<Int64Array>>()?)
        }
        Money::Decimal { scale } => {
            let bound = 10_u128.pow(38);
            let fit = |(row, sum): (usize, Option<i128>)| match sum {
                Some(units) if units.unsigned_abs() >= bound => {
                    Err(beyond(row, units, "decimal128(38)", "Cast the amounts to a smaller scale"))
                }
                sum => Ok(sum),
            };
            let sums = sums.enumerate().map(fit).collect::<Result<Decimal128Array>>()?;
            Arc::new(sums.with_data_type(DataType::Decimal128(38, scale)))
        }
    })
}

/// The batches of a table as one.
pub fn concatenated(batches: &[RecordBatch]) -> Result<RecordBatch> {
    match batches {
        [] => Err(Error::internal("a table without a batch")),
        [one] => Ok(one.clone()),
        [first, ..] => concat_batches(&first.schema(), batches).map_err(|error| {
            Error::new(ErrorKind::InvalidType, format!("the batches have different schemas: {error}. Cast all batches to one schema"))
        }),
    }
}

/// What a table says in its entry [`STATE`].
pub(crate) fn state_of<S: DeserializeOwned>(batch: &RecordBatch) -> Result<S> {
    let schema = batch.schema();
    let text = schema.metadata().get(STATE).map_or("", String::as_str);
    serde_json::from_str(text).map_err(|error| Error::new(ErrorKind::ModelFormat, format!("the state of the result is invalid: {error}")))
}

/// A column of a table that a result is restored from.
pub(crate) fn state_column<'a, T: ArrowPrimitiveType>(batch: &'a RecordBatch, name: &str) -> Result<&'a PrimitiveArray<T>> {
    let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<T>());
    column.ok_or_else(|| Error::new(ErrorKind::ModelFormat, format!("the state of the result has no column '{name}'")))
}
