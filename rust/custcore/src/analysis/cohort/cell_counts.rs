//! What is counted, by cell: in columns with a place for every cell where cells are few, else sorted by cell, only those in
//! which something is. One odd date makes millions of cells out of a few orders, and nearly all of them are empty.

use hashbrown::HashMap;

use super::cohorts::Cohort;
use super::kernel::{CountMembers, Counts, sum_up};

/// So many cells have places, however few orders there are.
const FEW_CELLS: usize = 1 << 16;

/// Whether every one of `cells` cells gets a place where there are so many `orders`: memory follows what was seen.
pub(crate) fn has_places(cells: usize, orders: usize) -> bool {
    cells <= FEW_CELLS.max(orders)
}

/// More cells than this are not counted side by side: every run of customers or orders has cells of its own.
const CELLS_A_RUN: usize = 1 << 18;

/// Whether `runs` runs may have such cells of their own at a time, so that memory does not grow with threads times cells.
pub(crate) fn fits_side_by_side(cells: usize, runs: usize, orders: usize) -> bool {
    cells <= CELLS_A_RUN && cells.saturating_mul(runs) <= (4 * CELLS_A_RUN).max(2 * orders)
}

/// What is in one cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CellCount {
    /// Members whose judged window is over.
    pub eligible: i64,
    /// Those of them who came back.
    pub customers: i64,
    /// Members who came back in a window that is not over.
    pub open: i64,
    /// Orders.
    pub orders: i64,
    /// Money.
    pub units: i128,
}

/// Where members and their orders are counted, by cell.
pub(crate) trait CountCells: CountMembers + Default {
    /// Nothing counted yet in so many cells.
    fn of(cells: usize) -> Self;
    /// Adds orders and money.
    fn add_orders(&mut self, cell: usize, orders: i64, units: i128);
    /// Adds what was counted elsewhere.
    fn merge(&mut self, other: Self);
    /// The end of counting; `cohorts` are those that have members.
    fn finish(self, cohorts: &[Cohort]) -> CellCounts;
}

impl CountCells for Counts {
    fn of(cells: usize) -> Self {
        Self::new(cells)
    }

    #[inline]
    fn add_orders(&mut self, cell: usize, orders: i64, units: i128) {
        self.orders[cell] += orders;
        self.units[cell] += units;
    }

    fn merge(&mut self, other: Self) {
        self.merge(&other);
    }

    fn finish(mut self, cohorts: &[Cohort]) -> CellCounts {
        for cohort in cohorts {
            let rows = cohort.first..cohort.first + cohort.rows;
            sum_up(&mut self.eligible[rows.clone()]);
            sum_up(&mut self.customers[rows.clone()]);
            sum_up(&mut self.open[rows]);
        }
        CellCounts::Dense(self)
    }
}

/// Cells in which something is; members are steps, see [`super::kernel::count_member`].
#[derive(Debug, Clone, Default)]
pub(crate) struct SparseCounts(HashMap<usize, CellCount, foldhash::fast::RandomState>);

impl SparseCounts {
    fn cell(&mut self, cell: usize) -> &mut CellCount {
        self.0.entry(cell).or_default()
    }
}

impl CountMembers for SparseCounts {
    fn add_eligible(&mut self, cell: usize, members: i64) {
        self.cell(cell).eligible += members;
    }

    fn add_customers(&mut self, cell: usize, members: i64) {
        self.cell(cell).customers += members;
    }

    fn add_open(&mut self, cell: usize, members: i64) {
        self.cell(cell).open += members;
    }
}

impl CountCells for SparseCounts {
    fn of(_cells: usize) -> Self {
        Self::default()
    }

    fn add_orders(&mut self, cell: usize, orders: i64, units: i128) {
        let cell = self.cell(cell);
        cell.orders += orders;
        cell.units += units;
    }

    fn merge(&mut self, other: Self) {
        for (cell, more) in other.0 {
            let count = self.cell(cell);
            count.eligible += more.eligible;
            count.customers += more.customers;
            count.open += more.open;
            count.orders += more.orders;
            count.units += more.units;
        }
    }

