//! Batches of transactions folded into the state of a base: screened row by row, grouped by customer, added up.
//!
//! Each thread folds its share of the rows into a part of its own; parts are merged at the end. Everything a part holds
//! is exact and merges in any order, so neither the threads nor the batches show in the result.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::NullBuffer;

use super::partition::partitions::{Shards, can_deal};
use super::partition::scatter::Deal;
use super::worker::{Folder, Share};
use crate::column::bounds::Edge;
use crate::column::chunks::{Columns, Kinds};
use crate::column::key::{KeyColumn, PlainKeys};
use crate::error::Result;
use crate::exec::context::Context;
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};
use crate::group::encoding::{CODES_PER_ROW, Plan};
use crate::group::interner::{Interner, Keys, keys_of};
use crate::state::customer_state::State;
use crate::state::spec::{Spec, Track};

/// A fold that has ended.
#[derive(Debug)]
pub struct Update {
    /// The kinds of its columns.
    pub kinds: Kinds,
    /// What is known now.
    pub state: State,
    /// Rows folded.
    pub rows: u64,
    /// The version of the base whose open order it goes on with.
    pub begun_at: Option<u64>,
}

/// A part that knows more customers than this has a table that fits no cache.
const MANY_CUSTOMERS: usize = 1 << 16;

/// Slots of more ids than this fit no cache, so that each row would wait for memory: a million, and the room that a range
/// keeps for ids that come late.
const MANY_IDS: usize = 9 << 17;

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
pub struct Fold {
    spec: Spec,
    kinds: Kinds,
    until: i32,
    edges: Edges,
    plan: Plan,
    order_plan: Plan,
    values: Option<Values>,
    parts: Vec<State>,
    /// Parts of plans that were given up.
    done: Vec<State>,
    /// Once customers are many: rows are dealt out to these, and the parts only tell what was left out.
    shards: Option<Shards>,
    deals: Vec<Deal>,
    strategy: Strategy,
    rows: u64,
    begun_at: Option<u64>,
    more: bool,
    /// How many parts have room for every code that customers could have.
    copies: usize,
}

/// A dictionary that all rows share, and its ids.
#[derive(Debug, Clone)]
struct Values {
    /// Held so that no other dictionary can come to lie at the same place.
    held: Option<PlainKeys>,
    keys: Arc<Keys>,
    nulls: Option<NullBuffer>,
    /// Whether each is larger than the one before it, as in a dictionary that was sorted: none is there twice.
    ascending: bool,
}

/// The ends of observation, where orders are written down.
#[derive(Debug, Clone, Copy, Default)]
pub struct Edges {
    /// The first moment that is observed, if it was asked for.
    pub start: Option<Edge>,
    /// The first moment after it, if it was asked for.
    pub end: Option<Edge>,
}

impl Fold {
    /// A fold of nothing yet.
    pub fn new(spec: &Spec, kinds: Kinds) -> Result<Self> {
        let mut until = spec.until.map_or(Ok(i32::MAX), |as_of| as_of.day(&kinds.clock))?;
        let window = spec.window.clone().unwrap_or_default();
        let edges = Edges {
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
            plan: Plan::Open,
            order_plan: Plan::Open,
            values: None,
            parts: Vec::new(),
            done: Vec::new(),
            shards: None,
            deals: Vec::new(),
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
            self.plan = Plan::Table;
            self.parts = vec![open];
        }
        self.begun_at = Some(version);
    }

