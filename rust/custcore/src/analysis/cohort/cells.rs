//! The rows of the long table, made while they are read, and their averages.

use super::cell_counts::{CellCount, CellCountReader, CellCounts};
use super::cohorts::Cohort;
use super::kernel::wilson;
use super::observation::Observation;
use super::spec::CohortSpec;

/// One cohort in one period.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell<'a> {
    /// Its cohort.
    pub cohort: &'a Cohort,
    /// Its row in the cohort.
    pub row: u32,
    /// Whether its window has begun.
    pub is_observed: bool,
    /// Whether it is over, for all members.
    pub is_complete: bool,
    /// What is in it.
    pub count: CellCount,
    /// Money of this and all earlier rows.
    pub cumulative: i128,
}

impl Cell<'_> {
    /// Customers among those who are eligible.
    pub(crate) fn rate(&self) -> Option<f64> {
        let CellCount { eligible, customers, .. } = self.count;
        (eligible > 0).then(|| customers as f64 / eligible as f64)
    }

    /// Its 95 % interval.
    pub(crate) fn interval(&self) -> Option<(f64, f64)> {
        (self.count.eligible > 0).then(|| wilson(self.count.customers, self.count.eligible))
    }
}

/// The cells of one cohort, row by row.
#[derive(Debug, Clone)]
pub(crate) struct CohortCells<'a> {
    cohort: &'a Cohort,
    reader: CellCountReader<'a>,
    row: usize,
    /// Rows that have begun for some member, and rows that are over for all.
    begun: usize,
    ended: usize,
    cumulative: i128,
}

impl<'a> CohortCells<'a> {
    /// Those of a cohort.
    pub(crate) fn of(spec: &CohortSpec, observation: &Observation, counts: &'a CellCounts, cohort: &'a Cohort) -> Self {
        let begun = spec.spans().begun(observation.begun(cohort.anchors.0), cohort.rows);
        let ended = spec.spans().ended(observation.ended(cohort.anchors.1), cohort.rows);
        Self { cohort, reader: counts.reader(cohort.first), row: 0, begun, ended: ended.min(begun), cumulative: 0 }
    }
}

impl<'a> Iterator for CohortCells<'a> {
    type Item = Cell<'a>;

    #[inline]
    fn next(&mut self) -> Option<Cell<'a>> {
        let (row, count) = if self.row < self.cohort.rows { (self.row, self.reader.read()) } else { return None };
        self.row += 1;
        self.cumulative += count.units;
        Some(Cell {
            cohort: self.cohort,
            row: row as u32,
            is_observed: row < self.begun,
            is_complete: row < self.ended,
            count,
            cumulative: self.cumulative,
        })
    }
}

/// All cells, cohort by cohort.
#[derive(Debug, Clone)]
pub(crate) struct Cells<'a> {
    spec: &'a CohortSpec,
    observation: &'a Observation,
    counts: &'a CellCounts,
    cohorts: std::slice::Iter<'a, Cohort>,
    open: Option<CohortCells<'a>>,
}

impl<'a> Cells<'a> {
    /// Those of some cohorts.
    pub(crate) fn of(spec: &'a CohortSpec, observation: &'a Observation, counts: &'a CellCounts, cohorts: &'a [Cohort]) -> Self {
        Self { spec, observation, counts, cohorts: cohorts.iter(), open: None }
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = Cell<'a>;

    #[inline]
    fn next(&mut self) -> Option<Cell<'a>> {
        loop {
            if let Some(cell) = self.open.as_mut().and_then(CohortCells::next) {
                return Some(cell);
            }
            self.open = Some(CohortCells::of(self.spec, self.observation, self.counts, self.cohorts.next()?));
        }
    }
}

/// Complete cells of one row of all cohorts of a group.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Average {
    /// How many.
    pub cohorts: i64,
    /// Their members whose window is over.
    pub eligible: i64,
    /// Those of them who came back.
    pub customers: i64,
    /// The sum of their rates.
    rates: f64,
}

impl Average {
    /// All customers by all who are eligible.
    pub(crate) fn pooled(&self) -> Option<f64> {
        (self.cohorts > 0).then(|| self.customers as f64 / self.eligible as f64)
    }

    /// The mean of the rates.
    pub(crate) fn simple(&self) -> Option<f64> {
        (self.cohorts > 0).then(|| self.rates / self.cohorts as f64)
    }

    /// The 95 % interval of the pooled rate.
    pub(crate) fn interval(&self) -> Option<(f64, f64)> {
        (self.cohorts > 0).then(|| wilson(self.customers, self.eligible))
    }
}

/// The averages of the first `rows` rows, by group and row. Cohorts without members count in none.
pub(crate) fn averages(
    spec: &CohortSpec,
    observation: &Observation,
    counts: &CellCounts,
    cohorts: &[Cohort],
    groups: usize,
    rows: usize,
) -> Vec<Average> {
    let mut averages = vec![Average::default(); rows * groups];
    for cohort in cohorts {
        let averages = &mut averages[cohort.group * rows..];
        for cell in CohortCells::of(spec, observation, counts, cohort).take(rows).take_while(|cell| cell.is_complete) {
            let Some(rate) = cell.rate() else { continue };
            let average = &mut averages[cell.row as usize];
            average.cohorts += 1;
            average.eligible += cell.count.eligible;
            average.customers += cell.count.customers;
            average.rates += rate;
        }
    }
    averages
}
