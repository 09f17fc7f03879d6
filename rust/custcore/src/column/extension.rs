//! The Arrow extension type of a column, such as `arrow.uuid`.

use arrow_schema::extension::{EXTENSION_TYPE_METADATA_KEY, EXTENSION_TYPE_NAME_KEY};
use arrow_schema::{Field, Metadata};

/// The metadata entries of an extension type; none for a plain column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extension(Metadata);

impl Extension {
    /// The extension type of a field.
    pub(crate) fn of(field: &Field) -> Self {
        let mut entries = Metadata::default();
        for key in [EXTENSION_TYPE_NAME_KEY, EXTENSION_TYPE_METADATA_KEY] {
            if let Some(value) = field.metadata().get(key) {
                entries.insert(key, value.clone());
            }
        }
        Self(entries)
    }

    /// Whether the column is a plain one.
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// A field of this extension type.
    pub(crate) fn on(&self, field: Field) -> Field {
        field.with_metadata(self.0.clone())
    }

    /// What is left when data of another type are added: an extension that only one of them has is dropped, as is one whose
    /// storage type changes.
    pub(crate) fn join(&mut self, other: &Self, same_storage: bool) {
        if self != other || !same_storage {
            *self = Self::default();
        }
    }
}
