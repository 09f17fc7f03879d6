//! Moments of the rows of a table: read in blocks, sorted by cell, and added. Sums of narrow values are kept in 64 bits, and moved to
//! the exact sums before they could overflow.

use std::ops::Range;

use arrow_buffer::i256;

use super::buffer::Buffer;
use super::cell_sort::CellSort;
use super::fixed_point::{DECIMALS, power_of_ten};
use super::moments::{CellSums, CellsOfRows, MomentSet, Sums, merge_cells, narrow_cubes, narrow_product, narrow_sum, scaled};
use super::values::{Columns, Logarithms, ROWS};
use crate::error::Result;
use crate::exec::context::Context;
use crate::exec::par::Threads;

/// Cells that are kept as an array.
const DENSE_CELLS: usize = 1 << 16;

/// The moments of a set of columns of all rows, by cell.
pub(super) fn moments_of(set: &MomentSet, columns: &Columns, cells: &CellsOfRows<'_>, context: &Context) -> Result<CellSums> {
    let rows = cells.groups.len();
    let logarithms = Logarithms::new();
    let number = cells.number()?;
    let work = |range: Range<usize>| -> Result<CellSums> {
        let mut adder = Adder::new(set, cells, number);
        let (mut sort, mut buffers) = (CellSort::default(), Vec::new());
        buffers.resize_with(set.columns.len(), Buffer::default);
        for start in range.clone().step_by(ROWS) {
            context.check()?;
            let block = start..range.end.min(start + ROWS);
            sort.sort(block.clone(), number, cells, (columns, &set.filter));
            if sort.runs.is_empty() {
                continue;
            }
            for (buffer, &column) in buffers.iter_mut().zip(&set.columns) {
                columns.read(column, block.clone(), &logarithms, buffer);
                if !sort.is_in_order() {
                    buffer.gather(&sort.places);
                }
            }
            adder.add(&sort.runs, &buffers);
        }
        Ok(adder.finish())
    };
    let parts = context.run_if_large(rows, |threads: Threads<'_>| threads.par_chunks(rows, work))?;
    let mut whole = CellSums::new();
    for part in parts {
        merge_cells(&mut whole, &part?);
    }
    Ok(whole)
}

/// Sums of narrow values of a cell, as they are before they are scaled to the units of [`Sums`].
#[derive(Debug, Clone)]
struct NarrowSums {
    n: u64,
    sums: Vec<i64>,
    products: Vec<i64>,
    cubes: Vec<i128>,
}

/// Rows whose narrow products, each below 2^50, fit 64 bits together.
const NARROW_ROWS: u64 = 1 << 13;

impl NarrowSums {
    fn new(set: &MomentSet) -> Self {
        Self { n: 0, sums: vec![0; set.columns.len()], products: vec![0; set.pairs.len()], cubes: vec![0; set.cubes.len()] }
    }

    fn add(&mut self, set: &MomentSet, values: &[&[i32]], run: Range<usize>) {
        self.n += run.len() as u64;
        for (sum, values) in self.sums.iter_mut().zip(values) {
            *sum += narrow_sum(&values[run.clone()]);
        }
        for (product, &(a, b)) in self.products.iter_mut().zip(&set.pairs) {
            *product += narrow_product(&values[a][run.clone()], &values[b][run.clone()]);
        }
        for (cube, &column) in self.cubes.iter_mut().zip(&set.cubes) {
            *cube += narrow_cubes(&values[column][run.clone()]);
        }
    }

    /// Moves the sums of values with these decimals to others.
    fn flush(&mut self, set: &MomentSet, decimals: &[u8], to: &mut Sums) {
        to.n += std::mem::take(&mut self.n);
        let scaled = |sum: i64, scale: i128| scaled(i256::from_i128(sum.into()), scale);
        for ((to, sum), &decimals) in to.sums.iter_mut().zip(&mut self.sums).zip(decimals) {
            *to = to.wrapping_add(scaled(std::mem::take(sum), power_of_ten(DECIMALS - decimals)));
        }
        for ((to, product), &(a, b)) in to.products.iter_mut().zip(&mut self.products).zip(&set.pairs) {
            let scale = power_of_ten(2 * DECIMALS - decimals[a] - decimals[b]);
            *to = to.wrapping_add(scaled(std::mem::take(product), scale));
        }
        for ((to, cube), &column) in to.cubes.iter_mut().zip(&mut self.cubes).zip(&set.cubes) {
            let scale = i256::from_i128(power_of_ten(3 * (DECIMALS - decimals[column])));
            let sum = i256::from_i128(std::mem::take(cube)).checked_mul(scale);
            *to = to.zip(sum).and_then(|(to, sum)| to.checked_add(sum));
        }
    }
}

/// Adds up the blocks of one thread.
struct Adder<'a> {
    set: &'a MomentSet,
    cells: &'a CellsOfRows<'a>,
    sums: CellSums,
    /// By number of the cell, if there are few.
    dense: Vec<Option<Sums>>,
    /// What was not yet added to `dense`, whose values have these decimals.
    narrow: Vec<Option<NarrowSums>>,
    decimals: Vec<u8>,
}

impl<'a> Adder<'a> {
    fn new(set: &'a MomentSet, cells: &'a CellsOfRows<'a>, number: usize) -> Self {
        let number = if number <= DENSE_CELLS { number } else { 0 };
        Self { set, cells, sums: CellSums::new(), dense: vec![None; number], narrow: vec![None; number], decimals: Vec::new() }
    }

    /// Adds the runs of a block of one cell each.
    fn add(&mut self, runs: &[(u32, Range<usize>)], buffers: &[Buffer]) {
        let values =
            if self.dense.is_empty() { None } else { buffers.iter().map(|buffer| buffer.values.narrow()).collect::<Option<Vec<_>>>() };
        let Some(values) = values else { return self.add_wide(runs, buffers) };
        if self.decimals.iter().ne(buffers.iter().map(|buffer| &buffer.decimals)) {
            self.flush();
            self.decimals.clear();
            self.decimals.extend(buffers.iter().map(|buffer| buffer.decimals));
        }
        for (cell, range) in runs {
            let cell = *cell as usize;
            let narrow = self.narrow[cell].get_or_insert_with(|| NarrowSums::new(self.set));
            if narrow.n + range.len() as u64 > NARROW_ROWS {
                narrow.flush(self.set, &self.decimals, self.dense[cell].get_or_insert_with(|| Sums::new(self.set)));
            }
            narrow.add(self.set, &values, range.clone());
        }
    }

    fn add_wide(&mut self, runs: &[(u32, Range<usize>)], buffers: &[Buffer]) {
        for (number, range) in runs {
            let number = *number as usize;
            let sums = match self.dense.get_mut(number) {
                Some(sums) => sums.get_or_insert_with(|| Sums::new(self.set)),
                None => self.sums.entry(self.cells.cell(number)).or_insert_with(|| Sums::new(self.set)),
            };
            sums.add(self.set, buffers, range.clone());
        }
    }

    fn flush(&mut self) {
        for (narrow, sums) in self.narrow.iter_mut().zip(&mut self.dense) {
            if let Some(narrow) = narrow.as_mut().filter(|narrow| narrow.n > 0) {
                narrow.flush(self.set, &self.decimals, sums.get_or_insert_with(|| Sums::new(self.set)));
            }
        }
    }

    /// The sums by cell.
    fn finish(mut self) -> CellSums {
        self.flush();
        for (number, sums) in self.dense.into_iter().enumerate() {
            if let Some(sums) = sums {
                self.sums.insert(self.cells.cell(number), sums);
            }
        }
        self.sums
    }
}
