//! An accumulator for tests: the largest line amount of each customer's purchases. It shows that a new accumulator needs
//! only its own file and an entry in the registry.

use std::any::Any;
use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{Array, ArrayRef, Decimal128Array};
use arrow_schema::{DataType, Field, FieldRef};

use super::accumulator::{Accumulator, ByLevel, Failure, Level, RowBlock, unlike};
use crate::error::{Error, Result};
use crate::exec::par::Threads;
use crate::group::interner::NO_CODE;

/// The largest amount, in units of money.
#[derive(Debug, Clone, Default)]
pub(crate) struct LargestAmount(ByLevel<i128>);

impl LargestAmount {
    pub(crate) fn make(options: &str) -> Option<Box<dyn Accumulator>> {
        options.is_empty().then(|| Box::new(Self::default()) as Box<dyn Accumulator>)
    }

    pub(crate) fn get(&self, customer: u32) -> Option<i128> {
        self.0.get(Level::Customer, customer)
    }

    fn add(&mut self, level: Level, key: u32, units: i128) {
        let place = self.0.place(level, key);
        *place = Some(place.map_or(units, |known| known.max(units)));
    }
}

impl Accumulator for LargestAmount {
    fn boxed_clone(&self) -> Box<dyn Accumulator> {
        Box::new(self.clone())
    }
    fn empty_like(&self) -> Box<dyn Accumulator> {
        Box::new(Self::default())
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn resize(&mut self, level: Level, keys: usize) {
        self.0.resize(level, keys);
    }
    fn update(&mut self, level: Level, keys: &[u32], rows: &RowBlock<'_>) -> Result<()> {
        let wide = rows.columns.is_wide();
        for (i, &key) in keys.iter().enumerate().filter(|(_, key)| **key != NO_CODE) {
            self.add(level, key, rows.block.units_at(i, wide));
        }
        Ok(())
    }
    fn promote(&mut self, from: Level, to: Level, keys: &[(u32, u32)]) {
        for &(from_key, key) in keys {
            if let Some(units) = self.0.get(from, from_key) {
                self.add(to, key, units);
            }
        }
    }
    fn merge(&mut self, level: Level, other: &dyn Accumulator, keys: &[(u32, u32)]) -> Result<()> {
        let other = other.as_any().downcast_ref::<Self>().ok_or_else(unlike)?;
        for &(from, key) in keys {
            if let Some(units) = other.0.get(level, from) {
                self.add(level, key, units);
            }
        }
        Ok(())
    }
    fn clear(&mut self, level: Level, keys: &[u32]) {
        self.0.clear(level, keys);
    }
    fn retain(&mut self, level: Level, keys: &[u32]) {
        self.0.retain(level, keys);
    }
    fn bytes(&self) -> usize {
        self.0.bytes()
    }
    fn group(&self) -> &'static str {
        "largest"
    }
    fn field(&self) -> FieldRef {
        Arc::new(Field::new("amount", DataType::Decimal128(38, 0), true))
    }
    fn write(&self, _field: &Field, keys: &[(Level, u32)]) -> Result<ArrayRef> {
        let units = Decimal128Array::from(keys.iter().map(|&(level, key)| self.0.get(level, key)).collect::<Vec<_>>());
        Ok(Arc::new(units.with_precision_and_scale(38, 0).map_err(Error::internal)?))
    }
    fn read(&mut self, keys: &[(Level, u32)], column: &ArrayRef, _threads: Threads<'_>) -> Result<(), Failure> {
        let units = column.as_primitive::<Decimal128Type>();
        for (row, &(level, key)) in keys.iter().enumerate().filter(|(row, _)| units.is_valid(*row)) {
            self.add(level, key, units.value(row));
        }
        Ok(())
    }
    fn compare(&self, level: Level, a: u32, b: u32) -> Ordering {
        self.0.get(level, a).cmp(&self.0.get(level, b))
    }
}
