//! File formats for bytes and record batches, independent of customers.
//!
//! [`atomic`] replaces files atomically, by way of a [`draft`]; [`regular`] opens them for reading; [`scratch`] has temporary files;
//! [`blocks`] is an Arrow file with a checksum for each block.

pub(crate) mod atomic;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, dead_code, reason = "internals re-exports some of its items"))]
pub(crate) mod blocks;
pub(crate) mod bytes;
pub(crate) mod draft;
mod permissions;
pub(crate) mod regular;
pub(crate) mod scratch;
