//! Order lines, the orders they add up to, and the parts of an order by day.

use super::totals::Order;

/// One line of an order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrderLine {
    /// The customer's code.
    pub customer: u32,
    /// The local day.
    pub day: i32,
    /// Amount in units.
    pub units: i128,
    /// Row number.
    pub row: u64,
    /// Whether the amount is null.
    pub amount_is_null: bool,
    /// Marks, see [`crate::column::mark`].
    pub marks: u8,
}

/// Complete lines (no nulls), at most a block, in columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LineBlock<'a> {
    /// Codes of the order ids.
    pub orders: &'a [u32],
    /// Customer codes.
    pub customers: &'a [u32],
    /// Local days.
    pub days: &'a [i32],
    /// Amounts in units; their sum fits 64 bits.
    pub units: &'a [i64],
    /// Row number of the first line.
    pub first_row: u64,
}

impl OrderLine {
    /// This line as an order.
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
    /// Adds other lines of the same order. The day of an order is that of its earliest line.
    pub(crate) fn join(&mut self, other: &Self) {
        self.day = self.day.min(other.day);
        self.units += other.units;
        self.lines += other.lines;
        self.first_row = self.first_row.min(other.first_row);
        self.amount_is_null &= other.amount_is_null;
        self.marks |= other.marks;
    }
}

/// The parts of an order by day, ascending; empty if all lines are of one day.
pub(crate) type OrderParts = Vec<Order>;

/// Adds `more` to the parts of an order; `order` is the order without it.
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

/// The order as of a day: the sum of its parts up to that day. `None` if there are none.
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
