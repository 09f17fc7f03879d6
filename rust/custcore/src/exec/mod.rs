//! Execution: threads, cancellation and progress of a call, memory, prefetching and wider vector registers.
//!
//! Only this module uses rayon (`clippy.toml` enforces it). Parallel code elsewhere needs a [`par::Threads`], which only a
//! [`context::Context`] hands out, so that no work can end up on rayon's global pool.

// The one place where rayon is used.
#![cfg_attr(
    feature = "parallel",
    expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "clippy.toml allows rayon here only")
)]

pub(crate) mod context;
pub(crate) mod hex;
pub(crate) mod memory;
#[cfg_attr(not(feature = "parallel"), path = "serial.rs")]
pub(crate) mod par;
#[cfg(feature = "parallel")]
mod pool;
pub(crate) mod simd;
