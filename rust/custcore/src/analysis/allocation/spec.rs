//! What is allocated: cells with curves and bounds, options of contacts, and the settings of a plan.

use super::curve::{ResponseCurve, invalid};
use crate::error::Result;

/// A bound of spend, or the budget of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SpendLimit {
    /// An amount of money.
    Money(f64),
    /// A share of the budget, 0 to 1.
    Share(f64),
}

impl SpendLimit {
    /// An amount of money; `what` names it in errors.
    pub fn of_money(amount: f64, what: &str) -> Result<Self> {
        if amount >= 0.0 {
            return Ok(Self::Money(amount));
        }
        Err(invalid(format!(
            "{what}={amount:?} is invalid; expected an amount of money, 0 or more, or a share of the budget such as '25%'"
        )))
    }

    /// The bound that a text says: `25%` is a share of the budget, `3000` an amount of money.
    pub fn of_text(text: &str, what: &str) -> Result<Self> {
        let trimmed = text.trim();
        let (number, is_share) = trimmed.strip_suffix('%').map_or((trimmed, false), |number| (number.trim_end(), true));
        let parsed = number.parse::<f64>().ok().filter(|number| !number.is_nan());
        match parsed {
            Some(percent) if is_share && (0.0..=100.0).contains(&percent) => Ok(Self::Share(percent / 100.0)),
            Some(amount) if !is_share && amount >= 0.0 => Ok(Self::Money(amount)),
            _ => Err(invalid(format!(
                "{what}='{}' is invalid; expected an amount of money, 0 or more, or a share of the budget such as '25%'",
                text.escape_debug()
            ))),
        }
    }

    /// The amount of money where `budget` is to be spent; `what` names the bound in errors.
    pub(super) fn money(self, budget: Option<f64>, what: impl Fn() -> String) -> Result<f64> {
        match (self, budget) {
            (Self::Money(amount), _) => Ok(amount),
            (Self::Share(share), Some(budget)) => Ok(share * budget),
            (Self::Share(_), None) => {
                Err(invalid(format!("{} is a share of the budget, but budget=None; pass a budget, or amounts of money", what())))
            }
        }
    }
}

/// A cell: a segment, or a segment in a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct AllocationCell {
    /// The segment.
    pub segment: String,
    /// The channel.
    pub channel: Option<String>,
    /// What spend brings.
    pub curve: ResponseCurve,
    /// Least spend; default: that of the settings, else 0.
    pub low: Option<SpendLimit>,
    /// Most spend; default: that of the settings, else unbounded.
    pub high: Option<SpendLimit>,
    /// Standard error of the height of the curve; default: that of the curve.
    pub se: Option<f64>,
}

impl AllocationCell {
    /// The cell in messages.
    pub(super) fn name(&self) -> String {
        named(&self.segment, self.channel.as_deref())
    }
}

/// A way to contact the customers of a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct ContactOption {
    /// The segment.
    pub segment: String,
    /// The channel.
    pub channel: Option<String>,
    /// Cost of a customer contacted.
    pub cost: f64,
    /// What a customer contacted brings.
    pub value: f64,
    /// Number of customers in the segment.
    pub customers: u64,
    /// Standard error of the value.
    pub value_se: Option<f64>,
}

impl ContactOption {
    /// The option in messages.
    pub(super) fn name(&self) -> String {
        named(&self.segment, self.channel.as_deref())
    }
}

fn named(segment: &str, channel: Option<&str>) -> String {
    match channel {
        Some(channel) => format!("'{}' in '{}'", segment.escape_debug(), channel.escape_debug()),
        None => format!("'{}'", segment.escape_debug()),
    }
}

/// What a plan maximises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllocationObjective {
    /// Margin gained less spend.
    Profit,
    /// Margin gained.
    Return,
}

/// The column whose values have budgets of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetGroup {
    /// Segments.
    Segment,
    /// Channels.
    Channel,
}

/// Settings of an allocation to cells.
#[derive(Debug, Clone, PartialEq)]
pub struct AllocationSpec {
    /// The most that is spent; `None`: as much as pays.
    pub budget: Option<f64>,
    /// What is maximised.
    pub objective: AllocationObjective,
    /// Least spend of cells without one of their own.
    pub low: Option<SpendLimit>,
    /// Most spend of cells without one of their own.
    pub high: Option<SpendLimit>,
    /// The column of `group_budget`; `None`: the one that has its names.
    pub group: Option<BudgetGroup>,
    /// The most that is spent in a group, by its name.
    pub group_budget: Vec<(String, SpendLimit)>,
}

/// Checks a budget.
pub(super) fn check_budget(budget: f64) -> Result<()> {
    if budget >= 0.0 && budget.is_finite() {
        return Ok(());
    }
    Err(invalid(format!("budget={budget:?} is invalid; expected an amount of money, 0 or more")))
}
