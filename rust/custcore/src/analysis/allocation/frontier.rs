//! What each budget would bring.

use super::plan::{Allocation, Plan, To};
use super::spec::check_budget;
use crate::error::Result;

/// Budgets of a frontier that were not asked for: from the least possible one to twice the plan's.
const POINTS: u32 = 20;

/// A budget and its plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) budget: f64,
    pub(super) value: f64,
    pub(super) price: f64,
    pub(super) spend: f64,
}

/// A plan for each of some budgets.
pub(super) fn frontier(allocation: &Allocation, budgets: Option<&[f64]>) -> Result<Vec<Point>> {
    let budgets = budgets.map_or_else(|| default_budgets(allocation), <[f64]>::to_vec);
    budgets.into_iter().map(|budget| point(allocation, budget)).collect()
}

fn point(allocation: &Allocation, budget: f64) -> Result<Point> {
    check_budget(budget)?;
    let plan = match &allocation.to {
        To::Cells(problem) => {
            let hulls = problem.hulls(Some(budget))?;
            let spends = problem.spends(&hulls, None);
            Plan::of_cells(problem, &hulls, spends)
        }
        To::Contacts(contacts) => Plan::of_contacts(contacts, contacts.contacted(Some(budget), &contacts.values())),
    };
    Ok(Point { budget, value: plan.total_value(), price: plan.price, spend: plan.total_spend() })
}

fn default_budgets(allocation: &Allocation) -> Vec<f64> {
    let least = match &allocation.to {
        To::Cells(problem) => problem.least_budget(),
        To::Contacts(_) => 0.0,
    };
    let most = 2.0 * allocation.budget.unwrap_or_else(|| allocation.spend());
    if most <= least {
        return vec![least];
    }
    (0..=POINTS).map(|i| least + (most - least) * (f64::from(i) / f64::from(POINTS))).collect()
}
