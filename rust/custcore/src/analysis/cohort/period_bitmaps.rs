//! Bitmaps of the periods in which customers bought, computed from a packed order log: one bit per customer and period, or two
//! where repeated purchases count. Cohorts and measures are counted from them.
//!
//! The bitmaps are stored by period. The purchases of one month set bits in a single row of one bit per customer, which fits
//! the cache where 64 bits per customer do not; the number of periods is unlimited. Each thread fills bitmaps from its share
//! of the order log. If they would take too much memory, customers are processed in blocks.

use std::ops::{AddAssign, Range};

use super::members::Member;
use super::observation::Observation;
use crate::analysis::movement::Movement;
use crate::column::mark::PURCHASE;
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};
use crate::exec::simd::prefetch;
use crate::ingest::window_log::{FIRST_DAY, OrderLog, OrderRecord, PurchaseChunk};

/// Bitmap words filled at a time by all threads together.
const WORDS: usize = 1 << 24;
/// The purchases are read once per block of customers; beyond this many passes, sorting by customer is faster.
pub(super) const MOST_PASSES: usize = 64;
/// Prefetch distance in rows.
pub(super) const AHEAD: usize = 24;
/// First purchase day of a customer without purchases.
const NO_DAY: i32 = i32::MAX;

/// A packed order log, whose purchases are counted by customer and period.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeriodBitmaps<'a> {
    /// Observation window.
    pub observation: &'a Observation,
    /// Number of customer codes.
    pub customers: usize,
    /// The order log of the scan.
    pub order_log: &'a OrderLog,
    /// Threads used for counting.
    pub threads: Threads<'a>,
}

/// What is known of 64 customers in a period, a bit each.
pub(crate) trait Activity: Copy + Default + Send + Sync {
    /// Adds a purchase of the customer of this bit.
    fn mark(&mut self, bit: u64);
    /// Adds the purchases of other rows.
    fn join(&mut self, other: &Self);
    /// Those who bought.
    fn active(self) -> u64;
}

/// Those who bought.
impl Activity for u64 {
    #[inline]
    fn mark(&mut self, bit: u64) {
        *self |= bit;
    }

    #[inline]
    fn join(&mut self, other: &Self) {
        *self |= other;
    }

    #[inline]
    fn active(self) -> u64 {
        self
    }
}

/// Those who bought, and those who bought at least twice. In neighbouring words, so that a purchase touches one cache line.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RepeatedActivity {
    once: u64,
    /// Customers with at least two purchases.
    pub twice: u64,
}

impl Activity for RepeatedActivity {
    #[inline]
    fn mark(&mut self, bit: u64) {
        self.twice |= self.once & bit;
        self.once |= bit;
    }

    #[inline]
    fn join(&mut self, other: &Self) {
        self.twice |= other.twice | self.once & other.once;
        self.once |= other.once;
    }

    #[inline]
    fn active(self) -> u64 {
        self.once
    }
}

