//! An allocation to contacts: each customer of a segment gets one option, or none. Steps along the hulls by value per cost, until the
//! budget is spent, solve the linear relaxation exactly (Sinha & Zoltners 1979, the multiple-choice knapsack).

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::contact_steps::{Step, steps};
use super::curve::invalid;
use super::spec::{ContactOption, check_budget};
use crate::error::Result;

/// Quotients of money this close below a whole number are that number.
const ROUNDING: f64 = 1e-9;

/// Options, checked.
#[derive(Debug, Clone)]
pub(super) struct Contacts {
    pub(super) options: Vec<ContactOption>,
    pub(super) whole: bool,
    cost: Vec<f64>,
    /// The rows of the options of each segment.
    segments: Vec<Vec<usize>>,
}

/// Who gets what.
#[derive(Debug, Clone)]
pub(super) struct Contacted {
    /// Customers with each option.
    pub(super) customers: Vec<f64>,
    pub(super) price: f64,
    /// What the relaxation is worth.
    pub(super) bound: f64,
}

impl Contacts {
    /// Checks options.
    pub(super) fn new(options: Vec<ContactOption>, whole: bool, budget: Option<f64>) -> Result<Self> {
        if let Some(budget) = budget {
            check_budget(budget)?;
        }
        let mut places: HashMap<&str, usize, RandomState> = HashMap::default();
        let mut segments: Vec<Vec<usize>> = Vec::new();
        for (row, option) in options.iter().enumerate() {
            let not = |column: &str, value: f64, expected: &str| {
                Err(invalid(format!("{column}={value:?} of the option {} is invalid; expected {expected}", option.name())))
            };
            if !(option.cost >= 0.0 && option.cost.is_finite()) {
                return not("cost", option.cost, "the cost of a customer contacted, 0 or more");
            }
            if !option.value.is_finite() {
                return not("value", option.value, "what a customer contacted brings, a finite number");
            }
            if let Some(se) = option.value_se.filter(|se| !(*se >= 0.0 && se.is_finite())) {
                return not("value_se", se, "a standard error, 0 or more");
            }
            let place = *places.entry(&option.segment).or_insert_with(|| {
                segments.push(Vec::new());
                segments.len() - 1
            });
            if let Some(&first) = segments[place].first()
                && options[first].customers != option.customers
            {
                return Err(invalid(format!(
                    "segment '{}' has {} customers in row {first} and {} in row {row}; options of a segment are for the same customers. Make \
                     segments of those who can be reached by the same channels",
                    option.segment.escape_debug(),
                    options[first].customers,
                    option.customers
                )));
            }
            if let Some(first) = segments[place].iter().find(|&&other| options[other].channel == option.channel) {
                return Err(invalid(format!("the option {} is given twice, in rows {first} and {row}; expected each once", option.name())));
            }
            segments[place].push(row);
        }
        drop(places);
        let cost = options.iter().map(|option| option.cost).collect();
        Ok(Self { options, whole, cost, segments })
    }

    /// The values of the options.
    pub(super) fn values(&self) -> Vec<f64> {
        self.options.iter().map(|option| option.value).collect()
    }

    /// What one more unit of money brings where customers step up to each option; `None` for those that are not on a hull.
    pub(super) fn slopes(&self) -> Vec<Option<f64>> {
        let mut slopes = vec![None; self.options.len()];
        for step in steps(&self.segments, &self.cost, &self.values()) {
            slopes[step.to] = Some(step.slope);
        }
        slopes
    }

    /// The plan for a budget, where options have these values.
    pub(super) fn contacted(&self, budget: Option<f64>, value: &[f64]) -> Contacted {
        let steps = steps(&self.segments, &self.cost, value);
        let most = |step: &Step| self.options[step.to].customers as f64;
        let mut taken = vec![0.0; steps.len()];
        let mut left = budget.unwrap_or(f64::INFINITY);
        let mut last = 0;
        for (i, step) in steps.iter().enumerate() {
            let cost = step.cost * most(step);
            last = i;
            if cost > left * (1.0 + 1e-12) {
                taken[i] = left / step.cost;
                break;
            }
            taken[i] = most(step);
            left = (left - cost).max(0.0);
        }
        let is_all = steps.iter().zip(&taken).all(|(step, &taken)| taken >= most(step));
        let price = if is_all { 0.0 } else { last_slope(&steps, &taken) };
        let bound = steps.iter().zip(&taken).filter(|(_, taken)| **taken > 0.0).map(|(step, taken)| step.value * taken).sum();
        if self.whole && !is_all {
            self.whole_customers(&steps, &mut taken, last, budget.unwrap_or(f64::INFINITY));
        }
        let mut customers = vec![0.0; self.options.len()];
        for (step, &taken) in steps.iter().zip(&taken) {
            customers[step.to] += taken;
            if let Some(from) = step.from {
                customers[from] -= taken;
            }
        }
        Contacted { customers, price, bound }
    }

