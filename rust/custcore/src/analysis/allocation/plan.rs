//! The allocation of a budget: what is asked of a problem and its plan.

use super::contacts::{Contacted, Contacts};
use super::problem::{At, Hulls, Problem, Spends};
use super::spec::{AllocationCell, AllocationSpec, ContactOption};
use crate::error::Result;
use crate::num::exact::exact_sum;

/// What is allocated to.
#[derive(Debug, Clone)]
pub(super) enum To {
    Cells(Problem),
    Contacts(Contacts),
}

/// A plan, with the problem that it solves.
#[derive(Debug, Clone)]
pub struct Allocation {
    pub(super) to: To,
    pub(super) budget: Option<f64>,
    pub(super) plan: Plan,
}

/// Spend and what it brings.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) spend: Vec<f64>,
    pub(super) value: Vec<f64>,
    /// What one more unit of money brings; NaN where nothing says it.
    pub(super) marginal: Vec<f64>,
    pub(super) at: Vec<At>,
    /// Customers contacted; none for cells.
    pub(super) customers: Vec<f64>,
    pub(super) price: f64,
    pub(super) group_price: Vec<f64>,
    pub(super) gap: f64,
}

/// Allocates a budget to cells.
pub fn allocate(cells: Vec<AllocationCell>, spec: AllocationSpec) -> Result<Allocation> {
    let problem = Problem::new(cells, spec)?;
    let budget = problem.spec.budget;
    let hulls = problem.hulls(budget)?;
    let spends = problem.spends(&hulls, None);
    let plan = Plan::of_cells(&problem, &hulls, spends);
    Ok(Allocation { to: To::Cells(problem), budget, plan })
}

/// Allocates a budget to contacts of customers. With `whole`, of whole customers.
pub fn allocate_contacts(options: Vec<ContactOption>, budget: Option<f64>, whole: bool) -> Result<Allocation> {
    let contacts = Contacts::new(options, whole, budget)?;
    let plan = Plan::of_contacts(&contacts, contacts.contacted(budget, &contacts.values()));
    Ok(Allocation { to: To::Contacts(contacts), budget, plan })
}

impl Plan {
    pub(super) fn of_cells(problem: &Problem, hulls: &Hulls, spends: Spends) -> Self {
        let Spends { spend, price, group_price } = spends;
        let of_curves =
            |of: fn(&AllocationCell, f64) -> f64| -> Vec<f64> { problem.cells.iter().zip(&spend).map(|(cell, &x)| of(cell, x)).collect() };
        Self {
            value: of_curves(|cell, x| cell.curve.value(x)),
            marginal: of_curves(|cell, x| cell.curve.marginal(x)),
            at: spend.iter().enumerate().map(|(cell, &x)| hulls.at(cell, x)).collect(),
            customers: Vec::new(),
            gap: hulls.gap(problem, &spend),
            spend,
            price,
            group_price,
        }
    }

    pub(super) fn of_contacts(contacts: &Contacts, contacted: Contacted) -> Self {
        let Contacted { customers, price, bound } = contacted;
        let of_options = |of: fn(&ContactOption) -> f64| -> Vec<f64> {
            contacts.options.iter().zip(&customers).map(|(option, n)| n * of(option) + 0.0).collect()
        };
        let value = of_options(|option| option.value);
        let at = |(option, &n): (&ContactOption, &f64)| match n {
            n if n <= 0.0 => At::None,
            n if n >= option.customers as f64 => At::High,
            _ => At::Inside,
        };
        // The bound of the relaxation is reached but for rounding.
        let gap = if contacts.whole { (bound - exact_sum(&value).unwrap_or(0.0)).max(0.0) } else { 0.0 };
        Self {
            spend: of_options(|option| option.cost),
            value,
            marginal: contacts.slopes().into_iter().map(|slope| slope.unwrap_or(f64::NAN)).collect(),
            at: contacts.options.iter().zip(&customers).map(at).collect(),
            customers,
            price,
            group_price: Vec::new(),
            gap,
        }
    }

    pub(super) fn total_spend(&self) -> f64 {
        exact_sum(&self.spend).unwrap_or(0.0)
    }

    pub(super) fn total_value(&self) -> f64 {
        exact_sum(&self.value).unwrap_or(0.0)
    }
}

impl Allocation {
    /// What the last unit of money brought, and one more would bring: 1 where profit is counted and money is left, 0 where no more can
    /// be spent.
    pub fn price(&self) -> f64 {
        self.plan.price
    }

    /// What the plan spends.
    pub fn spend(&self) -> f64 {
        self.plan.total_spend()
    }

    /// What the plan gains.
    pub fn value(&self) -> f64 {
        self.plan.total_value()
    }

    /// What is left of the budget; `None` without one.
    pub fn unspent(&self) -> Option<f64> {
        // What is left by rounding is nothing.
        let left = |budget: f64| budget - self.spend();
        self.budget.map(|budget| if left(budget) > 1e-9 * budget { left(budget) } else { 0.0 })
    }

    /// By how much at most another plan could gain more.
    pub fn gap(&self) -> f64 {
        self.plan.gap
    }

    /// The budget.
    pub fn budget(&self) -> Option<f64> {
        self.budget
    }

    /// The price of each group with a budget, on its own: 0 where its budget is not used up.
    pub fn group_prices(&self) -> Vec<(&str, f64)> {
        match &self.to {
            To::Cells(problem) => {
                problem.spec.group_budget.iter().zip(&self.plan.group_price).map(|((name, _), &price)| (name.as_str(), price)).collect()
            }
            To::Contacts(_) => Vec::new(),
        }
    }

    /// The cells and their settings; `None` for contacts.
    pub fn cells(&self) -> Option<(&[AllocationCell], &AllocationSpec)> {
        match &self.to {
            To::Cells(problem) => Some((&problem.cells, &problem.spec)),
            To::Contacts(_) => None,
        }
    }

    /// The options of contacts, and whether customers are whole; `None` for cells.
    pub fn options(&self) -> Option<(&[ContactOption], bool)> {
        match &self.to {
            To::Contacts(contacts) => Some((&contacts.options, contacts.whole)),
            To::Cells(_) => None,
        }
    }
}
