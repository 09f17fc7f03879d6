//! Kernel that computes recency, frequency and monetary value of each buyer from totals.

use super::new_column::{NewColumn, Slots, write};
use crate::base::view::TotalsView;
use crate::exec::par::Threads;
use crate::num::money::{Money, narrow_units_to_f64, units_to_f64};

/// RFM values of the buyers as columns, in the order of the codes; `None` for those that are not wanted.
#[derive(Debug)]
pub(crate) struct RfmColumns {
    /// Day of the first purchase.
    pub first: Option<Vec<i32>>,
    /// Day of the last purchase.
    pub last: Option<Vec<i32>>,
    /// Days from the last purchase to the as-of day.
    pub recency: Option<Vec<i32>>,
    /// Days from the first purchase to the as-of day.
    pub tenure: Option<Vec<i32>>,
    /// Number of orders.
    pub orders: Option<Vec<i64>>,
    /// Monetary value, in the output type of the amounts.
    pub total: Option<TotalColumn>,
    /// Monetary value per order.
    pub mean: Option<Vec<f64>>,
}

/// Monetary values in the output type of the amounts.
#[derive(Debug)]
pub(crate) enum TotalColumn {
    /// Of floats.
    Floats(Vec<f64>),
    /// Of integers.
    Integers(Vec<i64>),
    /// Of decimals, unscaled.
    Decimals(Vec<i128>),
}

/// The columns of [`compute`], by their names in results.
pub(crate) mod name {
    pub(crate) const FIRST: &str = "first_date";
    pub(crate) const LAST: &str = "last_date";
    pub(crate) const RECENCY: &str = "recency_days";
    pub(crate) const TENURE: &str = "tenure_days";
    pub(crate) const ORDERS: &str = "n_orders";
    pub(crate) const ROWS: &str = "n_rows";
    pub(crate) const DAYS: &str = "n_days";
    pub(crate) const TOTAL: &str = "monetary_total";
    pub(crate) const MEAN: &str = "monetary_mean";
}

/// Some rows of all columns.
struct Piece<'a> {
    codes: &'a [u32],
    first: Slots<'a, i32>,
    last: Slots<'a, i32>,
    recency: Slots<'a, i32>,
    tenure: Slots<'a, i32>,
    orders: Slots<'a, i64>,
    floats: Slots<'a, f64>,
    integers: Slots<'a, i64>,
    decimals: Slots<'a, i128>,
    mean: Slots<'a, f64>,
}

/// Rows per task.
const PIECE: usize = 1 << 14;
/// Rows that are read at a time: their values stay in the L1 cache while columns are made of them.
const ROWS: usize = 512;
/// Prefetch distance in rows.
const AHEAD: usize = 24;

/// The values of some buyers, by field.
struct Block<U> {
    first: [i32; ROWS],
    last: [i32; ROWS],
    orders: [i64; ROWS],
    units: [U; ROWS],
}

/// Units of money as they are stored.
trait Units: Copy + Default + Into<i128> {
    /// The units of stats, which fit.
    fn of(units: i128) -> Self;

    /// `units / 10^scale`, correctly rounded.
    fn floats(units: &[Self], scale: i32, out: &mut [f64]);
}

impl Units for i64 {
    #[inline]
    fn of(units: i128) -> Self {
        units as Self
    }

    fn floats(units: &[Self], scale: i32, out: &mut [f64]) {
        narrow_units_to_f64(units, scale, out);
    }
}

impl Units for i128 {
    #[inline]
    fn of(units: i128) -> Self {
        units
    }

    fn floats(units: &[Self], scale: i32, out: &mut [f64]) {
        out.iter_mut().zip(units).for_each(|(out, &units)| *out = units_to_f64(units, scale));
    }
}

/// Codes of the customers with at least one purchase, ascending.
pub(crate) fn buyers(totals: TotalsView<'_>, threads: Threads<'_>) -> Vec<u32> {
    let customers = totals.len();
    let counts = threads.par_chunks(customers, |run| run.filter(|&code| totals.orders(code as u32) > 0).count());
    if counts.iter().sum::<usize>() == customers {
        return threads.par_map(customers, |code| code as u32);
    }
    let runs = threads.par_chunks(customers, |run| {
        let mut buyers = Vec::with_capacity(run.len());
        buyers.extend(run.map(|code| code as u32).filter(|&code| totals.orders(code) > 0));
        buyers
    });
    runs.concat()
}

/// Computes the columns for which `wants` is true as of day `as_of`, which is not before any last purchase. Sums must fit
/// their output type.
pub(crate) fn compute(
    totals: TotalsView<'_>,
    codes: &[u32],
    as_of: i32,
    money: Option<Money>,
    wants: impl Fn(&str) -> bool,
    threads: Threads<'_>,
) -> RfmColumns {
    if totals.is_narrow() {
        fill::<i64>(totals, codes, as_of, money, wants, threads)
    } else {
        fill::<i128>(totals, codes, as_of, money, wants, threads)
    }
}

