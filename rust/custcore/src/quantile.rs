//! Quantile edges and the scores they give: exact order statistics, no sort of all values.
//!
//! Edge j of B bins is the type-7 quantile at j/B (Hyndman & Fan 1996; the default of R, numpy and pandas), rounded *down*
//! to the type of the values. A value's score is 1 plus the number of edges strictly below it, so equal values get equal
//! scores, and on the fitted values this is `max(1, ceil(B*L/(n-1)))` with L the number of strictly smaller values.

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

pub use crate::column::number::Number;
use crate::column::number::{NumberColumn, Numbers};
use crate::exact::{between_f64, float_to_key, key_to_float};

/// Which side of an interval belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Closed {
    /// `(lower, upper]`.
    #[default]
    Right,
    /// `[lower, upper)`.
    Left,
}

/// Ascending edges between bins, in the type of the values they were computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Edges {
    values: Numbers,
    closed: Closed,
}

impl Edges {
    /// The type-7 quantile edges of `bins` bins over the rows that are not null; `None` when there are none.
    pub fn type7(column: &NumberColumn, bins: usize) -> Option<Self> {
        let values = match &column.values {
            Numbers::Integers(values) => Numbers::Integers(type7(valid(values, column), bins, between_i64)?),
            Numbers::Decimals(values, scale) => Numbers::Decimals(type7(valid(values, column), bins, between_i128)?, *scale),
            Numbers::Floats(values) => {
                let keys = valid(values, column).into_iter().map(float_to_key).collect();
                let between = |low, high, r, bins| float_to_key(between_f64(key_to_float(low), key_to_float(high), r, bins));
                Numbers::Floats(type7(keys, bins, between)?.into_iter().map(key_to_float).collect())
            }
        };
        Some(Self { values, closed: Closed::Right })
    }

    /// The edges of R's package rfm: type-7 quantiles in floats plus 1, left-closed. For parity only: adding 1 makes
    /// sense for whole numbers alone.
    pub fn r_parity(column: &NumberColumn, bins: usize) -> Option<Self> {
        let floats = NumberColumn { values: Numbers::Floats(column.to_f64()), nulls: column.nulls.clone() };
        let edges = Self::type7(&floats, bins)?.to_f64().into_iter().map(|edge| edge + 1.0).collect();
        Some(Self { values: Numbers::Floats(edges), closed: Closed::Left })
    }

    /// Edges as they stand, ascending.
    pub fn explicit(values: Numbers, closed: Closed) -> Self {
        Self { values, closed }
    }

