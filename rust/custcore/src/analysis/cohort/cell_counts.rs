//! Counts by cell: dense columns if there are few cells, otherwise a sparse list of non-empty cells sorted by position. One
//! outlying date turns a few orders into millions of cells, nearly all of them empty.

use hashbrown::HashMap;

use super::cohorts::Cohort;
use super::kernel::{CountMembers, Counts, sum_up};

/// Up to this many cells, counts are dense regardless of the number of orders.
const FEW_CELLS: usize = 1 << 16;

/// Whether `cells` cells are counted densely given `orders` orders: memory is bounded by the size of the input.
pub(crate) fn is_dense(cells: usize, orders: usize) -> bool {
    cells <= FEW_CELLS.max(orders)
}

/// Most cells for parallel counting, in which each run of customers or orders has separate cells.
const CELLS_A_RUN: usize = 1 << 18;

/// Whether `runs` runs may hold separate cells at a time. Bounds the memory that grows with threads times cells.
pub(crate) fn fits_parallel(cells: usize, runs: usize, orders: usize) -> bool {
    cells <= CELLS_A_RUN && cells.saturating_mul(runs) <= (4 * CELLS_A_RUN).max(2 * orders)
}

/// Counts of one cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CellCount {
    /// Members whose return window has ended.
    pub eligible: i64,
    /// Eligible members who returned.
    pub customers: i64,
    /// Members who returned in a window that has not ended.
    pub open: i64,
    /// Orders.
    pub orders: i64,
    /// Revenue in units.
    pub units: i128,
}

impl CellCount {
    /// Adds all counts.
    pub(super) fn add(&mut self, other: &Self) {
        self.eligible += other.eligible;
        self.customers += other.customers;
        self.open += other.open;
        self.orders += other.orders;
        self.units += other.units;
    }

    /// The differences of the members; no orders.
    pub(super) fn members_minus(&self, other: &Self) -> Self {
        Self {
            eligible: self.eligible - other.eligible,
            customers: self.customers - other.customers,
            open: self.open - other.open,
            ..Self::default()
        }
    }
}

/// Accumulator of members and orders by cell.
pub(crate) trait CountCells: CountMembers + Default {
    /// An empty accumulator of `cells` cells.
    fn of(cells: usize) -> Self;
    /// Adds orders and revenue.
    fn add_orders(&mut self, cell: usize, orders: i64, units: i128);
    /// Merges another accumulator.
    fn merge(&mut self, other: Self);
    /// Finishes counting; `cohorts` are the ones with members.
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

/// Non-empty cells; members are stored as differences, see [`super::kernel::count_member`].
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
            self.cell(cell).add(&more);
        }
    }

    fn finish(self, _cohorts: &[Cohort]) -> CellCounts {
        let mut cells: Vec<(usize, CellCount)> = self.0.into_iter().filter(|(_, count)| *count != CellCount::default()).collect();
        cells.sort_unstable_by_key(|(cell, _)| *cell);
        CellCounts::Sparse(cells)
    }
}

/// Finished counts of all cells.
#[derive(Debug, Clone)]
pub(crate) enum CellCounts {
    /// Columns with a value for every cell.
    Dense(Counts),
    /// Sorted non-empty cells; members are differences. An absent cell has the members of the previous cell of its cohort
    /// and no orders.
    Sparse(Vec<(usize, CellCount)>),
}

impl CellCounts {
    /// A sequential reader of the cells of the cohort whose first cell is `first`.
    pub(crate) fn reader(&self, first: usize) -> CellCountReader<'_> {
        let next = match self {
            Self::Dense(_) => 0,
            Self::Sparse(cells) => cells.partition_point(|(cell, _)| *cell < first),
        };
        CellCountReader { counts: self, at: first, next, members: CellCount::default() }
    }
}

/// Sequential reader of cells.
#[derive(Debug, Clone)]
pub(crate) struct CellCountReader<'a> {
    counts: &'a CellCounts,
    at: usize,
    /// Position of the next stored cell.
    next: usize,
    /// Cumulative sums of the differences so far.
    members: CellCount,
}

impl CellCountReader<'_> {
    /// The next cell of the cohort; the caller ensures that it exists.
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

    /// Counts fixed members of two cohorts of 4 and 3 rows in one kind of accumulator.
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
    fn dense_and_sparse_counts_agree() {
        let dense = counted::<Counts>();
        assert_eq!(dense, counted::<SparseCounts>());
        let members: Vec<[i64; 3]> = dense.iter().map(|cell| [cell.eligible, cell.customers, cell.open]).collect();
        assert_eq!(members, [[1, 1, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1], [2, 2, 0], [1, 1, 1], [1, 1, 1]]);
        assert_eq!((dense[2].orders, dense[2].units, dense[4].units), (2, 30, 1 << 70));
    }
}
