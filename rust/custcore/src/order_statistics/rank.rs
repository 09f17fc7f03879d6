//! Order statistics: the values at given ranks of a column, by radix counting instead of sorting.
//!
//! Integers and floats are mapped to order-preserving integer keys, block by block. The keys are counted by their leading
//! bits, and only the buckets that contain a requested rank are selected from; for keys of narrow range the counts suffice.

use crate::column::BLOCK;
use crate::column::number::{Number, NumberColumn, NumberForm};
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};
use crate::exec::simd::widest;
use crate::num::exact::{float_to_key, key_to_float};

/// Number of leading bits that select a bucket.
const BUCKET_BITS: u32 = 14;

/// The minimum and maximum; `None` if all rows are null.
pub(crate) fn range(column: &NumberColumn, threads: Threads<'_>) -> Option<(Number, Number)> {
    match column.form() {
        NumberForm::Decimals(scale) => {
            let values = column.valid_decimals()?;
            let number = |value: &i128| Number::Decimal(*value, scale);
            values.iter().min().map(number).zip(values.iter().max().map(number))
        }
        form => {
            let number = |key: i64| if form == NumberForm::Floats { Number::Float(key_to_float(key)) } else { Number::Integer(key) };
            key_range(column, threads).map(|(low, high)| (number(low), number(high)))
        }
    }
}

/// The key of an integer or float. Decimals have no keys.
pub(crate) fn key_of(number: Number) -> i64 {
    match number {
        Number::Integer(value) => value,
        Number::Float(value) => float_to_key(value),
        Number::Decimal(_, _) => 0,
    }
}

/// The values at the given ranks (ascending, distinct) of `values`.
pub(crate) fn select_all<T: Ord + Copy>(mut values: Vec<T>, ranks: &[usize]) -> Vec<T> {
    select(&mut values, ranks, 0);
    ranks.iter().map(|&rank| values[rank]).collect()
}

/// The keys (see [`NumberColumn::read_keys`]) at the given ranks (ascending, distinct) of the non-null rows. All keys must be
/// in the range `least` to `most`.
pub(crate) fn key_statistics(column: &NumberColumn, (least, most): (i64, i64), ranks: &[usize], threads: Threads<'_>) -> Vec<i64> {
    let rows = column.len();
    if rows < ROWS_WORTH_THREADS {
        let mut keys = Vec::with_capacity(column.valid_rows());
        each_block(column, 0..rows, |block| keys.extend_from_slice(block));
        return select_all(keys, ranks);
    }
    let shift = (64 - most.abs_diff(least).leading_zeros()).saturating_sub(BUCKET_BITS);
    let bucket = |key: i64| (key.wrapping_sub(least) as u64 >> shift) as usize;
    let buckets = bucket(most) + 1;
    let counts = threads.par_chunks(rows, |run| {
        let mut counts = vec![0_u32; buckets];
        each_block(column, run, |keys| keys.iter().for_each(|&key| counts[bucket(key)] += 1));
        counts
    });
    let mut ends = vec![0_usize; buckets];
    for counts in counts {
        ends.iter_mut().zip(counts).for_each(|(end, count)| *end += count as usize);
    }
    let mut sum = 0;
    for end in &mut ends {
        sum += *end;
        *end = sum;
    }
    let bucket_of = |rank: usize| ends.partition_point(|&end| end <= rank);
    if shift == 0 {
        return ranks.iter().map(|&rank| least.wrapping_add(bucket_of(rank) as i64)).collect();
    }
    // Only buckets that contain a rank are collected.
    let mut wanted: Vec<usize> = ranks.iter().map(|&rank| bucket_of(rank)).collect();
    wanted.dedup();
    let mut slot = vec![u8::MAX; buckets];
    wanted.iter().zip(0..).for_each(|(&bucket, i)| slot[bucket] = i);
    let mut members: Vec<Vec<i64>> = vec![Vec::new(); wanted.len()];
    let found = threads.par_chunks(rows, |run| {
        let mut found: Vec<i64> = Vec::new();
        each_block(column, run, |keys| found.extend(keys.iter().filter(|key| slot[bucket(**key)] != u8::MAX)));
        found
    });
    found.into_iter().flatten().for_each(|key| members[usize::from(slot[bucket(key)])].push(key));
    let mut values = Vec::with_capacity(ranks.len());
    for (&bucket, members) in wanted.iter().zip(members) {
        let first = if bucket == 0 { 0 } else { ends[bucket - 1] };
        let inside: Vec<usize> = ranks.iter().filter(|&&rank| (first..ends[bucket]).contains(&rank)).map(|rank| rank - first).collect();
        values.extend(select_all(members, &inside));
    }
    values
}

