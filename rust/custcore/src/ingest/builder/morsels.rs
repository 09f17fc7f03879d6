//! The morsels of a push: a run of rows of each batch for each thread.

use std::ops::Range;

use crate::column::chunks::InputBatch;
use crate::error::Result;
use crate::exec::context::Context;
use crate::ingest::worker::Morsel;

/// Runs `work` on each part and its morsels, in parallel if there are several.
pub(super) fn by_parts<P: Send>(
    parts: &mut [P],
    morsels: &[Vec<Morsel>],
    context: &Context,
    work: impl Fn((&mut P, &Vec<Morsel>)) -> Result<()> + Sync + Send,
) -> Result<()> {
    if morsels.len() == 1 {
        return parts.iter_mut().zip(morsels).try_for_each(work);
    }
    let results: Vec<Result<()>> = context.install(|threads| threads.par_tasks(parts.iter_mut().zip(morsels), work))?;
    // Report the error of the smallest row: the one that a single thread reaches first.
    results.into_iter().filter_map(Result::err).min_by_key(|e| e.row().unwrap_or(u64::MAX)).map_or(Ok(()), Err)
}

/// Splits a range of rows into `n` lists of morsels with about equally many rows. The columns' first row has number `first_row`.
pub(super) fn split_morsels(columns: &[InputBatch], rows: Range<usize>, n: usize, first_row: u64) -> Vec<Vec<Morsel>> {
    let mut morsels: Vec<Vec<Morsel>> = (0..n).map(|_| Vec::new()).collect();
    let per_part = rows.len().div_ceil(n).max(1);
    let mut before = 0;
    for (batch, columns) in columns.iter().enumerate() {
        let mut row = rows.start.max(before);
        while row < rows.end.min(before + columns.len()) {
            let part = ((row - rows.start) / per_part).min(n - 1);
            let end = rows.end.min(before + columns.len()).min(rows.start + (part + 1) * per_part);
            morsels[part].push(Morsel { batch, start: row - before, end: end - before, first_row: first_row + row as u64 });
            row = end;
        }
        before += columns.len();
    }
    morsels
}
