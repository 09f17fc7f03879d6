//! Orders counted into the cells of their cohorts, customer by customer; what lies in none is told by its reason.

use super::cell_counts::{CellCounts, CountCells, SparseCounts, fits_side_by_side, has_places};
use super::cohorts::Cohorts;
use super::kernel::{CohortPosition, Counts, active_periods, count_member};
use super::members::{Groups, Member, may_buy};
use super::observation::Observation;
use super::orders_by_customer::{CohortOrder, OrdersByCustomer};
use super::spec::CohortSpec;
use crate::base::view::BaseView;
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};
use crate::report::Tally;

/// Orders and money of buyers that lie in no cell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unattributed {
    /// Orders by group.
    pub orders: Vec<i64>,
    /// Money by group.
    pub units: Vec<i128>,
    /// Customers in no cohort.
    pub outside: Tally,
    /// Orders before the start of observation.
    pub before_start: Tally,
    /// Orders before the first purchase.
    pub before_first: Tally,
    /// Orders beyond the last cell.
    pub beyond: Tally,
}

impl Unattributed {
    /// Nothing yet.
    pub(crate) fn new(groups: usize) -> Self {
        Self { orders: vec![0; groups], units: vec![0; groups], ..Self::default() }
    }

    /// Adds what was found elsewhere.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.orders.iter_mut().zip(&other.orders).for_each(|(to, from)| *to += from);
        self.units.iter_mut().zip(&other.units).for_each(|(to, from)| *to += from);
        self.outside.merge(&other.outside, 0);
        self.before_start.merge(&other.before_start, 0);
        self.before_first.merge(&other.before_first, 0);
        self.beyond.merge(&other.beyond, 0);
    }
}

/// What counting needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counter<'a> {
    /// The settings.
    pub spec: &'a CohortSpec,
    /// What is observed.
    pub observation: &'a Observation,
    /// The orders.
    pub orders_by_customer: &'a OrdersByCustomer,
    /// The customers.
    pub view: &'a BaseView<'a>,
    /// The groups.
    pub groups: &'a Groups,
    /// The cohorts.
    pub cohorts: &'a Cohorts,
    /// Threads to count with.
    pub threads: Threads<'a>,
}

impl Counter<'_> {
    /// All orders, counted; `members` come in the order of customers' codes.
    pub(crate) fn count(&self, members: &[Member]) -> (CellCounts, Unattributed) {
        if has_places(self.cohorts.cells, self.orders_by_customer.n_orders()) {
            self.count_by::<Counts>(members)
        } else {
            self.count_by::<SparseCounts>(members)
        }
    }

    fn count_by<C: CountCells + Send>(&self, members: &[Member]) -> (CellCounts, Unattributed) {
        let customers = self.orders_by_customer.customers();
        let all = |run: std::ops::Range<usize>| self.count_run::<C>(run, members);
        let runs = 4 * self.threads.count();
        let runs = if fits_side_by_side(self.cohorts.cells, runs, self.orders_by_customer.n_orders()) && customers >= ROWS_WORTH_THREADS {
            self.threads.par_chunks(customers, all)
        } else {
            vec![all(0..customers)]
        };
        let mut runs = runs.into_iter();
        let (mut counts, mut unattributed) =
            runs.next().unwrap_or_else(|| (C::of(self.cohorts.cells), Unattributed::new(self.groups.number())));
        for (more, lost) in runs {
            counts.merge(more);
            unattributed.merge(&lost);
        }
        (counts.finish(&self.cohorts.kept), unattributed)
    }

    fn count_run<C: CountCells>(&self, run: std::ops::Range<usize>, members: &[Member]) -> (C, Unattributed) {
        let mut counts = C::of(self.cohorts.cells);
        let mut lost = Unattributed::new(self.groups.number());
        let (mut orders, mut reached, mut active) = (Vec::new(), Vec::new(), Vec::new());
        let mut next = members.partition_point(|member| (member.customer as usize) < run.start);
        for customer in run.filter(|&customer| may_buy(self.view, customer)) {
            self.orders_by_customer.orders(customer, &mut orders);
            if !orders.iter().any(CohortOrder::is_purchase) {
                continue;
            }
            let group = self.groups.group(self.view, customer as u32);
            let theirs = members[next..].iter().take_while(|member| member.customer as usize == customer).count();
            let theirs = &members[next..next + theirs];
            next += theirs.len();
            reached.clear();
            reached.resize(orders.len(), Reached::Nothing);
            for member in theirs {
                let place = self.place(member, group);
                let inside = |order: &CohortOrder| order.in_window() && order.day >= member.anchor;
                let offset = |order: &CohortOrder| self.observation.offset(member.anchor, order.day);
                let returns = orders.iter().filter(|order| inside(order) && order.returns());
                active_periods(returns.map(offset), self.spec.min_occurrences, &mut active);
                count_member(&mut counts, place, self.spec.criterion, self.spec.horizon, self.spec.spans(), &active);
                for (order, reached) in orders.iter().zip(&mut reached).filter(|(order, _)| inside(order)) {
                    let row = self.spec.spans().row(offset(order));
                    if row < place.rows {
                        counts.add_orders(place.first + row, i64::from(order.returns()), order.units);
                        *reached = Reached::Cell;
                    } else if *reached == Reached::Nothing {
                        *reached = Reached::Life;
                    }
                }
            }
            lose(&mut lost, group, theirs.is_empty(), &orders, &reached);
        }
        (counts, lost)
    }

    /// The rows of a member's cohort, and how far he was observed.
    fn place(&self, member: &Member, group: usize) -> CohortPosition {
        let Some(cohort) = self.cohorts.find(group, member.key) else {
            return CohortPosition { first: 0, rows: 0, begun: 0, ended: 0 };
        };
        let (first, rows, spans) = (cohort.first, cohort.rows, self.spec.spans());
        if self.spec.own_windows() {
            let (begun, ended) = (self.observation.begun(member.anchor), self.observation.ended(member.anchor));
            CohortPosition { first, rows, begun: spans.begun(begun, rows), ended: spans.ended(ended, rows) }
        } else {
            CohortPosition { first, rows, begun: rows, ended: rows }
        }
    }
}

/// How far an order came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// It lies before all lives of its customer, or outside of what is observed.
    Nothing,
    /// It lies in a life, beyond the last cell.
    Life,
    /// It lies in a cell.
    Cell,
}

fn lose(lost: &mut Unattributed, group: usize, outside: bool, orders: &[CohortOrder], reached: &[Reached]) {
    let mut whole = Tally::default();
    for (order, &reached) in orders.iter().zip(reached).filter(|(_, reached)| **reached != Reached::Cell) {
        lost.orders[group] += i64::from(order.returns());
        lost.units[group] += order.units;
        if outside {
            whole.add(order.units, order.row);
        } else if !order.in_window() {
            lost.before_start.add(order.units, order.row);
        } else if reached == Reached::Nothing {
            lost.before_first.add(order.units, order.row);
        } else {
            lost.beyond.add(order.units, order.row);
        }
    }
    if whole.count > 0 {
        lost.outside.add_rows(whole.rows, whole.units, whole.first_row);
    }
}
