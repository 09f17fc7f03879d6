//! The items of baskets with their sums of money: entries sorted by basket and item, in chunks.
//!
//! An entry takes 8 bytes, and 8 more if sums of money are kept (16 where they need 128 bits). A chunk is freed as soon as it was
//! merged, so that merging two runs takes little more than they do.

use crate::error::Result;
use crate::exec::context::Context;

/// Entries of a chunk.
const CHUNK: usize = 1 << 15;
/// Entries that are sorted at a time.
const BUFFER: usize = 1 << 18;
/// The item of lines without one, whose money counts for the order. It sorts behind all items.
pub(super) const NO_ITEM: u32 = u32::MAX;

/// A basket and an item, as one number, and the sum of money of the lines.
pub(super) type Entry = (u64, i128);

/// The key of an entry.
#[inline]
pub(super) fn key(basket: u32, item: u32) -> u64 {
    u64::from(basket) << 32 | u64::from(item)
}

/// The basket of a key.
#[inline]
pub(super) fn basket_of(key: u64) -> u32 {
    (key >> 32) as u32
}

/// Sums of money.
#[derive(Debug, Clone)]
enum Units {
    /// Not kept.
    None,
    Narrow(Vec<i64>),
    Wide(Vec<i128>),
}

impl Units {
    #[inline]
    fn get(&self, at: usize) -> i128 {
        match self {
            Self::None => 0,
            Self::Narrow(units) => i128::from(units[at]),
            Self::Wide(units) => units[at],
        }
    }

    #[inline]
    fn push(&mut self, sum: i128) {
        match self {
            Self::None => {}
            Self::Narrow(units) => {
                if let Ok(sum) = i64::try_from(sum) {
                    units.push(sum);
                } else {
                    let mut wide: Vec<i128> = units.iter().map(|&units| i128::from(units)).collect();
                    wide.push(sum);
                    *self = Self::Wide(wide);
                }
            }
            Self::Wide(units) => units.push(sum),
        }
    }

    /// Adds to the last one.
    #[inline]
    fn add_last(&mut self, more: i128) {
        let last = match self {
            Self::None => return,
            Self::Narrow(units) => units.pop().map(i128::from),
            Self::Wide(units) => units.pop(),
        };
        self.push(last.unwrap_or(0) + more);
    }

    fn bytes(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Narrow(units) => 8 * units.capacity(),
            Self::Wide(units) => 16 * units.capacity(),
        }
    }
}

#[derive(Debug, Clone)]
struct Chunk {
    keys: Vec<u64>,
    units: Units,
}

/// Entries with ascending keys.
#[derive(Debug, Clone, Default)]
pub(super) struct Run {
    chunks: Vec<Chunk>,
    len: usize,
}

impl Run {
    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Heap bytes.
    pub(super) fn bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| 8 * chunk.keys.capacity() + chunk.units.bytes()).sum()
    }

    /// The entries.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.chunks.iter().flat_map(|chunk| chunk.keys.iter().enumerate().map(|(at, &key)| (key, chunk.units.get(at))))
    }

    /// The entries; each chunk is freed when the next one is begun.
    pub(super) fn into_entries(self) -> impl Iterator<Item = Entry> {
        self.chunks.into_iter().flat_map(|Chunk { keys, units }| keys.into_iter().enumerate().map(move |(at, key)| (key, units.get(at))))
    }

    fn first(&self) -> Option<u64> {
        self.chunks.first().and_then(|chunk| chunk.keys.first()).copied()
    }

    fn last(&self) -> Option<u64> {
        self.chunks.last().and_then(|chunk| chunk.keys.last()).copied()
    }

    /// Splits off the chunks from `at` on.
    fn split_off(&mut self, at: usize) -> Self {
        let chunks = self.chunks.split_off(at);
        let len = chunks.iter().map(|chunk| chunk.keys.len()).sum();
        self.len -= len;
        Self { chunks, len }
    }

    /// Appends a run whose keys are larger.
    fn append(&mut self, mut other: Self) {
        self.chunks.append(&mut other.chunks);
        self.len += other.len;
    }

    /// The entries of both; equal keys become one. Chunks that do not overlap the other run are taken as they are.
    fn merge(self, other: Self, has_units: bool, context: &Context) -> Result<Self> {
        let (mut low, mut high) = if self.first() <= other.first() { (self, other) } else { (other, self) };
        let begin = low.chunks.partition_point(|chunk| chunk.keys.last().copied() < high.first());
        let overlapping = low.split_off(begin);
        let end = high.chunks.partition_point(|chunk| chunk.keys.first().copied() <= overlapping.last());
        let rest = high.split_off(end);
        low.append(Self::merge_entries(overlapping, high, has_units, context)?);
        low.append(rest);
        Ok(low)
    }

    /// The entries of both, one by one.
    fn merge_entries(self, other: Self, has_units: bool, context: &Context) -> Result<Self> {
        let mut whole = RunWriter::new(has_units);
        let (mut left, mut right) = (self.into_entries().peekable(), other.into_entries().peekable());
        let mut until_check = CHUNK;
        loop {
            until_check -= 1;
            if until_check == 0 {
                context.check()?;
                until_check = CHUNK;
            }
            let next = match (left.peek(), right.peek()) {
                (Some(a), Some(b)) if b.0 < a.0 => right.next(),
                (Some(_), _) => left.next(),
                (None, _) => right.next(),
            };
            let Some((key, units)) = next else { return Ok(whole.finish()) };
            whole.push(key, units);
        }
    }
}

