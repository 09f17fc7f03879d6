//! Funnels of all customers: their events are sorted, and customers are counted by group.

use std::collections::BTreeMap;
use std::ops::Range;

use super::kernel::{Event, Found, Rule, Walker};
use crate::error::Result;
use crate::exec::context::Context;

/// How many customers are counted between two checks for cancelling.
const CHECKED: usize = 4_096;

/// The customers of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct GroupCounts {
    /// Customers with a start whose window is over.
    pub(super) customers: u64,
    /// Customers who only have starts whose window is not over.
    pub(super) open: u64,
    /// The ticks from the step before to each further step, and from the start, of the customers who took it.
    pub(super) steps: Vec<StepTimes>,
}

/// How long customers took to a step, in ticks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct StepTimes {
    pub(super) from_before: Vec<i64>,
    pub(super) from_start: Vec<i64>,
}

impl GroupCounts {
    fn add(&mut self, times: &[i64]) {
        self.customers += 1;
        if self.steps.len() + 1 < times.len() {
            self.steps.resize(times.len() - 1, StepTimes::default());
        }
        for (step, pair) in self.steps.iter_mut().zip(times.windows(2)) {
            step.from_before.push(pair[1].saturating_sub(pair[0]));
            step.from_start.push(pair[1].saturating_sub(times[0]));
        }
    }

    fn merge(&mut self, other: Self) {
        self.customers += other.customers;
        self.open += other.open;
        if self.steps.len() < other.steps.len() {
            self.steps.resize(other.steps.len(), StepTimes::default());
        }
        for (step, mut more) in self.steps.iter_mut().zip(other.steps) {
            step.from_before.append(&mut more.from_before);
            step.from_start.append(&mut more.from_start);
        }
    }
}

/// Counts the customers of these events by group.
pub(super) fn count(mut events: Vec<Event>, rule: Rule, context: &Context) -> Result<BTreeMap<u16, GroupCounts>> {
    let rows = events.len();
    let runs = context.run_if_large(rows, |threads| {
        threads.par_sort_unstable_by(&mut events, Event::cmp);
        context.check()?;
        let mut starts: Vec<usize> = Vec::new();
        starts.extend((0..rows).filter(|&at| at == 0 || events[at].customer != events[at - 1].customer));
        starts.push(rows);
        let customers = starts.len() - 1;
        let work = |run: Range<usize>| -> Result<_> {
            let (mut walker, mut groups) = (Walker::new(rule), BTreeMap::<u16, GroupCounts>::new());
            for customer in run {
                if customer.is_multiple_of(CHECKED) {
                    context.check()?;
                }
                match walker.walk(&events[starts[customer]..starts[customer + 1]]) {
                    Found::Nothing => {}
                    Found::Open(group) => groups.entry(group).or_default().open += 1,
                    Found::Closed(group) => groups.entry(group).or_default().add(&walker.best),
                }
            }
            Ok(groups)
        };
        threads.par_chunks(customers, work).into_iter().collect::<Result<Vec<_>>>()
    })??;
    let mut whole = BTreeMap::<u16, GroupCounts>::new();
    for (group, counts) in runs.into_iter().flatten() {
        whole.entry(group).or_default().merge(counts);
    }
    Ok(whole)
}

/// The median of some lengths (type 7), in seconds.
pub(super) fn median_seconds(mut ticks: Vec<i64>, per_second: i64) -> Option<f64> {
    let at = ticks.len().checked_sub(1)? / 2;
    let is_odd = ticks.len() % 2 == 1;
    let (_, &mut low, above) = ticks.select_nth_unstable(at);
    let high = if is_odd { low } else { above.iter().min().copied().unwrap_or(low) };
    Some((i128::from(low) + i128::from(high)) as f64 / 2.0 / per_second as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_between_the_middle_two() {
        assert_eq!(median_seconds(vec![], 1), None);
        assert_eq!(median_seconds(vec![7_000_000], 1_000_000), Some(7.0));
        assert_eq!(median_seconds(vec![9, 1, 4, 2], 1), Some(3.0));
        assert_eq!(median_seconds(vec![9, 1, 4], 2), Some(2.0));
        assert_eq!(median_seconds(vec![i64::MAX, i64::MAX], 1), Some(i64::MAX as f64));
    }
}
