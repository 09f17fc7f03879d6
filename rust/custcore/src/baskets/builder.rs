//! Rows into baskets: one update, read by one worker for each thread.

use arrow_array::RecordBatch;

use super::content::{Content, packed};
use super::run::{NO_ITEM, RunBuilder, key};
use super::spec::{BasketBy, BasketSpec};
use crate::column::chunks::{InputBatch, InputSchema, TypedBlock};
use crate::column::{BLOCK, flag};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::ROWS_WORTH_THREADS;
use crate::group::intern_rows::Remap;
use crate::group::interner::NO_CODE;
use crate::state::spec::{OnNonfinite, OnNull};

/// The baskets of one update, which no base has yet.
#[derive(Debug)]
pub struct BasketUpdate {
    pub(super) schema: InputSchema,
    pub(super) content: Content,
    pub(super) rows: u64,
}

impl BasketUpdate {
    /// Amount of work to add it.
    pub fn size(&self) -> usize {
        self.content.size()
    }
}

/// Builds an update from batches.
#[derive(Debug)]
pub struct BasketBuilder {
    spec: BasketSpec,
    schema: InputSchema,
    workers: Vec<Worker>,
    rows: u64,
}

impl BasketBuilder {
    pub(super) fn new(spec: &BasketSpec, schema: InputSchema) -> Self {
        Self { spec: spec.clone(), schema, workers: Vec::new(), rows: 0 }
    }

    /// Number of rows that were read.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Reads batches. After an error the builder must not be used again.
    pub fn push(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        context.run_if_large(rows, |threads| {
            let bind =
                |batch: &RecordBatch| InputBatch::bind(batch, &self.spec.read.roles, &self.schema, self.spec.read.amount_decimals, threads);
            let columns: Vec<InputBatch> = batches.iter().map(bind).collect::<Result<_>>()?;
            for batch in batches {
                let more = InputSchema::of(
                    &batch.schema(),
                    &self.spec.read.roles,
                    self.spec.read.timezone.as_deref(),
                    self.spec.read.amount_decimals,
                )?;
                self.schema.widen(&more);
            }
            let pieces = if rows < ROWS_WORTH_THREADS { 1 } else { threads.count() };
            while self.workers.len() < pieces {
                self.workers.push(Worker::new(&self.spec, &self.schema));
            }
            let (spec, first) = (&self.spec, self.rows);
            let size = rows.div_ceil(pieces).max(1);
            let work =
                |(at, worker): (usize, &mut Worker)| worker.read(&columns, at * size..((at + 1) * size).min(rows), first, spec, context);
            let done = threads.par_tasks(self.workers.iter_mut().take(pieces).enumerate(), work);
            // Of several errors that of the first row counts.
            done.into_iter().collect::<Result<()>>()
        })??;
        self.rows += rows as u64;
        Ok(())
    }

    /// The update.
    pub fn finish(self, context: &Context) -> Result<BasketUpdate> {
        let Self { spec, schema, workers, rows } = self;
        let size = workers.iter().map(|worker| worker.entries).sum();
        let contents = context.run_if_large(size, |threads| threads.par_tasks(workers, |worker| worker.finish(context)))?;
        let mut whole: Option<Content> = None;
        for content in contents {
            match &mut whole {
                None => whole = Some(content?),
                Some(whole) => whole.absorb(content?, 0, context)?,
            }
        }
        if let Some(whole) = &mut whole {
            whole.drop_tables();
        }
        Ok(BasketUpdate { content: whole.unwrap_or_else(|| Content::new(&spec, &schema)), schema, rows })
    }
}

/// What one thread has read.
#[derive(Debug)]
struct Worker {
    content: Content,
    builder: RunBuilder,
    block: TypedBlock,
    customers: Vec<u32>,
    orders: Vec<u32>,
    items: Vec<u32>,
    /// The ids of the block's baskets, one for each run of rows.
    ids: Vec<i64>,
    /// Rows of the block that belong to a basket: the row, and the position in `ids`.
    lines: Vec<(usize, usize)>,
    codes: Vec<u32>,
    entries: usize,
}

/// Codes of dictionary values, of one batch.
#[derive(Default)]
struct Remaps {
    customers: Remap,
    orders: Remap,
    items: Remap,
}

impl Worker {
    fn new(spec: &BasketSpec, schema: &InputSchema) -> Self {
        let content = Content::new(spec, schema);
        let builder = RunBuilder::new(content.has_units);
        let (customers, orders, items, ids, lines, codes) = Default::default();
        Self { content, builder, block: TypedBlock::new(), customers, orders, items, ids, lines, codes, entries: 0 }
    }

    fn finish(self, context: &Context) -> Result<Content> {
        let Self { mut content, builder, .. } = self;
        content.open = builder.finish(context)?;
        content.drop_tables();
        Ok(content)
    }

    /// Reads some rows of all batches; `first` rows were read before these.
    fn read(
        &mut self,
        columns: &[InputBatch],
        rows: std::ops::Range<usize>,
        first: u64,
        spec: &BasketSpec,
        context: &Context,
    ) -> Result<()> {
        let mut before = 0;
        for batch in columns {
            let (start, end) = (rows.start.max(before) - before, rows.end.min(before + batch.len()).saturating_sub(before));
            let mut remaps = Remaps::default();
            for at in (start..end).step_by(BLOCK) {
                context.check()?;
                let len = BLOCK.min(end - at);
                self.read_block(batch, (at, len), first + (before + at) as u64, &mut remaps, spec, context)?;
                context.advance(len as u64);
            }
            before += batch.len();
        }
        Ok(())
    }

