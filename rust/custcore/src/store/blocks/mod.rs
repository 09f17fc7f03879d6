//! A checked Arrow file: an Arrow IPC file that any Arrow reader opens, of which every byte stands under a checksum.
//!
//! | block | bytes | its checksum stands in |
//! |---|---|---|
//! | header | magic and schema message | `custcore.blocks` |
//! | each record batch | its message and its buffers | `custcore.blocks` |
//! | tail | end mark, footer, length of the footer, magic | `custcore.checksum`, taken with its own digits as zeros |
//!
//! Blocks follow each other without a gap. Both entries are custom metadata of the footer; `custcore.blocks` has a line
//! `offset length checksum` for the header and each batch. The metadata of the schema say what is in the file
//! (`custcore.format`) and in which version (`custcore.format_version`). The same content is the same bytes: nothing
//! depends on the clock or on the order of a hash table. Dictionary columns are not taken, so that each batch can be read
//! without the others.
//!
//! The checksum is XXH3 of 128 bits. It is there against damage, which it finds at the speed of memory; it keeps nobody from
//! forging a file, and nothing in a file is ever executed.

mod footer;
mod reader;
mod writer;

pub use self::reader::Reader;
pub use self::writer::Writer;

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_schema::ArrowError;

/// Entries of the metadata by name, in the order of the names.
pub type Entries = BTreeMap<String, String>;

const MAGIC: &[u8] = b"ARROW1";
/// The magic, filled up to the alignment of the first message.
const HEAD: &[u8] = b"ARROW1\0\0";
/// Length of the footer and the magic.
const END: u64 = 10;
/// No footer is longer, so that a damaged length allocates nothing large.
const LARGEST_FOOTER: u64 = 1 << 26;

const FORMAT: &str = "custcore.format";
const FORMAT_VERSION: &str = "custcore.format_version";
const BLOCKS: &str = "custcore.blocks";
const CHECKSUM: &str = "custcore.checksum";

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
struct Block {
    bytes: Range<u64>,
    checksum: u128,
}

/// 32 hexadecimal digits.
fn digits(checksum: u128) -> String {
    format!("{checksum:032x}")
}

/// Runs a part of the Arrow reader; it is written for files that were written well, and some others make it panic.
fn guarded<T>(read: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err("its content breaks the Arrow format".to_owned()),
    }
}
