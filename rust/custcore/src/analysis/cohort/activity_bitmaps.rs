//! Cohorts of first purchases by the calendar, the quick way: a bit for every customer and period in which he was active,
//! and the money of every purchase added to the cell that its customer's cohort and its period name.
//!
//! Bits lie period by period: the purchases of a month set bits of one row of an eighth of a byte a customer, which stays in
//! a cache where masks of 64 bits a customer do not, and there may be any number of periods. They are filled from what the
//! scan wrote down, by each thread for its share of the purchases, and where they would take much memory for some customers
//! at a time. The lowest bit of a customer is his cohort, so that nothing but what was written down has to be known of him.

use std::ops::Range;

use super::cell_counts::{fits_side_by_side, has_places};
use super::cohorts::{Cohort, Cohorts};
use super::count::Unattributed;
use super::kernel::{CohortPosition, CountMembers, Counts, count_member, sum_up};
use super::members::Member;
use super::movement::Movement;
use super::observation::Observation;
use super::spec::{CohortSpec, ReturnCriterion};
use crate::column::mark::PURCHASE;
use crate::error::Result;
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};
use crate::exec::simd::{prefetch, widest};
use crate::ingest::window_log::{FIRST_DAY, PurchaseChunk};
use crate::ingest::window_log::{OrderLog, OrderRecord};
use crate::report::Tally;

/// Words of bits that all threads together fill at a time.
const WORDS: usize = 1 << 24;
/// Rows ahead whose customers are asked for.
pub(super) const AHEAD: usize = 24;
/// So many periods at the most are compared with each other, words of bits at a time, where bits of customers are counted.
const FEW_PERIODS: usize = 48;
/// Words of such a block.
const BLOCK_WORDS: usize = 32;
/// A day on which a customer who bought nothing has bought first.
const NO_DAY: i32 = i32::MAX;

/// What is known of purchases kept brief, and of their customers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ActivityBitmaps<'a> {
    /// The settings.
    pub spec: &'a CohortSpec,
    /// What is observed.
    pub observation: &'a Observation,
    /// Number of customers' codes.
    pub customers: usize,
    /// What was written down.
    pub order_log: &'a OrderLog,
    /// Threads to count with.
    pub threads: Threads<'a>,
}

/// All that is counted.
#[derive(Debug)]
pub(crate) struct BitmapCounts {
    /// The cohorts.
    pub cohorts: Cohorts,
    /// What is in their cells.
    pub counts: Counts,
    /// What lies in none.
    pub lost: Unattributed,
    /// Customers who bought nothing, and their refunds.
    pub without_purchase: Tally,
}

/// Who came back, by cell, where windows are the same for all members: who is eligible is the cohort's size.
struct BitmapCustomers(Vec<i64>);

impl CountMembers for BitmapCustomers {
    fn add_eligible(&mut self, _cell: usize, _members: i64) {}

    #[inline]
    fn add_customers(&mut self, cell: usize, members: i64) {
        self.0[cell] += members;
    }

    fn add_open(&mut self, _cell: usize, _members: i64) {}
}

/// The cohort of a customer, counted from the first.
pub(super) trait Code: Copy + PartialEq + Send + Sync {
    /// That of a customer who is in none.
    const NOWHERE: Self;
    fn of(cohort: usize) -> Self;
    fn get(self) -> usize;
}

impl Code for u8 {
    const NOWHERE: Self = Self::MAX;
    fn of(cohort: usize) -> Self {
        cohort as Self
    }
    fn get(self) -> usize {
        usize::from(self)
    }
}

impl Code for u32 {
    const NOWHERE: Self = Self::MAX;
    fn of(cohort: usize) -> Self {
        cohort as Self
    }
    fn get(self) -> usize {
        self as usize
    }
}

