//! A customer in a comparison: what was known the day before treatment, and what happened in the windows.

/// In what part of the comparison a customer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Control,
    Treated,
    /// In neither group, but a buyer as of the day before.
    Other,
}

/// A customer; all zeros: unknown to the base.
#[derive(Debug, Clone, Copy)]
pub(super) struct Customer {
    pub part: Part,
    /// Days from the last and from the first purchase to the day before treatment; -1 before the first purchase.
    pub recency: i32,
    pub tenure: i32,
    pub orders: u32,
    pub orders_before: u32,
    pub orders_after: u32,
    pub orders_baseline: u32,
    /// Money up to the day before, in the window before, in the window after, and in that of the baseline.
    pub total: i128,
    pub before: i128,
    pub after: i128,
    pub baseline: i128,
}

impl Customer {
    pub(super) fn new(part: Part) -> Self {
        Self {
            part,
            recency: -1,
            tenure: -1,
            orders: 0,
            orders_before: 0,
            orders_after: 0,
            orders_baseline: 0,
            total: 0,
            before: 0,
            after: 0,
            baseline: 0,
        }
    }

    /// Whether there was a purchase before treatment.
    pub(super) fn is_known(&self) -> bool {
        self.orders > 0
    }
}
