//! What a purchase is.
//!
//! This is the only place that defines it: an order with a negative amount lowers the sum and is not a purchase (`Net`), or is left out
//! (`Exclude`), or is a purchase (`Count`); an order of 0 is a purchase unless that is disabled.

use super::spec::Returns;
use crate::report::Tally;

/// The class of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderClass {
    /// A purchase.
    Purchase,
    /// Lowers the sums; not a purchase.
    Refund,
    /// An order of 0; not a purchase.
    Nothing,
    /// Left out.
    LeftOut,
}

/// The rules that define a purchase.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PurchaseRules {
    /// Refunds.
    pub returns: Returns,
    /// Whether an order of amount 0 is a purchase.
    pub zero_is_purchase: bool,
}

/// Tallies of orders that are not purchases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PurchaseTallies {
    /// Refunds that were left out.
    pub excluded_refunds: Tally,
    /// Refunds that lowered the sums.
    pub netted_refunds: Tally,
    /// Orders of 0 that are not purchases.
    pub zero_orders: Tally,
}

impl PurchaseRules {
    /// The class of an order with this amount.
    #[inline]
    pub(crate) fn classify(self, units: i128, amount_is_null: bool) -> OrderClass {
        match self.returns {
            Returns::Exclude if units < 0 => OrderClass::LeftOut,
            Returns::Net if units < 0 => OrderClass::Refund,
            _ if units == 0 && !self.zero_is_purchase && !amount_is_null => OrderClass::Nothing,
            _ => OrderClass::Purchase,
        }
    }
}

impl PurchaseTallies {
    /// All of them.
    pub(crate) fn all(&self) -> [Tally; 3] {
        [self.excluded_refunds, self.netted_refunds, self.zero_orders]
    }

    /// Counts an order that is not a purchase.
    pub(crate) fn add(&mut self, class: OrderClass, rows: u64, units: i128, first_row: u64) {
        let tally = match class {
            OrderClass::LeftOut => &mut self.excluded_refunds,
            OrderClass::Refund => &mut self.netted_refunds,
            OrderClass::Nothing => &mut self.zero_orders,
            OrderClass::Purchase => return,
        };
        tally.add_rows(rows, units, first_row);
    }

    /// Merges another part, whose rows were counted from `rows_before`.
    pub(crate) fn merge(&mut self, other: &Self, rows_before: u64) {
        self.excluded_refunds.merge(&other.excluded_refunds, rows_before);
        self.netted_refunds.merge(&other.netted_refunds, rows_before);
        self.zero_orders.merge(&other.zero_orders, rows_before);
    }
}

/// One order of one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    /// The customer's code.
    pub customer: u32,
    /// The local day of its earliest line.
    pub day: i32,
    /// Amount in units.
    pub units: i128,
    /// Number of lines.
    pub lines: u64,
    /// Row number of the first line.
    pub first_row: u64,
    /// Whether the amounts of all lines are null.
    pub amount_is_null: bool,
    /// Union of the marks of its lines, see [`crate::column::mark`].
    pub marks: u8,
}
