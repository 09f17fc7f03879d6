//! The buffers of one imported column: typed, bounded and aligned, without a copy. They keep the imported struct alive.

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::Arc;

use arrow_array::{ArrayRef, make_array};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_schema::DataType;
use custcore::{type_name, validate};

use super::raw::{Owned, RawArray, child};

/// The row of a fault in a column, and its description.
pub(super) type Fault = (Option<usize>, String);
pub(super) type Imported<T> = Result<T, Fault>;

pub(super) fn fault<T>(message: impl Into<String>) -> Imported<T> {
    Err((None, message.into()))
}

/// A length, offset or width of a producer.
pub(super) fn unsigned(value: i64, what: &str) -> Imported<usize> {
    usize::try_from(value).map_err(|_| (None, format!("{what} {value} is negative")))
}

/// The validity bitmap, if there is one.
pub(super) fn validity(raw: &RawArray, start: usize, rows: usize, owner: &Arc<Owned<RawArray>>) -> Imported<Option<NullBuffer>> {
    if raw.n_buffers < 1 || raw.null_count == 0 || rows == 0 {
        return Ok(None);
    }
    let column = Column { raw, start, rows, owner };
    if column.pointer(0)?.is_null() {
        if raw.null_count > 0 {
            return fault(format!("it declares {} nulls without a validity bitmap", raw.null_count));
        }
        return Ok(None);
    }
    let bytes = column.bytes(0, start / 8, (start % 8 + rows).div_ceil(8))?;
    Ok(Some(NullBuffer::new(BooleanBuffer::new(bytes, start % 8, rows))).filter(|nulls| nulls.null_count() > 0))
}

/// A column being imported.
pub(super) struct Column<'a> {
    pub raw: &'a RawArray,
    /// First row, including the array's own offset.
    pub start: usize,
    pub rows: usize,
    pub owner: &'a Arc<Owned<RawArray>>,
}

