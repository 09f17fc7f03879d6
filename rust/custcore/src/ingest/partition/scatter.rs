//! Scatter buffers of the partitions. Nearly all rows are purchases with ids of up to 16 bytes or texts of UUIDs: they are packed into 16 or 24 bytes and
//! stay buffered over several pushes. Other rows are stored column by column and aggregated within their push.

use crate::column::chunks::{InputBatch, TypedBlock};
use crate::column::key::{ByteKeys, KeyColumn, PlainKeys};
use crate::column::{BLOCK, flag};
use crate::error::{Error, Result};
use crate::exec::simd::prefetch_bytes;
use crate::group::byte_id::{ByteId, Head};
use crate::group::hash_table::ByteHasher;
use crate::group::intern_rows::Remap;
use crate::group::interner::{Interner, NO_CODE};
use crate::state::customer_state::State;
use crate::state::stats::{FIRST_DAY, LAST_DAY};
use crate::state::totals::{RowNumbers, RowSlice};

/// Number of partitions, a power of two.
pub(crate) const PARTITIONS: usize = 128;
/// The partition number of rows that are not scattered.
const NONE: u8 = PARTITIONS as u8;

/// How ids map to partitions.
#[derive(Debug, Clone)]
pub(crate) struct Partitioner {
    /// Random, so that ids cannot be chosen to collide.
    pub seed: u64,
    /// The hasher of byte strings, with random seeds too.
    pub hasher: ByteHasher,
    /// Set for range partitions.
    pub range: Option<PartitionRange>,
    /// Set if the range is of codes that all states share: ranks of integer ids, or positions in a dictionary.
    pub shared: Option<Interner>,
}

/// Range partitioning of integer ids: each partition has `1 << shift` consecutive ids.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartitionRange {
    /// The first id.
    pub base: i64,
    /// Bits of the offset within a partition.
    pub shift: u32,
}

impl Partitioner {
    /// The partition of an integer id.
    #[inline]
    pub(crate) fn integer(&self, id: i64) -> usize {
        if let Some(PartitionRange { base, shift }) = self.range {
            // In bounds: a push with ids outside the range is not scattered, see [`super::partitions::Partitions::cover`].
            return (id.wrapping_sub(base) as u64 >> shift) as usize;
        }
        let product = u128::from(id as u64 ^ self.seed) * 0x9E37_79B9_7F4A_7C15_u128;
        ((product as u64) ^ (product >> 64) as u64) as usize % PARTITIONS
    }

    /// The partition of a byte string.
    #[inline]
    pub(crate) fn bytes(&self, id: &ByteId<'_>) -> usize {
        self.hasher.hash(id) as usize % PARTITIONS
    }
}

/// A packed purchase: its amount has few bits.
#[derive(Debug, Clone, Copy)]
struct PackedRow<K> {
    id: K,
    /// Amount, day and form of the id, packed into 64 bits.
    rest: u64,
}

const DAY_BITS: u32 = 16;
/// Amounts below this can be packed.
const PACKED_UNITS: i64 = 1 << (64 - DAY_BITS - Head::FORM_BITS);
/// Marks a row that cannot be packed. No packed row has this value, since the largest day number is not used.
const NOT_PACKED: u64 = u64::MAX;

#[inline]
fn pack(units: i64, day: i32) -> u64 {
    ((units as u64) << DAY_BITS | (day - FIRST_DAY) as u64) << Head::FORM_BITS
}

impl<K> PackedRow<K> {
    #[inline]
    fn units(&self) -> i64 {
        (self.rest >> (DAY_BITS + Head::FORM_BITS)) as i64
    }
    #[inline]
    fn day(&self) -> i32 {
        FIRST_DAY + i32::from((self.rest >> Head::FORM_BITS) as u16)
    }
}

impl PackedRow<[u8; 16]> {
    /// The id, whose head is the whole string.
    #[inline]
    fn id(&self) -> ByteId<'static> {
        ByteId::from_parts(self.id, (self.rest % (1 << Head::FORM_BITS)) as u32)
    }
}

