//! Cells: what each customer bought of each category, or through each channel.
//!
//! A cell counts orders, so it is of the customer only after the order is closed: the lines of an open order are cells of the order,
//! and become cells of its customer when it is a purchase, or lower his sums when it is a refund. A row without a category makes a
//! cell, too: it is counted, and so is the day of its order.

mod columns;
mod counts;
mod merge;
mod run;
mod runs;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::cmp::Ordering;
use std::ops::Range;

use arrow_array::ArrayRef;
use arrow_schema::{Field, FieldRef};

use self::columns::CellColumns;
pub(crate) use self::run::Cell;
use self::run::{Ends, Kept};
pub(crate) use self::runs::CellReader;
use self::runs::CellRuns;
use super::accumulator::{Accumulator, Failure, Level, RowBlock, unlike};
use crate::column::category::CategoryColumns;
use crate::column::flag;
use crate::column::value::ValueType;
use crate::error::{Error, Result};
use crate::exec::par::Threads;
use crate::group::intern_rows::Remap;
use crate::group::interner::{Interner, Keys, NO_CODE, check_room};
use crate::time::calendar::MIN_DAY;

/// What the value of a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellRole {
    /// The category of a line: an order is in the cell of each of its categories.
    Category,
    /// The channel of an order: that of its earliest line, ties by the smallest value.
    Channel,
}

/// The cells of all customers, open orders and split orders.
#[derive(Debug)]
pub(crate) struct Cells {
    role: CellRole,
    name: String,
    value_type: ValueType,
    kept: Kept,
    /// The categories.
    values: Interner,
    /// By level.
    levels: [CellRuns; 3],
    /// Whether these are the cells as of a past day, which were not kept.
    is_lost: bool,
    /// Codes of the categories of the current block.
    codes: Vec<u32>,
    flags: Vec<u8>,
    remap: Remap,
}

/// The time of what moves no time.
const NEVER: (i64, u32) = (i64::MIN, 0);

fn levels(kept: Kept) -> [CellRuns; 3] {
    [CellRuns::new(kept, Ends::Last), CellRuns::new(kept, Ends::First), CellRuns::new(kept, Ends::First)]
}

impl Cells {
    /// The cells of the column of this role.
    pub(crate) fn new(role: CellRole, name: &str, value_type: &ValueType, columns: &CategoryColumns) -> Self {
        let is_channel = role == CellRole::Channel;
        let kept = Kept { by_day: columns.by_day, discounts: columns.promotion.is_some() && !is_channel, times: is_channel };
        let values = Interner::new(value_type.kind.stored());
        Self::with(values, (role, name, value_type, kept), levels(kept))
    }

    fn with(values: Interner, (role, name, value_type, kept): (CellRole, &str, &ValueType, Kept), levels: [CellRuns; 3]) -> Self {
        let (codes, flags, remap) = Default::default();
        Self { role, name: name.to_owned(), value_type: value_type.clone(), kept, values, levels, is_lost: false, codes, flags, remap }
    }

    fn settings(&self) -> (CellRole, &str, &ValueType, Kept) {
        (self.role, &self.name, &self.value_type, self.kept)
    }

    /// What the values are.
    pub(crate) fn role(&self) -> CellRole {
        self.role
    }

    /// Whether these are the cells as of a past day, which were not kept.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// The categories by code.
    pub(crate) fn values(&self) -> &Keys {
        self.values.keys()
    }

    /// Number of cells of customers, at least.
    pub(crate) fn len(&self) -> usize {
        self.levels[Level::Customer as usize].len()
    }

    /// A reader of the cells of customers.
    pub(crate) fn reader(&self) -> CellReader {
        self.levels[Level::Customer as usize].reader()
    }

    /// Compares two categories by value; null is last.
    pub(crate) fn compare_values(&self, a: u32, b: u32) -> Ordering {
        match (a, b) {
            (NO_CODE, _) | (_, NO_CODE) => a.cmp(&b),
            (a, b) => self.values.keys().compare(a, b),
        }
    }

