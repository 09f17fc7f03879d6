//! Execution: threads, cancellation and progress of a call, memory, prefetching and wider vector registers.

pub mod context;
pub mod memory;
pub mod simd;
