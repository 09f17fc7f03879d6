//! The ids of the rows of a table as codes, and the customer who has two rows.

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use crate::column::key_schema::{KeyNames, KeySchema};
use crate::column::value::ValueColumn;
use crate::column::{BLOCK, find_column, flag};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::intern_rows::Remap;
use crate::group::interner::{Interner, NO_CODE};
use crate::report::Tally;
use crate::table::CUSTOMER_ID;

/// The row of a customer who is not in the table.
const NO_ROW: u64 = u64::MAX;

/// The customers of the rows of a table.
#[derive(Debug)]
pub(crate) struct Codes {
    /// The code of the id of each row; [`NO_CODE`] for null.
    pub(crate) codes: Vec<u32>,
    /// The first customer who has two rows.
    pub(crate) repeated: Option<Repeated>,
    /// Rows without an id.
    pub(crate) nulls: Tally,
}

/// A customer with two rows.
#[derive(Debug, Clone)]
pub(crate) struct Repeated {
    id: String,
    rows: (u64, u64),
    column: String,
}

impl Repeated {
    /// The error where one row per customer is expected.
    pub(crate) fn error(&self, remedy: &str) -> Error {
        let Self { id, rows: (first, second), column } = self;
        let message = format!("customer {id} has two rows, {first} and {second}; expected one row per customer. {remedy}");
        Error::new(ErrorKind::InvalidArgument, message).in_column(column).at_row(*second)
    }
}

/// The columns of ids of a table that does not say which they are: those that its metadata names, those that `wanted` names, or its
/// first column. The flag tells of the last.
pub(crate) fn id_names(schema: &Schema, wanted: &KeyNames) -> Result<(KeyNames, bool)> {
    let has = |name: &str| schema.fields().iter().any(|field| field.name() == name);
    if let Some(text) = schema.metadata().get(CUSTOMER_ID) {
        let names = KeyNames::of_text(text, schema);
        if names.iter().all(has) {
            return Ok((names, false));
        }
    }
    if wanted.iter().all(has) {
        return Ok((wanted.clone(), false));
    }
    if wanted.is_composite() {
        let message = format!("the table has not all columns of the id, {wanted}. Rename its columns");
        return Err(Error::new(ErrorKind::ColumnNotFound, message));
    }
    let first = schema.fields().first().map(|field| field.name().as_str().into());
    let missing = || Error::new(ErrorKind::ColumnNotFound, "the table has no columns; pass one with a column of customer ids");
    Ok((first.ok_or_else(missing)?, true))
}

/// Reads the ids of all rows; new ones are added to `ids`.
pub(crate) fn read_ids(batches: &[RecordBatch], key: &KeySchema, ids: &mut Interner, context: &Context) -> Result<Codes> {
    let names = key.names();
    let mut all =
        Codes { codes: Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum()), repeated: None, nulls: Tally::default() };
    let mut rows: Vec<u64> = Vec::new();
    let mut block = Vec::with_capacity(BLOCK);
    for batch in batches {
        let before = all.codes.len() as u64;
        let schema = batch.schema();
        let column = |name: &str| -> Result<_> { Ok(batch.column(find_column(&schema, name, "customer_id")?).clone()) };
        let columns = names.iter().map(column).collect::<Result<Vec<_>>>()?;
        let keys = context.run_if_large(batch.num_rows(), |threads| key.read(&columns, "customer_id", threads))??;
        let mut remap = Remap::default();
        for start in (0..batch.num_rows()).step_by(BLOCK) {
            context.check()?;
            let mut flags = vec![0; BLOCK.min(batch.num_rows() - start)];
            if let Some(nulls) = keys.nulls() {
                flags.iter_mut().enumerate().filter(|(i, _)| nulls.is_null(start + i)).for_each(|(_, flag)| *flag |= flag::NULL_ID);
            }
            ids.intern_rows(&keys, start, &mut flags, &mut block, &mut remap)?;
            rows.resize(ids.len(), NO_ROW);
            for (i, &code) in block.iter().enumerate() {
                let row = before + (start + i) as u64;
                if code == NO_CODE {
                    all.nulls.add(0, row);
                    continue;
                }
                let first = &mut rows[code as usize];
                if *first == NO_ROW {
                    *first = row;
                } else if all.repeated.is_none() {
                    let column = names.iter().next().unwrap_or_default().to_owned();
                    all.repeated = Some(Repeated { id: id_text(batch, &names, start + i), rows: (*first, row), column });
                }
            }
            all.codes.extend_from_slice(&block);
        }
    }
    Ok(all)
}

fn id_text(batch: &RecordBatch, names: &KeyNames, row: usize) -> String {
    let schema = batch.schema();
    let part = |name: &str| {
        let column = batch.column(find_column(&schema, name, "customer_id").ok()?);
        Some(format!("{name}={}", ValueColumn::new(name, "customer_id", column).ok()?.key(row)))
    };
    names.iter().filter_map(part).collect::<Vec<_>>().join(", ")
}
