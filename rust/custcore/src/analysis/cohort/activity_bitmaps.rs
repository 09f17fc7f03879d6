//! Fast path for calendar cohorts of first purchases: the lowest set bit of a customer in the activity bitmaps
//! ([`super::period_bitmaps`]) is the cohort, so the order log is the only input. The revenue of each purchase is added to the
//! cell given by the customer's cohort and the purchase period.

use std::ops::{Deref, Range};

use super::cell_counts::{fits_parallel, is_dense};
use super::cohorts::{Cohort, Cohorts};
use super::count::Unattributed;
use super::kernel::{CohortPosition, CountMembers, Counts, count_member, sum_up};
use super::period_bitmaps::PeriodBitmaps;
use super::spec::{CohortSpec, ReturnCriterion};
use crate::column::mark::PURCHASE;
use crate::error::Result;
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};
use crate::exec::simd::widest;
use crate::report::Tally;

/// Up to this many periods, cohort and period bitmaps are intersected pairwise; beyond it, bits are visited one by one.
const FEW_PERIODS: usize = 48;
/// Bitmap words per block of customers in pairwise intersection.
const BLOCK_WORDS: usize = 32;

/// The packed order log and what is needed to count it by activity bitmaps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ActivityBitmaps<'a> {
    /// Settings.
    pub spec: &'a CohortSpec,
    /// The log and its bitmaps.
    pub bitmaps: PeriodBitmaps<'a>,
}

impl<'a> Deref for ActivityBitmaps<'a> {
    type Target = PeriodBitmaps<'a>;

    fn deref(&self) -> &PeriodBitmaps<'a> {
        &self.bitmaps
    }
}

/// Result of counting.
#[derive(Debug)]
pub(crate) struct BitmapCounts {
    /// Cohorts.
    pub cohorts: Cohorts,
    /// Counts by cell.
    pub counts: Counts,
    /// Orders and revenue in no cell.
    pub unattributed: Unattributed,
    /// Customers without a purchase, and their refunds.
    pub without_purchase: Tally,
}

/// Active customers by cell. All members of a cohort share the same windows, so eligible members equal the cohort size.
struct BitmapCustomers(Vec<i64>);

impl CountMembers for BitmapCustomers {
    fn add_eligible(&mut self, _cell: usize, _members: i64) {}

    #[inline]
    fn add_customers(&mut self, cell: usize, members: i64) {
        self.0[cell] += members;
    }

    fn add_open(&mut self, _cell: usize, _members: i64) {}
}

/// Position of a customer's cohort, counted from the first one.
pub(super) trait Code: Copy + PartialEq + Send + Sync {
    /// Value of a customer in no cohort.
    const NO_COHORT: Self;
    fn of(cohort: usize) -> Self;
    fn get(self) -> usize;
}

impl Code for u8 {
    const NO_COHORT: Self = Self::MAX;
    fn of(cohort: usize) -> Self {
        cohort as Self
    }
    fn get(self) -> usize {
        usize::from(self)
    }
}

impl Code for u32 {
    const NO_COHORT: Self = Self::MAX;
    fn of(cohort: usize) -> Self {
        cohort as Self
    }
    fn get(self) -> usize {
        self as usize
    }
}

