//! Counts orders by cohort cell, customer by customer. Unattributed orders are tallied by reason.

use super::cell_counts::{CellCounts, CountCells, SparseCounts, fits_parallel, is_dense};
use super::cohorts::Cohorts;
use super::kernel::{CohortPosition, Counts, active_periods, count_member};
use super::members::{Member, may_buy};
use super::observation::Observation;
use super::orders_by_customer::{CohortOrder, OrdersByCustomer};
use super::spec::CohortSpec;
use super::values::Groups;
use crate::base::view::BaseView;
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};
use crate::report::Tally;

/// Orders and revenue of buyers that belong to no cell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unattributed {
    /// Orders by group.
    pub orders: Vec<i64>,
    /// Revenue in units by group.
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
    /// An empty tally of `groups` groups.
    pub(crate) fn new(groups: usize) -> Self {
        Self { orders: vec![0; groups], units: vec![0; groups], ..Self::default() }
    }

    /// The same tallies with other numbers of the groups.
    pub(super) fn regrouped(&self, groups: usize, place: impl Fn(usize) -> usize) -> Self {
        let mut moved = Self { orders: vec![0; groups], units: vec![0; groups], ..self.clone() };
        for (group, (&orders, &units)) in self.orders.iter().zip(&self.units).enumerate() {
            let to = place(group);
            moved.orders[to] += orders;
            moved.units[to] += units;
        }
        moved
    }

    /// Merges another tally.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.orders.iter_mut().zip(&other.orders).for_each(|(to, from)| *to += from);
        self.units.iter_mut().zip(&other.units).for_each(|(to, from)| *to += from);
        self.outside.merge(&other.outside, 0);
        self.before_start.merge(&other.before_start, 0);
        self.before_first.merge(&other.before_first, 0);
        self.beyond.merge(&other.beyond, 0);
    }
}

/// Inputs of counting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counter<'a> {
    /// Settings.
    pub spec: &'a CohortSpec,
    /// Observation window.
    pub observation: &'a Observation,
    /// Orders by customer.
    pub orders_by_customer: &'a OrdersByCustomer,
    /// View of the customer base.
    pub view: &'a BaseView<'a>,
    /// Groups.
    pub groups: &'a Groups,
    /// Cohorts.
    pub cohorts: &'a Cohorts,
    /// Threads used for counting.
    pub threads: Threads<'a>,
}

impl Counter<'_> {
    /// Counts all orders; `members` are sorted by customer code.
    pub(crate) fn count(&self, members: &[Member]) -> (CellCounts, Unattributed) {
        if is_dense(self.cohorts.cells, self.orders_by_customer.n_orders()) {
            self.count_by::<Counts>(members)
        } else {
            self.count_by::<SparseCounts>(members)
        }
    }

    fn count_by<C: CountCells + Send>(&self, members: &[Member]) -> (CellCounts, Unattributed) {
        let customers = self.orders_by_customer.customers();
        let all = |run: std::ops::Range<usize>| self.count_run::<C>(run, members);
        let runs = 4 * self.threads.count();
        let runs = if fits_parallel(self.cohorts.cells, runs, self.orders_by_customer.n_orders()) && customers >= ROWS_WORTH_THREADS {
            self.threads.par_chunks(customers, all)
        } else {
            vec![all(0..customers)]
        };
        let mut runs = runs.into_iter();
        let (mut counts, mut unattributed) =
            runs.next().unwrap_or_else(|| (C::of(self.cohorts.cells), Unattributed::new(self.groups.number())));
        for (more, other) in runs {
            counts.merge(more);
            unattributed.merge(&other);
        }
        (counts.finish(&self.cohorts.stored), unattributed)
    }

    fn count_run<C: CountCells>(&self, run: std::ops::Range<usize>, members: &[Member]) -> (C, Unattributed) {
        let mut counts = C::of(self.cohorts.cells);
        let mut unattributed = Unattributed::new(self.groups.number());
        let (mut orders, mut attributions, mut active) = (Vec::new(), Vec::new(), Vec::new());
        let mut next = members.partition_point(|member| (member.customer as usize) < run.start);
        for customer in run.filter(|&customer| may_buy(self.view, customer)) {
            self.orders_by_customer.orders(customer, &mut orders);
            if !orders.iter().any(CohortOrder::is_purchase) {
                continue;
            }
            let group = self.groups.group(self.view, customer as u32);
            let memberships = members[next..].iter().take_while(|member| member.customer as usize == customer).count();
            let memberships = &members[next..next + memberships];
            next += memberships.len();
            attributions.clear();
            attributions.resize(orders.len(), Attribution::Outside);
            for member in memberships {
                let place = self.place(member, group);
                let inside = |order: &CohortOrder| order.in_window() && order.day >= member.anchor;
                let offset = |order: &CohortOrder| self.observation.offset(member.anchor, order.day);
                let returns = orders.iter().filter(|order| inside(order) && order.returns());
                active_periods(returns.map(offset), self.spec.min_occurrences, &mut active);
                count_member(&mut counts, place, self.spec.criterion, self.spec.horizon, self.spec.spans(), &active);
                for (order, attribution) in orders.iter().zip(&mut attributions).filter(|(order, _)| inside(order)) {
                    let row = self.spec.spans().row(offset(order));
                    if row < place.rows {
                        counts.add_orders(place.first + row, i64::from(order.returns()), order.units);
                        *attribution = Attribution::Cell;
                    } else if *attribution == Attribution::Outside {
                        *attribution = Attribution::Beyond;
                    }
                }
            }
            add_unattributed(&mut unattributed, group, memberships.is_empty(), &orders, &attributions);
        }
        (counts, unattributed)
    }

    /// Cells of a member's cohort and how many of its rows are observed.
    fn place(&self, member: &Member, group: usize) -> CohortPosition {
        let Some(cohort) = self.cohorts.find(group, member.key) else {
            return CohortPosition { first: 0, rows: 0, begun: 0, ended: 0 };
        };
        let (first, rows, spans) = (cohort.first, cohort.rows, self.spec.spans());
        if self.spec.has_member_windows() {
            let (begun, ended) = (self.observation.begun(member.anchor), self.observation.ended(member.anchor));
            CohortPosition { first, rows, begun: spans.begun(begun, rows), ended: spans.ended(ended, rows) }
        } else {
            CohortPosition { first, rows, begun: rows, ended: rows }
        }
    }
}

/// Attribution of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attribution {
    /// Before every anchor of its customer, or outside the observation window.
    Outside,
    /// On or after an anchor, but beyond the last cell.
    Beyond,
    /// In a cell.
    Cell,
}

/// Tallies the unattributed orders of a customer by reason.
fn add_unattributed(unattributed: &mut Unattributed, group: usize, outside: bool, orders: &[CohortOrder], attributions: &[Attribution]) {
    let mut whole = Tally::default();
    for (order, &attribution) in orders.iter().zip(attributions).filter(|(_, attribution)| **attribution != Attribution::Cell) {
        unattributed.orders[group] += i64::from(order.returns());
        unattributed.units[group] += order.units;
        if outside {
            whole.add(order.units, order.row);
        } else if !order.in_window() {
            unattributed.before_start.add(order.units, order.row);
        } else if attribution == Attribution::Outside {
            unattributed.before_first.add(order.units, order.row);
        } else {
            unattributed.beyond.add(order.units, order.row);
        }
    }
    if whole.count > 0 {
        unattributed.outside.add_rows(whole.rows, whole.units, whole.first_row);
    }
}
