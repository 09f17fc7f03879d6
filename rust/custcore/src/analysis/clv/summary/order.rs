//! The order of the rows of a summary: ascending by id, each id once.

use arrow_array::{RecordBatch, UInt32Array};

use crate::column::find_column;
use crate::column::key::{Key, KeyColumn};
use crate::column::key_schema::{KeyNames, KeySchema};
use crate::column::value::ValueColumn;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;

/// The rows in the order of ids; `None` if they ascend. Null ids, and ids with several rows, are errors.
pub(super) fn order_by_id(batch: &RecordBatch, key: &KeySchema, context: &Context) -> Result<Option<UInt32Array>> {
    let names = key.names();
    let schema = batch.schema();
    let column = |name: &str| -> Result<_> { Ok(batch.column(find_column(&schema, name, "customer_id")?).clone()) };
    let columns = names.iter().map(column).collect::<Result<Vec<_>>>()?;
    let rows = batch.num_rows();
    let ids: KeyColumn = context.run_if_large(rows, |threads| key.read(&columns, "customer_id", threads))??;
    let null = (0..rows).find(|&row| ids.key(row) == Key::Null);
    if let Some(row) = null {
        let name = names.iter().next().unwrap_or_default();
        let message = format!("the customer id is null at row {row}: its prediction would have no owner. Leave such rows out");
        return Err(summary_error(message).in_column(name).at_row(row as u64));
    }
    context.check()?;
    if (1..rows).all(|row| ids.key(row - 1) < ids.key(row)) {
        return Ok(None);
    }
    let mut order: Vec<u32> = (0..rows as u32).collect();
    context.run_if_large(rows, |threads| {
        threads.par_sort_unstable_by(&mut order, |&a, &b| ids.key(a as usize).cmp(&ids.key(b as usize)).then(a.cmp(&b)));
    })?;
    if let Some(pair) = order.windows(2).find(|pair| ids.key(pair[0] as usize) == ids.key(pair[1] as usize)) {
        let id = id_text(batch, &names, pair[0] as usize);
        let message = format!(
            "customer {id} has two rows, {} and {}; expected one row per customer. Make the summary with clv_summary, or name all columns \
             of the id: customer_id=[...]",
            pair[0], pair[1]
        );
        return Err(summary_error(message).in_column(names.iter().next().unwrap_or_default()).at_row(pair[1].into()));
    }
    Ok(Some(UInt32Array::from(order)))
}

/// An error of the contents of a summary.
pub(super) fn summary_error(message: String) -> Error {
    Error::new(ErrorKind::Summary, message)
}

fn id_text(batch: &RecordBatch, names: &KeyNames, row: usize) -> String {
    let schema = batch.schema();
    let part = |name: &str| {
        let column = batch.column(find_column(&schema, name, "customer_id").ok()?);
        Some(format!("{name}={}", ValueColumn::new(name, "customer_id", column).ok()?.key(row)))
    };
    names.iter().filter_map(part).collect::<Vec<_>>().join(", ")
}
