//! Customer and order ids: integers of any width, strings and binary in any layout, dictionaries of these.

mod same_values;

use arrow_array::cast::AsArray;
use arrow_array::types::{BinaryViewType, StringViewType};
use arrow_array::{
    Array, ArrayRef, BinaryArray, FixedSizeBinaryArray, GenericByteViewArray, LargeBinaryArray, LargeStringArray, StringArray,
};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use serde::{Deserialize, Serialize};

use super::BLOCK;
use super::integer::Integers;
use super::invalid_type;
use super::scalar::ScalarKind;
use crate::error::Result;

/// How ids are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Integers that fit an i64.
    Signed,
    /// Unsigned 64-bit integers, stored as i64 with the top bit flipped, which preserves their order.
    Unsigned,
    /// Strings, compared by bytes.
    Text,
    /// Binary of any width, compared by bytes.
    Binary,
}

impl KeyKind {
    /// Its ids in words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Signed => "integers of up to 64 bits",
            Self::Unsigned => "unsigned 64-bit integers",
            Self::Text => "strings",
            Self::Binary => "binary",
        }
    }
}

/// An id column.
#[derive(Debug, Clone)]
pub(crate) enum KeyColumn {
    /// Ids without a dictionary.
    Plain(PlainKeys),
    /// Dictionary-encoded ids: indices into a column of values.
    Dictionary(DictionaryKeys),
}

/// Ids that are not dictionary-encoded.
#[derive(Debug, Clone)]
pub(crate) enum PlainKeys {
    /// Integer ids.
    Integers(IntegerKeys),
    /// String and binary ids.
    Bytes(ByteKeys),
}

/// One id, borrowed; its `Ord` is the order of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key<'a> {
    /// Null.
    Null,
    /// An integer.
    Integer(i128),
    /// A string.
    Text(&'a str),
    /// Binary.
    Binary(&'a [u8]),
    /// A value that is no id, as it is stored.
    Scalar(ScalarKind, i64),
}

/// One id, owned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnedKey {
    /// Null.
    Null,
    /// An integer.
    Integer(i128),
    /// A string.
    Text(String),
    /// Binary.
    Binary(Vec<u8>),
    /// A value that is no id, as it is stored.
    Scalar(ScalarKind, i64),
}

impl Key<'_> {
    /// The id, owned.
    pub fn to_owned(self) -> OwnedKey {
        match self {
            Key::Null => OwnedKey::Null,
            Key::Integer(id) => OwnedKey::Integer(id),
            Key::Text(id) => OwnedKey::Text(id.to_owned()),
            Key::Binary(id) => OwnedKey::Binary(id.to_vec()),
            Key::Scalar(kind, value) => OwnedKey::Scalar(kind, value),
        }
    }

    /// The id as text; `None` for null.
    pub fn text(self) -> Option<String> {
        match self {
            Key::Null => None,
            Key::Integer(id) => Some(id.to_string()),
            Key::Text(id) => Some(id.to_owned()),
            Key::Binary(id) => Some(String::from_utf8_lossy(id).into_owned()),
            Key::Scalar(kind, value) => Some(kind.text(value)),
        }
    }
}

impl std::fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Key::Null => f.write_str("null"),
            Key::Integer(id) => write!(f, "{id}"),
            Key::Text(id) => write!(f, "'{}'", id.escape_debug()),
            Key::Binary(id) => write!(f, "{id:?}"),
            Key::Scalar(kind, value) => f.write_str(&kind.text(*value)),
        }
    }
}

impl OwnedKey {
    /// The id, borrowed.
    pub fn borrow(&self) -> Key<'_> {
        match self {
            OwnedKey::Null => Key::Null,
            OwnedKey::Integer(id) => Key::Integer(*id),
            OwnedKey::Text(id) => Key::Text(id),
            OwnedKey::Binary(id) => Key::Binary(id),
            OwnedKey::Scalar(kind, value) => Key::Scalar(*kind, *value),
        }
    }
}

/// Integer ids.
#[derive(Debug, Clone)]
pub(crate) struct IntegerKeys {
    values: Integers,
    kind: KeyKind,
}

/// String and binary ids.
#[derive(Debug, Clone)]
pub(crate) struct ByteKeys {
    values: BytesArray,
    nulls: Option<NullBuffer>,
}

#[derive(Debug, Clone)]
enum BytesArray {
    Utf8(StringArray),
    LargeUtf8(LargeStringArray),
    Utf8View(GenericByteViewArray<StringViewType>),
    Binary(BinaryArray),
    LargeBinary(LargeBinaryArray),
    BinaryView(GenericByteViewArray<BinaryViewType>),
    Fixed(FixedSizeBinaryArray),
}

/// Dictionary-encoded ids.
#[derive(Debug, Clone)]
pub(crate) struct DictionaryKeys {
    indices: Integers,
    values: PlainKeys,
}

