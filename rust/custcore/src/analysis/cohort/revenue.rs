//! Revenue of packed purchases by cell, given by the customer's cohort and the purchase period.

use super::activity_bitmaps::{AHEAD, ActivityBitmaps, Code};
use super::cell_counts::fits_parallel;
use super::kernel::Counts;
use crate::exec::simd::prefetch;
use crate::ingest::window_log::{FIRST_DAY, PackedUnits, PurchaseChunk};

/// Orders and revenue of one cell.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    units: i128,
    orders: i64,
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
    fn set_unit(&mut self, of: i64, rows: usize, sums: &mut [Sum]) {
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
        let (first, periods) = self.observation.days();
        let periods: Vec<u32> = periods.collect();
        let shift = (FIRST_DAY - first) as usize;
        let cells = counts.orders.len();
        let work = |pieces: &[PurchaseChunk]| {
            let (mut sums, mut scaled) = (vec![Sum::default(); cells], ScaledSums { of: 1, rows: 0, sums: vec![(0, 0); cells] });
            for piece in pieces {
                let cell = |row: usize| {
                    if let Some(&ahead) = piece.customers.get(row + AHEAD) {
                        prefetch(cohort_of, ahead as usize);
                    }
                    let period = periods[usize::from(piece.days[row]).wrapping_add(shift)] as usize;
                    origins[cohort_of[piece.customers[row] as usize].get()].wrapping_add(period)
                };
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
        let runs = if parallel { self.by_pieces(work) } else { vec![work(self.pieces())] };
        for (at, sum) in runs.iter().flat_map(|sums| sums.iter().enumerate()) {
            counts.units[at] += sum.units;
            counts.orders[at] += sum.orders;
        }
    }
}
