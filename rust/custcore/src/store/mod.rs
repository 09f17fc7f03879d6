//! Files: the only room that touches them.
//!
//! [`atomic`] writes a file whole or not at all, [`model`] is the one format of fitted models.

pub mod atomic;
pub mod model;
