//! The columns of a key, and how its ids are stored.
//!
//! A key is one column, whose ids are stored as they are, or several (a composite key), whose ids are encoded into byte strings
//! ([`super::composite`]). Below this module a composite key is a key of binary ids.

use std::fmt;

use arrow_array::ArrayRef;
use arrow_schema::{DataType, Field, Schema};
use serde::{Deserialize, Serialize};

use super::composite::encode::encode;
use super::extension::Extension;
use super::key::{KeyColumn, KeyKind};
use super::{find_column, invalid_type};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::Threads;

/// The names of the columns of a key: one, or several in the order in which ids are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyNames(Vec<String>);

impl KeyNames {
    /// The names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.0.iter().map(String::as_str)
    }

    /// Whether there are several.
    pub fn is_composite(&self) -> bool {
        self.0.len() > 1
    }

    /// An error if there is none, or one twice.
    pub(crate) fn check(&self, argument: &str) -> Result<()> {
        if self.0.is_empty() {
            return Err(Error::new(ErrorKind::InvalidArgument, format!("{argument} is an empty list; name at least one column")));
        }
        match self.0.iter().enumerate().find(|(at, name)| self.0[..*at].contains(name)) {
            None => Ok(()),
            Some((_, name)) => {
                let message = format!("{argument} names column '{name}' twice; name each part of the key once");
                Err(Error::new(ErrorKind::InvalidArgument, message).in_column(name))
            }
        }
    }

    /// The names as the text of a metadata entry: the only name, or a JSON list.
    pub(crate) fn to_text(&self) -> String {
        match self.0.as_slice() {
            [only] => only.clone(),
            names => serde_json::to_string(names).unwrap_or_default(),
        }
    }

    /// The names of such a text. A column whose name is the text comes first.
    pub(crate) fn of_text(text: &str, schema: &Schema) -> Self {
        if schema.fields().iter().any(|field| field.name() == text) {
            return text.into();
        }
        serde_json::from_str::<Vec<String>>(text).map_or_else(|_| text.into(), Self)
    }
}

impl From<String> for KeyNames {
    fn from(name: String) -> Self {
        Self(vec![name])
    }
}

impl From<&str> for KeyNames {
    fn from(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }
}

impl From<Vec<String>> for KeyNames {
    fn from(names: Vec<String>) -> Self {
        Self(names)
    }
}

impl fmt::Display for KeyNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [only] => write!(f, "'{only}'"),
            names => write!(f, "{names:?}"),
        }
    }
}

/// The type of one column of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPart {
    /// The name of the column.
    pub name: String,
    /// Its type in results.
    pub value_type: DataType,
    /// How its ids are compared.
    pub kind: KeyKind,
    /// The Arrow extension type over `value_type`.
    extension: Extension,
}

impl KeyPart {
    /// The part of this name and type, without an extension.
    pub(crate) fn new(name: &str, role: &str, value_type: &DataType) -> Result<Self> {
        let value_type = KeyColumn::value_type(value_type).clone();
        let kind = KeyColumn::new(name, role, &arrow_array::new_empty_array(&value_type))?.kind();
        Ok(Self { name: name.to_owned(), value_type, kind, extension: Extension::default() })
    }

    /// The part of a column of the input.
    fn of(field: &Field, role: &str) -> Result<Self> {
        KeyColumn::new(field.name(), role, &arrow_array::new_empty_array(field.data_type()))?;
        let mut part = Self::new(field.name(), role, field.data_type())?;
        // An extension of a dictionary is not one of its values.
        if part.value_type == *field.data_type() {
            part.extend_from(field);
        }
        Ok(part)
    }

    /// Takes the extension of a field.
    pub(crate) fn extend_from(&mut self, field: &Field) {
        self.extension = Extension::of(field);
    }

    /// Whether it has an extension type.
    pub(crate) fn is_extended(&self) -> bool {
        !self.extension.is_none()
    }

    /// The field of a result.
    pub(crate) fn field(&self, is_nullable: bool) -> Field {
        self.extension.on(Field::new(&self.name, self.value_type.clone(), is_nullable))
    }

    /// Widens the type so that it also holds the ids of a column of the same kind. An extension that only one of them has is
    /// dropped, as is one whose storage type changes.
    pub(crate) fn widen(&mut self, other: &Self) {
        let common = KeyColumn::common_type(&self.value_type, &other.value_type);
        self.extension.join(&other.extension, common == self.value_type);
        self.value_type = common;
    }

    /// Widens the type as an update with ids of type `value_type` would.
    pub(crate) fn widen_to(&mut self, value_type: &DataType) {
        let common = KeyColumn::common_type(&self.value_type, value_type);
        if common != self.value_type {
            self.value_type = common;
            self.extension = Extension::default();
        }
    }
}

/// The types of the columns of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySchema {
    parts: Vec<KeyPart>,
}

impl KeySchema {
    /// The key of these parts.
    pub(crate) fn new(parts: Vec<KeyPart>) -> Self {
        Self { parts }
    }

    /// The key in data of an Arrow schema.
    pub(crate) fn of(schema: &Schema, names: &KeyNames, role: &str) -> Result<Self> {
        let part = |name: &str| KeyPart::of(schema.field(find_column(schema, name, role)?), role);
        Ok(Self { parts: names.iter().map(part).collect::<Result<_>>()? })
    }

    /// How its stored ids are compared.
    pub fn kind(&self) -> KeyKind {
        match self.parts.as_slice() {
            [only] => only.kind,
            _ => KeyKind::Binary,
        }
    }

