//! Files: the only room that touches them.
//!
//! [`atomic`] writes a file whole or not at all.

pub mod atomic;
