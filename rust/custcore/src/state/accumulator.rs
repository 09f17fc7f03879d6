//! What is kept of a customer besides totals and days: one trait, which attributes implement and whatever comes later.
//!
//! An accumulator keeps values by key at three levels ([`Level`]), because an order is a purchase or not only once all its lines
//! are known: until then its values wait beside it, and move to the customer when it is closed as a purchase. Everything an
//! accumulator keeps merges in any order, so that neither threads nor batches show in a result.
//!
//! A new accumulator implements [`Accumulator`] in a file beside this one and is registered in `accumulators.rs`; the settings of a base
//! name it with its options (`BaseSpec::accumulators`), and its columns stand in the file of the base by the name of its group.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt::Debug;

use arrow_array::ArrayRef;
use arrow_schema::{Field, FieldRef};

use crate::column::chunks::{InputBatch, TypedBlock};
use crate::error::{Error, Result};
use crate::exec::par::Threads;

/// Whose a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// A customer's, by code.
    Customer,
    /// An order's that may get more lines, by position.
    Open,
    /// An order's that has lines on several days and gets no more of them, by position.
    Split,
}

/// A block of rows of one batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowBlock<'a> {
    /// The columns of the batch.
    pub columns: &'a InputBatch,
    /// The row of the batch that the block begins with.
    pub start: usize,
    /// What the rows lack, their days and money.
    #[cfg_attr(not(test), expect(dead_code, reason = "attributes need no amounts; the accumulator of the tests does"))]
    pub block: &'a TypedBlock,
}

/// What went wrong while columns of a file were read.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Its content.
    Content(&'static str),
    /// Something else.
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

/// Something kept of each customer besides totals and days.
pub(crate) trait Accumulator: Debug + Send + Sync {
    /// A copy.
    fn boxed_clone(&self) -> Box<dyn Accumulator>;
    /// The same of no customers.
    fn empty_like(&self) -> Box<dyn Accumulator>;
    /// For a merge, which needs the type.
    fn as_any(&self) -> &dyn Any;

    /// Makes room for the keys below `keys`.
    fn resize(&mut self, level: Level, keys: usize);
    /// Rows of another batch follow, whose dictionaries are others.
    fn begin_batch(&mut self) {}
    /// Adds the rows of a block: row i to key `keys[i]`, or to none where that is [`NO_CODE`]. Rows of a customer are purchases.
    fn update(&mut self, level: Level, keys: &[u32], rows: &RowBlock<'_>) -> Result<()>;
    /// Adds what is known at a level to another: (key there, key here).
    fn promote(&mut self, from: Level, to: Level, keys: &[(u32, u32)]);
    /// Adds what another accumulator of the same settings knows: (its key, key here).
    fn merge(&mut self, level: Level, other: &dyn Accumulator, keys: &[(u32, u32)]) -> Result<()>;
    /// Keeps what is known of these keys only, which become 0, 1, 2 and so on.
    fn retain(&mut self, level: Level, keys: &[u32]);
    /// Gives up what only an update needs; no rows follow.
    fn finish(&mut self) {}
    /// Bytes it takes.
    fn bytes(&self) -> usize;
    /// An error where this and another are too much for one, so that [`Accumulator::merge`] cannot fail halfway.
    fn check_room(&self, _other: &dyn Accumulator) -> Result<()> {
        Ok(())
    }
    /// An error where it cannot be known as of a past day.
    fn check_past(&self) -> Result<()> {
        Ok(())
    }

    /// The name of the struct column that its column is in; accumulators of one group follow each other.
    fn group(&self) -> &'static str;
    /// Its column in a file.
    fn field(&self) -> FieldRef;
    /// Its column for some keys; `field` is that of the file, whose types may be wider.
    fn write(&self, field: &Field, keys: &[(Level, u32)]) -> Result<ArrayRef>;
    /// Reads its column for some keys, of which nothing is known yet.
    fn read(&mut self, keys: &[(Level, u32)], column: &ArrayRef, threads: Threads<'_>) -> Result<(), Failure>;
    /// How what is known of two keys compares, by content alone.
    fn compare(&self, level: Level, a: u32, b: u32) -> Ordering;
}

/// Values by key at each level; nothing for a key that was not seen.
#[derive(Debug, Clone)]
pub(crate) struct ByLevel<T>([Vec<Option<T>>; 3]);

impl<T> Default for ByLevel<T> {
    fn default() -> Self {
        Self([Vec::new(), Vec::new(), Vec::new()])
    }
}

impl<T: Copy> ByLevel<T> {
    /// What is known of a key.
    #[inline]
    pub(crate) fn get(&self, level: Level, key: u32) -> Option<T> {
        self.0[level as usize].get(key as usize).copied().flatten()
    }

    /// The place of a key.
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

    /// See [`Accumulator::retain`].
    pub(crate) fn retain(&mut self, level: Level, keys: &[u32]) {
        self.0[level as usize] = keys.iter().map(|&key| self.get(level, key)).collect();
    }

    /// Bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.iter().map(|values| values.capacity() * size_of::<Option<T>>()).sum()
    }
}

/// The error where two accumulators that should be merged are of two kinds.
pub(crate) fn unlike() -> Error {
    Error::internal("accumulators of two kinds were to be merged")
}
