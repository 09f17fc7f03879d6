//! Ids sorted by their leading bits: a pass into buckets, then each bucket by comparison.
//!
//! An id becomes a number of 64 bits of the same order. For integers that is the id itself; for byte strings it is what
//! varies among their first 16 bytes, since bits that all have in common decide nothing: names such as C000123456 differ
//! in two dozen bits.

use std::cmp::Ordering;

use super::keys::Keys;
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};

/// An id's leading bits and its code.
pub(crate) type SortKey = (u64, u32);

/// How ids become leading bits.
#[derive(Debug)]
pub(crate) struct SortKeys {
    /// Runs of bits that vary in the first 16 bytes: from which bit of the whole to which bit of the result, and how many.
    runs: Vec<(u32, u32, u64)>,
    /// Whether equal leading bits are equal ids.
    exact: bool,
}

impl SortKeys {
    /// The way for the ids of all these parts, which are of one kind.
    pub(crate) fn of(parts: &[&Keys], threads: Threads<'_>) -> Self {
        let (mut all, mut any, mut exact) = (u128::MAX, 0, true);
        for keys in parts {
            if let Keys::Bytes(arena) = keys {
                exact &= arena.is_told_by_order();
                let bits = threads.par_chunks(arena.len(), |run| {
                    run.fold((u128::MAX, 0), |(all, any), code| (all & arena.order(code as u32), any | arena.order(code as u32)))
                });
                for (ones, some) in bits {
                    all &= ones;
                    any |= some;
                }
            }
        }
        let mut varying = any & !all;
        // Only the leading 64 bits that vary fit.
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
        Self { runs, exact }
    }

    /// The leading bits of an id.
    #[inline]
    fn lead(&self, keys: &Keys, code: u32) -> u64 {
        match keys {
            Keys::Range { base, .. } => base.wrapping_add(i64::from(code)) as u64 ^ (1 << 63),
            Keys::Integers(ids) => ids[code as usize] as u64 ^ (1 << 63),
            Keys::Bytes(arena) => {
                let whole = arena.order(code);
                self.runs.iter().fold(0, |lead, &(from, to, mask)| lead | (((whole >> from) as u64 & mask) << to))
            }
        }
    }

    /// How two ids compare, their leading bits first.
    #[inline]
    pub(crate) fn compare(&self, (a_keys, a): (&Keys, SortKey), (b_keys, b): (&Keys, SortKey)) -> Ordering {
        match a.0.cmp(&b.0) {
            Ordering::Equal if !self.exact => match (a_keys, b_keys) {
                (Keys::Bytes(x), Keys::Bytes(y)) => x.get(a.1).cmp(y.get(b.1)),
                _ => Ordering::Equal,
            },
            decided => decided,
        }
    }

    /// Some codes in the order of their ids.
    pub(crate) fn sort(&self, keys: &Keys, codes: &[u32], threads: Threads<'_>) -> Vec<SortKey> {
        let mut pieces = self.sort_pieces(keys, codes, threads);
        if pieces.len() == 1 { pieces.pop().unwrap_or_default() } else { pieces.concat() }
    }

