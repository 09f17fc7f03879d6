//! Files: bytes and batches, nothing of customers. The only module that touches files.
//!
//! [`atomic`] writes a file whole or not at all; [`blocks`] is an Arrow file with a checksum for each of its blocks.

pub mod atomic;
pub mod blocks;