    /// Takes this way whatever the data look like, as far as they allow it; before any rows are folded.
    pub fn force(&mut self, strategy: Strategy) {
        self.strategy = strategy;
        if matches!(strategy, Strategy::Table | Strategy::Shards) {
            self.plan = Plan::Table;
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
        let waiting: usize = self.deals.iter().map(Deal::bytes).sum();
        parts + waiting + self.shards.as_ref().map_or(0, Shards::bytes)
    }

    /// The ends of observation by the clock of the data.
    pub fn edges(&self) -> Edges {
        self.edges
    }

    /// The last local day that counts, if one was asked for.
    pub fn until(&self) -> Option<i32> {
        self.spec.until.map(|_| self.until)
    }

    /// The settings.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Folds some batches. After an error the fold is of no further use.
    pub fn push(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        let decimals = self.spec.amount_decimals;
        let columns =
            batches.iter().map(|batch| Columns::bind(batch, &self.spec.roles, &self.kinds, decimals)).collect::<Result<Vec<_>>>()?;
        let rows: usize = columns.iter().map(Columns::len).sum();
        let (spec, until, edges) = (&self.spec, self.until, self.edges);
        // An order whose lines follow each other may lie across a cut.
        let in_sequence = spec.in_sequence();
        let n_parts = if in_sequence { 1 } else { context.threads().min(rows / ROWS_WORTH_THREADS).max(1) };
        let copies = self.copies(&columns, rows, n_parts);
        let (plan, order_plan, values) =
            context.run_if_large(rows, |threads| self.extend_plans(&columns, rows, in_sequence, (copies, n_parts), threads))??;
        if self.plan == Plan::Values && plan != Plan::Values {
            // Codes of a dictionary mean nothing beside others.
            self.done.append(&mut self.parts);
        }
        (self.plan, self.order_plan, self.values, self.copies) = (plan, order_plan, values, copies);
        for part in &mut self.parts {
            part.follow(plan, order_plan)?;
        }
        // Ids have left the ranges of the shards.
        if let Some(shards) = self.shards.take_if(|shards| shards.are_ranges() && !shards.cover(plan)) {
            self.done.push(shards.into_one(&mut self.deals, context)?);
        }
        while self.parts.len() < n_parts {
            let interner = match &self.values {
                Some(values) => Interner::of_values(self.kinds.id_kind, values.keys.clone(), values.nulls.clone(), values.ascending),
                None => plan.interner(self.kinds.id_kind),
            };
            let mut part = State::new(&self.kinds, spec, interner, order_plan);
            if matches!(order_plan, Plan::Range { len, .. } if len * n_parts > ORDER_CODES_PER_ROW * (self.rows as usize + rows)) {
                part.make_orders_sparse();
            }
            self.parts.push(part);
        }
        // The first rows tell whether customers are many.
        let sample = if self.rows == 0 && plan == Plan::Table { rows.min(SAMPLE) } else { rows };
        for range in [0..sample, sample..rows].into_iter().filter(|range| !range.is_empty()) {
            let shares = share_out(&columns, range, n_parts, self.rows);
            if self.is_worth_shards(&columns, rows, n_parts) {
                self.fold_into_shards(&columns, &shares, context)?;
            } else {
                let fold = |(part, shares): (&mut State, &Vec<Share>)| {
                    let mut folder = Folder::new(&self.spec, until, edges);
                    shares.iter().try_for_each(|share| folder.fold(&columns[share.batch], share, part, context))
                };
                by_parts(&mut self.parts, &shares, context, fold)?;
            }
        }
        self.rows += rows as u64;
        self.consolidate(context)
    }

    /// Whether rows can be dealt out by customer instead of being added up where they are read.
    fn can_deal(&self, columns: &[Columns], rows: usize) -> bool {
        let is_plain = self.kinds.order_kind.is_none() && self.spec.roles.attributes.is_empty();
        self.strategy != Strategy::Table && is_plain && can_deal(columns, rows) && !self.has_marks()
    }

    /// How many of `n_parts` parts will have room for every code that customers could have.
    fn copies(&self, columns: &[Columns], rows: usize, n_parts: usize) -> usize {
        let keeps_totals = !self.spec.window.as_ref().is_some_and(|window| window.alone) || !self.spec.roles.attributes.is_empty();
        // Lines without an order id are orders of their own, which do not wait.
        let waits = |columns: &Columns| columns.order.as_ref().is_some_and(|column| column.nulls().is_none());
        if !keeps_totals || self.can_deal(columns, rows) || columns.iter().all(waits) { 1 } else { n_parts }
    }

    /// Makes one of parts that have tables of their own where together they know several times the customers that there are.
    fn consolidate(&mut self, context: &Context) -> Result<()> {
        if self.plan != Plan::Table || self.shards.is_some() || self.parts.len() < 2 || self.parts.iter().any(State::waits) {
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

    /// Whether rows had better be dealt out by customer first: the tables of so many customers fit no cache.
    fn is_worth_shards(&self, columns: &[Columns], rows: usize, n_parts: usize) -> bool {
        if !self.can_deal(columns, rows) {
            return false;
        }
        let worth = rows >= ROWS_WORTH_THREADS;
        match self.plan {
            // Parts that have slots already go on with them.
            Plan::Range { len, .. } => match &self.shards {
                Some(shards) => shards.cover(self.plan),
                None if self.strategy == Strategy::Direct => false,
                None if len * n_parts > CODES_PER_ROW * (self.rows as usize + rows).max(MANY_CUSTOMERS) && n_parts > 1 => true,
                None if self.parts.iter().any(|part| !part.totals.is_empty()) => false,
                None => self.strategy == Strategy::Ranges || self.strategy == Strategy::Auto && len > MANY_IDS && worth,
            },
            Plan::Table => {
                let many = self.shards.is_some() || self.parts.iter().any(|part| part.interner.len() > MANY_CUSTOMERS);
                self.strategy == Strategy::Shards || many && worth
            }
            Plan::Open | Plan::Values => false,
        }
    }

    /// Whether rows count as one thing or another, which has to be written down with them.
    fn has_marks(&self) -> bool {
        let roles = &self.spec.roles;
        roles.start.is_some() || roles.returning.is_some() || self.edges.start.is_some()
    }

    fn fold_into_shards(&mut self, columns: &[Columns], shares: &[Vec<Share>], context: &Context) -> Result<()> {
        let (spec, kinds, until, edges) = (&self.spec, &self.kinds, self.until, self.edges);
        let plan = self.plan;
        let shards = self.shards.get_or_insert_with(|| match plan {
            Plan::Range { base, len } => {
                Shards::ranges(base, len, |base| State::new(kinds, spec, Interner::range(kinds.id_kind, base), Plan::Table))
            }
            _ => Shards::new(|| State::new(kinds, spec, plan.interner(kinds.id_kind), Plan::Table)),
        });
        // Customers who were met before move in. Where orders or days are written down they stay, and are joined at the end.
        let can_move = self.parts.iter().all(|part| part.journal.is_none() && part.days.is_none());
        if can_move && self.parts.iter().any(|part| !part.totals.is_empty()) {
            shards.absorb(&mut self.parts, context)?;
        }
        while self.deals.len() < shares.len() {
            self.deals.push(Deal::new());
        }
        let (dealer, first_row) = (shards.dealer(), self.rows);
        let deal = |((part, deal), shares): ((&mut State, &mut Deal), &Vec<Share>)| {
            let mut folder = Folder::new(spec, until, edges);
            shares.iter().try_for_each(|share| folder.deal(columns, share, first_row, part, (dealer, deal), context))
        };
        let mut parts: Vec<(&mut State, &mut Deal)> = self.parts.iter_mut().zip(&mut self.deals).collect();
        by_parts(&mut parts, shares, context, |((part, dealt), shares)| deal(((part, dealt), shares)))?;
        shards.fold(&mut self.deals, columns, first_row, context)
    }

    /// All that was folded, in one state.
    pub fn finish(mut self, context: &Context) -> Result<Update> {
        self.parts.append(&mut self.done);
        if let Some(shards) = self.shards {
            self.parts.push(shards.into_one(&mut self.deals, context)?);
        }
        self.deals = Vec::new();
        context.check()?;
        let size: usize = self.parts.iter().map(State::size).sum();
        let is_kept = self.spec.track != Track::Once;
        let mut state = context.run_if_large(size, |threads| Self::unify(self.parts, &self.kinds, &self.spec, threads))??;
        if is_kept {
            state.compact()?;
        }
        Ok(Update { kinds: self.kinds, state, rows: self.rows, begun_at: self.begun_at })
    }

    fn unify(mut parts: Vec<State>, kinds: &Kinds, spec: &Spec, threads: Threads<'_>) -> Result<State> {
        parts.sort_by_key(|part| part.interner.len());
        // Parts that know no customer have only tallies to tell.
        let one_space = parts.windows(2).all(|pair| pair[0].interner.shares_codes(&pair[1].interner))
            || parts.iter().rev().skip(1).all(|part| part.interner.is_empty());
        let mut whole = if one_space {
            if spec.track == Track::Once {
                State::close_apart(&mut parts, threads)?;
            }
            let mut whole = parts.pop().unwrap_or_else(|| State::new(kinds, spec, Plan::Open.interner(kinds.id_kind), Plan::Open));
            for part in &mut parts {
                if let (Some(journal), Some(entries)) = (&mut whole.journal, part.journal.take()) {
                    journal.append_same(entries);
                }
                whole.merge(part, 0, threads)?;
            }
            // A dictionary may have a value twice.
            if whole.interner.repeats() { State::unify(vec![whole], threads)? } else { whole }
        } else {
            State::unify(parts, threads)?
        };
        whole.interner.leave_values();
        whole.totals.grow(whole.interner.len());
        if spec.track == Track::Once {
            whole.close_orders();
        } else if let Some(days) = &mut whole.days {
            days.settle();
        }
        Ok(whole)
    }

    /// The plans for the columns of customers and orders with some more rows, and the dictionary if all rows share one.
    fn extend_plans(
        &self,
        columns: &[Columns],
        rows: usize,
        in_sequence: bool,
        (copies, n_parts): (usize, usize),
        threads: Threads<'_>,
    ) -> Result<(Plan, Plan, Option<Values>)> {
        // Codes of a dictionary have a place in every part that keeps totals.
        let copies_of_values = if self.can_deal(columns, rows) { n_parts } else { copies };
        let copies = (self.copies, copies);
        // A range is as wide as it wants to be where it is asked for.
        let all = if self.strategy == Strategy::Direct { u64::MAX } else { self.rows + rows as u64 };
        let more = self.more && self.rows == 0;
        let customers: Vec<_> = columns.iter().map(|columns| (&columns.customer, columns.len())).collect();
        let orders: Option<Vec<_>> = columns.iter().map(|columns| Some((columns.order.as_ref()?, columns.len()))).collect();
        let order_plan = match orders {
            Some(orders) if !in_sequence => self.order_plan.extend(&orders, all, false, (1, 1), threads),
            _ => Plan::Table,
        };
        let (plan, values) = match (self.plan, &self.values) {
            (Plan::Open, _) if !in_sequence => {
                match shared_values(&customers, if more { rows.saturating_mul(MORE) } else { rows }, copies_of_values) {
                    Some(held) => {
                        let keys = Arc::new(keys_of(held, threads)?);
                        let ascending = keys.ascend(threads);
                        let values = Values { keys, nulls: held.nulls().cloned(), held: Some(held.clone()), ascending };
                        (Plan::Values, Some(values))
                    }
                    None => (self.plan.extend(&customers, all, more, copies, threads), None),
                }
            }
            (Plan::Values, Some(values)) => match shared_values(&customers, usize::MAX, 1) {
                Some(again) if values.held.as_ref().is_some_and(|held| again.is_same_memory(held)) => (Plan::Values, Some(values.clone())),
                // No rows at all say nothing.
                None if rows == 0 => (Plan::Values, Some(values.clone())),
                _ => (Plan::Table, None),
            },
            (plan, _) => (plan.extend(&customers, all, more, copies, threads), None),
        };
        Ok((plan, order_plan, values))
    }

    /// Lets go of memory that came from outside; to be called where batches are dropped, when no more are to come.
    pub fn release(&mut self) {
        if let Some(values) = &mut self.values {
            values.held = None;
        }
    }
}

/// Rows that are to come for each of the first push, at the least that is worth planning for.
const MORE: usize = 4;

/// The dictionary that all rows share, if `copies` states with room for all its values take not much more than the rows.
fn shared_values<'a>(columns: &[(&'a KeyColumn, usize)], rows: usize, copies: usize) -> Option<&'a PlainKeys> {
    let mut shared: Option<&PlainKeys> = None;
    for (column, _) in columns {
        let KeyColumn::Dictionary(keys) = column else { return None };
        if shared.is_some_and(|shared| !shared.is_same_memory(keys.values())) {
            return None;
        }
        shared = Some(keys.values());
    }
    let most = if rows < ROWS_WORTH_THREADS { rows } else { rows.saturating_mul(4) };
    shared.filter(|values| values.len().saturating_mul(copies) <= most)
}

