//! Whether two dictionaries have the same values.

use arrow_array::types::ByteArrayType;
use arrow_array::{Array, GenericByteArray};

use super::{BytesArray, PlainKeys};

impl PlainKeys {
    /// Whether both share the same buffers and nulls, and so have the same values.
    pub(crate) fn is_same_memory(&self, other: &Self) -> bool {
        self.len() == other.len() && self.memory() == other.memory() && self.nulls() == other.nulls()
    }

    /// Whether both certainly have the same values at the same positions. The memory is compared, which is many times faster than
    /// hashing; equal values that are stored otherwise may give false.
    pub(crate) fn has_same_values(&self, other: &Self) -> bool {
        if self.len() != other.len() || self.kind() != other.kind() {
            return false;
        }
        // Of the same buffers others may be null.
        if self.nulls() != other.nulls() {
            return false;
        }
        if self.memory() == other.memory() {
            return true;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, StringArray};
    use arrow_buffer::NullBuffer;

    use super::*;
    use crate::column::key::KeyColumn;
    use crate::error::{Error, Result};

    fn plain(array: &ArrayRef) -> Result<PlainKeys> {
        match KeyColumn::new("id", "customer_id", array)? {
            KeyColumn::Plain(keys) => Ok(keys),
            KeyColumn::Dictionary(_) => Err(Error::internal("a dictionary")),
        }
    }

    #[test]
    fn the_same_buffers_with_other_nulls_are_other_values() -> Result<()> {
        let nulls = |is_valid: [bool; 3]| Some(NullBuffer::from(is_valid.to_vec()));
        let numbers = Int64Array::from(vec![1, 2, 3]);
        let texts = StringArray::from(vec!["a", "b", "c"]);
        let masked = |mask: Option<NullBuffer>| -> [ArrayRef; 2] {
            let numbers = Int64Array::new(numbers.values().clone(), mask.clone());
            let texts = StringArray::new(texts.offsets().clone(), texts.values().clone(), mask);
            [Arc::new(numbers), Arc::new(texts)]
        };
        let all = [None, nulls([true, true, false]), nulls([false, true, true])];
        for (i, a) in all.iter().enumerate() {
            for (j, b) in all.iter().enumerate() {
                for (a, b) in masked(a.clone()).into_iter().zip(masked(b.clone())) {
                    let (a, b) = (plain(&a)?, plain(&b)?);
                    assert_eq!((a.is_same_memory(&b), a.has_same_values(&b)), (i == j, i == j), "{i} {j}");
                }
            }
        }
        Ok(())
    }
}
