//! Names, limits and checksums of the format.

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_schema::ArrowError;

/// Entries of the metadata by name, in the order of the names.
pub type Entries = BTreeMap<String, String>;

pub(super) const MAGIC: &[u8] = b"ARROW1";
/// The magic, filled up to the alignment of the first message.
pub(super) const HEAD: &[u8] = b"ARROW1\0\0";
/// Length of the footer and the magic.
pub(super) const END: u64 = 10;
/// No footer is longer, so that a damaged length allocates nothing large.
pub(super) const LARGEST_FOOTER: u64 = 1 << 26;

pub(super) const FORMAT: &str = "custcore.format";
pub(super) const FORMAT_VERSION: &str = "custcore.format_version";
pub(super) const BLOCKS: &str = "custcore.blocks";
pub(super) const CHECKSUM: &str = "custcore.checksum";

/// What a file holds, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Its name, such as `customer base`.
    pub name: &'static str,
    /// Its version; files of a higher one are refused.
    pub version: u32,
}

/// Bytes under one checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) bytes: Range<u64>,
    pub(super) checksum: u128,
}

/// 32 hexadecimal digits.
pub(super) fn digits(checksum: u128) -> String {
    format!("{checksum:032x}")
}

/// Runs a part of the Arrow reader; it is written for files that were written well, and some others make it panic.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err("its content breaks the Arrow format".to_owned()),
    }
}
