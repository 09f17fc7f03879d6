//! Settings of value classes and of demand classes.

use crate::error::{Error, ErrorKind, Result};
use crate::time::period::{Calendar, Period};

/// What the thresholds of classes are shares of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassBy {
    /// The value.
    Value,
    /// The number of customers.
    Customers,
}

/// Which share of a row is compared with the thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassRule {
    /// The share of the rows before it: the row that crosses a threshold belongs to the class above.
    Before,
    /// The share that includes it: the row that crosses a threshold belongs to the class below.
    Upto,
}

/// What becomes of equal values at a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassTies {
    /// They may be in different classes, in the order of ids.
    Split,
    /// They are all in the class of the first of them.
    Same,
}

/// Settings of value classes.
#[derive(Debug, Clone, PartialEq)]
pub struct AbcSpec {
    /// What the thresholds are shares of.
    pub by: ClassBy,
    /// Ascending thresholds between 0 and 1; `None` for those that are usual: .80 and .95 of value, .20 and .50 of customers.
    pub thresholds: Option<Vec<f64>>,
    /// Which share of a row is compared with them.
    pub rule: ClassRule,
    /// What becomes of equal values.
    pub ties: ClassTies,
    /// An attribute, or a column of a composite key, whose values are classed each by itself.
    pub group: Option<String>,
}

impl Default for AbcSpec {
    fn default() -> Self {
        Self { by: ClassBy::Value, thresholds: None, rule: ClassRule::Before, ties: ClassTies::Split, group: None }
    }
}

/// Settings of demand classes.
#[derive(Debug, Clone, PartialEq)]
pub struct XyzSpec {
    /// The period whose revenue is counted.
    pub period: Period,
    /// The largest coefficients of variation of X and of Y.
    pub thresholds: (f64, f64),
    /// Customers with fewer complete periods have no class.
    pub min_periods: u32,
    /// First day of the week; 0 is Monday.
    pub week_start: i32,
    /// Month that years and quarters begin with, 1 to 12.
    pub fiscal_year_start: i32,
}

/// The most classes there are names for, A to Z.
const MOST_CLASSES: usize = 26;

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

impl AbcSpec {
    /// The thresholds, which are checked.
    pub(super) fn thresholds(&self) -> Result<Vec<f64>> {
        let thresholds = match (&self.thresholds, self.by) {
            (Some(thresholds), _) => thresholds.clone(),
            (None, ClassBy::Value) => vec![0.80, 0.95],
            (None, ClassBy::Customers) => vec![0.20, 0.50],
        };
        if thresholds.is_empty() || thresholds.len() >= MOST_CLASSES {
            let n = thresholds.len();
            return Err(invalid(format!("thresholds has {n} values; expected 1 to {}, for classes A to Z", MOST_CLASSES - 1)));
        }
        if let Some(wrong) = thresholds.iter().find(|&&threshold| !(threshold > 0.0 && threshold < 1.0)) {
            return Err(invalid(format!("thresholds has {wrong}; expected shares between 0 and 1, such as (0.8, 0.95)")));
        }
        if let Some((before, after)) = thresholds.iter().zip(&thresholds[1..]).find(|(before, after)| before >= after) {
            return Err(invalid(format!("thresholds must ascend, but {after} comes after {before}; sort them")));
        }
        Ok(thresholds)
    }

    /// The names of the classes that so many thresholds make.
    pub(super) fn names(thresholds: &[f64]) -> Vec<String> {
        ('A'..='Z').take(thresholds.len() + 1).map(String::from).collect()
    }
}

impl XyzSpec {
    /// The names of the classes.
    pub(super) const NAMES: [&'static str; 3] = ["X", "Y", "Z"];

    /// An error if a setting is invalid.
    pub(super) fn check(&self) -> Result<()> {
        let (x, y) = self.thresholds;
        if !(x > 0.0 && x < y && y.is_finite()) {
            let message =
                format!("the thresholds of demand classes are ({x}, {y}); expected two ascending numbers above 0, such as (0.5, 1.0)");
            return Err(invalid(message));
        }
        if self.min_periods == 0 {
            return Err(invalid("min_periods=0 is too small; expected at least 1".to_owned()));
        }
        if !(1..=12).contains(&self.fiscal_year_start) {
            return Err(invalid(format!("fiscal_year_start={} is no month; expected 1 to 12", self.fiscal_year_start)));
        }
        Ok(())
    }

    /// The calendar of the periods; windows of n days are counted from 1970-01-01.
    pub(super) fn calendar(&self) -> Calendar {
        Calendar { week_start: self.week_start, fiscal_shift: self.fiscal_year_start - 1, origin: 0 }
    }
}
