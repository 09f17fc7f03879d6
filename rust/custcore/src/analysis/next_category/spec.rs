//! Settings of recommendations of the next category.

use crate::error::{Error, ErrorKind, Result};

/// How a category is scored for a customer, from the categories a that the customer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NextMethod {
    /// Sum over a of customers with both / the root of customers with a x customers with the category.
    #[default]
    Cosine,
    /// Mean over a of customers with both / customers with a.
    Confidence,
    /// Customers with the category.
    Popularity,
}

impl NextMethod {
    /// All methods.
    pub const ALL: [Self; 3] = [Self::Cosine, Self::Confidence, Self::Popularity];

    /// Name in arguments and results.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Confidence => "confidence",
            Self::Popularity => "popularity",
        }
    }
}

/// Settings of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextSpec {
    /// The method.
    pub method: NextMethod,
    /// Categories with fewer customers are neither recommended nor read.
    pub min_customers: u64,
}

impl Default for NextSpec {
    fn default() -> Self {
        Self { method: NextMethod::default(), min_customers: 20 }
    }
}

impl NextSpec {
    /// The settings, or an error that names the invalid one.
    pub fn checked(self) -> Result<Self> {
        if self.min_customers < 1 {
            let message = format!("min_customers={} is invalid; expected 1 or more", self.min_customers);
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        Ok(self)
    }
}
