//! Files: the only room that touches them.
//!
//! [`atomic`] writes a file whole or not at all; [`blocks`] is an Arrow file with a checksum for each of its blocks, and [`state`]
//! puts a customer base into one; [`spill`] keeps in files what does not fit memory. [`model`] is the one format of fitted
//! models.

pub mod atomic;
pub mod blocks;
pub mod large;
pub mod model;
pub mod spill;
pub mod state;
