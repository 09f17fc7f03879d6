//! Numerics: exact floating-point sums, fixed-point money, seeded random numbers.

pub(crate) mod exact;
pub(crate) mod money;
pub(crate) mod random;
