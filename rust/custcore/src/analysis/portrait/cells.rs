//! The numbers of each segment and value: shares and their intervals, the exact test, the strength of a difference.

use super::counts::Attribute;
use super::members::Members;
use super::spec::PortraitSpec;
use crate::analysis::cohort::kernel::wilson;
use crate::analysis::p_values::adjusted;
use crate::error::Result;
use crate::exec::context::Context;
use crate::num::fisher::fisher_two_sided;

/// Values that one task computes.
const VALUES_PER_TASK: usize = 16;
/// Fewer tests than this are computed on the calling thread.
const CELLS_WORTH_THREADS: usize = 256;

/// A segment and a value.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) segment: u16,
    pub(super) attribute: u32,
    pub(super) value: u32,
    /// Customers of the segment with the value.
    pub(super) customers: u64,
    /// Those of the segment with a known value.
    pub(super) segment_known: u64,
    /// All customers with the value.
    pub(super) all_customers: u64,
    /// All customers with a known value.
    pub(super) all_known: u64,
    pub(super) p_value: f64,
    pub(super) is_tested: bool,
    pub(super) p_adjusted: Option<f64>,
    pub(super) strength: f64,
    pub(super) is_mark: bool,
}

impl Cell {
    /// The share of the segment with the value.
    pub(super) fn share(&self) -> Option<f64> {
        (self.segment_known > 0).then(|| self.customers as f64 / self.segment_known as f64)
    }

    /// Its interval.
    pub(super) fn interval(&self) -> Option<(f64, f64)> {
        (self.segment_known > 0).then(|| wilson(self.customers as i64, self.segment_known as i64))
    }

    /// The share of all customers with the value.
    pub(super) fn share_all(&self) -> f64 {
        self.all_customers as f64 / self.all_known as f64
    }

    /// What the value surely adds to how the segment differs from all.
    fn measured_strength(&self) -> f64 {
        let all = self.share_all();
        let nearer = match self.interval() {
            Some((low, _)) if low > all => low,
            Some((_, high)) if high < all => high,
            _ => return 0.0,
        };
        if nearer > 0.0 { nearer * (nearer / all).ln() } else { 0.0 }
    }
}

/// All cells of values that a customer has, by segment, descending strength, attribute and value.
pub(super) fn cells(attributes: &[Attribute], members: &Members, spec: &PortraitSpec, context: &Context) -> Result<Vec<Cell>> {
    let mut tasks = Vec::new();
    for (at, attribute) in attributes.iter().enumerate() {
        let values = attribute.values.len();
        tasks.extend((0..values).step_by(VALUES_PER_TASK).map(|first| (at, first..values.min(first + VALUES_PER_TASK))));
    }
    let expected = members.names.len() * attributes.iter().map(|attribute| attribute.values.len()).sum::<usize>();
    let run = |(at, values): (usize, std::ops::Range<usize>)| -> Result<Vec<Cell>> {
        let attribute = &attributes[at];
        let mut cells = Vec::new();
        for value in values {
            context.check()?;
            cells_of_value(attribute, at, value, spec, &mut cells);
        }
        Ok(cells)
    };
    let found = if expected < CELLS_WORTH_THREADS {
        tasks.into_iter().map(run).collect::<Result<Vec<_>>>()?
    } else {
        context.install(|threads| threads.par_tasks(tasks, run))?.into_iter().collect::<Result<Vec<_>>>()?
    };
    let mut cells: Vec<Cell> = found.into_iter().flatten().collect();
    let tested: Vec<f64> = cells.iter().filter(|cell| cell.is_tested).map(|cell| cell.p_value).collect();
    let mut of_tested = adjusted(&tested, spec.adjust).into_iter();
    for cell in cells.iter_mut().filter(|cell| cell.is_tested) {
        let p = of_tested.next();
        cell.p_adjusted = p;
        cell.is_mark = cell.strength != 0.0 && p.is_some_and(|p| p < spec.alpha);
    }
    let text = |cell: &Cell| {
        let attribute = &attributes[cell.attribute as usize];
        let value = &attribute.values[cell.value as usize];
        (&attribute.name, value.is_none(), value)
    };
    let compare =
        |a: &Cell, b: &Cell| a.segment.cmp(&b.segment).then(b.strength.total_cmp(&a.strength)).then_with(|| text(a).cmp(&text(b)));
    context.run_if_large(cells.len(), |threads| threads.par_sort_unstable_by(&mut cells, compare))?;
    Ok(cells)
}

fn cells_of_value(attribute: &Attribute, at: usize, value: usize, spec: &PortraitSpec, cells: &mut Vec<Cell>) {
    let counts = attribute.of_value(value);
    let all_customers: u64 = counts.iter().sum();
    if all_customers == 0 {
        return;
    }
    let all_known: u64 = attribute.known.iter().sum();
    for (segment, (&customers, &segment_known)) in counts.iter().zip(&attribute.known).enumerate() {
        let is_tested = segment_known >= spec.min_customers && all_customers >= spec.min_customers;
        let mut cell = Cell {
            segment: segment as u16,
            attribute: at as u32,
            value: value as u32,
            customers,
            segment_known,
            all_customers,
            all_known,
            p_value: fisher_two_sided(customers, segment_known, all_customers, all_known),
            is_tested,
            p_adjusted: None,
            strength: 0.0,
            is_mark: false,
        };
        if is_tested {
            cell.strength = cell.measured_strength();
        }
        cells.push(cell);
    }
}