    /// Its columns.
    pub fn parts(&self) -> &[KeyPart] {
        &self.parts
    }

    pub(crate) fn parts_mut(&mut self) -> &mut [KeyPart] {
        &mut self.parts
    }

    /// Whether it has several columns, and its ids are encoded.
    pub fn is_composite(&self) -> bool {
        self.parts.len() > 1
    }

    /// Whether it has a column of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.parts.iter().any(|part| part.name == name)
    }

    /// The names of its columns.
    pub(crate) fn names(&self) -> KeyNames {
        KeyNames(self.parts.iter().map(|part| part.name.clone()).collect())
    }

    /// The key of its ids as they are stored: one column.
    pub(crate) fn stored_key(&self) -> Self {
        if !self.is_composite() {
            return self.clone();
        }
        let name = self.parts.first().map_or_else(String::new, |part| part.name.clone());
        let part = KeyPart { name, value_type: DataType::LargeBinary, kind: KeyKind::Binary, extension: Extension::default() };
        Self { parts: vec![part] }
    }

    /// Takes the extensions of the columns of these names.
    pub(crate) fn extend_from(&mut self, schema: &Schema) {
        for part in &mut self.parts {
            if let Some((_, field)) = schema.column_with_name(&part.name) {
                part.extend_from(field);
            }
        }
    }

    /// Whether a file of this key needs a reader that knows composite keys or extension types.
    pub(crate) fn is_plain(&self) -> bool {
        self.parts.len() == 1 && !self.parts.iter().any(KeyPart::is_extended)
    }

    /// Widens the types so that they also hold the ids of `other`.
    pub(crate) fn widen(&mut self, other: &Self) {
        for (own, other) in self.parts.iter_mut().zip(&other.parts) {
            own.widen(other);
        }
    }

    /// An error unless the ids of another table can be those of these customers.
    pub(crate) fn check_same_kinds(&self, other: &Self) -> Result<()> {
        if self.parts().len() != other.parts().len() {
            let message = format!("its ids have {} columns, those of the customers {}", other.parts().len(), self.parts().len());
            return Err(Error::new(ErrorKind::InvalidType, message));
        }
        for (part, other) in self.parts().iter().zip(other.parts()) {
            if part.kind != other.kind {
                let expected = format!("{}, as the ids of the customers", part.kind.name());
                let remedy = "Ids of different kinds are never equal: cast one of the columns";
                return Err(invalid_type(&other.name, "customer_id", &other.value_type, &expected, remedy));
            }
        }
        Ok(())
    }

    /// The ids in the columns of this key.
    pub(crate) fn read(&self, columns: &[ArrayRef], role: &str, threads: Threads<'_>) -> Result<KeyColumn> {
        let mut parts = Vec::with_capacity(columns.len());
        for (part, column) in self.parts.iter().zip(columns) {
            let read = KeyColumn::new(&part.name, role, column)?;
            if read.kind() != part.kind {
                let expected = format!("{}, as in the first batch", part.kind.name());
                return Err(invalid_type(&part.name, role, column.data_type(), &expected, "Cast all batches to one type"));
            }
            parts.push(read);
        }
        match (parts.len(), parts.pop()) {
            (1, Some(only)) => Ok(only),
            (n, Some(last)) if n == self.parts.len() => {
                parts.push(last);
                encode(&parts, columns[0].len(), threads)
            }
            _ => Err(Error::internal("the columns of a key differ from its schema")),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_schema::Metadata;
    use arrow_schema::extension::EXTENSION_TYPE_NAME_KEY;

    use super::*;

    fn uuid() -> Field {
        let metadata = Metadata::from([(EXTENSION_TYPE_NAME_KEY.to_owned(), "arrow.uuid".to_owned())]);
        Field::new("id", DataType::FixedSizeBinary(16), true).with_metadata(metadata)
    }

    #[test]
    fn an_extension_is_kept_while_all_data_have_it() -> Result<()> {
        let part = KeyPart::of(&uuid(), "customer_id")?;
        assert_eq!(part.field(true), uuid());
        let (mut same, mut plain, mut wider) = (part.clone(), part.clone(), part.clone());
        same.widen(&part);
        assert!(same.is_extended());
        plain.widen(&KeyPart::new("id", "customer_id", &DataType::FixedSizeBinary(16))?);
        assert!(!plain.is_extended() && plain.value_type == DataType::FixedSizeBinary(16));
        wider.widen_to(&DataType::FixedSizeBinary(3));
        assert!(!wider.is_extended() && wider.value_type == DataType::Binary);
        Ok(())
    }

    #[test]
    fn names_survive_as_text() {
        let schema = |names: &[&str]| Schema::new(names.iter().map(|name| Field::new(*name, DataType::Int64, true)).collect::<Vec<_>>());
        let pair = KeyNames::from(vec!["a".to_owned(), "b \"c\"".to_owned()]);
        assert_eq!(KeyNames::of_text(&pair.to_text(), &schema(&["a"])), pair);
        assert_eq!(KeyNames::of_text("[\"a\"]", &schema(&["[\"a\"]"])), "[\"a\"]".into());
        assert_eq!(KeyNames::of_text("a", &schema(&[])), "a".into());
        assert_eq!((pair.to_string(), KeyNames::from("a").to_string()), ("[\"a\", \"b \\\"c\\\"\"]".to_owned(), "'a'".to_owned()));
    }
}
