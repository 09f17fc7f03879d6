//! Batches of transactions folded into the state of a base: screened row by row, grouped by customer, added up.
//!
//! Each thread folds its share of the rows into a part of its own; parts are merged at the end. Everything a part holds
//! is exact and merges in any order, so neither the threads nor the batches show in the result.

mod planning;

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::NullBuffer;

use super::cutoffs::Cutoffs;
use super::partition::partitions::Partitions;
use super::partition::scatter::Scatter;
use super::worker::{IngestWorker, Morsel};
use crate::column::chunks::{InputBatch, InputSchema};
use crate::column::key::PlainKeys;
use crate::error::Result;
use crate::exec::context::Context;
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};
use crate::group::encoding::KeyEncoding;
use crate::group::interner::{Interner, Keys};
use crate::state::customer_state::State;
use crate::state::spec::{BaseSpec, Track};

/// A fold that has ended.
#[derive(Debug)]
pub struct Update {
    /// The kinds of its columns.
    pub(crate) kinds: InputSchema,
    /// What is known now.
    pub(crate) state: State,
    /// Rows folded.
    pub rows: u64,
    /// The version of the base whose open order it goes on with.
    pub(crate) begun_at: Option<u64>,
}

impl Update {
    /// Number of customers in it.
    pub fn customers(&self) -> usize {
        self.state.interner.len()
    }
}

/// Order ids may have this many codes for each row, over all parts, before parts find orders by a look-up: 4 bytes each, in all
/// about as much as the orders take.
const ORDER_CODES_PER_ROW: usize = 16;

/// Parts with tables of their own may know each customer this many times, all of them together.
const CODES_PER_KNOWN: usize = 4;
/// So many customers are not worth counting once.
const FEW_CUSTOMERS: usize = 1 << 20;

/// Rows after which the way of folding is chosen.
const SAMPLE: usize = 1 << 18;

/// How rows find their customers. The data decide; tests force a way to show that all give the same result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// What suits the data.
    #[default]
    Auto,
    /// Distances from the smallest id where ids are integers, positions in a dictionary where all rows share one.
    Direct,
    /// A table for each thread.
    Table,
    /// Shards, each with a table of its own.
    Shards,
    /// Shards, each with a range of the ids, where ids are integers in a narrow range.
    Ranges,
}

/// A fold in progress.
#[derive(Debug)]
pub struct UpdateBuilder {
    spec: BaseSpec,
    kinds: InputSchema,
    until: i32,
    edges: Cutoffs,
    encoding: KeyEncoding,
    order_encoding: KeyEncoding,
    values: Option<SharedDictionary>,
    parts: Vec<State>,
    /// Parts of plans that were given up.
    done: Vec<State>,
    /// Once customers are many: rows are dealt out to these, and the parts only tell what was left out.
    partitions: Option<Partitions>,
    scatters: Vec<Scatter>,
    strategy: Strategy,
    rows: u64,
    begun_at: Option<u64>,
    more: bool,
    /// How many parts have room for every code that customers could have.
    copies: usize,
}

/// A dictionary that all rows share, and its ids.
#[derive(Debug, Clone)]
struct SharedDictionary {
    /// Held so that no other dictionary can come to lie at the same place.
    held: Option<PlainKeys>,
    keys: Arc<Keys>,
    nulls: Option<NullBuffer>,
    /// Whether each is larger than the one before it, as in a dictionary that was sorted: none is there twice.
    ascending: bool,
}

impl UpdateBuilder {
    /// A fold of nothing yet.
    pub fn new(spec: &BaseSpec, kinds: InputSchema) -> Result<Self> {
        let mut until = spec.until.map_or(Ok(i32::MAX), |as_of| as_of.day(&kinds.clock))?;
        let window = spec.window.clone().unwrap_or_default();
        let edges = Cutoffs {
            start: window.start.map(|bound| bound.edge("observation_start", &kinds.clock)).transpose()?,
            end: window.end.map(|bound| bound.edge("observation_end", &kinds.clock)).transpose()?,
        };
        if let Some(end) = edges.end.filter(|end| end.moment.is_none()) {
            until = until.min(end.last_day());
        }
        Ok(Self {
            spec: spec.clone(),
            kinds,
            until,
            edges,
            encoding: KeyEncoding::Open,
            order_encoding: KeyEncoding::Open,
            values: None,
            parts: Vec::new(),
            done: Vec::new(),
            partitions: None,
            scatters: Vec::new(),
            strategy: Strategy::Auto,
            rows: 0,
            begun_at: None,
            more: false,
            copies: 1,
        })
    }

    /// Goes on with the order that a base of this version has open, if there is one; before any rows are folded.
    pub(crate) fn carry(&mut self, open: Option<State>, version: u64) {
        if let Some(open) = open {
            self.encoding = KeyEncoding::Table;
            self.parts = vec![open];
        }
        self.begun_at = Some(version);
    }