    fn read_block(
        &mut self,
        batch: &InputBatch,
        (start, len): (usize, usize),
        first_row: u64,
        remaps: &mut Remaps,
        spec: &BasketSpec,
        context: &Context,
    ) -> Result<()> {
        batch.read(start, len, first_row, &mut self.block)?;
        let content = &mut self.content;
        content.customers.intern_rows(&batch.customer, start, &mut self.block.flags, &mut self.customers, &mut remaps.customers)?;
        let Some(item_column) = batch.attributes.first() else { return Err(Error::internal("baskets without a column of items")) };
        content.items.intern_block(item_column, (start, len), &mut self.items, &mut remaps.items)?;
        match &batch.order {
            Some(column) => content.orders.intern_block(column, (start, len), &mut self.orders, &mut remaps.orders)?,
            None => self.orders.clear(),
        }
        self.ids.clear();
        self.lines.clear();
        for i in 0..len {
            if !self.counts(batch, i, first_row, spec)? {
                continue;
            }
            let item = self.items[i];
            let other = match spec.by {
                BasketBy::Order => self.orders[i],
                BasketBy::Day => self.block.days[i] as u32,
                BasketBy::Customer => 0,
            };
            if spec.by == BasketBy::Order && other == NO_CODE {
                self.close_line(batch, i, first_row, item);
                continue;
            }
            // Lines without an item only count for the sum of an order.
            if item == NO_CODE && !(self.content.has_units && spec.by == BasketBy::Order) {
                continue;
            }
            let id = packed(self.customers[i], other);
            if self.ids.last() != Some(&id) {
                self.ids.push(id);
            }
            self.lines.push((i, self.ids.len() - 1));
        }
        self.content.ids.intern_ids(&self.ids, &mut self.codes)?;
        self.content.last_days.resize(self.content.ids.len(), i32::MIN);
        let wide = batch.is_wide();
        for &(i, at) in &self.lines {
            let basket = self.codes[at];
            let last = &mut self.content.last_days[basket as usize];
            *last = (*last).max(self.block.days[i]);
            let item = if self.items[i] == NO_CODE { NO_ITEM } else { self.items[i] };
            self.builder.push(key(basket, item), self.block.units_at(i, wide), context)?;
        }
        self.entries += self.lines.len();
        Ok(())
    }

    /// Whether a row counts; if not, it is tallied under the first reason that applies.
    fn counts(&mut self, batch: &InputBatch, i: usize, first_row: u64, spec: &BasketSpec) -> Result<bool> {
        let (row, at, flags) = (first_row + i as u64, self.block.start + i, self.block.flags[i]);
        let has_item = self.items[i] != NO_CODE;
        if flags == 0 && has_item {
            return Ok(true);
        }
        let lacks_id = flags & flag::NULL_ID != 0 && !spec.anonymous;
        let is_out = lacks_id || flags & flag::NULL_TIME != 0;
        let read = &spec.read;
        let seen = if spec.anonymous { flags & !flag::NULL_ID } else { flags };
        let units = self.block.units_at(i, batch.is_wide());
        if read.on_null == OnNull::Error && (is_out || flags & (flag::NULL_AMOUNT | flag::NONFINITE) == flag::NULL_AMOUNT) {
            return Err(batch.null_error(seen, row, at));
        }
        let tallies = &mut self.content.tallies;
        if is_out || flags & flag::NONFINITE != 0 {
            if !is_out && read.on_nonfinite == OnNonfinite::Error {
                return Err(batch.nonfinite_error(row));
            }
            let tally = if lacks_id {
                &mut tallies.null_id
            } else if flags & flag::NULL_TIME != 0 {
                &mut tallies.null_time
            } else {
                &mut tallies.nonfinite
            };
            tally.add(units, row);
            return Ok(false);
        }
        if !has_item {
            if read.on_null == OnNull::Error {
                let item = spec.item();
                let message = format!(
                    "column '{item}' is null at row {row}. Fill or drop such rows, or pass on_null='drop' to leave them out and count them"
                );
                return Err(Error::new(ErrorKind::NullValue, message).in_column(item).at_row(row));
            }
            tallies.null_item.add(units, row);
        }
        if flags & flag::NULL_AMOUNT != 0 {
            tallies.null_amount.add(0, row);
        }
        if flags & flag::ROUNDED != 0 {
            tallies.rounded_amount.add(batch.rounded_off(at), row);
        }
        Ok(true)
    }

    /// A line without an order id: an order by itself, to which no line can be added.
    fn close_line(&mut self, batch: &InputBatch, i: usize, first_row: u64, item: u32) {
        let (units, row) = (self.block.units_at(i, batch.is_wide()), first_row + i as u64);
        self.content.tallies.null_order.add(units, row);
        if self.content.has_units && units < 0 {
            self.content.tallies.refunds.add(units, row);
        } else if item != NO_CODE {
            self.content.closed.push(self.customers[i], &[item]);
        }
    }
}
