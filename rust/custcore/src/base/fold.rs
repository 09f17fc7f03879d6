//! Batches of transactions folded into the state of a base: screened row by row, grouped by customer, added up.
//!
//! Each thread folds its share of the rows into a part of its own; parts are merged at the end. Everything a part holds
//! is exact and merges in any order, so neither the threads nor the batches show in the result.

use arrow_array::RecordBatch;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::intern::{Interner, NO_CODE, Remap};
use super::spec::{OnNonfinite, OnNull, Spec};
use super::totals::{PurchaseRules, PurchaseTallies, Totals};
use crate::column::chunks::{Block, Columns, Kinds};
use crate::column::{BLOCK, flag};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::report::Tally;

/// Fewer rows than this are not worth a second thread.
const ROWS_PER_THREAD: usize = 1 << 16;

/// Rows that were left out before they could be orders, and notes on rows that were not.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowTallies {
    /// Rows without an id.
    pub null_id: Tally,
    /// Rows without a time.
    pub null_time: Tally,
    /// Rows with an infinite amount.
    pub nonfinite: Tally,
    /// Rows after the last day that counts.
    pub after: Tally,
    /// Rows that count, without an amount.
    pub null_amount: Tally,
    /// Rows that count, without an order id: each an order of its own.
    pub null_order: Tally,
}

impl RowTallies {
    fn merge(&mut self, other: &Self, rows_before: u64) {
        self.null_id.merge(&other.null_id, rows_before);
        self.null_time.merge(&other.null_time, rows_before);
        self.nonfinite.merge(&other.nonfinite, rows_before);
        self.after.merge(&other.after, rows_before);
        self.null_amount.merge(&other.null_amount, rows_before);
        self.null_order.merge(&other.null_order, rows_before);
    }
}

/// What is known after a fold, or of one thread's share of it.
#[derive(Debug)]
pub struct State {
    /// Ids.
    pub interner: Interner,
    /// Totals by code.
    pub totals: Totals,
    /// Rows left out, and notes.
    pub rows: RowTallies,
    /// Orders that are no purchases.
    pub purchases: PurchaseTallies,
    /// The last day among rows that have an id and a time.
    pub last_day: i32,
}

impl State {
    /// The state of nothing.
    pub fn new(kinds: &Kinds) -> Self {
        Self {
            interner: Interner::new(kinds.id_kind),
            totals: Totals::new(false),
            rows: RowTallies::default(),
            purchases: PurchaseTallies::default(),
            last_day: i32::MIN,
        }
    }

    /// Adds another state of the same kinds, whose rows were counted from `rows_before`.
    pub fn merge(&mut self, other: &Self, rows_before: u64) -> Result<()> {
        for code in (0..other.interner.len() as u32).filter(|&code| other.totals.is_present(code)) {
            let own = self.interner.intern_from(other.interner.keys(), code)?;
            self.totals.grow(self.interner.len());
            self.totals.merge_slot(own, &other.totals, code, rows_before);
        }
        self.rows.merge(&other.rows, rows_before);
        self.purchases.merge(&other.purchases, rows_before);
        self.last_day = self.last_day.max(other.last_day);
        Ok(())
    }
}

/// A fold that has ended.
#[derive(Debug)]
pub struct Update {
    /// The kinds of its columns.
    pub kinds: Kinds,
    /// What is known now.
    pub state: State,
    /// Rows folded.
    pub rows: u64,
}

/// A fold in progress.
#[derive(Debug)]
pub struct Fold {
    spec: Spec,
    kinds: Kinds,
    until: i32,
    parts: Vec<State>,
    rows: u64,
}

/// Rows of one batch that one thread folds.
struct Share {
    batch: usize,
    start: usize,
    end: usize,
    first_row: u64,
}

impl Fold {
    /// A fold of nothing yet.
    pub fn new(spec: &Spec, kinds: Kinds) -> Result<Self> {
        let until = spec.until.map_or(Ok(i32::MAX), |as_of| as_of.day(&kinds.clock))?;
        Ok(Self { spec: spec.clone(), kinds, until, parts: Vec::new(), rows: 0 })
    }

    /// Rows folded so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Folds some batches. After an error the fold is of no further use.
    pub fn push(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        let decimals = self.spec.amount_decimals;
        let columns =
            batches.iter().map(|batch| Columns::bind(batch, &self.spec.roles, &self.kinds, decimals)).collect::<Result<Vec<_>>>()?;
        let rows: usize = columns.iter().map(Columns::len).sum();
        let n_parts = context.threads().min(rows / ROWS_PER_THREAD).max(1);
        while self.parts.len() < n_parts {
            self.parts.push(State::new(&self.kinds));
        }
        let shares = share_out(&columns, rows, n_parts, self.rows);
        let (spec, until) = (&self.spec, self.until);
        let fold = |(part, shares): (&mut State, &Vec<Share>)| {
            let mut folder = Folder { spec, until, rules: rules_of(spec), block: Block::new(), codes: Vec::with_capacity(BLOCK) };
            shares.iter().try_for_each(|share| folder.fold(&columns[share.batch], share, part, context))
        };
        if n_parts == 1 {
            self.parts.iter_mut().zip(&shares).try_for_each(fold)?;
        } else {
            let parts = &mut self.parts;
            let results: Vec<Result<()>> = context.install(|| parts.par_iter_mut().zip(&shares).map(fold).collect())?;
            // The error of the smallest row is the one a single thread would have met first.
            let first = results.into_iter().filter_map(Result::err).min_by_key(|e| e.row().unwrap_or(u64::MAX));
            if let Some(error) = first {
                return Err(error);
            }
        }
        self.rows += rows as u64;
        Ok(())
    }

