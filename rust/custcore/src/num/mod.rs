//! Numerics: exact floating-point sums, fixed-point money, seeded random numbers.

pub mod exact;
pub mod money;
pub mod random;
