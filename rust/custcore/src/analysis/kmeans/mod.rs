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

pub mod assign;
pub mod bounds;
pub mod breaks;
pub mod dispersion;
pub mod distinct;
pub mod fitted;
pub mod init;
pub mod kernel;
pub mod label;
pub mod lloyd;
pub mod means;
pub mod model;
pub mod points;
pub mod predict;
pub mod problem;
pub mod profile;
pub mod quality;
pub mod read;
pub mod scaler;
pub mod scan;
pub mod select;
pub mod share;
pub mod simd;
pub mod sums;
pub mod table;
