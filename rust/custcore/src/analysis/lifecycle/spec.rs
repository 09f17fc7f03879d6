//! Settings of a life-cycle model.

use serde::{Deserialize, Serialize};

pub use super::windows::Among;
use crate::error::{Error, ErrorKind, Result};

/// What a gap is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rhythm {
    /// Windows in days, the same for all customers.
    #[default]
    Population,
    /// Windows in typical gaps of each customer.
    Own,
}

/// Settings of a life-cycle model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifecycleSpec {
    /// The longest gap of an active customer in days; fitted if `None`.
    pub active_days: Option<i64>,
    /// The longest gap of a customer who is not lost, in days; fitted if `None`.
    pub loss_days: Option<i64>,
    /// Shares of gaps that have ended by the two windows.
    pub quantiles: [f64; 2],
    /// Which gaps the windows speak of.
    pub among: Among,
    /// The horizon has this many gaps at risk, or more.
    pub min_at_risk: i64,
    /// Orders from which on an active customer is loyal.
    pub loyal_orders: i64,
    /// What a gap is measured against.
    pub rhythm: Rhythm,
    /// How many gaps of a customer the typical gap of all counts as.
    pub prior_gaps: i64,
}

impl Default for LifecycleSpec {
    fn default() -> Self {
        Self {
            active_days: None,
            loss_days: None,
            quantiles: [0.8, 0.95],
            among: Among::Returning,
            min_at_risk: 30,
            loyal_orders: 5,
            rhythm: Rhythm::Population,
            prior_gaps: 3,
        }
    }
}

impl LifecycleSpec {
    /// The settings, checked.
    pub fn checked(self) -> Result<Self> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        for (name, days) in [("active_days", self.active_days), ("loss_days", self.loss_days)] {
            if days.is_some() && self.rhythm == Rhythm::Own {
                return invalid(format!(
                    "{name} is a window in days, but with rhythm='own' windows are multiples of each customer's typical gap and are fitted; \
                     leave it out, or use rhythm='population'"
                ));
            }
            if let Some(days) = days.filter(|&days| i32::try_from(days).is_err() || days < 1) {
                return invalid(format!("{name}={days} is not a number of days; expected 1 to 2147483647"));
            }
        }
        if let (Some(active), Some(loss)) = (self.active_days, self.loss_days)
            && active >= loss
        {
            return invalid(format!("active_days={active} must be less than loss_days={loss}"));
        }
        let [first, second] = self.quantiles;
        if !(first > 0.0 && first < second && second < 1.0) {
            return invalid(format!("quantiles=({first}, {second}) must be two ascending numbers between 0 and 1, both exclusive"));
        }
        for (name, value, least) in
            [("min_at_risk", self.min_at_risk, 1), ("loyal_orders", self.loyal_orders, 2), ("prior_gaps", self.prior_gaps, 0)]
        {
            if value < least {
                return invalid(format!("{name}={value} is too small; expected {least} or more"));
            }
        }
        Ok(self)
    }

    /// Both windows, where they are given.
    pub(crate) fn given(&self) -> Option<(i32, i32)> {
        Some((i32::try_from(self.active_days?).ok()?, i32::try_from(self.loss_days?).ok()?))
    }
}
