//! Parallel loops. Each needs a [`Threads`], the permission to use the threads of one pool.

use std::cmp::Ordering;
use std::ops::Range;

use rayon::ThreadPool;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

pub(super) use super::pool::default_threads;
use super::pool::pool;
use crate::error::Result;

/// Fewer rows than this are not worth a second thread.
pub(crate) const ROWS_WORTH_THREADS: usize = 1 << 16;
/// Rows that [`Threads::par_map`] computes in one go, at least.
const MIN_ROWS: usize = 1 << 13;

/// How many threads a call gets that asks for `threads`.
pub(super) fn granted(threads: usize) -> usize {
    threads.max(1)
}

/// Runs `work` on the pool of so many threads and waits for it.
pub(super) fn install<R: Send>(threads: usize, work: impl FnOnce(Threads<'_>) -> R + Send) -> Result<R> {
    let pool = pool(threads)?;
    Ok(pool.install(|| work(Threads(Some(&pool)))))
}

/// Starts `work` on the pool of so many threads and returns at once.
pub(super) fn spawn(threads: usize, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let pool = pool(threads)?;
    let in_use = pool.clone();
    pool.spawn(move || {
        work();
        drop(in_use);
    });
    Ok(())
}

/// Permission to use the threads of one pool, or of none: then all work stays on the calling thread. Only
/// [`super::context::Context`] hands out those of a pool.
#[derive(Debug, Clone, Copy)]
pub struct Threads<'p>(Option<&'p ThreadPool>);

