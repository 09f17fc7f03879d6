//! Builds Arrow columns from ids, in the type of the input.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, FixedSizeBinaryBuilder, GenericBinaryBuilder, StringViewBuilder};
use arrow_array::types::{ArrowPrimitiveType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, GenericBinaryArray, GenericStringArray, OffsetSizeTrait, PrimitiveArray};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;

use super::value::scalar_column;
use crate::error::{Error, Result};
use crate::exec::par::Threads;

/// Non-null integer ids as a column of `id_type`; int64 ids are not copied.
pub(crate) fn all_integer_ids(id_type: &DataType, ids: Vec<i64>) -> Result<ArrayRef> {
    if *id_type == DataType::Int64 {
        return Ok(Arc::new(PrimitiveArray::<Int64Type>::from(ids)));
    }
    integer_ids(id_type, ids.into_iter().map(Some))
}

/// Nullable integer ids, or values stored as integers, as a column of `id_type`; unsigned 64-bit ids are given with their top bit flipped. An id that the type
/// does not hold is an error: two ids must not become one.
pub(crate) fn integer_ids(id_type: &DataType, ids: impl Iterator<Item = Option<i64>>) -> Result<ArrayRef> {
    fn column<T: ArrowPrimitiveType>(ids: impl Iterator<Item = Option<i64>>) -> Result<ArrayRef>
    where
        T::Native: TryFrom<i64>,
    {
        let narrow = |id: i64| T::Native::try_from(id).map_err(|_| Error::internal(format!("the id {id} in a column of {}", T::DATA_TYPE)));
        Ok(Arc::new(ids.map(|id| id.map(narrow).transpose()).collect::<Result<PrimitiveArray<T>>>()?))
    }
    match id_type {
        DataType::Int8 => column::<Int8Type>(ids),
        DataType::Int16 => column::<Int16Type>(ids),
        DataType::Int32 => column::<Int32Type>(ids),
        DataType::Int64 => Ok(Arc::new(ids.collect::<PrimitiveArray<Int64Type>>())),
        DataType::UInt8 => column::<UInt8Type>(ids),
        DataType::UInt16 => column::<UInt16Type>(ids),
        DataType::UInt32 => column::<UInt32Type>(ids),
        DataType::UInt64 => Ok(Arc::new(ids.map(|id| id.map(|id| (id ^ i64::MIN) as u64)).collect::<PrimitiveArray<UInt64Type>>())),
        other => scalar_column(other, ids).ok_or_else(|| Error::internal(format!("integer ids of type {other}"))),
    }
}

/// Non-null string and binary ids that are contiguous in memory; `None` if `id_type` has another layout.
pub(crate) fn contiguous_ids(id_type: &DataType, bytes: &[u8], lengths: impl ExactSizeIterator<Item = usize>) -> Result<Option<ArrayRef>> {
    fn array<O: OffsetSizeTrait>(bytes: &[u8], lengths: impl ExactSizeIterator<Item = usize>) -> Result<GenericBinaryArray<O>> {
        let mut offsets = Vec::with_capacity(lengths.len() + 1);
        let mut end = 0;
        offsets.push(O::usize_as(0));
        offsets.extend(lengths.map(|length| {
            end += length;
            O::usize_as(end)
        }));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        GenericBinaryArray::try_new(offsets, Buffer::from(bytes), None).map_err(Error::internal)
    }
    let fits = i32::try_from(bytes.len()).is_ok();
    Ok(Some(match id_type {
        DataType::Utf8 if fits => strings(array::<i32>(bytes, lengths)?)?,
        DataType::Utf8 | DataType::LargeUtf8 => strings(array::<i64>(bytes, lengths)?)?,
        DataType::Binary if fits => Arc::new(array::<i32>(bytes, lengths)?),
        DataType::Binary | DataType::LargeBinary => Arc::new(array::<i64>(bytes, lengths)?),
        _ => return Ok(None),
    }))
}

/// Non-null string and binary ids, gathered in parallel: `length` returns the length of the id of a row, `copy` writes it.
/// `None` if `id_type` has another layout.
pub(crate) fn gathered_ids(
    id_type: &DataType,
    rows: usize,
    length: impl Fn(usize) -> usize + Sync,
    copy: impl Fn(usize, &mut [u8]) + Sync,
    threads: Threads<'_>,
) -> Result<Option<ArrayRef>> {
    let sizes = threads.par_chunks(rows, |run| run.map(&length).sum::<usize>());
    let fits = i32::try_from(sizes.iter().sum::<usize>()).is_ok();
    Ok(Some(match id_type {
        DataType::Utf8 if fits => strings(gathered::<i32>(rows, &sizes, length, copy, threads)?)?,
        DataType::Utf8 | DataType::LargeUtf8 => strings(gathered::<i64>(rows, &sizes, length, copy, threads)?)?,
        DataType::Binary if fits => Arc::new(gathered::<i32>(rows, &sizes, length, copy, threads)?),
        DataType::Binary | DataType::LargeBinary => Arc::new(gathered::<i64>(rows, &sizes, length, copy, threads)?),
        _ => return Ok(None),
    }))
}

