//! Distinct histories: customers with the same x, `t_x` and T count as one cell with a weight.

use std::ops::Range;

use crate::error::Result;
use crate::exec::context::Context;

/// Days below this number are a grid: their logarithms come from tables.
pub(crate) const GRID_DAYS: f64 = (1 << 22) as f64;
/// Cells whose terms are summed together. Sums of blocks are added in order, so that no number of threads changes a bit.
pub(crate) const BLOCK: usize = 4_096;

/// Cells of equal `x`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    /// Repeat purchase days.
    pub x: u32,
    /// Its cells.
    pub cells: Range<usize>,
}

/// The distinct (x, `t_x`, T) of customers, ascending, with weights. Times are in days.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Cells {
    /// The distinct values of `t_x` and T, ascending.
    pub times: Vec<f64>,
    /// Cells by x, ascending.
    pub runs: Vec<Run>,
    /// `t_x` of each cell, as a position in `times`.
    pub recency: Vec<u32>,
    /// T of each cell, as a position in `times`.
    pub age: Vec<u32>,
    /// Customers of each cell, or the sum of their weights.
    pub weight: Vec<f64>,
    /// Whether all times are whole days below [`GRID_DAYS`].
    pub on_day_grid: bool,
}

/// The sort key of a history on the day grid: 20 bits of x, 22 of `t_x`, 22 of T.
const X_BITS: u32 = 20;
const DAY_BITS: u32 = 22;

impl Cells {
    /// Number of cells.
    pub(crate) fn len(&self) -> usize {
        self.weight.len()
    }

    /// Customers, or the sum of their weights.
    pub(crate) fn customers(&self) -> f64 {
        self.weight.iter().sum()
    }

    /// The sum of x over customers.
    pub(crate) fn repeat_purchases(&self) -> f64 {
        self.x_histogram().iter().map(|&(x, weight)| f64::from(x) * weight).sum()
    }

    /// The weight of each x that occurs, ascending.
    pub(crate) fn x_histogram(&self) -> Vec<(u32, f64)> {
        self.runs.iter().map(|run| (run.x, self.weight[run.cells.clone()].iter().sum())).collect()
    }

    /// The largest x; 0 without cells.
    pub(crate) fn max_x(&self) -> u32 {
        self.runs.last().map_or(0, |run| run.x)
    }

    /// The parts of the runs that fixed blocks of cells are cut into: no part spans two blocks or two x. Sums over parts, added in
    /// order, do not depend on the number of threads.
    pub(crate) fn parts(&self) -> Vec<Run> {
        let cut = |run: &Run| {
            let (x, end) = (run.x, run.cells.end);
            run.cells.clone().step_by(BLOCK).map(move |start| Run { x, cells: start..end.min(start + BLOCK) }).collect::<Vec<_>>()
        };
        self.runs.iter().flat_map(cut).collect()
    }

    /// The cells of histories on the day grid, each a row of (x, `t_x`, T): x below 2^31, days below 2^22.
    pub(crate) fn of_days(rows: usize, row: impl Fn(usize) -> (u32, u32, u32) + Sync + Send, context: &Context) -> Result<Self> {
        let pack = |row: (u32, u32, u32)| (u64::from(row.0) << (2 * DAY_BITS)) | (u64::from(row.1) << DAY_BITS) | u64::from(row.2);
        context.run_if_large(rows, |threads| {
            let max_x = threads.par_chunks(rows, |chunk| chunk.map(|i| row(i).0).max().unwrap_or(0)).into_iter().max().unwrap_or(0);
            if max_x >= 1 << X_BITS {
                let mut all: Vec<((u32, u32, u32), f64)> = threads.par_map(rows, |i| (row(i), 1.0));
                threads.par_sort_unstable_by(&mut all, |a, b| a.0.cmp(&b.0));
                return Self::of_sorted(all.into_iter(), f64::from, true);
            }
            let mut keys: Vec<u64> = threads.par_map(rows, |i| pack(row(i)));
            threads.par_sort_unstable_by(&mut keys, u64::cmp);
            let mask = (1 << DAY_BITS) - 1;
            let unpack = |key: u64| ((key >> (2 * DAY_BITS)) as u32, ((key >> DAY_BITS) & mask) as u32, (key & mask) as u32);
            Self::of_sorted(keys.into_iter().map(|key| (unpack(key), 1.0)), f64::from, true)
        })
    }

