//! What to predict.

use crate::analysis::clv::predict::Discounting;
use crate::analysis::clv::spend::SpendModel;
use crate::error::{Error, ErrorKind, Result};

/// The longest horizon with an interval of the number of purchases, in days.
const LONGEST_WITH_LEVEL: f64 = 36_525.0;
/// The least interest of a day for a horizon without an end: less than a millionth a year.
const LEAST_INTEREST: f64 = 0.999e-6 / 365.25;

/// The spend of a purchase day.
#[derive(Debug, Clone, PartialEq)]
pub enum Spend {
    /// Unknown: purchases only.
    None,
    /// Expected by a Gamma-Gamma model.
    Model(Box<SpendModel>),
    /// The customer's own mean; that of all customers where he has none.
    OwnMean,
}

/// What to predict.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictSpec {
    /// Lengths in days; `None` has no end.
    pub horizons: Vec<Option<f64>>,
    /// The spend of a purchase day.
    pub spend: Spend,
    /// The share of revenue that is counted as value.
    pub margin: f64,
    /// How future purchases are discounted.
    pub discounting: Discounting,
    /// Probability of the interval of the number of purchases of a customer.
    pub level: Option<f64>,
    /// Whether to predict distinct histories instead of customers.
    pub cells: bool,
    /// Whether tables name their horizon.
    pub horizon_column: bool,
}

impl PredictSpec {
    /// Expected purchases over one horizon.
    pub fn of_purchases(days: f64) -> Self {
        let discounting = Discounting::Continuous { delta: 0.0 };
        Self { horizons: vec![Some(days)], spend: Spend::None, margin: 1.0, discounting, level: None, cells: false, horizon_column: false }
    }

    /// An error where a value is out of range.
    pub(crate) fn check(&self) -> Result<()> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        for &horizon in &self.horizons {
            match horizon {
                Some(days) if !(days >= 0.0 && days.is_finite()) => {
                    return invalid(format!("horizon={days} days is invalid; expected 0 or more, or None for no end"));
                }
                None if !self.discounting.has_interest() => {
                    let message = "horizon=None needs an annual_rate of 1e-6 or more: without interest the value of an endless future is \
                                   infinite";
                    return invalid(message.to_owned());
                }
                Some(days) if self.level.is_some() && days > LONGEST_WITH_LEVEL => {
                    return invalid(format!(
                        "level= needs a horizon of at most {LONGEST_WITH_LEVEL} days, a century; this one has {days}. Leave level out"
                    ));
                }
                _ => {}
            }
        }
        if self.horizons.is_empty() {
            return invalid("horizon is an empty list; pass at least one length".to_owned());
        }
        if let Some(level) = self.level.filter(|level| !(*level > 0.0 && *level < 1.0)) {
            return invalid(format!("level={level} is invalid; expected a probability between 0 and 1, such as 0.95"));
        }
        if !self.margin.is_finite() {
            return invalid(format!("margin={} is invalid; expected a finite share of revenue, such as 0.3", self.margin));
        }
        self.discounting.check()
    }
}

impl Discounting {
    /// Discounting at the time of each purchase, by the rate of a year.
    pub fn continuous(annual_rate: f64) -> Self {
        Self::Continuous { delta: crate::num::special::ln_1p(annual_rate) / 365.25 }
    }

    /// Discounting at the end of each month of 30.4375 days, by the rate of a year.
    pub fn monthly(annual_rate: f64) -> Self {
        let rate = crate::num::special::exp_m1(crate::num::special::ln_1p(annual_rate) / 12.0);
        Self::Periodic { period_days: 30.4375, rate }
    }

    /// Whether later purchases count less, by enough for a sum without an end.
    pub(crate) fn has_interest(self) -> bool {
        match self {
            Self::Continuous { delta } => delta >= LEAST_INTEREST,
            Self::Periodic { period_days, rate } => rate >= LEAST_INTEREST * period_days,
        }
    }

    fn check(self) -> Result<()> {
        let valid = match self {
            Self::Continuous { delta } => delta >= 0.0 && delta.is_finite(),
            Self::Periodic { period_days, rate } => rate >= 0.0 && rate.is_finite() && period_days > 0.0 && period_days.is_finite(),
        };
        if valid {
            return Ok(());
        }
        let message = "the rate of interest is invalid; expected 0 or more, per year (annual_rate) or per period (period_rate), and a positive \
                       period_days";
        Err(Error::new(ErrorKind::InvalidArgument, message))
    }
}
