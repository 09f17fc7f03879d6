//! Whether two dictionaries have the same values.

use arrow_array::types::ByteArrayType;
use arrow_array::{Array, GenericByteArray};

use super::{BytesArray, PlainKeys};

impl PlainKeys {
    /// Whether both share the same buffers, and so have the same values.
    pub(crate) fn is_same_memory(&self, other: &Self) -> bool {
        self.len() == other.len() && self.memory() == other.memory()
    }

    /// Whether both certainly have the same values at the same positions. The memory is compared, which is many times faster than
    /// hashing; equal values that are stored otherwise may give false.
    pub(crate) fn has_same_values(&self, other: &Self) -> bool {
        if self.len() != other.len() || self.kind() != other.kind() {
            return false;
        }
        if self.memory() == other.memory() {
            return true;
        }
        if self.nulls() != other.nulls() {
            return false;
        }
        match (self, other) {
            (Self::Integers(a), Self::Integers(b)) => a.values.has_same_values(&b.values),
            (Self::Bytes(a), Self::Bytes(b)) => match (&a.values, &b.values) {
                (BytesArray::Utf8(a), BytesArray::Utf8(b)) => has_same_bytes(a, b),
                (BytesArray::LargeUtf8(a), BytesArray::LargeUtf8(b)) => has_same_bytes(a, b),
                (BytesArray::Binary(a), BytesArray::Binary(b)) => has_same_bytes(a, b),
                (BytesArray::LargeBinary(a), BytesArray::LargeBinary(b)) => has_same_bytes(a, b),
                _ => false,
            },
            _ => false,
        }
    }

    /// The addresses of the values (or views) and of the offsets.
    fn memory(&self) -> (usize, usize) {
        let address = |pointer: *const u8| pointer as usize;
        match self {
            Self::Integers(keys) => (keys.values.address(), 0),
            Self::Bytes(keys) => match &keys.values {
                BytesArray::Utf8(a) => (address(a.value_data().as_ptr()), address(a.value_offsets().as_ptr().cast())),
                BytesArray::LargeUtf8(a) => (address(a.value_data().as_ptr()), address(a.value_offsets().as_ptr().cast())),
                BytesArray::Utf8View(a) => (address(a.views().as_ptr().cast()), 0),
                BytesArray::Binary(a) => (address(a.value_data().as_ptr()), address(a.value_offsets().as_ptr().cast())),
                BytesArray::LargeBinary(a) => (address(a.value_data().as_ptr()), address(a.value_offsets().as_ptr().cast())),
                BytesArray::BinaryView(a) => (address(a.views().as_ptr().cast()), 0),
                BytesArray::Fixed(a) => (address(a.value_data().as_ptr()), 0),
            },
        }
    }
}

/// Whether offsets and bytes are equal.
fn has_same_bytes<T: ByteArrayType>(a: &GenericByteArray<T>, b: &GenericByteArray<T>) -> bool
where
    T::Offset: Into<i64>,
{
    let range = |array: &GenericByteArray<T>| {
        let offset = |row: usize| usize::try_from(array.value_offsets()[row].into()).ok();
        Some(offset(0)?..offset(array.len())?)
    };
    let (Some(of_a), Some(of_b)) = (range(a), range(b)) else { return false };
    a.value_offsets() == b.value_offsets() && a.value_data().get(of_a) == b.value_data().get(of_b)
}