    /// All that was folded, in one state.
    pub fn finish(mut self, context: &Context) -> Result<Update> {
        self.parts.sort_by_key(|part| part.interner.len());
        let mut whole = self.parts.pop().unwrap_or_else(|| State::new(&self.kinds));
        for part in &self.parts {
            context.check()?;
            whole.merge(part, 0)?;
        }
        Ok(Update { kinds: self.kinds, state: whole, rows: self.rows })
    }
}

/// Without amounts every order is a purchase.
fn rules_of(spec: &Spec) -> PurchaseRules {
    PurchaseRules { returns: spec.returns, zero_is_purchase: spec.zero_is_purchase || spec.roles.amount.is_none() }
}

/// Cuts the rows into `n` runs of about equal length.
fn share_out(columns: &[Columns], rows: usize, n: usize, first_row: u64) -> Vec<Vec<Share>> {
    let mut shares: Vec<Vec<Share>> = (0..n).map(|_| Vec::new()).collect();
    let per_part = rows.div_ceil(n).max(1);
    let mut row = 0;
    for (batch, columns) in columns.iter().enumerate() {
        let mut start = 0;
        while start < columns.len() {
            let part = (row / per_part).min(n - 1);
            let end = columns.len().min(start + (part + 1) * per_part - row);
            shares[part].push(Share { batch, start, end, first_row: first_row + row as u64 });
            row += end - start;
            start = end;
        }
    }
    shares
}

/// One thread's tools.
struct Folder<'a> {
    spec: &'a Spec,
    until: i32,
    rules: PurchaseRules,
    block: Block,
    codes: Vec<u32>,
}

impl Folder<'_> {
    /// Reads, groups and adds up the rows of a share, block by block.
    fn fold(&mut self, columns: &Columns, share: &Share, part: &mut State, context: &Context) -> Result<()> {
        let mut remap = Remap::default();
        let mut start = share.start;
        while start < share.end {
            context.check()?;
            let len = BLOCK.min(share.end - start);
            let first_row = share.first_row + (start - share.start) as u64;
            columns.read(start, len, first_row, &mut self.block)?;
            part.interner.intern_rows(&columns.customer, start, &mut self.block.flags, &mut self.codes, &mut remap)?;
            part.totals.grow(part.interner.len());
            self.screen(columns, first_row, part)?;
            let (block, codes) = (&self.block, &self.codes);
            if columns.is_wide() {
                part.totals.add_rows(self.rules, codes, &block.days, &block.wide, &block.flags, first_row, &mut part.purchases);
            } else {
                part.totals.add_rows(self.rules, codes, &block.days, &block.units, &block.flags, first_row, &mut part.purchases);
            }
            context.advance(len as u64);
            start += len;
        }
        Ok(())
    }

    /// Takes out the rows that do not count (their code becomes [`NO_CODE`]), each under the first reason that applies.
    fn screen(&mut self, columns: &Columns, first_row: u64, part: &mut State) -> Result<()> {
        let block = &self.block;
        let until = self.until;
        let wide = columns.is_wide();
        if block.flags.iter().all(|&f| f == 0) {
            let last = block.days.iter().copied().max().unwrap_or(i32::MIN);
            if last <= until {
                part.last_day = part.last_day.max(last);
                return Ok(());
            }
        }
        for (i, (&flags, &day)) in block.flags.iter().zip(&block.days).enumerate() {
            let row = first_row + i as u64;
            if flags != 0 {
                self.refuse(columns, flags, row)?;
            }
            let units = if wide { block.wide[i] } else { i128::from(block.units[i]) };
            let tally = if flags & flag::NULL_ID != 0 {
                &mut part.rows.null_id
            } else if flags & flag::NULL_TIME != 0 {
                &mut part.rows.null_time
            } else {
                if day <= until {
                    part.last_day = part.last_day.max(day);
                }
                if flags & flag::NONFINITE != 0 {
                    &mut part.rows.nonfinite
                } else if day > until {
                    &mut part.rows.after
                } else {
                    if flags & flag::NULL_AMOUNT != 0 {
                        part.rows.null_amount.add(0, row);
                    }
                    continue;
                }
            };
            tally.add(units, row);
            self.codes[i] = NO_CODE;
        }
        Ok(())
    }

    /// Errors for what the settings forbid.
    fn refuse(&self, columns: &Columns, flags: u8, row: u64) -> Result<(), Error> {
        if flags & flag::NONFINITE != 0 && self.spec.on_nonfinite == OnNonfinite::Error {
            return Err(columns.nonfinite_error(row));
        }
        if self.spec.on_null == OnNull::Error && flags & (flag::NULL_ID | flag::NULL_TIME | flag::NULL_AMOUNT) != 0 {
            return Err(columns.null_error(flags, row));
        }
        Ok(())
    }
}