/// Fills all columns in one pass, so that each slot is fetched once.
fn fill<U: Units>(
    totals: TotalsView<'_>,
    codes: &[u32],
    as_of: i32,
    money: Option<Money>,
    wants: impl Fn(&str) -> bool,
    threads: Threads<'_>,
) -> RfmColumns {
    let rows = codes.len();
    let days = |name: &str| NewColumn::<i32>::new(rows, wants(name));
    let (mut first, mut last, mut recency, mut tenure) = (days(name::FIRST), days(name::LAST), days(name::RECENCY), days(name::TENURE));
    let mut orders = NewColumn::<i64>::new(rows, wants(name::ORDERS));
    let total = money.filter(|_| wants(name::TOTAL));
    let mut floats = NewColumn::<f64>::new(rows, matches!(total, Some(Money::Float { .. })));
    let mut integers = NewColumn::<i64>::new(rows, matches!(total, Some(Money::Integer)));
    let mut decimals = NewColumn::<i128>::new(rows, matches!(total, Some(Money::Decimal { .. })));
    let mut mean = NewColumn::<f64>::new(rows, money.is_some() && wants(name::MEAN));
    let pieces = codes
        .chunks(PIECE)
        .zip(first.pieces(PIECE))
        .zip(last.pieces(PIECE))
        .zip(recency.pieces(PIECE))
        .zip(tenure.pieces(PIECE))
        .zip(orders.pieces(PIECE))
        .zip(floats.pieces(PIECE))
        .zip(integers.pieces(PIECE))
        .zip(decimals.pieces(PIECE))
        .zip(mean.pieces(PIECE));
    let pieces: Vec<Piece<'_>> = pieces
        .map(|(((((((((codes, first), last), recency), tenure), orders), floats), integers), decimals), mean)| Piece {
            codes,
            first,
            last,
            recency,
            tenure,
            orders,
            floats,
            integers,
            decimals,
            mean,
        })
        .collect();
    threads.if_large(rows).par_tasks(pieces, |piece| fill_piece::<U>(totals, piece, as_of, money.map_or(0, decimal_places)));
    // SAFETY: the pieces of each wanted column are split like the codes and cover all rows, and `fill_piece` writes every row of
    // a piece that is not empty.
    unsafe {
        RfmColumns {
            first: first.filled(),
            last: last.filled(),
            recency: recency.filled(),
            tenure: tenure.filled(),
            orders: orders.filled(),
            total: match money {
                Some(Money::Float { .. }) => floats.filled().map(TotalColumn::Floats),
                Some(Money::Integer) => integers.filled().map(TotalColumn::Integers),
                Some(Money::Decimal { .. }) => decimals.filled().map(TotalColumn::Decimals),
                None => None,
            },
            mean: mean.filled(),
        }
    }
}

fn decimal_places(money: Money) -> i32 {
    match money {
        Money::Float { decimals } => i32::from(decimals),
        Money::Integer => 0,
        Money::Decimal { scale } => i32::from(scale),
    }
}

/// Fills the rows of a piece, block by block.
fn fill_piece<U: Units>(totals: TotalsView<'_>, piece: Piece<'_>, as_of: i32, scale: i32) {
    let Piece { codes: all, first, last, recency, tenure, orders, floats, integers, decimals, mean } = piece;
    let mut block = Block { first: [0; ROWS], last: [0; ROWS], orders: [0; ROWS], units: [U::default(); ROWS] };
    let (mut values, mut means) = ([0.0; ROWS], [0.0; ROWS]);
    for start in (0..all.len()).step_by(ROWS) {
        let codes = &all[start..all.len().min(start + ROWS)];
        for (row, &code) in codes.iter().enumerate() {
            if let Some(&ahead) = all.get(start + row + AHEAD) {
                totals.prefetch(ahead);
            }
            let slot = totals.get(code);
            block.first[row] = slot.first;
            block.last[row] = slot.last;
            block.orders[row] = slot.orders as i64;
            block.units[row] = U::of(slot.units);
        }
        let (first_days, last_days) = (&block.first[..codes.len()], &block.last[..codes.len()]);
        let (counts, units) = (&block.orders[..codes.len()], &block.units[..codes.len()]);
        write(first, start, first_days, |day| day);
        write(last, start, last_days, |day| day);
        write(recency, start, last_days, |day| as_of - day);
        write(tenure, start, first_days, |day| as_of - day);
        write(orders, start, counts, |orders| orders);
        write(integers, start, units, |units| units.into() as i64);
        write(decimals, start, units, U::into);
        if !(floats.is_empty() && mean.is_empty()) {
            let (values, means) = (&mut values[..codes.len()], &mut means[..codes.len()]);
            U::floats(units, scale, values);
            write(floats, start, values, |total| total);
            means.iter_mut().zip(&*values).zip(counts).for_each(|((mean, total), &orders)| *mean = total / orders as f64);
            write(mean, start, means, |mean| mean);
        }
    }
}