impl Threads<'_> {
    /// Permission to use the calling thread only.
    pub const fn inline() -> Self {
        Self(None)
    }

    /// Number of threads.
    pub fn count(self) -> usize {
        self.0.map_or(1, ThreadPool::current_num_threads)
    }

    /// This permission where `rows` rows are worth several threads, else that for the calling thread.
    #[must_use]
    pub fn if_large(self, rows: usize) -> Self {
        if rows < ROWS_WORTH_THREADS { Self::inline() } else { self }
    }

    /// The results of `work` for the chunks that `rows` rows are cut into, in order. A few rows are one chunk, on the calling
    /// thread.
    pub fn par_chunks<R: Send>(self, rows: usize, work: impl Fn(Range<usize>) -> R + Sync + Send) -> Vec<R> {
        let Some(pool) = self.if_large(rows).0 else { return vec![work(0..rows)] };
        let size = self.chunk_size(rows);
        let chunk = |i: usize| work(i * size..rows.min((i + 1) * size));
        pool.install(|| (0..rows.div_ceil(size)).into_par_iter().map(chunk).collect())
    }

    /// Fills `out` chunk by chunk, the same chunks as those of [`Threads::par_chunks`]: `work` gets the first row of each, and
    /// its part of `out`.
    pub fn par_fill<T: Send>(self, out: &mut [T], work: impl Fn(usize, &mut [T]) + Sync + Send) {
        let rows = out.len();
        let Some(pool) = self.if_large(rows).0 else { return work(0, out) };
        let size = self.chunk_size(rows);
        pool.install(|| out.par_chunks_mut(size).enumerate().for_each(|(i, out)| work(i * size, out)));
    }

    /// A few chunks for each thread, so that a thread which is held up does not hold up all.
    fn chunk_size(self, rows: usize) -> usize {
        rows.div_ceil(4 * self.count()).max(ROWS_WORTH_THREADS / 4)
    }

    /// A column of `rows` values.
    pub fn par_map<T: Send>(self, rows: usize, value: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        let Some(pool) = self.if_large(rows).0 else { return (0..rows).map(value).collect() };
        pool.install(|| (0..rows).into_par_iter().with_min_len(MIN_ROWS).map(value).collect())
    }

    /// A column of `rows` values, which are asked for in ascending order from each state that `state` makes.
    pub fn par_map_with<S, T: Send>(
        self,
        rows: usize,
        state: impl Fn() -> S + Sync + Send,
        value: impl Fn(&mut S, usize) -> T + Sync + Send,
    ) -> Vec<T> {
        let Some(pool) = self.if_large(rows).0 else {
            let mut state = state();
            return (0..rows).map(|row| value(&mut state, row)).collect();
        };
        pool.install(|| (0..rows).into_par_iter().with_min_len(2 * MIN_ROWS).map_init(state, value).collect())
    }

    /// Two columns of `rows` values.
    pub fn par_map_pairs<A: Send, B: Send>(self, rows: usize, pair: impl Fn(usize) -> (A, B) + Sync + Send) -> (Vec<A>, Vec<B>) {
        let Some(pool) = self.if_large(rows).0 else { return (0..rows).map(pair).unzip() };
        let (mut left, mut right) = (Vec::new(), Vec::new());
        pool.install(|| (0..rows).into_par_iter().with_min_len(MIN_ROWS).map(pair).unzip_into_vecs(&mut left, &mut right));
        (left, right)
    }

    /// The results of `work` for all items, in order. Each item may be run by another thread, whatever their number.
    pub fn par_tasks<S: Send, R: Send>(self, items: impl IntoIterator<Item = S>, work: impl Fn(S) -> R + Sync + Send) -> Vec<R> {
        let Some(pool) = self.0 else { return items.into_iter().map(work).collect() };
        let items: Vec<S> = items.into_iter().collect();
        if items.len() < 2 {
            return items.into_iter().map(work).collect();
        }
        pool.install(|| items.into_par_iter().map(work).collect())
    }

    /// Does `work` on many small items, at least `batch` of them in one go.
    pub fn par_batches<S: Send>(self, items: Vec<S>, batch: usize, work: impl Fn(S) + Sync + Send) {
        let Some(pool) = self.0 else { return items.into_iter().for_each(work) };
        pool.install(|| items.into_par_iter().with_min_len(batch).for_each(work));
    }

    /// Sorts, without keeping the order of equal items.
    pub fn par_sort_unstable_by<T: Send>(self, items: &mut [T], compare: impl Fn(&T, &T) -> Ordering + Sync) {
        match self.0 {
            Some(pool) => pool.install(|| items.par_sort_unstable_by(|a, b| compare(a, b))),
            None => items.sort_unstable_by(compare),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;
    use crate::exec::context::Context;

    const ROWS: usize = 3 * ROWS_WORTH_THREADS + 5;

    /// What each helper gives, and the threads that it ran on.
    fn run(threads: Threads<'_>) -> (Vec<usize>, HashSet<thread::ThreadId>) {
        let here = || thread::current().id();
        let mut seen = HashSet::new();
        let mut all: Vec<usize> = Vec::new();
        for (sum, id) in threads.par_chunks(ROWS, |chunk| (chunk.sum::<usize>(), here())) {
            all.push(sum);
            seen.insert(id);
        }
        let mut filled = vec![(0, here()); ROWS];
        threads.par_fill(&mut filled, |first, out| out.iter_mut().enumerate().for_each(|(i, out)| *out = (first + i, here())));
        let with = threads.par_map_with(
            ROWS,
            || 0,
            |last, row| {
                assert!(*last <= row, "rows of one state ascend");
                *last = row;
                (row, here())
            },
        );
        let (left, right) = threads.par_map_pairs(ROWS, |row| ((row, here()), row));
        let mapped = threads.par_map(ROWS, |row| (row, here()));
        let tasks = threads.par_tasks(0..64_usize, |task| (task, here()));
        let mut batched = vec![(0, here()); 5_000];
        threads.par_batches(batched.iter_mut().enumerate().collect(), 256, |(i, out)| *out = (i, here()));
        let mut sorted: Vec<usize> = (0..ROWS).map(|i| i * 7_919 % ROWS).collect();
        threads.par_sort_unstable_by(&mut sorted, usize::cmp);
        assert_eq!(all.iter().sum::<usize>(), ROWS * (ROWS - 1) / 2);
        let mut values = vec![right, sorted];
        for column in [filled, with, left, mapped, tasks, batched] {
            seen.extend(column.iter().map(|(_, id)| *id));
            values.push(column.into_iter().map(|(value, _)| value).collect());
        }
        assert!(values.iter().all(|column| column.iter().copied().eq(0..column.len())));
        (values.concat(), seen)
    }

    #[test]
    fn inline_work_stays_on_the_calling_thread() {
        assert_eq!(run(Threads::inline()).1, HashSet::from([thread::current().id()]));
        assert_eq!(Threads::inline().par_chunks(ROWS, |chunk| (chunk.start, chunk.end)), [(0, ROWS)]);
    }

    #[test]
    fn work_runs_on_the_pool_of_the_token_from_any_thread() -> Result<()> {
        let context = Context::new(3);
        // Both in one call, which keeps its pool; either may happen to miss one of the three threads.
        let (found, pool) = context.install(|threads| {
            // Even a thread that is not in the pool cannot take the work elsewhere.
            let found = thread::scope(|scope| scope.spawn(move || run(threads)).join());
            let pool: HashSet<_> = (0..20).flat_map(|_| threads.par_tasks(0..64, |_| thread::current().id())).collect();
            (found, pool)
        })?;
        let (values, ids) = found.unwrap_or_default();
        assert!(!ids.is_empty() && ids.len() <= 3 && !ids.contains(&thread::current().id()));
        assert!(ids.union(&pool).count() <= 3, "both ran on the threads of one pool");
        assert_eq!(values, run(Threads::inline()).0);
        Ok(())
    }

    #[test]
    fn few_rows_are_one_chunk_of_any_pool() -> Result<()> {
        let chunks = Context::new(2).install(|threads| threads.par_chunks(ROWS_WORTH_THREADS - 1, |chunk| (chunk.start, chunk.end)))?;
        assert_eq!(chunks, [(0, ROWS_WORTH_THREADS - 1)]);
        let chunks = Context::new(2).install(|threads| threads.par_chunks(ROWS, |chunk| chunk))?;
        assert!(chunks.len() > 1 && chunks.windows(2).all(|pair| pair[0].end == pair[1].start));
        Ok(())
    }
}
