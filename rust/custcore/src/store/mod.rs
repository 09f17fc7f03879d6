//! File formats for bytes and record batches, independent of customers.
//!
//! [`atomic`] replaces files atomically; [`blocks`] is an Arrow file with a checksum for each block; [`scratch`] has temporary files.

pub(crate) mod atomic;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, dead_code, reason = "internals re-exports some of its items"))]
pub(crate) mod blocks;
pub(crate) mod scratch;