    /// Takes the fraction of a customer off the step `last`, and then makes single steps that still fit, in order.
    fn whole_customers(&self, steps: &[Step], taken: &mut [f64], last: usize, budget: f64) {
        taken[last] = (taken[last] + ROUNDING).floor().min(self.options[steps[last].to].customers as f64);
        let mut left = budget - steps.iter().zip(&*taken).map(|(step, taken)| step.cost * taken).sum::<f64>();
        let at: HashMap<usize, usize, RandomState> = steps.iter().enumerate().map(|(i, step)| (step.to, i)).collect();
        for (i, step) in steps.iter().enumerate().skip(last) {
            let before = step.from.map_or(self.options[step.to].customers as f64, |from| taken[at[&from]]);
            let fits = if step.cost > 0.0 { (left / step.cost + ROUNDING).floor() } else { f64::INFINITY };
            let more = (before - taken[i]).min(fits).max(0.0);
            taken[i] += more;
            left -= step.cost * more;
        }
    }
}

/// The slope of the last step that was taken; of the first that costs money, if none was.
fn last_slope(steps: &[Step], taken: &[f64]) -> f64 {
    let slope = |steps: &[Step]| steps.first().map_or(0.0, |step| step.slope);
    let last = steps.iter().zip(taken).rposition(|(step, &taken)| taken > 0.0 && step.cost > 0.0);
    match last {
        Some(last) => slope(&steps[last..]),
        None => slope(&steps[steps.iter().position(|step| step.cost > 0.0).unwrap_or(steps.len())..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(segment: &str, channel: &str, cost: f64, value: f64, customers: u64) -> ContactOption {
        ContactOption { segment: segment.to_owned(), channel: Some(channel.to_owned()), cost, value, customers, value_se: None }
    }

    fn options() -> Vec<ContactOption> {
        vec![option("a", "call", 5.0, 9.0, 3), option("a", "mail", 1.0, 4.0, 3), option("b", "mail", 1.0, 2.0, 10)]
    }

    #[test]
    fn steps_are_taken_until_the_money_is_spent() -> Result<()> {
        let contacts = Contacts::new(options(), false, None)?;
        let plan = contacts.contacted(Some(15.0), &contacts.values());
        // 3 for mail to a, 10 for mail to b, 2 for half a customer from mail to call.
        assert_eq!((plan.customers.as_slice(), plan.price), ([0.5, 2.5, 10.0].as_slice(), 1.25));
        let price = |budget| contacts.contacted(budget, &contacts.values()).price;
        assert_eq!((price(Some(13.0)), price(Some(0.0)), price(None)), (2.0, 4.0, 0.0));
        assert_eq!(contacts.slopes(), [Some(1.25), Some(4.0), Some(2.0)]);
        Ok(())
    }

    #[test]
    fn whole_customers_leave_less_than_a_step() -> Result<()> {
        let contacts = Contacts::new(options(), true, None)?;
        let plan = contacts.contacted(Some(2.5), &contacts.values());
        assert_eq!((plan.customers.as_slice(), plan.bound), ([0.0, 2.0, 0.0].as_slice(), 10.0));
        let plan = contacts.contacted(Some(18.0), &contacts.values());
        assert_eq!(plan.customers, [1.0, 2.0, 10.0]);
        Ok(())
    }

    #[test]
    fn options_of_a_segment_are_for_the_same_customers() {
        let mut wrong = options();
        wrong[1].customers = 4;
        assert!(Contacts::new(wrong, false, None).is_err());
        let mut wrong = options();
        wrong[0].channel = Some("mail".to_owned());
        assert!(Contacts::new(wrong, false, None).is_err());
    }
}