    /// Adds the rows of a block: as orders, as lines of orders, or as refunds.
    fn add_rows(&mut self, level: Level, keys: &[u32], rows: &RowBlock<'_>, is_refund: bool) -> Result<()> {
        let RowBlock { columns, start, block } = *rows;
        let column = match self.role {
            CellRole::Category => columns.category.as_ref(),
            CellRole::Channel => columns.channel.as_ref(),
        };
        let column = column.ok_or_else(|| Error::internal("cells without a column"))?;
        let nulls = column.nulls();
        let is_null = |i: usize| nulls.is_some_and(|nulls| nulls.is_null(start + i));
        self.flags.clear();
        // Do not intern values of rows that do not count.
        self.flags.extend(keys.iter().enumerate().map(|(i, &key)| if key == NO_CODE || is_null(i) { flag::NULL_ID } else { 0 }));
        let mut codes = std::mem::take(&mut self.codes);
        self.values.intern_rows(column, start, &mut self.flags, &mut codes, &mut self.remap)?;
        let wide = columns.is_wide();
        for (i, (&key, &category)) in keys.iter().zip(&codes).enumerate().filter(|(_, (key, _))| **key != NO_CODE) {
            let units = block.units_at(i, wide);
            let discounted = self.kept.discounts && columns.discounts.as_ref().is_some_and(|column| column.get(start + i));
            let mut cell = Cell {
                category,
                day: block.days[i],
                orders: u64::from(level == Level::Customer),
                rows: 1,
                units,
                discounted_rows: u64::from(discounted),
                discounted_units: if discounted { units } else { 0 },
                time: if self.kept.times { columns.instant(start + i) } else { (0, 0) },
            };
            if is_refund {
                self.make_refund(&mut cell);
            }
            self.levels[level as usize].add(key, cell);
        }
        self.codes = codes;
        Ok(())
    }

    /// A refund lowers sums: it is no order, and moves no date.
    fn make_refund(&self, cell: &mut Cell) {
        (cell.orders, cell.rows, cell.discounted_rows) = (0, 0, 0);
        if self.kept.times {
            cell.time = NEVER;
        }
        if !self.kept.by_day {
            cell.day = MIN_DAY;
        }
    }

    /// The cells of an order as those of its customer. The day of an order is that of its earliest line.
    fn close(&self, order: &mut Vec<Cell>, is_refund: bool) {
        let Some(day) = order.iter().map(|cell| cell.day).min() else { return };
        match self.role {
            CellRole::Category => {
                order.dedup_by(|next, cell| {
                    let is_same = next.category == cell.category;
                    if is_same {
                        cell.join(next, Ends::First);
                    }
                    is_same
                });
                let is_only = order.len() == 1;
                for cell in order.iter_mut() {
                    cell.orders = u64::from(cell.category != NO_CODE || is_only);
                }
            }
            CellRole::Channel => {
                let first = |a: &&Cell, b: &&Cell| a.time.cmp(&b.time).then_with(|| self.compare_values(a.category, b.category));
                let Some(mut whole) = order.iter().min_by(first).copied() else { return };
                let own = whole.place(self.kept);
                order.iter().filter(|cell| cell.place(self.kept) != own).for_each(|cell| whole.join(cell, Ends::First));
                whole.orders = 1;
                order.clear();
                order.push(whole);
            }
        }
        for cell in order.iter_mut() {
            cell.day = day;
            if is_refund {
                self.make_refund(cell);
            }
        }
    }

    fn add_orders(&mut self, (from, to): (Level, Level), keys: &[(u32, u32)], is_refund: bool) {
        let mut reader = self.levels[from as usize].reader();
        let mut order = Vec::new();
        for &(owner, key) in keys {
            order.clear();
            order.extend_from_slice(reader.cells(owner));
            if to == Level::Customer {
                self.close(&mut order, is_refund);
            }
            order.iter().for_each(|cell| self.levels[to as usize].add(key, *cell));
        }
    }

    /// The cells of keys in the order of their values, concatenated, and where those of each key end.
    fn in_value_order(&self, keys: &[(Level, u32)]) -> (Vec<Cell>, Vec<usize>) {
        let mut readers = self.levels.each_ref().map(CellRuns::reader);
        let (mut cells, mut ends): (Vec<Cell>, Vec<usize>) = (Vec::new(), Vec::with_capacity(keys.len()));
        for &(level, key) in keys {
            let start = cells.len();
            cells.extend_from_slice(readers[level as usize].cells(key));
            cells[start..].sort_unstable_by(|a, b| self.compare_values(a.category, b.category).then(a.day.cmp(&b.day)));
            ends.push(cells.len());
        }
        (cells, ends)
    }
}

/// Whether a range of positions is empty.
fn is_empty(range: &Range<usize>) -> bool {
    range.start >= range.end
}

impl Accumulator for Cells {
    fn boxed_clone(&self) -> Box<dyn Accumulator> {
        Box::new(Self { is_lost: self.is_lost, ..Self::with(self.values.clone(), self.settings(), self.levels.clone()) })
    }