/// Gathers the ids in chunks, in parallel; `sizes` holds the number of bytes of each chunk.
fn gathered<O: OffsetSizeTrait>(
    rows: usize,
    sizes: &[usize],
    length: impl Fn(usize) -> usize + Sync,
    copy: impl Fn(usize, &mut [u8]) + Sync,
    threads: Threads<'_>,
) -> Result<GenericBinaryArray<O>> {
    let (mut offsets, mut values) = (vec![O::usize_as(0); rows + 1], vec![0_u8; sizes.iter().sum()]);
    let (mut rest_offsets, mut rest_values, mut begin) = (&mut offsets[1..], values.as_mut_slice(), 0);
    let mut pieces = Vec::with_capacity(sizes.len());
    for (run, &size) in threads.par_chunks(rows, |run| run).into_iter().zip(sizes) {
        let (own_offsets, after) = rest_offsets.split_at_mut(run.len());
        let (own_values, after_values) = rest_values.split_at_mut(size);
        (rest_offsets, rest_values) = (after, after_values);
        pieces.push((run, begin, own_offsets, own_values));
        begin += size;
    }
    let write = |(run, begin, offsets, values): (Range<usize>, usize, &mut [O], &mut [u8])| {
        let mut end = 0;
        for (row, offset) in run.zip(offsets) {
            let start = end;
            end += length(row);
            copy(row, &mut values[start..end]);
            *offset = O::usize_as(begin + end);
        }
    };
    threads.par_tasks(pieces, write);
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    GenericBinaryArray::try_new(offsets, Buffer::from(values), None).map_err(Error::internal)
}

/// Nullable string and binary ids as a column of `id_type`; beyond 2 GiB with 64-bit offsets.
pub(crate) fn byte_ids<B: AsRef<[u8]>>(id_type: &DataType, ids: impl ExactSizeIterator<Item = Option<B>> + Clone) -> Result<ArrayRef> {
    let rows = ids.len();
    let bytes: usize = ids.clone().flatten().map(|id| id.as_ref().len()).sum();
    let fits = i32::try_from(bytes).is_ok();
    match id_type {
        DataType::Utf8 if fits => strings(binary::<i32, B>(ids, rows, bytes)),
        DataType::Utf8 | DataType::LargeUtf8 => strings(binary::<i64, B>(ids, rows, bytes)),
        DataType::Binary if fits => Ok(Arc::new(binary::<i32, B>(ids, rows, bytes))),
        DataType::Binary | DataType::LargeBinary => Ok(Arc::new(binary::<i64, B>(ids, rows, bytes))),
        DataType::Utf8View => {
            let mut builder = StringViewBuilder::with_capacity(rows);
            for id in ids {
                let text = id.as_ref().map(|id| std::str::from_utf8(id.as_ref())).transpose();
                builder.append_option(text.map_err(Error::internal)?);
            }
            Ok(Arc::new(builder.finish()))
        }
        DataType::BinaryView => {
            let mut builder = BinaryViewBuilder::with_capacity(rows);
            ids.for_each(|id| builder.append_option(id));
            Ok(Arc::new(builder.finish()))
        }
        DataType::FixedSizeBinary(width) => {
            let mut builder = FixedSizeBinaryBuilder::with_capacity(rows, *width);
            for id in ids {
                match id {
                    Some(id) => builder.append_value(id.as_ref()).map_err(Error::internal)?,
                    None => builder.append_null(),
                }
            }
            Ok(Arc::new(builder.finish()))
        }
        other => Err(Error::internal(format!("byte ids of type {other}"))),
    }
}

fn binary<O: OffsetSizeTrait, B: AsRef<[u8]>>(ids: impl Iterator<Item = Option<B>>, rows: usize, bytes: usize) -> GenericBinaryArray<O> {
    let mut builder = GenericBinaryBuilder::<O>::with_capacity(rows, bytes);
    ids.for_each(|id| builder.append_option(id));
    builder.finish()
}

/// Converts binary to strings. The ids were validated on import; this validates again, at little cost.
fn strings<O: OffsetSizeTrait>(binary: GenericBinaryArray<O>) -> Result<ArrayRef> {
    let (offsets, values, nulls) = binary.into_parts();
    let strings = GenericStringArray::<O>::try_new(offsets, values, nulls).map_err(Error::internal)?;
    Ok(Arc::new(strings) as Arc<dyn Array>)
}
