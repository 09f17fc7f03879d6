//! Customer ids as arguments, and in the form in which a base stores them.

use std::fmt;

use arrow_schema::DataType;

use super::composite::encode::encode_one;
use super::key::{Key, KeyKind};
use super::key_schema::{KeyPart, KeySchema};
use crate::error::{Error, ErrorKind, Result};

/// A customer id as an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomerId {
    /// An integer.
    Integer(i128),
    /// A string.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// The parts of an id of a composite key.
    Tuple(Vec<CustomerId>),
}

/// A customer id as it is stored: integers as in [`super::key::IntegerKeys::read`], composite ids encoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum StoredId {
    /// An integer.
    Integer(i64),
    /// A string, bytes, or an encoded id.
    Bytes(Vec<u8>),
}

impl CustomerId {
    fn kind_name(&self) -> &'static str {
        match self {
            Self::Integer(_) => "an integer",
            Self::Text(_) => "a string",
            Self::Binary(_) => "binary",
            Self::Tuple(_) => "a tuple",
        }
    }

    /// Its parts, one for each column of the key.
    fn parts<'a>(&'a self, key: &KeySchema) -> Result<&'a [Self]> {
        let expected = key.parts().len();
        match self {
            Self::Tuple(parts) if parts.len() == expected => Ok(parts),
            Self::Tuple(parts) if expected > 1 => Err(unlike(format!(
                "{self} was given as a customer id and has {} parts; an id of this base is a tuple of {}",
                parts.len(),
                key.names()
            ))),
            one if expected == 1 => Ok(std::slice::from_ref(one)),
            one => Err(unlike(format!("{} was given as a customer id; an id of this base is a tuple of {}", one.kind_name(), key.names()))),
        }
    }

    /// The id of one column; `None` if no column of its kind holds the value.
    fn key(&self, part: &KeyPart, is_alone: bool) -> Result<Option<Key<'_>>> {
        Ok(match (part.kind, self) {
            (KeyKind::Text, Self::Text(text)) => Some(Key::Text(text)),
            (KeyKind::Binary, Self::Binary(bytes)) => Some(Key::Binary(bytes)),
            (KeyKind::Signed, Self::Integer(id)) => i64::try_from(*id).is_ok().then_some(Key::Integer(*id)),
            (KeyKind::Unsigned, Self::Integer(id)) => u64::try_from(*id).is_ok().then_some(Key::Integer(*id)),
            _ => {
                let expected = match part.kind {
                    KeyKind::Text => "strings",
                    KeyKind::Binary => "binary",
                    KeyKind::Signed | KeyKind::Unsigned => "integers",
                };
                let found = self.kind_name();
                return Err(unlike(if is_alone {
                    format!("{found} was given as a customer id; the ids of this base are {expected}")
                } else {
                    format!("{found} was given as the part '{}' of a customer id; its values in this base are {expected}", part.name)
                }));
            }
        })
    }

    /// The type of a column of this id alone, of the kind of `part`.
    fn value_type(&self, part: &KeyPart) -> Option<DataType> {
        let Self::Integer(id) = self else {
            return match (self, &part.value_type) {
                (Self::Binary(bytes), DataType::FixedSizeBinary(_)) => {
                    Some(i32::try_from(bytes.len()).map_or(DataType::LargeBinary, DataType::FixedSizeBinary))
                }
                _ => None,
            };
        };
        let id = *id;
        let holds = match part.value_type {
            DataType::Int8 => i8::try_from(id).is_ok(),
            DataType::Int16 => i16::try_from(id).is_ok(),
            DataType::Int32 => i32::try_from(id).is_ok(),
            DataType::UInt8 => u8::try_from(id).is_ok(),
            DataType::UInt16 => u16::try_from(id).is_ok(),
            DataType::UInt32 => u32::try_from(id).is_ok(),
            _ => true,
        };
        (!holds).then_some(DataType::Int64)
    }
}

impl KeySchema {
    /// The id as it is stored; `None` if it is of the kind of the ids, but no column of that kind holds it. An error if it is of
    /// another kind.
    pub(crate) fn stored(&self, id: &CustomerId) -> Result<Option<StoredId>> {
        let parts = id.parts(self)?.iter().zip(self.parts());
        let keys = parts.map(|(id, part)| id.key(part, !self.is_composite())).collect::<Result<Option<Vec<Key<'_>>>>>()?;
        Ok(match keys.as_deref() {
            None => None,
            Some([Key::Integer(id)]) if self.kind() == KeyKind::Unsigned => {
                u64::try_from(*id).ok().map(|id| StoredId::Integer(id as i64 ^ i64::MIN))
            }
            Some([Key::Integer(id)]) => i64::try_from(*id).ok().map(StoredId::Integer),
            Some([Key::Text(text)]) => Some(StoredId::Bytes(text.as_bytes().to_vec())),
            Some([Key::Binary(bytes)]) => Some(StoredId::Bytes(bytes.to_vec())),
            Some(parts) => encode_one(parts).map(StoredId::Bytes),
        })
    }

    /// As [`KeySchema::stored`], for an id that is to be stored.
    pub(crate) fn stored_new(&self, id: &CustomerId) -> Result<StoredId> {
        self.stored(id)?.ok_or_else(|| {
            let bounds: Vec<String> = self.parts().iter().filter_map(bounds).collect();
            let message = format!("the customer id {id} is outside the range of the ids of this base: {}", bounds.join(", "));
            Error::new(ErrorKind::OutOfRange, message)
        })
    }

    /// Whether a column of these types holds the id.
    pub(crate) fn holds(&self, id: &CustomerId) -> bool {
        id.parts(self).is_ok_and(|parts| parts.iter().zip(self.parts()).all(|(id, part)| part.holds(id)))
    }

    /// Widens the types to hold the id, as an update with it would.
    pub(crate) fn widen_to_hold(&mut self, id: &CustomerId) -> Result<()> {
        let parts = id.parts(self)?;
        for (part, id) in self.parts_mut().iter_mut().zip(parts) {
            if let Some(value_type) = id.value_type(part) {
                part.widen_to(&value_type);
            }
        }
        Ok(())
    }
}

impl KeyPart {
    fn holds(&self, id: &CustomerId) -> bool {
        id.value_type(self).is_none_or(|value_type| value_type == self.value_type)
    }
}

/// The range of the integers of a part.
fn bounds(part: &KeyPart) -> Option<String> {
    match part.kind {
        KeyKind::Signed => Some(format!("'{}' holds -2**63 to 2**63 - 1", part.name)),
        KeyKind::Unsigned => Some(format!("'{}' holds 0 to 2**64 - 1", part.name)),
        KeyKind::Text | KeyKind::Binary => None,
    }
}

fn unlike(message: String) -> Error {
    Error::new(ErrorKind::InvalidType, message)
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(id) => write!(f, "{id}"),
            Self::Text(id) => write!(f, "'{}'", id.escape_debug()),
            Self::Binary(id) => write!(f, "b'{}'", id.escape_ascii()),
            Self::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(Self::to_string).collect();
                write!(f, "({})", parts.join(", "))
            }
        }
    }
}
