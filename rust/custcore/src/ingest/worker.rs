//! One thread's worker: reads rows block by block, filters them, and aggregates or scatters them.

use super::cutoffs::Cutoffs;
use super::partition::scatter::{Partitioner, Scatter};
use crate::column::bounds::Cutoff;
use crate::column::chunks::{InputBatch, TypedBlock};
use crate::column::key::KeyColumn;
use crate::column::mark::{RETURNING, START};
use crate::column::{BLOCK, flag};
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::group::intern_rows::Remap;
use crate::group::interner::{Interner, NO_CODE};
use crate::state::accumulator::RowBlock;
use crate::state::block_kernels::{UnitValue, ends};
use crate::state::customer_state::State;
use crate::state::order_lines::{LineBlock, OrderLine};
use crate::state::spec::{BaseSpec, OnNonfinite, OnNull};
use crate::state::totals::{RowNumbers, RowSlice};

/// A run of rows of one batch, processed by one worker.
pub(crate) struct Morsel {
    /// Index of the batch.
    pub batch: usize,
    /// Its first row.
    pub start: usize,
    /// The row after its last.
    pub end: usize,
    /// The number of its first row in the update.
    pub first_row: u64,
}

/// The buffers and settings of one thread.
pub(crate) struct IngestWorker<'a> {
    spec: &'a BaseSpec,
    until: i32,
    edges: Cutoffs,
    block: TypedBlock,
    codes: Vec<u32>,
    marks: Vec<u8>,
    orders: KeyCodes,
}

/// Buffers to intern the order ids of a block.
#[derive(Default)]
struct KeyCodes {
    codes: Vec<u32>,
    flags: Vec<u8>,
    remap: Remap,
}

impl KeyCodes {
    /// Interns the ids of rows that have a customer; the others get [`NO_CODE`] and their ids are not interned.
    fn read(&mut self, ids: &mut Interner, column: &KeyColumn, start: usize, customers: &[u32]) -> Result<()> {
        self.flags.clear();
        let nulls = column.nulls();
        let is_null = |i: usize| nulls.is_some_and(|nulls| nulls.is_null(start + i));
        self.flags.extend(customers.iter().enumerate().map(|(i, &code)| if code == NO_CODE || is_null(i) { flag::NULL_ID } else { 0 }));
        ids.intern_rows(column, start, &mut self.flags, &mut self.codes, &mut self.remap)
    }
}

impl<'a> IngestWorker<'a> {
    /// A worker for rows up to a day.
    pub(crate) fn new(spec: &'a BaseSpec, until: i32, edges: Cutoffs) -> Self {
        Self {
            spec,
            until,
            edges,
            block: TypedBlock::new(),
            codes: Vec::with_capacity(BLOCK),
            marks: Vec::new(),
            orders: KeyCodes::default(),
        }
    }

    /// Aggregates the rows of a morsel into a state, block by block. `remap` is that of the dictionary of the customer ids.
    pub(crate) fn aggregate(
        &mut self,
        (columns, mut remap): (&InputBatch, Remap),
        morsel: &Morsel,
        part: &mut State,
        context: &Context,
    ) -> Result<()> {
        self.orders.remap = Remap::default();
        part.reset_order_ids()?;
        part.accumulators.begin_batch();
        let mut start = morsel.start;
        while start < morsel.end {
            context.check()?;
            let len = BLOCK.min(morsel.end - start);
            let first_row = morsel.first_row + (start - morsel.start) as u64;
            columns.read(start, len, first_row, &mut self.block)?;
            part.interner.intern_rows(&columns.customer, start, &mut self.block.flags, &mut self.codes, &mut remap)?;
            if !part.waits() {
                part.totals.grow(part.interner.len());
            }
            self.mark(columns, start, part.order_log.is_some());
            let holes = self.filter(columns, start, first_row, part)?;
            let (block, codes) = (&self.block, &self.codes);
            let marks = (!self.marks.is_empty()).then_some(self.marks.as_slice());
            if !part.is_plain() {
                self.add_lines(columns, start, first_row, part, holes)?;
            } else if columns.is_wide() {
                part.add_rows(&RowSlice {
                    codes,
                    days: &block.days,
                    units: &block.wide,
                    flags: &block.flags,
                    marks,
                    rows: RowNumbers::From(first_row),
                    holes,
                });
            } else {
                part.add_rows(&RowSlice {
                    codes,
                    days: &block.days,
                    units: &block.units,
                    flags: &block.flags,
                    marks,
                    rows: RowNumbers::From(first_row),
                    holes,
                });
            }
            context.advance(len as u64);
            start += len;
        }
        Ok(())
    }

