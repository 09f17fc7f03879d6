//! Converts panics to errors.

use std::panic::{AssertUnwindSafe, catch_unwind};

use custcore::{Error, Result};

/// Runs `work`; a panic becomes an internal error.
pub fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Error::internal(text.unwrap_or_else(|| "a panic without a message".to_owned())))
    })
}
