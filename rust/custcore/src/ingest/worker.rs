//! One thread's part in a fold: rows read block by block, screened, and added up or dealt out.

use super::cutoffs::Cutoffs;
use super::partition::scatter::{Partitioner, Scatter};
use crate::column::bounds::Cutoff;
use crate::column::chunks::{InputBatch, TypedBlock};
use crate::column::key::KeyColumn;
use crate::column::mark::{RETURNING, START};
use crate::column::{BLOCK, flag};
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::group::interner::{Interner, NO_CODE, Remap};
use crate::state::accumulator::RowBlock;
use crate::state::block_kernels::{UnitValue, ends};
use crate::state::customer_state::State;
use crate::state::order_lines::{LineBlock, OrderLine};
use crate::state::spec::{BaseSpec, OnNonfinite, OnNull};
use crate::state::totals::{RowNumbers, RowSlice};

/// Rows of one batch that one thread folds.
pub(crate) struct Morsel {
    /// The batch.
    pub batch: usize,
    /// Its first row.
    pub start: usize,
    /// The row after its last.
    pub end: usize,
    /// The number of its first row in the fold.
    pub first_row: u64,
}

/// One thread's tools.
pub(crate) struct IngestWorker<'a> {
    spec: &'a BaseSpec,
    until: i32,
    edges: Cutoffs,
    block: TypedBlock,
    codes: Vec<u32>,
    marks: Vec<u8>,
    orders: KeyCodes,
}

/// Codes of the order ids of a block.
#[derive(Default)]
struct KeyCodes {
    codes: Vec<u32>,
    flags: Vec<u8>,
    remap: Remap,
}

impl KeyCodes {
    /// Codes of the rows that have a customer; the others get [`NO_CODE`] and their ids are not kept.
    fn read(&mut self, ids: &mut Interner, column: &KeyColumn, start: usize, customers: &[u32]) -> Result<()> {
        self.flags.clear();
        let nulls = column.nulls();
        let is_null = |i: usize| nulls.is_some_and(|nulls| nulls.is_null(start + i));
        self.flags.extend(customers.iter().enumerate().map(|(i, &code)| if code == NO_CODE || is_null(i) { flag::NULL_ID } else { 0 }));
        ids.intern_rows(column, start, &mut self.flags, &mut self.codes, &mut self.remap)
    }
}

impl<'a> IngestWorker<'a> {
    /// The tools for rows up to a day.
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

    /// Reads, groups and adds up the rows of a share, block by block.
    pub(crate) fn fold(&mut self, columns: &InputBatch, share: &Morsel, part: &mut State, context: &Context) -> Result<()> {
        let mut remap = Remap::default();
        self.orders.remap = Remap::default();
        part.reset_order_ids()?;
        part.accumulators.begin_batch();
        let mut start = share.start;
        while start < share.end {
            context.check()?;
            let len = BLOCK.min(share.end - start);
            let first_row = share.first_row + (start - share.start) as u64;
            columns.read(start, len, first_row, &mut self.block)?;
            part.interner.intern_rows(&columns.customer, start, &mut self.block.flags, &mut self.codes, &mut remap)?;
            if !part.waits() {
                part.totals.grow(part.interner.len());
            }
            self.mark(columns, start, part.order_log.is_some());
            let holes = self.screen(columns, first_row, part)?;
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

    /// Reads the rows of a share, and deals them out to shards.
    pub(crate) fn scatter(
        &mut self,
        columns: &[InputBatch],
        share: &Morsel,
        first: u64,
        part: &mut State,
        (partitioner, scatter): (&Partitioner, &mut Scatter),
        context: &Context,
    ) -> Result<()> {
        let own = &columns[share.batch];
        let least = part.least_packed();
        for start in (share.start..share.end).step_by(BLOCK) {
            context.check()?;
            let len = BLOCK.min(share.end - start);
            let first_row = share.first_row + (start - share.start) as u64;
            own.read(start, len, first_row, &mut self.block)?;
            self.codes.clear();
            self.codes.extend(self.block.flags.iter().map(|flag| if flag & flag::NULL_ID == 0 { 0 } else { NO_CODE }));
            self.mark(own, start, part.order_log.is_some());
            self.screen(own, first_row, part)?;
            scatter.add(partitioner, (own, start), (first_row - first) as usize, &self.codes, &self.block, least);
            context.advance(len as u64);
        }
        Ok(())
    }

    /// Marks the rows of the block by the ends of observation, and what they count as, where that is asked for.
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

    /// Adds the rows one by one: as lines of orders, with what else is kept of their customers.
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
            let lack_nothing = !holes && marks.is_none() && orders.iter().fold(true, |all, &code| all & (code != NO_CODE));
            if lack_nothing && !wide && i64::try_from(i64::size(&block.units)).is_ok() {
                return part.add_whole_lines(&LineBlock { orders, customers: codes, days: &block.days, units: &block.units, first_row });
            }
            return part.add_lines(&self.orders.codes, line);
        }
        part.add_each_line(&self.orders.codes, line, &RowBlock { columns, start, block })
    }

    /// Takes out the rows that do not count (their code becomes [`NO_CODE`]), each under the first reason that applies; the
    /// answer is whether there were any.
    fn screen(&mut self, columns: &InputBatch, first_row: u64, part: &mut State) -> Result<bool> {
        let block = &self.block;
        let until = self.until;
        let wide = columns.is_wide();
        // Passes without an end halfway, which the compiler works on in parallel.
        if block.flags.iter().fold(0, |any, &flags| any | flags) == 0 {
            let (first, last) = ends(&block.days);
            if last <= until {
                part.last_day = part.last_day.max(last);
                part.first_day = part.first_day.min(first);
                return Ok(false);
            }
        }
        for (i, (&flags, &day)) in block.flags.iter().zip(&block.days).enumerate() {
            let row = first_row + i as u64;
            if flags != 0 {
                self.refuse(columns, flags, row)?;
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
                    continue;
                }
            };
            tally.add(units, row);
            self.codes[i] = NO_CODE;
        }
        Ok(true)
    }

    /// Errors for what the settings forbid.
    fn refuse(&self, columns: &InputBatch, flags: u8, row: u64) -> Result<(), Error> {
        // A row speaks for the first of its faults only.
        let left_out = flags & (flag::NULL_ID | flag::NULL_TIME) != 0;
        if self.spec.on_null == OnNull::Error && (left_out || flags & (flag::NULL_AMOUNT | flag::NONFINITE) == flag::NULL_AMOUNT) {
            return Err(columns.null_error(flags, row));
        }
        if !left_out && flags & flag::NONFINITE != 0 && self.spec.on_nonfinite == OnNonfinite::Error {
            return Err(columns.nonfinite_error(row));
        }
        Ok(())
    }
}
