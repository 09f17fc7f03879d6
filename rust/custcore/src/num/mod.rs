//! Numerics: exact floating-point sums, sums of products in 256 bits, fixed-point money, quadrature, seeded random numbers and variates, special functions,
//! ln(1 + e^z) of whole columns; the normal, Student's t and chi-squared distribution, intervals of proportions, Fisher's exact test.

pub(crate) mod chi_squared;
pub(crate) mod exact;
pub(crate) mod fisher;
pub(crate) mod money;
pub(crate) mod normal;
pub(crate) mod proportion;
pub(crate) mod quadrature;
pub(crate) mod random;
pub(crate) mod random_variates;
pub(crate) mod softplus;
pub(crate) mod special;
pub(crate) mod student;
pub(crate) mod wide;
