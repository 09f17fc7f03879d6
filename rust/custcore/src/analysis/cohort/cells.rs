//! Cells of the long table, computed lazily, and the averages over cohorts.

use super::cell_counts::{CellCount, CellCountReader, CellCounts};
use super::cohorts::Cohort;
use super::kernel::wilson;
use super::observation::Observation;
use super::spec::CohortSpec;

/// A cohort in one period.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell<'a> {
    /// The cohort.
    pub cohort: &'a Cohort,
    /// Row within the cohort.
    pub row: u32,
    /// Whether the window has begun.
    pub is_observed: bool,
    /// Whether the window has ended for all members.
    pub is_complete: bool,
    /// Counts of the cell.
    pub count: CellCount,
    /// Cumulative revenue up to this row.
    pub cumulative: i128,
}

impl Cell<'_> {
    /// Retention rate: active customers by eligible members.
    pub(crate) fn rate(&self) -> Option<f64> {
        let CellCount { eligible, customers, .. } = self.count;
        (eligible > 0).then(|| customers as f64 / eligible as f64)
    }

    /// 95 % confidence interval of the retention rate.
    pub(crate) fn interval(&self) -> Option<(f64, f64)> {
        (self.count.eligible > 0).then(|| wilson(self.count.customers, self.count.eligible))
    }
}

/// Iterator over the cells of one cohort.
#[derive(Debug, Clone)]
pub(crate) struct CohortCells<'a> {
    cohort: &'a Cohort,
    reader: CellCountReader<'a>,
    row: usize,
    /// Rows that have begun for some member, and rows that have ended for all members.
    begun: usize,
    ended: usize,
    cumulative: i128,
}

impl<'a> CohortCells<'a> {
    /// The cells of `cohort`.
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

/// Iterator over the cells of several cohorts.
#[derive(Debug, Clone)]
pub(crate) struct Cells<'a> {
    spec: &'a CohortSpec,
    observation: &'a Observation,
    counts: &'a CellCounts,
    cohorts: std::slice::Iter<'a, Cohort>,
    open: Option<CohortCells<'a>>,
}

impl<'a> Cells<'a> {
    /// The cells of `cohorts`.
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

/// Sums over the complete cells of one period offset in all cohorts of a group.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Average {
    /// Number of cohorts.
    pub cohorts: i64,
    /// Members whose window has ended.
    pub eligible: i64,
    /// Eligible members who returned.
    pub customers: i64,
    /// Sum of the retention rates.
    rates: f64,
}

impl Average {
    /// Pooled retention rate: all active customers by all eligible members.
    pub(crate) fn pooled(&self) -> Option<f64> {
        (self.cohorts > 0).then(|| self.customers as f64 / self.eligible as f64)
    }

    /// Unweighted mean of the cohort retention rates.
    pub(crate) fn simple(&self) -> Option<f64> {
        (self.cohorts > 0).then(|| self.rates / self.cohorts as f64)
    }

    /// 95 % confidence interval of the pooled rate.
    pub(crate) fn interval(&self) -> Option<(f64, f64)> {
        (self.cohorts > 0).then(|| wilson(self.customers, self.eligible))
    }
}

/// Averages of the first `rows` rows by group and row; empty cohorts are skipped.
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
