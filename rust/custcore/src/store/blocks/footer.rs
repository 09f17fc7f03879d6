//! The footer: positions and checksums of the blocks.

use std::ops::Range;

use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::{KeyValue, root_as_footer};
use arrow_schema::{ArrowError, Schema};

use super::checked::{BLOCKS, CHECKSUM, CheckedBlock, FORMAT, FORMAT_VERSION, digits, guarded};
use super::format::{Entries, Format};

/// The content of a footer, not yet verified against its checksum.
#[derive(Debug)]
pub(super) struct Footer {
    /// Header and batches, contiguous from the first byte.
    pub blocks: Vec<CheckedBlock>,
    /// The record batches as Arrow blocks.
    pub batches: Vec<arrow_ipc::Block>,
    /// All other entries.
    pub entries: Entries,
    /// Position of the digits of the tail's checksum in the footer.
    pub digits: Range<usize>,
    /// The digits of the tail's checksum.
    pub checksum: String,
}

/// Why a footer was rejected.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The file has another format.
    Foreign(String),
    /// The file has a newer version.
    Newer(u32),
    /// The file has this format, but is damaged.
    Damaged(String),
}

impl Footer {
    /// Parses a footer, except for the schema.
    pub(super) fn read(bytes: &[u8], format: Format) -> Result<Self, Refusal> {
        // The flatbuffers verifier checks all offsets first; the guard is a second line of defence.
        guarded(|| Ok(Self::parse(bytes, format))).map_err(Refusal::Damaged)?
    }

    fn parse(bytes: &[u8], format: Format) -> Result<Self, Refusal> {
        let damaged = |what: &str| Refusal::Damaged(what.to_owned());
        let footer = root_as_footer(bytes).map_err(|_| damaged("its footer cannot be read"))?;
        let schema = footer.schema().ok_or_else(|| damaged("its footer has no schema"))?;
        check_format(schema.custom_metadata().into_iter().flatten(), format)?;
        if footer.dictionaries().is_some_and(|list| !list.is_empty()) {
            return Err(damaged("it contains dictionaries"));
        }
        let mut entries = Entries::new();
        let (mut blocks, mut checksum) = (None, None);
        for entry in footer.custom_metadata().into_iter().flatten() {
            let (Some(key), Some(value)) = (entry.key(), entry.value()) else {
                return Err(damaged("an entry of its footer has no value"));
            };
            match key {
                BLOCKS => blocks = Some(value),
                CHECKSUM => checksum = Some(value),
                _ => drop(entries.insert(key.to_owned(), value.to_owned())),
            }
        }
        let (Some(blocks), Some(checksum)) = (blocks, checksum) else { return Err(damaged("its footer has no checksums")) };
        let blocks = blocks_of(blocks).ok_or_else(|| damaged("the checksums in its footer cannot be read"))?;
        let batches: Vec<arrow_ipc::Block> = footer.recordBatches().into_iter().flatten().copied().collect();
        let agrees = |(batch, block): (&arrow_ipc::Block, &CheckedBlock)| {
            let parts = [batch.offset(), i64::from(batch.metaDataLength()), batch.bodyLength()].map(u64::try_from);
            let [Ok(start), Ok(message), Ok(body)] = parts else { return false };
            start == block.bytes.start && message.checked_add(body) == Some(block.bytes.end - block.bytes.start)
        };
        if blocks.len() != batches.len() + 1 || !batches.iter().zip(&blocks[1..]).all(agrees) {
            return Err(damaged("its footer contradicts itself"));
        }
        // `checksum` is a slice of `bytes`.
        let start = checksum.as_ptr() as usize - bytes.as_ptr() as usize;
        Ok(Self { blocks, batches, entries, digits: start..start + checksum.len(), checksum: checksum.to_owned() })
    }
}

/// The schema of a footer whose checksum was verified.
pub(super) fn schema_of(bytes: &[u8]) -> Result<Schema, String> {
    guarded(|| {
        let footer = root_as_footer(bytes).map_err(|error| ArrowError::ParseError(error.to_string()))?;
        try_fb_to_schema(footer.schema().ok_or_else(|| ArrowError::ParseError("no schema".to_owned()))?)
    })
}

fn check_format<'a>(entries: impl Iterator<Item = KeyValue<'a>>, format: Format) -> Result<(), Refusal> {
    let (mut name, mut version) = (None, None);
    for entry in entries {
        match entry.key() {
            Some(FORMAT) => name = entry.value(),
            Some(FORMAT_VERSION) => version = entry.value(),
            _ => {}
        }
    }
    match name {
        None => return Err(Refusal::Foreign("it is an Arrow file that was not written by custcore".to_owned())),
        Some(name) if name != format.name => return Err(Refusal::Foreign(format!("it contains a {}", name.escape_debug()))),
        Some(_) => {}
    }
    match version.and_then(|version| version.parse::<u32>().ok()) {
        Some(version) if version > format.version => Err(Refusal::Newer(version)),
        Some(1..) => Ok(()),
        _ => Err(Refusal::Damaged("its version cannot be read".to_owned())),
    }
}

/// Formats blocks as one line each.
pub(super) fn text_of(blocks: &[CheckedBlock]) -> String {
    let line = |block: &CheckedBlock| {
        let Range { start, end } = block.bytes;
        format!("{start} {} {}\n", end - start, digits(block.checksum))
    };
    blocks.iter().map(line).collect()
}

/// Parses blocks, which must be contiguous from 0 on.
fn blocks_of(text: &str) -> Option<Vec<CheckedBlock>> {
    let mut next = 0;
    text.lines()
        .map(|line| {
            let mut parts = line.split(' ');
            let (start, len, checksum) = (parts.next()?.parse::<u64>().ok()?, parts.next()?.parse::<u64>().ok()?, parts.next()?);
            let end = start.checked_add(len)?;
            let is_next = start == next && len > 0 && checksum.len() == 32 && parts.next().is_none();
            next = end;
            is_next.then_some(CheckedBlock { bytes: start..end, checksum: u128::from_str_radix(checksum, 16).ok()? })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_formatted_as_lines() {
        let blocks = [CheckedBlock { bytes: 0..8, checksum: 255 }, CheckedBlock { bytes: 8..72, checksum: u128::MAX }];
        let text = text_of(&blocks);
        assert_eq!(text, format!("0 8 {}ff\n8 64 {}\n", "0".repeat(30), "f".repeat(32)));
        assert_eq!(blocks_of(&text).as_deref(), Some(&blocks[..]));
    }

    #[test]
    fn blocks_with_gaps_or_invalid_sizes_are_rejected() {
        let sum = "0".repeat(32);
        for lines in [
            format!("1 8 {sum}"),
            format!("0 0 {sum}"),
            format!("0 8 {sum}\n9 8 {sum}"),
            format!("0 {} {sum}\n{} 1 {sum}", u64::MAX, u64::MAX),
            "0 8 12".to_owned(),
            format!("0 8 {sum} 4"),
            "0 8".to_owned(),
            format!("0 -8 {sum}"),
        ] {
            assert_eq!(blocks_of(&lines), None, "{lines}");
        }
    }
}
