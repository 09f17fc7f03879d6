//! Who is in which cohort, and the cohorts with their rows.

use super::book::{Book, Order};
use super::scene::Scene;
use super::spec::{CohortBy, CohortSpec};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::Threads;
use crate::group::interner::NO_CODE;
use crate::state::attributes::Attribute;
use crate::state::customer_state::State;
use crate::time::calendar::MIN_DAY;

/// Cells of one result at the most.
pub const MOST_CELLS: u64 = 50_000_000;

/// A customer in a cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// His code.
    pub customer: u32,
    /// The number of the cohort's period, or the position of its value among all.
    pub key: i64,
    /// The local day that his periods are counted from.
    pub anchor: i32,
}

/// Values of a column at the first purchases of all buyers, ascending, null last.
#[derive(Debug, Clone, Default)]
pub struct Values {
    /// Codes of the values, [`NO_CODE`] for null.
    pub codes: Vec<u32>,
    /// By code of a value: its position; that of null is last.
    ranks: Vec<u32>,
}

impl Values {
    /// The values that occur.
    pub fn of(attribute: &Attribute, state: &State) -> Self {
        let slots = state.totals.slots();
        let null = attribute.values.len();
        let mut ranks = vec![NO_CODE; null + 1];
        for customer in (0..slots.len() as u32).filter(|&customer| slots.orders(customer) > 0) {
            ranks[Self::place(attribute, null, customer)] = 0;
        }
        let mut codes: Vec<u32> = (0..null as u32).filter(|&code| ranks[code as usize] == 0).collect();
        codes.sort_unstable_by(|&a, &b| attribute.values.keys().compare(a, b));
        for (rank, &code) in (0..).zip(&codes) {
            ranks[code as usize] = rank;
        }
        if ranks[null] == 0 {
            ranks[null] = codes.len() as u32;
            codes.push(NO_CODE);
        }
        Self { codes, ranks }
    }

    fn place(attribute: &Attribute, null: usize, customer: u32) -> usize {
        attribute.get(customer).map_or(null, |seen| if seen.value == NO_CODE { null } else { seen.value as usize })
    }

    /// The position of a buyer's value.
    #[inline]
    pub fn rank(&self, attribute: &Attribute, customer: u32) -> u32 {
        self.ranks[Self::place(attribute, self.ranks.len() - 1, customer)]
    }
}

/// The groups that a result is split into.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    /// The values of the column of `by`.
    pub values: Option<Values>,
    attribute: usize,
}

impl Groups {
    /// One group, or those of the attribute at this position.
    pub fn of(attribute: Option<usize>, state: &State) -> Self {
        Self { values: attribute.map(|i| Values::of(&state.attributes[i], state)), attribute: attribute.unwrap_or(0) }
    }

    /// Number of groups.
    pub fn number(&self) -> usize {
        self.values.as_ref().map_or(1, |values| values.codes.len())
    }

    /// The group of a buyer.
    #[inline]
    pub fn group(&self, state: &State, customer: u32) -> usize {
        self.values.as_ref().map_or(0, |values| values.rank(&state.attributes[self.attribute], customer) as usize)
    }

    /// The code of a group's value, `None` for null.
    pub fn value(&self, group: usize) -> Option<u32> {
        self.values.as_ref().map(|values| values.codes[group]).filter(|&code| code != NO_CODE)
    }
}

/// The memberships of all buyers, by code and cohort.
pub fn memberships(
    spec: &CohortSpec,
    scene: &Scene,
    book: &Book,
    state: &State,
    column: Option<&Values>,
    threads: Threads<'_>,
) -> Vec<Member> {
    let values = spec.cohort_attribute().and_then(|i| Some((&state.attributes[i], column?)));
    let slots = state.totals.slots();
    let found = threads.par_chunks(book.customers(), |run| {
        let (mut members, mut orders) = (Vec::new(), Vec::new());
        for customer in run.filter(|&customer| slots.orders(customer as u32) > 0) {
            book.orders(customer, &mut orders);
            let customer = customer as u32;
            let Some(first) = orders.iter().find(|order| order.starts() && order.in_window()).map(|order| order.day) else { continue };
            let before = || orders.iter().any(|order| order.starts() && !order.in_window());
            let mut add = |key, anchor| members.push(Member { customer, key, anchor });
            match spec.cohort_by {
                CohortBy::First | CohortBy::Column if before() => {}
                CohortBy::Column => {
                    if let Some((attribute, values)) = values {
                        let rank = values.rank(attribute, customer);
                        if values.codes[rank as usize] != NO_CODE {
                            add(i64::from(rank), first);
                        }
                    }
                }
                CohortBy::First | CohortBy::FirstInWindow => add(scene.calendar.index(first, spec.cohort_period), first),
                CohortBy::Recurring => recurring(spec, scene, &orders, add),
            }
        }
        members
    });
    found.concat()
}

fn recurring(spec: &CohortSpec, scene: &Scene, orders: &[Order], mut add: impl FnMut(i64, i32)) {
    let mut last = None;
    for order in orders.iter().filter(|order| order.starts() && order.in_window()) {
        let key = scene.calendar.index(order.day, spec.cohort_period);
        if last != Some(key) {
            add(key, order.day);
            last = Some(key);
        }
    }
}

