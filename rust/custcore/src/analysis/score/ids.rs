//! The customer ids that decide among equal values with `ties="split"`.

use std::cmp::Ordering;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use serde::{Deserialize, Serialize};

use super::spec::ScoreSpec;
use crate::column::find_column;
use crate::column::key::{Key, KeyColumn, OwnedKey};
use crate::column::key_schema::KeyNames;
use crate::error::{Error, ErrorKind, Result};
use crate::table::CUSTOMER_ID;

/// The columns of the ids of a table.
#[derive(Debug)]
pub struct IdColumns(Vec<KeyColumn>);

/// One id, of a single column or of several.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CustomerKey {
    Null,
    Integer(i128),
    Text(String),
    Binary(Vec<u8>),
    /// The id of a composite key.
    Parts(Vec<OwnedKey>),
}

impl From<Key<'_>> for CustomerKey {
    fn from(key: Key<'_>) -> Self {
        match key.to_owned() {
            OwnedKey::Null => Self::Null,
            OwnedKey::Integer(id) => Self::Integer(id),
            OwnedKey::Text(id) => Self::Text(id),
            OwnedKey::Binary(id) => Self::Binary(id),
            value @ OwnedKey::Scalar(..) => Self::Parts(vec![value]),
        }
    }
}

impl IdColumns {
    /// Reads the ids of a table.
    pub(super) fn read(spec: &ScoreSpec, batch: &RecordBatch) -> Result<Self> {
        let (schema, role) = (batch.schema(), "customer id");
        let column = |name: &str| KeyColumn::new(name, role, batch.column(find_column(&schema, name, role)?));
        Ok(Self(id_names(spec, &schema)?.iter().map(column).collect::<Result<_>>()?))
    }

    /// The parts of the id of a row, into `parts`, which is cleared first.
    #[inline]
    pub(super) fn parts<'a>(&'a self, row: usize, parts: &mut Vec<Key<'a>>) {
        parts.clear();
        parts.extend(self.0.iter().map(|column| column.key(row)));
    }

    /// Compares the ids of two rows.
    pub(super) fn compare(&self, a: usize, b: usize) -> Ordering {
        self.0.iter().map(|column| column.key(a).cmp(&column.key(b))).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// The id of a row.
    pub(super) fn owned(&self, row: usize) -> CustomerKey {
        match self.0.as_slice() {
            [only] => only.key(row).into(),
            parts => CustomerKey::Parts(parts.iter().map(|part| part.key(row).to_owned()).collect()),
        }
    }
}

impl CustomerKey {
    /// The id, or the first part of it.
    #[inline]
    fn first(&self) -> Key<'_> {
        match self {
            Self::Null => Key::Null,
            Self::Integer(id) => Key::Integer(*id),
            Self::Text(id) => Key::Text(id),
            Self::Binary(id) => Key::Binary(id),
            Self::Parts(parts) => parts.first().map_or(Key::Null, OwnedKey::borrow),
        }
    }

    /// Its further parts.
    #[inline]
    fn rest(&self) -> &[OwnedKey] {
        match self {
            Self::Parts(parts) => parts.get(1..).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Its parts.
    fn parts(&self) -> impl Iterator<Item = Key<'_>> {
        std::iter::once(self.first()).chain(self.rest().iter().map(OwnedKey::borrow))
    }

    /// Number of its parts.
    pub(super) fn len(&self) -> usize {
        1 + self.rest().len()
    }

    /// Compares it with the parts of another id.
    #[inline]
    pub(super) fn compare(&self, other: &[Key<'_>]) -> Ordering {
        self.parts().cmp(other.iter().copied())
    }

    /// An error if `other` is not an id of the same columns: it would compare with no meaning.
    pub(super) fn check(&self, other: &[Key<'_>]) -> Result<()> {
        let own: Vec<Key<'_>> = self.parts().collect();
        let is_like = |(a, b): (&Key<'_>, &Key<'_>)| {
            std::mem::discriminant(a) == std::mem::discriminant(b) || matches!(a, Key::Null) || matches!(b, Key::Null)
        };
        if own.len() == other.len() && own.iter().zip(other).all(is_like) {
            return Ok(());
        }
        let message = format!("the customer id {} was given; the scorer was fitted on ids such as {}", text(other), text(&own));
        Err(Error::new(ErrorKind::InvalidType, message))
    }
}

fn text(parts: &[Key<'_>]) -> String {
    match parts {
        [only] => only.to_string(),
        parts => format!("({})", parts.iter().map(Key::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// The columns of customer ids of an RFM table: those of the settings, else those named by the schema metadata, else the first
/// column.
pub(crate) fn id_names(spec: &ScoreSpec, schema: &Schema) -> Result<KeyNames> {
    if let Some(names) = &spec.ids {
        return Ok(names.clone());
    }
    if let Some(text) = schema.metadata().get(CUSTOMER_ID) {
        return Ok(KeyNames::of_text(text, schema));
    }
    schema.fields().first().map(|field| field.name().as_str().into()).ok_or_else(|| {
        Error::new(ErrorKind::ColumnNotFound, "the table has no columns; ties='split' needs the customer ids in the first one")
    })
}
