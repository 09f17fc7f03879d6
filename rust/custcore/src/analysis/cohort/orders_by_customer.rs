//! The order log sorted by customer.

use crate::column::mark::{BEFORE, PURCHASE, RETURNING, START};
use crate::ingest::window_log::FIRST_DAY;
use crate::ingest::window_log::{OrderLog, OrderRecord};
use crate::report::Tally;

/// All orders, grouped by customer.
#[derive(Debug, Default)]
pub(crate) struct OrdersByCustomer {
    /// Start of the orders of each customer code, with a final end.
    starts: Vec<usize>,
    entries: Vec<OrderRecord>,
    wide: Vec<i128>,
}

/// One order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CohortOrder {
    /// Local day.
    pub day: i32,
    /// Flags, see [`crate::column::mark`].
    pub marks: u8,
    /// Revenue in units.
    pub units: i128,
    /// First row.
    pub row: u64,
}

impl CohortOrder {
    /// Whether it may start a cohort membership.
    pub(crate) fn starts(&self) -> bool {
        self.marks & (PURCHASE | START) == PURCHASE | START
    }

    /// Whether it counts as a return.
    pub(crate) fn returns(&self) -> bool {
        self.marks & (PURCHASE | RETURNING) == PURCHASE | RETURNING
    }

    /// Whether it is a purchase.
    pub(crate) fn is_purchase(&self) -> bool {
        self.marks & PURCHASE != 0
    }

    /// Whether it is in the observation window.
    pub(crate) fn in_window(&self) -> bool {
        self.marks & BEFORE == 0
    }
}

impl OrdersByCustomer {
    /// Sorts an order log of `customers` customer codes.
    pub(crate) fn of(order_log: OrderLog, customers: usize) -> Self {
        let (pieces, wide) = order_log.into_parts();
        let mut starts = vec![0; customers + 1];
        for entry in pieces.iter().flatten() {
            starts[entry.customer as usize] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let Some(&filler) = pieces.iter().flatten().next() else { return Self { starts, entries: Vec::new(), wide } };
        let mut entries = vec![filler; sum];
        for piece in pieces {
            for entry in piece {
                let start = &mut starts[entry.customer as usize];
                *start -= 1;
                entries[*start] = entry;
            }
        }
        Self { starts, entries, wide }
    }

    /// Sorts a packed order log; the rows of its purchases are not known.
    pub(crate) fn of_purchase_log(order_log: &OrderLog, customers: usize) -> Self {
        let mut full = OrderLog::default();
        for piece in order_log.purchases().map_or(&[][..], |purchase_log| purchase_log.pieces()) {
            for (row, (&customer, &day)) in piece.customers.iter().zip(&piece.days).enumerate() {
                let day = FIRST_DAY + i32::from(day);
                full.add(customer, day, i128::from(piece.units.get(row)), START | RETURNING | PURCHASE, u64::MAX);
            }
        }
        for entry in order_log.pieces().iter().flatten() {
            full.add(entry.customer, entry.day, entry.units(order_log.wide()), entry.marks(), entry.row());
        }
        Self::of(full, customers)
    }

    /// Number of orders.
    pub(crate) fn n_orders(&self) -> usize {
        self.entries.len()
    }

    /// Number of customer codes.
    pub(crate) fn customers(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Customers without a purchase, and their refunds.
    pub(crate) fn without_purchase(&self) -> Tally {
        let mut sum = Tally::default();
        for range in self.starts.windows(2) {
            let entries = &self.entries[range[0]..range[1]];
            if !entries.is_empty() && entries.iter().all(|entry| entry.marks() & PURCHASE == 0) {
                let mut refunds = Tally::default();
                entries.iter().for_each(|entry| refunds.add(entry.units(&self.wide), entry.row()));
                sum.add_rows(refunds.rows, refunds.units, refunds.first_row);
            }
        }
        sum
    }

    /// Writes the orders of a customer, sorted by day, into `out`, which is cleared first.
    pub(crate) fn orders(&self, customer: usize, out: &mut Vec<CohortOrder>) {
        let entries = &self.entries[self.starts[customer]..self.starts[customer + 1]];
        out.clear();
        let order = |e: &OrderRecord| CohortOrder { day: e.day, marks: e.marks(), units: e.units(&self.wide), row: e.row() };
        out.extend(entries.iter().map(order));
        out.sort_unstable_by_key(|order| order.day);
    }
}
