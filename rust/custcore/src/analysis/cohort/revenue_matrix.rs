//! Revenue matrix of customers by calendar period, computed from packed purchases for a block of customers at a time. It is
//! stored by period, so that purchases in time order write to neighbouring memory.

use std::ops::Range;

use super::movement::Flow;
use super::period_bitmaps::{MOST_PASSES, PeriodBitmaps};
use crate::exec::simd::prefetch;
use crate::ingest::window_log::{FIRST_DAY, PackedUnits};

/// Matrix entries filled at a time by all threads together.
const NUMBERS: usize = 1 << 24;
/// Prefetch distance in rows.
const AHEAD: usize = 16;

impl PeriodBitmaps<'_> {
    /// Revenue flows by period; `None` if sums may exceed 64 bits or there are too many periods for this method.
    pub(crate) fn flows(&self) -> Option<Vec<Flow>> {
        let n = self.periods();
        let threads = self.threads.if_large(self.order_log.len());
        let some = (NUMBERS / threads.count() / n.max(1)).min(self.customers.div_ceil(threads.count())).max(1);
        if self.customers.div_ceil(some) > MOST_PASSES || !self.fits() {
            return None;
        }
        let ranges: Vec<_> = (0..self.customers).step_by(some).map(|first| first..self.customers.min(first + some)).collect();
        let all: Vec<Vec<Flow>> = threads.par_tasks(ranges, |range| flows(&self.revenue_matrix(&range), range.len(), n));
        let mut sums = vec![Flow::default(); n];
        all.into_iter().for_each(|flows| sums.iter_mut().zip(flows).for_each(|(sum, more)| *sum += more));
        Some(sums)
    }

    /// Whether the absolute amounts add up to less than 2^63, so that no partial sum can overflow.
    fn fits(&self) -> bool {
        let runs = self.by_pieces(|pieces| {
            let of = |sums: &PackedUnits| match sums {
                PackedUnits::Short(units, of) => {
                    units.iter().map(|units| u128::from(units.unsigned_abs())).sum::<u128>() * u128::from(of.unsigned_abs())
                }
                PackedUnits::Long(units) => units.iter().map(|units| u128::from(units.unsigned_abs())).sum(),
            };
            pieces.iter().map(|piece| of(&piece.units)).sum::<u128>()
        });
        let others = self.entries().map(|entry| entry.units(self.order_log.wide()).unsigned_abs());
        let size = runs.into_iter().chain(others).fold(0_u128, u128::saturating_add);
        i64::try_from(size).is_ok()
    }

    /// The revenue matrix of a range of customers, one row per period.
    fn revenue_matrix(&self, customers: &Range<usize>) -> Vec<i64> {
        let (first, periods) = self.observation.days();
        let width = customers.len();
        let rows: Vec<usize> = periods.map(|period| period as usize * width).collect();
        let shift = (FIRST_DAY - first) as usize;
        let mut sums = vec![0_i64; width * self.periods()];
        for piece in self.pieces() {
            let place = |row: usize| {
                let at = (*piece.customers.get(row)? as usize).wrapping_sub(customers.start);
                (at < width).then(|| rows[usize::from(piece.days[row]).wrapping_add(shift)] + at)
            };
            for row in 0..piece.customers.len() {
                if let Some(ahead) = place(row + AHEAD) {
                    prefetch(&sums, ahead);
                }
                if let Some(at) = place(row) {
                    sums[at] += piece.units.get(row);
                }
            }
        }
        for entry in self.entries() {
            let at = (entry.customer as usize).wrapping_sub(customers.start);
            if at < width {
                // Cannot overflow, see `fits`.
                sums[self.observation.place(entry.day) * width + at] += entry.units(self.order_log.wide()) as i64;
            }
        }
        sums
    }
}

/// Revenue flows of the `width` customers of a revenue matrix of `n` rows; negative entries count as 0.
fn flows(sums: &[i64], width: usize, n: usize) -> Vec<Flow> {
    let (mut known, zeros) = (vec![false; width], vec![0; width]);
    let mut before = &zeros[..];
    let mut found = Vec::with_capacity(n);
    for now in sums.chunks_exact(width) {
        let [mut start, mut churned, mut contraction, mut expansion, mut reactivated, mut new, mut end] = [0_i64; 7];
        for ((known, &now), &before) in known.iter_mut().zip(now).zip(before) {
            let (now, before) = (now.max(0), before.max(0));
            let only = |when: bool, units: i64| if when { units } else { 0 };
            let (is, was) = (now > 0, before > 0);
            start += before;
            end += now;
            churned += only(!is, before);
            contraction += only(is, (before - now).max(0));
            expansion += only(was, (now - before).max(0));
            reactivated += only(!was & *known, now);
            new += only(!*known, now);
            *known |= is;
        }
        let flow = [start, churned, contraction, expansion, reactivated, new, end].map(i128::from);
        let [start, churned, contraction, expansion, reactivated, new, end] = flow;
        found.push(Flow { start, churned, contraction, expansion, reactivated, new, end });
        before = now;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_by_period() {
        // Two customers in four periods: 10, 4, none, 6 and none, -3, 5, 5.
        let rows = flows(&[10, 0, 4, -3, 0, 5, 6, 5], 2, 4);
        let seen: Vec<[i128; 7]> =
            rows.iter().map(|r| [r.start, r.churned, r.contraction, r.expansion, r.reactivated, r.new, r.end]).collect();
        assert_eq!(seen, [[0, 0, 0, 0, 0, 10, 10], [10, 0, 6, 0, 0, 0, 4], [4, 4, 0, 0, 0, 5, 5], [5, 0, 0, 0, 6, 0, 11]]);
    }
}
