//! Totals of ranges of days: what customers did before and after a day, from one scan, without day records.

use std::ops::Range;

use super::block_kernels::{UnitValue, ends};
use super::spec::AsOf;
use super::totals::{Order, PurchaseRules, PurchaseTallies, Totals};
use crate::column::BLOCK;
use crate::column::time::Clock;
use crate::error::Result;
use crate::group::interner::NO_CODE;

/// Ranges of days whose totals are kept, in days from a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayRanges {
    /// The day from which the ranges are counted.
    pub from: AsOf,
    /// The ranges, which may overlap.
    pub ranges: Vec<Range<i32>>,
}

impl DayRanges {
    /// The ranges as local days.
    pub(crate) fn days(&self, clock: &Clock) -> Result<Vec<Range<i32>>> {
        let from = self.from.day(clock)?;
        Ok(self.ranges.iter().map(|range| from.saturating_add(range.start)..from.saturating_add(range.end)).collect())
    }
}

/// The totals of the orders of a range of days. Its codes are those of the totals of all days.
#[derive(Debug, Clone)]
pub(crate) struct RangeTotals {
    pub(super) days: Range<i32>,
    pub(super) totals: Totals,
}

impl RangeTotals {
    /// Empty totals of orders of one row each.
    pub(super) fn new(days: Range<i32>) -> Self {
        Self { days, totals: Totals::new(false) }
    }

    /// Adds a block of purchases; see [`Totals::add_rows`].
    pub(super) fn add_block<U: UnitValue>(&mut self, codes: &[u32], days: &[i32], units: &[U], holes: bool) {
        let (first, last) = ends(days);
        let Range { start, end } = self.days;
        if codes.is_empty() || first >= end || last < start {
            return;
        }
        let stats = &mut self.totals.stats;
        if first >= start && last < end {
            stats.add_block(codes, days, units, holes);
            return;
        }
        let mut inside = [NO_CODE; BLOCK];
        for ((inside, &code), day) in inside.iter_mut().zip(codes).zip(days) {
            *inside = if (start..end).contains(day) { code } else { NO_CODE };
        }
        stats.add_block(&inside[..codes.len()], days, units, true);
    }

    /// Adds an order if it is within the range.
    pub(super) fn add_order(&mut self, rules: PurchaseRules, order: &Order) {
        if self.days.contains(&order.day) {
            self.totals.add_order(rules, order, &mut PurchaseTallies::default());
        }
    }
}