    fn finish(self, _cohorts: &[Cohort]) -> CellCounts {
        let mut cells: Vec<(usize, CellCount)> = self.0.into_iter().filter(|(_, count)| *count != CellCount::default()).collect();
        cells.sort_unstable_by_key(|(cell, _)| *cell);
        CellCounts::Sparse(cells)
    }
}

/// All that was counted.
#[derive(Debug, Clone)]
pub(crate) enum CellCounts {
    /// Every cell has its place.
    Dense(Counts),
    /// Cells that are not there are as the one before in their cohort, without orders; members are steps.
    Sparse(Vec<(usize, CellCount)>),
}

impl CellCounts {
    /// Reads the cells of a cohort, whose first cell is `first`, one after the other.
    pub(crate) fn reader(&self, first: usize) -> CellCountReader<'_> {
        let next = match self {
            Self::Dense(_) => 0,
            Self::Sparse(cells) => cells.partition_point(|(cell, _)| *cell < first),
        };
        CellCountReader { counts: self, at: first, next, members: CellCount::default() }
    }
}

/// Reads cells one after the other.
#[derive(Debug, Clone)]
pub(crate) struct CellCountReader<'a> {
    counts: &'a CellCounts,
    at: usize,
    /// The next one of those that are there.
    next: usize,
    /// The sums of all steps so far.
    members: CellCount,
}

impl CellCountReader<'_> {
    /// The next cell of the cohort; there must be one.
    #[inline]
    pub(crate) fn read(&mut self) -> CellCount {
        let at = self.at;
        self.at += 1;
        match self.counts {
            CellCounts::Dense(counts) => CellCount {
                eligible: counts.eligible[at],
                customers: counts.customers[at],
                open: counts.open[at],
                orders: counts.orders[at],
                units: counts.units[at],
            },
            CellCounts::Sparse(cells) => match cells.get(self.next) {
                Some((cell, count)) if *cell == at => {
                    self.next += 1;
                    self.members.eligible += count.eligible;
                    self.members.customers += count.customers;
                    self.members.open += count.open;
                    CellCount { orders: count.orders, units: count.units, ..self.members }
                }
                _ => self.members,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::cohort::kernel::{CohortPosition, count_member};
    use crate::analysis::cohort::spec::{CohortSpec, ReturnCriterion};

    /// Counts the same members into cells of one kind; the cells of two cohorts of 4 and 3 rows.
    fn counted<C: CountCells>() -> Vec<CellCount> {
        let spec = CohortSpec::default();
        let cohort = |first, rows| Cohort { group: 0, key: 0, size: 1, anchors: (0, 0), first, rows };
        let cohorts = [cohort(0, 4), cohort(4, 3)];
        let (mut counts, mut more) = (C::of(7), C::of(7));
        let place = |cohort: &Cohort, ended| CohortPosition { first: cohort.first, rows: cohort.rows, begun: cohort.rows, ended };
        count_member(&mut counts, place(&cohorts[0], 3), ReturnCriterion::On, None, spec.spans(), &[0, 2, 3]);
        count_member(&mut more, place(&cohorts[1], 3), ReturnCriterion::OnOrAfter, None, spec.spans(), &[0, 2]);
        count_member(&mut more, place(&cohorts[1], 1), ReturnCriterion::OnOrBefore, None, spec.spans(), &[1]);
        counts.add_orders(2, 1, 50);
        more.add_orders(2, 1, -20);
        more.add_orders(4, 2, 1 << 70);
        counts.merge(more);
        let counts = counts.finish(&cohorts);
        let read = |cohort: &Cohort| {
            let mut reader = counts.reader(cohort.first);
            (0..cohort.rows).map(move |_| reader.read()).collect::<Vec<_>>()
        };
        cohorts.iter().flat_map(read).collect()
    }

    #[test]
    fn cells_with_and_without_places_are_the_same() {
        let dense = counted::<Counts>();
        assert_eq!(dense, counted::<SparseCounts>());
        let members: Vec<[i64; 3]> = dense.iter().map(|cell| [cell.eligible, cell.customers, cell.open]).collect();
        assert_eq!(members, [[1, 1, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1], [2, 2, 0], [1, 1, 1], [1, 1, 1]]);
        assert_eq!((dense[2].orders, dense[2].units, dense[4].units), (2, 30, 1 << 70));
    }
}
