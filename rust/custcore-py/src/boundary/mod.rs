//! The only module of the binding with `unsafe`: import and export through Arrow's C data interface, and memory shared with
//! numpy.
//!
//! This is custom code instead of a crate for two reasons: imported data are validated before use, and streams are read
//! without the GIL.

mod buffers;
pub mod export;
pub mod header;
mod import;
pub mod matrix;
pub mod memory;
pub mod raw;
pub mod source;