impl Column<'_> {
    /// Checks the number of buffers against the type.
    pub(super) fn check_buffers(&self, data_type: &DataType) -> Imported<()> {
        let (least, most) = match data_type {
            DataType::Null => (0, 1),
            DataType::Utf8 | DataType::Binary | DataType::LargeUtf8 | DataType::LargeBinary => (3, 3),
            DataType::Utf8View | DataType::BinaryView => (3, i64::from(i32::MAX)),
            DataType::Struct(_) | DataType::FixedSizeList(_, _) => (1, 1),
            _ => (2, 2),
        };
        let n = self.raw.n_buffers;
        if n < least || n > most {
            return fault(format!("it has {n} buffers, but {} needs {least}", type_name(data_type)));
        }
        if self.raw.buffers.is_null() && n > 0 && self.rows > 0 {
            return fault("its list of buffers is null");
        }
        Ok(())
    }

    /// Child array `i`.
    pub(super) fn child(&self, i: usize) -> Imported<&RawArray> {
        // SAFETY: an array that is not released has `n_children` children.
        let child = unsafe { child(self.raw.children, self.raw.n_children, i) };
        child.ok_or((None, format!("child {i} is missing")))
    }

    fn pointer(&self, i: usize) -> Imported<*const u8> {
        if self.raw.buffers.is_null() || i64::try_from(i).is_ok_and(|i| i >= self.raw.n_buffers) {
            return fault(format!("buffer {i} is missing"));
        }
        // SAFETY: an array that is not released has `n_buffers` pointers to buffers; `i` is below that.
        let pointer: *const c_void = unsafe { *self.raw.buffers.add(i) };
        Ok(pointer.cast())
    }

    /// `len` bytes of buffer `i` from byte `from` on, without a copy.
    pub(super) fn bytes(&self, i: usize, from: usize, len: usize) -> Imported<Buffer> {
        let pointer = self.pointer(i)?.cast_mut();
        if len == 0 {
            return Ok(Buffer::from(Vec::<u8>::new()));
        }
        let Some(pointer) = NonNull::new(pointer) else { return fault(format!("buffer {i} is null, but holds {len} bytes")) };
        if from.checked_add(len).is_none_or(|end| end > isize::MAX as usize) {
            return fault(format!("buffer {i} exceeds the address space"));
        }
        // SAFETY: the producer guarantees that the buffer has the size implied by lengths, offsets and type (the C data
        // interface does not carry buffer sizes); `owner` keeps it alive and unchanged as long as the buffer lives.
        Ok(unsafe { Buffer::from_custom_allocation(pointer.add(from), len, self.owner.clone()) })
    }

    /// As [`Self::bytes`], copied if it is not aligned to `align`.
    pub(super) fn aligned(&self, i: usize, from: usize, len: usize, align: usize) -> Imported<Buffer> {
        let buffer = self.bytes(i, from, len)?;
        if buffer.as_ptr().align_offset(align) == 0 { Ok(buffer) } else { Ok(Buffer::from(buffer.as_slice())) }
    }

    pub(super) fn array(&self, data_type: &DataType, nulls: Option<NullBuffer>, buffers: Vec<Buffer>) -> ArrayRef {
        make_array(self.data(data_type, nulls, buffers, Vec::new()))
    }

    pub(super) fn data(
        &self,
        data_type: &DataType,
        nulls: Option<NullBuffer>,
        buffers: Vec<Buffer>,
        children: Vec<ArrayData>,
    ) -> ArrayData {
        let builder = ArrayData::builder(data_type.clone()).len(self.rows).nulls(nulls).buffers(buffers).child_data(children);
        // SAFETY: the callers have validated lengths, offsets, UTF-8, views and indices, and aligned the buffers.
        unsafe { builder.build_unchecked() }
    }

    /// Strings and binary with offsets.
    pub(super) fn variable<O: ArrowNativeType + Into<i64> + PartialOrd + std::fmt::Display>(
        &self,
        data_type: &DataType,
        nulls: Option<NullBuffer>,
    ) -> Imported<ArrayRef> {
        let width = size_of::<O>();
        let offsets = self.aligned(1, times(self.start, width)?, times(self.rows + 1, width)?, width)?;
        let typed: &[O] = offsets.typed_data();
        validate::offsets(typed).map_err(at_row)?;
        let end: i64 = typed[self.rows].into();
        let values = self.bytes(2, 0, usize::try_from(end).unwrap_or(0))?;
        if matches!(data_type, DataType::Utf8 | DataType::LargeUtf8) {
            validate::utf8(typed, &values).map_err(at_row)?;
        }
        Ok(self.array(data_type, nulls, vec![offsets, values]))
    }

    /// String and binary views.
    pub(super) fn views(&self, data_type: &DataType, nulls: Option<NullBuffer>) -> Imported<ArrayRef> {
        let views = self.aligned(1, times(self.start, 16)?, times(self.rows, 16)?, 16)?;
        let n = usize::try_from(self.raw.n_buffers - 3).unwrap_or(0);
        let sizes = self.aligned(n + 2, 0, times(n, 8)?, 8)?;
        let mut buffers = vec![views];
        for (i, &size) in sizes.typed_data::<i64>().iter().enumerate() {
            let size = usize::try_from(size).map_err(|_| (None, format!("buffer {i} of its views has the negative size {size}")))?;
            buffers.push(self.bytes(i + 2, 0, size)?);
        }
        let slices: Vec<&[u8]> = buffers[1..].iter().map(Buffer::as_slice).collect();
        let valid = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        validate::views(buffers[0].typed_data(), valid, &slices, *data_type == DataType::Utf8View).map_err(at_row)?;
        Ok(self.array(data_type, nulls, buffers))
    }
}

/// `count * width`, checked.
pub(super) fn times(count: usize, width: usize) -> Imported<usize> {
    count.checked_mul(width).ok_or((None, "its size exceeds the address space".to_owned()))
}

pub(super) fn at_row((row, what): validate::ContentFault) -> Fault {
    (Some(row), what)
}
