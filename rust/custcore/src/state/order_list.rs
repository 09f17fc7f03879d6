//! Orders by position: 24 bytes each where they fit, which nearly all do.

use super::stats::{FIRST_DAY, LAST_DAY};
use super::totals::Order;

/// An order whose numbers have few bits; or the number of a wide order, see [`WIDE`].
#[derive(Debug, Clone, Copy)]
struct PackedOrder {
    units: i64,
    /// The lower 32 bits of the first row.
    row_low: u32,
    customer: u32,
    /// The upper 16 bits of the first row.
    row_high: u16,
    /// Counted from [`FIRST_DAY`].
    day: u16,
    /// Number of lines.
    lines: u16,
    marks: u8,
    /// [`IS_NULL`] or [`WIDE`] or 0.
    flags: u8,
}

/// The amounts of all lines are null.
const IS_NULL: u8 = 1;
/// The order is a wide one, whose number `units` is.
const WIDE: u8 = 2;
/// Stands for [`u64::MAX`], the row of orders whose rows are unknown. First rows below it fit.
const UNKNOWN_ROW: u64 = (1 << 48) - 1;

impl PackedOrder {
    /// The order, packed; `None` if it does not fit.
    #[inline]
    fn pack(order: &Order) -> Option<Self> {
        let row = if order.first_row == u64::MAX { UNKNOWN_ROW } else { order.first_row };
        let is_row = order.first_row < UNKNOWN_ROW || order.first_row == u64::MAX;
        if !is_row || !(FIRST_DAY..=LAST_DAY).contains(&order.day) {
            return None;
        }
        Some(Self {
            units: i64::try_from(order.units).ok()?,
            row_low: row as u32,
            customer: order.customer,
            row_high: (row >> 32) as u16,
            day: (order.day - FIRST_DAY) as u16,
            lines: u16::try_from(order.lines).ok()?,
            marks: order.marks,
            flags: if order.amount_is_null { IS_NULL } else { 0 },
        })
    }

    #[inline]
    fn row(self) -> u64 {
        u64::from(self.row_high) << 32 | u64::from(self.row_low)
    }

    #[inline]
    fn unpack(self) -> Order {
        let row = self.row();
        Order {
            customer: self.customer,
            day: FIRST_DAY + i32::from(self.day),
            units: i128::from(self.units),
            lines: u64::from(self.lines),
            first_row: if row == UNKNOWN_ROW { u64::MAX } else { row },
            amount_is_null: self.flags & IS_NULL != 0,
            marks: self.marks,
        }
    }

    /// Adds a part of the same order; false, without a change, if the sum does not fit.
    #[inline]
    fn join(&mut self, part: Self) -> bool {
        let (Some(units), Some(lines)) = (self.units.checked_add(part.units), self.lines.checked_add(part.lines)) else { return false };
        let row = self.row().min(part.row());
        *self = Self {
            units,
            row_low: row as u32,
            customer: self.customer,
            row_high: (row >> 32) as u16,
            day: self.day.min(part.day),
            lines,
            marks: self.marks | part.marks,
            flags: self.flags & part.flags,
        };
        true
    }
}

/// Orders by position.
#[derive(Debug, Clone, Default)]
pub(crate) struct OrderList {
    packed: Vec<PackedOrder>,
    /// Orders that do not fit, with their positions.
    wide: Vec<(u32, Order)>,
}

impl OrderList {
    /// Number of orders.
    pub(crate) fn len(&self) -> usize {
        self.packed.len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// Heap bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.packed.capacity() * size_of::<PackedOrder>() + self.wide.capacity() * size_of::<(u32, Order)>()
    }

