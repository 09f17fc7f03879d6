//! Exports record batches through the Arrow C data interface, without a copy.

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{RecordBatch, RecordBatchIterator};
use arrow_schema::SchemaRef;
use arrow_schema::ffi::FFI_ArrowSchema;
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