impl KeyColumn {
    /// Creates the reader of an id column; `role` is the argument that named it.
    pub(crate) fn new(column: &str, role: &str, array: &ArrayRef) -> Result<Self> {
        Self::read(array).ok_or_else(|| wrong_key(column, role, array.data_type()))
    }

    /// The reader of a column; `None` if its values cannot be ids.
    pub(super) fn read(array: &ArrayRef) -> Option<Self> {
        let Some(dictionary) = array.as_any_dictionary_opt() else { return Some(Self::Plain(PlainKeys::new(array)?)) };
        let values = PlainKeys::new(dictionary.values())?;
        let indices = Integers::new(&arrow_array::make_array(dictionary.keys().to_data()))?;
        Some(Self::Dictionary(DictionaryKeys { indices, values }))
    }

    /// The type of the values: of the column itself, or of its dictionary.
    pub(crate) fn value_type(data_type: &DataType) -> &DataType {
        match data_type {
            DataType::Dictionary(_, value) => Self::value_type(value),
            other => other,
        }
    }

    /// The type that holds the values of both types, which are of the same kind: the wider integer, the larger layout. The
    /// function is commutative.
    pub(crate) fn common_type(a: &DataType, b: &DataType) -> DataType {
        // Views hold more bytes than 32-bit offsets can address; the large offset layouts are the most widely supported.
        let layout = |data_type: &DataType| match data_type {
            DataType::LargeUtf8 | DataType::LargeBinary => 2,
            DataType::Utf8View | DataType::BinaryView => 1,
            _ => 0,
        };
        match (a, b) {
            (a, b) if a == b => a.clone(),
            (a, b) if a.is_integer() && b.is_integer() => match (a.is_signed_integer(), b.is_signed_integer()) {
                (true, true) | (false, false) if a.primitive_width() >= b.primitive_width() => a.clone(),
                (true, true) | (false, false) => b.clone(),
                _ => DataType::Int64,
            },
            (DataType::FixedSizeBinary(_), DataType::FixedSizeBinary(_)) => DataType::Binary,
            (DataType::FixedSizeBinary(_), other) | (other, DataType::FixedSizeBinary(_)) => other.clone(),
            (a, b) => if layout(a) >= layout(b) { a } else { b }.clone(),
        }
    }

    /// How the ids are compared.
    pub(crate) fn kind(&self) -> KeyKind {
        match self {
            Self::Plain(keys) => keys.kind(),
            Self::Dictionary(keys) => keys.values.kind(),
        }
    }

    /// The id of one row.
    pub(crate) fn key(&self, row: usize) -> Key<'_> {
        if self.nulls().is_some_and(|nulls| nulls.is_null(row)) {
            return Key::Null;
        }
        match self {
            Self::Plain(keys) => keys.key(row),
            Self::Dictionary(keys) => keys.values.key(usize::try_from(keys.indices.get(row)).unwrap_or(0)),
        }
    }

    /// The values of the dictionary, in its order; `None` for a plain column.
    pub(crate) fn dictionary(&self) -> Option<Vec<OwnedKey>> {
        match self {
            Self::Plain(_) => None,
            Self::Dictionary(keys) => Some((0..keys.values.len()).map(|row| keys.values.key(row).to_owned()).collect()),
        }
    }

    /// The position of a row's value in the dictionary; `None` if it is null or the column is plain.
    pub(crate) fn index(&self, row: usize) -> Option<usize> {
        match self {
            Self::Dictionary(keys) if keys.indices.nulls().is_none_or(|nulls| nulls.is_valid(row)) => {
                usize::try_from(keys.indices.get(row)).ok()
            }
            _ => None,
        }
    }

    /// Null rows of the column itself; dictionary values may be null, too.
    pub(crate) fn nulls(&self) -> Option<&NullBuffer> {
        match self {
            Self::Plain(keys) => keys.nulls(),
            Self::Dictionary(keys) => keys.indices.nulls(),
        }
    }
}

impl PlainKeys {
    fn new(array: &ArrayRef) -> Option<Self> {
        if let Some(values) = Integers::new(array) {
            let kind = if values.is_u64() { KeyKind::Unsigned } else { KeyKind::Signed };
            return Some(Self::Integers(IntegerKeys { values, kind }));
        }
        let values = match array.data_type() {
            DataType::Utf8 => BytesArray::Utf8(array.as_string().clone()),
            DataType::LargeUtf8 => BytesArray::LargeUtf8(array.as_string().clone()),
            DataType::Utf8View => BytesArray::Utf8View(array.as_string_view().clone()),
            DataType::Binary => BytesArray::Binary(array.as_binary().clone()),
            DataType::LargeBinary => BytesArray::LargeBinary(array.as_binary().clone()),
            DataType::BinaryView => BytesArray::BinaryView(array.as_binary_view().clone()),
            DataType::FixedSizeBinary(_) => BytesArray::Fixed(array.as_fixed_size_binary().clone()),
            _ => return None,
        };
        Some(Self::Bytes(ByteKeys { values, nulls: array.nulls().cloned() }))
    }