/// The buffered rows of one partition.
#[derive(Debug, Default)]
struct ScatterBuffer {
    integers: Vec<PackedRow<i64>>,
    texts: Vec<PackedRow<[u8; 16]>>,
    unpacked: UnpackedRows,
}

/// Rows that cannot be packed, column by column.
#[derive(Debug, Default)]
struct UnpackedRows {
    /// Integer ids. Byte-string ids are read from the batches again.
    ids: Vec<i64>,
    units: Vec<i64>,
    days: Vec<i32>,
    flags: Vec<u8>,
    /// Counted from the first row of the push.
    rows: Vec<u32>,
}

/// The scatter buffers of one thread.
#[derive(Debug)]
pub(crate) struct Scatter {
    buffers: Vec<ScatterBuffer>,
    sorter: Sorter,
    /// The first 16 bytes of the ids of the current block.
    heads: Vec<[u8; 16]>,
    /// See [`Partitioner::shared`].
    shared: Option<Interner>,
}

impl Scatter {
    /// Empty buffers.
    pub(crate) fn new(partitioner: &Partitioner) -> Self {
        Self {
            buffers: (0..PARTITIONS).map(|_| ScatterBuffer::default()).collect(),
            sorter: Sorter { rows: [0; BLOCK] },
            heads: Vec::new(),
            shared: partitioner.shared.clone(),
        }
    }

    /// The codes of a block of rows if all states share them; otherwise 0 for each row that has an id.
    pub(crate) fn codes(&mut self, column: &KeyColumn, start: usize, flags: &mut [u8], codes: &mut Vec<u32>) -> Result<()> {
        if let Some(shared) = &mut self.shared {
            return shared.intern_rows(column, start, flags, codes, &mut Remap::default());
        }
        codes.clear();
        codes.extend(flags.iter().map(|flag| if flag & flag::NULL_ID == 0 { 0 } else { NO_CODE }));
        Ok(())
    }

    /// Bytes of the packed rows.
    pub(crate) fn bytes(&self) -> usize {
        let bytes = |buffer: &ScatterBuffer| size_of_val(&*buffer.integers) + size_of_val(&*buffer.texts);
        self.buffers.iter().map(bytes).sum()
    }

