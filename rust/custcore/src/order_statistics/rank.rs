//! Order statistics: the values at given ranks of a column, by radix counting instead of sorting.
//!
//! Integers and floats are mapped to order-preserving integer keys, block by block. The keys are counted by their leading
//! bits, and only the buckets that contain a requested rank are selected from; for keys of narrow range the counts suffice.

use crate::column::BLOCK;
use crate::column::number::{Number, NumberColumn, NumberForm};
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};
use crate::exec::simd::widest;
use crate::num::exact::key_to_float;

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
        form => key_range(column, threads).map(|(low, high)| (number_of(low, form), number_of(high, form))),
    }
}

/// The values at the given ranks (ascending, distinct) of `values`.
pub(crate) fn select_all<T: Ord + Copy>(mut values: Vec<T>, ranks: &[usize]) -> Vec<T> {
    select(&mut values, ranks, 0);
    ranks.iter().map(|&rank| values[rank]).collect()
}

/// The minimum and the maximum of a column and, of a large one, how many values are in each of many buckets.
#[derive(Debug)]
pub(crate) struct Spread {
    ends: (Number, Number),
    counts: Option<KeyCounts>,
}

/// The number of keys in each bucket.
#[derive(Debug)]
struct KeyCounts {
    ends: (i64, i64),
    buckets: Buckets,
    /// Keys up to the end of each bucket.
    up_to: Vec<usize>,
}

/// Ranges of keys with the same leading bits.
#[derive(Debug, Clone, Copy)]
struct Buckets {
    first: i64,
    shift: u32,
    number: usize,
}

impl Spread {
    /// Of a column; `None` if all rows are null.
    pub(crate) fn of(column: &NumberColumn, threads: Threads<'_>) -> Option<Self> {
        let form = column.form();
        if column.len() < ROWS_WORTH_THREADS || matches!(form, NumberForm::Decimals(_)) {
            return range(column, threads).map(|ends| Self { ends, counts: None });
        }
        let counts = KeyCounts::of(column, threads)?;
        let ends = (number_of(counts.ends.0, form), number_of(counts.ends.1, form));
        Some(Self { ends, counts: Some(counts) })
    }

    /// The minimum and the maximum.
    pub(crate) fn ends(&self) -> (Number, Number) {
        self.ends
    }

    /// The keys (see [`NumberColumn::read_keys`]) at the given ranks (ascending, distinct) of the non-null rows of the column.
    pub(crate) fn key_statistics(&self, column: &NumberColumn, ranks: &[usize], threads: Threads<'_>) -> Vec<i64> {
        if let Some(counts) = &self.counts {
            return counts.statistics(column, ranks, threads);
        }
        let mut keys = Vec::with_capacity(column.valid_rows());
        each_block(column, 0..column.len(), |block| keys.extend_from_slice(block));
        select_all(keys, ranks)
    }
}

fn number_of(key: i64, form: NumberForm) -> Number {
    if form == NumberForm::Floats { Number::Float(key_to_float(key)) } else { Number::Integer(key) }
}

impl Buckets {
    /// Small integers one by one, and floats by their sign, exponent and four bits more: these need no range.
    fn usual(form: NumberForm) -> Self {
        match form {
            NumberForm::Floats => Self { first: i64::MIN >> 48, shift: 48, number: 1 << 16 },
            _ => Self { first: 0, shift: 0, number: 1 << BUCKET_BITS },
        }
    }

    /// Of keys in a range.
    fn within((least, most): (i64, i64)) -> Self {
        let shift = (64 - most.abs_diff(least).leading_zeros()).saturating_sub(BUCKET_BITS);
        let first = least >> shift;
        Self { first, shift, number: ((most >> shift) - first) as usize + 1 }
    }

    /// The bucket of a key; that after the last one for keys outside.
    #[inline]
    fn of(self, key: i64) -> usize {
        ((key >> self.shift).wrapping_sub(self.first) as u64).min(self.number as u64) as usize
    }
}

