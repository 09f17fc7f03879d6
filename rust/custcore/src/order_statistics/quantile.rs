//! Quantile edges and binning by them, from exact order statistics without a full sort.
//!
//! Edge j of B bins is the type-7 quantile at j/B (Hyndman & Fan 1996; the default of R, numpy and pandas), rounded *down*
//! to the type of the values. The score of a value is 1 plus the number of edges strictly below it, so equal values get equal
//! scores. For the fitted values this is `max(1, ceil(B*L/(n-1)))`, with L the number of strictly smaller values.

use serde::{Deserialize, Serialize};

use super::rank::{Spread, select_all};
use crate::column::BLOCK;
pub(crate) use crate::column::number::Number;
use crate::column::number::{NumberColumn, NumberForm, Numbers};
use crate::exec::par::Threads;
use crate::exec::simd::widest;
use crate::num::exact::{between_f64, float_to_key, key_to_float};

/// Which end of an interval is included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// `(lower, upper]`.
    #[default]
    Right,
    /// `[lower, upper)`.
    Left,
}

/// Ascending edges between bins, in the type of the values they were computed from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinEdges {
    values: Numbers,
    closed: Closed,
}

impl BinEdges {
    /// The type-7 quantile edges of `bins` bins over the non-null rows; `None` if all rows are null.
    pub fn type7(column: &NumberColumn, bins: usize, threads: Threads<'_>) -> Option<Self> {
        Self::type7_of(column, bins, &Spread::of(column, threads)?, threads)
    }

    /// The same, given the spread of the column.
    pub(crate) fn type7_of(column: &NumberColumn, bins: usize, spread: &Spread, threads: Threads<'_>) -> Option<Self> {
        let n = column.valid_rows();
        let keys = |ranks: &[usize]| spread.key_statistics(column, ranks, threads);
        let values = match column.form() {
            NumberForm::Integers => Numbers::Integers(type7(n, bins, keys, between_i64)?),
            NumberForm::Decimals(scale) => {
                let values = column.valid_decimals()?;
                Numbers::Decimals(type7(n, bins, |ranks| select_all(values, ranks), between_i128)?, scale)
            }
            NumberForm::Floats => {
                let between = |low, high, r, bins| float_to_key(between_f64(key_to_float(low), key_to_float(high), r, bins));
                let edges = type7(n, bins, keys, between)?;
                Numbers::Floats(edges.into_iter().map(key_to_float).collect())
            }
        };
        Some(Self { values, closed: Closed::Right })
    }

    /// The edges of R's package rfm: type-7 quantiles in floats plus 1, left-closed. For parity only: adding 1 is
    /// meaningful only for integers.
    pub fn r_parity(column: &NumberColumn, bins: usize, threads: Threads<'_>) -> Option<Self> {
        let edges = Self::type7(&column.as_floats(), bins, threads)?.to_f64().into_iter().map(|edge| edge + 1.0).collect();
        Some(Self { values: Numbers::Floats(edges), closed: Closed::Left })
    }

    /// Explicit edges, ascending.
    pub fn explicit(values: Numbers, closed: Closed) -> Self {
        Self { values, closed }
    }

    /// Whether deserialized edges are valid: ascending and not NaN.
    pub fn is_sound(&self) -> bool {
        match &self.values {
            Numbers::Integers(v) => v.is_sorted(),
            Numbers::Decimals(v, _) => v.is_sorted(),
            Numbers::Floats(v) => v.is_sorted() && v.iter().all(|x| !x.is_nan()),
        }
    }

    /// Number of bins.
    pub fn bins(&self) -> usize {
        1 + match &self.values {
            Numbers::Integers(v) => v.len(),
            Numbers::Decimals(v, _) => v.len(),
            Numbers::Floats(v) => v.len(),
        }
    }

    /// Which end of a bin is included.
    pub fn closed(&self) -> Closed {
        self.closed
    }

    /// The edge between two bins, the first at 0, in the type of the values.
    pub fn edge(&self, at: usize) -> Option<Number> {
        match &self.values {
            Numbers::Integers(v) => v.get(at).map(|&x| Number::Integer(x)),
            Numbers::Decimals(v, scale) => v.get(at).map(|&x| Number::Decimal(x, *scale)),
            Numbers::Floats(v) => v.get(at).map(|&x| Number::Float(x)),
        }
    }

