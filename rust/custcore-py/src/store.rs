//! Serialization of models to bytes and files.

use std::path::PathBuf;

use custcore::{StoredModel, model};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::into_py;
use crate::guard::guarded;

/// Serializes a model.
pub fn to_bytes<'py, M: StoredModel + Sync>(py: Python<'py>, stored: &M) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = py.detach(|| guarded(|| model::to_bytes(stored))).map_err(|error| into_py(py, &error))?;
    Ok(PyBytes::new(py, &bytes))
}

/// Deserializes a model.
pub fn from_bytes<M: StoredModel + Send>(py: Python<'_>, bytes: &[u8]) -> PyResult<M> {
    py.detach(|| guarded(|| model::from_bytes(bytes))).map_err(|error| into_py(py, &error))
}

/// Writes the bytes of a model to a file atomically.
#[pyfunction]
pub fn write_model(py: Python<'_>, path: PathBuf, data: &[u8]) -> PyResult<()> {
    py.detach(|| model::write(&path, data)).map_err(|error| into_py(py, &error))
}

/// Reads a file, up to the maximum size of a model.
#[pyfunction]
pub fn read_model(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyBytes>> {
    let bytes = py.detach(|| model::read(&path)).map_err(|error| into_py(py, &error))?;
    Ok(PyBytes::new(py, &bytes))
}
