//! Funnels of all customers: their events are sorted, and customers are counted by group.

use std::collections::BTreeMap;

use super::kernel::{Event, Found, Rule, Walker};
use crate::error::Result;
use crate::exec::context::Context;

/// How many customers and events are counted between two checks for cancelling.
const CHECKED: usize = 1 << 14;
/// Events that are sorted by customer between two checks.
const BLOCK: usize = 1 << 20;
/// Parts of each thread, so that a thread which is held up does not hold up all.
const PIECES: usize = 8;

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

/// Counts the customers of these events by group; `customers` is the number of their codes.
pub(super) fn count(events: Vec<Event>, customers: usize, rule: Rule, context: &Context) -> Result<BTreeMap<u16, GroupCounts>> {
    let rows = events.len();
    let runs = context.run_if_large(rows, |threads| {
        let (mut events, starts) = by_customer(events, customers, context)?;
        let size = rows.div_ceil(PIECES * threads.count()).max(CHECKED);
        let work = |(piece, starts): (&mut [Event], &[usize])| -> Result<_> {
            let (mut walker, mut groups) = (Walker::new(rule), BTreeMap::<u16, GroupCounts>::new());
            let mut checked = 0;
            for ends in starts.windows(2) {
                let own = &mut piece[ends[0] - starts[0]..ends[1] - starts[0]];
                checked += own.len() + 1;
                if checked >= CHECKED {
                    context.check()?;
                    checked = 0;
                }
                own.sort_unstable();
                match walker.walk(own) {
                    Found::Nothing => {}
                    Found::Open(group) => groups.entry(group).or_default().open += 1,
                    Found::Closed(group) => groups.entry(group).or_default().add(&walker.best),
                }
            }
            Ok(groups)
        };
        threads.par_tasks(pieces(&mut events, &starts, size), work).into_iter().collect::<Result<Vec<_>>>()
    })??;
    let mut whole = BTreeMap::<u16, GroupCounts>::new();
    for (group, counts) in runs.into_iter().flatten() {
        whole.entry(group).or_default().merge(counts);
    }
    Ok(whole)
}

/// The events by customer, and where those of each customer start; one more entry than customers.
#[expect(clippy::needless_pass_by_value, reason = "dropped once they are sorted")]
fn by_customer(events: Vec<Event>, customers: usize, context: &Context) -> Result<(Vec<Event>, Vec<usize>)> {
    let mut starts = vec![0_usize; customers + 1];
    for block in events.chunks(BLOCK) {
        context.check()?;
        block.iter().for_each(|event| starts[event.customer as usize + 1] += 1);
    }
    for customer in 0..customers {
        starts[customer + 1] += starts[customer];
    }
    let (mut sorted, mut next) = (vec![Event::default(); events.len()], starts.clone());
    for block in events.chunks(BLOCK) {
        context.check()?;
        for event in block {
            let at = &mut next[event.customer as usize];
            sorted[*at] = *event;
            *at += 1;
        }
    }
    Ok((sorted, starts))
}

/// Parts of at least `size` events, but the last one, each with the starts of its customers.
fn pieces<'a>(mut events: &'a mut [Event], starts: &'a [usize], size: usize) -> Vec<(&'a mut [Event], &'a [usize])> {
    let (mut pieces, mut first) = (Vec::new(), 0);
    while first + 1 < starts.len() {
        let last = starts.partition_point(|&start| start < starts[first] + size).clamp(first + 1, starts.len() - 1);
        let (piece, rest) = events.split_at_mut(starts[last] - starts[first]);
        pieces.push((piece, &starts[first..=last]));
        (events, first) = (rest, last);
    }
    pieces
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
    fn pieces_are_whole_customers() -> Result<()> {
        let of = |customer, time| Event { customer, time, group: 0, step: 0 };
        let events = vec![of(3, 1), of(0, 5), of(3, 0), of(1, 2), of(3, 2), of(5, 0)];
        let (mut sorted, starts) = by_customer(events, 7, &Context::new(1))?;
        assert_eq!(starts, [0, 1, 2, 2, 5, 5, 6, 6]);
        let found = pieces(&mut sorted, &starts, 2);
        let seen: Vec<(usize, &[usize])> = found.iter().map(|(piece, starts)| (piece.len(), *starts)).collect();
        assert_eq!(seen, [(2, &[0, 1, 2][..]), (3, &[2, 2, 5]), (1, &[5, 5, 6, 6])]);
        assert_eq!(pieces(&mut [], &[0], 2).len(), 0);
        Ok(())
    }

    #[test]
    fn medians_are_between_the_middle_two() {
        assert_eq!(median_seconds(vec![], 1), None);
        assert_eq!(median_seconds(vec![7_000_000], 1_000_000), Some(7.0));
        assert_eq!(median_seconds(vec![9, 1, 4, 2], 1), Some(3.0));
        assert_eq!(median_seconds(vec![9, 1, 4], 2), Some(2.0));
        assert_eq!(median_seconds(vec![i64::MAX, i64::MAX], 1), Some(i64::MAX as f64));
    }
}
