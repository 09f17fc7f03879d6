//! What the report tells by local day, where a base can look back: orders that are no purchases, and rows that lack something.

use std::collections::BTreeMap;

use super::totals::{OrderClass, PurchaseTallies};
use crate::report::Tally;

/// What is noted of one local day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DayTallies {
    /// Rows without an amount.
    pub null_amount: Tally,
    /// Rows without an order id.
    pub null_order: Tally,
    /// Orders of that day that are no purchases.
    pub purchases: PurchaseTallies,
}

/// Notes by day; most days have none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DailyTallies {
    days: BTreeMap<i32, DayTallies>,
}

impl DailyTallies {
    /// The notes of a day, to be added to.
    pub(crate) fn on(&mut self, day: i32) -> &mut DayTallies {
        self.days.entry(day).or_default()
    }

    /// Notes an order that is no purchase.
    pub(crate) fn add_order(&mut self, day: i32, class: OrderClass, (rows, units, first_row): (u64, i128, u64)) {
        if class != OrderClass::Purchase {
            self.on(day).purchases.add(class, rows, units, first_row);
        }
    }

    /// Adds the notes of another part, whose rows were counted from `rows_before`.
    pub(crate) fn merge(&mut self, other: &Self, rows_before: u64) {
        for (&day, tallies) in &other.days {
            let own = self.on(day);
            own.null_amount.merge(&tallies.null_amount, rows_before);
            own.null_order.merge(&tallies.null_order, rows_before);
            own.purchases.merge(&tallies.purchases, rows_before);
        }
    }

    /// Bytes it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        // The nodes of a tree are between half full and full.
        self.days.len() * size_of::<(i32, DayTallies)>() * 3 / 2
    }

    /// The notes by day.
    pub(crate) fn days(&self) -> impl Iterator<Item = (i32, &DayTallies)> {
        self.days.iter().map(|(&day, tallies)| (day, tallies))
    }

    /// The sum of the notes up to a day, and of those after it.
    pub(crate) fn split(&self, until: i32) -> (DayTallies, DayTallies) {
        let (mut up_to, mut after) = (Self::default(), Self::default());
        for (day, tallies) in self.days() {
            let side = if day <= until { &mut up_to } else { &mut after };
            side.merge(&Self { days: BTreeMap::from([(0, *tallies)]) }, 0);
        }
        (*up_to.on(0), *after.on(0))
    }
}