/// Writes a run of entries whose keys ascend; those of equal keys are added up.
struct RunWriter {
    has_units: bool,
    run: Run,
}

impl RunWriter {
    fn new(has_units: bool) -> Self {
        Self { has_units, run: Run::default() }
    }

    #[inline]
    fn push(&mut self, key: u64, units: i128) {
        if let Some(chunk) = self.run.chunks.last_mut() {
            if chunk.keys.last() == Some(&key) {
                chunk.units.add_last(units);
                return;
            }
            if chunk.keys.len() < CHUNK {
                chunk.keys.push(key);
                chunk.units.push(units);
                self.run.len += 1;
                return;
            }
        }
        let kept = if self.has_units { Units::Narrow(Vec::with_capacity(CHUNK)) } else { Units::None };
        let mut chunk = Chunk { keys: Vec::with_capacity(CHUNK), units: kept };
        chunk.keys.push(key);
        chunk.units.push(units);
        self.run.chunks.push(chunk);
        self.run.len += 1;
    }

    fn finish(mut self) -> Run {
        if let Some(chunk) = self.run.chunks.last_mut() {
            chunk.keys.shrink_to_fit();
            match &mut chunk.units {
                Units::None => {}
                Units::Narrow(units) => units.shrink_to_fit(),
                Units::Wide(units) => units.shrink_to_fit(),
            }
        }
        self.run
    }
}

/// Collects entries in any order into one run: buffers are sorted, and runs of similar size merged, as in an LSM tree.
#[derive(Debug)]
pub(super) struct RunBuilder {
    has_units: bool,
    buffer: Vec<Entry>,
    runs: Vec<Run>,
}

impl RunBuilder {
    /// A builder; `has_units` tells whether sums of money are kept.
    pub(super) fn new(has_units: bool) -> Self {
        Self { has_units, buffer: Vec::new(), runs: Vec::new() }
    }

    /// Starts with the entries of a run.
    pub(super) fn with(mut self, run: Run) -> Self {
        if run.len() > 0 {
            self.runs.push(run);
        }
        self
    }

    /// Adds an entry.
    #[inline]
    pub(super) fn push(&mut self, key: u64, units: i128, context: &Context) -> Result<()> {
        self.buffer.push((key, units));
        if self.buffer.len() < BUFFER { Ok(()) } else { self.flush(context) }
    }

    fn flush(&mut self, context: &Context) -> Result<()> {
        context.check()?;
        if self.buffer.is_sorted_by_key(|entry| basket_of(entry.0)) {
            // Lines of a basket that follow each other.
            self.buffer.chunk_by_mut(|a, b| basket_of(a.0) == basket_of(b.0)).for_each(|own| own.sort_unstable_by_key(|entry| entry.0));
        } else {
            self.buffer.sort_unstable_by_key(|entry| entry.0);
        }
        let mut writer = RunWriter::new(self.has_units);
        for (key, units) in self.buffer.drain(..) {
            writer.push(key, units);
        }
        let mut run = writer.finish();
        while let Some(before) = self.runs.pop_if(|before| before.len() <= 2 * run.len() || before.last() < run.first()) {
            run = before.merge(run, self.has_units, context)?;
        }
        self.runs.push(run);
        Ok(())
    }

    /// The run of all entries.
    pub(super) fn finish(mut self, context: &Context) -> Result<Run> {
        if !self.buffer.is_empty() {
            self.flush(context)?;
        }
        self.buffer = Vec::new();
        let Some(mut whole) = self.runs.pop() else { return Ok(Run::default()) };
        while let Some(before) = self.runs.pop() {
            whole = before.merge(whole, self.has_units, context)?;
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn entries_in_any_order_become_one_run() -> Result<()> {
        let context = Context::new(1);
        let rows = 2 * BUFFER as u64 + 77;
        for step in [1_u64, 7_919] {
            let (mut builder, mut expected) = (RunBuilder::new(true), BTreeMap::new());
            for i in 0..rows {
                let row = i * step % rows;
                let (basket, item) = ((row / 5) as u32, (row * 31 % 7) as u32);
                let units = if row == 9 { i128::from(i64::MAX) } else { i128::from(row) - 100 };
                builder.push(key(basket, item), units, &context)?;
                *expected.entry(key(basket, item)).or_insert(0) += units;
            }
            let run = builder.finish(&context)?;
            assert_eq!(run.len(), expected.len());
            assert!(run.entries().eq(expected.iter().map(|(&key, &units)| (key, units))));
            let again = RunBuilder::new(true).with(run.clone()).with(run).finish(&context)?;
            assert!(again.entries().eq(expected.into_iter().map(|(key, units)| (key, 2 * units))));
        }
        Ok(())
    }

    #[test]
    fn sums_beyond_64_bits_stay_exact() -> Result<()> {
        let context = Context::new(1);
        let mut builder = RunBuilder::new(true);
        for units in [i64::MAX, i64::MAX, -5, i64::MIN, i64::MIN] {
            builder.push(key(1, NO_ITEM), i128::from(units), &context)?;
        }
        builder.push(key(0, 3), 1, &context)?;
        assert_eq!(builder.finish(&context)?.entries().collect::<Vec<_>>(), [(3, 1), (key(1, NO_ITEM), -7)]);
        assert_eq!(RunBuilder::new(false).finish(&context)?.len(), 0);
        Ok(())
    }
}
