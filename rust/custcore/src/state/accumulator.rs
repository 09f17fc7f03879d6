//! The trait of per-customer values besides totals and days. Attributes and cells implement it.
//!
//! An accumulator keeps values by key at three levels ([`Level`]), because the class of an order is known only after all its
//! lines are read: until then the values belong to the order, and move to the customer when it is closed as a purchase. All
//! values merge in any order, so results do not depend on threads or batches.
//!
//! A new accumulator implements [`Accumulator`] in a file beside this one and is registered in `accumulators.rs`; the settings of a base
//! name it with its options (`BaseSpec::accumulators`), and its columns are in the file of the base under the name of its group.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt::Debug;
use std::ops::Range;

use arrow_array::ArrayRef;
use arrow_schema::{Field, FieldRef};

use crate::column::chunks::{InputBatch, TypedBlock};
use crate::error::{Error, Result};
use crate::exec::par::Threads;

/// The owner of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// A customer, by code.
    Customer,
    /// An open order, by position.
    Open,
    /// A closed split order, by position.
    Split,
}

/// A block of rows of one batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowBlock<'a> {
    /// The columns of the batch.
    pub columns: &'a InputBatch,
    /// First row of the block in the batch.
    pub start: usize,
    /// Flags, days and amounts of the rows.
    pub block: &'a TypedBlock,
}

/// An error while reading columns of a file.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Invalid content.
    Content(&'static str),
    /// Any other error.
    Other(Error),
}

impl From<&'static str> for Failure {
    fn from(what: &'static str) -> Self {
        Self::Content(what)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// Per-customer values besides totals and days.
pub(crate) trait Accumulator: Debug + Send + Sync {
    fn boxed_clone(&self) -> Box<dyn Accumulator>;
    /// An empty instance with the same settings.
    fn empty_like(&self) -> Box<dyn Accumulator>;
    /// For downcasting in a merge.
    fn as_any(&self) -> &dyn Any;

    /// Grows to `keys` keys.
    fn resize(&mut self, level: Level, keys: usize);
    /// Rows of another batch follow, possibly with other dictionaries.
    fn begin_batch(&mut self) {}
    /// Adds the rows of a block: row i to key `keys[i]`; [`NO_CODE`] skips the row. Rows at level customer are purchases.
    fn update(&mut self, level: Level, keys: &[u32], rows: &RowBlock<'_>) -> Result<()>;
    /// Adds the rows of a block that are refunds, by customer: they lower sums and are no purchases.
    fn update_refunds(&mut self, _keys: &[u32], _rows: &RowBlock<'_>) -> Result<()> {
        Ok(())
    }
    /// Adds values of one level to another: (source key, target key). Orders that move to customers are purchases.
    fn promote(&mut self, from: Level, to: Level, keys: &[(u32, u32)]);
    /// Adds the values of orders that are refunds to their customers: (order, customer).
    fn promote_refunds(&mut self, _from: Level, _keys: &[(u32, u32)]) {}
    /// Merges an accumulator with the same settings: (its key, key here).
    fn merge(&mut self, level: Level, other: &dyn Accumulator, keys: &[(u32, u32)]) -> Result<()>;
    /// Removes the values of these keys, which stay.
    fn clear(&mut self, level: Level, keys: &[u32]);
    /// Keeps the values of these keys only, renumbered from 0.
    fn retain(&mut self, level: Level, keys: &[u32]);
    /// Frees the buffers of an update; no rows follow.
    fn finish(&mut self) {}
    /// Merges what is kept in several pieces.
    fn settle(&mut self) {}
    /// Size in bytes.
    fn bytes(&self) -> usize;
    /// An error if merging all of these would exceed a limit, so that [`Accumulator::merge`] cannot fail halfway.
    fn check_room(&self, _others: &[&dyn Accumulator]) -> Result<()> {
        Ok(())
    }
    /// Leaves out what came after a day. An error if values as of a past day are not available.
    fn look_back(&mut self, _until: i32) -> Result<()> {
        Ok(())
    }
    /// Number of entries of each of these keys, if a key has many.
    fn counts(&self, _level: Level, _keys: Range<u32>) -> Option<Vec<u32>> {
        None
    }

    /// The name of the struct column that contains its column. Accumulators of one group are adjacent.
    fn group(&self) -> &'static str;
    /// The field of its column in a file.
    fn field(&self) -> FieldRef;
    /// Writes its column for some keys; `field` is that of the file, whose types may be wider.
    fn write(&self, field: &Field, keys: &[(Level, u32)]) -> Result<ArrayRef>;
    /// Reads its column for some keys, which have no values yet.
    fn read(&mut self, keys: &[(Level, u32)], column: &ArrayRef, threads: Threads<'_>) -> Result<(), Failure>;
    /// Compares the values of two keys by content.
    fn compare(&self, level: Level, a: u32, b: u32) -> Ordering;
}

/// Optional values by key at each level.
#[derive(Debug, Clone)]
pub(crate) struct ByLevel<T>([Vec<Option<T>>; 3]);

impl<T> Default for ByLevel<T> {
    fn default() -> Self {
        Self([Vec::new(), Vec::new(), Vec::new()])
    }
}

impl<T: Copy> ByLevel<T> {
    /// The value of a key.
    #[inline]
    pub(crate) fn get(&self, level: Level, key: u32) -> Option<T> {
        self.0[level as usize].get(key as usize).copied().flatten()
    }

    /// Mutable access to the value of a key.
    #[inline]
    pub(crate) fn place(&mut self, level: Level, key: u32) -> &mut Option<T> {
        let (values, key) = (&mut self.0[level as usize], key as usize);
        if key >= values.len() {
            values.resize(key + 1, None);
        }
        &mut values[key]
    }

    /// See [`Accumulator::resize`].
    pub(crate) fn resize(&mut self, level: Level, keys: usize) {
        let values = &mut self.0[level as usize];
        if keys > values.len() {
            values.resize(keys, None);
        }
    }

    /// See [`Accumulator::clear`].
    pub(crate) fn clear(&mut self, level: Level, keys: &[u32]) {
        let values = &mut self.0[level as usize];
        keys.iter().for_each(|&key| values.get_mut(key as usize).into_iter().for_each(|value| *value = None));
    }

    /// See [`Accumulator::retain`].
    pub(crate) fn retain(&mut self, level: Level, keys: &[u32]) {
        self.0[level as usize] = keys.iter().map(|&key| self.get(level, key)).collect();
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.iter().map(|values| values.capacity() * size_of::<Option<T>>()).sum()
    }
}

/// The error for a merge of accumulators of different types.
pub(crate) fn unlike() -> Error {
    Error::internal("accumulators of different types cannot be merged")
}
