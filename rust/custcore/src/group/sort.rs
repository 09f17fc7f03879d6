//! Sorting by normalized keys: one distribution pass into buckets, then a comparison sort of each bucket.
//!
//! The normalized sort key of an id is a 64-bit number that compares as the id does. For integers it is the id with the sign
//! bit flipped. For byte strings it consists of the bits that vary in their 16-byte prefixes (of UUIDs only, in their values);
//! common bits decide nothing: ids such as C000123456 vary in two dozen bits only.

use std::cmp::Ordering;

use super::arena::PrefixOrder;
use super::keys::Keys;
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};

/// The normalized sort key of an id, and its code.
pub(crate) type SortKey = (u64, u32);

/// The normalization: how ids map to sort keys.
#[derive(Debug)]
pub(crate) struct SortKeys {
    /// Runs of varying bits in the prefixes: first bit in the prefix, first bit in the sort key, and mask of the run's length.
    runs: Vec<(u32, u32, u64)>,
    /// What the prefixes are.
    prefixes: PrefixOrder,
    /// Whether equal sort keys mean equal ids.
    exact: bool,
}

impl SortKeys {
    /// The normalization for all these parts, which are of one kind: sort keys of different parts compare.
    pub(crate) fn of(parts: &[&Keys], threads: Threads<'_>) -> Self {
        let arenas = parts.iter().filter_map(|keys| if let Keys::Bytes(arena) = keys { Some(arena) } else { None });
        let prefixes = PrefixOrder::of(arenas);
        let (mut all, mut any, mut exact) = (u128::MAX, 0, prefixes.exact);
        for keys in parts {
            if let Keys::Bytes(arena) = keys {
                let bits = threads.par_chunks(arena.len(), |run| {
                    let prefixes = run.map(|code| prefixes.prefix(arena, code as u32));
                    prefixes.fold((u128::MAX, 0), |(all, any), prefix| (all & prefix, any | prefix))
                });
                for (ones, some) in bits {
                    all &= ones;
                    any |= some;
                }
            }
        }
        let mut varying = any & !all;
        // Only the leading 64 varying bits fit.
        while varying.count_ones() > 64 {
            varying &= varying - 1;
            exact = false;
        }
        let (mut runs, mut to) = (Vec::new(), 0);
        while varying != 0 {
            let from = varying.trailing_zeros();
            let len = (varying >> from).trailing_ones();
            runs.push((from, to, u64::MAX >> (64 - len)));
            varying &= if from + len == 128 { 0 } else { u128::MAX << (from + len) };
            to += len;
        }
        Self { runs, prefixes, exact }
    }

    /// The normalized sort key of an id.
    #[inline]
    fn normalize(&self, keys: &Keys, code: u32) -> u64 {
        match keys {
            Keys::Range { base, .. } => base.wrapping_add(i64::from(code)) as u64 ^ (1 << 63),
            Keys::Integers(ids) => ids[code as usize] as u64 ^ (1 << 63),
            Keys::Bytes(arena) => {
                let whole = self.prefixes.prefix(arena, code);
                self.runs.iter().fold(0, |key, &(from, to, mask)| key | (((whole >> from) as u64 & mask) << to))
            }
        }
    }

    /// Compares two ids: by sort key, then by bytes if the key is not exact.
    #[inline]
    pub(crate) fn compare(&self, (a_keys, a): (&Keys, SortKey), (b_keys, b): (&Keys, SortKey)) -> Ordering {
        match a.0.cmp(&b.0) {
            Ordering::Equal if !self.exact => match (a_keys, b_keys) {
                (Keys::Bytes(x), Keys::Bytes(y)) => x.compare(a.1, &y.id(b.1)),
                _ => Ordering::Equal,
            },
            decided => decided,
        }
    }

    /// Sorts codes by their ids.
    pub(crate) fn sort(&self, keys: &Keys, codes: &[u32], threads: Threads<'_>) -> Vec<SortKey> {
        let mut pieces = self.sort_pieces(keys, codes, threads);
        if pieces.len() == 1 { pieces.pop().unwrap_or_default() } else { pieces.concat() }
    }

