//! Serialization of models to bytes and files.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use custcore::{Draft, Error, StoredModel, model};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::into_py;
use crate::guard::{self, guarded};

/// Serializes a model.
pub fn to_bytes<'py, M: StoredModel + Sync>(py: Python<'py>, stored: &M) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = py.detach(|| guarded(|| model::to_bytes(stored))).map_err(|error| into_py(py, &error))?;
    guard::bytes(py, &bytes)
}

/// Deserializes a model.
pub fn from_bytes<M: StoredModel + Send>(py: Python<'_>, bytes: &[u8]) -> PyResult<M> {
    py.detach(|| guarded(|| model::from_bytes(bytes))).map_err(|error| into_py(py, &error))
}

/// Writes the bytes of a model to a file atomically.
#[pyfunction]
pub fn write_model(py: Python<'_>, path: PathBuf, data: &[u8]) -> PyResult<()> {
    py.detach(|| guarded(|| model::write(&path, data))).map_err(|error| into_py(py, &error))
}

/// Reads a file, up to the maximum size of a model.
#[pyfunction]
pub fn read_model(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyBytes>> {
    let bytes = py.detach(|| guarded(|| model::read(&path))).map_err(|error| into_py(py, &error))?;
    guard::bytes(py, &bytes)
}

/// The draft of a file that Python writes, see [`Draft`].
#[pyclass(frozen, module = "custcore._core", name = "Draft")]
pub struct CoreDraft {
    target: PathBuf,
    draft: Mutex<Option<Draft>>,
}

impl CoreDraft {
    fn take(&self) -> Option<Draft> {
        self.draft.lock().map_or_else(|poisoned| poisoned.into_inner().take(), |mut draft| draft.take())
    }

    fn failed(py: Python<'_>, path: &Path, error: &std::io::Error) -> PyErr {
        into_py(py, &Error::file("write", path, error))
    }
}

#[pymethods]
impl CoreDraft {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let draft = py.detach(|| Draft::create(&path)).map_err(|error| Self::failed(py, &path, &error))?;
        Ok(Self { target: path, draft: Mutex::new(Some(draft)) })
    }

    /// The file to write; None after it was committed or discarded.
    #[getter]
    fn path(&self) -> Option<PathBuf> {
        self.draft.lock().ok()?.as_ref().map(|draft| draft.path().to_owned())
    }

    /// Renames the draft to its target.
    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        let Some(draft) = self.take() else { return Err(into_py(py, &Error::internal("a draft that was committed or discarded before"))) };
        py.detach(|| draft.commit()).map_err(|error| Self::failed(py, &self.target, &error))
    }

    /// Deletes the draft, if it was not committed.
    fn discard(&self) {
        drop(self.take());
    }
}
