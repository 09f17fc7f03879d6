//! Report tallies by local day, for snapshots as of past days: orders that are not purchases, and rows with nulls.

use std::collections::BTreeMap;

use super::totals::{OrderClass, PurchaseTallies};
use crate::report::Tally;

/// The tallies of one local day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DayTallies {
    /// Rows without an amount.
    pub null_amount: Tally,
    /// Rows whose amount rounding changed by more than 1 %.
    pub rounded_amount: Tally,
    /// Rows without an order id.
    pub null_order: Tally,
    /// Orders of that day that are not purchases.
    pub purchases: PurchaseTallies,
}

/// Tallies by day; most days have none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DailyTallies {
    days: BTreeMap<i32, DayTallies>,
}

impl DailyTallies {
    /// The tallies of a day, for update.
    pub(crate) fn on(&mut self, day: i32) -> &mut DayTallies {
        self.days.entry(day).or_default()
    }

    /// Counts an order if it is not a purchase.
    pub(crate) fn add_order(&mut self, day: i32, class: OrderClass, (rows, units, first_row): (u64, i128, u64)) {
        if class != OrderClass::Purchase {
            self.on(day).purchases.add(class, rows, units, first_row);
        }
    }

    /// Merges another part, whose rows were counted from `rows_before`.
    pub(crate) fn merge(&mut self, other: &Self, rows_before: u64) {
        for (&day, tallies) in &other.days {
            let own = self.on(day);
            own.null_amount.merge(&tallies.null_amount, rows_before);
            own.rounded_amount.merge(&tallies.rounded_amount, rows_before);
            own.null_order.merge(&tallies.null_order, rows_before);
            own.purchases.merge(&tallies.purchases, rows_before);
        }
    }

    /// Approximate size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        // B-tree nodes are between half full and full.
        self.days.len() * size_of::<(i32, DayTallies)>() * 3 / 2
    }

    /// The tallies by day.
    pub(crate) fn days(&self) -> impl Iterator<Item = (i32, &DayTallies)> {
        self.days.iter().map(|(&day, tallies)| (day, tallies))
    }

    /// The sums of the tallies up to a day, and after it.
    pub(crate) fn split(&self, until: i32) -> (DayTallies, DayTallies) {
        let (mut up_to, mut after) = (Self::default(), Self::default());
        for (day, tallies) in self.days() {
            let side = if day <= until { &mut up_to } else { &mut after };
            side.merge(&Self { days: BTreeMap::from([(0, *tallies)]) }, 0);
        }
        (*up_to.on(0), *after.on(0))
    }
}