/// Calls `work` with the keys of the non-null rows of a run, block by block.
fn each_block(column: &NumberColumn, run: std::ops::Range<usize>, mut work: impl FnMut(&[i64])) {
    let mut keys = [0; BLOCK];
    for start in run.clone().step_by(BLOCK) {
        let keys = &mut keys[..BLOCK.min(run.end - start)];
        column.read_keys(start, keys);
        let mut valid = keys.len();
        if let Some(nulls) = column.nulls() {
            valid = 0;
            for row in 0..keys.len() {
                if nulls.is_valid(start + row) {
                    keys[valid] = keys[row];
                    valid += 1;
                }
            }
        }
        work(&keys[..valid]);
    }
}

/// The minimum and maximum key; `None` if all rows are null.
pub(crate) fn key_range(column: &NumberColumn, threads: Threads<'_>) -> Option<(i64, i64)> {
    let ends = threads.par_chunks(column.len(), |run| {
        let mut ends = (i64::MAX, i64::MIN);
        each_block(column, run, |keys| {
            let (low, high) = block_range(keys);
            ends = (ends.0.min(low), ends.1.max(high));
        });
        ends
    });
    let (low, high) = ends.into_iter().fold((i64::MAX, i64::MIN), |(low, high), (a, b)| (low.min(a), high.max(b)));
    (low <= high).then_some((low, high))
}

widest! {
    fn block_range(keys: &[i64]) -> (i64, i64) {
        keys.iter().fold((i64::MAX, i64::MIN), |(low, high), &key| (low.min(key), high.max(key)))
    }
}

/// Multi-quickselect: moves the values at the given ranks (ascending, offset by `base`) to their sorted positions.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::number::Numbers;

    #[test]
    fn key_statistics_match_sorting() {
        for spread in [1_i64, 100, 1 << 40, i64::MAX / 100_003] {
            let values: Vec<i64> = (0..100_003_i64).map(|i| (i * 7_919 % 100_003 - 50_000).wrapping_mul(spread)).collect();
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let ranks = [0, 1, 20_000, 20_001, 50_001, 99_999, 100_002];
            let column = NumberColumn::from_numbers(Numbers::Integers(values));
            let ends = (sorted[0], sorted[sorted.len() - 1]);
            assert_eq!(key_statistics(&column, ends, &ranks, Threads::inline()), ranks.map(|rank| sorted[rank]));
        }
    }

    #[test]
    fn floats_are_ranked_as_floats() {
        let floats: Vec<f64> = (0..90_001_i64).map(|i| (i * 7_919 % 90_001 - 45_000) as f64 * 1e-3).collect();
        let column = NumberColumn::from_numbers(Numbers::Floats(floats));
        let ends = key_range(&column, Threads::inline()).unwrap_or_default();
        let found: Vec<f64> =
            key_statistics(&column, ends, &[0, 45_000, 90_000], Threads::inline()).into_iter().map(key_to_float).collect();
        assert_eq!(found, [-45.0, 0.0, 45.0]);
        assert_eq!(range(&column, Threads::inline()), Some((Number::Float(-45.0), Number::Float(45.0))));
    }
}
