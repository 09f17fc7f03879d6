//! Sums of the results of ranges of ids.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::cell_counts::{CellCount, CellCounts, is_dense};
use super::cohorts::{Cohort, Cohorts};
use super::count::Unattributed;
use super::found::{Found, LoggedOrders};
use super::kernel::Counts;
use super::spec::CohortBy;
use super::values::Values;
use super::{CohortRetention, table};
use crate::error::Result;
use crate::report::Report;

/// The sum of the results of some ranges.
#[derive(Debug)]
pub(super) struct CohortSums {
    /// The first result, without customers.
    first: CohortRetention,
    found: Option<Found>,
    cohorts: BTreeMap<(usize, i64), CohortSum>,
    unattributed: Unattributed,
    report: Report,
}

/// Size, anchors and cells of one cohort.
#[derive(Debug, Clone)]
struct CohortSum {
    size: i64,
    anchors: (i32, i32),
    /// The rows that are not empty. Members are differences between consecutive rows, so that sums do not depend on the number of rows.
    cells: Vec<(usize, CellCount)>,
}

impl CohortSums {
    /// The result of one range.
    pub(super) fn of(mut part: CohortRetention) -> Self {
        let cohorts = part.found.as_ref().map_or_else(BTreeMap::new, sums_of);
        let found = part.found.take().map(|found| Found { orders: LoggedOrders::Ranges(found.orders.len()), ..found });
        let (unattributed, report) = (part.unattributed.clone(), part.report.clone());
        part.base = part.base.without_customers();
        Self { first: part, found, cohorts, unattributed, report }
    }

    /// Adds the result of another range.
    pub(super) fn add(&mut self, part: CohortRetention) -> Result<()> {
        let other = Self::of(part);
        self.report.join(&other.report);
        let (Some(own), Some(found)) = (&mut self.found, other.found) else { return Ok(()) };
        let (groups, group_ranks) = union(own.groups.values.as_ref(), found.groups.values.as_ref())?;
        let (values, value_ranks) = union(own.values.as_ref(), found.values.as_ref())?;
        let rank = |ranks: &Option<Ranks>, part: usize, at: usize| ranks.as_ref().map_or(at, |ranks| ranks[part][at] as usize);
        let by_column = self.first.spec.cohort_by == CohortBy::Column;
        let place = |part: usize, (group, key): (usize, i64)| {
            let key = if by_column { rank(&value_ranks, part, key as usize) as i64 } else { key };
            (rank(&group_ranks, part, group), key)
        };
        let before = std::mem::take(&mut self.cohorts);
        self.cohorts = before.into_iter().map(|(at, cohort)| (place(0, at), cohort)).collect();
        for (at, cohort) in other.cohorts {
            match self.cohorts.entry(place(1, at)) {
                Entry::Occupied(mut own) => own.get_mut().add(cohort),
                Entry::Vacant(free) => drop(free.insert(cohort)),
            }
        }
        own.groups = own.groups.with_values(groups);
        own.values = values;
        own.customers += found.customers;
        own.orders = LoggedOrders::Ranges(own.orders.len() + found.orders.len());
        let mut whole = Unattributed::new(own.groups.number());
        for (part, unattributed) in [&self.unattributed, &other.unattributed].into_iter().enumerate() {
            whole.merge(&unattributed.regrouped(own.groups.number(), |group| rank(&group_ranks, part, group)));
        }
        self.unattributed = whole;
        Ok(())
    }

    /// The result of all ranges.
    pub(super) fn finish(self) -> Result<CohortRetention> {
        let Self { mut first, found, cohorts, unattributed, report } = self;
        if let Some(mut found) = found {
            let stored = cohorts.iter().map(|(&(group, key), cohort)| cohort.empty(group, key)).collect();
            found.cohorts = Cohorts::of_sizes(&first.spec, &found.observation, stored, found.groups.number())?;
            let sums = found.cohorts.stored.iter().zip(cohorts.values());
            found.counts = if is_dense(found.cohorts.cells, found.orders.len()) {
                let mut counts = Counts::new(found.cohorts.cells);
                sums.for_each(|(cohort, sum)| sum.fill(cohort, &mut counts));
                CellCounts::Dense(counts)
            } else {
                let cells = |(cohort, sum): (&Cohort, &CohortSum)| {
                    let (first, rows) = (cohort.first, cohort.rows);
                    sum.cells.clone().into_iter().filter(move |(row, _)| *row < rows).map(move |(row, count)| (first + row, count))
                };
                CellCounts::Sparse(sums.flat_map(cells).collect())
            };
            first.found = Some(found);
        }
        (first.unattributed, first.report) = (unattributed, report);
        table::check_money(&first.view()?, &first.unattributed)?;
        Ok(first)
    }
}

/// The rank in the union by rank in each of two parts.
type Ranks = [Vec<u32>; 2];

/// The union of the values of two parts, and their ranks in it; `None` without a column.
pub(super) fn union(own: Option<&Values>, other: Option<&Values>) -> Result<(Option<Values>, Option<Ranks>)> {
    let (Some(own), Some(other)) = (own, other) else { return Ok((None, None)) };
    let (values, ranks) = own.union(other)?;
    Ok((Some(values), Some(ranks)))
}

/// The cohorts of a result by group and key.
fn sums_of(found: &Found) -> BTreeMap<(usize, i64), CohortSum> {
    let sum = |cohort: &Cohort| {
        let (mut reader, mut before, mut cells) = (found.counts.reader(cohort.first), CellCount::default(), Vec::new());
        for row in 0..cohort.rows {
            let now = reader.read();
            cells.push((row, CellCount { orders: now.orders, units: now.units, ..now.members_minus(&before) }));
            before = now;
        }
        // In a cohort of more rows these members are in none of the others.
        cells.push((cohort.rows, CellCount::default().members_minus(&before)));
        cells.retain(|(_, count)| *count != CellCount::default());
        CohortSum { size: cohort.size, anchors: cohort.anchors, cells }
    };
    found.cohorts.stored.iter().map(|cohort| ((cohort.group, cohort.key), sum(cohort))).collect()
}

impl CohortSum {
    /// The cohort, without its cells.
    fn empty(&self, group: usize, key: i64) -> Cohort {
        Cohort { group, key, size: self.size, anchors: self.anchors, first: 0, rows: 0 }
    }

    fn add(&mut self, other: Self) {
        self.size += other.size;
        self.anchors = (self.anchors.0.min(other.anchors.0), self.anchors.1.max(other.anchors.1));
        let mut cells = BTreeMap::from_iter(std::mem::take(&mut self.cells));
        for (row, count) in other.cells {
            cells.entry(row).or_default().add(&count);
        }
        self.cells = cells.into_iter().filter(|(_, count)| *count != CellCount::default()).collect();
    }

    /// Writes the cells of the cohort.
    fn fill(&self, cohort: &Cohort, counts: &mut Counts) {
        let mut members = CellCount::default();
        let mut next = self.cells.iter().peekable();
        for row in 0..cohort.rows {
            let at = cohort.first + row;
            if let Some((_, count)) = next.next_if(|(own, _)| *own == row) {
                members.add(count);
                (counts.orders[at], counts.units[at]) = (count.orders, count.units);
            }
            (counts.eligible[at], counts.customers[at], counts.open[at]) = (members.eligible, members.customers, members.open);
        }
    }
}
