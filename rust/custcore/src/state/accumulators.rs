//! The accumulators of a state, and the registry of accumulators by name.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

use super::accumulator::{Accumulator, Level, RowBlock};
use super::attributes::Attribute;
use super::cells::{CellRole, Cells};
#[cfg(test)]
use super::largest_amount::LargestAmount;
use crate::column::chunks::{ColumnRoles, InputSchema};
use crate::error::{Error, ErrorKind, Result};
use crate::group::interner::NO_CODE;

/// Creates an accumulator from its options; `None` if they are invalid.
type Make = fn(&str) -> Option<Box<dyn Accumulator>>;

/// The accumulators that can be named in the settings. Attributes are not listed: they are configured by input column.
const REGISTERED: &[(&str, Make)] = &[
    #[cfg(test)]
    ("largest_amount", LargestAmount::make),
];

/// All accumulators of a state.
#[derive(Debug, Default)]
pub(crate) struct Accumulators(Vec<Box<dyn Accumulator>>);

impl Clone for Accumulators {
    fn clone(&self) -> Self {
        Self(self.0.iter().map(|own| own.boxed_clone()).collect())
    }
}

/// An error for an unknown accumulator or invalid options.
pub(super) fn check_names(names: &BTreeMap<String, String>) -> Result<()> {
    let unknown = names.iter().find(|(name, options)| make(name, options).is_none());
    unknown.map_or(Ok(()), |(name, options)| {
        let message = format!("unknown accumulator '{name}' or invalid options '{options}'");
        Err(Error::new(ErrorKind::InvalidArgument, message))
    })
}

fn make(name: &str, options: &str) -> Option<Box<dyn Accumulator>> {
    REGISTERED.iter().find(|(known, _)| *known == name).and_then(|(_, make)| make(options))
}

impl Accumulators {
    /// The accumulators of these settings, empty.
    pub(crate) fn new(roles: &ColumnRoles, others: &BTreeMap<String, String>, input_schema: &InputSchema) -> Self {
        let attributes = roles.attributes.iter().zip(&input_schema.attributes).enumerate();
        let mut all: Vec<Box<dyn Accumulator>> = attributes
            .map(|(column, ((name, pick), value_type))| -> Box<dyn Accumulator> {
                Box::new(Attribute::new(column, name, value_type, *pick))
            })
            .collect();
        let columns = &roles.categories;
        let cells =
            [(CellRole::Category, &columns.category, &input_schema.category), (CellRole::Channel, &columns.channel, &input_schema.channel)];
        for (role, name, value_type) in cells {
            if let (Some(name), Some(value_type)) = (name, value_type) {
                all.push(Box::new(Cells::new(role, name, value_type, columns)));
            }
        }
        all.extend(others.iter().filter_map(|(name, options)| make(name, options)));
        Self(all)
    }

    /// An empty instance with the same settings.
    #[must_use]
    pub(crate) fn empty_like(&self) -> Self {
        Self(self.0.iter().map(|own| own.empty_like()).collect())
    }

    /// Whether there are no accumulators.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn Accumulator> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// The accumulator at a position.
    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut Box<dyn Accumulator>> {
        self.0.get_mut(at)
    }

