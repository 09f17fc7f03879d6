//! Rank encoding of integer ids with gaps: a bitmap of the ids that occur, in which the code of an id is its rank.
//!
//! Auto-increment ids of which only some occur are spread over a range of several ids for each customer. A slot for every id of the
//! range would waste the cache, and a hash table costs a cache miss for each row. The bitmap takes two bits for each id of the
//! range with its counts, and ranks are dense and ascend with the ids. All ids have to be known before the first one is encoded.

use std::ops::Range;
use std::sync::Arc;

use arrow_buffer::NullBuffer;

use super::keys::Keys;
use crate::column::BLOCK;
use crate::column::key::IntegerKeys;
use crate::exec::par::Threads;
use crate::exec::simd::{prefetch, widest};

/// Ids of the range per row up to which ranks are used; a bitmap then takes no more memory than the rows.
pub(crate) const IDS_PER_ROW: usize = 64;
/// A bitmap of more words than this exceeds the cache, and is prefetched.
const MANY_WORDS: usize = 1 << 15;
/// Prefetch distance in rows.
const AHEAD: usize = 24;
/// Rows of one parallel task.
const CHUNK: usize = 64 * BLOCK;

/// Which of 64 consecutive ids occur, and how many smaller ids do.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(16))]
struct Word {
    bits: u64,
    before: u32,
}

/// The distinct integer ids of some columns.
#[derive(Debug)]
pub(crate) struct IdRanks {
    /// The id of the first bit.
    base: i64,
    words: Vec<Word>,
    keys: Arc<Keys>,
}

/// A column of integer ids: its values, their nulls, the number of rows.
pub(crate) type IdColumn<'a> = (&'a IntegerKeys, Option<&'a NullBuffer>, usize);

/// Whether the call was cancelled. What is found then is wrong, and the caller has to drop it.
pub(crate) type IsCancelled<'a> = &'a (dyn Fn() -> bool + Sync);

impl IdRanks {
    /// The ranks of the ids of these columns. They are thought to lie from `base` on in a range of `len` ids; if some do not, their
    /// range is found first. `None` if there are more ids than codes, or more than [`IDS_PER_ROW`] in the range.
    pub(crate) fn of(
        columns: &[IdColumn<'_>],
        (base, len): (i64, usize),
        cancelled: IsCancelled<'_>,
        threads: Threads<'_>,
    ) -> Option<Self> {
        let (bits, outside) = bitmap(columns, (base, len), cancelled, threads);
        if !outside {
            return Self::of_bits(base, bits, threads);
        }
        drop(bits);
        let (base, high) = range_of(columns, cancelled, threads)?;
        let len = usize::try_from(i128::from(high) - i128::from(base) + 1).ok()?;
        if len / IDS_PER_ROW > rows_of(columns) {
            return None;
        }
        Self::of_bits(base, bitmap(columns, (base, len), cancelled, threads).0, threads)
    }

    /// The ranks of the ids whose bits are set; the first bit is that of id `base`.
    fn of_bits(base: i64, bits: Vec<u64>, threads: Threads<'_>) -> Option<Self> {
        let mut before = 0_u64;
        let word = |bits: u64| {
            let word = Word { bits, before: before as u32 };
            before += u64::from(bits.count_ones());
            word
        };
        let words: Vec<Word> = bits.into_iter().map(word).collect();
        // The two largest codes have a meaning of their own.
        let ids = usize::try_from(before).ok().filter(|&ids| ids < u32::MAX as usize - 1)?;
        let mut keys = vec![0; ids];
        threads.par_fill(&mut keys, |first, keys| {
            let at = words.partition_point(|word| word.before as usize <= first).saturating_sub(1);
            let smaller = first - words.get(at).map_or(0, |word| word.before as usize);
            let ids = words[at..].iter().zip(at..).flat_map(|(word, at)| bits_of(word.bits, base.wrapping_add(64 * at as i64)));
            keys.iter_mut().zip(ids.skip(smaller)).for_each(|(key, id)| *key = id);
        });
        Some(Self { base, words, keys: Arc::new(Keys::Integers(keys)) })
    }

    /// The ids in ascending order.
    pub(crate) fn keys(&self) -> &Arc<Keys> {
        &self.keys
    }

    /// Number of ids.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The length of the range of the ids.
    pub(crate) fn span(&self) -> usize {
        let Keys::Integers(ids) = &*self.keys else { return 0 };
        let ends = ids.first().zip(ids.last());
        ends.map_or(0, |(low, high)| usize::try_from(i128::from(*high) - i128::from(*low) + 1).unwrap_or(usize::MAX))
    }

    /// Heap bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.words.capacity() * size_of::<Word>() + self.keys.bytes()
    }

    /// The rank of an id, if it occurs.
    pub(crate) fn find(&self, id: i64) -> Option<u32> {
        let at = usize::try_from(i128::from(id) - i128::from(self.base)).ok()?;
        let word = self.words.get(at / 64)?;
        (word.bits >> (at % 64) & 1 == 1).then(|| rank(*word, at as u32))
    }