    /// Scatters the rows of a morsel to the partitions' buffers, block by block.
    pub(crate) fn scatter(
        &mut self,
        columns: &[InputBatch],
        morsel: &Morsel,
        first: u64,
        part: &mut State,
        (partitioner, scatter): (&Partitioner, &mut Scatter),
        context: &Context,
    ) -> Result<()> {
        let batch = &columns[morsel.batch];
        let least = part.least_packed();
        for start in (morsel.start..morsel.end).step_by(BLOCK) {
            context.check()?;
            let len = BLOCK.min(morsel.end - start);
            let first_row = morsel.first_row + (start - morsel.start) as u64;
            batch.read(start, len, first_row, &mut self.block)?;
            scatter.codes(&batch.customer, start, &mut self.block.flags, &mut self.codes)?;
            self.mark(batch, start, part.order_log.is_some());
            self.filter(batch, start, first_row, part)?;
            scatter.add(partitioner, (batch, start), (first_row - first) as usize, &self.codes, &self.block, least)?;
            context.advance(len as u64);
        }
        Ok(())
    }

    /// Flags rows after the end of observation, and reads the marks of rows, if orders are logged.
    fn mark(&mut self, columns: &InputBatch, start: usize, order_log: bool) {
        self.marks.clear();
        if !order_log {
            return;
        }
        if let Some(moment) = self.edges.end.and_then(|end| end.moment) {
            let limit = columns.limit(moment);
            for (row, flags) in (start..).zip(&mut self.block.flags).filter(|(_, flags)| **flags & flag::NULL_TIME == 0) {
                *flags |= if columns.tick(row) >= limit { flag::AFTER } else { 0 };
            }
        }
        let len = self.block.flags.len();
        match self.edges.start {
            None if self.spec.roles.start.is_none() && self.spec.roles.returning.is_none() => {}
            None => columns.read_marks(start, len, |_| false, &mut self.marks),
            Some(Cutoff { moment: None, day, .. }) => columns.read_marks(start, len, |i| self.block.days[i] < day, &mut self.marks),
            Some(Cutoff { moment: Some(moment), .. }) => {
                let limit = columns.limit(moment);
                columns.read_marks(start, len, |i| columns.tick(start + i) < limit, &mut self.marks);
            }
        }
    }

    /// Adds the rows as lines of orders, and updates the accumulators of their customers.
    fn add_lines(&mut self, columns: &InputBatch, start: usize, first_row: u64, part: &mut State, holes: bool) -> Result<()> {
        if let (Some(ids), Some(column)) = (part.order_ids(), &columns.order) {
            self.orders.read(ids, column, start, &self.codes)?;
        } else {
            self.orders.codes.clear();
            self.orders.codes.resize(self.codes.len(), NO_CODE);
        }
        let (codes, block, wide) = (&self.codes, &self.block, columns.is_wide());
        let marks = (!self.marks.is_empty()).then_some(self.marks.as_slice());
        let line = |i: usize| {
            let amount_is_null = block.flags[i] & flag::NULL_AMOUNT != 0;
            let (day, units) = (block.days[i], block.units_at(i, wide));
            let marks = marks.map_or(START | RETURNING, |marks| marks[i]);
            (codes[i] != NO_CODE).then_some(OrderLine { customer: codes[i], day, units, row: first_row + i as u64, amount_is_null, marks })
        };
        if part.is_plain_lines() {
            let orders = &self.orders.codes;
            let is_complete = !holes && marks.is_none() && orders.iter().fold(true, |all, &code| all & (code != NO_CODE));
            if is_complete && !wide && i64::try_from(i64::size(&block.units)).is_ok() {
                return part.add_whole_lines(&LineBlock { orders, customers: codes, days: &block.days, units: &block.units, first_row });
            }
            return part.add_lines(&self.orders.codes, line);
        }
        part.add_each_line(&self.orders.codes, line, &RowBlock { columns, start, block })
    }

