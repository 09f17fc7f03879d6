//! File formats for bytes and record batches, independent of customers.
//!
//! [`atomic`] replaces files atomically; [`blocks`] is an Arrow file with a checksum for each block.

pub mod atomic;
pub mod blocks;