    /// The edges as floats.
    pub fn to_f64(&self) -> Vec<f64> {
        match &self.values {
            Numbers::Integers(v) => v.iter().map(|&x| x as f64).collect(),
            Numbers::Decimals(v, scale) => v.iter().map(|&x| Number::Decimal(x, *scale).to_f64()).collect(),
            Numbers::Floats(v) => v.clone(),
        }
    }

    /// The bin of every row, 1 to [`BinEdges::bins`]; 0 for null.
    pub fn bin_rows(&self, column: &NumberColumn, threads: Threads<'_>) -> Vec<u8> {
        let mut bins = vec![0; column.len()];
        // If values and edges have the same type, they are compared as integer keys, block by block.
        let keys: Option<Vec<i64>> = match (&self.values, column.form()) {
            (Numbers::Integers(edges), NumberForm::Integers) => Some(edges.clone()),
            (Numbers::Floats(edges), NumberForm::Floats) => Some(edges.iter().map(|&edge| float_to_key(edge)).collect()),
            _ => None,
        };
        let one_by_one = match (&self.values, column.form()) {
            (Numbers::Integers(_) | Numbers::Decimals(_, _), NumberForm::Floats) => {
                Self { values: Numbers::Floats(self.to_f64()), closed: self.closed }
            }
            _ => self.clone(),
        };
        threads.par_fill(&mut bins, |first, bins| {
            for (start, bins) in (first..).step_by(BLOCK).zip(bins.chunks_mut(BLOCK)) {
                if let Some(edges) = &keys {
                    let mut values = [0; BLOCK];
                    let values = column.keys(start, &mut values[..bins.len()]);
                    bin_keys(values, edges, self.closed, bins);
                } else {
                    for (row, bin) in (start..).zip(&mut *bins) {
                        *bin = column.get(row).map_or(0, |value| one_by_one.bin_one(value));
                    }
                }
                if let Some(nulls) = column.nulls() {
                    (start..).zip(bins).filter(|(row, _)| nulls.is_null(*row)).for_each(|(_, bin)| *bin = 0);
                }
            }
        });
        bins
    }

    /// The bin of one value.
    #[inline]
    pub fn bin_one(&self, value: Number) -> u8 {
        match (&self.values, value) {
            (Numbers::Integers(edges), Number::Integer(value)) => bin(edges, value, self.closed),
            (Numbers::Floats(edges), value) => bin(edges, value.to_f64(), self.closed),
            (Numbers::Decimals(edges, own), Number::Decimal(value, other)) if *own == other => bin(edges, value, self.closed),
            (_, Number::Float(value)) => bin(&self.to_f64(), value, self.closed),
            (edges, value) => {
                let before = |edge: Number| match self.closed {
                    Closed::Right => edge.compare(value).is_lt(),
                    Closed::Left => edge.compare(value).is_le(),
                };
                1 + match edges {
                    Numbers::Integers(edges) => edges.partition_point(|&edge| before(Number::Integer(edge))),
                    Numbers::Decimals(edges, scale) => edges.partition_point(|&edge| before(Number::Decimal(edge, *scale))),
                    Numbers::Floats(edges) => edges.partition_point(|&edge| before(Number::Float(edge))),
                } as u8
            }
        }
    }
}

#[inline]
fn bin<T: PartialOrd + Copy>(edges: &[T], value: T, closed: Closed) -> u8 {
    1 + match closed {
        Closed::Right => edges.partition_point(|&edge| edge < value),
        Closed::Left => edges.partition_point(|&edge| edge <= value),
    } as u8
}

/// The bins of a block of keys. For few edges a linear count is faster than bisection, because it is branchless.
fn bin_keys(values: &[i64], edges: &[i64], closed: Closed, bins: &mut [u8]) {
    match (closed, edges.len()) {
        (Closed::Right, ..=16) => count_below(values, edges, bins),
        (Closed::Left, ..=16) => count_at_most(values, edges, bins),
        _ => bins.iter_mut().zip(values).for_each(|(slot, &value)| *slot = bin(edges, value, closed)),
    }
}

/// Number of values compared with an edge at a time; they stay in registers across edges.
const LANES: usize = 32;