    /// Number of bins.
    pub fn bins(&self) -> usize {
        1 + match &self.values {
            Numbers::Integers(v) => v.len(),
            Numbers::Decimals(v, _) => v.len(),
            Numbers::Floats(v) => v.len(),
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

    /// The bin of every row, 1 to [`Edges::bins`]; 0 where the row is null.
    pub fn bin_rows(&self, column: &NumberColumn) -> Vec<u8> {
        let closed = self.closed;
        let mut bins = match (&self.values, &column.values) {
            (Numbers::Integers(edges), Numbers::Integers(values)) => bin_all(values, |v| *v, edges, closed),
            (Numbers::Decimals(edges, own), Numbers::Decimals(values, other)) if own == other => bin_all(values, |v| *v, edges, closed),
            (Numbers::Floats(edges), Numbers::Floats(values)) => bin_all(values, |v| *v, edges, closed),
            // Whole numbers and decimals of another scale are compared exactly, floats with others as floats.
            (Numbers::Integers(_) | Numbers::Decimals(_, _), Numbers::Integers(_) | Numbers::Decimals(_, _)) => {
                (0..column.len()).map(|row| column.get(row).map_or(0, |value| self.bin_one(value))).collect()
            }
            (_, values) => {
                let edges = self.to_f64();
                match values {
                    Numbers::Integers(values) => bin_all(values, |v| *v as f64, &edges, closed),
                    Numbers::Decimals(values, scale) => bin_all(values, |v| Number::Decimal(*v, *scale).to_f64(), &edges, closed),
                    Numbers::Floats(values) => bin_all(values, |v| *v, &edges, closed),
                }
            }
        };
        if let Some(nulls) = &column.nulls {
            for (row, bin) in bins.iter_mut().enumerate() {
                if nulls.is_null(row) {
                    *bin = 0;
                }
            }
        }
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

/// Rows that one task bins at a time.
const ROWS: usize = 1 << 14;

fn bin_all<V: Sync, T: PartialOrd + Copy + Send + Sync>(
    values: &[V],
    read: impl Fn(&V) -> T + Sync,
    edges: &[T],
    closed: Closed,
) -> Vec<u8> {
    let mut out = vec![0; values.len()];
    let fill = |out: &mut [u8], values: &[V]| {
        for (slot, value) in out.iter_mut().zip(values) {
            let value = read(value);
            // Counting all edges has no branch to mispredict and beats bisection while they are few.
            *slot = if edges.len() <= 16 {
                1 + match closed {
                    Closed::Right => edges.iter().map(|&edge| u8::from(edge < value)).sum::<u8>(),
                    Closed::Left => edges.iter().map(|&edge| u8::from(edge <= value)).sum::<u8>(),
                }
            } else {
                bin(edges, value, closed)
            };
        }
    };
    if values.len() < 4 * ROWS {
        fill(&mut out, values);
    } else {
        out.par_chunks_mut(ROWS).zip(values.par_chunks(ROWS)).for_each(|(out, values)| fill(out, values));
    }
    out
}

fn valid<T: Copy>(values: &[T], column: &NumberColumn) -> Vec<T> {
    match &column.nulls {
        None => values.to_vec(),
        Some(nulls) => values.iter().enumerate().filter(|(row, _)| nulls.is_valid(*row)).map(|(_, &value)| value).collect(),
    }
}

/// Edges 1 to bins-1. `between(low, high, r, bins)` is `low + r/bins * (high - low)` rounded down.
fn type7<T: Ranked>(values: Vec<T>, bins: usize, between: impl Fn(T, T, usize, usize) -> T) -> Option<Vec<T>> {
    let last = values.len().checked_sub(1)?;
    // The position (n-1)*j/B is split into whole part and remainder in integers.
    let position = |j: usize| ((last as u128 * j as u128 / bins as u128) as usize, (last as u128 * j as u128 % bins as u128) as usize);
    let mut ranks: Vec<usize> = (1..bins).flat_map(|j| [position(j).0, (position(j).0 + 1).min(last)]).collect();
    ranks.sort_unstable();
    ranks.dedup();
    let found = order_statistics(values, &ranks);
    let at = |rank: usize| found[ranks.partition_point(|&r| r < rank)];
    let edges = (1..bins).map(|j| match position(j) {
        (low, 0) => at(low),
        (low, r) => between(at(low), at(low + 1), r, bins),
    });
    Some(edges.collect())
}

/// Values that can be put into buckets by a part of their bits.
trait Ranked: Copy + Ord {
    /// The distance from the smallest value, where it is worth counting by it.
    fn distance(self, least: Self) -> Option<u64>;
}

impl Ranked for i64 {
    fn distance(self, least: Self) -> Option<u64> {
        Some(self.abs_diff(least))
    }
}

impl Ranked for i128 {
    fn distance(self, _: Self) -> Option<u64> {
        None
    }
}

/// Buckets that values are counted in.
const BUCKET_BITS: u32 = 14;

/// The values of the given ranks (ascending, each once): counted by their leading bits, and then selected in the few
/// buckets that hold a rank. Fewer values are selected at once.
fn order_statistics<T: Ranked>(mut values: Vec<T>, ranks: &[usize]) -> Vec<T> {
    let ends = values.iter().min().copied().zip(values.iter().max().copied());
    let range = ends.and_then(|(least, most)| Some((least, most.distance(least)?)));
    let Some((least, range)) = range.filter(|_| values.len() > 1 << 16) else {
        select(&mut values, ranks, 0);
        return ranks.iter().map(|&rank| values[rank]).collect();
    };
    let shift = (64 - range.leading_zeros()).saturating_sub(BUCKET_BITS);
    let bucket = |value: T| (value.distance(least).unwrap_or(0) >> shift) as usize;
    let mut ends = vec![0_usize; (range >> shift) as usize + 1];
    for &value in &values {
        ends[bucket(value)] += 1;
    }
    let mut sum = 0;
    for end in &mut ends {
        sum += *end;
        *end = sum;
    }
    // Buckets that hold a rank, each with its first rank.
    let mut wanted: Vec<usize> = ranks.iter().map(|&rank| ends.partition_point(|&end| end <= rank)).collect();
    wanted.dedup();
    let mut place = vec![usize::MAX; ends.len()];
    for (i, &bucket) in wanted.iter().enumerate() {
        place[bucket] = i;
    }
    let mut members: Vec<Vec<T>> = wanted.iter().map(|_| Vec::new()).collect();
    for value in values {
        if let Some(members) = members.get_mut(place[bucket(value)]) {
            members.push(value);
        }
    }
    let mut found = Vec::with_capacity(ranks.len());
    for (&bucket, members) in wanted.iter().zip(&mut members) {
        let first = if bucket == 0 { 0 } else { ends[bucket - 1] };
        let inside: Vec<usize> = ranks.iter().filter(|&&rank| (first..ends[bucket]).contains(&rank)).map(|rank| rank - first).collect();
        if shift > 0 {
            select(members, &inside, 0);
        }
        found.extend(inside.iter().map(|&rank| members[rank]));
    }
    found
}

/// Puts the values of the given ranks (ascending, counted from `base`) in their sorted places.
fn select<T: Ord>(values: &mut [T], ranks: &[usize], base: usize) {
    if ranks.is_empty() || values.len() < 2 {
        return;
    }
    let middle = ranks.len() / 2;
    let rank = ranks[middle];
    let (below, _, above) = values.select_nth_unstable(rank - base);
    select(below, &ranks[..middle], base);
    select(above, &ranks[middle + 1..], rank + 1);
}

fn between_i64(low: i64, high: i64, r: usize, bins: usize) -> i64 {
    let step = (i128::from(high) - i128::from(low)) * r as i128 / bins as i128;
    (i128::from(low) + step) as i64
}

fn between_i128(low: i128, high: i128, r: usize, bins: usize) -> i128 {
    // The difference of two i128 fits a u128; it is divided first, so that nothing overflows.
    let (difference, r, bins) = (high.wrapping_sub(low) as u128, r as u128, bins as u128);
    let step = difference / bins * r + difference % bins * r / bins;
    low.wrapping_add(step as i128)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: Numbers) -> NumberColumn {
        NumberColumn { values, nulls: None }
    }

    #[test]
    fn scores_are_the_integer_form() {
        let values: Vec<i64> = vec![5, 1, 1, 9, 3, 3, 3, 7, 12, 4, 4, 100];
        for bins in 2..=12 {
            let column = column(Numbers::Integers(values.clone()));
            let got = Edges::type7(&column, bins).map(|edges| edges.bin_rows(&column));
            let want: Vec<u8> =
                values.iter().map(|v| (bins * values.iter().filter(|w| *w < v).count()).div_ceil(values.len() - 1).max(1) as u8).collect();
            assert_eq!(got, Some(want), "{bins} bins");
        }
    }

    #[test]
    fn counting_finds_what_sorting_finds() {
        for spread in [1_i64, 100, 1 << 40, i64::MAX / 100_003] {
            let values: Vec<i64> = (0..100_003_i64).map(|i| (i * 7_919 % 100_003 - 50_000).wrapping_mul(spread)).collect();
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let ranks = [0, 1, 20_000, 20_001, 50_001, 99_999, 100_002];
            assert_eq!(order_statistics(values, &ranks), ranks.map(|rank| sorted[rank]));
        }
    }

    #[test]
    fn edges_of_integers_and_decimals_are_floored() {
        assert_eq!(between_i64(-3, 0, 1, 2), -2);
        assert_eq!(between_i128(i128::MIN, i128::MAX, 1, 2), -1);
        assert_eq!(between_i64(0, 10, 3, 4), 7);
    }
}