impl KeyCounts {
    /// Counts the keys; `None` if all rows are null.
    fn of(column: &NumberColumn, threads: Threads<'_>) -> Option<Self> {
        let found = Self::counted(column, Buckets::usual(column.form()), threads)?;
        let is_complete = found.up_to.last() == Some(&column.valid_rows());
        if is_complete { Some(found) } else { Self::counted(column, Buckets::within(found.ends), threads) }
    }

    /// Counts the keys by these buckets, without those outside.
    fn counted(column: &NumberColumn, buckets: Buckets, threads: Threads<'_>) -> Option<Self> {
        // A second table breaks the store-to-load dependency between equal neighbouring keys, which small integers have.
        let tables = if buckets.shift == 0 { 2 } else { 1 };
        // Each piece has a table of its own, which is zeroed and summed up: few pieces.
        let (rows, size) = (column.len(), column.len().div_ceil(2 * threads.count()).max(ROWS_WORTH_THREADS));
        let pieces = (0..rows).step_by(size).map(|start| start..rows.min(start + size));
        let runs = threads.if_large(rows).par_tasks(pieces, |run| {
            let (mut ends, mut counts) = ((i64::MAX, i64::MIN), vec![0_u32; tables * (buckets.number + 1)]);
            let (even, odd) = counts.split_at_mut((tables - 1) * (buckets.number + 1));
            each_block(column, run, |keys| {
                let (low, high) = block_range(keys);
                ends = (ends.0.min(low), ends.1.max(high));
                let (pairs, rest) = keys.as_chunks::<2>();
                if even.is_empty() {
                    keys.iter().for_each(|&key| odd[buckets.of(key)] += 1);
                    return;
                }
                for &[a, b] in pairs {
                    even[buckets.of(a)] += 1;
                    odd[buckets.of(b)] += 1;
                }
                rest.iter().for_each(|&key| odd[buckets.of(key)] += 1);
            });
            (ends, counts)
        });
        let (mut ends, mut up_to) = ((i64::MAX, i64::MIN), vec![0_usize; buckets.number]);
        for ((low, high), counts) in runs.into_iter().filter(|(ends, _)| ends.0 <= ends.1) {
            ends = (ends.0.min(low), ends.1.max(high));
            // Only buckets in the range of the run have keys.
            let used = buckets.of(low)..(buckets.of(high) + 1).min(buckets.number);
            for counts in counts.chunks(buckets.number + 1).filter(|_| used.start < used.end) {
                up_to[used.clone()].iter_mut().zip(&counts[used.clone()]).for_each(|(sum, &count)| *sum += count as usize);
            }
        }
        let mut sum = 0;
        for up_to in &mut up_to {
            sum += *up_to;
            *up_to = sum;
        }
        (ends.0 <= ends.1).then_some(Self { ends, buckets, up_to })
    }

    /// The keys at these ranks.
    fn statistics(&self, column: &NumberColumn, ranks: &[usize], threads: Threads<'_>) -> Vec<i64> {
        let (buckets, up_to) = (self.buckets, &self.up_to);
        let bucket_of = |rank: usize| up_to.partition_point(|&end| end <= rank);
        if buckets.shift == 0 {
            return ranks.iter().map(|&rank| buckets.first.wrapping_add(bucket_of(rank) as i64)).collect();
        }
        // Only buckets that contain a rank are collected.
        let mut wanted: Vec<usize> = ranks.iter().map(|&rank| bucket_of(rank)).collect();
        wanted.dedup();
        let first = |bucket: usize| if bucket == 0 { 0 } else { up_to[bucket - 1] };
        let collected: usize = wanted.iter().map(|&bucket| up_to[bucket] - first(bucket)).sum();
        // Values that are close together are told apart by narrower buckets.
        if collected > column.len() / 8
            && Buckets::within(self.ends).shift < buckets.shift
            && let Some(narrow) = Self::counted(column, Buckets::within(self.ends), threads)
        {
            return narrow.statistics(column, ranks, threads);
        }
        let mut slot = vec![u8::MAX; buckets.number + 1];
        wanted.iter().zip(0..).for_each(|(&bucket, i)| slot[bucket] = i);
        let found = threads.par_chunks(column.len(), |run| {
            let (mut found, mut kept): (Vec<i64>, _) = (Vec::new(), [0; BLOCK]);
            each_block(column, run, |keys| {
                // Without a branch: each key is written, and the next one overwrites it unless it is kept.
                let mut n = 0;
                for &key in keys {
                    kept[n] = key;
                    n += usize::from(slot[buckets.of(key)] != u8::MAX);
                }
                found.extend_from_slice(&kept[..n]);
            });
            found
        });
        let mut members: Vec<Vec<i64>> = vec![Vec::new(); wanted.len()];
        found.into_iter().flatten().for_each(|key| members[usize::from(slot[buckets.of(key)])].push(key));
        let mut values = Vec::with_capacity(ranks.len());
        for (&bucket, members) in wanted.iter().zip(members) {
            let own = first(bucket)..up_to[bucket];
            let inside: Vec<usize> = ranks.iter().filter(|rank| own.contains(rank)).map(|rank| rank - own.start).collect();
            values.extend(select_all(members, &inside));
        }
        values
    }
}