    /// How the ids are compared.
    pub(crate) fn kind(&self) -> KeyKind {
        match self {
            Self::Integers(keys) => keys.kind,
            Self::Bytes(keys) => keys.kind(),
        }
    }

    fn key(&self, row: usize) -> Key<'_> {
        if self.nulls().is_some_and(|nulls| nulls.is_null(row)) {
            return Key::Null;
        }
        match self {
            Self::Integers(keys) => Key::Integer(keys.values.get(row)),
            Self::Bytes(keys) => keys.key(row),
        }
    }

    /// Null rows.
    pub(crate) fn nulls(&self) -> Option<&NullBuffer> {
        match self {
            Self::Integers(keys) => keys.values.nulls(),
            Self::Bytes(keys) => keys.nulls.as_ref(),
        }
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Integers(keys) => keys.values.len(),
            Self::Bytes(keys) => keys.len(),
        }
    }
}

impl IntegerKeys {
    /// Reads rows `start..start + out.len()` as i64 in the order of the ids; values of null rows are unspecified.
    #[inline]
    pub(crate) fn read(&self, start: usize, out: &mut [i64]) {
        self.values.read(start, out);
        if self.kind == KeyKind::Unsigned {
            out.iter_mut().for_each(|key| *key ^= i64::MIN);
        }
    }
}

impl ByteKeys {
    fn kind(&self) -> KeyKind {
        match &self.values {
            BytesArray::Utf8(_) | BytesArray::LargeUtf8(_) | BytesArray::Utf8View(_) => KeyKind::Text,
            BytesArray::Binary(_) | BytesArray::LargeBinary(_) | BytesArray::BinaryView(_) | BytesArray::Fixed(_) => KeyKind::Binary,
        }
    }

    fn key(&self, row: usize) -> Key<'_> {
        match &self.values {
            BytesArray::Utf8(a) => Key::Text(a.value(row)),
            BytesArray::LargeUtf8(a) => Key::Text(a.value(row)),
            BytesArray::Utf8View(a) => Key::Text(a.value(row)),
            _ => Key::Binary(self.get(row)),
        }
    }

    /// The bytes of one row; unspecified if it is null.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> &[u8] {
        match &self.values {
            BytesArray::Utf8(a) => a.value(row).as_bytes(),
            BytesArray::LargeUtf8(a) => a.value(row).as_bytes(),
            BytesArray::Utf8View(a) => a.value(row).as_bytes(),
            BytesArray::Binary(a) => a.value(row),
            BytesArray::LargeBinary(a) => a.value(row),
            BytesArray::BinaryView(a) => a.value(row),
            BytesArray::Fixed(a) => a.value(row),
        }
    }

    /// Whether a row is null.
    #[inline]
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        match &self.values {
            BytesArray::Utf8(a) => a.len(),
            BytesArray::LargeUtf8(a) => a.len(),
            BytesArray::Utf8View(a) => a.len(),
            BytesArray::Binary(a) => a.len(),
            BytesArray::LargeBinary(a) => a.len(),
            BytesArray::BinaryView(a) => a.len(),
            BytesArray::Fixed(a) => a.len(),
        }
    }
}

impl DictionaryKeys {
    /// Reads rows `start..start + out.len()` as positions in the dictionary; values of null rows are unspecified.
    #[inline]
    pub(crate) fn read(&self, start: usize, out: &mut [i64]) {
        self.indices.read(start, out);
    }

    /// As [`Self::read`], as 32-bit positions into `out`, which is cleared first.
    #[inline]
    pub(crate) fn read_positions(&self, start: usize, len: usize, out: &mut Vec<u32>) {
        let mut positions = [0; BLOCK];
        let positions = &mut positions[..len];
        self.indices.read(start, positions);
        out.clear();
        out.extend(positions.iter().map(|&position| position as u32));
    }

    /// The dictionary; it may contain nulls, duplicates and unused values.
    pub(crate) fn values(&self) -> &PlainKeys {
        &self.values
    }
}

fn wrong_key(column: &str, role: &str, found: &DataType) -> crate::error::Error {
    let remedy = match found {
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            "pandas converts integer ids to floats if one is null: cast them back, e.g. df[col].astype('Int64'), \
            or use custcore.pandas, which accepts integral floats"
        }
        DataType::Decimal128(_, 0) => "DuckDB exports HUGEINT, the type of its sums, as a decimal: cast it to a 64-bit integer first",
        DataType::Null => "The column contains only nulls and has no type: cast it to the type of its values",
        DataType::Boolean => "Cast it to integer if true and false are two ids",
        _ => "Cast it first, e.g. to string",
    };
    invalid_type(column, role, found, "an integer, string, binary or a dictionary of these", remedy)
}
