//! Ids of several columns to byte strings.

use std::sync::Arc;

use arrow_array::{ArrayRef, GenericBinaryArray, OffsetSizeTrait};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use super::{END, ESCAPE, ZERO};
use crate::column::BLOCK;
use crate::column::key::{ByteKeys, DictionaryKeys, IntegerKeys, Key, KeyColumn, KeyKind, PlainKeys};
use crate::error::{Error, Result};
use crate::exec::par::Threads;

/// Encoded values up to this length are copied as one word.
const SHORT: usize = 16;
/// The ids of several columns as one column of encoded ids. An id is null if a part is.
pub(crate) fn encode(parts: &[KeyColumn], rows: usize, threads: Threads<'_>) -> Result<KeyColumn> {
    let nulls = parts.iter().fold(None, |nulls, part| NullBuffer::union(nulls.as_ref(), nulls_of(part, rows).as_ref()));
    let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
    let encoders = part_encoders(parts, rows);
    let chunks = threads.par_chunks(rows, |run| {
        let mut writer = Writer { bytes: Vec::with_capacity(run.len() * 8 * parts.len()), end: 0 };
        let mut lengths = Vec::with_capacity(run.len());
        let mut blocks = vec![[0; BLOCK]; parts.len()];
        for start in run.clone().step_by(BLOCK) {
            let block = start..run.end.min(start + BLOCK);
            for (encoder, values) in encoders.iter().zip(&mut blocks) {
                encoder.read(block.start, &mut values[..block.len()]);
            }
            for (i, row) in block.enumerate() {
                let before = writer.end;
                if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                    for (encoder, values) in encoders.iter().zip(&blocks) {
                        encoder.write(row, values[i], &mut writer);
                    }
                }
                lengths.push(writer.end - before);
            }
        }
        writer.bytes.truncate(writer.end);
        (writer.bytes, lengths)
    });
    let bytes: usize = chunks.iter().map(|(bytes, _)| bytes.len()).sum();
    let array: ArrayRef = if i32::try_from(bytes).is_ok() {
        Arc::new(binary_array::<i32>(chunks, nulls, threads)?)
    } else {
        Arc::new(binary_array::<i64>(chunks, nulls, threads)?)
    };
    KeyColumn::new("id", "id", &array)
}

