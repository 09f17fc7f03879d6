//! K-means: Lloyd's algorithm with exact pruning and exact sums.
//!
//! From given initial centres every iteration yields the labels and centres of plain Lloyd: squared distances in float64
//! with a fixed order of operations, ties to the lower index, means from exact sums and rounded once. Pruning is exact: a
//! distance is skipped only when bounds prove the label cannot change. Results therefore do not depend on the number of
//! threads, the batch layout or the CPU.

#![allow(clippy::inline_always, reason = "kernels use the target features of their caller only if inlined")]
#![allow(clippy::float_cmp, reason = "bitwise equality of floats is intended")]
#![allow(clippy::neg_cmp_op_on_partial_ord, reason = "a NaN comparison must count as uncertain")]
#![allow(clippy::many_single_char_names, reason = "x, c, d and k are the standard symbols")]

pub(crate) mod assign;
pub(crate) mod bounds;
pub(crate) mod breaks;
pub(crate) mod dispersion;
pub(crate) mod distinct;
pub(crate) mod filter;
pub(crate) mod fitted;
pub(crate) mod init;
pub(crate) mod kernel;
pub(crate) mod label;
pub(crate) mod lloyd;
pub(crate) mod means;
pub(crate) mod model;
pub(crate) mod normalization;
pub(crate) mod points;
pub(crate) mod predict;
pub(crate) mod problem;
pub(crate) mod profile;
pub(crate) mod quality;
pub(crate) mod reach;
pub(crate) mod read;
pub(crate) mod scaler;
pub(crate) mod scan;
pub(crate) mod search;
pub(crate) mod select;
pub(crate) mod share;
pub(crate) mod simd;
pub(crate) mod split;
pub(crate) mod sums;
pub(crate) mod table;
