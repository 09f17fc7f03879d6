//! Recency, frequency and money of each buyer, from totals.

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use crate::base::slots::{Slot, Slots};
use crate::context::{ROWS_WORTH_THREADS, by_runs};

/// The facts of the buyers as columns, in the order of `codes`.
#[derive(Debug)]
pub struct RfmColumns {
    /// Day of the first purchase.
    pub first: Vec<i32>,
    /// Day of the last purchase.
    pub last: Vec<i32>,
    /// Days from the last purchase to the day the result speaks of.
    pub recency: Vec<i32>,
    /// Days from the first purchase to that day.
    pub tenure: Vec<i32>,
    /// Purchases.
    pub orders: Vec<i64>,
    /// Money.
    pub units: UnitColumn,
}

/// Units of money of the buyers.
#[derive(Debug)]
pub enum UnitColumn {
    /// All fit 64 bits.
    Narrow(Vec<i64>),
    /// Any.
    Wide(Vec<i128>),
}

/// The places of some rows in all columns.
struct Piece<'a, U> {
    codes: &'a [u32],
    first: &'a mut [i32],
    last: &'a mut [i32],
    recency: &'a mut [i32],
    tenure: &'a mut [i32],
    orders: &'a mut [i64],
    units: &'a mut [U],
}

/// Rows that are filled in one go.
const PIECE: usize = 1 << 14;
/// Rows ahead whose slots are asked for.
const AHEAD: usize = 24;

/// Codes of the customers with at least one purchase, ascending.
pub fn buyers(slots: &Slots) -> Vec<u32> {
    by_runs(slots.len(), |run| run.map(|code| code as u32).filter(|&code| slots.orders(code) > 0).collect::<Vec<u32>>()).concat()
}

/// The columns at day `as_of`, not before any customer's last purchase.
pub fn compute(slots: &Slots, codes: &[u32], as_of: i32) -> RfmColumns {
    let rows = codes.len();
    let days = || vec![0_i32; rows];
    let mut columns = RfmColumns {
        first: days(),
        last: days(),
        recency: days(),
        tenure: days(),
        orders: vec![0; rows],
        units: UnitColumn::Narrow(Vec::new()),
    };
    columns.units = if slots.is_narrow() {
        let mut units = vec![0_i64; rows];
        fill(slots, codes, as_of, &mut columns, &mut units, |slot| slot.units as i64);
        UnitColumn::Narrow(units)
    } else {
        let mut units = vec![0_i128; rows];
        fill(slots, codes, as_of, &mut columns, &mut units, |slot| slot.units);
        UnitColumn::Wide(units)
    };
    columns
}

/// Fills all columns in one pass, so that each slot is fetched once.
fn fill<U: Send>(
    slots: &Slots,
    codes: &[u32],
    as_of: i32,
    columns: &mut RfmColumns,
    units: &mut [U],
    unit: impl Fn(&Slot) -> U + Sync + Send,
) {
    let pieces = codes
        .chunks(PIECE)
        .zip(columns.first.chunks_mut(PIECE))
        .zip(columns.last.chunks_mut(PIECE))
        .zip(columns.recency.chunks_mut(PIECE))
        .zip(columns.tenure.chunks_mut(PIECE))
        .zip(columns.orders.chunks_mut(PIECE))
        .zip(units.chunks_mut(PIECE));
    let pieces: Vec<Piece<'_, U>> = pieces
        .map(|((((((codes, first), last), recency), tenure), orders), units)| Piece { codes, first, last, recency, tenure, orders, units })
        .collect();
    let work = |piece: Piece<'_, U>| {
        for (row, &code) in piece.codes.iter().enumerate() {
            if let Some(&ahead) = piece.codes.get(row + AHEAD) {
                slots.prefetch(ahead);
            }
            let slot = slots.get(code);
            piece.first[row] = slot.first;
            piece.last[row] = slot.last;
            piece.recency[row] = as_of - slot.last;
            piece.tenure[row] = as_of - slot.first;
            piece.orders[row] = slot.orders as i64;
            piece.units[row] = unit(&slot);
        }
    };
    if codes.len() < ROWS_WORTH_THREADS {
        pieces.into_iter().for_each(work);
    } else {
        pieces.into_par_iter().for_each(work);
    }
}

/// A column of `rows` values, by several threads where there are many.
pub fn map<T: Send>(rows: usize, value: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    if rows < ROWS_WORTH_THREADS {
        (0..rows).map(value).collect()
    } else {
        (0..rows).into_par_iter().with_min_len(1 << 13).map(value).collect()
    }
}

/// Two columns at once.
pub fn map_pairs<A: Send, B: Send>(rows: usize, pair: impl Fn(usize) -> (A, B) + Sync + Send) -> (Vec<A>, Vec<B>) {
    if rows < ROWS_WORTH_THREADS {
        return (0..rows).map(pair).unzip();
    }
    let (mut left, mut right) = (Vec::new(), Vec::new());
    (0..rows).into_par_iter().with_min_len(1 << 13).map(pair).unzip_into_vecs(&mut left, &mut right);
    (left, right)
}
