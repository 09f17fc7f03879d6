//! The cohorts and where their rows lie. Those without members are many where a date lies far away: they are not kept but made
//! when a table is.

use std::ops::Range;

use hashbrown::HashMap;

use super::members::{Groups, Member};
use super::observation::Observation;
use super::spec::{CohortBy, CohortSpec};
use crate::base::view::BaseView;
use crate::error::{Error, ErrorKind, Result};
use crate::time::calendar::{MIN_DAY, date_text};
use crate::time::period::shown;

/// Cells of one result at the most.
pub(crate) const MOST_CELLS: u64 = 50_000_000;
/// So many cohorts have places while members are counted, however few members there are.
const FEW_COHORTS: usize = 1 << 16;

/// A cohort and its rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cohort {
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
pub(crate) struct Cohorts {
    /// Those with members, and where all have been counted one by one the others, too.
    pub kept: Vec<Cohort>,
    /// Number of all.
    pub number: usize,
    /// Number of cells of all cohorts.
    pub cells: usize,
    /// The longest cohort's number of rows.
    pub longest: usize,
    /// For cohorts of dates the first key, and how many there are in a group.
    periods: Option<(i64, usize)>,
    index: Index,
}

/// Where cohorts are among those that are kept.
#[derive(Debug, Clone, Default)]
enum Index {
    /// To be found by group and key.
    #[default]
    Sorted,
    /// A place for each key (the first one is given, and how many there are) of each group.
    Places(i64, usize, Vec<u32>),
}

/// Members of one cohort.
#[derive(Debug, Clone, Copy)]
struct Seen {
    size: i64,
    anchors: (i32, i32),
}

impl Seen {
    const NOBODY: Self = Self { size: 0, anchors: (i32::MAX, i32::MIN) };

    fn add(&mut self, anchor: i32) {
        self.size += 1;
        self.anchors = (self.anchors.0.min(anchor), self.anchors.1.max(anchor));
    }
}

impl Cohorts {
    /// A cohort for each of the `n` observed periods, whose customers are not counted yet.
    pub(crate) fn empty(spec: &CohortSpec, observation: &Observation, n: usize) -> Result<Self> {
        let mut cohorts = Self { periods: Some((observation.periods().start, n)), ..Self::default() };
        cohorts.lay_out(spec, observation, 1)?;
        cohorts.kept = cohorts.some(spec, observation, 0..n);
        Ok(cohorts)
    }

    /// The cohorts of these members and, if they are periods, the empty ones between them.
    pub(crate) fn of(
        spec: &CohortSpec,
        observation: &Observation,
        members: &[Member],
        groups: &Groups,
        view: &BaseView<'_>,
    ) -> Result<Self> {
        let mut cohorts = Self::default();
        if spec.cohort_by != CohortBy::Column && observation.has_periods() {
            let ends = [observation.start.day, observation.end.last_day()].map(|day| observation.calendar.index(day, spec.cohort_period));
            let first = members.iter().map(|member| member.key).fold(ends[0], i64::min);
            let last = members.iter().map(|member| member.key).fold(ends[1], i64::max);
            cohorts.periods = Some((first, (last - first + 1) as usize));
        }
        let (first, keys) = match cohorts.periods {
            Some(periods) => periods,
            None => (0, members.iter().map(|member| member.key + 1).max().unwrap_or(0) as usize),
        };
        let places = keys.saturating_mul(groups.number());
        let place = |member: &Member| groups.group(view, member.customer) * keys + (member.key - first) as usize;
        let seen: Vec<(usize, Seen)> = if places <= FEW_COHORTS.max(members.len()) {
            let mut seen = vec![Seen::NOBODY; places];
            members.iter().for_each(|member| seen[place(member)].add(member.anchor));
            let kept: Vec<(usize, Seen)> = seen.into_iter().enumerate().filter(|(_, seen)| seen.size > 0).collect();
            let mut index = vec![u32::MAX; places];
            (0..).zip(&kept).for_each(|(at, (place, _))| index[*place] = at);
            cohorts.index = Index::Places(first, keys, index);
            kept
        } else {
            let mut seen: HashMap<usize, Seen, foldhash::fast::RandomState> = HashMap::default();
            members.iter().for_each(|member| seen.entry(place(member)).or_insert(Seen::NOBODY).add(member.anchor));
            let mut seen: Vec<_> = seen.into_iter().collect();
            seen.sort_unstable_by_key(|(place, _)| *place);
            seen
        };
        let cohort = |(place, Seen { size, anchors }): (usize, Seen)| {
            let (group, key) = (place / keys, first + (place % keys) as i64);
            Cohort { group, key, size, anchors, first: 0, rows: 0 }
        };
        cohorts.kept = seen.into_iter().map(cohort).collect();
        cohorts.lay_out(spec, observation, groups.number())?;
        Ok(cohorts)
    }

