//! The columns of the tables that are compared.

use arrow_schema::Schema;

use crate::column::key_schema::KeyNames;
use crate::error::{Error, ErrorKind, Result};
use crate::table::CUSTOMER_ID;

/// The columns of the tables to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparisonSpec {
    /// The columns of customer ids; `None` for those that a table names in its metadata, else the first column of the first.
    pub customer_id: Option<KeyNames>,
    /// The column of segments.
    pub segment: String,
    /// The column of money; a table may have none.
    pub monetary: String,
    /// Decimal places to which float amounts are rounded when read.
    pub amount_decimals: u8,
}

/// The columns of scores, each of which a table may have.
pub const SCORES: [&str; 3] = ["r_score", "f_score", "m_score"];

impl ComparisonSpec {
    /// The columns of customer ids of both tables.
    pub(super) fn id_names(&self, schemas: [&Schema; 2]) -> Result<KeyNames> {
        if let Some(names) = &self.customer_id {
            return Ok(names.clone());
        }
        let named = schemas.iter().find_map(|schema| Some(KeyNames::of_text(schema.metadata().get(CUSTOMER_ID)?, schema)));
        let first = || schemas[0].fields().first().map(|field| field.name().as_str().into());
        named.or_else(first).ok_or_else(|| Error::new(ErrorKind::ColumnNotFound, "the table before has no columns; pass a score table"))
    }
}
