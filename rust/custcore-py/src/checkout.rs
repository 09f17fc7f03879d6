//! A value that several threads read and change, one at a time.
//!
//! Readers take a snapshot and work on it. A writer checks the value out, works without the GIL, and checks it in again; other threads
//! wait meanwhile. The mutex is held for moments, with the GIL, so a forked child never inherits it locked. A child can inherit a value
//! that a thread of its parent had checked out; this is an error.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use custcore::{Context, Error, ErrorKind, Result};
use pyo3::prelude::*;

use crate::error::into_py;
use crate::guard::guarded;
use crate::runtime::Call;

/// How often a waiting thread checks whether the value was checked in.
const POLL_INTERVAL: Duration = Duration::from_micros(200);

/// A value that can be checked out by one thread at a time. Clones are the same value.
pub struct Shared<T>(Arc<Mutex<Checkout<T>>>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Checkout<T> {
    /// The value; `None` while it is checked out.
    value: Option<Arc<T>>,
    /// The id of the process that checked it out last.
    holder_pid: u32,
    /// A change panicked, so the value may be inconsistent.
    poisoned: bool,
}

impl<T: Clone + Send + Sync + 'static> Shared<T> {
    /// A value that shares its data with others until one of them is changed.
    pub fn new(value: Arc<T>) -> Self {
        Self(Arc::new(Mutex::new(Checkout { value: Some(value), holder_pid: 0, poisoned: false })))
    }

    fn lock(&self) -> MutexGuard<'_, Checkout<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `take` until it returns a value, which it does once the value is checked in.
    fn wait_for<R>(&self, py: Python<'_>, take: impl Fn(&mut Checkout<T>) -> Option<R>) -> PyResult<R> {
        loop {
            {
                let mut checkout = self.lock();
                if checkout.poisoned {
                    let message = "an earlier failure left this object partially changed; load or build it again";
                    return Err(into_py(py, &Error::internal(message)));
                }
                if let Some(value) = take(&mut checkout) {
                    return Ok(value);
                }
                if checkout.value.is_none() && checkout.holder_pid != std::process::id() {
                    let message = "another thread was changing this object when the process was forked, so the child process cannot use \
                                   it; load or build it in the child process";
                    return Err(into_py(py, &Error::new(ErrorKind::StateMismatch, message)));
                }
            }
            py.check_signals()?;
            py.detach(|| std::thread::sleep(POLL_INTERVAL));
        }
    }

    /// The current value.
    pub fn snapshot(&self, py: Python<'_>) -> PyResult<Arc<T>> {
        self.wait_for(py, |checkout| checkout.value.clone())
    }

    /// Changes the value through the runtime; `rows` estimates the amount of work. If a reader holds a snapshot, it is copied before. An
    /// error means that nothing has changed: signals are not asked once the work has begun.
    pub fn change<R: Send + 'static>(
        &self,
        py: Python<'_>,
        call: &mut Call,
        rows: usize,
        work: impl FnOnce(&mut T, &Context) -> Result<R> + Send + 'static,
    ) -> PyResult<R> {
        let value = self.wait_for(py, |checkout| {
            let value = checkout.value.take();
            if value.is_some() {
                checkout.holder_pid = std::process::id();
            }
            value
        })?;
        let mut checked_out = CheckedOut { shared: self.clone(), value: Some(value), poisoned: false };
        // The value comes back to this thread, which checks it in.
        let (result, checked_out) = call.commit(py, rows, move |context| {
            let result = guarded(|| match &mut checked_out.value {
                Some(value) => work(Arc::make_mut(value), context),
                None => Err(Error::internal("the value was lost")),
            });
            checked_out.poisoned = result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Internal);
            Ok((result, checked_out))
        })?;
        drop(checked_out);
        result.map_err(|error| into_py(py, &error))
    }
}

/// A value that is checked out; dropping it checks the value in.
struct CheckedOut<T> {
    shared: Shared<T>,
    value: Option<Arc<T>>,
    poisoned: bool,
}

impl<T> Drop for CheckedOut<T> {
    fn drop(&mut self) {
        let mut checkout = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        checkout.value = self.value.take();
        checkout.poisoned |= self.poisoned;
    }
}