impl ActivityBitmaps<'_> {
    /// Cells of all cohorts, each of which is observed to the end.
    pub(crate) fn cells(&self) -> u64 {
        let n = self.periods() as u64;
        n * (n + 1) / 2
    }

    /// Whether bits suit the orders: cells have places. Where one odd date makes many periods, orders are counted one by one.
    pub(crate) fn are_few(&self) -> bool {
        has_places(self.cells() as usize, self.order_log.len())
    }

    /// Counts all orders.
    pub(crate) fn count(&self) -> Result<BitmapCounts> {
        let n = self.periods();
        // The cohorts of all customers are looked up for every purchase: the fewer bytes, the more of them stay in the cache.
        if n < usize::from(u8::MAX) { self.count_in::<u8>(n) } else { self.count_in::<u32>(n) }
    }

    fn count_in<C: Code>(&self, n: usize) -> Result<BitmapCounts> {
        let mut cohorts = Cohorts::empty(self.spec, self.observation, n)?;
        let mut counts = Counts::new(cohorts.cells);
        let mut cohort_of = vec![C::NOWHERE; self.customers];
        self.by_customers(|range, bits| self.add_customers(&mut cohort_of[range], bits, &cohorts, &mut counts));
        for (cohort, size) in cohorts.kept.iter_mut().zip(sizes(&cohort_of, n, self.threads)) {
            cohort.size = size;
            let rows = cohort.first..cohort.first + cohort.rows;
            if self.spec.criterion != ReturnCriterion::On {
                sum_up(&mut counts.customers[rows.clone()]);
            }
            counts.eligible[rows].fill(size);
        }
        // A cell is where its cohort's rows begin, plus the periods between.
        let origins: Vec<usize> = cohorts.kept.iter().enumerate().map(|(c, cohort)| cohort.first.wrapping_sub(c)).collect();
        self.add_money(&cohort_of, &origins, &mut counts);
        let (lost, without_purchase) = self.add_others(&cohort_of, &origins, &mut counts);
        Ok(BitmapCounts { cohorts, counts, lost, without_purchase })
    }

    /// Number of periods that are observed.
    pub(super) fn periods(&self) -> usize {
        let periods = self.observation.periods();
        (periods.end - periods.start) as usize
    }

    pub(super) fn pieces(&self) -> &[PurchaseChunk] {
        self.order_log.purchases().map_or(&[], |purchase_log| purchase_log.pieces())
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &OrderRecord> {
        self.order_log.pieces().iter().flatten()
    }

    /// Does `work` on runs of the pieces, side by side where there is much in them.
    pub(super) fn by_pieces<R: Send>(&self, work: impl Fn(&[PurchaseChunk]) -> R + Sync + Send) -> Vec<R> {
        let pieces = self.pieces();
        if self.order_log.len() < ROWS_WORTH_THREADS {
            return vec![work(pieces)];
        }
        let share = pieces.len().div_ceil(self.threads.count()).max(1);
        self.threads.par_tasks(pieces.chunks(share), work)
    }

    /// Hands over the bits of all customers, as many of them at a time as memory should hold.
    fn by_customers(&self, mut work: impl FnMut(Range<usize>, &[u64])) {
        let threads = self.threads.if_large(self.order_log.len()).count();
        let some = 64 * (WORDS / self.periods().max(1) / threads).max(1);
        for first in (0..self.customers).step_by(some) {
            let range = first..self.customers.min(first + some);
            let bits = self.bits(&range);
            work(range, &bits);
        }
    }

    /// A row of bits for each period: in which of them some customers were active.
    fn bits(&self, customers: &Range<usize>) -> Vec<u64> {
        let words = customers.len().div_ceil(64);
        let (first, periods) = self.observation.days();
        let rows: Vec<usize> = periods.map(|period| period as usize * words).collect();
        let shift = (FIRST_DAY - first) as usize;
        let all = *customers == (0..self.customers);
        let mut runs = self.by_pieces(|pieces| {
            let mut bits = vec![0_u64; words * self.periods()];
            for piece in pieces {
                for (&customer, &day) in piece.customers.iter().zip(&piece.days) {
                    let at = (customer as usize).wrapping_sub(customers.start);
                    if all || at < customers.len() {
                        bits[rows[usize::from(day).wrapping_add(shift)] + at / 64] |= 1 << (at % 64);
                    }
                }
            }
            bits
        });
        let mut bits = runs.pop().unwrap_or_default();
        self.threads.par_fill(&mut bits, |first, bits| {
            for run in &runs {
                bits.iter_mut().zip(&run[first..]).for_each(|(to, from)| *to |= from);
            }
        });
        for entry in self.entries().filter(|entry| entry.marks() & PURCHASE != 0) {
            let at = (entry.customer as usize).wrapping_sub(customers.start);
            if at < customers.len() {
                bits[self.observation.place(entry.day) * words + at / 64] |= 1 << (at % 64);
            }
        }
        bits
    }

    /// Finds the cohorts of some customers by their bits, and counts them.
    fn add_customers<C: Code>(&self, cohort_of: &mut [C], bits: &[u64], cohorts: &Cohorts, counts: &mut Counts) {
        let (words, customers) = (cohort_of.len().div_ceil(64), cohort_of.len());
        let on = self.spec.criterion == ReturnCriterion::On;
        let count = |first: usize, cohort_of: &mut [C]| {
            let mut counts = BitmapCustomers(vec![0; cohorts.cells]);
            if on && cohorts.kept.len() <= FEW_PERIODS {
                count_side_by_side(first / 64, cohort_of, bits, words, &cohorts.kept, &mut counts.0);
                return counts.0;
            }
            let mut active: Vec<Vec<i64>> = vec![Vec::new(); if on { 0 } else { 64 }];
            for (word, theirs) in (first / 64..).zip(cohort_of.chunks_mut(64)) {
                let mut known = 0;
                for (period, row) in bits.chunks_exact(words).enumerate() {
                    each_bit(row[word] & !known, |bit| theirs[bit] = C::of(period));
                    known |= row[word];
                    each_bit(row[word], |bit| {
                        let cohort = theirs[bit].get();
                        if on {
                            counts.0[cohorts.kept[cohort].first + period - cohort] += 1;
                        } else {
                            active[bit].push((period - cohort) as i64);
                        }
                    });
                }
                for (active, cohort) in active.iter_mut().zip(theirs).filter(|(active, _)| !active.is_empty()) {
                    let found = &cohorts.kept[cohort.get()];
                    let place = CohortPosition { first: found.first, rows: found.rows, begun: found.rows, ended: found.rows };
                    count_member(&mut counts, place, self.spec.criterion, self.spec.horizon, self.spec.spans(), active);
                    active.clear();
                }
            }
            counts.0
        };
        let runs = 4 * self.threads.count();
        let runs = if fits_side_by_side(cohorts.cells, runs, self.order_log.len()) && customers >= ROWS_WORTH_THREADS {
            let run = customers.div_ceil(runs).next_multiple_of(64);
            self.threads.par_tasks(cohort_of.chunks_mut(run).enumerate(), |(i, cohort_of)| count(i * run, cohort_of))
        } else {
            vec![count(0, cohort_of)]
        };
        for run in runs {
            counts.customers.iter_mut().zip(run).for_each(|(to, from)| *to += from);
        }
    }

    /// Adds what was written down in full: refunds, and purchases that did not fit the brief form.
    fn add_others<C: Code>(&self, cohort_of: &[C], origins: &[usize], counts: &mut Counts) -> (Unattributed, Tally) {
        let (mut lost, mut without_purchase, mut outside) = (Unattributed::new(1), Tally::default(), Vec::new());
        // Only a refund can lie before the first purchase.
        let first_days = if self.entries().any(|entry| entry.marks() & PURCHASE == 0) { self.first_days() } else { Vec::new() };
        for entry in self.entries() {
            let (cohort, units) = (cohort_of[entry.customer as usize], entry.units(self.order_log.wide()));
            if cohort == C::NOWHERE {
                without_purchase.add(units, entry.row());
                outside.push(entry.customer);
            } else if first_days.get(entry.customer as usize).is_some_and(|&first| entry.day < first) {
                lost.units[0] += units;
                lost.before_first.add(units, entry.row());
            } else {
                let at = origins[cohort.get()].wrapping_add(self.observation.place(entry.day));
                counts.units[at] += units;
                counts.orders[at] += i64::from(entry.marks() & PURCHASE != 0);
            }
        }
        outside.sort_unstable();
        outside.dedup();
        without_purchase.count = outside.len() as u64;
        (lost, without_purchase)
    }

    /// The day of every customer's first purchase.
    fn first_days(&self) -> Vec<i32> {
        let runs = self.by_pieces(|pieces| {
            let mut days = vec![u16::MAX; self.customers];
            for piece in pieces {
                for (row, (&customer, &day)) in piece.customers.iter().zip(&piece.days).enumerate() {
                    if let Some(&ahead) = piece.customers.get(row + AHEAD) {
                        prefetch(&days, ahead as usize);
                    }
                    let first = &mut days[customer as usize];
                    *first = day.min(*first);
                }
            }
            days
        });
        let mut days = vec![NO_DAY; self.customers];
        self.threads.par_fill(&mut days, |first, days| {
            for run in &runs {
                let known = days.iter_mut().zip(&run[first..]).filter(|(_, day)| **day != u16::MAX);
                known.for_each(|(first, &day)| *first = (FIRST_DAY + i32::from(day)).min(*first));
            }
        });
        for entry in self.entries().filter(|entry| entry.marks() & PURCHASE != 0) {
            let first = &mut days[entry.customer as usize];
            *first = entry.day.min(*first);
        }
        days
    }

    /// The cohort of every buyer.
    pub(crate) fn members(&self) -> Vec<Member> {
        let days = (0..).zip(self.first_days()).filter(|(_, day)| *day != NO_DAY);
        days.map(|(customer, anchor)| Member { customer, key: self.observation.index(anchor), anchor }).collect()
    }

    /// Movement by period.
    pub(crate) fn movement(&self) -> Vec<Movement> {
        let mut sums = vec![Movement::default(); self.periods()];
        self.by_customers(|range, bits| {
            let words = range.len().div_ceil(64);
            let runs = self.threads.par_chunks(words, |run| {
                let mut known = vec![0; run.len()];
                let nobody = vec![0; run.len()];
                let mut before = &nobody[..];
                let rows = bits.chunks_exact(words).map(|row| {
                    let now = &row[run.clone()];
                    let mut found = Movement::default();
                    for ((known, &now), &before) in known.iter_mut().zip(now).zip(before) {
                        let count = |bits: u64| i64::from(bits.count_ones());
                        found.active += count(now);
                        found.new += count(now & !*known);
                        found.retained += count(now & before);
                        found.churned += count(before & !now);
                        *known |= now;
                    }
                    found.reactivated = found.active - found.new - found.retained;
                    before = now;
                    found
                });
                rows.collect::<Vec<_>>()
            });
            for run in runs {
                sums.iter_mut().zip(run).for_each(|(sum, more)| *sum += more);
            }
        });
        sums
    }
}

