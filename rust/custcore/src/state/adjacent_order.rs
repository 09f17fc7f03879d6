//! Orders whose lines are adjacent in the input: only the last order is open.

use super::order_lines::{OrderParts, add_part};
use super::totals::Order;

/// The open order, if the lines of an order are adjacent.
#[derive(Debug, Default, Clone)]
pub(crate) struct AdjacentOrder {
    /// Code of the order id, the order, and its parts by day.
    current: Option<(u32, Order, OrderParts)>,
}

impl AdjacentOrder {
    /// Adds a part of order `code`. Returns the previous order if this part begins another one.
    pub(crate) fn add(&mut self, code: u32, part: &Order) -> Option<(Order, OrderParts)> {
        match &mut self.current {
            Some((open, order, parts)) if *open == code && order.customer == part.customer => {
                add_part(parts, order, part);
                order.join(part);
                None
            }
            _ => self.current.replace((code, *part, OrderParts::new())).map(|(_, order, parts)| (order, parts)),
        }
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.current.as_ref().map_or(0, |(_, _, parts)| parts.capacity() * size_of::<Order>())
    }

    /// The code of the order id.
    pub(crate) fn code_mut(&mut self) -> Option<&mut u32> {
        self.current.as_mut().map(|(code, _, _)| code)
    }

    /// The code of the order id, the order, and its parts by day.
    pub(crate) fn current(&self) -> Option<(u32, &Order, &[Order])> {
        self.current.as_ref().map(|(code, order, parts)| (*code, order, parts.as_slice()))
    }

    /// Ends the open order.
    pub(crate) fn end(&mut self) -> Option<(Order, OrderParts)> {
        self.current.take().map(|(_, order, parts)| (order, parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::order_lines::OrderLine;

    fn line(customer: u32, day: i32, units: i128, row: u64) -> OrderLine {
        OrderLine { customer, day, units, row, amount_is_null: false, marks: 0 }
    }

    #[test]
    fn adjacent_lines_are_one_order() {
        let mut open = AdjacentOrder::default();
        assert!(open.add(7, &line(0, 3, 5, 0).order()).is_none());
        assert!(open.add(7, &line(0, 2, -5, 1).order()).is_none());
        let first = open.add(8, &line(0, 4, 1, 2).order());
        assert_eq!(first.map(|(o, parts)| (o.day, o.units, o.lines, parts.len())), Some((2, 0, 2, 2)));
        assert_eq!(open.end().map(|(o, _)| o.units), Some(1));
    }
}
