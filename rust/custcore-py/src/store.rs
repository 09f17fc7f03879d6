//! Models as bytes, and bytes as files, for Python.

use std::path::PathBuf;

use custcore::analysis::model::{self, Stored};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::into_py;
use crate::guard::guarded;

/// A model as bytes.
pub fn to_bytes<'py, M: Stored + Sync>(py: Python<'py>, stored: &M) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = py.detach(|| guarded(|| model::to_bytes(stored))).map_err(|error| into_py(py, &error))?;
    Ok(PyBytes::new(py, &bytes))
}

/// The model that was written.
pub fn from_bytes<M: Stored + Send>(py: Python<'_>, bytes: &[u8]) -> PyResult<M> {
    py.detach(|| guarded(|| model::from_bytes(bytes))).map_err(|error| into_py(py, &error))
}

/// Writes the bytes of a model to a file, whole or not at all.
#[pyfunction]
pub fn write_model(py: Python<'_>, path: PathBuf, data: &[u8]) -> PyResult<()> {
    py.detach(|| model::write(&path, data)).map_err(|error| into_py(py, &error))
}

/// Reads the bytes of a file, of which no more is taken than a model can have.
#[pyfunction]
pub fn read_model(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyBytes>> {
    let bytes = py.detach(|| model::read(&path)).map_err(|error| into_py(py, &error))?;
    Ok(PyBytes::new(py, &bytes))
}
