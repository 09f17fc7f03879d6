//! Settings of preferences.

use crate::error::{Error, ErrorKind, Result};
use crate::state::cells::CellRole;

/// What the shares of a customer are shares of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PreferenceMeasure {
    /// Of money.
    #[default]
    Spend,
    /// Of orders: the share of orders with the category.
    Orders,
}

/// What is preferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preferred {
    /// Categories.
    #[default]
    Categories,
    /// Channels of orders.
    Channels,
}

impl Preferred {
    pub(super) fn role(self) -> CellRole {
        match self {
            Self::Categories => CellRole::Category,
            Self::Channels => CellRole::Channel,
        }
    }

    /// The name of the column of values.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Categories => "category",
            Self::Channels => "channel",
        }
    }
}

/// Settings of preferences.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PreferenceSpec {
    /// What is preferred.
    pub preferred: Preferred,
    /// What shares are of.
    pub measure: PreferenceMeasure,
    /// Orders of an average customer that are added to those of each.
    pub prior_orders: f64,
}

/// An error unless a number of orders or rows is 0 or more.
pub(super) fn check_prior(name: &str, prior: f64) -> Result<()> {
    if prior.is_finite() && prior >= 0.0 {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidArgument, format!("{name}={prior} is invalid; expected 0 or more")))
}
