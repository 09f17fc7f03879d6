//! Attributes: the value of a column at the first or the last purchase, such as the country.

use std::any::Any;
use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::builder::BooleanBufferBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt32Type};
use arrow_array::{Array, ArrayRef, Int64Array, StructArray, UInt32Array};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, FieldRef, Fields};

use super::accumulator::{Accumulator, ByLevel, Failure, Level, RowBlock, unlike};
use crate::column::chunks::Pick;
use crate::column::flag;
use crate::column::value::ValueType;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::Threads;
use crate::group::intern_rows::{Remap, keys_with_nulls};
use crate::group::interner::{Interner, Keys, NO_CODE, check_room};
use crate::table::key_column;

/// A value and its timestamp, in 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Observed {
    /// Timestamp in seconds and nanoseconds: updates may have different time units.
    seconds: i64,
    nanoseconds: u32,
    /// Code of the value; [`NO_CODE`] for null.
    pub value: u32,
}

impl Observed {
    fn new((seconds, nanoseconds): (i64, u32), value: u32) -> Self {
        Self { seconds, nanoseconds, value }
    }

    fn time(&self) -> (i64, u32) {
        (self.seconds, self.nanoseconds)
    }
}

/// One attribute of every customer, open order and split order.
#[derive(Debug)]
pub(crate) struct Attribute {
    /// Position among the attribute columns of a batch.
    column: usize,
    name: String,
    value_type: ValueType,
    /// The values.
    pub values: Interner,
    pick: Pick,
    observed: ByLevel<Observed>,
    /// Value codes of the current block.
    codes: Vec<u32>,
    flags: Vec<u8>,
    remap: Remap,
}

impl Attribute {
    /// The attribute of the attribute column at a position, from the first or the last purchase.
    pub(crate) fn new(column: usize, name: &str, value_type: &ValueType, pick: Pick) -> Self {
        Self::with(Interner::new(value_type.kind.stored()), (column, name, value_type, pick), ByLevel::default())
    }

    fn with(values: Interner, (column, name, value_type, pick): (usize, &str, &ValueType, Pick), observed: ByLevel<Observed>) -> Self {
        let (codes, flags, remap) = Default::default();
        Self { column, name: name.to_owned(), value_type: value_type.clone(), values, pick, observed, codes, flags, remap }
    }

    fn settings(&self) -> (usize, &str, &ValueType, Pick) {
        (self.column, &self.name, &self.value_type, self.pick)
    }

    /// Whether the value is that of the first or the last purchase.
    pub(crate) fn pick(&self) -> Pick {
        self.pick
    }

    /// The observed value of a customer; `None` before the first purchase.
    #[inline]
    pub(crate) fn get(&self, customer: u32) -> Option<Observed> {
        self.observed.get(Level::Customer, customer)
    }

    /// Observes a value. The value of an order is that of its earliest line.
    #[inline]
    fn observe(&mut self, level: Level, key: u32, new: Observed) {
        let pick = if level == Level::Customer { self.pick } else { Pick::First };
        let place = self.observed.place(level, key);
        if place.is_none_or(|known| is_better(self.values.keys(), pick, new, known)) {
            *place = Some(new);
        }
    }
}

fn is_better(values: &Keys, pick: Pick, new: Observed, known: Observed) -> bool {
    let by_time = match pick {
        Pick::First => new.time().cmp(&known.time()),
        Pick::Last => known.time().cmp(&new.time()),
    };
    match by_time {
        Ordering::Less => true,
        Ordering::Greater => false,
        // Nulls last.
        Ordering::Equal if new.value == NO_CODE => false,
        Ordering::Equal => known.value == NO_CODE || values.compare(new.value, known.value).is_lt(),
    }
}

/// Marks a value whose code is not mapped yet.
const NOT_YET: u32 = NO_CODE - 1;

impl Accumulator for Attribute {
    fn boxed_clone(&self) -> Box<dyn Accumulator> {
        Box::new(Self::with(self.values.clone(), self.settings(), self.observed.clone()))
    }

