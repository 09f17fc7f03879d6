//! Numbers: exact sums of floats, money in integer units, seeded random numbers.

pub mod exact;
pub mod money;
pub mod random;
