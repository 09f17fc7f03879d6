//! What is kept of a customer besides totals and days: one trait, which attributes implement and whatever comes later.
//!
//! An accumulator keeps values by key at three levels ([`Level`]), because an order is a purchase or not only once all its lines
//! are known: until then its values wait beside it, and move to the customer when it is closed as a purchase. Everything an
//! accumulator keeps merges in any order, so that neither threads nor batches show in a result.
//!
//! A new accumulator implements [`Accumulator`] in a file beside this one and is named in [`REGISTERED`]; the settings of a base
//! name it with its options ([`BaseSpec::accumulators`]), and its columns stand in the file of the base by the name of its group.

use std::any::Any;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Debug;

use arrow_array::ArrayRef;
use arrow_schema::{Field, FieldRef};

use super::attributes::Attribute;
#[cfg(test)]
use super::largest_amount::LargestAmount;
use super::spec::BaseSpec;
use crate::column::chunks::{InputBatch, InputSchema, TypedBlock};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::Threads;
use crate::group::interner::NO_CODE;

/// Makes an accumulator from its options; `None` where they are invalid.
type Make = fn(&str) -> Option<Box<dyn Accumulator>>;

/// The accumulators that settings can name. Attributes are not among them: each has a column of the input.
const REGISTERED: &[(&str, Make)] = &[
    #[cfg(test)]
    ("largest_amount", LargestAmount::make),
];

/// Whose a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// A customer's, by code.
    Customer,
    /// An order's that may get more lines, by position.
    Open,
    /// An order's that has lines on several days and gets no more of them, by position.
    Spread,
}

/// A block of rows of one batch.
#[derive(Debug, Clone, Copy)]
pub struct RowBlock<'a> {
    /// The columns of the batch.
    pub columns: &'a InputBatch,
    /// The row of the batch that the block begins with.
    pub start: usize,
    /// What the rows lack, their days and money.
    pub block: &'a TypedBlock,
}

/// What went wrong while columns of a file were read.
#[derive(Debug)]
pub enum Failure {
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
pub trait Accumulator: Debug + Send + Sync {
    /// A copy.
    fn boxed_clone(&self) -> Box<dyn Accumulator>;
    /// The same of no customers.
    fn empty_like(&self) -> Box<dyn Accumulator>;
    /// For a merge, which needs the type.
    fn as_any(&self) -> &dyn Any;
    /// The attribute that this is, if it is one.
    fn as_attribute(&self) -> Option<&Attribute> {
        None
    }

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
pub struct ByLevel<T>([Vec<Option<T>>; 3]);

impl<T> Default for ByLevel<T> {
    fn default() -> Self {
        Self([Vec::new(), Vec::new(), Vec::new()])
    }
}

impl<T: Copy> ByLevel<T> {
    /// What is known of a key.
    #[inline]
    pub fn get(&self, level: Level, key: u32) -> Option<T> {
        self.0[level as usize].get(key as usize).copied().flatten()
    }

    /// The place of a key.
    #[inline]
    pub fn place(&mut self, level: Level, key: u32) -> &mut Option<T> {
        let (values, key) = (&mut self.0[level as usize], key as usize);
        if key >= values.len() {
            values.resize(key + 1, None);
        }
        &mut values[key]
    }

    /// See [`Accumulator::resize`].
    pub fn resize(&mut self, level: Level, keys: usize) {
        let values = &mut self.0[level as usize];
        if keys > values.len() {
            values.resize(keys, None);
        }
    }

