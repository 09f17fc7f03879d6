//! Kernel of funnels: how far one customer gets, from which start.

use super::spec::StepOrder;

/// An event that is a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Event {
    /// Code of the customer.
    pub(super) customer: u32,
    /// When it was, in ticks.
    pub(super) time: i64,
    /// Rank of the group; [`NO_GROUP`] without.
    pub(super) group: u16,
    /// Which step.
    pub(super) step: u8,
}

/// The group of events without one.
pub(super) const NO_GROUP: u16 = u16::MAX;

/// What counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// Number of steps.
    pub(super) steps: usize,
    /// How long after the start a step counts, in ticks.
    pub(super) window: i64,
    /// Whether steps at the same time as the one before do not count.
    pub(super) strict: bool,
    pub(super) order: StepOrder,
    /// The end of observation.
    pub(super) end: i64,
}

/// What is found of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// No start.
    Nothing,
    /// Only starts whose window is not over, the first one in this group.
    Open(u16),
    /// The start that counts is in this group; the times of its steps are in [`Walker::best`].
    Closed(u16),
}

/// Finds the start of a customer that gets farthest, and of several the earliest.
#[derive(Debug)]
pub(super) struct Walker {
    rule: Rule,
    /// The times of each step of a customer, ascending.
    times: Vec<Vec<i64>>,
    /// Of each step the first event that the next start may use.
    next: Vec<usize>,
    own: Vec<i64>,
    /// The times of the steps from the start that counts.
    pub(super) best: Vec<i64>,
}

impl Walker {
    pub(super) fn new(rule: Rule) -> Self {
        let times = vec![Vec::new(); rule.steps];
        Self { rule, times, next: Vec::new(), own: Vec::new(), best: Vec::new() }
    }

    /// The start that counts among the events of a customer, which are sorted.
    pub(super) fn walk(&mut self, events: &[Event]) -> Found {
        let rule = self.rule;
        self.times.iter_mut().for_each(Vec::clear);
        events.iter().for_each(|event| self.times[usize::from(event.step)].push(event.time));
        self.next.clear();
        self.next.resize(rule.steps, 0);
        self.best.clear();
        let (mut found, mut before) = (Found::Nothing, None);
        let is_start = |event: &&Event| rule.order == StepOrder::Any || event.step == 0;
        // Of starts at the same time the first one has the smallest group, and the others get no farther.
        for start in events.iter().filter(is_start) {
            if before == Some(start.time) {
                continue;
            }
            before = Some(start.time);
            if start.time.saturating_add(rule.window) > rule.end {
                if found == Found::Nothing {
                    found = Found::Open(start.group);
                }
                break;
            }
            self.own.clear();
            match rule.order {
                StepOrder::Ordered => ordered(rule, &self.times, &mut self.next, start.time, &mut self.own),
                StepOrder::Any => any(rule, &self.times, &mut self.next, start.time, &mut self.own),
            }
            if self.own.len() > self.best.len() {
                std::mem::swap(&mut self.own, &mut self.best);
                found = Found::Closed(start.group);
            }
            if self.best.len() == rule.steps {
                break;
            }
        }
        found
    }
}

/// The times of the steps from a start, each its earliest event at or after the one before. Starts ascend, so events that were too
/// early for one are too early for the next.
fn ordered(rule: Rule, times: &[Vec<i64>], next: &mut [usize], start: i64, own: &mut Vec<i64>) {
    own.push(start);
    let (mut last, end) = (start, start.saturating_add(rule.window));
    for (times, next) in times.iter().zip(next).skip(1) {
        while times.get(*next).is_some_and(|&time| time < last || rule.strict && time == last) {
            *next += 1;
        }
        match times.get(*next) {
            Some(&time) if time <= end => last = time,
            _ => break,
        }
        own.push(last);
    }
}

/// The times of the different steps from a start on, ascending.
fn any(rule: Rule, times: &[Vec<i64>], next: &mut [usize], start: i64, own: &mut Vec<i64>) {
    let end = start.saturating_add(rule.window);
    for (times, next) in times.iter().zip(next) {
        while times.get(*next).is_some_and(|&time| time < start) {
            *next += 1;
        }
        own.extend(times.get(*next).filter(|&&time| time <= end));
    }
    own.sort_unstable();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(rule: Rule, events: &[(i64, u8)]) -> (Found, Vec<i64>) {
        let mut events: Vec<Event> = events.iter().map(|&(time, step)| Event { customer: 0, time, group: 0, step }).collect();
        events.sort_unstable();
        let mut walker = Walker::new(rule);
        (walker.walk(&events), walker.best)
    }

    const RULE: Rule = Rule { steps: 3, window: 10, strict: false, order: StepOrder::Ordered, end: 100 };

    #[test]
    fn the_start_that_gets_farthest_counts_and_then_the_earliest() {
        assert_eq!(walk(RULE, &[(0, 0), (3, 1), (20, 0), (21, 1), (30, 2)]), (Found::Closed(0), vec![20, 21, 30]));
        assert_eq!(walk(RULE, &[(0, 0), (3, 1), (20, 0), (21, 1)]), (Found::Closed(0), vec![0, 3]));
        // A step is taken at its first event, even where a later one would do, too.
        assert_eq!(walk(RULE, &[(0, 0), (1, 1), (2, 1), (3, 2), (4, 2)]).1, [0, 1, 3]);
        assert_eq!(walk(RULE, &[(5, 1), (6, 2), (7, 0)]), (Found::Closed(0), vec![7]));
    }

    #[test]
    fn windows_include_their_end_and_must_be_over() {
        assert_eq!(walk(RULE, &[(0, 0), (10, 1)]).1, [0, 10]);
        assert_eq!(walk(RULE, &[(0, 0), (11, 1)]).1, [0]);
        assert_eq!(walk(RULE, &[(90, 0)]).0, Found::Closed(0));
        assert_eq!(walk(RULE, &[(91, 0), (92, 1)]), (Found::Open(0), vec![]));
        assert_eq!(walk(RULE, &[(50, 0), (91, 0), (92, 1)]), (Found::Closed(0), vec![50]));
        assert_eq!(walk(RULE, &[(50, 1)]).0, Found::Nothing);
    }

    #[test]
    fn steps_at_the_same_time_count_unless_strict() {
        let events = [(0, 2), (0, 1), (0, 0), (4, 2)];
        assert_eq!(walk(RULE, &events).1, [0, 0, 0]);
        assert_eq!(walk(Rule { strict: true, ..RULE }, &events).1, [0]);
        assert_eq!(walk(Rule { strict: true, ..RULE }, &[(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)]).1, [0, 1, 2]);
    }

    #[test]
    fn steps_in_any_order() {
        let rule = Rule { order: StepOrder::Any, ..RULE };
        assert_eq!(walk(rule, &[(0, 2), (3, 0), (9, 1)]).1, [0, 3, 9]);
        assert_eq!(walk(rule, &[(0, 2), (0, 2), (11, 0), (12, 1)]).1, [11, 12]);
        assert_eq!(walk(rule, &[(95, 2)]).0, Found::Open(0));
    }

    #[test]
    fn times_at_the_ends_do_not_overflow() {
        let rule = Rule { window: i64::MAX, end: i64::MAX, ..RULE };
        assert_eq!(walk(rule, &[(i64::MAX - 1, 0), (i64::MAX, 1)]), (Found::Closed(0), vec![i64::MAX - 1, i64::MAX]));
    }
}
