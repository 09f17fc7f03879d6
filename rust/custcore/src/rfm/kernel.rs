//! Recency, frequency and money of each buyer, from totals.

use crate::base::totals::Slot;

/// The facts of the buyers as columns, in the order of `codes`.
#[derive(Debug, Default)]
pub struct RfmColumns {
    /// Day of the first purchase.
    pub first: Vec<i32>,
    /// Day of the last purchase.
    pub last: Vec<i32>,
    /// Days from the last purchase to the day the result speaks of.
    pub recency: Vec<i32>,
    /// Days from the first purchase to that day.
    pub tenure: Vec<i32>,
    /// Purchases.
    pub orders: Vec<i64>,
}

/// Codes of the customers with at least one purchase.
pub fn buyers(slots: &[Slot]) -> Vec<u32> {
    (0_u32..).zip(slots).filter(|(_, slot)| slot.orders > 0).map(|(code, _)| code).collect()
}

/// The columns at day `as_of`, not before any customer's last purchase.
pub fn compute(slots: &[Slot], codes: &[u32], as_of: i32) -> RfmColumns {
    let mut out = RfmColumns::default();
    let n = codes.len();
    for column in [&mut out.first, &mut out.last, &mut out.recency, &mut out.tenure] {
        column.reserve_exact(n);
    }
    out.orders.reserve_exact(n);
    for &code in codes {
        let slot = &slots[code as usize];
        out.first.push(slot.first);
        out.last.push(slot.last);
        out.recency.push(as_of - slot.last);
        out.tenure.push(as_of - slot.first);
        out.orders.push(slot.orders as i64);
    }
    out
}
