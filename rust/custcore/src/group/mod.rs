//! Grouping: keys of rows to dense codes, as an engine's `GROUP BY` does it. Knows nothing of customers.
//!
//! An [`interner::Interner`] assigns codes by the [`encoding`] that fits the keys (offset, dictionary or hash). Codes of several
//! threads are unified by sorting the keys ([`sort`], [`key_union`]).

pub(crate) mod arena;
pub(crate) mod byte_id;
pub(crate) mod dictionary_union;
pub(crate) mod encoding;
pub(crate) mod hash_table;
pub(crate) mod id_ranks;
pub(crate) mod intern_rows;
pub(crate) mod interner;
pub(crate) mod key_union;
pub(crate) mod keys;
pub(crate) mod lookup;
pub(crate) mod sort;
#[cfg(test)]
mod tests;
mod uuid;