    /// Replaces `codes` by the ranks of a block of ids. Ranks of ids that do not occur are arbitrary; returns whether all occur.
    pub(crate) fn ranks(&self, ids: &[i64], codes: &mut [u32]) -> bool {
        ranks(&self.words, self.base, ids, codes)
    }
}

/// Calls `each` with the ids of a chunk of rows of a column that are not null, block by block.
fn each_block(column: &IdColumn<'_>, start: usize, each: impl FnMut(&[i64])) {
    each_of_rows(column, start..column.2.min(start + CHUNK), each);
}

/// The same for any rows.
fn each_of_rows(&(keys, nulls, _): &IdColumn<'_>, rows: Range<usize>, mut each: impl FnMut(&[i64])) {
    let (mut ids, mut valid) = ([0; BLOCK], Vec::new());
    for start in rows.clone().step_by(BLOCK) {
        let ids = &mut ids[..BLOCK.min(rows.end - start)];
        keys.read(start, ids);
        match nulls {
            None => each(ids),
            Some(nulls) => {
                valid.clear();
                valid.extend(ids.iter().enumerate().filter(|(i, _)| nulls.is_valid(start + i)).map(|(_, id)| *id));
                each(&valid);
            }
        }
    }
}

/// The chunks of rows of some columns: column, and first row.
fn chunks<'c, 'a>(columns: &'c [IdColumn<'a>]) -> Vec<(&'c IdColumn<'a>, usize)> {
    columns.iter().flat_map(|column| (0..column.2).step_by(CHUNK).map(move |start| (column, start))).collect()
}

/// The smallest and the largest id of these columns that is not null.
pub(super) fn range_of(columns: &[IdColumn<'_>], cancelled: IsCancelled<'_>, threads: Threads<'_>) -> Option<(i64, i64)> {
    let ends = threads.if_large(rows_of(columns)).par_tasks(chunks(columns), |(column, start)| {
        let (mut low, mut high) = (i64::MAX, i64::MIN);
        if cancelled() {
            return (low, high);
        }
        each_block(column, start, |ids| {
            let (least, most) = min_max(ids);
            (low, high) = (low.min(least), high.max(most));
        });
        (low, high)
    });
    ends.into_iter().reduce(|(a, b), (low, high)| (a.min(low), b.max(high))).filter(|(low, high)| low <= high)
}

/// What some rows say of the ids of all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sampled {
    /// The smallest id of these rows.
    pub low: i64,
    /// The largest one.
    pub high: i64,
    /// About how many ids occur in all rows, if all are as frequent; else there are more. 0 if the range is longer than there are
    /// rows, so that many ids of it do not occur anyway.
    pub ids: usize,
}

/// Blocks of a sample: one of 64, but not fewer and not more than these.
const SAMPLE: (usize, usize) = (8, 64);

