//! Blocks with their checksums, and the constants and limits of the file.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_schema::ArrowError;

pub(super) const MAGIC: &[u8] = b"ARROW1";
/// The magic, padded to the alignment of the first message.
pub(super) const HEAD: &[u8] = b"ARROW1\0\0";
/// Length of the footer and the magic.
pub(super) const END: u64 = 10;
/// Maximum length of a footer, so that a damaged length does not cause a large allocation.
pub(super) const LARGEST_FOOTER: u64 = 1 << 26;

pub(super) const FORMAT: &str = "custcore.format";
pub(super) const FORMAT_VERSION: &str = "custcore.format_version";
pub(super) const BLOCKS: &str = "custcore.blocks";
pub(super) const CHECKSUM: &str = "custcore.checksum";

/// Bytes under one checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CheckedBlock {
    pub(super) bytes: Range<u64>,
    pub(super) checksum: u128,
}

/// 32 hexadecimal digits.
pub(super) fn digits(checksum: u128) -> String {
    format!("{checksum:032x}")
}

/// Runs a part of the Arrow reader, which may panic on invalid files; a panic becomes an error.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err("its content is not valid Arrow data".to_owned()),
    }
}
