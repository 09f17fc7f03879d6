//! The update builder: batches of transactions are filtered, grouped by customer and aggregated into a state.
//!
//! Each worker aggregates its morsels into a thread-local state (a part); parts are merged at the end. All aggregates are
//! exact and merge in any order, so the result depends neither on the threads nor on the batches.

mod dictionaries;
mod morsels;
mod planning;
mod shared_codes;

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;

use self::morsels::{by_parts, split_morsels};
use self::shared_codes::{SharedCodes, SharedDictionary};
use super::cutoffs::Cutoffs;
use super::partition::partitions::Partitions;
use super::partition::scatter::Scatter;
use super::worker::{IngestWorker, Morsel};
use crate::column::chunks::{InputBatch, InputSchema};
use crate::column::key::KeyKind;
use crate::error::Result;
use crate::exec::context::Context;
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};
use crate::group::dictionary_union::DictionaryUnion;
use crate::group::encoding::KeyEncoding;
use crate::group::id_ranks::IdRanks;
use crate::group::intern_rows::Remap;
use crate::group::interner::Interner;
use crate::state::customer_state::State;
use crate::state::spec::{BaseSpec, Track};

/// The state of one update, to be merged into a base.
#[derive(Debug)]
pub struct Update {
    /// The types of its columns.
    pub(crate) kinds: InputSchema,
    /// The aggregated state.
    pub(crate) state: State,
    /// Number of rows read.
    pub rows: u64,
    /// The version of the base whose open order it continues, if it does.
    pub(crate) begun_at: Option<u64>,
}

impl Update {
    /// Number of customers.
    pub fn customers(&self) -> usize {
        self.state.interner.len()
    }
}

/// Limit of order codes per row, over all parts. Up to it parts index orders by code: 4 bytes a code, in total about as much as
/// the orders take. Above it orders are found by hash lookup.
const ORDER_CODES_PER_ROW: usize = 16;

/// Parts with hash tables are merged when they have this many codes per distinct customer in total.
const CODES_PER_KNOWN: usize = 4;
/// Lower bound of the number of customers in that comparison: smaller parts are not worth merging early.
const FEW_CUSTOMERS: usize = 1 << 20;

/// Rows that are scattered at once: their buffers are reused, so most of them stay in the cache.
const STEP: usize = 1 << 20;
/// The same if days are kept, whose records are made of as many rows as possible.
const STEP_OF_DAYS: usize = 1 << 22;

/// Rows of the first push that are aggregated before the strategy is chosen.
const SAMPLE: usize = 1 << 18;
/// Most threads that aggregate the sample: however many there are, the rows of one show whether there are many customers.
const SAMPLE_PARTS: usize = 2;

/// How rows are grouped by customer. Chosen from the data; tests force each strategy and compare the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// Chosen from the data.
    #[default]
    Auto,
    /// Direct addressing: offsets of integer ids, or positions in a dictionary that all rows share.
    Direct,
    /// A hash table for each thread.
    Table,
    /// Hash partitioning, with a hash table for each partition.
    HashPartitions,
    /// Range partitioning of integer ids in a narrow range, with offsets in each partition.
    RangePartitions,
    /// Ranks of integer ids.
    Ranks,
    /// Range partitioning of the ranks of integer ids.
    RankPartitions,
}

/// An update in progress.
#[derive(Debug)]
pub struct UpdateBuilder {
    spec: BaseSpec,
    schema: InputSchema,
    until: i32,
    edges: Cutoffs,
    encoding: KeyEncoding,
    order_encoding: KeyEncoding,
    shared_codes: Option<SharedCodes>,
    /// The codes that the states share if rows have several dictionaries.
    union: Option<DictionaryUnion>,
    /// The ranks of the ids of all rows that were announced, and the number of these rows.
    read_ahead: Option<(Option<Arc<IdRanks>>, u64)>,
    parts: Vec<State>,
    /// Finished parts: those of an earlier encoding, and early merges.
    done: Vec<State>,
    /// Set once there are many customers: rows are scattered to these, and the parts only count the rows left out.
    partitions: Option<Partitions>,
    scatters: Vec<Scatter>,
    strategy: Strategy,
    /// Rows of the update before those of this builder.
    rows_before: u64,
    rows: u64,
    begun_at: Option<u64>,
    more: bool,
    /// Number of parts with a slot for every code that customers could have.
    copies: usize,
}