/// Does `work` on each part and its shares, side by side where there are several.
fn by_parts<P: Send>(
    parts: &mut [P],
    shares: &[Vec<Share>],
    context: &Context,
    work: impl Fn((&mut P, &Vec<Share>)) -> Result<()> + Sync + Send,
) -> Result<()> {
    if shares.len() == 1 {
        return parts.iter_mut().zip(shares).try_for_each(work);
    }
    let results: Vec<Result<()>> = context.install(|threads| threads.par_tasks(parts.iter_mut().zip(shares), work))?;
    // The error of the smallest row is the one a single thread would have met first.
    results.into_iter().filter_map(Result::err).min_by_key(|e| e.row().unwrap_or(u64::MAX)).map_or(Ok(()), Err)
}

/// Cuts some rows of the columns, which are counted from `first_row`, into `n` runs of about equal length.
fn share_out(columns: &[Columns], rows: Range<usize>, n: usize, first_row: u64) -> Vec<Vec<Share>> {
    let mut shares: Vec<Vec<Share>> = (0..n).map(|_| Vec::new()).collect();
    let per_part = rows.len().div_ceil(n).max(1);
    let mut before = 0;
    for (batch, columns) in columns.iter().enumerate() {
        let mut row = rows.start.max(before);
        while row < rows.end.min(before + columns.len()) {
            let part = ((row - rows.start) / per_part).min(n - 1);
            let end = rows.end.min(before + columns.len()).min(rows.start + (part + 1) * per_part);
            shares[part].push(Share { batch, start: row - before, end: end - before, first_row: first_row + row as u64 });
            row = end;
        }
        before += columns.len();
    }
    shares
}
