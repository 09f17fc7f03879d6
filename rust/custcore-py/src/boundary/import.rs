//! Imports columns through the Arrow C data interface: validated, without a copy.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int16Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, make_array, new_empty_array, new_null_array};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, NullBuffer};
use arrow_data::transform::MutableArrayData;
use arrow_schema::{DataType, FieldRef};
use custcore::{type_name, validate};

use super::buffers::{Column, Imported, at_row, fault, times, unsigned, validity};
use super::raw::{Owned, RawArray};

/// Whether [`import`] reads columns of this type, and in which type it returns them: run-end encoded columns are decoded.
pub(super) fn imported_type(data_type: &DataType) -> Option<DataType> {
    let is_read = |inner: &DataType| imported_type(inner).is_some_and(|found| found == *inner);
    match data_type {
        DataType::RunEndEncoded(_, values) => Some(values.data_type().clone()).filter(is_read),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            is_read(item.data_type()).then(|| data_type.clone())
        }
        DataType::Struct(fields) => fields.iter().all(|field| is_read(field.data_type())).then(|| data_type.clone()),
        DataType::Map(entries, _) => {
            let is_map = matches!(entries.data_type(), DataType::Struct(fields) if fields.len() == 2);
            (is_map && is_read(entries.data_type())).then(|| data_type.clone())
        }
        DataType::Dictionary(_, values) => is_read(values).then(|| data_type.clone()),
        DataType::Union(_, _) | DataType::ListView(_) | DataType::LargeListView(_) => None,
        _ => Some(data_type.clone()),
    }
}

/// Rows `start..start + rows` of a column, relative to its own offset.
pub(super) fn import(raw: &RawArray, data_type: &DataType, start: usize, rows: usize, owner: &Arc<Owned<RawArray>>) -> Imported<ArrayRef> {
    if raw.release.is_none() {
        return fault("the array was released already");
    }
    let (length, offset) = (unsigned(raw.length, "its length")?, unsigned(raw.offset, "its offset")?);
    if start.checked_add(rows).is_none_or(|end| end > length) {
        return fault(format!("it has {length} rows, the batch needs {}", start.saturating_add(rows)));
    }
    let start =
        offset.checked_add(start).filter(|start| start.checked_add(rows).is_some()).ok_or((None, "its offset overflows".to_owned()))?;
    let column = Column { raw, start, rows, owner };
    if let DataType::RunEndEncoded(ends, values) = data_type {
        return decoded(&column, ends.data_type(), values.data_type());
    }
    column.check_buffers(data_type)?;
    if rows == 0 {
        return Ok(new_empty_array(data_type));
    }
    let nulls = validity(raw, start, rows, owner)?;
    match data_type {
        DataType::Null => Ok(new_null_array(data_type, rows)),
        DataType::Boolean => {
            let bytes = column.bytes(1, start / 8, (start % 8 + rows).div_ceil(8))?;
            Ok(Arc::new(BooleanArray::new(BooleanBuffer::new(bytes, start % 8, rows), nulls)))
        }
        DataType::Utf8 | DataType::Binary => column.variable::<i32>(data_type, nulls),
        DataType::LargeUtf8 | DataType::LargeBinary => column.variable::<i64>(data_type, nulls),
        DataType::Utf8View | DataType::BinaryView => column.views(data_type, nulls),
        DataType::Dictionary(index, values) => dictionary(&column, data_type, index, values, nulls),
        DataType::List(item) | DataType::Map(item, _) => list::<i32>(&column, data_type, item.data_type(), nulls),
        DataType::LargeList(item) => list::<i64>(&column, data_type, item.data_type(), nulls),
        DataType::FixedSizeList(item, width) => {
            let width = unsigned(i64::from(*width), "its width")?;
            let items = part(import(column.child(0)?, item.data_type(), times(start, width)?, times(rows, width)?, owner), "its items")?;
            Ok(make_array(column.data(data_type, nulls, Vec::new(), vec![items.to_data()])))
        }
        DataType::Struct(fields) => {
            let field = |(i, field): (usize, &FieldRef)| {
                let values = column.child(i).and_then(|child| import(child, field.data_type(), start, rows, owner));
                Ok(part(values, &format!("its field '{}'", field.name()))?.to_data())
            };
            let children = fields.iter().enumerate().map(field).collect::<Imported<Vec<_>>>()?;
            Ok(make_array(column.data(data_type, nulls, Vec::new(), children)))
        }
        DataType::FixedSizeBinary(width) => {
            let width = unsigned(i64::from(*width), "its width")?;
            Ok(column.array(data_type, nulls, vec![column.bytes(1, times(start, width)?, times(rows, width)?)?]))
        }
        fixed => match fixed.primitive_width() {
            Some(width) => {
                let values = column.aligned(1, times(start, width)?, times(rows, width)?, width.min(16))?;
                Ok(column.array(data_type, nulls, vec![values]))
            }
            // The header has refused all other types.
            None => fault(format!("its type {} is not supported", type_name(fixed))),
        },
    }
}

