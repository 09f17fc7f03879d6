//! The columns of categories and channels as JSON, and their types.

use std::collections::BTreeMap;

use arrow_schema::{Field, Metadata};
use serde::{Deserialize, Serialize};

use crate::column::category::CategoryColumns;
use crate::column::value::ValueType;

/// The columns of categories and channels.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CategorySettings {
    category: Option<String>,
    promotion: Option<String>,
    channel: Option<String>,
    by_day: bool,
}

impl CategorySettings {
    pub(super) fn of(columns: CategoryColumns) -> Option<Self> {
        let is_kept = columns.is_kept();
        let CategoryColumns { category, promotion, channel, by_day } = columns;
        is_kept.then_some(Self { category, promotion, channel, by_day })
    }

    pub(super) fn columns(self) -> CategoryColumns {
        let Self { category, promotion, channel, by_day } = self;
        CategoryColumns { category, promotion, channel, by_day }
    }
}

/// The type of categories or channels, with the entries of an extension type.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ValueText {
    value: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    extension: BTreeMap<String, String>,
}

impl ValueText {
    pub(super) fn of(value_type: &ValueType) -> Self {
        Self { value: value_type.data_type.to_string(), extension: extension(value_type) }
    }

    pub(super) fn value_type(self, role: &str) -> Option<ValueType> {
        value_type(&self.value, self.extension, role)
    }
}

/// The type of a column of this name of its type; `None` if there is none.
pub(super) fn value_type(name: &str, entries: BTreeMap<String, String>, role: &str) -> Option<ValueType> {
    let field = Field::new("value", name.parse().ok()?, true).with_metadata(Metadata::from_iter(entries));
    ValueType::of(&field, role).ok()
}

/// The entries of an extension type.
pub(super) fn extension(value_type: &ValueType) -> BTreeMap<String, String> {
    value_type.field("value").metadata().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}
