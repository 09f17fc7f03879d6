//! Exports record batches through the Arrow C data interface, without a copy.

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{RecordBatch, RecordBatchIterator};
use arrow_data::transform::MutableArrayData;
use arrow_data::{ArrayData, ffi::FFI_ArrowArray};
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{Field, SchemaRef};
use custcore::Error;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::error::into_py;

/// A capsule with a stream of `batches`. Each call creates a new stream over the same buffers.
pub fn stream_capsule<'py>(py: Python<'py>, schema: SchemaRef, batches: &[RecordBatch]) -> PyResult<Bound<'py, PyCapsule>> {
    let batches: Vec<_> = batches.iter().cloned().map(Ok).collect();
    let reader = RecordBatchIterator::new(batches, schema);
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), c"arrow_array_stream")
}

/// A capsule with the schema.
pub fn schema_capsule<'py>(py: Python<'py>, schema: &SchemaRef) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema.as_ref()).map_err(|e| into_py(py, &Error::internal(e)))?;
    PyCapsule::new_with_value(py, schema, c"arrow_schema")
}

/// The capsules of a column: its schema, and its values, which are the pieces one after another.
pub fn array_capsules<'py>(
    py: Python<'py>,
    field: &Field,
    mut pieces: Vec<ArrayData>,
) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
    let data = if pieces.len() == 1 {
        pieces.remove(0)
    } else {
        let rows = pieces.iter().map(ArrayData::len).sum();
        let empty = [ArrayData::new_empty(field.data_type())];
        let sources: Vec<&ArrayData> = if pieces.is_empty() { empty.iter().collect() } else { pieces.iter().collect() };
        let mut joined = MutableArrayData::new(sources.clone(), false, rows);
        for (index, piece) in sources.iter().enumerate() {
            joined.try_extend(index, 0, piece.len()).map_err(|e| into_py(py, &Error::internal(e)))?;
        }
        joined.freeze()
    };
    let schema = FFI_ArrowSchema::try_from(field).map_err(|e| into_py(py, &Error::internal(e)))?;
    let schema = PyCapsule::new_with_value(py, schema, c"arrow_schema")?;
    Ok((schema, PyCapsule::new_with_value(py, FFI_ArrowArray::new(&data), c"arrow_array")?))
}
