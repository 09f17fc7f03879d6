//! Orders counted into the cells of their cohorts, customer by customer; what lies in none is told by its reason.

use super::book::{Book, Order};
use super::kernel::{Counts, Place, active_periods, count_member, sum_up};
use super::members::{Cohorts, Groups, Member};
use super::scene::Scene;
use super::spec::CohortSpec;
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};
use crate::report::Tally;
use crate::state::customer_state::State;

/// Orders and money of buyers that lie in no cell.
#[derive(Debug, Clone, Default)]
pub struct Unattributed {
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
    pub fn new(groups: usize) -> Self {
        Self { orders: vec![0; groups], units: vec![0; groups], ..Self::default() }
    }

    /// Adds what was found elsewhere.
    pub fn merge(&mut self, other: &Self) {
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
pub struct Counter<'a> {
    /// The settings.
    pub spec: &'a CohortSpec,
    /// What is observed.
    pub scene: &'a Scene,
    /// The orders.
    pub book: &'a Book,
    /// The customers.
    pub state: &'a State,
    /// The groups.
    pub groups: &'a Groups,
    /// The cohorts.
    pub cohorts: &'a Cohorts,
    /// Threads to count with.
    pub threads: Threads<'a>,
}

/// More cells than this are not counted side by side: every run has cells of its own.
const CELLS_A_RUN: usize = 1 << 18;

impl Counter<'_> {
    /// All orders, counted; `members` come in the order of customers' codes.
    pub fn count(&self, members: &[Member]) -> (Counts, Unattributed) {
        let customers = self.book.customers();
        let all = |run: std::ops::Range<usize>| self.count_run(run, members);
        let runs = if self.cohorts.cells <= CELLS_A_RUN && customers >= ROWS_WORTH_THREADS {
            self.threads.par_chunks(customers, all)
        } else {
            vec![all(0..customers)]
        };
        let mut runs = runs.into_iter();
        let (mut counts, mut unattributed) =
            runs.next().unwrap_or_else(|| (Counts::new(self.cohorts.cells), Unattributed::new(self.groups.number())));
        for (more, lost) in runs {
            counts.merge(&more);
            unattributed.merge(&lost);
        }
        for cohort in &self.cohorts.all {
            let rows = cohort.first..cohort.first + cohort.rows;
            sum_up(&mut counts.eligible[rows.clone()]);
            sum_up(&mut counts.customers[rows.clone()]);
            sum_up(&mut counts.open[rows]);
        }
        (counts, unattributed)
    }

    fn count_run(&self, run: std::ops::Range<usize>, members: &[Member]) -> (Counts, Unattributed) {
        let mut counts = Counts::new(self.cohorts.cells);
        let mut lost = Unattributed::new(self.groups.number());
        let slots = self.state.totals.slots();
        let (mut orders, mut reached, mut active) = (Vec::new(), Vec::new(), Vec::new());
        let mut next = members.partition_point(|member| (member.customer as usize) < run.start);
        for customer in run.filter(|&customer| slots.orders(customer as u32) > 0) {
            self.book.orders(customer, &mut orders);
            let group = self.groups.group(self.state, customer as u32);
            let theirs = members[next..].iter().take_while(|member| member.customer as usize == customer).count();
            let theirs = &members[next..next + theirs];
            next += theirs.len();
            reached.clear();
            reached.resize(orders.len(), Reached::Nothing);
            for member in theirs {
                let place = self.place(member, group);
                let inside = |order: &Order| order.in_window() && order.day >= member.anchor;
                let offset = |order: &Order| self.scene.offset(member.anchor, order.day);
                let returns = orders.iter().filter(|order| inside(order) && order.returns());
                active_periods(returns.map(offset), self.spec.min_occurrences, &mut active);
                count_member(&mut counts, place, self.spec.criterion, self.spec.horizon, self.spec.spans(), &active);
                for (order, reached) in orders.iter().zip(&mut reached).filter(|(order, _)| inside(order)) {
                    let row = self.spec.spans().row(offset(order));
                    if row < place.rows {
                        counts.orders[place.first + row] += i64::from(order.returns());
                        counts.units[place.first + row] += order.units;
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
    fn place(&self, member: &Member, group: usize) -> Place {
        let Some(cohort) = self.cohorts.all.get(self.cohorts.position(group, member.key)) else {
            return Place { first: 0, rows: 0, begun: 0, ended: 0 };
        };
        let (first, rows, spans) = (cohort.first, cohort.rows, self.spec.spans());
        if self.spec.own_windows() {
            let (begun, ended) = (self.scene.begun(member.anchor), self.scene.ended(member.anchor));
            Place { first, rows, begun: spans.begun(begun, rows), ended: spans.ended(ended, rows) }
        } else {
            Place { first, rows, begun: rows, ended: rows }
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

fn lose(lost: &mut Unattributed, group: usize, outside: bool, orders: &[Order], reached: &[Reached]) {
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
