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
mod format;
mod reader;
mod writer;

pub use self::format::{Entries, Format};
pub use self::reader::Reader;
pub use self::writer::Writer;