/// A cohort and its rows.
#[derive(Debug, Clone, Copy)]
pub struct Cohort {
    /// Its group.
    pub group: usize,
    /// As in [`Member::key`].
    pub key: i64,
    /// Number of members.
    pub size: i64,
    /// The earliest and the latest anchor; of an empty cohort the days that somebody could have come on.
    pub anchors: (i32, i32),
    /// Its first cell.
    pub first: usize,
    /// Number of cells.
    pub rows: usize,
}

/// All cohorts, by group and key.
#[derive(Debug, Clone, Default)]
pub struct Cohorts {
    /// The cohorts.
    pub all: Vec<Cohort>,
    /// Number of cells of all cohorts.
    pub cells: usize,
    /// For cohorts of dates the first key, and how many there are in a group.
    dense: Option<(i64, usize)>,
}

impl Cohorts {
    /// A cohort for each of the `n` observed periods, whose customers are not counted yet.
    pub fn empty(spec: &CohortSpec, scene: &Scene, n: usize) -> Result<Self> {
        let first = scene.periods().start;
        let mut cohorts = Self { dense: Some((first, n)), ..Self::default() };
        let anchors = (i32::MAX, i32::MIN);
        cohorts.all = (first..).take(n).map(|key| Cohort { group: 0, key, size: 0, anchors, first: 0, rows: 0 }).collect();
        cohorts.lay_out(spec, scene)?;
        Ok(cohorts)
    }

    /// The cohorts of these members and, if they are periods, the empty ones between them.
    pub fn of(spec: &CohortSpec, scene: &Scene, members: &[Member], groups: &Groups, state: &State) -> Result<Self> {
        let empty = |group, key, anchors| Cohort { group, key, size: 0, anchors, first: 0, rows: 0 };
        let mut cohorts = Self::default();
        if spec.cohort_by == CohortBy::Column {
            let mut pairs: Vec<_> = members.iter().map(|member| (groups.group(state, member.customer), member.key)).collect();
            pairs.sort_unstable();
            pairs.dedup();
            cohorts.all = pairs.into_iter().map(|(group, key)| empty(group, key, (i32::MAX, i32::MIN))).collect();
        } else if scene.has_periods() {
            let ends = [scene.start.day, scene.end.last_day()].map(|day| scene.calendar.index(day, spec.cohort_period));
            let first = members.iter().map(|member| member.key).fold(ends[0], i64::min);
            let last = members.iter().map(|member| member.key).fold(ends[1], i64::max);
            let keys = (last - first + 1) as usize;
            check_cells(keys as u64 * groups.number() as u64)?;
            cohorts.dense = Some((first, keys));
            cohorts.all =
                (0..groups.number()).flat_map(|group| (first..=last).map(move |key| empty(group, key, (i32::MAX, i32::MIN)))).collect();
        }
        for member in members {
            let at = cohorts.position(groups.group(state, member.customer), member.key);
            let Some(cohort) = cohorts.all.get_mut(at) else { continue };
            cohort.size += 1;
            cohort.anchors = (cohort.anchors.0.min(member.anchor), cohort.anchors.1.max(member.anchor));
        }
        cohorts.lay_out(spec, scene)?;
        Ok(cohorts)
    }

    /// The position of a cohort.
    #[inline]
    pub fn position(&self, group: usize, key: i64) -> usize {
        match self.dense {
            Some((first, keys)) => group * keys + (key - first) as usize,
            None => self.all.partition_point(|cohort| (cohort.group, cohort.key) < (group, key)),
        }
    }

    /// Gives every cohort its rows.
    fn lay_out(&mut self, spec: &CohortSpec, scene: &Scene) -> Result<()> {
        let mut cells = 0_u64;
        for cohort in &mut self.all {
            if cohort.anchors.0 > cohort.anchors.1 {
                let (begin, end) =
                    (scene.calendar.start(cohort.key, spec.cohort_period), scene.calendar.start(cohort.key + 1, spec.cohort_period));
                let day = |day: i64| day.max(i64::from(MIN_DAY)) as i32;
                cohort.anchors = (day(begin.max(i64::from(scene.start.day))), day((end - 1).min(i64::from(scene.end.last_day()))));
            }
            let rows = match (spec.spans().rows(), spec.n_periods) {
                (Some(rows), _) => rows as u64,
                (None, Some(n)) => u64::from(n),
                (None, None) => u64::try_from(scene.begun(cohort.anchors.0)).unwrap_or(0),
            };
            cohort.first = cells.min(MOST_CELLS) as usize;
            cohort.rows = rows as usize;
            cells += rows;
        }
        check_cells(cells)?;
        self.cells = cells as usize;
        Ok(())
    }

    /// The longest cohort's number of rows.
    pub fn longest(&self) -> usize {
        self.all.iter().map(|cohort| cohort.rows).max().unwrap_or(0)
    }
}

/// An error where a result would have too many cells.
pub fn check_cells(cells: u64) -> Result<()> {
    if cells <= MOST_CELLS {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::OutOfRange,
        format!("the result would have {cells} cells, more than 50,000,000; give n_periods, a longer period, or a later observation_start"),
    ))
}