/// Calls `work` with the keys of the non-null rows of a run, block by block.
fn each_block(column: &NumberColumn, run: std::ops::Range<usize>, mut work: impl FnMut(&[i64])) {
    let mut keys = [0; BLOCK];
    for start in run.clone().step_by(BLOCK) {
        let keys = &mut keys[..BLOCK.min(run.end - start)];
        let Some(nulls) = column.nulls() else {
            work(column.keys(start, keys));
            continue;
        };
        column.read_keys(start, keys);
        let mut valid = 0;
        for row in 0..keys.len() {
            if nulls.is_valid(start + row) {
                keys[valid] = keys[row];
                valid += 1;
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
            let spread = Spread::of(&column, Threads::inline());
            assert_eq!(spread.as_ref().map(Spread::ends), Some((Number::Integer(sorted[0]), Number::Integer(sorted[sorted.len() - 1]))));
            let found = spread.map(|spread| spread.key_statistics(&column, &ranks, Threads::inline()));
            assert_eq!(found, Some(ranks.map(|rank| sorted[rank]).to_vec()));
        }
    }

    #[test]
    fn floats_are_ranked_as_floats() {
        // Of many magnitudes, close together, and small.
        for (scale, start) in [(1e-3, 0.0), (1e-12, 1.0), (1e-300, 0.0)] {
            let floats: Vec<f64> = (0..90_001_i64).map(|i| start + (i * 7_919 % 90_001 - 45_000) as f64 * scale).collect();
            let mut sorted = floats.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            let column = NumberColumn::from_numbers(Numbers::Floats(floats));
            let found = Spread::of(&column, Threads::inline()).map(|spread| {
                let keys = spread.key_statistics(&column, &[0, 45_000, 90_000], Threads::inline());
                (spread.ends(), keys.into_iter().map(key_to_float).collect::<Vec<_>>())
            });
            let ends = (Number::Float(sorted[0]), Number::Float(sorted[90_000]));
            assert_eq!(found, Some((ends, vec![sorted[0], sorted[45_000], sorted[90_000]])));
            assert_eq!(range(&column, Threads::inline()), Some(ends));
        }
    }

    #[test]
    fn small_and_large_integers_are_counted() {
        // Up to the last small integer, beyond it by one value, and negative.
        let last = (1 << BUCKET_BITS) - 1;
        for offset in [0, 1, -1_000, i64::MAX - last] {
            let values: Vec<i64> = (0..70_000).map(|i| i * 31 % (last + 1) + offset).collect();
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let column = NumberColumn::from_numbers(Numbers::Integers(values));
            let found = Spread::of(&column, Threads::inline())
                .map(|spread| spread.key_statistics(&column, &[0, 34_999, 69_999], Threads::inline()));
            assert_eq!(found, Some(vec![sorted[0], sorted[34_999], sorted[69_999]]), "{offset}");
        }
    }
}