impl ActivityBitmaps<'_> {
    /// Number of cells; every cohort is observed up to the end of observation.
    pub(crate) fn cells(&self) -> u64 {
        let n = self.periods() as u64;
        n * (n + 1) / 2
    }

    /// Whether there are few enough cells for dense counts. If one outlying date creates many periods, orders are counted
    /// customer by customer instead.
    pub(crate) fn is_dense(&self) -> bool {
        is_dense(self.cells() as usize, self.order_log.len())
    }

    /// Counts all orders.
    pub(crate) fn count(&self) -> Result<BitmapCounts> {
        let n = self.periods();
        // The customer's cohort is looked up for every purchase: a narrow code keeps the lookup table in the cache.
        if n < usize::from(u8::MAX) { self.count_in::<u8>(n) } else { self.count_in::<u32>(n) }
    }

    fn count_in<C: Code>(&self, n: usize) -> Result<BitmapCounts> {
        let mut cohorts = Cohorts::empty(self.spec, self.observation, n)?;
        let mut counts = Counts::new(cohorts.cells);
        let mut cohort_of = vec![C::NO_COHORT; self.customers];
        self.by_customers(|range, bits: &[u64]| self.add_customers(&mut cohort_of[range], bits, &cohorts, &mut counts));
        for (cohort, size) in cohorts.stored.iter_mut().zip(sizes(&cohort_of, n, self.threads)) {
            cohort.size = size;
            let rows = cohort.first..cohort.first + cohort.rows;
            if self.spec.criterion != ReturnCriterion::On {
                sum_up(&mut counts.customers[rows.clone()]);
            }
            counts.eligible[rows].fill(size);
        }
        // The cell of (cohort, period) is the cohort's first cell plus the period offset.
        let origins: Vec<usize> = cohorts.stored.iter().enumerate().map(|(c, cohort)| cohort.first.wrapping_sub(c)).collect();
        self.add_revenue(&cohort_of, &origins, &mut counts);
        let (unattributed, without_purchase) = self.add_full_orders(&cohort_of, &origins, &mut counts);
        Ok(BitmapCounts { cohorts, counts, unattributed, without_purchase })
    }

    /// Assigns customers to cohorts by their activity bitmaps and counts active customers by cell.
    fn add_customers<C: Code>(&self, cohort_of: &mut [C], bits: &[u64], cohorts: &Cohorts, counts: &mut Counts) {
        let (words, customers) = (cohort_of.len().div_ceil(64), cohort_of.len());
        let on = self.spec.criterion == ReturnCriterion::On;
        let count = |first: usize, cohort_of: &mut [C]| {
            let mut counts = BitmapCustomers(vec![0; cohorts.cells]);
            if on && cohorts.stored.len() <= FEW_PERIODS {
                count_pairwise(first / 64, cohort_of, bits, words, &cohorts.stored, &mut counts.0);
                return counts.0;
            }
            let mut active: Vec<Vec<i64>> = vec![Vec::new(); if on { 0 } else { 64 }];
            for (word, block_cohorts) in (first / 64..).zip(cohort_of.chunks_mut(64)) {
                let mut known = 0;
                for (period, row) in bits.chunks_exact(words).enumerate() {
                    for_each_set_bit(row[word] & !known, |bit| block_cohorts[bit] = C::of(period));
                    known |= row[word];
                    for_each_set_bit(row[word], |bit| {
                        let cohort = block_cohorts[bit].get();
                        if on {
                            counts.0[cohorts.stored[cohort].first + period - cohort] += 1;
                        } else {
                            active[bit].push((period - cohort) as i64);
                        }
                    });
                }
                for (active, cohort) in active.iter_mut().zip(block_cohorts).filter(|(active, _)| !active.is_empty()) {
                    let found = &cohorts.stored[cohort.get()];
                    let place = CohortPosition { first: found.first, rows: found.rows, begun: found.rows, ended: found.rows };
                    count_member(&mut counts, place, self.spec.criterion, self.spec.horizon, self.spec.spans(), active);
                    active.clear();
                }
            }
            counts.0
        };
        let runs = 4 * self.threads.count();
        let runs = if fits_parallel(cohorts.cells, runs, self.order_log.len()) && customers >= ROWS_WORTH_THREADS {
            let run = customers.div_ceil(runs).next_multiple_of(64);
            self.threads.par_tasks(cohort_of.chunks_mut(run).enumerate(), |(i, cohort_of)| count(i * run, cohort_of))
        } else {
            vec![count(0, cohort_of)]
        };
        for run in runs {
            counts.customers.iter_mut().zip(run).for_each(|(to, from)| *to += from);
        }
    }

    /// Adds the orders logged in full: refunds, and purchases that do not fit the packed form.
    fn add_full_orders<C: Code>(&self, cohort_of: &[C], origins: &[usize], counts: &mut Counts) -> (Unattributed, Tally) {
        let (mut unattributed, mut without_purchase, mut outside) = (Unattributed::new(1), Tally::default(), Vec::new());
        // Only a refund can precede the first purchase.
        let first_days = if self.entries().any(|entry| entry.marks() & PURCHASE == 0) { self.first_days() } else { Vec::new() };
        for entry in self.entries() {
            let (cohort, units) = (cohort_of[entry.customer as usize], entry.units(self.order_log.wide()));
            if cohort == C::NO_COHORT {
                without_purchase.add(units, entry.row());
                outside.push(entry.customer);
            } else if first_days.get(entry.customer as usize).is_some_and(|&first| entry.day < first) {
                unattributed.units[0] += units;
                unattributed.before_first.add(units, entry.row());
            } else {
                let at = origins[cohort.get()].wrapping_add(self.observation.place(entry.day));
                counts.units[at] += units;
                counts.orders[at] += i64::from(entry.marks() & PURCHASE != 0);
            }
        }
        outside.sort_unstable();
        outside.dedup();
        without_purchase.count = outside.len() as u64;
        (unattributed, without_purchase)
    }
}

/// Assigns the customers from word `first` on to cohorts and counts active customers by cohort and period. Works on blocks of
/// customers: each count is the population count of a cohort bitmap and a period bitmap combined by AND.
fn count_pairwise<C: Code>(first: usize, cohort_of: &mut [C], bits: &[u64], words: usize, cohorts: &[Cohort], counts: &mut [i64]) {
    for (block, block_cohorts) in cohort_of.chunks_mut(64 * BLOCK_WORDS).enumerate() {
        let (from, len) = (first + block * BLOCK_WORDS, block_cohorts.len().div_ceil(64));
        let row = |period: usize| &bits[period * words + from..period * words + from + len];
        let mut known = [0; BLOCK_WORDS];
        for (position, cohort) in cohorts.iter().enumerate() {
            let mut fresh = [0; BLOCK_WORDS];
            for ((fresh, known), &now) in fresh.iter_mut().zip(&mut known).zip(row(position)) {
                *fresh = now & !*known;
                *known |= now;
            }
            for (&fresh, block_cohorts) in fresh.iter().zip(block_cohorts.chunks_mut(64)) {
                for_each_set_bit(fresh, |bit| block_cohorts[bit] = C::of(position));
            }
            if fresh.iter().any(|&fresh| fresh != 0) {
                for period in position..cohorts.len() {
                    counts[cohort.first + period - position] += intersection_count(&fresh[..len], row(period));
                }
            }
        }
    }
}

widest! {
    /// Population count of the intersection of two bitmaps.
    fn intersection_count(a: &[u64], b: &[u64]) -> i64 {
        a.iter().zip(b).map(|(a, b)| i64::from((a & b).count_ones())).sum()
    }
}

/// Cohort sizes.
fn sizes<C: Code>(cohort_of: &[C], n: usize, threads: Threads<'_>) -> Vec<i64> {
    let count = |run: Range<usize>| {
        let mut sizes = vec![0_i64; n];
        for cohort in cohort_of[run].iter().filter(|cohort| **cohort != C::NO_COHORT) {
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

/// Calls `take` with the positions of the set bits, ascending.
#[inline]
fn for_each_set_bit(mut bits: u64, mut take: impl FnMut(usize)) {
    while bits != 0 {
        take(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}
