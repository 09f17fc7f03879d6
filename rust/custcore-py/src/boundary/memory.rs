//! Shares memory with numpy through the buffer protocol, in both directions and without a copy.

use std::ffi::{CString, c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::Arc;

use arrow_array::{ArrayRef, make_array};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_schema::DataType;
use pyo3::buffer::{Element, PyBuffer};
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;

/// Read-only memory of one column, for `numpy.frombuffer`.
#[pyclass(frozen, module = "custcore._core")]
pub struct Memory {
    buffer: Buffer,
}

impl Memory {
    pub fn new(buffer: Buffer) -> Self {
        Self { buffer }
    }
}

#[pymethods]
impl Memory {
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("the view is null"));
        }
        if flags & ffi::PyBUF_WRITABLE == ffi::PyBUF_WRITABLE {
            return Err(PyBufferError::new_err("columns are read-only; copy the array to change it"));
        }
        let buffer = &slf.get().buffer;
        let (pointer, len) = (buffer.as_ptr(), buffer.len() as isize);
        // SAFETY: `view` is valid for writing by the buffer protocol; the memory lives as long as `obj`, which the view
        // keeps, because the class is frozen. Shape and strides point into the view itself.
        unsafe {
            (*view).obj = slf.into_any().into_ptr();
            (*view).buf = pointer as *mut c_void;
            (*view).len = len;
            (*view).readonly = 1;
            (*view).itemsize = 1;
            (*view).format = if flags & ffi::PyBUF_FORMAT == ffi::PyBUF_FORMAT { CString::from(c"B").into_raw() } else { ptr::null_mut() };
            (*view).ndim = 1;
            (*view).shape = if flags & ffi::PyBUF_ND == ffi::PyBUF_ND { &raw mut (*view).len } else { ptr::null_mut() };
            (*view).strides = if flags & ffi::PyBUF_STRIDES == ffi::PyBUF_STRIDES { &raw mut (*view).itemsize } else { ptr::null_mut() };
            (*view).suboffsets = ptr::null_mut();
            (*view).internal = ptr::null_mut();
        }
        Ok(())
    }

    unsafe fn __releasebuffer__(&self, view: *mut ffi::Py_buffer) {
        // SAFETY: the format is null or came from `into_raw` above.
        unsafe {
            if !(*view).format.is_null() {
                drop(CString::from_raw((*view).format));
            }
        }
    }
}

/// A Python buffer as the owner of Arrow memory.
pub(super) struct Owner<T: Element>(#[expect(dead_code, reason = "its drop releases the memory")] PyBuffer<T>);

impl<T: Element> Owner<T> {
    pub(super) fn new(buffer: PyBuffer<T>) -> Self {
        Self(buffer)
    }
}

// A buffer is plain memory, which a panic cannot leave inconsistent.
impl<T: Element> std::panic::RefUnwindSafe for Owner<T> {}

/// A column of `data_type` over a one-dimensional contiguous array of `T`, without a copy. The value `not_a_time`, if given, is
/// null, as `NaT` in numpy.
pub fn column<T: Element + Copy + PartialEq + Send + Sync + 'static>(
    array: &Bound<'_, PyAny>,
    data_type: &DataType,
    not_a_time: Option<T>,
) -> PyResult<ArrayRef> {
    let buffer = PyBuffer::<T>::get(array)?;
    let rows = buffer.item_count();
    if buffer.dimensions() != 1 || !buffer.is_c_contiguous() {
        return Err(PyBufferError::new_err("expected a one-dimensional contiguous array"));
    }
    let bytes = buffer.len_bytes();
    let memory = match NonNull::new(buffer.buf_ptr().cast::<u8>()) {
        // SAFETY: the buffer protocol guarantees `bytes` bytes at this address until the owner is dropped.
        Some(pointer) if bytes > 0 => unsafe { Buffer::from_custom_allocation(pointer, bytes, Arc::new(Owner(buffer))) },
        _ => Buffer::from(Vec::<u8>::new()),
    };
    let aligned = if memory.as_ptr().align_offset(align_of::<T>()) == 0 { memory } else { Buffer::from(memory.as_slice()) };
    let nulls = not_a_time.filter(|_| rows > 0).map(|null| {
        // SAFETY: `aligned` holds `rows` values of `T`, a plain number type.
        let values = unsafe { std::slice::from_raw_parts(aligned.as_ptr().cast::<T>(), rows) };
        NullBuffer::new(BooleanBuffer::collect_bool(rows, |row| values[row] != null))
    });
    let builder = ArrayData::builder(data_type.clone()).len(rows).nulls(nulls).add_buffer(aligned);
    // SAFETY: one aligned buffer of `rows` values of the type's width.
    Ok(make_array(unsafe { builder.build_unchecked() }))
}
