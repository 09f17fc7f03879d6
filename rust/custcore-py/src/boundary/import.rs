//! Imports record batches through the Arrow C data interface: validated, without a copy, only the requested columns.
//!
//! The imported struct is kept alive by the buffers created from it. Columns that were not requested are not read, so invalid
//! data in them do no harm.

use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, make_array, new_empty_array, new_null_array};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use custcore::{Error, ErrorKind, type_name, validate};

use super::raw::{Owned, RawArray, RawSchema, child, text};

/// The row of a fault in a column, and its description.
type Fault = (Option<usize>, String);
type Imported<T> = Result<T, Fault>;

fn fault<T>(message: impl Into<String>) -> Imported<T> {
    Err((None, message.into()))
}

/// The error for invalid Arrow data.
pub fn malformed(column: Option<&str>, row: Option<u64>, what: &str) -> Error {
    let location = match (column, row) {
        (Some(column), Some(row)) => format!(" in column '{column}' at row {row}"),
        (Some(column), None) => format!(" in column '{column}'"),
        _ => String::new(),
    };
    let mut error =
        Error::new(ErrorKind::ArrowImport, format!("malformed Arrow data{location}: {what}. This is a bug in the producer of the data"));
    if let Some(column) = column {
        error = error.in_column(column);
    }
    if let Some(row) = row {
        error = error.at_row(row);
    }
    error
}

/// The columns of a stream: all names, and the types of the requested ones.
#[derive(Debug, Clone)]
pub struct Header {
    /// All columns by name; the type of a column that was not requested is `Null`.
    pub all: Schema,
    /// The requested columns, in the order of the stream.
    pub selected: SchemaRef,
    positions: Vec<usize>,
}

impl Header {
    /// Reads a schema. `wanted` names the columns to keep, `None` keeps all.
    pub fn read(schema: &Owned<RawSchema>, wanted: Option<&[String]>) -> Result<Self, Error> {
        let raw = schema.get();
        if raw.release.is_none() {
            return Err(malformed(None, None, "the schema was released already"));
        }
        // SAFETY: a schema that is not released holds null-terminated strings.
        let format = unsafe { text(raw.format) };
        match format {
            Some(Ok("+s")) => {}
            Some(Ok(other)) if other.len() < 64 => {
                return Err(Error::new(
                    ErrorKind::InvalidType,
                    format!("the data is a single Arrow array of format '{other}', not a table; pass a table with named columns"),
                ));
            }
            _ => return Err(malformed(None, None, "the schema has no readable format")),
        }
        let n = usize::try_from(raw.n_children).map_err(|_| malformed(None, None, "the schema has a negative number of columns"))?;
        let mut header = Self { all: Schema::empty(), selected: Arc::new(Schema::empty()), positions: Vec::new() };
        let (mut all, mut selected) = (Vec::new(), Vec::new());
        for i in 0..n {
            // SAFETY: a schema that is not released has `n_children` children.
            let Some(column) = (unsafe { child(raw.children, raw.n_children, i) }) else {
                return Err(malformed(None, None, &format!("column {i} of the schema is missing")));
            };
            // SAFETY: as above; a name may be null.
            let name = match unsafe { text(column.name) } {
                None => "",
                Some(Ok(name)) => name,
                Some(Err(_)) => return Err(malformed(None, None, &format!("the name of column {i} is not UTF-8"))),
            };
            if wanted.is_none_or(|wanted| wanted.iter().any(|w| w == name)) {
                let data_type = data_type(column, 0).map_err(|(_, what)| malformed(Some(name), None, &what))?;
                let metadata = metadata(column);
                all.push(Field::new(name, data_type.clone(), true).with_metadata(metadata.clone()));
                selected.push(Field::new(name, data_type, column.flags & NULLABLE != 0).with_metadata(metadata));
                header.positions.push(i);
            } else {
                all.push(Field::new(name, DataType::Null, true));
            }
        }
        header.all = Schema::new(all);
        let metadata = metadata(raw);
        header.selected = Arc::new(Schema::new(selected).with_metadata(metadata));
        Ok(header)
    }

