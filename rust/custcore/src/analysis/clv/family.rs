//! The models of purchases: their names and parameters.

use crate::error::{Error, ErrorKind, Result};

/// The name of the class of contracts.
pub(crate) const SBG_NAME: &str = "SBG";

/// A model of purchases: at which rates customers buy, and when they drop out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PurchaseFamily {
    /// Nobody drops out (Ehrenberg 1959).
    Nbd,
    /// After each repeat purchase a customer drops out with a probability of his own (Fader, Hardie & Lee 2005).
    Bgnbd,
    /// The same after each purchase, the first one included (Batislam, Denizel & Filiztekin 2007).
    Mbgnbd,
    /// Customers drop out at a rate of their own, at any time (Schmittlein, Morrison & Colombo 1987).
    ParetoNbd,
}

impl PurchaseFamily {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Nbd, Self::Bgnbd, Self::Mbgnbd, Self::ParetoNbd];

    /// The name of its class.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nbd => "NBD",
            Self::Bgnbd => "BGNBD",
            Self::Mbgnbd => "MBGNBD",
            Self::ParetoNbd => "ParetoNBD",
        }
    }

    /// The family of a name.
    pub fn of(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name).ok_or_else(|| {
            let message = format!("'{name}' is not a model of purchases; expected 'NBD', 'BGNBD', 'MBGNBD' or 'ParetoNBD'");
            Error::new(ErrorKind::InvalidArgument, message)
        })
    }

    /// The names of its parameters, in the order of the covariance.
    pub const fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Nbd => &["r", "alpha"],
            Self::Bgnbd | Self::Mbgnbd => &["r", "alpha", "a", "b"],
            Self::ParetoNbd => &["r", "alpha", "s", "beta"],
        }
    }

    /// Whether a parameter is a time: it is per unit of time, all others have no unit.
    pub fn is_time(self, parameter: usize) -> bool {
        matches!(self.parameters().get(parameter), Some(&("alpha" | "beta")))
    }
}
