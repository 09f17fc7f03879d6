//! A customer base that several threads read and change.
//!
//! Readers take a snapshot and work on it. A writer checks the base out, works without the GIL, and checks it in again; other
//! threads wait meanwhile. Updates beside a reader are collected in deltas ([`VersionedBase`]); a reader that needs the new state
//! merges them, apart from updates that go on, for all readers that wait. The mutex is taken and released with the GIL held, for
//! moments and never while waiting for the GIL, so a forked child never inherits it locked. A child can inherit a base that a
//! thread of its parent had checked out; this is an error.

use std::cell::Cell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use custcore::{Context, CustomerBase, Error, ErrorKind, Result, VersionedBase};
use pyo3::prelude::*;

use crate::error::into_py;
use crate::guard::guarded;
use crate::runtime::Call;

/// How often a waiting thread checks whether the base was checked in.
const POLL_INTERVAL: Duration = Duration::from_micros(200);

/// A base that can be checked out by one thread at a time. Clones are the same base.
#[derive(Clone)]
pub struct SharedBase(Arc<Mutex<Checkout>>);

struct Checkout {
    /// The base; `None` while it is checked out.
    base: Option<VersionedBase>,
    /// The id of the process that checked it out last.
    holder_pid: u32,
    /// The id of the process in which a reader merges deltas into a copy; 0 for none.
    merging_pid: u32,
    /// A change panicked, so the base may be inconsistent.
    poisoned: bool,
}

/// What a reader finds.
enum Found {
    /// A base with all changes before the reading began.
    Whole(Arc<CustomerBase>),
    /// A base that nobody else reads: its deltas are merged in place.
    Unshared(VersionedBase),
    /// A base that others read: its deltas are merged into a copy.
    Shared(VersionedBase),
}

impl SharedBase {
    /// A base that owns its data.
    pub fn new(base: CustomerBase) -> Self {
        Self::of(Arc::new(base))
    }

