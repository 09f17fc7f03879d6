//! Numerics: exact floating-point sums, Fisher's exact test, fixed-point money, normal quantiles, quadrature, seeded random numbers and
//! variates, special functions, ln(1 + e^z) of whole columns.

pub(crate) mod exact;
pub(crate) mod fisher;
pub(crate) mod money;
pub(crate) mod normal;
pub(crate) mod quadrature;
pub(crate) mod random;
pub(crate) mod random_variates;
pub(crate) mod softplus;
pub(crate) mod special;