    /// The cohort of a group and key, if it has members.
    #[inline]
    pub(crate) fn find(&self, group: usize, key: i64) -> Option<&Cohort> {
        match &self.index {
            Index::Places(first, keys, places) => self.kept.get(*places.get(group * keys + (key - first) as usize)? as usize),
            Index::Sorted => {
                self.kept.binary_search_by(|cohort| (cohort.group, cohort.key).cmp(&(group, key))).ok().map(|at| &self.kept[at])
            }
        }
    }

    /// Some of all cohorts by position, one by one, as tables show them.
    pub(crate) fn some(&self, spec: &CohortSpec, observation: &Observation, positions: Range<usize>) -> Vec<Cohort> {
        let (mut some, mut place) = (Vec::with_capacity(positions.len()), 0);
        self.each(spec, observation, positions.end, |cohort, _| {
            if place >= positions.start {
                some.push(cohort);
            }
            place += 1;
        });
        some
    }

    /// The first cohort.
    pub(crate) fn first(&self, spec: &CohortSpec, observation: &Observation) -> Option<Cohort> {
        self.some(spec, observation, 0..self.number.min(1)).pop()
    }

    /// Gives every cohort its rows.
    fn lay_out(&mut self, spec: &CohortSpec, observation: &Observation, groups: usize) -> Result<()> {
        self.number = self.periods.map_or(self.kept.len(), |(_, keys)| keys.saturating_mul(groups));
        let mut cells = self.number as u64;
        if cells <= MOST_CELLS {
            (cells, self.longest) = (0, 0);
            let (mut firsts, mut longest) = (Vec::with_capacity(self.kept.len()), 0);
            self.each(spec, observation, self.number, |cohort, is_kept| {
                if is_kept {
                    firsts.push((cells.min(MOST_CELLS) as usize, cohort.rows));
                }
                longest = cohort.rows.max(longest);
                cells += cohort.rows as u64;
            });
            self.longest = longest;
            self.kept.iter_mut().zip(firsts).for_each(|(cohort, place)| (cohort.first, cohort.rows) = place);
        }
        check_cells(cells, spec, observation)?;
        self.cells = cells as usize;
        Ok(())
    }

    /// Hands over the first `number` cohorts, ascending by group and key, and whether they are kept.
    fn each(&self, spec: &CohortSpec, observation: &Observation, number: usize, mut take: impl FnMut(Cohort, bool)) {
        let rows = |anchor: i32| match (spec.spans().rows(), spec.n_periods) {
            (Some(rows), _) => rows,
            (None, Some(n)) => n as usize,
            (None, None) => usize::try_from(observation.begun(anchor)).unwrap_or(0),
        };
        let (mut kept, mut first) = (self.kept.iter().peekable(), 0);
        for place in 0..number {
            let known = match self.periods {
                Some((first, keys)) => {
                    let (group, key) = (place / keys, first + (place % keys) as i64);
                    kept.next_if(|cohort| (cohort.group, cohort.key) == (group, key)).ok_or((group, key))
                }
                None => kept.next().ok_or((0, 0)),
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

/// The first and the last day on which somebody could have come into the cohort of a period.
fn possible_anchors(spec: &CohortSpec, observation: &Observation, key: i64) -> (i32, i32) {
    let (begin, end) = (observation.calendar.start(key, spec.cohort_period), observation.calendar.start(key + 1, spec.cohort_period));
    let day = |day: i64| day.max(i64::from(MIN_DAY)) as i32;
    (day(begin.max(i64::from(observation.start.day))), day((end - 1).min(i64::from(observation.end.last_day()))))
}

/// An error where a result would have too many cells. Nothing is allocated for them before.
pub(crate) fn check_cells(cells: u64, spec: &CohortSpec, observation: &Observation) -> Result<()> {
    if cells <= MOST_CELLS {
        return Ok(());
    }
    let (first, last) = (date_text(observation.start.day), date_text(shown(i64::from(observation.end.last_day()))));
    let mut message = format!("the result would have {cells} cells, more than 50,000,000: cohorts are counted from {first} to {last}");
    if spec.cohort_by != CohortBy::Column {
        let index = |day: i32| observation.calendar.index(day, spec.cohort_period);
        let cohorts = index(observation.end.last_day()) - index(observation.start.day) + 1;
        message = format!("{message}, which makes {cohorts} of them");
    }
    message += ". If a date is wrong, leave it out with observation_start and observation_end; else give n_periods or a longer period";
    Err(Error::new(ErrorKind::OutOfRange, message))
}
