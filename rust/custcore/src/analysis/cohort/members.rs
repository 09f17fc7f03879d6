//! Cohort memberships.

use super::observation::Observation;
use super::orders_by_customer::{CohortOrder, OrdersByCustomer};
use super::spec::{CohortBy, CohortSpec};
use crate::base::view::{AttributeView, BaseView};
use crate::exec::par::Threads;
use crate::group::interner::NO_CODE;

/// Membership of a customer in a cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member {
    /// Customer code.
    pub customer: u32,
    /// Index of the cohort period, or rank of the cohort value.
    pub key: i64,
    /// Local day from which period offsets are counted.
    pub anchor: i32,
}

/// Values of a column at the buyers' first purchases, ascending, null last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    /// Codes of the values, [`NO_CODE`] for null.
    pub codes: Vec<u32>,
    /// Rank by value code; the last entry is for null.
    ranks: Vec<u32>,
}

impl Values {
    /// The distinct values of the buyers.
    pub(crate) fn of(attribute: AttributeView<'_>, view: &BaseView<'_>) -> Self {
        let totals = view.totals();
        let null = attribute.number();
        let mut ranks = vec![NO_CODE; null + 1];
        for customer in (0..totals.len() as u32).filter(|&customer| totals.orders(customer) > 0) {
            ranks[Self::place(attribute, null, customer)] = 0;
        }
        let mut codes: Vec<u32> = (0..null as u32).filter(|&code| ranks[code as usize] == 0).collect();
        codes.sort_unstable_by(|&a, &b| attribute.values().compare(a, b));
        for (rank, &code) in (0..).zip(&codes) {
            ranks[code as usize] = rank;
        }
        if ranks[null] == 0 {
            ranks[null] = codes.len() as u32;
            codes.push(NO_CODE);
        }
        Self { codes, ranks }
    }

    fn place(attribute: AttributeView<'_>, null: usize, customer: u32) -> usize {
        attribute.get(customer).map_or(null, |value| if value == NO_CODE { null } else { value as usize })
    }

    /// Rank of a buyer's value.
    #[inline]
    pub(crate) fn rank(&self, attribute: AttributeView<'_>, customer: u32) -> u32 {
        self.ranks[Self::place(attribute, self.ranks.len() - 1, customer)]
    }
}

/// Groups by which a result is split.
#[derive(Debug, Clone, Default)]
pub(crate) struct Groups {
    /// Values of the `by` column.
    pub values: Option<Values>,
    attribute: usize,
}

impl Groups {
    /// The groups of the attribute at this position, or a single group.
    pub(crate) fn of(attribute: Option<usize>, view: &BaseView<'_>) -> Self {
        Self { values: attribute.map(|i| Values::of(view.attribute(i), view)), attribute: attribute.unwrap_or(0) }
    }

    /// Number of groups.
    pub(crate) fn number(&self) -> usize {
        self.values.as_ref().map_or(1, |values| values.codes.len())
    }

    /// The group of a buyer.
    #[inline]
    pub(crate) fn group(&self, view: &BaseView<'_>, customer: u32) -> usize {
        self.values.as_ref().map_or(0, |values| values.rank(view.attribute(self.attribute), customer) as usize)
    }

    /// The code of a group's value, `None` for null.
    pub(crate) fn value(&self, group: usize) -> Option<u32> {
        self.values.as_ref().map(|values| values.codes[group]).filter(|&code| code != NO_CODE)
    }
}

/// Memberships of all buyers, sorted by customer code and cohort.
pub(crate) fn memberships(
    spec: &CohortSpec,
    observation: &Observation,
    orders_by_customer: &OrdersByCustomer,
    view: &BaseView<'_>,
    column: Option<&Values>,
    threads: Threads<'_>,
) -> Vec<Member> {
    let values = spec.cohort_attribute().and_then(|i| Some((view.attribute(i), column?)));
    let found = threads.par_chunks(orders_by_customer.customers(), |run| {
        let (mut members, mut orders) = (Vec::new(), Vec::new());
        for customer in run.filter(|&customer| may_buy(view, customer)) {
            orders_by_customer.orders(customer, &mut orders);
            let customer = customer as u32;
            let Some(first) = orders.iter().find(|order| order.starts() && order.in_window()).map(|order| order.day) else { continue };
            let before = || orders.iter().any(|order| order.starts() && !order.in_window());
            let mut add = |key, anchor| members.push(Member { customer, key, anchor });
            match spec.cohort_by {
                CohortBy::First | CohortBy::Column if before() => {}
                CohortBy::Column => {
                    if let Some((attribute, values)) = values {
                        let rank = values.rank(attribute, customer);
                        if values.codes[rank as usize] != NO_CODE {
                            add(i64::from(rank), first);
                        }
                    }
                }
                CohortBy::First | CohortBy::FirstInWindow => add(observation.calendar.index(first, spec.cohort_period), first),
                CohortBy::Recurring => recurring(spec, observation, &orders, add),
            }
        }
        members
    });
    found.concat()
}

fn recurring(spec: &CohortSpec, observation: &Observation, orders: &[CohortOrder], mut add: impl FnMut(i64, i32)) {
    let mut last = None;
    for order in orders.iter().filter(|order| order.starts() && order.in_window()) {
        let key = observation.calendar.index(order.day, spec.cohort_period);
        if last != Some(key) {
            add(key, order.day);
            last = Some(key);
        }
    }
}

/// Whether a customer may be a buyer according to the totals; without totals the orders decide.
pub(super) fn may_buy(view: &BaseView<'_>, customer: usize) -> bool {
    !view.has_totals() || view.totals().orders(customer as u32) > 0
}