widest! {
    fn count_below(values: &[i64], edges: &[i64], bins: &mut [u8]) {
        count_edges(values, edges, bins, |edge, value| edge < value);
    }
}

widest! {
    fn count_at_most(values: &[i64], edges: &[i64], bins: &mut [u8]) {
        count_edges(values, edges, bins, |edge, value| edge <= value);
    }
}

/// Sets each bin to 1 plus the number of edges that its value has passed.
#[expect(clippy::inline_always, reason = "must be inlined into its callers, which are compiled for several target features")]
#[inline(always)]
fn count_edges(values: &[i64], edges: &[i64], bins: &mut [u8], passed: impl Fn(i64, i64) -> bool) {
    let (whole, rest) = values.as_chunks::<LANES>();
    let (whole_bins, rest_bins) = bins.split_at_mut(whole.len() * LANES);
    for (values, bins) in whole.iter().zip(whole_bins.as_chunks_mut::<LANES>().0) {
        let mut counts = [1_i64; LANES];
        for &edge in edges {
            for (count, &value) in counts.iter_mut().zip(values) {
                *count += i64::from(passed(edge, value));
            }
        }
        for (bin, count) in bins.iter_mut().zip(counts) {
            *bin = count as u8;
        }
    }
    for (bin, &value) in rest_bins.iter_mut().zip(rest) {
        *bin = 1 + edges.iter().map(|&edge| u8::from(passed(edge, value))).sum::<u8>();
    }
}

/// Edges 1 to bins-1 of `n` values. `statistics` returns the order statistics of the given ranks; `between(low, high, r, bins)`
/// is `low + r/bins * (high - low)` rounded down.
fn type7<T: Copy>(
    n: usize,
    bins: usize,
    statistics: impl FnOnce(&[usize]) -> Vec<T>,
    between: impl Fn(T, T, usize, usize) -> T,
) -> Option<Vec<T>> {
    let last = n.checked_sub(1)?;
    // The position (n-1)*j/B is split into integer part and remainder with integer arithmetic.
    let position = |j: usize| ((last as u128 * j as u128 / bins as u128) as usize, (last as u128 * j as u128 % bins as u128) as usize);
    let mut ranks: Vec<usize> = (1..bins).flat_map(|j| [position(j).0, (position(j).0 + 1).min(last)]).collect();
    ranks.sort_unstable();
    ranks.dedup();
    let found = statistics(&ranks);
    let at = |rank: usize| found[ranks.partition_point(|&r| r < rank)];
    let edges = (1..bins).map(|j| match position(j) {
        (low, 0) => at(low),
        (low, r) => between(at(low), at(low + 1), r, bins),
    });
    Some(edges.collect())
}

fn between_i64(low: i64, high: i64, r: usize, bins: usize) -> i64 {
    let step = (i128::from(high) - i128::from(low)) * r as i128 / bins as i128;
    (i128::from(low) + step) as i64
}

fn between_i128(low: i128, high: i128, r: usize, bins: usize) -> i128 {
    // The difference of two i128 fits a u128. Dividing before multiplying avoids overflow.
    let (difference, r, bins) = (high.wrapping_sub(low) as u128, r as u128, bins as u128);
    let step = difference / bins * r + difference % bins * r / bins;
    low.wrapping_add(step as i128)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: Numbers) -> NumberColumn {
        NumberColumn::from_numbers(values)
    }

    #[test]
    fn scores_match_the_integer_formula() {
        let values: Vec<i64> = vec![5, 1, 1, 9, 3, 3, 3, 7, 12, 4, 4, 100];
        for bins in 2..=12 {
            let column = column(Numbers::Integers(values.clone()));
            let got = BinEdges::type7(&column, bins, Threads::inline()).map(|edges| edges.bin_rows(&column, Threads::inline()));
            let want: Vec<u8> =
                values.iter().map(|v| (bins * values.iter().filter(|w| *w < v).count()).div_ceil(values.len() - 1).max(1) as u8).collect();
            assert_eq!(got, Some(want), "{bins} bins");
        }
    }

    #[test]
    fn edges_of_integers_and_decimals_are_floored() {
        assert_eq!(between_i64(-3, 0, 1, 2), -2);
        assert_eq!(between_i128(i128::MIN, i128::MAX, 1, 2), -1);
        assert_eq!(between_i64(0, 10, 3, 4), 7);
    }
}