    /// See [`Accumulator::retain`].
    pub fn retain(&mut self, level: Level, keys: &[u32]) {
        self.0[level as usize] = keys.iter().map(|&key| self.get(level, key)).collect();
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|values| values.capacity() * size_of::<Option<T>>()).sum()
    }
}

/// All accumulators of a state.
#[derive(Debug, Default)]
pub struct Accumulators(Vec<Box<dyn Accumulator>>);

impl Clone for Accumulators {
    fn clone(&self) -> Self {
        Self(self.0.iter().map(|own| own.boxed_clone()).collect())
    }
}

/// An error where settings name an accumulator that there is not, or options that it does not take.
pub(super) fn check_names(names: &BTreeMap<String, String>) -> Result<()> {
    let unknown = names.iter().find(|(name, options)| make(name, options).is_none());
    unknown.map_or(Ok(()), |(name, options)| {
        let message = format!("there is no accumulator '{name}' with the options '{options}'");
        Err(Error::new(ErrorKind::InvalidArgument, message))
    })
}

fn make(name: &str, options: &str) -> Option<Box<dyn Accumulator>> {
    REGISTERED.iter().find(|(known, _)| *known == name).and_then(|(_, make)| make(options))
}

impl Accumulators {
    /// The accumulators of these settings, of no customers.
    pub fn new(spec: &BaseSpec, kinds: &InputSchema) -> Self {
        let attributes = spec.roles.attributes.iter().zip(&kinds.attributes).enumerate();
        let mut all: Vec<Box<dyn Accumulator>> = attributes
            .map(|(column, ((name, pick), (kind, value_type)))| -> Box<dyn Accumulator> {
                Box::new(Attribute::new(column, name, value_type, *kind, *pick))
            })
            .collect();
        all.extend(spec.accumulators.iter().filter_map(|(name, options)| make(name, options)));
        Self(all)
    }

    /// The same of no customers.
    #[must_use]
    pub fn empty_like(&self) -> Self {
        Self(self.0.iter().map(|own| own.empty_like()).collect())
    }

    /// Whether nothing is kept besides totals and days.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Accumulator> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// The one at a position.
    pub fn get_mut(&mut self, at: usize) -> Option<&mut Box<dyn Accumulator>> {
        self.0.get_mut(at)
    }

    /// The attributes, in the order of the settings.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.0.iter().filter_map(|own| own.as_attribute())
    }

    /// The attribute at a position, which must be there; attributes come before all others.
    #[inline]
    pub fn attribute(&self, at: usize) -> &Attribute {
        self.0[at].as_attribute().unwrap_or_else(|| unreachable!("an accumulator before the attributes"))
    }

    /// The attributes at these positions and nothing else.
    #[must_use]
    pub fn select_attributes(&self, positions: &[usize]) -> Self {
        Self(positions.iter().map(|&at| self.attribute(at).boxed_clone()).collect())
    }

    /// See [`Accumulator::resize`].
    pub fn resize(&mut self, level: Level, keys: usize) {
        self.0.iter_mut().for_each(|own| own.resize(level, keys));
    }

    /// See [`Accumulator::begin_batch`].
    pub fn begin_batch(&mut self) {
        self.0.iter_mut().for_each(|own| own.begin_batch());
    }

    /// See [`Accumulator::update`].
    pub fn update(&mut self, level: Level, keys: &[u32], rows: &RowBlock<'_>) -> Result<()> {
        if keys.iter().all(|&key| key == NO_CODE) {
            return Ok(());
        }
        self.0.iter_mut().try_for_each(|own| own.update(level, keys, rows))
    }

    /// See [`Accumulator::promote`].
    pub fn promote(&mut self, from: Level, to: Level, keys: &[(u32, u32)]) {
        if !keys.is_empty() {
            self.0.iter_mut().for_each(|own| own.promote(from, to, keys));
        }
    }

    /// See [`Accumulator::merge`].
    pub fn merge(&mut self, level: Level, other: &Self, keys: &[(u32, u32)]) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        self.0.iter_mut().zip(&other.0).try_for_each(|(own, other)| own.merge(level, other.as_ref(), keys))
    }

    /// See [`Accumulator::retain`].
    pub fn retain(&mut self, level: Level, keys: &[u32]) {
        self.0.iter_mut().for_each(|own| own.retain(level, keys));
    }

    /// See [`Accumulator::finish`].
    pub fn finish(&mut self) {
        self.0.iter_mut().for_each(|own| own.finish());
    }

    /// Bytes they take.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|own| own.bytes()).sum()
    }

    /// See [`Accumulator::check_room`].
    pub fn check_room(&self, other: &Self) -> Result<()> {
        self.0.iter().zip(&other.0).try_for_each(|(own, other)| own.check_room(other.as_ref()))
    }

    /// See [`Accumulator::check_past`].
    pub fn check_past(&self) -> Result<()> {
        self.0.iter().try_for_each(|own| own.check_past())
    }

    /// See [`Accumulator::compare`]; the first that differs decides.
    pub fn compare(&self, level: Level, a: u32, b: u32) -> Ordering {
        self.0.iter().map(|own| own.compare(level, a, b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

/// The error where two accumulators that should be merged are of two kinds.
pub fn unlike() -> Error {
    Error::internal("accumulators of two kinds were to be merged")
}