    /// Scatters the rows of a block that count; `codes` are those of [`Scatter::codes`], `offset` is the number of its first row within the push. A row of at least
    /// `least` units is a purchase and may be packed.
    pub(crate) fn add(
        &mut self,
        partitioner: &Partitioner,
        (columns, start): (&InputBatch, usize),
        offset: usize,
        codes: &[u32],
        block: &TypedBlock,
        least: i64,
    ) -> Result<()> {
        let mut packed = [NOT_PACKED; BLOCK];
        let packed = &mut packed[..codes.len()];
        let rows = block.units.iter().zip(&block.days).zip(&block.flags);
        for (packed, ((&units, &day), &flags)) in packed.iter_mut().zip(rows) {
            let fits = (least..PACKED_UNITS).contains(&units) & (FIRST_DAY..=LAST_DAY).contains(&day) & (flags == 0);
            *packed = if fits { pack(units, day) } else { NOT_PACKED };
        }
        // The partition of each row; [`NONE`] for rows that do not count.
        let mut partitions = [NONE; BLOCK];
        let partitions = &mut partitions[..codes.len()];
        let mut ids = [0; BLOCK];
        let Self { buffers, sorter, heads, shared } = self;
        match &columns.customer {
            _ if shared.is_some() => {
                for ((partition, id), &code) in partitions.iter_mut().zip(&mut ids).zip(codes) {
                    *id = i64::from(code);
                    *partition = if code == NO_CODE { NONE } else { partitioner.integer(*id) as u8 };
                }
            }
            KeyColumn::Plain(PlainKeys::Integers(keys)) => {
                keys.read(start, &mut ids[..codes.len()]);
                for ((partition, &id), &code) in partitions.iter_mut().zip(&ids).zip(codes) {
                    *partition = if code == NO_CODE { NONE } else { partitioner.integer(id) as u8 };
                }
            }
            KeyColumn::Plain(PlainKeys::Bytes(keys)) => {
                heads.resize(BLOCK, [0; 16]);
                for i in (0..codes.len()).filter(|&i| codes[i] != NO_CODE) {
                    let id = ByteId::of(keys.get(start + i));
                    let (head, form) = id.head().parts();
                    heads[i] = head;
                    partitions[i] = partitioner.bytes(&id) as u8;
                    packed[i] |= if id.head().is_whole() { u64::from(form) } else { NOT_PACKED };
                }
            }
            KeyColumn::Dictionary(_) => return Err(Error::internal("rows with dictionary ids were scattered without shared codes")),
        }
        let mut unpacked = [NONE; BLOCK];
        let mut any = false;
        for ((partition, other), &packed) in partitions.iter_mut().zip(&mut unpacked).zip(&*packed) {
            let is_unpacked = packed == NOT_PACKED;
            *other = if is_unpacked { *partition } else { NONE };
            *partition = if is_unpacked { NONE } else { *partition };
            any |= is_unpacked;
        }
        let packed = |i: u16| packed[usize::from(i)];
        if matches!(columns.customer, KeyColumn::Plain(PlainKeys::Bytes(_))) {
            sorter.sort(partitions, |partition, rows| {
                buffers[partition].texts.extend(rows.iter().map(|&i| PackedRow { id: heads[usize::from(i)], rest: packed(i) }));
            });
        } else {
            sorter.sort(partitions, |partition, rows| {
                buffers[partition].integers.extend(rows.iter().map(|&i| PackedRow { id: ids[usize::from(i)], rest: packed(i) }));
            });
        }
        if any {
            sorter.sort(&unpacked[..codes.len()], |partition, rows| {
                let unpacked = &mut buffers[partition].unpacked;
                unpacked.ids.extend(rows.iter().map(|&i| ids[usize::from(i)]));
                unpacked.units.extend(rows.iter().map(|&i| block.units[usize::from(i)]));
                unpacked.days.extend(rows.iter().map(|&i| block.days[usize::from(i)]));
                unpacked.flags.extend(rows.iter().map(|&i| block.flags[usize::from(i)]));
                unpacked.rows.extend(rows.iter().map(|&i| (offset + usize::from(i)) as u32));
            });
        }
        Ok(())
    }

    /// Aggregates the packed rows of a partition into its state.
    pub(crate) fn aggregate_packed(&self, partition: usize, part: &mut State) -> Result<()> {
        let ScatterBuffer { integers, texts, .. } = &self.buffers[partition];
        let mut codes = Vec::with_capacity(BLOCK);
        let mut ids = [0; BLOCK];
        for rows in integers.chunks(BLOCK) {
            ids.iter_mut().zip(rows).for_each(|(id, row)| *id = row.id);
            part.interner.intern_ids(&ids[..rows.len()], &mut codes)?;
            add_packed(part, rows, &codes);
        }
        for rows in texts.chunks(BLOCK) {
            part.interner.intern_strings(|i| rows[i].id(), rows.len(), &mut codes)?;
            add_packed(part, rows, &codes);
        }
        Ok(())
    }

    /// Aggregates the unpacked rows of a partition into its state.
    pub(crate) fn aggregate_unpacked(&self, partition: usize, source: &ScatterSource<'_>, part: &mut State, first_row: u64) -> Result<()> {
        let UnpackedRows { ids, units, days, flags, rows } = &self.buffers[partition].unpacked;
        let mut codes = Vec::with_capacity(BLOCK);
        for start in (0..rows.len()).step_by(BLOCK) {
            let block = start..rows.len().min(start + BLOCK);
            let rows = &rows[block.clone()];
            if source.is_of_bytes() {
                let strings = rows.iter().map(|&row| source.id(row as usize)).collect::<Result<Vec<_>>>()?;
                strings.iter().for_each(|id| prefetch_bytes(id));
                let ids: Vec<ByteId<'_>> = strings.iter().map(|id| ByteId::of(id)).collect();
                part.interner.intern_strings(|i| ids[i], ids.len(), &mut codes)?;
            } else {
                part.interner.intern_ids(&ids[block.clone()], &mut codes)?;
            }
            part.totals.grow(part.interner.len());
            part.add_rows(&RowSlice {
                codes: &codes,
                days: &days[block.clone()],
                units: &units[block.clone()],
                flags: &flags[block.clone()],
                marks: None,
                rows: RowNumbers::Scattered(first_row, rows),
                holes: false,
            });
        }
        Ok(())
    }

