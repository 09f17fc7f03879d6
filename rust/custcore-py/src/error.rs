//! Converts custcore's errors to Python exceptions, by kind.

use custcore::{Error, ErrorKind};
use pyo3::exceptions::{PyKeyboardInterrupt, PyOSError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyModule};

/// The class of `custcore.errors` for a kind.
fn class_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ColumnNotFound => "ColumnNotFoundError",
        ErrorKind::DuplicateColumn => "DuplicateColumnError",
        ErrorKind::InvalidType => "InvalidTypeError",
        ErrorKind::InvalidArgument => "InvalidArgumentError",
        ErrorKind::OutOfRange => "OutOfRangeError",
        ErrorKind::NullValue => "NullValueError",
        ErrorKind::NonFinite => "NonFiniteError",
        ErrorKind::NotEnoughData => "NotEnoughDataError",
        ErrorKind::Summary => "SummaryError",
        ErrorKind::NotFitted => "NotFittedError",
        ErrorKind::SumOverflow => "SumOverflowError",
        ErrorKind::ArrowImport => "ArrowImportError",
        ErrorKind::StateMismatch => "StateMismatchError",
        ErrorKind::DuplicateBatch => "DuplicateBatchError",
        ErrorKind::ModelFormat => "ModelFormatError",
        ErrorKind::ModelVersion => "ModelVersionError",
        ErrorKind::MemoryLimit => "MemoryLimitError",
        _ => "InternalError",
    }
}

/// The exception for an error.
pub fn into_py(py: Python<'_>, error: &Error) -> PyErr {
    static ERRORS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    if error.kind() == ErrorKind::Cancelled {
        return PyKeyboardInterrupt::new_err(error.message().to_owned());
    }
    if let Some((path, code)) = error.path() {
        // Python selects the subclass of OSError by the code: FileNotFoundError, PermissionError, ...
        let Some(code) = code else { return PyOSError::new_err(error.message().to_owned()) };
        return match py.import("os").and_then(|os| os.call_method1("strerror", (code,))) {
            Ok(text) => PyOSError::new_err((code, text.unbind(), path.as_os_str().to_owned())),
            Err(failure) => failure,
        };
    }
    let build = || -> PyResult<PyErr> {
        let errors = ERRORS.get_or_try_init(py, || py.import("custcore.errors").map(Bound::unbind))?;
        let location = PyDict::new(py);
        location.set_item("column", error.column())?;
        location.set_item("row", error.row())?;
        let class = errors.bind(py).getattr(class_name(error.kind()))?;
        Ok(PyErr::from_value(class.call((error.message(),), Some(&location))?))
    };
    build().unwrap_or_else(|failure| failure)
}
