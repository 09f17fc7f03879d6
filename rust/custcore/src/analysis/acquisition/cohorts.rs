//! Cohorts of a base: their customers, and their revenue by period since the first one.

use std::collections::BTreeMap;

use super::values::CustomerValues;
use crate::analysis::measures::grouping::Grouping;
use crate::analysis::measures::labels::Label;
use crate::analysis::purchase_days::{Buyer, fold_buyers};
use crate::base::view::BaseView;
use crate::error::Result;
use crate::exec::context::Context;
use crate::num::exact::{exact_sum, grow};
use crate::time::period::{Calendar, Period};

/// Cohorts by the index of their period, and by group.
pub(super) type Cohorts = BTreeMap<(i64, Label), Cohort>;

/// A cohort, or costs without one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Cohort {
    pub(super) customers: u64,
    /// Revenue in units by the number of periods since the first one.
    pub(super) units: Vec<i128>,
    /// Sum of the given values of customers, exact, as an expansion.
    values: Vec<f64>,
    /// Customers with a value.
    pub(super) valued: u64,
    pub(super) costs: Vec<f64>,
}

impl Cohort {
    /// Mean of the given values; `None` without any.
    pub(super) fn mean_value(&self) -> Option<f64> {
        exact_sum(&self.values).filter(|_| self.valued > 0).map(|sum| sum / self.valued as f64)
    }

    fn merge(&mut self, other: Self) {
        self.customers += other.customers;
        self.valued += other.valued;
        if self.units.len() < other.units.len() {
            self.units.resize(other.units.len(), 0);
        }
        self.units.iter_mut().zip(other.units).for_each(|(sum, more)| *sum += more);
        other.values.into_iter().for_each(|part| grow(&mut self.values, part));
        self.costs.extend(other.costs);
    }
}

/// How days are put into periods.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clocked {
    pub(super) calendar: Calendar,
    pub(super) period: Period,
}

/// Adds the buyers of a view.
pub(super) fn add_part(
    cohorts: &mut Cohorts,
    view: &BaseView<'_>,
    (grouping, clocked): (Grouping<'_>, Clocked),
    values: Option<&CustomerValues>,
    context: &Context,
) -> Result<()> {
    let groups = context.run_if_large(view.customers(), |threads| grouping.of(view, threads))??;
    let values = values.map(|values| values.of(view)).transpose()?;
    let add = |found: &mut Cohorts, buyer: &Buyer<'_>| {
        let Some(&first) = buyer.days.first() else { return };
        let index = |day: i32| clocked.calendar.index(day, clocked.period);
        let start = index(first);
        let label: &Label = &groups.labels[groups.group(buyer.code as usize)];
        let cohort = found.entry((start, label.clone())).or_default();
        cohort.customers += 1;
        // What was paid back before the first purchase belongs to no purchase of a cohort.
        for (&day, &units) in buyer.all_days.iter().zip(buyer.all_units).filter(|(day, _)| **day >= first) {
            let at = usize::try_from(index(day) - start).unwrap_or(0);
            if cohort.units.len() <= at {
                cohort.units.resize(at + 1, 0);
            }
            cohort.units[at] += units;
        }
        if let Some(value) = values.as_ref().and_then(|values| values.get(buyer.code)) {
            grow(&mut cohort.values, value);
            cohort.valued += 1;
        }
    };
    for (key, cohort) in fold_buyers(view, context, Cohorts::new, add)?.into_iter().flatten() {
        cohorts.entry(key).or_default().merge(cohort);
    }
    Ok(())
}
