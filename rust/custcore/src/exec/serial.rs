//! What stands for `par` in a build without the feature `parallel`: all work stays on the calling thread.

use std::cmp::Ordering;
use std::marker::PhantomData;
use std::ops::Range;

use crate::error::{Error, ErrorKind, Result};

/// As with threads: work of fewer rows is not cut.
pub(crate) const ROWS_WORTH_THREADS: usize = 1 << 16;

/// The calling thread, whatever `CUSTCORE_NUM_THREADS` is.
pub(super) fn default_threads() -> usize {
    1
}

/// The calling thread, however many are asked for.
pub(super) fn granted(_: usize) -> usize {
    1
}

/// Runs `work` here.
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of `par`")]
pub(super) fn install<R: Send>(_: usize, work: impl FnOnce(Threads<'_>) -> R + Send) -> Result<R> {
    Ok(work(Threads::inline()))
}

/// Starts `work` on a thread of its own and returns at once.
pub(super) fn spawn(_: usize, work: impl FnOnce() + Send + 'static) -> Result<()> {
    std::thread::Builder::new()
        .name("custcore-0".to_owned())
        .spawn(work)
        .map(drop)
        .map_err(|error| Error::new(ErrorKind::InvalidArgument, format!("cannot start a thread: {error}")))
}

/// Permission to use the calling thread. It borrows a pool where there are pools.
#[derive(Debug, Clone, Copy)]
pub struct Threads<'p>(PhantomData<&'p ()>);

#[allow(clippy::unused_self, reason = "the signatures are those of `par`")]
impl Threads<'_> {
    /// Permission to use the calling thread only.
    pub const fn inline() -> Self {
        Self(PhantomData)
    }

    /// Number of threads.
    pub fn count(self) -> usize {
        1
    }

    /// This permission.
    #[must_use]
    pub fn if_large(self, _: usize) -> Self {
        self
    }

    /// The result of `work` for all rows.
    pub fn par_chunks<R: Send>(self, rows: usize, work: impl Fn(Range<usize>) -> R + Sync + Send) -> Vec<R> {
        vec![work(0..rows)]
    }

    /// Fills `out`.
    pub fn par_fill<T: Send>(self, out: &mut [T], work: impl Fn(usize, &mut [T]) + Sync + Send) {
        work(0, out);
    }

    /// A column of `rows` values.
    pub fn par_map<T: Send>(self, rows: usize, value: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        (0..rows).map(value).collect()
    }

    /// A column of `rows` values, which are asked for in ascending order from a state that `state` makes.
    pub fn par_map_with<S, T: Send>(
        self,
        rows: usize,
        state: impl Fn() -> S + Sync + Send,
        value: impl Fn(&mut S, usize) -> T + Sync + Send,
    ) -> Vec<T> {
        let mut state = state();
        (0..rows).map(|row| value(&mut state, row)).collect()
    }

    /// Two columns of `rows` values.
    pub fn par_map_pairs<A: Send, B: Send>(self, rows: usize, pair: impl Fn(usize) -> (A, B) + Sync + Send) -> (Vec<A>, Vec<B>) {
        (0..rows).map(pair).unzip()
    }

    /// The results of `work` for all items, in order.
    pub fn par_tasks<S: Send, R: Send>(self, items: impl IntoIterator<Item = S>, work: impl Fn(S) -> R + Sync + Send) -> Vec<R> {
        items.into_iter().map(work).collect()
    }

    /// Does `work` on all items.
    pub fn par_batches<S: Send>(self, items: Vec<S>, _: usize, work: impl Fn(S) + Sync + Send) {
        items.into_iter().for_each(work);
    }

    /// Sorts, without keeping the order of equal items.
    pub fn par_sort_unstable_by<T: Send>(self, items: &mut [T], compare: impl Fn(&T, &T) -> Ordering + Sync) {
        items.sort_unstable_by(compare);
    }
}
