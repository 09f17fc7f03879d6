//! Execution: threads, cancellation and progress of a call, prefetching and wider vector registers.

pub mod context;
pub mod simd;
