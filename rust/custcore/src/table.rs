//! What every computation returns: one Arrow record batch with the report of what it leaves out.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Metadata, Schema};

use crate::error::{Error, ErrorKind, Result};
use crate::report::Report;

/// A result.
#[derive(Debug, Clone)]
pub struct Table {
    /// The rows.
    pub batch: RecordBatch,
    /// What was left out, and why.
    pub report: Report,
}

/// Collects the columns of a result.
#[derive(Debug, Default)]
pub struct TableBuilder {
    fields: Vec<Arc<Field>>,
    columns: Vec<ArrayRef>,
}

impl TableBuilder {
    /// A builder that begins with the columns of `batch`.
    pub fn from_batch(batch: &RecordBatch) -> Self {
        Self { fields: batch.schema().fields().to_vec(), columns: batch.columns().to_vec() }
    }

    /// Adds a column. All are nullable, so that the schema does not depend on the data.
    pub fn column(&mut self, name: &str, values: ArrayRef) {
        let field = Field::new(name, values.data_type().clone(), true);
        self.fields.push(Arc::new(field));
        self.columns.push(values);
    }

    /// The table of `rows` rows.
    pub fn finish(self, rows: usize, metadata: Metadata, report: Report) -> Result<Table> {
        for (i, field) in self.fields.iter().enumerate() {
            if self.fields[..i].iter().any(|before| before.name() == field.name()) {
                let name = field.name();
                let message = format!("the result would have two columns named '{name}'; rename or drop the one that goes in");
                return Err(Error::new(ErrorKind::DuplicateColumn, message).in_column(name));
            }
        }
        let schema = Arc::new(Schema::new_with_metadata(self.fields, metadata));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(schema, self.columns, &options).map_err(Error::internal)?;
        Ok(Table { batch, report })
    }
}
