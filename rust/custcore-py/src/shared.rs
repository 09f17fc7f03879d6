//! A customer base that several threads read and change.
//!
//! Readers take a snapshot and work on it. A writer checks the base out, works without the GIL, and checks it in again; other
//! threads wait meanwhile. The mutex itself is held only for moments and never while waiting for the GIL, so a forked child
//! never inherits it locked. A child can inherit a base that a thread of its parent had checked out; this is an error.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use custcore::{Context, CustomerBase, Error, ErrorKind, Result};
use pyo3::prelude::*;

use crate::error::into_py;
use crate::guard::guarded;
use crate::runtime::Call;

/// How often a waiting thread checks whether the base was checked in.
const POLL_INTERVAL: Duration = Duration::from_micros(200);

/// A base that can be checked out by one thread at a time.
pub struct SharedBase(Arc<Mutex<Checkout>>);

struct Checkout {
    /// The base; `None` while it is checked out.
    base: Option<Arc<CustomerBase>>,
    /// The id of the process that checked it out last.
    holder_pid: u32,
    /// A change panicked, so the base may be inconsistent.
    poisoned: bool,
}

impl SharedBase {
    /// A base that owns its data.
    pub fn new(base: CustomerBase) -> Self {
        Self::of(Arc::new(base))
    }

    /// A base that shares its data with `base` until one of them is changed.
    pub fn of(base: Arc<CustomerBase>) -> Self {
        Self(Arc::new(Mutex::new(Checkout { base: Some(base), holder_pid: 0, poisoned: false })))
    }

    fn lock(&self) -> MutexGuard<'_, Checkout> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `take` until it returns a value, which it does once the base is checked in.
    fn wait_for<T>(&self, py: Python<'_>, take: impl Fn(&mut Checkout) -> Option<T>) -> PyResult<T> {
        loop {
            {
                let mut checkout = self.lock();
                if checkout.poisoned {
                    let message = "an earlier failure left this base partially changed; load or build it again";
                    return Err(into_py(py, &Error::internal(message)));
                }
                if let Some(value) = take(&mut checkout) {
                    return Ok(value);
                }
                if checkout.holder_pid != std::process::id() {
                    let message = "another thread was changing this base when the process was forked, so the child process cannot use it; \
                                   load or build it in the child process";
                    return Err(into_py(py, &Error::new(ErrorKind::StateMismatch, message)));
                }
            }
            py.check_signals()?;
            py.detach(|| std::thread::sleep(POLL_INTERVAL));
        }
    }

    /// The current base.
    pub fn snapshot(&self, py: Python<'_>) -> PyResult<Arc<CustomerBase>> {
        self.wait_for(py, |checkout| checkout.base.clone())
    }

    fn check_out(&self, py: Python<'_>) -> PyResult<CheckedOut> {
        let base = self.wait_for(py, |checkout| {
            let base = checkout.base.take();
            if base.is_some() {
                checkout.holder_pid = std::process::id();
            }
            base
        })?;
        Ok(CheckedOut { checkout: self.0.clone(), base: Some(base), poisoned: false })
    }
}

/// A base that is checked out; dropping it checks the base in.
struct CheckedOut {
    checkout: Arc<Mutex<Checkout>>,
    base: Option<Arc<CustomerBase>>,
    poisoned: bool,
}

impl Drop for CheckedOut {
    fn drop(&mut self) {
        let mut checkout = self.checkout.lock().unwrap_or_else(PoisonError::into_inner);
        checkout.base = self.base.take();
        checkout.poisoned |= self.poisoned;
    }
}

/// Changes bases, which must be distinct, through the runtime; `rows` estimates the amount of work. If a reader holds a snapshot of
/// a base, the base is copied before it is changed.
pub fn change<T: Send + 'static>(
    py: Python<'_>,
    call: &mut Call,
    bases: &[&SharedBase],
    rows: usize,
    work: impl FnOnce(&mut [&mut CustomerBase], &Context) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    // Bases are checked out in the order of their addresses, so that two calls that change the same bases cannot deadlock.
    let mut order: Vec<usize> = (0..bases.len()).collect();
    order.sort_by_key(|&at| Arc::as_ptr(&bases[at].0));
    let mut checked_out: Vec<(usize, CheckedOut)> = Vec::with_capacity(bases.len());
    for at in order {
        checked_out.push((at, bases[at].check_out(py)?));
    }
    checked_out.sort_by_key(|(at, _)| *at);
    call.run(py, rows, move |context| {
        let mut all: Vec<&mut CustomerBase> =
            checked_out.iter_mut().filter_map(|(_, checked_out)| checked_out.base.as_mut()).map(Arc::make_mut).collect();
        let result = guarded(|| work(&mut all, context));
        let poisoned = result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Internal);
        checked_out.iter_mut().for_each(|(_, checked_out)| checked_out.poisoned = poisoned);
        result
    })
}
