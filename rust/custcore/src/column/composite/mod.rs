//! The encoding of composite keys: the ids of several columns as one byte string, whose order is the order of the ids part by
//! part.
//!
//! | part | bytes |
//! |---|---|
//! | integer | 0x80 + n for 0 and above, else 0x7F - n; then its n significant bytes, big-endian |
//! | string or binary | its bytes, with 0 as 1 1 and 1 as 1 2; then 0 |
//! | string or binary as the last part | its bytes |
//!
//! Integers of all widths have the same bytes, as have all layouts of strings. A short string and a number take few bytes: up to
//! 16 of them the whole id is compared and hashed as one number ([`crate::group`] keeps it as a prefix).

pub(crate) mod decode;
pub(crate) mod encode;

/// The end of a string, and the escape of the two smallest bytes.
const END: u8 = 0;
const ESCAPE: u8 = 1;
/// The first byte of the integer 0.
const ZERO: u8 = 0x80;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::cast::AsArray;
    use arrow_array::{Array, ArrayRef, BinaryArray, Int64Array, UInt64Array};
    use arrow_schema::DataType;

    use super::decode::decode;
    use super::encode::{encode, encode_one};
    use crate::column::key::{Key, KeyColumn, KeyKind};
    use crate::error::Result;
    use crate::exec::par::Threads;

    const NUMBERS: [i64; 17] =
        [i64::MIN, i64::MIN + 1, -(1 << 32), -65_537, -257, -256, -255, -2, -1, 0, 1, 255, 256, 65_536, 1 << 40, i64::MAX - 1, i64::MAX];
    const STRINGS: [&[u8]; 12] = [
        b"",
        b"\0",
        b"\0\0",
        b"\0\x01",
        b"\x01",
        b"\x01\x01",
        b"\x02",
        b"DE",
        b"DE\0",
        b"DEX",
        b"a longer string than sixteen",
        b"\xff\xff",
    ];

    fn columns() -> (ArrayRef, ArrayRef, ArrayRef) {
        let rows = STRINGS.iter().flat_map(|text| NUMBERS.iter().map(move |number| (*text, *number)));
        let (texts, numbers): (Vec<&[u8]>, Vec<i64>) = rows.unzip();
        let unsigned = numbers.iter().map(|&number| number as u64 ^ (1 << 63)).collect::<UInt64Array>();
        (Arc::new(BinaryArray::from_vec(texts)), Arc::new(Int64Array::from(numbers)), Arc::new(unsigned))
    }

    fn encoded(columns: &[&ArrayRef]) -> Result<KeyColumn> {
        let parts = columns.iter().map(|column| KeyColumn::new("id", "id", column)).collect::<Result<Vec<_>>>()?;
        encode(&parts, columns[0].len(), Threads::inline())
    }

    #[test]
    fn encoded_ids_compare_part_by_part_and_come_back() -> Result<()> {
        let (texts, numbers, unsigned) = columns();
        for order in [[&texts, &numbers, &unsigned], [&numbers, &texts, &unsigned], [&unsigned, &numbers, &texts]] {
            let parts = order.map(|column| KeyColumn::new("id", "id", column)).into_iter().collect::<Result<Vec<_>>>()?;
            let ids = encoded(&order)?;
            let rows = texts.len();
            let key = |row: usize| parts.iter().map(|part| part.key(row)).collect::<Vec<Key<'_>>>();
            for a in 0..rows {
                for b in 0..rows {
                    assert_eq!(ids.key(a).cmp(&ids.key(b)), key(a).cmp(&key(b)), "{:?} {:?}", key(a), key(b));
                }
                let one = encode_one(&key(a)).unwrap_or_default();
                assert_eq!(ids.key(a), Key::Binary(&one));
            }
            let bytes = |row: usize| if let Key::Binary(id) = ids.key(row) { id } else { b"" };
            let types: Vec<(KeyKind, &DataType)> =
                parts.iter().zip(order).map(|(part, column)| (part.kind(), column.data_type())).collect();
            for (found, column) in decode(&types, rows, bytes, Threads::inline())?.iter().zip(order) {
                assert_eq!(found, column);
            }
            assert!(decode(&types, 1, |_| b"\x99".as_slice(), Threads::inline()).is_err());
        }
        Ok(())
    }

    #[test]
    fn widths_and_dictionaries_have_the_same_ids() -> Result<()> {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![3, 200, 3, 0]));
        let narrow: ArrayRef = Arc::new(arrow_array::UInt8Array::from(vec![3, 200, 3, 0]));
        let texts: ArrayRef =
            Arc::new(arrow_array::StringArray::from(vec![Some("a"), None, Some("a"), Some("a string of more than sixteen")]));
        let views: ArrayRef = Arc::new(texts.as_string::<i32>().iter().collect::<arrow_array::StringViewArray>());
        let dictionary: ArrayRef =
            Arc::new(texts.as_string::<i32>().iter().collect::<arrow_array::DictionaryArray<arrow_array::types::Int8Type>>());
        let want = encoded(&[&texts, &numbers])?;
        for columns in [[&views, &narrow], [&dictionary, &numbers]] {
            let found = encoded(&columns)?;
            for row in 0..4 {
                assert_eq!(found.key(row), want.key(row));
            }
        }
        assert_eq!(want.key(0), Key::Binary(b"a\0\x81\x03"));
        assert_eq!(want.key(1), Key::Null);
        Ok(())
    }
}
