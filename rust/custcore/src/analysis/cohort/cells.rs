//! The rows of the long table, and their averages.

use super::kernel::{Counts, wilson};
use super::members::{Cohort, Cohorts};
use super::scene::Scene;
use super::spec::CohortSpec;

/// One cohort in one period.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    /// Position of its cohort.
    pub cohort: u32,
    /// Its row in the cohort.
    pub row: u32,
    /// Whether its window has begun.
    pub is_observed: bool,
    /// Whether it is over, for all members.
    pub is_complete: bool,
    /// Members whose window is over.
    pub eligible: i64,
    /// Those of them who came back.
    pub customers: i64,
    /// Members who came back in a window that is not over.
    pub open: i64,
    /// Orders.
    pub orders: i64,
    /// Money.
    pub units: i128,
    /// Money of this and all earlier rows.
    pub cumulative: i128,
}

impl Cell {
    /// Customers among those who are eligible.
    pub fn rate(&self) -> Option<f64> {
        (self.eligible > 0).then(|| self.customers as f64 / self.eligible as f64)
    }

    /// Its 95 % interval.
    pub fn interval(&self) -> Option<(f64, f64)> {
        (self.eligible > 0).then(|| wilson(self.customers, self.eligible))
    }
}

/// All cells, cohort by cohort.
pub fn cells(spec: &CohortSpec, scene: &Scene, cohorts: &Cohorts, counts: &Counts) -> Vec<Cell> {
    let mut cells = Vec::with_capacity(cohorts.cells);
    for (position, cohort) in cohorts.all.iter().enumerate() {
        let (begun, ended) = observed(spec, scene, cohort);
        let mut cumulative = 0;
        for row in 0..cohort.rows {
            let at = cohort.first + row;
            cumulative += counts.units[at];
            cells.push(Cell {
                cohort: position as u32,
                row: row as u32,
                is_observed: row < begun,
                is_complete: row < ended,
                eligible: counts.eligible[at],
                customers: counts.customers[at],
                open: counts.open[at],
                orders: counts.orders[at],
                units: counts.units[at],
                cumulative,
            });
        }
    }
    cells
}

/// Rows of a cohort that have begun for some member, and rows that are over for all.
fn observed(spec: &CohortSpec, scene: &Scene, cohort: &Cohort) -> (usize, usize) {
    let begun = spec.spans().begun(scene.begun(cohort.anchors.0), cohort.rows);
    let ended = spec.spans().ended(scene.ended(cohort.anchors.1), cohort.rows);
    (begun, ended.min(begun))
}

/// Complete cells of one row of all cohorts of a group.
#[derive(Debug, Clone, Copy, Default)]
pub struct Average {
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
    pub fn pooled(&self) -> Option<f64> {
        (self.cohorts > 0).then(|| self.customers as f64 / self.eligible as f64)
    }

    /// The mean of the rates.
    pub fn simple(&self) -> Option<f64> {
        (self.cohorts > 0).then(|| self.rates / self.cohorts as f64)
    }

    /// The 95 % interval of the pooled rate.
    pub fn interval(&self) -> Option<(f64, f64)> {
        (self.cohorts > 0).then(|| wilson(self.customers, self.eligible))
    }
}

/// The averages by group and row.
pub fn averages(cells: &[Cell], cohorts: &Cohorts, groups: usize) -> Vec<Average> {
    let rows = cohorts.longest();
    let mut averages = vec![Average::default(); rows * groups];
    for cell in cells.iter().filter(|cell| cell.is_complete) {
        let average = &mut averages[cohorts.all[cell.cohort as usize].group * rows + cell.row as usize];
        if let Some(rate) = cell.rate() {
            average.cohorts += 1;
            average.eligible += cell.eligible;
            average.customers += cell.customers;
            average.rates += rate;
        }
    }
    averages
}
