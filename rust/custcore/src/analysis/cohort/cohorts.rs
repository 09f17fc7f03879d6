//! Cohorts and their cell layout. An outlying date creates many empty cohorts: these are not stored but generated when a table
//! is built.

use std::ops::Range;

use hashbrown::HashMap;

use super::members::Member;
use super::observation::Observation;
use super::spec::{CohortBy, CohortSpec};
use super::values::Groups;
use crate::base::view::BaseView;
use crate::error::{Error, ErrorKind, Result};
use crate::time::calendar::{MIN_DAY, date_text};
use crate::time::period::shown;

/// Most cells of one result.
pub(crate) const MOST_CELLS: u64 = 50_000_000;
/// Up to this many cohorts, members are counted densely regardless of their number.
const FEW_COHORTS: usize = 1 << 16;

/// A cohort and the position of its cells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cohort {
    /// Group.
    pub group: usize,
    /// Key, see [`Member::key`].
    pub key: i64,
    /// Cohort size: number of members.
    pub size: i64,
    /// Earliest and latest anchor; for an empty cohort the earliest and latest possible ones.
    pub anchors: (i32, i32),
    /// First cell.
    pub first: usize,
    /// Number of cells.
    pub rows: usize,
}

/// All cohorts, sorted by group and key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cohorts {
    /// Stored cohorts: the ones with members, or all of them if built by [`Cohorts::empty`].
    pub stored: Vec<Cohort>,
    /// Number of cohorts, empty ones included.
    pub number: usize,
    /// Number of cells of all cohorts.
    pub cells: usize,
    /// Number of rows of the longest cohort.
    pub longest: usize,
    /// For period cohorts: the first key and the number of keys per group.
    periods: Option<(i64, usize)>,
    index: Index,
}

/// Index of the stored cohorts.
#[derive(Debug, Clone, Default)]
enum Index {
    /// Binary search by group and key.
    #[default]
    Sorted,
    /// Direct lookup: first key, number of keys per group, and the position for each group and key.
    Places(i64, usize, Vec<u32>),
}

/// Size and anchors of one cohort.
#[derive(Debug, Clone, Copy)]
struct CohortSummary {
    size: i64,
    anchors: (i32, i32),
}

impl CohortSummary {
    const EMPTY: Self = Self { size: 0, anchors: (i32::MAX, i32::MIN) };

    fn add(&mut self, anchor: i32) {
        self.size += 1;
        self.anchors = (self.anchors.0.min(anchor), self.anchors.1.max(anchor));
    }
}

impl Cohorts {
    /// One cohort for each of the `n` observed periods, with members not yet counted.
    pub(crate) fn empty(spec: &CohortSpec, observation: &Observation, n: usize) -> Result<Self> {
        let mut cohorts = Self { periods: Some((observation.periods().start, n)), ..Self::default() };
        cohorts.lay_out(spec, observation, 1)?;
        cohorts.stored = cohorts.slice(spec, observation, 0..n);
        Ok(cohorts)
    }

    /// The cohorts of `members`; period cohorts include the empty ones of the observation window.
    pub(crate) fn of(
        spec: &CohortSpec,
        observation: &Observation,
        members: &[Member],
        groups: &Groups,
        view: &BaseView<'_>,
    ) -> Result<Self> {
        let mut cohorts = Self { periods: periods(spec, observation, members.iter().map(|member| member.key)), ..Self::default() };
        let (first, keys) = match cohorts.periods {
            Some(periods) => periods,
            None => (0, members.iter().map(|member| member.key + 1).max().unwrap_or(0) as usize),
        };
        let places = keys.saturating_mul(groups.number());
        let place = |member: &Member| groups.group(view, member.customer) * keys + (member.key - first) as usize;
        let seen: Vec<(usize, CohortSummary)> = if places <= FEW_COHORTS.max(members.len()) {
            let mut seen = vec![CohortSummary::EMPTY; places];
            members.iter().for_each(|member| seen[place(member)].add(member.anchor));
            let nonempty: Vec<(usize, CohortSummary)> = seen.into_iter().enumerate().filter(|(_, seen)| seen.size > 0).collect();
            let mut index = vec![u32::MAX; places];
            (0..).zip(&nonempty).for_each(|(at, (place, _))| index[*place] = at);
            cohorts.index = Index::Places(first, keys, index);
            nonempty
        } else {
            let mut seen: HashMap<usize, CohortSummary, foldhash::fast::RandomState> = HashMap::default();
            members.iter().for_each(|member| seen.entry(place(member)).or_insert(CohortSummary::EMPTY).add(member.anchor));
            let mut seen: Vec<_> = seen.into_iter().collect();
            seen.sort_unstable_by_key(|(place, _)| *place);
            seen
        };
        let cohort = |(place, CohortSummary { size, anchors }): (usize, CohortSummary)| {
            let (group, key) = (place / keys, first + (place % keys) as i64);
            Cohort { group, key, size, anchors, first: 0, rows: 0 }
        };
        cohorts.stored = seen.into_iter().map(cohort).collect();
        cohorts.lay_out(spec, observation, groups.number())?;
        Ok(cohorts)
    }

    /// Cohorts of these groups, keys, sizes and anchors, sorted by group and key.
    pub(super) fn of_sizes(spec: &CohortSpec, observation: &Observation, stored: Vec<Cohort>, groups: usize) -> Result<Self> {
        let periods = periods(spec, observation, stored.iter().map(|cohort| cohort.key));
        let mut cohorts = Self { stored, periods, ..Self::default() };
        cohorts.lay_out(spec, observation, groups)?;
        Ok(cohorts)
    }