    /// A base that shares its data with `base` until one of them is changed.
    pub fn of(base: Arc<CustomerBase>) -> Self {
        Self(Arc::new(Mutex::new(Checkout { base: Some(VersionedBase::new(base)), holder_pid: 0, merging_pid: 0, poisoned: false })))
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
                if checkout.base.is_none() && checkout.holder_pid != std::process::id() {
                    let message = "another thread was changing this base when the process was forked, so the child process cannot use it; \
                                   load or build it in the child process";
                    return Err(into_py(py, &Error::new(ErrorKind::StateMismatch, message)));
                }
            }
            py.check_signals()?;
            py.detach(|| std::thread::sleep(POLL_INTERVAL));
        }
    }

    /// The current version, for what is known of it without merging its deltas. Updates are not merged in place while it is held.
    pub fn version(&self, py: Python<'_>) -> PyResult<VersionedBase> {
        self.wait_for(py, |checkout| checkout.base.clone())
    }

    /// The current base. It has all changes that were made before the call, and may have later ones.
    pub fn snapshot(&self, py: Python<'_>) -> PyResult<Arc<CustomerBase>> {
        let needed: Cell<Option<u64>> = Cell::new(None);
        let found = self.wait_for(py, |checkout| {
            let base = checkout.base.as_mut()?;
            let changes = needed.get().unwrap_or_else(|| base.changes());
            needed.set(Some(changes));
            if let Some(whole) = base.whole_since(changes) {
                return Some(Found::Whole(whole.clone()));
            }
            let pid = std::process::id();
            // The merge that goes on may have begun too early for this reader, but the next one has what it needs.
            if checkout.merging_pid == pid {
                return None;
            }
            if !base.is_shared() {
                checkout.holder_pid = pid;
                return checkout.base.take().map(Found::Unshared);
            }
            checkout.merging_pid = pid;
            Some(Found::Shared(base.to_merge()))
        })?;
        match found {
            Found::Whole(base) => Ok(base),
            Found::Unshared(base) => {
                let mut checked_out = CheckedOut { checkout: self.0.clone(), base: Some(base), poisoned: false };
                let merged = py.detach(|| guarded(|| checked_out.base.as_mut().map_or_else(|| Err(lost()), merge_deltas)));
                checked_out.poisoned = merged.is_err();
                merged.map_err(|error| into_py(py, &error))
            }
            Found::Shared(before) => {
                let merged = py.detach(|| {
                    let mut copy = before.clone();
                    guarded(|| merge_deltas(&mut copy)).map(|whole| (copy, whole))
                });
                let taken = match merged {
                    Err(error) => Err(into_py(py, &error)),
                    Ok((copy, whole)) => {
                        let copy = Cell::new(Some(copy));
                        let take_over = |checkout: &mut Checkout| {
                            let base = checkout.base.as_mut()?;
                            copy.take().map(|copy| base.take_over(copy, &before))
                        };
                        self.wait_for(py, take_over).map(|old| (old, whole))
                    }
                };
                self.lock().merging_pid = 0;
                let (old, whole) = taken?;
                // The last reader of the main part may have gone: its memory is freed without the GIL.
                py.detach(|| drop((old, before)));
                Ok(whole)
            }
        }
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

/// Merges the deltas of a base. Returns the whole base.
fn merge_deltas(base: &mut VersionedBase) -> Result<Arc<CustomerBase>> {
    base.merge_deltas(&Context::default())?;
    base.whole_since(base.changes()).cloned().ok_or_else(lost)
}

fn lost() -> Error {
    Error::internal("the base was lost")
}

/// A base that is checked out; dropping it, with the GIL held, checks the base in.
struct CheckedOut {
    checkout: Arc<Mutex<Checkout>>,
    base: Option<VersionedBase>,
    poisoned: bool,
}

impl Drop for CheckedOut {
    fn drop(&mut self) {
        let mut checkout = self.checkout.lock().unwrap_or_else(PoisonError::into_inner);
        checkout.base = self.base.take();
        checkout.poisoned |= self.poisoned;
    }
}

/// Changes whole bases, which must be distinct, through the runtime; `rows` estimates the amount of work. If a reader holds a snapshot
/// of a base, the base is copied before it is changed. An error means that nothing has changed: signals are not asked once the work
/// has begun.
pub fn change<T: Send + 'static>(
    py: Python<'_>,
    call: &mut Call,
    bases: &[&SharedBase],
    rows: usize,
    work: impl FnOnce(&mut [&mut CustomerBase], &Context) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    change_versions(py, call, bases, rows, move |bases, context| {
        let mut whole: Vec<&mut CustomerBase> = bases.iter_mut().map(|base| base.to_change(context)).collect::<Result<_>>()?;
        work(&mut whole, context)
    })
}

/// The same for work on versions: updates, which are collected beside readers.
pub fn change_versions<T: Send + 'static>(
    py: Python<'_>,
    call: &mut Call,
    bases: &[&SharedBase],
    rows: usize,
    work: impl FnOnce(&mut [&mut VersionedBase], &Context) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    // Bases are checked out in the order of their addresses, so that two calls that change the same bases cannot deadlock.
    let mut order: Vec<usize> = (0..bases.len()).collect();
    order.sort_by_key(|&at| Arc::as_ptr(&bases[at].0));
    let mut checked_out: Vec<(usize, CheckedOut)> = Vec::with_capacity(bases.len());
    for at in order {
        checked_out.push((at, bases[at].check_out(py)?));
    }
    checked_out.sort_by_key(|(at, _)| *at);
    // The bases come back to this thread, which checks them in.
    let (result, checked_out) = call.commit(py, rows, move |context| {
        let result = guarded(|| {
            let mut all: Vec<&mut VersionedBase> =
                checked_out.iter_mut().filter_map(|(_, checked_out)| checked_out.base.as_mut()).collect();
            work(&mut all, context)
        });
        let poisoned = result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Internal);
        checked_out.iter_mut().for_each(|(_, checked_out)| checked_out.poisoned = poisoned);
        Ok((result, checked_out))
    })?;
    drop(checked_out);
    result.map_err(|error| into_py(py, &error))
}
