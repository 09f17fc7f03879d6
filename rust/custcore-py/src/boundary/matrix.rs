//! Imports two-dimensional arrays through the buffer protocol, as flat memory with strides.

use std::ptr::NonNull;
use std::sync::Arc;

use arrow_array::{ArrayRef, make_array};
use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_schema::DataType;
use custcore::{Error, ErrorKind, MatrixLayout};
use pyo3::buffer::{Element, PyBuffer};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::memory::Owner;
use crate::error::into_py;

/// The memory and strides of a two-dimensional array of float32 or float64; `None` if `x` is not such an array.
pub fn matrix(x: &Bound<'_, PyAny>) -> PyResult<Option<(ArrayRef, MatrixLayout)>> {
    let py = x.py();
    if x.hasattr("__arrow_c_stream__")? || x.hasattr("__arrow_c_array__")? || x.is_instance_of::<PyBytes>() {
        return Ok(None);
    }
    if let Ok(buffer) = PyBuffer::<f64>::get(x) {
        return strided(py, buffer, &DataType::Float64).map(Some);
    }
    if let Ok(buffer) = PyBuffer::<f32>::get(x) {
        return strided(py, buffer, &DataType::Float32).map(Some);
    }
    Ok(None)
}

fn strided<T: Element + Send + Sync + 'static>(
    py: Python<'_>,
    buffer: PyBuffer<T>,
    data_type: &DataType,
) -> PyResult<(ArrayRef, MatrixLayout)> {
    let &[rows, columns] = buffer.shape() else {
        let message = format!("Expected 2D array, got {}D array instead; a single feature is x.reshape(-1, 1)", buffer.dimensions());
        return Err(into_py(py, &Error::new(ErrorKind::InvalidArgument, message)));
    };
    let width = size_of::<T>();
    let stride = |axis: usize| {
        let stride = usize::try_from(*buffer.strides().get(axis)?).ok()?;
        (stride % width == 0).then_some(stride / width)
    };
    let aligned = (buffer.buf_ptr() as usize).is_multiple_of(align_of::<T>());
    let layout = match (stride(0), stride(1)) {
        (Some(row_stride), Some(column_stride)) if aligned && rows > 0 && columns > 0 => {
            MatrixLayout { rows, columns, row_stride, column_stride }
        }
        // Arrays with negative or misaligned strides are rare and copied.
        _ => return copied(py, &buffer, data_type, rows, columns),
    };
    let items = (rows - 1) * layout.row_stride + (columns - 1) * layout.column_stride + 1;
    let Some(pointer) = NonNull::new(buffer.buf_ptr().cast::<u8>()) else {
        return Err(into_py(py, &Error::internal("an array without memory")));
    };
    // SAFETY: the buffer protocol guarantees all elements of the array until the owner is dropped. Strides are not negative, so
    // the first element is at the lowest address and the last one ends after `items` elements.
    let memory = unsafe { Buffer::from_custom_allocation(pointer, items * width, Arc::new(Owner::new(buffer))) };
    Ok((flat(memory, items, data_type), layout))
}

fn copied<T: Element>(
    py: Python<'_>,
    buffer: &PyBuffer<T>,
    data_type: &DataType,
    rows: usize,
    columns: usize,
) -> PyResult<(ArrayRef, MatrixLayout)> {
    let values = buffer.to_vec(py)?;
    let items = values.len();
    // SAFETY: elements of a buffer are plain numbers, readable as bytes.
    let bytes = unsafe { std::slice::from_raw_parts(values.as_ptr().cast::<u8>(), size_of_val(values.as_slice())) };
    Ok((flat(Buffer::from(bytes), items, data_type), MatrixLayout { rows, columns, row_stride: columns, column_stride: 1 }))
}

fn flat(memory: Buffer, items: usize, data_type: &DataType) -> ArrayRef {
    let builder = ArrayData::builder(data_type.clone()).len(items).add_buffer(memory);
    // SAFETY: one aligned buffer of `items` values of the type's width.
    make_array(unsafe { builder.build_unchecked() })
}