impl UpdateBuilder {
    /// An empty update.
    pub fn new(spec: &BaseSpec, schema: InputSchema) -> Result<Self> {
        let mut until = spec.until.map_or(Ok(i32::MAX), |as_of| as_of.day(&schema.clock))?;
        let ranges = spec.day_ranges.as_ref().map(|ranges| ranges.days(&schema.clock)).transpose()?;
        let ends = |ranges: Vec<Range<i32>>| {
            let first = ranges.iter().map(|range| range.start).min()?;
            Some((first, ranges.iter().map(|range| range.end - 1).max()?))
        };
        let window = spec.window.clone().unwrap_or_default();
        let edges = Cutoffs {
            kept_days: ranges.and_then(ends),
            start: window.start.map(|bound| bound.edge("observation_start", &schema.clock)).transpose()?,
            end: window.end.map(|bound| bound.edge("observation_end", &schema.clock)).transpose()?,
        };
        if let Some(end) = edges.end.filter(|end| end.moment.is_none()) {
            until = until.min(end.last_day());
        }
        Ok(Self {
            spec: spec.clone(),
            schema,
            until,
            edges,
            encoding: KeyEncoding::Open,
            order_encoding: KeyEncoding::Open,
            shared_codes: None,
            union: None,
            read_ahead: None,
            parts: Vec::new(),
            done: Vec::new(),
            partitions: None,
            scatters: Vec::new(),
            strategy: Strategy::Auto,
            rows_before: 0,
            rows: 0,
            begun_at: None,
            more: false,
            copies: 1,
        })
    }

    /// Continues the open order of a base of this version, if there is one. To be called before the first push.
    pub(crate) fn carry(&mut self, open: Option<State>, version: u64) {
        if let Some(open) = open {
            self.encoding = KeyEncoding::Table;
            self.parts = vec![open];
        }
        self.begun_at = Some(version);
    }

    /// Forces a strategy, as far as the data allow it. To be called before the first push.
    pub fn force(&mut self, strategy: Strategy) {
        self.strategy = strategy;
        if matches!(strategy, Strategy::Table | Strategy::HashPartitions) {
            self.encoding = KeyEncoding::Table;
        }
    }

    /// Announces that many rows follow the first push, whose size then says nothing about the total.
    pub fn expect_more(&mut self) {
        self.more = true;
    }

    /// Whether it helps to know all batches before the first one is pushed.
    pub fn reads_ahead(&self) -> bool {
        self.may_use_ranks() && matches!(self.schema.id.kind(), KeyKind::Signed | KeyKind::Unsigned)
    }

    /// Reads the customer ids of the batches that will be pushed, which are all in memory: knowing all ids, fewer codes do. To be
    /// called before the first push.
    pub fn read_ahead(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        let ranks = if self.may_use_ranks() {
            context.run_if_large(rows, |threads| self.ranks_of_batches(batches, context, threads))??
        } else {
            None
        };
        self.read_ahead = Some((ranks, rows as u64));
        Ok(())
    }

    /// Number of rows read so far.
    pub fn rows(&self) -> u64 {
        self.rows_before + self.rows
    }

    /// Approximate heap bytes of the states and the scatter buffers.
    pub fn bytes(&self) -> usize {
        let parts: usize = self.parts.iter().chain(&self.done).map(State::bytes).sum();
        let buffered: usize = self.scatters.iter().map(Scatter::bytes).sum();
        parts + buffered + self.union.as_ref().map_or(0, DictionaryUnion::bytes) + self.partitions.as_ref().map_or(0, Partitions::bytes)
    }

    /// Counts rows from this number on. Only before the first rows.
    pub(crate) fn continue_after(&mut self, rows: u64) {
        self.rows_before = rows;
    }

    /// The ends of observation on the clock of the data.
    pub fn edges(&self) -> Cutoffs {
        self.edges
    }

    /// The last local day that counts, if set.
    pub fn until(&self) -> Option<i32> {
        self.spec.until.map(|_| self.until)
    }

    /// The settings.
    pub fn spec(&self) -> &BaseSpec {
        &self.spec
    }