    /// The order at a position.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Order {
        let packed = self.packed[at];
        if packed.flags & WIDE == 0 { packed.unpack() } else { self.wide[packed.units as usize].1 }
    }

    /// The customer of the order at a position.
    #[inline]
    pub(crate) fn customer(&self, at: usize) -> u32 {
        self.packed[at].customer
    }

    /// The customer of the order at a position, if there is one.
    #[inline]
    pub(crate) fn try_customer(&self, at: usize) -> Option<u32> {
        self.packed.get(at).map(|order| order.customer)
    }

    /// All orders.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Order> + '_ {
        (0..self.len()).map(|at| self.get(at))
    }

    /// The customers of all orders.
    pub(crate) fn customers(&self) -> impl ExactSizeIterator<Item = u32> + Clone + '_ {
        self.packed.iter().map(|order| order.customer)
    }

    /// Appends an order.
    #[inline]
    pub(crate) fn push(&mut self, order: &Order) {
        let packed = PackedOrder::pack(order).unwrap_or_else(|| self.widen(self.len(), *order));
        self.packed.push(packed);
    }

    /// Makes the order at a position a wide one.
    #[cold]
    fn widen(&mut self, at: usize, order: Order) -> PackedOrder {
        self.wide.push((at as u32, order));
        let number = self.wide.len() as i64 - 1;
        PackedOrder { units: number, row_low: 0, customer: order.customer, row_high: 0, day: 0, lines: 0, marks: 0, flags: WIDE }
    }

    /// Adds a part to the order at a position.
    #[inline]
    pub(crate) fn join(&mut self, at: usize, part: &Order) {
        let own = &mut self.packed[at];
        if own.flags & WIDE == 0 && PackedOrder::pack(part).is_some_and(|part| own.join(part)) {
            return;
        }
        self.join_wide(at, part);
    }

    #[cold]
    fn join_wide(&mut self, at: usize, part: &Order) {
        let own = self.packed[at];
        if own.flags & WIDE == 0 {
            let mut whole = own.unpack();
            whole.join(part);
            self.packed[at] = self.widen(at, whole);
        } else {
            self.wide[own.units as usize].1.join(part);
        }
    }

    /// Removes the order at a position; the last one takes its place.
    pub(crate) fn swap_remove(&mut self, at: usize) {
        let removed = self.packed.swap_remove(at);
        if removed.flags & WIDE != 0 {
            let number = removed.units as usize;
            self.wide.swap_remove(number);
            if let Some((moved, _)) = self.wide.get(number) {
                // The order that was the last one may be both: it is at its new position already.
                let moved = if *moved as usize == self.packed.len() { at } else { *moved as usize };
                self.packed[moved].units = number as i64;
            }
        }
        if let Some(moved) = self.packed.get(at)
            && moved.flags & WIDE != 0
        {
            self.wide[moved.units as usize].0 = at as u32;
        }
    }

    /// Removes the orders for which `keep` is false; it is called with each position and order.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(usize, &Order) -> bool) {
        let before = std::mem::take(self);
        let kept: Vec<bool> = before.iter().enumerate().map(|(at, order)| keep(at, &order)).collect();
        if before.wide.is_empty() {
            let Self { mut packed, .. } = before;
            let mut keeps = kept.iter();
            packed.retain(|_| keeps.next().is_some_and(|keep| *keep));
            self.packed = packed;
        } else {
            before.iter().zip(&kept).filter(|(_, keep)| **keep).for_each(|(order, _)| self.push(&order));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pseudorandom number.
    fn mixed(i: u64) -> u64 {
        (i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).wrapping_mul(0xBF58_476D_1CE4_E5B9)
    }

    /// Orders that fit, and ones at and beyond each limit.
    fn order(i: u64) -> Order {
        let (i, seed) = (i as usize, mixed(i));
        let limit = i128::from(i64::MAX);
        Order {
            customer: seed as u32 % 5,
            day: [0, 19_000, FIRST_DAY, LAST_DAY, FIRST_DAY - 1, LAST_DAY + 1][i % 11 % 6],
            units: [5, -7, limit, -limit, limit + 1, -limit - 2][i % 13 % 6],
            lines: [1, 2, u64::from(u16::MAX), u64::from(u16::MAX) + 1][i % 7 % 4],
            first_row: [9, u64::MAX, UNKNOWN_ROW - 1, UNKNOWN_ROW, UNKNOWN_ROW + 1, 1 << 40][i % 17 % 6],
            amount_is_null: seed >> 40 & 1 == 1,
            marks: (seed >> 50) as u8 % 4,
        }
    }

    fn check(list: &OrderList, expected: &[Order]) {
        assert_eq!(list.iter().collect::<Vec<_>>(), expected);
        assert!(list.customers().eq(expected.iter().map(|order| order.customer)));
        assert_eq!(list.try_customer(expected.len()), None);
        assert_eq!((list.len(), list.is_empty()), (expected.len(), expected.is_empty()));
        let wide = list.packed.iter().filter(|order| order.flags & WIDE != 0).count();
        assert_eq!(list.wide.len(), wide, "a wide order is stored once");
    }

    #[test]
    fn orders_are_what_whole_ones_are() {
        let (mut list, mut expected) = (OrderList::default(), Vec::new());
        for i in 0..2_000 {
            list.push(&order(i));
            expected.push(order(i));
        }
        check(&list, &expected);
        assert!((100..1_900).contains(&list.wide.len()));
        for i in 0..2_000 {
            let (at, part) = (mixed(i) as usize % 2_000, order(mixed(i + 9) % 5_000));
            list.join(at, &part);
            expected[at].join(&part);
        }
        check(&list, &expected);
        for i in 0..700 {
            let at = mixed(i + 77) as usize % expected.len();
            list.swap_remove(at);
            expected.swap_remove(at);
        }
        list.swap_remove(expected.len() - 1);
        expected.pop();
        check(&list, &expected);
        let keep = |order: &Order| order.customer != 2;
        list.retain(|at, order| keep(order) && expected[at] == *order);
        expected.retain(keep);
        check(&list, &expected);
    }

    #[test]
    fn orders_of_usual_size_take_24_bytes() {
        assert_eq!(size_of::<PackedOrder>(), 24);
        let usual = Order { customer: 7, day: 20_000, units: -1_000_000, lines: 9, first_row: 1 << 36, amount_is_null: false, marks: 3 };
        let mut list = OrderList::default();
        for _ in 0..10 {
            list.push(&usual);
        }
        for _ in 0..5_000 {
            list.join(3, &usual);
        }
        assert_eq!(list.wide.len(), 0);
        list.retain(|at, _| at % 2 == 1);
        assert_eq!((list.len(), list.get(1).lines, list.get(1).units), (5, 45_009, -5_001_000_000));
    }
}