    /// The attributes, in the order of the settings.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.0.iter().filter_map(|own| own.as_any().downcast_ref())
    }

    /// The cells of this role, if they are kept.
    pub(crate) fn cells(&self, role: CellRole) -> Option<&Cells> {
        self.0.iter().filter_map(|own| own.as_any().downcast_ref::<Cells>()).find(|cells| cells.role() == role)
    }

    /// The attribute at a position, which must exist. Attributes precede other accumulators.
    #[inline]
    pub(crate) fn attribute(&self, at: usize) -> &Attribute {
        self.0[at].as_any().downcast_ref().unwrap_or_else(|| unreachable!("attributes precede other accumulators"))
    }

    /// The attributes at these positions and nothing else.
    #[must_use]
    pub(crate) fn select_attributes(&self, positions: &[usize]) -> Self {
        Self(positions.iter().map(|&at| self.attribute(at).boxed_clone()).collect())
    }

    /// See [`Accumulator::resize`].
    pub(crate) fn resize(&mut self, level: Level, keys: usize) {
        self.0.iter_mut().for_each(|own| own.resize(level, keys));
    }

    /// See [`Accumulator::begin_batch`].
    pub(crate) fn begin_batch(&mut self) {
        self.0.iter_mut().for_each(|own| own.begin_batch());
    }

    /// See [`Accumulator::update`].
    pub(crate) fn update(&mut self, level: Level, keys: &[u32], rows: &RowBlock<'_>) -> Result<()> {
        if keys.iter().all(|&key| key == NO_CODE) {
            return Ok(());
        }
        self.0.iter_mut().try_for_each(|own| own.update(level, keys, rows))
    }

    /// See [`Accumulator::update_refunds`].
    pub(crate) fn update_refunds(&mut self, keys: &[u32], rows: &RowBlock<'_>) -> Result<()> {
        if keys.iter().all(|&key| key == NO_CODE) {
            return Ok(());
        }
        self.0.iter_mut().try_for_each(|own| own.update_refunds(keys, rows))
    }

    /// See [`Accumulator::promote_refunds`].
    pub(crate) fn promote_refunds(&mut self, from: Level, keys: &[(u32, u32)]) {
        if !keys.is_empty() {
            self.0.iter_mut().for_each(|own| own.promote_refunds(from, keys));
        }
    }

    /// See [`Accumulator::settle`].
    pub(crate) fn settle(&mut self) {
        self.0.iter_mut().for_each(|own| own.settle());
    }

    /// The sum of [`Accumulator::counts`]; `None` if no accumulator has any.
    pub(crate) fn counts(&self, level: Level, keys: Range<u32>) -> Option<Vec<u32>> {
        let add = |mut sum: Vec<u32>, more: Vec<u32>| {
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.saturating_add(more));
            sum
        };
        self.0.iter().filter_map(|own| own.counts(level, keys.clone())).reduce(add)
    }

    /// See [`Accumulator::promote`].
    pub(crate) fn promote(&mut self, from: Level, to: Level, keys: &[(u32, u32)]) {
        if !keys.is_empty() {
            self.0.iter_mut().for_each(|own| own.promote(from, to, keys));
        }
    }

    /// See [`Accumulator::merge`].
    pub(crate) fn merge(&mut self, level: Level, other: &Self, keys: &[(u32, u32)]) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        self.0.iter_mut().zip(&other.0).try_for_each(|(own, other)| own.merge(level, other.as_ref(), keys))
    }

    /// See [`Accumulator::clear`].
    pub(crate) fn clear(&mut self, level: Level, keys: &[u32]) {
        self.0.iter_mut().for_each(|own| own.clear(level, keys));
    }

    /// See [`Accumulator::retain`].
    pub(crate) fn retain(&mut self, level: Level, keys: &[u32]) {
        self.0.iter_mut().for_each(|own| own.retain(level, keys));
    }

    /// See [`Accumulator::finish`].
    pub(crate) fn finish(&mut self) {
        self.0.iter_mut().for_each(|own| own.finish());
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.iter().map(|own| own.bytes()).sum()
    }

    /// See [`Accumulator::check_room`].
    pub(crate) fn check_room(&self, others: &[&Self]) -> Result<()> {
        let others = |at: usize| others.iter().filter_map(|other| other.0.get(at)).map(AsRef::as_ref).collect::<Vec<_>>();
        self.0.iter().enumerate().try_for_each(|(at, own)| own.check_room(&others(at)))
    }

    /// See [`Accumulator::look_back`].
    pub(crate) fn look_back(&mut self, until: i32) -> Result<()> {
        self.0.iter_mut().try_for_each(|own| own.look_back(until))
    }

    /// See [`Accumulator::compare`]; lexicographic.
    pub(crate) fn compare(&self, level: Level, a: u32, b: u32) -> Ordering {
        self.0.iter().map(|own| own.compare(level, a, b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}
