//! Day records. The purchases of a day and its other orders are records of their own, so that refunds can be told from purchases.

use super::purchase_rows::{PurchaseRow, day_of, units_of};
use super::stats::{CustomerStats, FIRST_DAY};

/// The purchases of one customer and day, or the other orders of that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DayRecord {
    /// The customer's code.
    pub customer: u32,
    /// The local day.
    pub day: i32,
    /// Purchases.
    pub orders: u32,
    /// Rows of the purchases. In a record of other orders: those of `others` that are not the first row of a refund, which are none
    /// where every row is an order, so that the column is not stored.
    pub rows: u32,
    /// Rows of orders that are not purchases: refunds, and orders of 0 if those are not purchases.
    pub others: u32,
    /// Amount in units: of the purchases, or of the refunds.
    pub units: i128,
}

impl DayRecord {
    /// The record of a purchase of one row.
    pub(super) fn of_purchase(customer: u32, row: PurchaseRow) -> Self {
        let day = FIRST_DAY + i32::from(day_of(row));
        Self { customer, day, orders: 1, rows: 1, others: 0, units: i128::from(units_of(row)) }
    }

    /// Records of equal keys are added up.
    pub(super) fn key(&self) -> (u32, i32, bool) {
        (self.customer, self.day, self.is_of_others())
    }

    /// Whether it holds orders that are not purchases.
    #[inline]
    pub(crate) fn is_of_others(&self) -> bool {
        self.others > 0 && self.orders == 0
    }

    /// Rows of its purchases.
    #[inline]
    pub(crate) fn purchase_rows(&self) -> u32 {
        if self.is_of_others() { 0 } else { self.rows }
    }

    /// Number of its refunds.
    #[inline]
    pub(crate) fn refund_orders(&self) -> u32 {
        if self.is_of_others() { self.others.saturating_sub(self.rows) } else { 0 }
    }

    /// Adds a record of the same customer and day. Returns false, without a change, if a count would overflow.
    pub(super) fn join(&mut self, other: &Self) -> bool {
        let sums = (self.orders.checked_add(other.orders), self.rows.checked_add(other.rows), self.others.checked_add(other.others));
        let (Some(orders), Some(rows), Some(others)) = sums else { return false };
        (self.orders, self.rows, self.others) = (orders, rows, others);
        self.units += other.units;
        true
    }
}

/// The sum of some records of one customer, in the order of their days.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DaysOfCustomer {
    /// The customer's code.
    pub customer: u32,
    /// Purchases and amount.
    pub stats: CustomerStats,
    /// Rows of the purchases.
    pub rows: u64,
    /// Rows of other orders on the days before the first purchase.
    pub refund_rows: u64,
}

impl DaysOfCustomer {
    /// Adds a record of the same customer.
    #[inline]
    pub(crate) fn add(&mut self, record: &DayRecord) {
        self.stats.units += record.units;
        self.rows += u64::from(record.purchase_rows());
        if record.orders > 0 {
            self.stats.orders += u64::from(record.orders);
            self.stats.first = self.stats.first.min(record.day);
            self.stats.last = self.stats.last.max(record.day);
        }
        if self.stats.orders == 0 {
            self.refund_rows += u64::from(record.others);
        }
    }
}
