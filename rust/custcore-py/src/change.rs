//! Changes that are prepared by one call and take effect in another.
//!
//! An operation that raises `KeyboardInterrupt` must have done nothing, and one that took effect must return. The interpreter runs
//! signal handlers after calls and at loops, so a handler could raise between the return of a function of this module and the return
//! of the Python function around it. It runs none after reading an attribute. So a call prepares the change, which a handler may
//! still abandon, and the attribute `applied` makes it take effect.

use std::sync::{Mutex, PoisonError};

use custcore::Error;
use pyo3::prelude::*;

use crate::error::into_py;

type Apply = Box<dyn FnOnce(Python<'_>) -> PyResult<usize> + Send>;

/// A prepared change of a base or a file.
#[pyclass(frozen, module = "custcore._core", name = "Change")]
pub struct CoreChange(Mutex<Option<Apply>>);

impl CoreChange {
    /// A change; `apply` returns how many customers it concerned, where that is of interest.
    pub fn new(apply: impl FnOnce(Python<'_>) -> PyResult<usize> + Send + 'static) -> Self {
        Self(Mutex::new(Some(Box::new(apply))))
    }
}

#[pymethods]
impl CoreChange {
    /// Applies the change, once.
    #[getter]
    pub fn applied(&self, py: Python<'_>) -> PyResult<usize> {
        let apply = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        apply.ok_or_else(|| into_py(py, &Error::internal("a change was applied twice")))?(py)
    }
}
