//! Cohort memberships.

use super::observation::Observation;
use super::orders_by_customer::{CohortOrder, OrdersByCustomer};
use super::spec::{CohortBy, CohortSpec};
use super::values::Values;
use crate::base::view::BaseView;
use crate::exec::par::Threads;

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
                        if values.key(rank as usize).is_some() {
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