    /// Reads one batch; errors count rows from `first_row`.
    pub fn batch(&self, array: Owned<RawArray>, first_row: u64) -> Result<RecordBatch, Error> {
        let owner = Arc::new(array);
        let raw = owner.get();
        let malformed_batch = |what: &str| malformed(None, None, what);
        let rows = usize::try_from(raw.length).map_err(|_| malformed_batch("a batch has a negative length"))?;
        let start = usize::try_from(raw.offset).map_err(|_| malformed_batch("a batch has a negative offset"))?;
        if usize::try_from(raw.n_children).ok() != Some(self.all.fields().len()) {
            return Err(malformed_batch(&format!("a batch has {} columns, its schema has {}", raw.n_children, self.all.fields().len())));
        }
        if let Some(nulls) = validity(raw, start, rows, &owner).map_err(|(_, what)| malformed_batch(&what))?
            && nulls.null_count() > 0
        {
            return Err(malformed_batch("rows are null (a struct array with nulls is not a table)"));
        }
        let columns = self.selected.fields().iter().zip(&self.positions).map(|(field, &position)| {
            // SAFETY: a batch that is not released has `n_children` children.
            let column = unsafe { child(raw.children, raw.n_children, position) };
            column.map_or_else(|| fault("the column is missing"), |column| import(column, field.data_type(), start, rows, &owner)).map_err(
                |(row, what)| {
                    if what.starts_with(UNSUPPORTED) {
                        return Error::new(ErrorKind::InvalidType, format!("column '{}': {what}", field.name())).in_column(field.name());
                    }
                    malformed(Some(field.name()), row.map(|row| first_row + row as u64), &what)
                },
            )
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(self.selected.clone(), columns, &options).map_err(|e| malformed_batch(&e.to_string()))
    }
}

/// The flag of a nullable field.
const NULLABLE: i64 = 2;

/// Start of the message for an unsupported type.
const UNSUPPORTED: &str = "columns of type";

/// The key-value metadata of a schema; empty if it is not text. Nothing depends on it.
fn metadata(raw: &RawSchema) -> HashMap<String, String> {
    let raw: *const RawSchema = raw;
    // SAFETY: both are `struct ArrowSchema` of the C data interface; the reference is only read, and not stored.
    let schema = unsafe { &*raw.cast::<FFI_ArrowSchema>() };
    schema.metadata().unwrap_or_default()
}

/// The Arrow type of a column.
fn data_type(raw: &RawSchema, depth: usize) -> Imported<DataType> {
    if depth > 8 {
        return fault("the type is nested too deeply");
    }
    if raw.release.is_none() {
        return fault("its schema was released already");
    }
    // The conversion below requires that strings and children are present.
    // SAFETY: a schema that is not released holds null-terminated strings.
    match unsafe { text(raw.format) } {
        Some(Ok(_)) => {}
        _ => return fault("its schema has no readable format"),
    }
    // SAFETY: as above.
    if let Some(Err(_)) = unsafe { text(raw.name) } {
        return fault("its schema has a name that is not UTF-8");
    }
    let n = usize::try_from(raw.n_children).map_err(|_| (None, "its schema has a negative number of children".to_owned()))?;
    for i in 0..n {
        // SAFETY: a schema that is not released has `n_children` children.
        match unsafe { child(raw.children, raw.n_children, i) } {
            Some(inner) if !inner.name.is_null() => drop(data_type(inner, depth + 1)?),
            _ => return fault(format!("child {i} of its schema is missing or has no name")),
        }
    }
    // SAFETY: null or a valid schema.
    if let Some(dictionary) = unsafe { raw.dictionary.as_ref() } {
        // SAFETY: checked above.
        if !matches!(unsafe { text(raw.format) }, Some(Ok("c" | "C" | "s" | "S" | "i" | "I" | "l" | "L"))) {
            return fault("its dictionary index is not an integer");
        }
        data_type(dictionary, depth + 1)?;
    }
    let raw: *const RawSchema = raw;
    // SAFETY: both are `struct ArrowSchema` of the C data interface; the reference is only read, and not stored.
    let schema = unsafe { &*raw.cast::<FFI_ArrowSchema>() };
    match DataType::try_from(schema) {
        Ok(DataType::FixedSizeBinary(width)) if width < 0 => fault(format!("its width {width} is negative")),
        Ok(data_type) => Ok(data_type),
        Err(e) => fault(format!("its type cannot be read: {e}")),
    }
}

/// Rows `start..start + rows` of a column, relative to its own offset.
fn import(raw: &RawArray, data_type: &DataType, start: usize, rows: usize, owner: &Arc<Owned<RawArray>>) -> Imported<ArrayRef> {
    let unsigned = |value: i64, what: &str| usize::try_from(value).map_err(|_| (None, format!("{what} {value} is negative")));
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
        DataType::Dictionary(index, values) => column.dictionary(data_type, index, values, nulls),
        DataType::FixedSizeBinary(width) => {
            let width = unsigned(i64::from(*width), "its width")?;
            Ok(column.array(data_type, nulls, vec![column.bytes(1, times(start, width)?, times(rows, width)?)?]))
        }
        fixed => match fixed.primitive_width() {
            Some(width) => {
                let values = column.aligned(1, times(start, width)?, times(rows, width)?, width.min(16))?;
                Ok(column.array(data_type, nulls, vec![values]))
            }
            None => fault(format!("{UNSUPPORTED} {} are not supported; select the other columns first", type_name(fixed))),
        },
    }
}

/// The validity bitmap, if there is one.
fn validity(raw: &RawArray, start: usize, rows: usize, owner: &Arc<Owned<RawArray>>) -> Imported<Option<NullBuffer>> {
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
struct Column<'a> {
    raw: &'a RawArray,
    /// First row, including the array's own offset.
    start: usize,
    rows: usize,
    owner: &'a Arc<Owned<RawArray>>,
}

impl Column<'_> {
    /// Checks the number of buffers against the type.
    fn check_buffers(&self, data_type: &DataType) -> Imported<()> {
        let (least, most) = match data_type {
            DataType::Null => (0, 1),
            DataType::Utf8 | DataType::Binary | DataType::LargeUtf8 | DataType::LargeBinary => (3, 3),
            DataType::Utf8View | DataType::BinaryView => (3, i64::from(i32::MAX)),
            _ => (2, 2),
        };
        let n = self.raw.n_buffers;
        if data_type.is_nested() && !matches!(data_type, DataType::Dictionary(_, _)) {
            return Ok(());
        }
        if n < least || n > most {
            return fault(format!("it has {n} buffers, but {} needs {least}", type_name(data_type)));
        }
        if self.raw.buffers.is_null() && n > 0 && self.rows > 0 {
            return fault("its list of buffers is null");
        }
        Ok(())
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
    fn bytes(&self, i: usize, from: usize, len: usize) -> Imported<Buffer> {
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
    fn aligned(&self, i: usize, from: usize, len: usize, align: usize) -> Imported<Buffer> {
        let buffer = self.bytes(i, from, len)?;
        if buffer.as_ptr().align_offset(align) == 0 { Ok(buffer) } else { Ok(Buffer::from(buffer.as_slice())) }
    }

    fn array(&self, data_type: &DataType, nulls: Option<NullBuffer>, buffers: Vec<Buffer>) -> ArrayRef {
        make_array(self.data(data_type, nulls, buffers, Vec::new()))
    }

    fn data(&self, data_type: &DataType, nulls: Option<NullBuffer>, buffers: Vec<Buffer>, children: Vec<ArrayData>) -> ArrayData {
        let builder = ArrayData::builder(data_type.clone()).len(self.rows).nulls(nulls).buffers(buffers).child_data(children);
        // SAFETY: the callers have validated lengths, offsets, UTF-8, views and indices, and aligned the buffers.
        unsafe { builder.build_unchecked() }
    }

    /// Strings and binary with offsets.
    fn variable<O: ArrowNativeType + Into<i64> + PartialOrd + std::fmt::Display>(
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
    fn views(&self, data_type: &DataType, nulls: Option<NullBuffer>) -> Imported<ArrayRef> {
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

    /// Indices and their dictionary.
    fn dictionary(&self, data_type: &DataType, index: &DataType, values: &DataType, nulls: Option<NullBuffer>) -> Imported<ArrayRef> {
        // SAFETY: null or a valid array that lives as long as its parent.
        let Some(raw) = (unsafe { self.raw.dictionary.as_ref() }) else { return fault("its dictionary is missing") };
        let n = usize::try_from(raw.length).map_err(|_| (None, "its dictionary has a negative length".to_owned()))?;
        let dictionary = import(raw, values, 0, n, self.owner)
            .map_err(|(row, what)| (None, format!("its dictionary at value {}: {what}", row.unwrap_or(0))))?;
        let Some(width) = index.primitive_width() else { return fault("its dictionary index is not an integer") };
        let indices = self.aligned(1, times(self.start, width)?, times(self.rows, width)?, width)?;
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
        Ok(make_array(self.data(data_type, nulls, vec![indices], vec![dictionary.to_data()])))
    }
}

/// `count * width`, checked.
fn times(count: usize, width: usize) -> Imported<usize> {
    count.checked_mul(width).ok_or((None, "its size exceeds the address space".to_owned()))
}

fn at_row((row, what): validate::ContentFault) -> Fault {
    (Some(row), what)
}
