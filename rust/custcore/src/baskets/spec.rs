//! Settings of baskets.

use crate::column::chunks::Pick;
use crate::error::{Error, ErrorKind, Result};
use crate::state::spec::{BaseSpec, Returns, Track};

/// What the rows of a basket have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BasketBy {
    /// The customer and the order id.
    Order,
    /// The customer and the local day.
    Day,
    /// The customer.
    Customer,
}

impl BasketBy {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Day => "day",
            Self::Customer => "customer",
        }
    }
}

/// Settings of baskets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasketSpec {
    /// How rows are read. The only attribute is the column of items.
    pub read: BaseSpec,
    /// What makes a basket.
    pub by: BasketBy,
    /// Baskets of more items are left out.
    pub max_basket: Option<u64>,
    /// Whether orders without a customer id are baskets.
    pub anonymous: bool,
}

impl BasketSpec {
    /// Settings for the items of a column; other attributes are dropped.
    pub fn new(item: String, mut read: BaseSpec, by: BasketBy) -> Self {
        read.roles.attributes = vec![(item, Pick::First)];
        // Nothing of a base is kept, but its settings are stored as those of one.
        read.track = Track::Totals;
        Self { read, by, max_basket: None, anonymous: false }
    }

    /// Validates the settings.
    pub fn checked(mut self) -> Result<Self> {
        let invalid = |message: &str| Err(Error::new(ErrorKind::InvalidArgument, message));
        self.read.check_keys()?;
        self.read.check_decimals()?;
        if self.by == BasketBy::Order && self.read.roles.order_id.is_none() {
            return invalid("basket='order' needs order_id, the column of order ids; without it use basket='day' or 'customer'");
        }
        if self.by != BasketBy::Order {
            self.read.roles.order_id = None;
            if self.anonymous {
                return invalid("anonymous=True needs basket='order': without an id only an order tells what was bought together");
            }
        }
        if self.max_basket == Some(0) {
            return invalid("max_basket=0; expected 1 or more items, or None");
        }
        Ok(self)
    }

    /// The column of items.
    pub fn item(&self) -> &str {
        self.read.roles.attributes.first().map_or("", |(name, _)| name)
    }

    /// Whether sums of money decide what is in a basket.
    pub(crate) fn keeps_units(&self) -> bool {
        self.read.roles.amount.is_some() && self.read.returns != Returns::Count
    }

    /// The differing settings as text.
    pub(crate) fn difference(&self, other: &Self) -> String {
        let flag = |on: bool| if on { "True" } else { "False" }.to_owned();
        let most = |most: Option<u64>| most.map_or("None".to_owned(), |most| most.to_string());
        let settings = [
            ("item", format!("'{}'", self.item()), format!("'{}'", other.item())),
            ("basket", format!("'{}'", self.by.name()), format!("'{}'", other.by.name())),
            ("max_basket", most(self.max_basket), most(other.max_basket)),
            ("anonymous", flag(self.anonymous), flag(other.anonymous)),
        ];
        let unlike = settings.into_iter().filter(|(_, own, other)| own != other);
        let mut all: Vec<String> = unlike.map(|(name, own, other)| format!("{name} is {own} here and {other} there")).collect();
        let mut read = other.read.clone();
        read.roles.attributes.clone_from(&self.read.roles.attributes);
        if read != self.read {
            all.push(self.read.difference(&read));
        }
        all.join(", ")
    }
}
