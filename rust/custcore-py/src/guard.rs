//! Converts panics to errors.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use custcore::{Error, Result};
use pyo3::exceptions::PyMemoryError;
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::into_py;

/// Runs `work`; a panic becomes an internal error.
pub fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Error::internal(text(&*panic))))
}

/// Runs `work`, which creates Python objects whose number follows the data. pyo3 panics if Python has no memory for one.
pub fn creating<T>(py: Python<'_>, work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| match text(&*panic) {
        NULL_OBJECT => Err(PyMemoryError::new_err("there is not enough memory for the Python objects of the result")),
        text => Err(into_py(py, &Error::internal(text))),
    })
}

/// `PyBytes::new`, which panics without memory, with an error instead.
pub fn bytes<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, bytes.len(), |to| {
        to.copy_from_slice(bytes);
        Ok(())
    })
}

/// Makes the exception of all other panics an `InternalError`. pyo3 raises it wherever Python calls Rust, also while it converts
/// arguments and results, and derives it from `BaseException`, which no `except Exception` catches.
pub fn adopt_panics(py: Python<'_>) -> PyResult<()> {
    let internal = py.import("custcore.errors")?.getattr("InternalError")?;
    // A Python that forbids this keeps pyo3's exception: no reason for a failed import.
    drop(py.get_type::<PanicException>().setattr("__bases__", (internal,)));
    Ok(())
}

/// The message with which pyo3 panics on a null object.
const NULL_OBJECT: &str = "PyObject pointer is null";

fn text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}