    /// Filters out the rows that do not count: their code becomes [`NO_CODE`], and each is tallied under the first reason that
    /// applies. False if the block certainly has no such rows.
    fn filter(&mut self, columns: &InputBatch, start: usize, first_row: u64, part: &mut State) -> Result<bool> {
        let block = &self.block;
        let until = self.until;
        let wide = columns.is_wide();
        // Branch-free passes, which the compiler vectorizes.
        if block.flags.iter().fold(0, |any, &flags| any | flags) == 0 {
            let (first, last) = ends(&block.days);
            if last <= until {
                part.last_day = part.last_day.max(last);
                part.first_day = part.first_day.min(first);
                return Ok(self.leave_out_other_days((first, last)));
            }
        }
        for (i, (&flags, &day)) in block.flags.iter().zip(&block.days).enumerate() {
            let row = first_row + i as u64;
            if flags != 0 {
                self.refuse(columns, flags, row, block.start + i)?;
            }
            let units = block.units_at(i, wide);
            let tally = if flags & flag::NULL_ID != 0 {
                &mut part.rows.null_id
            } else if flags & flag::NULL_TIME != 0 {
                &mut part.rows.null_time
            } else {
                let is_after = day > until || flags & flag::AFTER != 0;
                if !is_after {
                    part.last_day = part.last_day.max(day);
                    part.first_day = part.first_day.min(day);
                }
                if flags & flag::NONFINITE != 0 {
                    &mut part.rows.nonfinite
                } else if is_after {
                    &mut part.rows.after
                } else {
                    if flags & flag::NULL_AMOUNT != 0 {
                        part.count_null_amount(day, row);
                    }
                    if flags & flag::ROUNDED != 0 {
                        part.count_rounded_amount(day, columns.rounded_off(start + i), row);
                    }
                    continue;
                }
            };
            tally.add(units, row);
            self.codes[i] = NO_CODE;
        }
        self.leave_out_other_days(ends(&self.block.days));
        Ok(true)
    }

    /// Leaves out the rows of days that are not kept; `ends` are the first and the last day of the block. Whether there may be any.
    fn leave_out_other_days(&mut self, (first, last): (i32, i32)) -> bool {
        let Some((start, end)) = self.edges.kept_days.filter(|(start, end)| first < *start || last > *end) else { return false };
        for (code, day) in self.codes.iter_mut().zip(&self.block.days) {
            *code = if (start..=end).contains(day) { *code } else { NO_CODE };
        }
        true
    }

    /// An error if the settings forbid such a row.
    fn refuse(&self, columns: &InputBatch, flags: u8, row: u64, at: usize) -> Result<(), Error> {
        // Only the first reason of a row counts.
        let left_out = flags & (flag::NULL_ID | flag::NULL_TIME) != 0;
        if self.spec.on_null == OnNull::Error && (left_out || flags & (flag::NULL_AMOUNT | flag::NONFINITE) == flag::NULL_AMOUNT) {
            return Err(columns.null_error(flags, row, at));
        }
        if !left_out && flags & flag::NONFINITE != 0 && self.spec.on_nonfinite == OnNonfinite::Error {
            return Err(columns.nonfinite_error(row));
        }
        Ok(())
    }
}