/// One id; `None` if a part is null or an integer beyond 64 bits.
pub(crate) fn encode_one(parts: &[Key<'_>]) -> Option<Vec<u8>> {
    let mut writer = Writer { bytes: Vec::new(), end: 0 };
    for (at, part) in parts.iter().enumerate() {
        let is_last = at + 1 == parts.len();
        match *part {
            Key::Null | Key::Scalar(..) => return None,
            Key::Integer(id) => {
                let (word, len) = match i64::try_from(id) {
                    Ok(id) => signed(id),
                    Err(_) => unsigned(u64::try_from(id).ok()?),
                };
                writer.short(&word, len);
            }
            Key::Text(id) => writer.string(id.as_bytes(), is_last),
            Key::Binary(id) => writer.string(id, is_last),
        }
    }
    writer.bytes.truncate(writer.end);
    Some(writer.bytes)
}

/// Null rows, including those whose dictionary value is null.
fn nulls_of(column: &KeyColumn, rows: usize) -> Option<NullBuffer> {
    let KeyColumn::Dictionary(keys) = column else { return column.nulls().cloned() };
    let Some(values) = keys.values().nulls().filter(|nulls| nulls.null_count() > 0) else { return column.nulls().cloned() };
    let mut positions = Vec::new();
    let mut valid = Vec::with_capacity(rows);
    for start in (0..rows).step_by(BLOCK) {
        keys.read_positions(start, BLOCK.min(rows - start), &mut positions);
        let is_valid = |row: usize| column.nulls().is_none_or(|nulls| nulls.is_valid(row));
        valid.extend((start..).zip(&positions).map(|(row, &position)| is_valid(row) && values.is_valid(position as usize)));
    }
    Some(NullBuffer::new(BooleanBuffer::from(valid)))
}

/// How the values of one part are encoded.
enum PartEncoder<'a> {
    /// Integers; the values are ids.
    Integers(&'a IntegerKeys, KeyKind),
    /// Strings, and whether they are the last part.
    Bytes(&'a ByteKeys, bool),
    /// Values that are encoded once each; the values are positions.
    Encoded(&'a DictionaryKeys, EncodedValues),
    /// A dictionary with more values than rows; the values are positions.
    Dictionary(&'a DictionaryKeys, bool),
}

fn part_encoders(parts: &[KeyColumn], rows: usize) -> Vec<PartEncoder<'_>> {
    let encoder = |at: usize| {
        let is_last = at + 1 == parts.len();
        match &parts[at] {
            part @ KeyColumn::Plain(PlainKeys::Integers(keys)) => PartEncoder::Integers(keys, part.kind()),
            KeyColumn::Plain(PlainKeys::Bytes(keys)) => PartEncoder::Bytes(keys, is_last),
            KeyColumn::Dictionary(keys) if keys.values().len() > rows => PartEncoder::Dictionary(keys, is_last),
            KeyColumn::Dictionary(keys) => PartEncoder::Encoded(keys, EncodedValues::of(keys.values(), is_last)),
        }
    };
    (0..parts.len()).map(encoder).collect()
}

impl PartEncoder<'_> {
    /// Reads the values of a block, if they are numbers.
    fn read(&self, start: usize, values: &mut [i64]) {
        match self {
            Self::Integers(keys, _) => keys.read(start, values),
            Self::Encoded(keys, _) | Self::Dictionary(keys, _) => keys.read(start, values),
            Self::Bytes(_, _) => {}
        }
    }

    /// Appends the value of a row that is not null.
    #[inline]
    fn write(&self, row: usize, value: i64, writer: &mut Writer) {
        match self {
            Self::Integers(_, kind) => {
                let (word, len) = stored_integer(value, *kind);
                writer.short(&word, len);
            }
            Self::Bytes(keys, is_last) => writer.string(keys.get(row), *is_last),
            Self::Encoded(_, values) => values.write(value as usize, writer),
            Self::Dictionary(keys, is_last) => write_plain(keys.values(), value as usize, *is_last, writer),
        }
    }
}

/// Appends one value of a dictionary, which is not null.
fn write_plain(values: &PlainKeys, at: usize, is_last: bool, writer: &mut Writer) {
    match values {
        PlainKeys::Integers(keys) => {
            let mut id = [0];
            keys.read(at, &mut id);
            let (word, len) = stored_integer(id[0], values.kind());
            writer.short(&word, len);
        }
        PlainKeys::Bytes(keys) => writer.string(keys.get(at), is_last),
    }
}

/// The encoded values of a dictionary.
struct EncodedValues {
    bytes: Vec<u8>,
    /// Start, length and first bytes of each value.
    values: Vec<(usize, usize, [u8; SHORT])>,
}

impl EncodedValues {
    fn of(keys: &PlainKeys, is_last: bool) -> Self {
        let mut writer = Writer { bytes: Vec::new(), end: 0 };
        let mut ends = Vec::with_capacity(keys.len());
        for at in 0..keys.len() {
            let start = writer.end;
            if keys.nulls().is_none_or(|nulls| nulls.is_valid(at)) {
                write_plain(keys, at, is_last, &mut writer);
            }
            ends.push((start, writer.end - start));
        }
        writer.room(SHORT);
        let bytes = writer.bytes;
        let word = |start: usize| bytes[start..start + SHORT].first_chunk().copied().unwrap_or_default();
        let values = ends.into_iter().map(|(start, len)| (start, len, word(start))).collect();
        Self { bytes, values }
    }

    #[inline]
    fn write(&self, at: usize, writer: &mut Writer) {
        let (start, len, word) = &self.values[at];
        if *len <= SHORT { writer.short(word, *len) } else { writer.raw(&self.bytes[*start..start + len]) }
    }
}

/// A growing buffer; bytes beyond `end` are scratch.
struct Writer {
    bytes: Vec<u8>,
    end: usize,
}

impl Writer {
    /// Makes room for some bytes beyond the end.
    #[inline]
    fn room(&mut self, more: usize) {
        if self.bytes.len() < self.end + more {
            self.bytes.resize((2 * self.bytes.len()).max(self.end + more).max(self.bytes.capacity()), 0);
        }
    }

    /// Appends the first `len` bytes of a word.
    #[inline]
    fn short(&mut self, word: &[u8; SHORT], len: usize) {
        self.room(SHORT);
        self.bytes[self.end..self.end + SHORT].copy_from_slice(word);
        self.end += len;
    }

    fn raw(&mut self, value: &[u8]) {
        self.room(value.len());
        self.bytes[self.end..self.end + value.len()].copy_from_slice(value);
        self.end += value.len();
    }

    #[inline]
    fn string(&mut self, value: &[u8], is_last: bool) {
        if is_last {
            return self.raw(value);
        }
        self.room(2 * value.len() + 1);
        for &byte in value {
            if byte <= ESCAPE {
                self.bytes[self.end] = ESCAPE;
                self.bytes[self.end + 1] = byte + 1;
                self.end += 2;
            } else {
                self.bytes[self.end] = byte;
                self.end += 1;
            }
        }
        self.bytes[self.end] = END;
        self.end += 1;
    }
}

/// An integer as [`IntegerKeys::read`] gives it.
#[inline]
fn stored_integer(id: i64, kind: KeyKind) -> ([u8; SHORT], usize) {
    if kind == KeyKind::Unsigned { unsigned((id ^ i64::MIN) as u64) } else { signed(id) }
}

#[inline]
fn signed(id: i64) -> ([u8; SHORT], usize) {
    // The bytes that tell the number from 0 or -1.
    let n = significant((id ^ (id >> 63)) as u64);
    let first = if id < 0 { ZERO - 1 - n as u8 } else { ZERO + n as u8 };
    word(first, id as u64, n)
}

#[inline]
fn unsigned(id: u64) -> ([u8; SHORT], usize) {
    let n = significant(id);
    word(ZERO + n as u8, id, n)
}

#[inline]
fn significant(bits: u64) -> u32 {
    8 - bits.leading_zeros() / 8
}

#[inline]
fn word(first: u8, bits: u64, n: u32) -> ([u8; SHORT], usize) {
    let body = bits.unbounded_shl(64 - 8 * n);
    ((u128::from(first) << 120 | u128::from(body) << 56).to_be_bytes(), 1 + n as usize)
}

/// Encoded ids of consecutive chunks as one array; copies in parallel.
fn binary_array<O: OffsetSizeTrait>(
    chunks: Vec<(Vec<u8>, Vec<usize>)>,
    nulls: Option<NullBuffer>,
    threads: Threads<'_>,
) -> Result<GenericBinaryArray<O>> {
    let rows: usize = chunks.iter().map(|(_, lengths)| lengths.len()).sum();
    let total: usize = chunks.iter().map(|(bytes, _)| bytes.len()).sum();
    let (mut offsets, mut values) = (vec![O::usize_as(0); rows + 1], vec![0; total]);
    let (mut rest_offsets, mut rest_values, mut begin) = (&mut offsets[1..], values.as_mut_slice(), 0);
    let mut pieces = Vec::with_capacity(chunks.len());
    for (bytes, lengths) in chunks {
        let (own_offsets, after) = rest_offsets.split_at_mut(lengths.len());
        let (own_values, after_values) = rest_values.split_at_mut(bytes.len());
        (rest_offsets, rest_values) = (after, after_values);
        let start = begin;
        begin += bytes.len();
        pieces.push((start, bytes, lengths, own_offsets, own_values));
    }
    threads.par_tasks(pieces, |(start, bytes, lengths, offsets, values): (usize, Vec<u8>, Vec<usize>, &mut [O], &mut [u8])| {
        values.copy_from_slice(&bytes);
        let mut end = start;
        for (offset, length) in offsets.iter_mut().zip(lengths) {
            end += length;
            *offset = O::usize_as(end);
        }
    });
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    GenericBinaryArray::try_new(offsets, Buffer::from_vec(values), nulls).map_err(Error::internal)
}