    /// Sorts codes by their ids; the concatenation of the pieces is sorted.
    pub(crate) fn sort_pieces(&self, keys: &Keys, codes: &[u32], threads: Threads<'_>) -> Vec<Vec<SortKey>> {
        let compare = |a: &SortKey, b: &SortKey| self.compare((keys, *a), (keys, *b));
        let sort_key = |&code: &u32| (self.normalize(keys, code), code);
        if codes.len() < ROWS_WORTH_THREADS {
            return vec![sort_keys_by_prefix(codes.iter().map(sort_key).collect(), &compare, threads)];
        }
        let ends = threads.par_chunks(codes.len(), |run| {
            codes[run].iter().map(sort_key).fold((u64::MAX, 0), |(low, high), (key, _)| (low.min(key), high.max(key)))
        });
        let (low, high) = ends.into_iter().fold((u64::MAX, 0), |(low, high), ends| (low.min(ends.0), high.max(ends.1)));
        // Each thread range-partitions its run by the leading bits; then the partitions are sorted in parallel.
        let shift = (64 - (high - low).leading_zeros()).saturating_sub(PIECE_BITS);
        let piece = |key: u64| ((key - low) >> shift) as usize;
        let runs = threads.par_chunks(codes.len(), |run| {
            let capacity = (2 * run.len()) >> PIECE_BITS;
            let mut buffers: Vec<Vec<SortKey>> = (0..=piece(high)).map(|_| Vec::with_capacity(capacity)).collect();
            codes[run].iter().map(sort_key).for_each(|key| buffers[piece(key.0)].push(key));
            buffers
        });
        let sort = |piece: usize| {
            sort_keys_by_prefix(runs.iter().map(|buffers| buffers[piece].as_slice()).collect::<Vec<_>>().concat(), &compare, threads)
        };
        threads.par_tasks(0..=piece(high), sort)
    }
}

/// Leading bits for range partitioning: few enough for the write positions to fit the cache.
const PIECE_BITS: u32 = 6;
/// Average number of ids in a bucket.
const BUCKET: usize = 16;

fn sort_keys_by_prefix(
    mut sort_keys: Vec<SortKey>,
    compare: &(impl Fn(&SortKey, &SortKey) -> Ordering + Sync),
    threads: Threads<'_>,
) -> Vec<SortKey> {
    if sort_keys.len() < 1 << 12 {
        sort_keys.sort_unstable_by(compare);
        return sort_keys;
    }
    let (low, high) = sort_keys.iter().fold((u64::MAX, 0), |(low, high), key| (low.min(key.0), high.max(key.0)));
    let bits = (sort_keys.len() / BUCKET).ilog2().min(14);
    let shift = (64 - (high - low).leading_zeros()).saturating_sub(bits);
    let bucket = |key: &SortKey| ((key.0 - low) >> shift) as usize;
    let mut ends = vec![0_usize; bucket(&(high, 0)) + 1];
    sort_keys.iter().for_each(|key| ends[bucket(key)] += 1);
    let mut sum = 0;
    for end in &mut ends {
        let count = *end;
        *end = sum;
        sum += count;
    }
    let mut sorted = vec![(0, 0); sort_keys.len()];
    for key in &sort_keys {
        let end = &mut ends[bucket(key)];
        sorted[*end] = *key;
        *end += 1;
    }
    drop(sort_keys);
    // Split the output into one slice per bucket, to sort them in parallel.
    let (mut rest, mut start, mut buckets) = (sorted.as_mut_slice(), 0, Vec::with_capacity(ends.len()));
    for end in ends {
        let (bucket, after) = rest.split_at_mut(end - start);
        buckets.push(bucket);
        (rest, start) = (after, end);
    }
    let sort = |bucket: &mut [SortKey]| {
        // Skewed ids, such as those of exponential growth, fill few buckets: sort a large bucket in parallel.
        if bucket.len() > ROWS_WORTH_THREADS { threads.par_sort_unstable_by(bucket, compare) } else { bucket.sort_unstable_by(compare) }
    };
    threads.if_large(start).par_batches(buckets, 256, sort);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::arena::ByteArena;
    use crate::group::byte_id::ByteId;

    fn arena(ids: &[&[u8]]) -> Keys {
        let mut arena = ByteArena::default();
        ids.iter().for_each(|id| arena.push(&ByteId::of(id)));
        Keys::Bytes(arena)
    }

    fn sorted(keys: &Keys, codes: &[u32]) -> Vec<SortKey> {
        let threads = Threads::inline();
        SortKeys::of(&[keys], threads).sort(keys, codes, threads)
    }

    #[test]
    fn strings_are_sorted_by_bytes() {
        let long = [b"a beginning of twenty bytes, x".as_slice(), b"a beginning of twenty bytes, w", b"", b"a", b"a\0", b"\xff", b"b"];
        let keys = arena(&long);
        let codes: Vec<u32> = (0..long.len() as u32).collect();
        let sorted: Vec<&[u8]> = sorted(&keys, &codes).iter().map(|key| long[key.1 as usize]).collect();
        let mut want = long.to_vec();
        want.sort_unstable();
        assert_eq!(sorted, want);
    }

    #[test]
    fn integers_are_sorted_at_any_spread() {
        for spread in [1_i64, 3, 1 << 40, i64::MAX / 50_000] {
            let mut ids: Vec<i64> = (0..100_000_i64).map(|i| (i * 7_919 % 100_003 - 50_000).wrapping_mul(spread)).collect();
            ids.push(i64::MIN);
            ids.push(i64::MAX);
            let keys = Keys::Integers(ids.clone());
            let codes: Vec<u32> = (0..ids.len() as u32).collect();
            let sorted: Vec<i64> = sorted(&keys, &codes).iter().map(|key| ids[key.1 as usize]).collect();
            ids.sort_unstable();
            assert_eq!(sorted, ids);
        }
    }
}