    /// Clears the packed rows after aggregation.
    pub(crate) fn clear_packed(&mut self) {
        for buffer in &mut self.buffers {
            buffer.integers.clear();
            buffer.texts.clear();
        }
    }

    /// Clears the unpacked rows after aggregation.
    pub(crate) fn clear_unpacked(&mut self) {
        for ScatterBuffer { unpacked: UnpackedRows { ids, units, days, flags, rows }, .. } in &mut self.buffers {
            ids.clear();
            units.clear();
            days.clear();
            flags.clear();
            rows.clear();
        }
    }
}

/// Adds a block of packed rows to a state; `codes` are their customers.
fn add_packed<K>(part: &mut State, rows: &[PackedRow<K>], codes: &[u32]) {
    let (mut days, mut units) = ([0; BLOCK], [0; BLOCK]);
    for ((day, units), row) in days.iter_mut().zip(&mut units).zip(rows) {
        (*day, *units) = (row.day(), row.units());
    }
    part.totals.grow(part.interner.len());
    let n = rows.len();
    let rows = RowSlice {
        codes,
        days: &days[..n],
        units: &units[..n],
        flags: &[0; BLOCK][..n],
        marks: None,
        // Row numbers are only needed for rows other than purchases.
        rows: RowNumbers::From(0),
        holes: false,
    };
    part.add_rows(&rows);
}

/// Counting sort of a block's rows by partition, so that each buffer is appended to once per block.
#[derive(Debug)]
struct Sorter {
    rows: [u16; BLOCK],
}

impl Sorter {
    /// Calls `write` with the rows of each partition; rows of [`NONE`] are left out.
    #[inline]
    fn sort(&mut self, partitions: &[u8], mut write: impl FnMut(usize, &[u16])) {
        let mut ends = [0_u16; PARTITIONS + 1];
        partitions.iter().for_each(|&partition| ends[usize::from(partition)] += 1);
        let mut sum = 0;
        for end in &mut ends {
            let count = *end;
            *end = sum;
            sum += count;
        }
        for (row, &partition) in (0..).zip(partitions) {
            let end = &mut ends[usize::from(partition)];
            self.rows[usize::from(*end)] = row;
            *end += 1;
        }
        let mut start = 0;
        for (partition, &end) in ends[..PARTITIONS].iter().enumerate() {
            if end > start {
                write(partition, &self.rows[usize::from(start)..usize::from(end)]);
            }
            start = end;
        }
    }
}

/// The batches of the push whose rows were scattered, to read byte-string ids from.
pub(crate) struct ScatterSource<'a> {
    columns: &'a [InputBatch],
    /// The number of the first row of each batch within the push.
    firsts: Vec<usize>,
}

impl<'a> ScatterSource<'a> {
    /// The batches of one push.
    pub(crate) fn new(columns: &'a [InputBatch]) -> Self {
        let firsts = columns.iter().scan(0, |sum, columns| {
            let first = *sum;
            *sum += columns.len();
            Some(first)
        });
        Self { columns, firsts: firsts.collect() }
    }

    /// Whether ids are byte strings.
    fn is_of_bytes(&self) -> bool {
        self.columns.first().is_some_and(|columns| matches!(columns.customer, KeyColumn::Plain(PlainKeys::Bytes(_))))
    }

    /// The byte string that is the id of a row.
    fn id(&self, row: usize) -> Result<&'a [u8]> {
        let batch = self.firsts.partition_point(|&first| first <= row).saturating_sub(1);
        match self.columns.get(batch).map(|columns| &columns.customer) {
            Some(KeyColumn::Plain(PlainKeys::Bytes(keys))) => Ok(ByteKeys::get(keys, row - self.firsts[batch])),
            _ => Err(Error::internal("a scattered row is in no batch of the push")),
        }
    }
}