    /// Takes this way whatever the data look like, as far as they allow it; before any rows are folded.
    pub fn force(&mut self, strategy: Strategy) {
        self.strategy = strategy;
        if matches!(strategy, Strategy::Table | Strategy::Shards) {
            self.encoding = KeyEncoding::Table;
        }
    }

    /// Tells that many rows follow those of the first push, which are then no measure of how many there will be.
    pub fn expect_more(&mut self) {
        self.more = true;
    }

    /// Rows folded so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes that what was folded takes, about.
    pub fn bytes(&self) -> usize {
        let parts: usize = self.parts.iter().chain(&self.done).map(State::bytes).sum();
        let waiting: usize = self.scatters.iter().map(Scatter::bytes).sum();
        parts + waiting + self.partitions.as_ref().map_or(0, Partitions::bytes)
    }

    /// The ends of observation by the clock of the data.
    pub fn edges(&self) -> Cutoffs {
        self.edges
    }

    /// The last local day that counts, if one was asked for.
    pub fn until(&self) -> Option<i32> {
        self.spec.until.map(|_| self.until)
    }

    /// The settings.
    pub fn spec(&self) -> &BaseSpec {
        &self.spec
    }

    /// Folds some batches. After an error the fold is of no further use.
    pub fn push(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        let decimals = self.spec.amount_decimals;
        let columns =
            batches.iter().map(|batch| InputBatch::bind(batch, &self.spec.roles, &self.kinds, decimals)).collect::<Result<Vec<_>>>()?;
        let rows: usize = columns.iter().map(InputBatch::len).sum();
        let (spec, until, edges) = (&self.spec, self.until, self.edges);
        // An order whose lines follow each other may lie across a cut.
        let in_sequence = spec.in_sequence();
        let n_parts = if in_sequence { 1 } else { context.threads().min(rows / ROWS_WORTH_THREADS).max(1) };
        let copies = self.copies(&columns, rows, n_parts);
        let (encoding, order_encoding, values) =
            context.run_if_large(rows, |threads| self.extend_encodings(&columns, rows, in_sequence, (copies, n_parts), threads))??;
        if self.encoding == KeyEncoding::Values && encoding != KeyEncoding::Values {
            // Codes of a dictionary mean nothing beside others.
            self.done.append(&mut self.parts);
        }
        (self.encoding, self.order_encoding, self.values, self.copies) = (encoding, order_encoding, values, copies);
        for part in &mut self.parts {
            part.apply_encodings(encoding, order_encoding)?;
        }
        // Ids have left the ranges of the shards.
        if let Some(partitions) = self.partitions.take_if(|partitions| partitions.are_ranges() && !partitions.cover(encoding)) {
            self.done.push(partitions.into_one(&mut self.scatters, context)?);
        }
        while self.parts.len() < n_parts {
            let interner = match &self.values {
                Some(values) => Interner::of_values(self.kinds.id_kind, values.keys.clone(), values.nulls.clone(), values.ascending),
                None => encoding.interner(self.kinds.id_kind),
            };
            let mut part = State::new(&self.kinds, spec, interner, order_encoding);
            if matches!(order_encoding, KeyEncoding::Range { len, .. } if len * n_parts > ORDER_CODES_PER_ROW * (self.rows as usize + rows))
            {
                part.make_orders_sparse();
            }
            self.parts.push(part);
        }
        // The first rows tell whether customers are many.
        let sample = if self.rows == 0 && encoding == KeyEncoding::Table { rows.min(SAMPLE) } else { rows };
        for range in [0..sample, sample..rows].into_iter().filter(|range| !range.is_empty()) {
            let shares = split_morsels(&columns, range, n_parts, self.rows);
            if self.is_worth_partitions(&columns, rows, n_parts) {
                self.fold_into_partitions(&columns, &shares, context)?;
            } else {
                let fold = |(part, shares): (&mut State, &Vec<Morsel>)| {
                    let mut folder = IngestWorker::new(&self.spec, until, edges);
                    shares.iter().try_for_each(|share| folder.fold(&columns[share.batch], share, part, context))
                };
                by_parts(&mut self.parts, &shares, context, fold)?;
            }
        }
        self.rows += rows as u64;
        self.consolidate(context)
    }

    /// Makes one of parts that have tables of their own where together they know several times the customers that there are.
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

