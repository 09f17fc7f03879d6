//! Orders and revenue of packed purchases by cell: a period, or the customer's cohort and the purchase period.

use super::activity_bitmaps::{ActivityBitmaps, Code};
use super::cell_counts::fits_parallel;
use super::kernel::Counts;
use super::period_bitmaps::{AHEAD, PeriodBitmaps};
use crate::exec::simd::prefetch;
use crate::ingest::window_log::{FIRST_DAY, PackedUnits, PurchaseChunk};

/// Orders and revenue of one cell.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OrderSum {
    /// Revenue in units.
    pub units: i128,
    /// Number of orders.
    pub orders: i64,
}

/// Sums in multiples of a unit, for few enough rows that 64 bits cannot overflow.
#[derive(Debug)]
struct ScaledSums {
    of: i64,
    rows: usize,
    sums: Vec<(i64, i64)>,
}

impl ScaledSums {
    /// Prepares for `rows` rows in multiples of `of`; flushes to `sums` if the unit changes or the sums might overflow.
    fn set_unit(&mut self, of: i64, rows: usize, sums: &mut [OrderSum]) {
        self.rows += rows;
        if self.of == of && rows > 0 && self.rows < 1 << 31 {
            return;
        }
        for (to, from) in sums.iter_mut().zip(&mut self.sums) {
            let (multiples, orders) = std::mem::take(from);
            to.units += i128::from(multiples) * i128::from(self.of);
            to.orders += orders;
        }
        (self.of, self.rows) = (of, rows);
    }
}

impl ActivityBitmaps<'_> {
    /// Adds the orders and the revenue of packed purchases.
    pub(super) fn add_revenue<C: Code>(&self, cohort_of: &[C], origins: &[usize], counts: &mut Counts) {
        let sums = self.sums_by_cell(counts.orders.len(), |piece, row, period| {
            if let Some(&ahead) = piece.customers.get(row + AHEAD) {
                prefetch(cohort_of, ahead as usize);
            }
            origins[cohort_of[piece.customers[row] as usize].get()].wrapping_add(period)
        });
        for (at, sum) in sums.into_iter().enumerate() {
            counts.units[at] += sum.units;
            counts.orders[at] += sum.orders;
        }
    }
}

impl PeriodBitmaps<'_> {
    /// Orders and revenue of the packed purchases by cell; `cell` gives that of a row from its chunk, position and period.
    pub(crate) fn sums_by_cell(&self, cells: usize, cell: impl Fn(&PurchaseChunk, usize, usize) -> usize + Sync + Send) -> Vec<OrderSum> {
        let (first, periods) = self.observation.days();
        let periods: Vec<u32> = periods.collect();
        let shift = (FIRST_DAY - first) as usize;
        let work = |pieces: &[PurchaseChunk]| {
            let (mut sums, mut scaled) = (vec![OrderSum::default(); cells], ScaledSums { of: 1, rows: 0, sums: vec![(0, 0); cells] });
            for piece in pieces {
                let cell = |row: usize| cell(piece, row, periods[usize::from(piece.days[row]).wrapping_add(shift)] as usize);
                match &piece.units {
                    PackedUnits::Short(units, of) => {
                        scaled.set_unit(*of, units.len(), &mut sums);
                        for (row, &units) in units.iter().enumerate() {
                            let sum = &mut scaled.sums[cell(row)];
                            *sum = (sum.0 + i64::from(units), sum.1 + 1);
                        }
                    }
                    PackedUnits::Long(units) => {
                        for (row, &units) in units.iter().enumerate() {
                            let sum = &mut sums[cell(row)];
                            sum.units += i128::from(units);
                            sum.orders += 1;
                        }
                    }
                }
            }
            scaled.set_unit(1, 0, &mut sums);
            sums
        };
        let parallel = fits_parallel(cells, self.threads.count(), self.order_log.len());
        let mut runs = if parallel { self.by_pieces(work) } else { vec![work(self.pieces())] };
        let mut whole = runs.pop().unwrap_or_else(|| vec![OrderSum::default(); cells]);
        for run in runs {
            for (sum, more) in whole.iter_mut().zip(run) {
                sum.units += more.units;
                sum.orders += more.orders;
            }
        }
        whole
    }
}