    fn empty_like(&self) -> Box<dyn Accumulator> {
        Box::new(Self::with(Interner::new(self.values.kind()), self.settings(), ByLevel::default()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn resize(&mut self, level: Level, keys: usize) {
        self.observed.resize(level, keys);
    }

    fn begin_batch(&mut self) {
        self.remap = Remap::default();
    }

    fn update(&mut self, level: Level, keys: &[u32], rows: &RowBlock<'_>) -> Result<()> {
        let RowBlock { columns, start, .. } = *rows;
        let column = &columns.attributes[self.column];
        let nulls = column.nulls();
        let is_null = |i: usize| nulls.is_some_and(|nulls| nulls.is_null(start + i));
        self.flags.clear();
        // Do not intern values of rows that do not count.
        self.flags.extend(keys.iter().enumerate().map(|(i, &key)| if key == NO_CODE || is_null(i) { flag::NULL_ID } else { 0 }));
        let mut codes = std::mem::take(&mut self.codes);
        self.values.intern_rows(column, start, &mut self.flags, &mut codes, &mut self.remap)?;
        for (i, (&key, &value)) in keys.iter().zip(&codes).enumerate().filter(|(_, (key, _))| **key != NO_CODE) {
            self.observe(level, key, Observed::new(columns.instant(start + i), value));
        }
        self.codes = codes;
        Ok(())
    }

    fn promote(&mut self, from: Level, to: Level, keys: &[(u32, u32)]) {
        for &(from_key, key) in keys {
            if let Some(observed) = self.observed.get(from, from_key) {
                self.observe(to, key, observed);
            }
        }
    }

    fn merge(&mut self, level: Level, other: &dyn Accumulator, keys: &[(u32, u32)]) -> Result<()> {
        let other = other.as_any().downcast_ref::<Self>().ok_or_else(unlike)?;
        let mut values = vec![NOT_YET; other.values.len()];
        for &(from, key) in keys {
            let Some(mut observed) = other.observed.get(level, from) else { continue };
            if observed.value != NO_CODE {
                let value = &mut values[observed.value as usize];
                if *value == NOT_YET {
                    *value = self.values.intern_from(other.values.keys(), observed.value)?;
                }
                observed.value = *value;
            }
            self.observe(level, key, observed);
        }
        Ok(())
    }

    fn clear(&mut self, level: Level, keys: &[u32]) {
        self.observed.clear(level, keys);
    }

    fn retain(&mut self, level: Level, keys: &[u32]) {
        self.observed.retain(level, keys);
    }

    fn finish(&mut self) {
        (self.codes, self.flags, self.remap) = Default::default();
    }

    fn bytes(&self) -> usize {
        self.observed.bytes() + self.values.bytes() + 4 * self.codes.capacity() + self.flags.capacity()
    }

    fn check_room(&self, others: &[&dyn Accumulator]) -> Result<()> {
        let values = |other: &&dyn Accumulator| Ok(other.as_any().downcast_ref::<Self>().ok_or_else(unlike)?.values.len());
        check_room(self.values.len() + others.iter().map(values).sum::<Result<usize>>()?)
    }

    fn look_back(&mut self, _until: i32) -> Result<()> {
        if self.pick == Pick::First {
            return Ok(());
        }
        let message = "only the last value of an attribute is kept, so its value as of a past day is not available. \
                       Take the attribute from the first purchase ('first'), or use the last day";
        Err(Error::new(ErrorKind::StateMismatch, message))
    }

    fn group(&self) -> &'static str {
        "attributes"
    }

    fn field(&self) -> FieldRef {
        let inner = Fields::from(vec![
            self.value_type.field("value"),
            Field::new("seconds", DataType::Int64, false),
            Field::new("nanoseconds", DataType::UInt32, false),
        ]);
        Arc::new(Field::new(&self.name, DataType::Struct(inner), true))
    }

    fn write(&self, field: &Field, keys: &[(Level, u32)]) -> Result<ArrayRef> {
        let DataType::Struct(inner) = field.data_type() else { return Err(Error::internal("the column of an attribute is not a struct")) };
        let observed: Vec<Option<Observed>> = keys.iter().map(|&(level, key)| self.observed.get(level, key)).collect();
        let mut valid = BooleanBufferBuilder::new(observed.len());
        observed.iter().for_each(|observed| valid.append(observed.is_some()));
        let values: Vec<Option<u32>> =
            observed.iter().map(|observed| observed.map(|observed| observed.value).filter(|&value| value != NO_CODE)).collect();
        let time = |observed: &Option<Observed>| observed.map_or((0, 0), |observed| observed.time());
        let parts: Vec<ArrayRef> = vec![
            key_column(inner[0].data_type(), self.values.keys(), values.into_iter())?,
            Arc::new(Int64Array::from(observed.iter().map(|observed| time(observed).0).collect::<Vec<i64>>())),
            Arc::new(UInt32Array::from(observed.iter().map(|observed| time(observed).1).collect::<Vec<u32>>())),
        ];
        let nulls = Some(NullBuffer::new(valid.finish())).filter(|nulls| nulls.null_count() > 0);
        Ok(Arc::new(StructArray::try_new(inner.clone(), parts, nulls).map_err(Error::internal)?))
    }

    fn read(&mut self, keys: &[(Level, u32)], column: &ArrayRef, threads: Threads<'_>) -> Result<(), Failure> {
        let parts = column.as_struct();
        let value_nulls = parts.column(0).logical_nulls();
        let values = keys_with_nulls(parts.column(0), threads)?.ok_or("it has dictionaries")?;
        let seconds = parts.column(1).as_primitive::<Int64Type>().values();
        let nanoseconds = parts.column(2).as_primitive::<UInt32Type>().values();
        for (row, &(level, key)) in keys.iter().enumerate() {
            if parts.is_null(row) {
                if level != Level::Customer {
                    return Err("an order lacks an attribute".into());
                }
                continue;
            }
            let value = if value_nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                self.values.intern_from(&values, row as u32)?
            } else {
                NO_CODE
            };
            self.observe(level, key, Observed::new((seconds[row], nanoseconds[row]), value));
        }
        Ok(())
    }

    fn compare(&self, level: Level, a: u32, b: u32) -> Ordering {
        let (Some(a), Some(b)) = (self.observed.get(level, a), self.observed.get(level, b)) else { return Ordering::Equal };
        a.time().cmp(&b.time()).then_with(|| match (a.value, b.value) {
            (NO_CODE, NO_CODE) => Ordering::Equal,
            (NO_CODE, _) => Ordering::Less,
            (_, NO_CODE) => Ordering::Greater,
            (a, b) => self.values.keys().compare(a, b),
        })
    }
}