    /// The cohort of a group and key, if stored.
    #[inline]
    pub(crate) fn find(&self, group: usize, key: i64) -> Option<&Cohort> {
        match &self.index {
            Index::Places(first, keys, places) => self.stored.get(*places.get(group * keys + (key - first) as usize)? as usize),
            Index::Sorted => {
                self.stored.binary_search_by(|cohort| (cohort.group, cohort.key).cmp(&(group, key))).ok().map(|at| &self.stored[at])
            }
        }
    }

    /// The cohorts at `positions`, empty ones included, as shown in tables.
    pub(crate) fn slice(&self, spec: &CohortSpec, observation: &Observation, positions: Range<usize>) -> Vec<Cohort> {
        let (mut slice, mut place) = (Vec::with_capacity(positions.len()), 0);
        self.each(spec, observation, positions.end, |cohort, _| {
            if place >= positions.start {
                slice.push(cohort);
            }
            place += 1;
        });
        slice
    }

    /// The first cohort.
    pub(crate) fn first(&self, spec: &CohortSpec, observation: &Observation) -> Option<Cohort> {
        self.slice(spec, observation, 0..self.number.min(1)).pop()
    }

    /// Assigns cells to every cohort.
    fn lay_out(&mut self, spec: &CohortSpec, observation: &Observation, groups: usize) -> Result<()> {
        self.number = self.periods.map_or(self.stored.len(), |(_, keys)| keys.saturating_mul(groups));
        let mut cells = self.number as u64;
        if cells <= MOST_CELLS {
            (cells, self.longest) = (0, 0);
            let (mut firsts, mut longest) = (Vec::with_capacity(self.stored.len()), 0);
            self.each(spec, observation, self.number, |cohort, is_stored| {
                if is_stored {
                    firsts.push((cells.min(MOST_CELLS) as usize, cohort.rows));
                }
                longest = cohort.rows.max(longest);
                cells += cohort.rows as u64;
            });
            self.longest = longest;
            self.stored.iter_mut().zip(firsts).for_each(|(cohort, place)| (cohort.first, cohort.rows) = place);
        }
        check_cells(cells, spec, observation)?;
        self.cells = cells as usize;
        Ok(())
    }

    /// Calls `take` with each of the first `number` cohorts by group and key, and whether it is stored.
    fn each(&self, spec: &CohortSpec, observation: &Observation, number: usize, mut take: impl FnMut(Cohort, bool)) {
        let rows = |anchor: i32| match (spec.spans().rows(), spec.n_periods) {
            (Some(rows), _) => rows,
            (None, Some(n)) => n as usize,
            (None, None) => usize::try_from(observation.begun(anchor)).unwrap_or(0),
        };
        let (mut stored, mut first) = (self.stored.iter().peekable(), 0);
        for place in 0..number {
            let known = match self.periods {
                Some((first, keys)) => {
                    let (group, key) = (place / keys, first + (place % keys) as i64);
                    stored.next_if(|cohort| (cohort.group, cohort.key) == (group, key)).ok_or((group, key))
                }
                None => stored.next().ok_or((0, 0)),
            };
            let mut cohort = known.copied().unwrap_or_else(|(group, key)| {
                let anchors = possible_anchors(spec, observation, key);
                Cohort { group, key, size: 0, anchors, first: 0, rows: 0 }
            });
            (cohort.first, cohort.rows) = (first, rows(cohort.anchors.0));
            first += cohort.rows;
            take(cohort, known.is_ok());
        }
    }
}

/// The first key and the number of keys of period cohorts: those of the observation window, and these.
fn periods(spec: &CohortSpec, observation: &Observation, keys: impl Iterator<Item = i64>) -> Option<(i64, usize)> {
    if spec.cohort_by == CohortBy::Column || !observation.has_periods() {
        return None;
    }
    let [first, last] = [observation.start.day, observation.end.last_day()].map(|day| observation.calendar.index(day, spec.cohort_period));
    let (first, last) = keys.fold((first, last), |(first, last), key| (first.min(key), last.max(key)));
    Some((first, (last - first + 1) as usize))
}

/// First and last possible anchor of the cohort of a period.
fn possible_anchors(spec: &CohortSpec, observation: &Observation, key: i64) -> (i32, i32) {
    let (begin, end) = (observation.calendar.start(key, spec.cohort_period), observation.calendar.start(key + 1, spec.cohort_period));
    let day = |day: i64| day.max(i64::from(MIN_DAY)) as i32;
    (day(begin.max(i64::from(observation.start.day))), day((end - 1).min(i64::from(observation.end.last_day()))))
}

/// Checks the number of cells of a result before any is allocated.
pub(crate) fn check_cells(cells: u64, spec: &CohortSpec, observation: &Observation) -> Result<()> {
    if cells <= MOST_CELLS {
        return Ok(());
    }
    let (first, last) = (date_text(observation.start.day), date_text(shown(i64::from(observation.end.last_day()))));
    let mut message = format!("the result would have {cells} cells, more than 50,000,000: the observation window is {first} to {last}");
    if spec.cohort_by != CohortBy::Column {
        let index = |day: i32| observation.calendar.index(day, spec.cohort_period);
        let cohorts = index(observation.end.last_day()) - index(observation.start.day) + 1;
        message = format!("{message}, which has {cohorts} cohorts");
    }
    message += ". If a date is wrong, exclude it with observation_start and observation_end; otherwise set n_periods or a longer period";
    Err(Error::new(ErrorKind::OutOfRange, message))
}