    fn fold_into_partitions(&mut self, columns: &[InputBatch], shares: &[Vec<Morsel>], context: &Context) -> Result<()> {
        let (spec, kinds, until, edges) = (&self.spec, &self.kinds, self.until, self.edges);
        let encoding = self.encoding;
        let partitions = self.partitions.get_or_insert_with(|| match encoding {
            KeyEncoding::Range { base, len } => {
                Partitions::ranges(base, len, |base| State::new(kinds, spec, Interner::range(kinds.id_kind, base), KeyEncoding::Table))
            }
            _ => Partitions::new(|| State::new(kinds, spec, encoding.interner(kinds.id_kind), KeyEncoding::Table)),
        });
        // Customers who were met before move in. Where orders or days are written down they stay, and are joined at the end.
        let can_move = self.parts.iter().all(|part| part.order_log.is_none() && part.days.is_none());
        if can_move && self.parts.iter().any(|part| !part.totals.is_empty()) {
            partitions.absorb(&mut self.parts, context)?;
        }
        while self.scatters.len() < shares.len() {
            self.scatters.push(Scatter::new());
        }
        let (partitioner, first_row) = (partitions.partitioner(), self.rows);
        let scatter = |((part, scatter), shares): ((&mut State, &mut Scatter), &Vec<Morsel>)| {
            let mut folder = IngestWorker::new(spec, until, edges);
            shares.iter().try_for_each(|share| folder.scatter(columns, share, first_row, part, (partitioner, scatter), context))
        };
        let mut parts: Vec<(&mut State, &mut Scatter)> = self.parts.iter_mut().zip(&mut self.scatters).collect();
        by_parts(&mut parts, shares, context, |((part, dealt), shares)| scatter(((part, dealt), shares)))?;
        partitions.fold(&mut self.scatters, columns, first_row, context)
    }

    /// All that was folded, in one state.
    pub fn finish(mut self, context: &Context) -> Result<Update> {
        self.parts.append(&mut self.done);
        if let Some(partitions) = self.partitions {
            self.parts.push(partitions.into_one(&mut self.scatters, context)?);
        }
        self.scatters = Vec::new();
        context.check()?;
        let size: usize = self.parts.iter().map(State::size).sum();
        let is_kept = self.spec.track != Track::Once;
        let mut state = context.run_if_large(size, |threads| Self::unify(self.parts, &self.kinds, &self.spec, threads))??;
        if is_kept {
            state.compact()?;
        }
        Ok(Update { kinds: self.kinds, state, rows: self.rows, begun_at: self.begun_at })
    }

    fn unify(mut parts: Vec<State>, kinds: &InputSchema, spec: &BaseSpec, threads: Threads<'_>) -> Result<State> {
        parts.sort_by_key(|part| part.interner.len());
        // Parts that know no customer have only tallies to tell.
        let one_space = parts.windows(2).all(|pair| pair[0].interner.shares_codes(&pair[1].interner))
            || parts.iter().rev().skip(1).all(|part| part.interner.is_empty());
        let mut whole = if one_space {
            if spec.track == Track::Once {
                State::close_in_parallel(&mut parts, threads)?;
            }
            let mut whole =
                parts.pop().unwrap_or_else(|| State::new(kinds, spec, KeyEncoding::Open.interner(kinds.id_kind), KeyEncoding::Open));
            for part in &mut parts {
                if let (Some(order_log), Some(entries)) = (&mut whole.order_log, part.order_log.take()) {
                    order_log.append_same(entries);
                }
                whole.merge(part, 0, threads)?;
            }
            // A dictionary may have a value twice.
            if whole.interner.repeats() { State::unify(vec![whole], threads)? } else { whole }
        } else {
            State::unify(parts, threads)?
        };
        whole.interner.leave_values();
        whole.accumulators.finish();
        whole.totals.grow(whole.interner.len());
        if spec.track == Track::Once {
            whole.close_orders();
        } else if let Some(days) = &mut whole.days {
            days.flush();
        }
        Ok(whole)
    }

    /// Lets go of memory that came from outside; to be called where batches are dropped, when no more are to come.
    pub fn release(&mut self) {
        if let Some(values) = &mut self.values {
            values.held = None;
        }
    }
}

/// Does `work` on each part and its shares, side by side where there are several.
fn by_parts<P: Send>(
    parts: &mut [P],
    shares: &[Vec<Morsel>],
    context: &Context,
    work: impl Fn((&mut P, &Vec<Morsel>)) -> Result<()> + Sync + Send,
) -> Result<()> {
    if shares.len() == 1 {
        return parts.iter_mut().zip(shares).try_for_each(work);
    }
    let results: Vec<Result<()>> = context.install(|threads| threads.par_tasks(parts.iter_mut().zip(shares), work))?;
    // The error of the smallest row is the one a single thread would have met first.
    results.into_iter().filter_map(Result::err).min_by_key(|e| e.row().unwrap_or(u64::MAX)).map_or(Ok(()), Err)
}

/// Cuts some rows of the columns, which are counted from `first_row`, into `n` runs of about equal length.
fn split_morsels(columns: &[InputBatch], rows: Range<usize>, n: usize, first_row: u64) -> Vec<Vec<Morsel>> {
    let mut shares: Vec<Vec<Morsel>> = (0..n).map(|_| Vec::new()).collect();
    let per_part = rows.len().div_ceil(n).max(1);
    let mut before = 0;
    for (batch, columns) in columns.iter().enumerate() {
        let mut row = rows.start.max(before);
        while row < rows.end.min(before + columns.len()) {
            let part = ((row - rows.start) / per_part).min(n - 1);
            let end = rows.end.min(before + columns.len()).min(rows.start + (part + 1) * per_part);
            shares[part].push(Morsel { batch, start: row - before, end: end - before, first_row: first_row + row as u64 });
            row = end;
        }
        before += columns.len();
    }
    shares
}
