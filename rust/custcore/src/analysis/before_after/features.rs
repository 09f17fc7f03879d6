//! What is known of a customer at the end of the day before treatment.

use super::customer::Customer;

/// What customers may be matched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MatchFeature {
    RecencyDays,
    TenureDays,
    Orders,
    MonetaryTotal,
    OrdersBefore,
    RevenueBefore,
    MonetaryScore,
}

/// All of them by name.
pub(super) const FEATURES: [(&str, MatchFeature); 7] = [
    ("recency_days", MatchFeature::RecencyDays),
    ("tenure_days", MatchFeature::TenureDays),
    ("n_orders", MatchFeature::Orders),
    ("monetary_total", MatchFeature::MonetaryTotal),
    ("orders_before", MatchFeature::OrdersBefore),
    ("revenue_before", MatchFeature::RevenueBefore),
    ("m_score", MatchFeature::MonetaryScore),
];

/// Those whose means are compared, in this order; the monetary score is one of their classes.
pub(super) const BALANCED: usize = 6;

impl MatchFeature {
    /// Whether it is money.
    pub(super) fn is_money(self) -> bool {
        matches!(self, Self::MonetaryTotal | Self::RevenueBefore | Self::MonetaryScore)
    }

    /// Its value as an integer, money in units; `score` is the monetary score.
    pub(super) fn of(self, customer: &Customer, score: u8) -> i128 {
        match self {
            Self::RecencyDays => customer.recency.into(),
            Self::TenureDays => customer.tenure.into(),
            Self::Orders => customer.orders.into(),
            Self::MonetaryTotal => customer.total,
            Self::OrdersBefore => customer.orders_before.into(),
            Self::RevenueBefore => customer.before,
            Self::MonetaryScore => score.into(),
        }
    }
}