    /// Some codes in the order of their ids, in pieces that follow each other.
    pub(crate) fn sort_pieces(&self, keys: &Keys, codes: &[u32], threads: Threads<'_>) -> Vec<Vec<SortKey>> {
        let compare = |a: &SortKey, b: &SortKey| self.compare((keys, *a), (keys, *b));
        let lead = |&code: &u32| (self.lead(keys, code), code);
        if codes.len() < ROWS_WORTH_THREADS {
            return vec![sort_keys_by_prefix(codes.iter().map(lead).collect(), &compare, threads)];
        }
        let ends = threads.par_chunks(codes.len(), |run| {
            codes[run].iter().map(lead).fold((u64::MAX, 0), |(low, high), (lead, _)| (low.min(lead), high.max(lead)))
        });
        let (low, high) = ends.into_iter().fold((u64::MAX, 0), |(low, high), ends| (low.min(ends.0), high.max(ends.1)));
        // Each run deals its ids out by their first bits, so that threads can take turns at what belongs together.
        let shift = (64 - (high - low).leading_zeros()).saturating_sub(PIECE_BITS);
        let piece = |lead: u64| ((lead - low) >> shift) as usize;
        let runs = threads.par_chunks(codes.len(), |run| {
            let room = (2 * run.len()) >> PIECE_BITS;
            let mut lots: Vec<Vec<SortKey>> = (0..=piece(high)).map(|_| Vec::with_capacity(room)).collect();
            codes[run].iter().map(lead).for_each(|lead| lots[piece(lead.0)].push(lead));
            lots
        });
        let sort = |piece: usize| {
            sort_keys_by_prefix(runs.iter().map(|lots| lots[piece].as_slice()).collect::<Vec<_>>().concat(), &compare, threads)
        };
        threads.par_tasks(0..=piece(high), sort)
    }
}

/// Leading bits that ids are dealt out by: what they are dealt to fits a cache.
const PIECE_BITS: u32 = 6;
/// Ids in a bucket, on average.
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
    let (low, high) = sort_keys.iter().fold((u64::MAX, 0), |(low, high), lead| (low.min(lead.0), high.max(lead.0)));
    let bits = (sort_keys.len() / BUCKET).ilog2().min(14);
    let shift = (64 - (high - low).leading_zeros()).saturating_sub(bits);
    let bucket = |lead: &SortKey| ((lead.0 - low) >> shift) as usize;
    let mut ends = vec![0_usize; bucket(&(high, 0)) + 1];
    sort_keys.iter().for_each(|lead| ends[bucket(lead)] += 1);
    let mut sum = 0;
    for end in &mut ends {
        let count = *end;
        *end = sum;
        sum += count;
    }
    let mut sorted = vec![(0, 0); sort_keys.len()];
    for lead in &sort_keys {
        let end = &mut ends[bucket(lead)];
        sorted[*end] = *lead;
        *end += 1;
    }
    drop(sort_keys);
    // Buckets one after the other, cut out so that threads can share them.
    let (mut rest, mut start, mut buckets) = (sorted.as_mut_slice(), 0, Vec::with_capacity(ends.len()));
    for end in ends {
        let (bucket, after) = rest.split_at_mut(end - start);
        buckets.push(bucket);
        (rest, start) = (after, end);
    }
    let sort = |bucket: &mut [SortKey]| {
        // Ids that crowd together, such as those of exponential growth, still share the threads.
        if bucket.len() > ROWS_WORTH_THREADS { threads.par_sort_unstable_by(bucket, compare) } else { bucket.sort_unstable_by(compare) }
    };
    threads.if_large(start).par_batches(buckets, 256, sort);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::keys::ByteArena;

    fn arena(ids: &[&[u8]]) -> Keys {
        let mut arena = ByteArena::default();
        ids.iter().for_each(|id| assert!(arena.push(id, ByteArena::prefix(id))));
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
        let sorted: Vec<&[u8]> = sorted(&keys, &codes).iter().map(|lead| long[lead.1 as usize]).collect();
        let mut want = long.to_vec();
        want.sort_unstable();
        assert_eq!(sorted, want);
    }

    #[test]
    fn many_ids_are_sorted_whatever_their_spread() {
        for spread in [1_i64, 3, 1 << 40, i64::MAX / 50_000] {
            let mut ids: Vec<i64> = (0..100_000_i64).map(|i| (i * 7_919 % 100_003 - 50_000).wrapping_mul(spread)).collect();
            ids.push(i64::MIN);
            ids.push(i64::MAX);
            let keys = Keys::Integers(ids.clone());
            let codes: Vec<u32> = (0..ids.len() as u32).collect();
            let sorted: Vec<i64> = sorted(&keys, &codes).iter().map(|lead| ids[lead.1 as usize]).collect();
            ids.sort_unstable();
            assert_eq!(sorted, ids);
        }
    }
}
