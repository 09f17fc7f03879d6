//! Order lines, the orders they add up to, and the parts of an order by day.

use super::totals::Order;

/// One line of an order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrderLine {
    /// The customer's code.
    pub customer: u32,
    /// The local day.
    pub day: i32,
    /// Its money.
    pub units: i128,
    /// Its row.
    pub row: u64,
    /// Whether it has no amount.
    pub amount_is_null: bool,
    /// What it counts as, see [`crate::column::mark`].
    pub marks: u8,
}

/// Lines that lack nothing (at most a block), column by column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LineBlock<'a> {
    /// Codes of the order ids.
    pub orders: &'a [u32],
    /// Customer codes.
    pub customers: &'a [u32],
    /// Local days.
    pub days: &'a [i32],
    /// Units of money, which add up within 64 bits.
    pub units: &'a [i64],
    /// The number of the first.
    pub first_row: u64,
}

impl OrderLine {
    /// The order of this line alone.
    pub(crate) fn order(self) -> Order {
        Order {
            customer: self.customer,
            day: self.day,
            units: self.units,
            lines: 1,
            first_row: self.row,
            amount_is_null: self.amount_is_null,
            marks: self.marks,
        }
    }
}

impl Order {
    /// Adds what else is known of this order: its time is the earliest line's.
    pub(crate) fn join(&mut self, other: &Self) {
        self.day = self.day.min(other.day);
        self.units += other.units;
        self.lines += other.lines;
        self.first_row = self.first_row.min(other.first_row);
        self.amount_is_null &= other.amount_is_null;
        self.marks |= other.marks;
    }
}

/// The parts of an order by day, ascending; empty while all its lines are of one day.
pub(crate) type OrderParts = Vec<Order>;

/// Adds to the parts of an order, which was `order` before `more` came.
pub(super) fn add_part(parts: &mut OrderParts, order: &Order, more: &Order) {
    if parts.is_empty() {
        if order.day == more.day {
            return;
        }
        parts.push(*order);
    }
    match parts.binary_search_by_key(&more.day, |part| part.day) {
        Ok(at) => parts[at].join(more),
        Err(at) => parts.insert(at, *more),
    }
}

/// The order that some of the parts up to a day make; `None` if there are none.
pub(crate) fn order_until(order: &Order, parts: &[Order], until: Option<i32>) -> Option<Order> {
    let Some(until) = until else { return Some(*order) };
    if parts.is_empty() {
        return (order.day <= until).then_some(*order);
    }
    parts.iter().filter(|part| part.day <= until).copied().reduce(|mut whole, part| {
        whole.join(&part);
        whole
    })
}
