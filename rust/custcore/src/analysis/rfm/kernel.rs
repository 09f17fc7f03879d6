//! Kernel that computes recency, frequency and monetary value of each buyer from totals.

use std::mem::MaybeUninit;

use crate::base::view::{CustomerStats, TotalsView};
use crate::exec::par::Threads;

/// RFM values of the buyers as columns, in the order of `codes`.
#[derive(Debug)]
pub(crate) struct RfmColumns {
    /// Day of the first purchase.
    pub first: Vec<i32>,
    /// Day of the last purchase.
    pub last: Vec<i32>,
    /// Days from the last purchase to the as-of day.
    pub recency: Vec<i32>,
    /// Days from the first purchase to the as-of day.
    pub tenure: Vec<i32>,
    /// Number of orders.
    pub orders: Vec<i64>,
    /// Monetary value.
    pub units: UnitColumn,
}

/// Monetary values of the buyers, in units.
#[derive(Debug)]
pub(crate) enum UnitColumn {
    /// All values fit 64 bits.
    Narrow(Vec<i64>),
    /// Any values.
    Wide(Vec<i128>),
}

/// Uninitialised slices of all columns for some rows: zero-filling them first would double the memory writes.
struct Piece<'a, U> {
    codes: &'a [u32],
    first: &'a mut [MaybeUninit<i32>],
    last: &'a mut [MaybeUninit<i32>],
    recency: &'a mut [MaybeUninit<i32>],
    tenure: &'a mut [MaybeUninit<i32>],
    orders: &'a mut [MaybeUninit<i64>],
    units: &'a mut [MaybeUninit<U>],
}

/// Rows per task.
const PIECE: usize = 1 << 14;
/// Prefetch distance in rows.
const AHEAD: usize = 24;

/// Codes of the customers with at least one purchase, ascending.
pub(crate) fn buyers(totals: TotalsView<'_>, threads: Threads<'_>) -> Vec<u32> {
    let runs = threads.par_chunks(totals.len(), |run| {
        let mut buyers = Vec::with_capacity(run.len());
        buyers.extend(run.map(|code| code as u32).filter(|&code| totals.orders(code) > 0));
        buyers
    });
    runs.concat()
}

/// Computes the columns as of day `as_of`, which is not before any last purchase.
pub(crate) fn compute(totals: TotalsView<'_>, codes: &[u32], as_of: i32, threads: Threads<'_>) -> RfmColumns {
    if totals.is_narrow() {
        let (columns, units) = fill(totals, codes, as_of, threads, |slot| slot.units as i64);
        RfmColumns { units: UnitColumn::Narrow(units), ..columns }
    } else {
        let (columns, units) = fill(totals, codes, as_of, threads, |slot| slot.units);
        RfmColumns { units: UnitColumn::Wide(units), ..columns }
    }
}

/// Fills all columns in one pass, so that each slot is fetched once; the units are returned separately.
fn fill<U: Send>(
    totals: TotalsView<'_>,
    codes: &[u32],
    as_of: i32,
    threads: Threads<'_>,
    unit: impl Fn(&CustomerStats) -> U + Sync + Send,
) -> (RfmColumns, Vec<U>) {
    let rows = codes.len();
    let days = || Vec::<i32>::with_capacity(rows);
    let (mut first, mut last, mut recency, mut tenure) = (days(), days(), days(), days());
    let (mut orders, mut units) = (Vec::<i64>::with_capacity(rows), Vec::<U>::with_capacity(rows));
    let pieces = codes
        .chunks(PIECE)
        .zip(first.spare_capacity_mut()[..rows].chunks_mut(PIECE))
        .zip(last.spare_capacity_mut()[..rows].chunks_mut(PIECE))
        .zip(recency.spare_capacity_mut()[..rows].chunks_mut(PIECE))
        .zip(tenure.spare_capacity_mut()[..rows].chunks_mut(PIECE))
        .zip(orders.spare_capacity_mut()[..rows].chunks_mut(PIECE))
        .zip(units.spare_capacity_mut()[..rows].chunks_mut(PIECE));
    let pieces: Vec<Piece<'_, U>> = pieces
        .map(|((((((codes, first), last), recency), tenure), orders), units)| Piece { codes, first, last, recency, tenure, orders, units })
        .collect();
    let work = |piece: Piece<'_, U>| {
        for (row, &code) in piece.codes.iter().enumerate() {
            if let Some(&ahead) = piece.codes.get(row + AHEAD) {
                totals.prefetch(ahead);
            }
            let slot = totals.get(code);
            piece.first[row].write(slot.first);
            piece.last[row].write(slot.last);
            piece.recency[row].write(as_of - slot.last);
            piece.tenure[row].write(as_of - slot.first);
            piece.orders[row].write(slot.orders as i64);
            piece.units[row].write(unit(&slot));
        }
    };
    threads.if_large(rows).par_tasks(pieces, work);
    // SAFETY: each column has capacity for `rows` values. Its pieces are split like the codes, cover all rows, and every
    // row of every piece was written above.
    unsafe {
        first.set_len(rows);
        last.set_len(rows);
        recency.set_len(rows);
        tenure.set_len(rows);
        orders.set_len(rows);
        units.set_len(rows);
    }
    (RfmColumns { first, last, recency, tenure, orders, units: UnitColumn::Narrow(Vec::new()) }, units)
}