    /// Aggregates batches. After an error the builder must not be used any more.
    pub fn push(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        let decimals = self.spec.amount_decimals;
        let (roles, schema) = (&self.spec.roles, &self.schema);
        let bind = |threads: Threads<'_>| -> Result<Vec<InputBatch>> {
            let bind = |batch: &RecordBatch| InputBatch::bind(batch, roles, schema, decimals, threads);
            threads.par_tasks(batches, bind).into_iter().collect()
        };
        // The ids of composite keys are encoded here, which is work for all threads.
        let encoded = if schema.has_composite_keys() { batches.iter().map(RecordBatch::num_rows).sum() } else { 0 };
        let columns = context.run_if_large(encoded, bind)??;
        let rows: usize = columns.iter().map(InputBatch::len).sum();
        // With lines of an order in sequence, an order could span two morsels.
        let in_sequence = self.spec.in_sequence();
        let n_parts = if in_sequence { 1 } else { context.threads().min(rows / ROWS_WORTH_THREADS).max(1) };
        let copies = self.copies(&columns, rows, n_parts);
        let (encoding, order_encoding, shared_codes) =
            context.run_if_large(rows, |threads| self.extend_encodings(&columns, rows, in_sequence, copies, context, threads))??;
        let keeps_codes = encoding == self.encoding || (encoding == KeyEncoding::Union && self.begin_union()?);
        if matches!(self.encoding, KeyEncoding::Dictionary | KeyEncoding::Union | KeyEncoding::Ranks) && !keeps_codes {
            // Positions in a dictionary, codes of a union, or ranks, cannot be mixed with other codes.
            self.done.append(&mut self.parts);
        }
        let translations = self.translate(&columns, encoding)?;
        let (spec, until, edges) = (&self.spec, self.until, self.edges);
        (self.encoding, self.order_encoding, self.shared_codes, self.copies) = (encoding, order_encoding, shared_codes, copies);
        for part in &mut self.parts {
            part.apply_encodings(encoding, order_encoding)?;
        }
        // Some ids lie outside the ranges of the partitions.
        if let Some(partitions) = self.partitions.take_if(|partitions| partitions.are_ranges() && !partitions.cover(encoding)) {
            self.done.push(partitions.into_one(&mut self.scatters, context)?);
        }
        while self.parts.len() < n_parts {
            let kind = self.schema.id.kind();
            let interner = match (&self.shared_codes, &self.union) {
                (Some(shared), _) => shared.interner(kind),
                (None, Some(union)) => union.shared(),
                (None, None) => encoding.interner(kind),
            };
            let mut part = State::new(&self.schema, spec, interner, order_encoding);
            if matches!(order_encoding, KeyEncoding::Range { len, .. } if len * n_parts > ORDER_CODES_PER_ROW * (self.rows as usize + rows))
            {
                part.make_orders_sparse();
            }
            self.parts.push(part);
        }
        // A sample of rows shows whether there are many customers.
        let sample = if self.rows == 0 && encoding == KeyEncoding::Table { rows.min(SAMPLE) } else { 0 };
        let step = if self.spec.keeps_days() { STEP_OF_DAYS } else { STEP };
        let mut start = 0;
        while start < rows {
            let is_partitioned = self.is_worth_partitions(&columns, rows, n_parts);
            let (end, n) = match () {
                () if is_partitioned => (rows.min(start + step), n_parts),
                () if start < sample => (sample, n_parts.min(SAMPLE_PARTS)),
                () => (rows, n_parts),
            };
            let morsels = split_morsels(&columns, start..end, n, self.rows());
            start = end;
            if is_partitioned {
                self.push_partitioned(&columns, &morsels, context)?;
            } else {
                let aggregate = |(part, morsels): (&mut State, &Vec<Morsel>)| {
                    let mut worker = IngestWorker::new(&self.spec, until, edges);
                    morsels.iter().try_for_each(|morsel| {
                        let remap = translations.get(morsel.batch).map_or_else(Remap::default, |codes| Remap::Whole(codes.clone()));
                        worker.aggregate((&columns[morsel.batch], remap), morsel, part, context)
                    })
                };
                by_parts(&mut self.parts, &morsels, context, aggregate)?;
            }
        }
        self.rows += rows as u64;
        self.consolidate(context)
    }

    /// Merges parts with hash tables early if together they have several codes per distinct customer.
    fn consolidate(&mut self, context: &Context) -> Result<()> {
        if self.encoding != KeyEncoding::Table || self.partitions.is_some() || self.parts.len() < 2 || self.parts.iter().any(State::waits) {
            return Ok(());
        }
        let known = self.done.iter().map(|part| part.interner.len()).fold(FEW_CUSTOMERS, usize::max);
        if self.parts.iter().map(|part| part.interner.len()).sum::<usize>() > CODES_PER_KNOWN * known {
            let mut parts = std::mem::take(&mut self.done);
            parts.append(&mut self.parts);
            self.done = vec![context.install(|threads| State::unify(parts, threads))??];
        }
        Ok(())
    }

    fn push_partitioned(&mut self, columns: &[InputBatch], morsels: &[Vec<Morsel>], context: &Context) -> Result<()> {
        let (spec, schema, until, edges) = (&self.spec, &self.schema, self.until, self.edges);
        let encoding = self.encoding;
        let range = |base| State::new(schema, spec, Interner::range(schema.id.kind(), base), KeyEncoding::Table);
        let partitions = self.partitions.get_or_insert_with(|| match (encoding, &self.shared_codes) {
            (KeyEncoding::Range { base, len }, _) => Partitions::ranges(base, len, range),
            (KeyEncoding::Ranks | KeyEncoding::Dictionary, Some(shared)) => Partitions::of_shared(shared.interner(schema.id.kind()), range),
            _ => Partitions::new(|| State::new(schema, spec, encoding.interner(schema.id.kind()), KeyEncoding::Table)),
        });
        // Customers of the sample move into the partitions. With an order log they stay and are merged at the end.
        let can_move = self.parts.iter().all(|part| part.order_log.is_none());
        if can_move && self.parts.iter().any(|part| !part.totals.is_empty()) {
            partitions.absorb(&mut self.parts, context)?;
        }
        while self.scatters.len() < morsels.len() {
            self.scatters.push(Scatter::new(partitions.partitioner()));
        }
        let (partitioner, first_row) = (partitions.partitioner(), self.rows_before + self.rows);
        let scatter = |((part, scatter), morsels): ((&mut State, &mut Scatter), &Vec<Morsel>)| {
            let mut worker = IngestWorker::new(spec, until, edges);
            morsels.iter().try_for_each(|morsel| worker.scatter(columns, morsel, first_row, part, (partitioner, scatter), context))
        };
        let mut parts: Vec<(&mut State, &mut Scatter)> = self.parts.iter_mut().zip(&mut self.scatters).collect();
        by_parts(&mut parts, morsels, context, |((part, buffers), morsels)| scatter(((part, buffers), morsels)))?;
        partitions.aggregate(&mut self.scatters, columns, first_row, context)
    }

    /// Merges all parts and partitions into one state.
    pub fn finish(mut self, context: &Context) -> Result<Update> {
        self.parts.append(&mut self.done);
        if let Some(partitions) = self.partitions {
            self.parts.push(partitions.into_one(&mut self.scatters, context)?);
        }
        let rows = self.rows_before + self.rows;
        self.scatters = Vec::new();
        // No lookups follow; its table is freed before the merge allocates.
        self.union = None;
        context.check()?;
        let size: usize = self.parts.iter().map(State::size).sum();
        let is_kept = self.spec.track != Track::Once;
        let mut state = context.run_if_large(size, |threads| Self::unify(self.parts, &self.schema, &self.spec, threads))??;
        if is_kept {
            state.compact()?;
        }
        Ok(Update { kinds: self.schema, state, rows, begun_at: self.begun_at })
    }

    fn unify(mut parts: Vec<State>, schema: &InputSchema, spec: &BaseSpec, threads: Threads<'_>) -> Result<State> {
        parts.sort_by_key(|part| part.interner.len());
        // A part without customers has tallies only, and merges without mapping codes.
        let same_codes = parts.windows(2).all(|pair| pair[0].interner.shares_codes(&pair[1].interner))
            || parts.iter().rev().skip(1).all(|part| part.interner.is_empty());
        let mut whole = if same_codes {
            if spec.track == Track::Once {
                State::close_in_parallel(&mut parts, threads)?;
            }
            let mut whole =
                parts.pop().unwrap_or_else(|| State::new(schema, spec, KeyEncoding::Open.interner(schema.id.kind()), KeyEncoding::Open));
            for part in &mut parts {
                if let (Some(order_log), Some(entries)) = (&mut whole.order_log, part.order_log.take()) {
                    order_log.append_same(entries);
                }
                if let (Some(days), Some(own)) = (&mut whole.days, part.days.take()) {
                    days.merge_same(own, threads);
                }
                whole.merge(part, 0, threads)?;
            }
            // A dictionary may have duplicates.
            if whole.interner.repeats() { State::unify(vec![whole], threads)? } else { whole }
        } else {
            State::unify(parts, threads)?
        };
        whole.interner.leave_shared_codes();
        whole.accumulators.finish();
        whole.totals.grow(whole.interner.len());
        if spec.track == Track::Once {
            whole.close_orders();
        }
        whole.settle(threads);
        Ok(whole)
    }

    /// Drops references to imported memory. To be called where batches are dropped, after the last push.
    pub fn release(&mut self) {
        if let Some(SharedCodes::Dictionary(shared)) = &mut self.shared_codes {
            shared.values = None;
        }
        if let Some(union) = &mut self.union {
            union.release();
        }
    }
}