impl PeriodBitmaps<'_> {
    /// Number of observed periods.
    pub(crate) fn periods(&self) -> usize {
        let periods = self.observation.periods();
        (periods.end - periods.start) as usize
    }

    pub(crate) fn pieces(&self) -> &[PurchaseChunk] {
        self.order_log.purchases().map_or(&[], |purchase_log| purchase_log.pieces())
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &OrderRecord> {
        self.order_log.pieces().iter().flatten()
    }

    /// Runs `work` on ranges of the pieces, in parallel if there are many orders.
    pub(crate) fn by_pieces<R: Send>(&self, work: impl Fn(&[PurchaseChunk]) -> R + Sync + Send) -> Vec<R> {
        let pieces = self.pieces();
        if self.order_log.len() < ROWS_WORTH_THREADS {
            return vec![work(pieces)];
        }
        let share = pieces.len().div_ceil(self.threads.count()).max(1);
        self.threads.par_tasks(pieces.chunks(share), work)
    }

    /// Number of customers whose bitmaps are filled at a time.
    fn block<W>(&self) -> usize {
        let threads = self.threads.if_large(self.order_log.len()).count();
        64 * (8 * WORDS / size_of::<W>() / self.periods().max(1) / threads).max(1)
    }

    /// Whether the purchases are read few enough times, once for each block of customers, that sorting them by customer is not
    /// faster.
    pub(crate) fn is_quick<W>(&self) -> bool {
        self.customers.div_ceil(self.block::<W>()) <= MOST_PASSES
    }

    /// Passes the activity bitmaps of all customers to `work`, in blocks that bound the memory.
    pub(crate) fn by_customers<W: Activity>(&self, mut work: impl FnMut(Range<usize>, &[W])) {
        let some = self.block::<W>();
        for first in (0..self.customers).step_by(some) {
            let range = first..self.customers.min(first + some);
            let bits = self.bits(&range);
            work(range, &bits);
        }
    }

    /// The activity bitmaps of a range of customers: one row of bits per period.
    fn bits<W: Activity>(&self, customers: &Range<usize>) -> Vec<W> {
        let words = customers.len().div_ceil(64);
        let (first, periods) = self.observation.days();
        let rows: Vec<usize> = periods.map(|period| period as usize * words).collect();
        let shift = (FIRST_DAY - first) as usize;
        let all = *customers == (0..self.customers);
        let mut runs = self.by_pieces(|pieces| {
            let mut bits = vec![W::default(); words * self.periods()];
            for piece in pieces {
                for (&customer, &day) in piece.customers.iter().zip(&piece.days) {
                    let at = (customer as usize).wrapping_sub(customers.start);
                    if all || at < customers.len() {
                        bits[rows[usize::from(day).wrapping_add(shift)] + at / 64].mark(1 << (at % 64));
                    }
                }
            }
            bits
        });
        let mut bits = runs.pop().unwrap_or_default();
        self.threads.par_fill(&mut bits, |first, bits| {
            for run in &runs {
                bits.iter_mut().zip(&run[first..]).for_each(|(to, from)| to.join(from));
            }
        });
        for entry in self.entries().filter(|entry| entry.marks() & PURCHASE != 0) {
            let at = (entry.customer as usize).wrapping_sub(customers.start);
            if at < customers.len() {
                bits[self.observation.place(entry.day) * words + at / 64].mark(1 << (at % 64));
            }
        }
        bits
    }

    /// First purchase day of every customer.
    pub(super) fn first_days(&self) -> Vec<i32> {
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

    /// The day of the first purchase of all.
    pub(crate) fn first_purchase(&self) -> Option<i32> {
        let packed = self.pieces().iter().filter_map(|piece| piece.days.iter().min()).min().map(|&day| FIRST_DAY + i32::from(day));
        let others = self.entries().filter(|entry| entry.marks() & PURCHASE != 0).map(|entry| entry.day).min();
        [packed, others].into_iter().flatten().min()
    }

    /// Cohort membership of every buyer.
    pub(crate) fn members(&self) -> Vec<Member> {
        let days = (0..).zip(self.first_days()).filter(|(_, day)| *day != NO_DAY);
        days.map(|(customer, anchor)| Member { customer, key: self.observation.index(anchor), anchor }).collect()
    }

    /// Customer movement by period.
    pub(crate) fn movement(&self) -> Vec<Movement> {
        let mut sums = vec![Movement::default(); self.periods()];
        self.by_customers(|range, bits: &[u64]| self.add_movement(&range, bits, &mut sums, |_, _| ()));
        sums
    }

    /// Adds the movement of a range of customers, by period, and by `more` what else 64 customers in a period add.
    pub(crate) fn add_movement<W, T>(&self, customers: &Range<usize>, bits: &[W], sums: &mut [T], more: impl Fn(&mut T, W) + Sync + Send)
    where
        W: Activity,
        T: Copy + Default + AddAssign + AsMut<Movement> + Send,
    {
        let words = customers.len().div_ceil(64);
        let runs = self.threads.par_chunks(words, |run| {
            let mut known = vec![0; run.len()];
            let inactive = vec![W::default(); run.len()];
            let mut before = &inactive[..];
            let rows = bits.chunks_exact(words).map(|row| {
                let now = &row[run.clone()];
                let (mut movement, mut sum) = (Movement::default(), T::default());
                for ((known, &now), before) in known.iter_mut().zip(now).zip(before) {
                    more(&mut sum, now);
                    let (now, before) = (now.active(), before.active());
                    let count = |bits: u64| i64::from(bits.count_ones());
                    movement.active += count(now);
                    movement.new += count(now & !*known);
                    movement.retained += count(now & before);
                    movement.churned += count(before & !now);
                    *known |= now;
                }
                movement.reactivated = movement.active - movement.new - movement.retained;
                *sum.as_mut() += movement;
                before = now;
                sum
            });
            rows.collect::<Vec<_>>()
        });
        for run in runs {
            sums.iter_mut().zip(run).for_each(|(sum, more)| *sum += more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_purchases_are_found_in_one_part_and_across_parts() {
        let marked = |bits: &[u64]| {
            let mut activity = RepeatedActivity::default();
            bits.iter().for_each(|&bit| activity.mark(bit));
            activity
        };
        let mut whole = marked(&[1, 2, 2]);
        whole.join(&marked(&[1, 4, 8, 8]));
        assert_eq!((whole.active(), whole.twice), (0b1111, 0b1011));
    }
}
