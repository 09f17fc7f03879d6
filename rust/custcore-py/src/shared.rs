//! A customer base that several threads read and change.
//!
//! Readers take a snapshot and work on that. Who changes a base takes it out, works without the GIL, and puts it back; others
//! wait meanwhile. The lock itself is held for moments only, so a forked child never inherits it locked; it can inherit a
//! base that was taken out by a thread that it does not have, and is told so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use custcore::base::CustomerBase;
use custcore::error::{Error, ErrorKind, Result};
use custcore::exec::context::Context;
use pyo3::prelude::*;

use crate::error::into_py;
use crate::guard::guarded;
use crate::runtime::Call;

/// How often those who wait look again.
const LOOK: Duration = Duration::from_micros(200);

/// A base in a place of its own.
pub struct Shared(Arc<Mutex<Place>>);

struct Place {
    /// The base, unless somebody has taken it out.
    base: Option<Arc<CustomerBase>>,
    /// The process whose thread took it out.
    taker: u32,
    /// A change panicked half way.
    broken: bool,
}

impl Shared {
    /// A base by itself.
    pub fn new(base: CustomerBase) -> Self {
        Self::of(Arc::new(base))
    }

    /// A base that shares what it holds with others until it is changed.
    pub fn of(base: Arc<CustomerBase>) -> Self {
        Self(Arc::new(Mutex::new(Place { base: Some(base), taker: 0, broken: false })))
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `take` takes once the base is in its place.
    fn once_there<T>(&self, py: Python<'_>, take: impl Fn(&mut Place) -> Option<T>) -> PyResult<T> {
        loop {
            {
                let mut place = self.place();
                if place.broken {
                    let message = "a defect of custcore left this base half changed; load it again, or build it anew";
                    return Err(into_py(py, &Error::internal(message)));
                }
                if let Some(taken) = take(&mut place) {
                    return Ok(taken);
                }
                if place.taker != std::process::id() {
                    let message = "the base was being changed by another thread when this process was forked, and stayed there";
                    return Err(into_py(py, &Error::new(ErrorKind::StateMismatch, message)));
                }
            }
            py.check_signals()?;
            py.detach(|| std::thread::sleep(LOOK));
        }
    }

    /// The base as it stands.
    pub fn snapshot(&self, py: Python<'_>) -> PyResult<Arc<CustomerBase>> {
        self.once_there(py, |place| place.base.clone())
    }

    fn take(&self, py: Python<'_>) -> PyResult<Taken> {
        let base = self.once_there(py, |place| {
            let base = place.base.take();
            if base.is_some() {
                place.taker = std::process::id();
            }
            base
        })?;
        Ok(Taken { place: self.0.clone(), base: Some(base), broken: false })
    }
}

/// A base that was taken out; it goes back by itself.
struct Taken {
    place: Arc<Mutex<Place>>,
    base: Option<Arc<CustomerBase>>,
    broken: bool,
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        place.base = self.base.take();
        place.broken |= self.broken;
    }
}

/// Changes some bases, which are distinct, through the runtime; `rows` says how much there is to do. A reader that is at work
/// keeps what it has, and then the base is copied.
pub fn change<T: Send + 'static>(
    py: Python<'_>,
    call: &mut Call,
    bases: &[&Shared],
    rows: usize,
    work: impl FnOnce(&mut [&mut CustomerBase], &Context) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    // Two calls that change the same bases take them in the same order, so that neither waits for the other for ever.
    let mut order: Vec<usize> = (0..bases.len()).collect();
    order.sort_by_key(|&at| Arc::as_ptr(&bases[at].0));
    let mut taken: Vec<(usize, Taken)> = Vec::with_capacity(bases.len());
    for at in order {
        taken.push((at, bases[at].take(py)?));
    }
    taken.sort_by_key(|(at, _)| *at);
    call.run(py, rows, move |context| {
        let mut all: Vec<&mut CustomerBase> = taken.iter_mut().filter_map(|(_, taken)| taken.base.as_mut()).map(Arc::make_mut).collect();
        let result = guarded(|| work(&mut all, context));
        let broken = result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Internal);
        taken.iter_mut().for_each(|(_, taken)| taken.broken = broken);
        result
    })
}
