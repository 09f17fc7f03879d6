//! Grouping: keys of rows to dense codes, as an engine's `GROUP BY` does it. Knows nothing of customers.
//!
//! An [`interner::Interner`] assigns codes by the [`encoding`] that fits the keys (offset, dictionary or hash). Codes of several
//! threads are unified by sorting the keys ([`sort`], [`key_union`]).

pub mod encoding;
pub(crate) mod hash_table;
pub mod interner;
pub mod key_union;
pub mod keys;
pub(crate) mod lookup;
pub mod sort;
#[cfg(test)]
mod tests;