    fn empty_like(&self) -> Box<dyn Accumulator> {
        Box::new(Self::with(Interner::new(self.values.kind()), self.settings(), levels(self.kept)))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn resize(&mut self, _level: Level, _keys: usize) {}

    fn begin_batch(&mut self) {
        self.remap = Remap::default();
    }

    fn update(&mut self, level: Level, keys: &[u32], rows: &RowBlock<'_>) -> Result<()> {
        self.add_rows(level, keys, rows, false)
    }

    fn update_refunds(&mut self, keys: &[u32], rows: &RowBlock<'_>) -> Result<()> {
        self.add_rows(Level::Customer, keys, rows, true)
    }

    fn promote(&mut self, from: Level, to: Level, keys: &[(u32, u32)]) {
        self.add_orders((from, to), keys, false);
    }

    fn promote_refunds(&mut self, from: Level, keys: &[(u32, u32)]) {
        self.add_orders((from, Level::Customer), keys, true);
    }

    fn merge(&mut self, level: Level, other: &dyn Accumulator, keys: &[(u32, u32)]) -> Result<()> {
        let other = other.as_any().downcast_ref::<Self>().ok_or_else(unlike)?;
        if self.merge_in_order(level, other, keys)? { Ok(()) } else { self.merge_one_by_one(level, other, keys) }
    }

    fn clear(&mut self, level: Level, keys: &[u32]) {
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        self.levels[level as usize].remove(&keys);
    }

    fn retain(&mut self, level: Level, keys: &[u32]) {
        self.levels[level as usize].retain(keys);
    }

    fn finish(&mut self) {
        (self.codes, self.flags, self.remap) = Default::default();
        self.levels.iter_mut().for_each(CellRuns::flush);
    }

    fn settle(&mut self) {
        self.levels.iter_mut().for_each(CellRuns::settle);
    }

    fn bytes(&self) -> usize {
        let levels: usize = self.levels.iter().map(CellRuns::bytes).sum();
        levels + self.values.bytes() + 4 * self.codes.capacity() + self.flags.capacity()
    }

    fn check_room(&self, others: &[&dyn Accumulator]) -> Result<()> {
        let values = |other: &&dyn Accumulator| Ok(other.as_any().downcast_ref::<Self>().ok_or_else(unlike)?.values.len());
        check_room(self.values.len() + others.iter().map(values).sum::<Result<usize>>()?)
    }

    fn look_back(&mut self, until: i32) -> Result<()> {
        for cells in &mut self.levels {
            if self.kept.by_day { cells.until(until) } else { cells.clear() }
        }
        self.is_lost = !self.kept.by_day;
        Ok(())
    }

    fn counts(&self, level: Level, codes: Range<u32>) -> Option<Vec<u32>> {
        let mut reader = self.levels[level as usize].reader();
        Some(codes.map(|code| u32::try_from(reader.cells(code).len()).unwrap_or(u32::MAX)).collect())
    }

    fn group(&self) -> &'static str {
        match self.role {
            CellRole::Category => "categories",
            CellRole::Channel => "channels",
        }
    }

    fn field(&self) -> FieldRef {
        columns::field(&self.name, &self.value_type, self.kept)
    }

    fn write(&self, field: &Field, keys: &[(Level, u32)]) -> Result<ArrayRef> {
        let (cells, ends) = self.in_value_order(keys);
        columns::write(field, (&cells, &ends), self.values.keys(), self.kept)
    }

    fn read(&mut self, keys: &[(Level, u32)], column: &ArrayRef, threads: Threads<'_>) -> Result<(), Failure> {
        let columns = CellColumns::new(column, self.kept, threads)?;
        for (&(level, key), range) in keys.iter().zip(columns.ranges()).filter(|(_, range)| !is_empty(range)) {
            for at in range {
                let category = columns.value(at, &mut self.values)?;
                self.levels[level as usize].add(key, columns.cell(at, category)?);
            }
        }
        Ok(())
    }

    fn compare(&self, level: Level, a: u32, b: u32) -> Ordering {
        let (cells, ends) = self.in_value_order(&[(level, a), (level, b)]);
        let (a, b) = cells.split_at(ends.first().copied().unwrap_or(0));
        let numbers = |cell: &Cell| (cell.day, cell.rows, cell.units, cell.discounted_rows, cell.discounted_units, cell.time);
        for (a, b) in a.iter().zip(b) {
            let order = self.compare_values(a.category, b.category).then_with(|| numbers(a).cmp(&numbers(b)));
            if order.is_ne() {
                return order;
            }
        }
        a.len().cmp(&b.len())
    }
}
