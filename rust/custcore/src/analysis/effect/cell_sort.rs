//! The rows of a block, sorted by cell.

use std::ops::Range;

use super::NO_GROUP;
use super::moments::CellsOfRows;
use super::values::{Columns, Filter, ROWS};

/// Up to this many cells, the rows of each are collected in a pass of its own, which has no branch.
const FEW: usize = 4;
/// A row that is left out.
const NONE: u32 = u32::MAX;

/// Places of the rows of a block by cell; memory is reused.
#[derive(Debug, Default)]
pub(super) struct CellSort {
    /// The number of the cell of each row.
    numbers: Vec<u32>,
    ends: Vec<u32>,
    /// Places in the block, by cell.
    pub places: Vec<u16>,
    /// The cells that occur, and the range of each in the places.
    pub runs: Vec<(u32, Range<usize>)>,
}

impl CellSort {
    /// Sorts the rows of a block that a filter takes. `number` cells may occur, fewer than 2^32.
    pub(super) fn sort(&mut self, block: Range<usize>, number: usize, cells: &CellsOfRows<'_>, (columns, filter): (&Columns, &Filter)) {
        self.read(block.clone(), cells);
        if *filter != Filter::All {
            for (row, number) in block.zip(&mut self.numbers) {
                *number = if columns.takes(filter, row) { *number } else { NONE };
            }
        }
        self.runs.clear();
        self.places.clear();
        match number {
            0..=FEW => self.collect(number as u32),
            _ if number <= ROWS => self.count(number),
            _ => self.compare(),
        }
    }

    /// Whether all rows of the block are taken and in order, so that nothing needs to be moved.
    pub(super) fn is_in_order(&self) -> bool {
        self.runs.len() == 1 && self.places.len() == self.numbers.len()
    }

    fn read(&mut self, block: Range<usize>, cells: &CellsOfRows<'_>) {
        let [_, n_strata, n_segments] = cells.sizes.map(|size| size as u32);
        self.numbers.clear();
        self.numbers.extend(cells.groups[block.clone()].iter().map(|&group| if group == NO_GROUP { NONE } else { group.into() }));
        for (codes, n) in [(cells.strata, n_strata), (cells.segments, n_segments)] {
            match codes {
                Some(codes) => self.numbers.iter_mut().zip(&codes[block.clone()]).for_each(|(number, &code)| {
                    *number = if *number == NONE { NONE } else { *number * n + u32::from(code) };
                }),
                None if n > 1 => self.numbers.iter_mut().for_each(|number| *number = if *number == NONE { NONE } else { *number * n }),
                None => {}
            }
        }
    }

    fn collect(&mut self, number: u32) {
        self.places.resize(self.numbers.len(), 0);
        let mut start = 0;
        for cell in 0..number {
            let mut end = start;
            for (place, &own) in (0..).zip(&self.numbers) {
                if let Some(next) = self.places.get_mut(end) {
                    *next = place;
                }
                end += usize::from(own == cell);
            }
            if end > start {
                self.runs.push((cell, start..end));
            }
            start = end;
        }
        self.places.truncate(start);
    }

    fn count(&mut self, number: usize) {
        self.ends.clear();
        self.ends.resize(number + 1, 0);
        let taken = self.numbers.iter().filter(|number| **number != NONE);
        taken.for_each(|&cell| self.ends[cell as usize + 1] += 1);
        for cell in 0..number {
            let start = self.ends[cell];
            self.ends[cell + 1] += start;
            if self.ends[cell + 1] > start {
                self.runs.push((cell as u32, start as usize..self.ends[cell + 1] as usize));
            }
        }
        self.places.resize(self.ends[number] as usize, 0);
        for (place, &cell) in (0..).zip(&self.numbers).filter(|(_, cell)| **cell != NONE) {
            let next = &mut self.ends[cell as usize];
            self.places[*next as usize] = place;
            *next += 1;
        }
    }

    fn compare(&mut self) {
        let mut sorted: Vec<(u32, u16)> =
            (0..).zip(&self.numbers).filter(|(_, cell)| **cell != NONE).map(|(place, &cell)| (cell, place)).collect();
        sorted.sort_unstable();
        self.places.extend(sorted.iter().map(|&(_, place)| place));
        let mut start = 0;
        for run in sorted.chunk_by(|a, b| a.0 == b.0) {
            self.runs.push((run[0].0, start..start + run.len()));
            start += run.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All ways to sort give the same places and runs as a stable sort.
    #[test]
    fn rows_are_sorted_by_cell_whatever_their_number() {
        for (n_groups, n_strata) in [(1, 1), (2, 1), (2, 2), (3, 7), (100, 100)] {
            let codes = |n: usize, step: usize| (0..1_000).map(|row| (row * step % 97 % n) as u16).collect::<Vec<u16>>();
            let (mut groups, strata) = (codes(n_groups, 31), codes(n_strata, 17));
            if n_groups > 1 {
                groups[5] = NO_GROUP;
            }
            let cells = CellsOfRows { groups: &groups, strata: Some(&strata), segments: None, sizes: [n_groups, n_strata, 1] };
            let block = 3..1_000;
            let mut expected: Vec<(u32, u16)> = (block.clone())
                .filter(|&row| groups[row] != NO_GROUP)
                .map(|row| (u32::from(groups[row]) * n_strata as u32 + u32::from(strata[row]), (row - block.start) as u16))
                .collect();
            expected.sort_unstable();
            let mut sort = CellSort::default();
            // Memory of an earlier block does not matter.
            sort.sort(0..900, n_groups * n_strata, &cells, (&Columns::default(), &Filter::All));
            sort.sort(block, n_groups * n_strata, &cells, (&Columns::default(), &Filter::All));
            let found = sort.runs.iter().flat_map(|(cell, run)| sort.places[run.clone()].iter().map(|&place| (*cell, place)));
            assert_eq!(found.collect::<Vec<_>>(), expected, "{n_groups} groups, {n_strata} strata");
            assert_eq!(sort.is_in_order(), n_groups * n_strata == 1);
        }
    }
}
