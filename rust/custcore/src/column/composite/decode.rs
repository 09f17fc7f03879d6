//! Byte strings to the columns of their parts.

use std::ops::Deref;

use arrow_array::ArrayRef;
use arrow_schema::DataType;

use super::{END, ESCAPE, ZERO};
use crate::column::ids::{byte_ids, contiguous_ids, integer_ids};
use crate::column::key::KeyKind;
use crate::error::{Error, Result};
use crate::exec::par::Threads;

/// The values of one part of some ids.
enum PartValues {
    /// As [`crate::column::key::IntegerKeys::read`] gives them.
    Integers(Vec<i64>),
    /// The bytes of all values, and the length of each.
    Bytes(Vec<u8>, Vec<usize>),
}

impl PartValues {
    fn new(kind: KeyKind) -> Self {
        match kind {
            KeyKind::Signed | KeyKind::Unsigned => Self::Integers(Vec::new()),
            KeyKind::Text | KeyKind::Binary => Self::Bytes(Vec::new(), Vec::new()),
        }
    }

    /// Takes the value at the start of `id`, and returns what follows; `None` if it is invalid.
    fn take<'a>(&mut self, id: &'a [u8], kind: KeyKind, is_last: bool) -> Option<&'a [u8]> {
        match self {
            Self::Integers(values) => {
                let (&first, rest) = id.split_first()?;
                let (n, fill) = if first >= ZERO { (first - ZERO, 0) } else { (ZERO - 1 - first, u64::MAX) };
                let (body, rest) = rest.split_at_checked(usize::from(n)).filter(|_| n <= 8)?;
                let bits = body.iter().fold(fill, |bits, &byte| bits << 8 | u64::from(byte)) as i64;
                values.push(if kind == KeyKind::Unsigned { bits ^ i64::MIN } else { bits });
                Some(rest)
            }
            Self::Bytes(values, lengths) if is_last => {
                values.extend_from_slice(id);
                lengths.push(id.len());
                Some(&[])
            }
            Self::Bytes(values, lengths) => {
                let (start, mut at) = (values.len(), 0);
                loop {
                    let byte = *id.get(at)?;
                    at += 1;
                    match byte {
                        END => break,
                        ESCAPE => {
                            values.push(id.get(at)?.checked_sub(1)?);
                            at += 1;
                        }
                        byte => values.push(byte),
                    }
                }
                lengths.push(values.len() - start);
                id.get(at..)
            }
        }
    }

    fn append(&mut self, other: Self) {
        match (self, other) {
            (Self::Integers(values), Self::Integers(more)) => values.extend(more),
            (Self::Bytes(values, lengths), Self::Bytes(more, more_lengths)) => {
                values.extend(more);
                lengths.extend(more_lengths);
            }
            _ => {}
        }
    }

    /// A column of this type.
    fn column(self, value_type: &DataType) -> Result<ArrayRef> {
        match self {
            Self::Integers(values) => integer_ids(value_type, values.into_iter().map(Some)),
            Self::Bytes(values, lengths) => {
                if let Some(column) = contiguous_ids(value_type, &values, lengths.iter().copied())? {
                    return Ok(column);
                }
                let mut rest = values.as_slice();
                let slices: Vec<Option<&[u8]>> = lengths
                    .iter()
                    .map(|&length| {
                        let (value, after) = rest.split_at(length);
                        rest = after;
                        Some(value)
                    })
                    .collect();
                byte_ids(value_type, slices.into_iter())
            }
        }
    }
}

/// The columns of encoded ids, one of each kind and type.
pub(crate) fn decode<B: Deref<Target = [u8]>>(
    parts: &[(KeyKind, &DataType)],
    rows: usize,
    id: impl Fn(usize) -> B + Sync,
    threads: Threads<'_>,
) -> Result<Vec<ArrayRef>> {
    let new = || parts.iter().map(|(kind, _)| PartValues::new(*kind)).collect::<Vec<_>>();
    let chunks = threads.par_chunks(rows, |run| -> Result<Vec<PartValues>> {
        let mut values = new();
        for row in run {
            let id = id(row);
            let mut rest = &*id;
            for (at, (values, (kind, _))) in values.iter_mut().zip(parts).enumerate() {
                rest = values.take(rest, *kind, at + 1 == parts.len()).ok_or_else(invalid)?;
            }
            if !rest.is_empty() {
                return Err(invalid());
            }
        }
        Ok(values)
    });
    let mut whole = new();
    for chunk in chunks {
        whole.iter_mut().zip(chunk?).for_each(|(whole, chunk)| whole.append(chunk));
    }
    whole.into_iter().zip(parts).map(|(values, (_, value_type))| values.column(value_type)).collect()
}

fn invalid() -> Error {
    Error::internal("an encoded id does not have the parts of its key")
}