/// Indices and their dictionary.
fn dictionary(
    column: &Column<'_>,
    data_type: &DataType,
    index: &DataType,
    values: &DataType,
    nulls: Option<NullBuffer>,
) -> Imported<ArrayRef> {
    // SAFETY: null or a valid array that lives as long as its parent.
    let Some(raw) = (unsafe { column.raw.dictionary.as_ref() }) else { return fault("its dictionary is missing") };
    let n = usize::try_from(raw.length).map_err(|_| (None, "its dictionary has a negative length".to_owned()))?;
    let dictionary = import(raw, values, 0, n, column.owner)
        .map_err(|(row, what)| (None, format!("its dictionary at value {}: {what}", row.unwrap_or(0))))?;
    let Some(width) = index.primitive_width() else { return fault("its dictionary index is not an integer") };
    let indices = column.aligned(1, times(column.start, width)?, times(column.rows, width)?, width)?;
    let valid = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
    macro_rules! check {
        ($type:ty) => {
            validate::indices(indices.typed_data::<$type>(), |index| index as i64 as u64, valid, dictionary.len())
        };
    }
    match index {
        DataType::Int8 => check!(i8),
        DataType::Int16 => check!(i16),
        DataType::Int32 => check!(i32),
        DataType::Int64 => check!(i64),
        DataType::UInt8 => check!(u8),
        DataType::UInt16 => check!(u16),
        DataType::UInt32 => check!(u32),
        DataType::UInt64 => check!(u64),
        other => return fault(format!("its dictionary index is {other}")),
    }
    .map_err(at_row)?;
    Ok(make_array(column.data(data_type, nulls, vec![indices], vec![dictionary.to_data()])))
}

/// Lists, and maps, which are lists of pairs.
fn list<O: ArrowNativeType + Into<i64> + PartialOrd + std::fmt::Display>(
    column: &Column<'_>,
    data_type: &DataType,
    item: &DataType,
    nulls: Option<NullBuffer>,
) -> Imported<ArrayRef> {
    let width = size_of::<O>();
    let offsets = column.aligned(1, times(column.start, width)?, times(column.rows + 1, width)?, width)?;
    let typed: &[O] = offsets.typed_data();
    validate::offsets(typed).map_err(at_row)?;
    let end = unsigned(typed[column.rows].into(), "its last offset")?;
    let items = part(import(column.child(0)?, item, 0, end, column.owner), "its items")?;
    Ok(make_array(column.data(data_type, nulls, vec![offsets], vec![items.to_data()])))
}

/// The rows of a run-end encoded column: the value of each run, repeated.
fn decoded(column: &Column<'_>, ends: &DataType, values: &DataType) -> Imported<ArrayRef> {
    let (start, rows) = (column.start, column.rows);
    let runs = unsigned(column.child(0)?.length, "its number of runs")?;
    let ends = part(import(column.child(0)?, ends, 0, runs, column.owner), "its run ends")?;
    let values_of_runs = part(import(column.child(1)?, values, 0, runs, column.owner), "its values")?;
    if rows == 0 {
        return Ok(new_empty_array(values));
    }
    let ends: Vec<usize> = match ends.data_type() {
        DataType::Int16 => positions(ends.as_primitive::<Int16Type>().values()),
        DataType::Int32 => positions(ends.as_primitive::<Int32Type>().values()),
        DataType::Int64 => positions(ends.as_primitive::<Int64Type>().values()),
        other => return fault(format!("its run ends are {}", type_name(other))),
    };
    if let Some(run) = (0..runs).find(|&run| ends[run] <= run.checked_sub(1).map_or(0, |before| ends[before])) {
        return fault(format!("its run ends do not increase at run {run}"));
    }
    if ends.last().is_none_or(|&end| end < start + rows) {
        return fault(format!("its runs end before row {}", start + rows));
    }
    // The producer declares the number of rows; it needs no memory for them.
    if Vec::<u128>::new().try_reserve_exact(rows).is_err() {
        return fault(format!("its {rows} rows exceed the memory"));
    }
    let data = values_of_runs.to_data();
    let mut built = MutableArrayData::new(vec![&data], true, rows);
    let (mut row, end) = (start, start + rows);
    for (run, &stop) in ends.iter().enumerate().skip(ends.partition_point(|&end| end <= start)) {
        let stop = stop.min(end);
        let repeated = (row..stop).try_for_each(|_| built.try_extend(0, run, run + 1));
        repeated.map_err(|error| (None, format!("its decoded values do not fit one column: {error}")))?;
        row = stop;
        if row == end {
            break;
        }
    }
    Ok(make_array(built.freeze()))
}

/// Ends of runs as positions; a negative one is 0.
fn positions<T: Copy + Into<i64>>(ends: &[T]) -> Vec<usize> {
    ends.iter().map(|&end| usize::try_from(end.into()).unwrap_or(0)).collect()
}

/// Names the part of a column that a fault is in; its rows are not those of the column.
fn part<T>(found: Imported<T>, what: &str) -> Imported<T> {
    found.map_err(|(row, why)| (None, row.map_or_else(|| format!("{what}: {why}"), |row| format!("{what} at {row}: {why}"))))
}
