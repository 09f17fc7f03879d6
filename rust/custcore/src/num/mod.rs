//! Numerics: exact floating-point sums, Fisher's exact test, fixed-point money, seeded random numbers.

pub(crate) mod exact;
pub(crate) mod fisher;
pub(crate) mod money;
pub(crate) mod random;