/// Reads blocks of rows that lie apart. `None` if they have no ids.
pub(super) fn sampled(columns: &[IdColumn<'_>]) -> Option<Sampled> {
    let rows = rows_of(columns);
    let blocks = (rows / BLOCK / 64).clamp(SAMPLE.0, SAMPLE.1);
    let mut ids: Vec<i64> = Vec::with_capacity(blocks * BLOCK);
    let step = (rows / blocks).max(BLOCK);
    let mut next = 0;
    for column in columns {
        while next < column.2 {
            let rows = BLOCK.min(column.2 - next);
            each_of_rows(column, next..next + rows, |block| ids.extend_from_slice(block));
            next += step;
        }
        next -= column.2;
    }
    let (low, high) = min_max(&ids);
    let span = usize::try_from(i128::from(high) - i128::from(low) + 1).unwrap_or(usize::MAX);
    if ids.is_empty() || span > 2 * rows {
        return (!ids.is_empty()).then_some(Sampled { low, high, ids: 0 });
    }
    let mut bits = vec![0_u64; span.div_ceil(64)];
    let mut again = 0;
    for id in &ids {
        let at = id.wrapping_sub(low) as usize;
        again += (bits[at / 64] >> (at % 64) & 1) as usize;
        bits[at / 64] |= 1 << (at % 64);
    }
    // The birthday problem: of n ids drawn from d with equal chances about n^2 / 2d are drawn again.
    Some(Sampled { low, high, ids: ids.len() * ids.len() / (2 * again).max(1) })
}

fn rows_of(columns: &[IdColumn<'_>]) -> usize {
    columns.iter().map(|column| column.2).sum()
}

/// A bit for each of the `len` ids from `base` on that occurs, and whether there are ids outside.
fn bitmap(columns: &[IdColumn<'_>], (base, len): (i64, usize), cancelled: IsCancelled<'_>, threads: Threads<'_>) -> (Vec<u64>, bool) {
    let rows = rows_of(columns);
    let (threads, words, chunks) = (threads.if_large(rows), len.div_ceil(64), chunks(columns));
    // A bitmap for each thread, as long as together they take no more memory than the ids.
    let parts = threads.count().min(chunks.len()).min(rows / words.max(1)).max(1);
    let mut maps = threads.par_tasks(0..parts, |part| {
        let (mut bits, mut outside) = (vec![0_u64; words], false);
        for (column, start) in chunks.iter().skip(part).step_by(parts) {
            each_block(column, *start, |ids| {
                for id in ids {
                    let at = id.wrapping_sub(base) as u64;
                    match bits.get_mut((at / 64) as usize) {
                        Some(word) => *word |= 1 << (at % 64),
                        None => outside = true,
                    }
                }
            });
            if outside || cancelled() {
                break;
            }
        }
        (bits, outside)
    });
    let (mut whole, mut outside) = maps.swap_remove(0);
    outside |= maps.iter().any(|(_, outside)| *outside);
    threads.par_fill(&mut whole, |first, bits| {
        for (map, _) in &maps {
            bits.iter_mut().zip(&map[first..]).for_each(|(bits, other)| *bits |= other);
        }
    });
    (whole, outside)
}

/// The ids of a word, ascending; `first` is that of its lowest bit.
fn bits_of(mut bits: u64, first: i64) -> impl Iterator<Item = i64> {
    std::iter::from_fn(move || {
        let at = bits.trailing_zeros();
        (bits != 0).then(|| {
            bits &= bits - 1;
            first.wrapping_add(i64::from(at))
        })
    })
}

/// The number of set bits below bit `at` (modulo 64), and in all words before.
#[inline]
fn rank(word: Word, at: u32) -> u32 {
    word.before.wrapping_add((word.bits & !(u64::MAX << (at % 64))).count_ones())
}

widest! {
    /// The smallest and the largest id.
    fn min_max(ids: &[i64]) -> (i64, i64) {
        ids.iter().fold((i64::MAX, i64::MIN), |(low, high), &id| (low.min(id), high.max(id)))
    }
}

widest! {
    fn ranks(words: &[Word], base: i64, ids: &[i64], codes: &mut [u32]) -> bool {
        let mut all = 1;
        let is_large = words.len() > MANY_WORDS;
        for (i, (code, &id)) in codes.iter_mut().zip(ids).enumerate() {
            if is_large && let Some(ahead) = ids.get(i + AHEAD) {
                prefetch(words, (ahead.wrapping_sub(base) as u64 / 64) as usize);
            }
            let at = id.wrapping_sub(base) as u64;
            let word = words.get((at / 64) as usize).copied().unwrap_or(Word { bits: 0, before: 0 });
            all &= word.bits >> (at % 64) & 1;
            *code = rank(word, (at % 64) as u32);
        }
        all == 1
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Int64Array};

    use super::*;
    use crate::column::key::{KeyColumn, PlainKeys};
    use crate::error::{Error, Result};

    fn ranks_of(ids: &[Option<i64>], base: i64, len: usize) -> Result<IdRanks> {
        let array: ArrayRef = Arc::new(Int64Array::from(ids.to_vec()));
        let column = KeyColumn::new("customer_id", "customer_id", &array)?;
        let KeyColumn::Plain(PlainKeys::Integers(keys)) = &column else { return Err(Error::internal("no integers")) };
        IdRanks::of(&[(keys, column.nulls(), ids.len())], (base, len), &|| false, Threads::inline())
            .ok_or_else(|| Error::internal("too many"))
    }

    #[test]
    fn the_code_of_an_id_is_its_rank() -> Result<()> {
        for (base, len) in [(0, 1), (-5, 64), (i64::MIN, 65), (i64::MAX - 999, 1000), (1 << 40, 100_000)] {
            let every = |step: usize| (0..len).rev().step_by(step).map(|at| Some(base + at as i64));
            let ids: Vec<Option<i64>> = every(7).chain([None]).chain(every(3)).collect();
            let found = ranks_of(&ids, base, len)?;
            let mut want: Vec<i64> = ids.iter().copied().flatten().collect();
            want.sort_unstable();
            want.dedup();
            assert!(matches!(&**found.keys(), Keys::Integers(keys) if *keys == want));
            let mut codes = vec![0; want.len()];
            assert!(found.ranks(&want, &mut codes));
            assert!(codes.iter().copied().eq(0..want.len() as u32));
            assert!(want.iter().zip(0..).all(|(&id, code)| found.find(id) == Some(code)));
            let others = [base.wrapping_sub(1), base.wrapping_add(len as i64)];
            for other in others.into_iter().chain((0..len).map(|at| base + at as i64)).filter(|id| want.binary_search(id).is_err()) {
                assert_eq!(found.find(other), None);
                assert!(!found.ranks(&[other], &mut [0]));
            }
        }
        Ok(())
    }
}
