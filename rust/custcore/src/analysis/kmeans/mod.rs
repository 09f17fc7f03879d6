//! K-means: plain Lloyd's algorithm, exact and fast.
//!
//! From given starting centres the result is that of plain Lloyd, iterate by iterate: squared distances in float64 by one
//! arithmetic, ties to the lower centre, means from exact sums and rounded once. Whatever saves work proves first that it
//! cannot change a label. So a result depends neither on threads, nor on how the rows are cut, nor on the machine.

#![allow(clippy::inline_always, reason = "a kernel gets the instructions of its path only where it is inlined")]
#![allow(clippy::float_cmp, reason = "whether floats are the same to the last bit is what is asked here")]
#![allow(clippy::neg_cmp_op_on_partial_ord, reason = "what is not surely greater, NaN with it, is not certain")]
#![allow(clippy::many_single_char_names, reason = "x, c, d and k are the names of the subject")]

pub mod assign;
pub mod breaks;
pub mod clusterer;
pub mod distinct;
pub mod filter;
pub mod init;
pub mod kernel;
pub mod label;
pub mod lanes;
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
pub mod spread;
pub mod sums;
pub mod table;