    /// The cells of any histories with weights. Non-negative times are ordered as their bits are.
    pub(crate) fn of_times(rows: usize, row: impl Fn(usize) -> (u32, f64, f64, f64) + Sync + Send, context: &Context) -> Result<Self> {
        context.run_if_large(rows, |threads| {
            let mut all: Vec<((u32, u64, u64), u64)> = threads.par_map(rows, |i| {
                let (x, t_x, age, weight) = row(i);
                ((x, t_x.to_bits(), age.to_bits()), weight.to_bits())
            });
            // Weights are a part of the order, so that their sum does not depend on that of the rows.
            threads.par_sort_unstable_by(&mut all, Ord::cmp);
            let whole = |time: u64| f64::from_bits(time).fract() == 0.0 && f64::from_bits(time) < GRID_DAYS;
            let on_day_grid = all.iter().all(|((_, t_x, age), _)| whole(*t_x) && whole(*age));
            Self::of_sorted(all.into_iter().map(|(key, weight)| (key, f64::from_bits(weight))), f64::from_bits, on_day_grid)
        })
    }

    fn of_sorted<T: Copy + Ord + std::hash::Hash>(
        rows: impl Iterator<Item = ((u32, T, T), f64)>,
        days: impl Fn(T) -> f64,
        on_day_grid: bool,
    ) -> Self {
        let mut keys: Vec<(u32, T, T)> = Vec::new();
        let mut weight: Vec<f64> = Vec::new();
        for (key, more) in rows {
            if keys.last() == Some(&key) {
                if let Some(last) = weight.last_mut() {
                    *last += more;
                }
            } else {
                keys.push(key);
                weight.push(more);
            }
        }
        let mut distinct: Vec<T> = Vec::new();
        let mut seen = hashbrown::HashSet::<T, foldhash::fast::RandomState>::default();
        for &(_, t_x, age) in &keys {
            for time in [t_x, age] {
                if seen.insert(time) {
                    distinct.push(time);
                }
            }
        }
        distinct.sort_unstable();
        let places: hashbrown::HashMap<T, u32, foldhash::fast::RandomState> = distinct.iter().copied().zip(0..).collect();
        let place = |time: T| places.get(&time).copied().unwrap_or(0);
        let mut runs: Vec<Run> = Vec::new();
        for (at, &(x, _, _)) in keys.iter().enumerate() {
            match runs.last_mut() {
                Some(run) if run.x == x => run.cells.end = at + 1,
                _ => runs.push(Run { x, cells: at..at + 1 }),
            }
        }
        let recency = keys.iter().map(|&(_, t_x, _)| place(t_x)).collect();
        let age = keys.iter().map(|&(_, _, age)| place(age)).collect();
        Self { times: distinct.into_iter().map(days).collect(), runs, recency, age, weight, on_day_grid }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_histories_are_one_cell() -> Result<()> {
        let rows = [(2, 5, 9), (0, 0, 9), (2, 5, 9), (0, 0, 3), (1, 9, 9), (0, 0, 9)];
        let cells = Cells::of_days(rows.len(), |i| rows[i], &Context::new(1))?;
        assert_eq!(cells.times, [0.0, 3.0, 5.0, 9.0]);
        assert_eq!(cells.runs, [Run { x: 0, cells: 0..2 }, Run { x: 1, cells: 2..3 }, Run { x: 2, cells: 3..4 }]);
        assert_eq!((cells.recency.as_slice(), cells.age.as_slice()), (&[0, 0, 3, 2][..], &[1, 3, 3, 3][..]));
        assert_eq!(cells.weight, [1.0, 2.0, 1.0, 2.0]);
        assert_eq!((cells.customers(), cells.repeat_purchases(), cells.max_x()), (6.0, 5.0, 2));
        let floats = Cells::of_times(rows.len(), |i| (rows[i].0, rows[i].1.into(), rows[i].2.into(), 1.0), &Context::new(1))?;
        assert_eq!(floats, cells);
        Ok(())
    }

    #[test]
    fn the_order_of_rows_does_not_matter() -> Result<()> {
        let row = |i: usize| ((i % 5) as u32, (i % 7) as f64 / 7.0, (i % 11) as f64, 0.1 + (i % 13) as f64);
        let n = 5_000;
        let cells = Cells::of_times(n, row, &Context::new(1))?;
        assert_eq!(Cells::of_times(n, |i| row((i * 1_009) % n), &Context::new(2))?, cells);
        assert!(!cells.on_day_grid);
        Ok(())
    }

    #[test]
    fn a_huge_x_is_kept() -> Result<()> {
        let rows = [(1 << 21, 4, 5), (0, 0, 5), (1 << 21, 4, 5)];
        let cells = Cells::of_days(3, |i| rows[i], &Context::new(1))?;
        assert_eq!((cells.weight.as_slice(), cells.max_x()), (&[1.0, 2.0][..], 1 << 21));
        Ok(())
    }
}