/// Finds the cohorts of customers from the word `first` on, and counts who of them was active in which period, for a block
/// of customers at a time: the bits that a cohort and a period have in common.
fn count_side_by_side<C: Code>(first: usize, cohort_of: &mut [C], bits: &[u64], words: usize, cohorts: &[Cohort], counts: &mut [i64]) {
    for (block, theirs) in cohort_of.chunks_mut(64 * BLOCK_WORDS).enumerate() {
        let (from, len) = (first + block * BLOCK_WORDS, theirs.len().div_ceil(64));
        let row = |period: usize| &bits[period * words + from..period * words + from + len];
        let mut known = [0; BLOCK_WORDS];
        for (position, cohort) in cohorts.iter().enumerate() {
            let mut fresh = [0; BLOCK_WORDS];
            for ((fresh, known), &now) in fresh.iter_mut().zip(&mut known).zip(row(position)) {
                *fresh = now & !*known;
                *known |= now;
            }
            for (&fresh, theirs) in fresh.iter().zip(theirs.chunks_mut(64)) {
                each_bit(fresh, |bit| theirs[bit] = C::of(position));
            }
            if fresh.iter().any(|&fresh| fresh != 0) {
                for period in position..cohorts.len() {
                    counts[cohort.first + period - position] += common(&fresh[..len], row(period));
                }
            }
        }
    }
}

widest! {
    /// How many bits two rows have in common.
    fn common(a: &[u64], b: &[u64]) -> i64 {
        a.iter().zip(b).map(|(a, b)| i64::from((a & b).count_ones())).sum()
    }
}

/// Customers of every cohort.
fn sizes<C: Code>(cohort_of: &[C], n: usize, threads: Threads<'_>) -> Vec<i64> {
    let count = |run: Range<usize>| {
        let mut sizes = vec![0_i64; n];
        for cohort in cohort_of[run].iter().filter(|cohort| **cohort != C::NOWHERE) {
            sizes[cohort.get()] += 1;
        }
        sizes
    };
    let runs = if n < ROWS_WORTH_THREADS { threads.par_chunks(cohort_of.len(), count) } else { vec![count(0..cohort_of.len())] };
    let mut sizes = vec![0; n];
    for run in runs {
        sizes.iter_mut().zip(run).for_each(|(to, from)| *to += from);
    }
    sizes
}

/// Hands over the positions of the bits that are set, ascending.
#[inline]
fn each_bit(mut bits: u64, mut take: impl FnMut(usize)) {
    while bits != 0 {
        take(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}
