//! A checksummed Arrow file: an Arrow IPC file, readable by any Arrow reader, whose bytes are all covered by checksums.
//!
//! | block | bytes | checksum stored in |
//! |---|---|---|
//! | header | magic and schema message | `custcore.blocks` |
//! | each record batch | its message and its buffers | `custcore.blocks` |
//! | tail | end marker, footer, length of the footer, magic | `custcore.checksum`, computed with its own digits set to zero |
//!
//! Blocks are contiguous. Both entries are custom metadata of the footer; `custcore.blocks` has a line
//! `offset length checksum` for the header and each batch. The schema metadata state the type of content
//! (`custcore.format`) and its version (`custcore.format_version`). Equal content gives equal bytes: nothing depends on the
//! clock or on the order of a hash table. Dictionary columns are not allowed, so that each batch can be read independently.
//!
//! The checksum is 128-bit XXH3. It detects damage at memory speed; it does not protect against forgery. Nothing in a file is
//! ever executed.

mod format;

#[cfg(feature = "bases")]
mod checked;
#[cfg(feature = "bases")]
mod footer;
#[cfg(feature = "bases")]
mod reader;
#[cfg(feature = "bases")]
mod writer;

#[cfg(not(feature = "bases"))]
mod absent;

#[cfg(not(feature = "bases"))]
pub use self::absent::{Reader, Writer};
pub(crate) use self::format::Entries;
pub use self::format::Format;
#[cfg(feature = "bases")]
pub use self::{reader::Reader, writer::Writer};
