//! What is observed, and the periods it is cut into.

use super::spec::CohortSpec;
use crate::base::view::BaseView;
use crate::column::bounds::Cutoff;
use crate::ingest::window_log::{FIRST_DAY, LAST_DAY};
use crate::time::period::{Calendar, DayTable, MOST_DAYS, Period};

/// The time that is looked at.
#[derive(Debug, Clone)]
pub(crate) struct Observation {
    /// Its first moment.
    pub start: Cutoff,
    /// The first moment after it.
    pub end: Cutoff,
    /// Where periods begin.
    pub calendar: Calendar,
    /// The period that columns are counted in.
    pub period: Period,
    /// The length of a period that is counted from each customer's own first day.
    own: Option<i32>,
    days: DayTable,
    /// Periods of the last day that is observed, and of the day that the end lies on.
    last: i64,
    end_period: i64,
}

impl Observation {
    /// The time that was asked for, or that the orders (which lie on the days `days`) cover; `None` without any.
    pub(crate) fn new(
        spec: &CohortSpec,
        view: &BaseView<'_>,
        (start, end): (Option<Cutoff>, Option<Cutoff>),
        days: Option<(i32, i32)>,
    ) -> Option<Self> {
        let end = end.or_else(|| view.last_day().map(|day| Cutoff::of_day(day + 1)))?;
        let asked = start;
        let start = start.or_else(|| view.first_day().map(Cutoff::of_day))?;
        let origin = asked.map_or(0, |start| start.day);
        let calendar = spec.calendar(origin);
        let (first, last) = looked_up(days.unwrap_or((start.day, start.day)));
        Some(Self {
            start,
            end,
            calendar,
            period: spec.period,
            own: spec.period.days().filter(|_| spec.elapsed),
            days: DayTable::new(&calendar, spec.period, first, last),
            last: calendar.index(end.last_day(), spec.period),
            end_period: calendar.index(end.day, spec.period),
        })
    }

    /// Whether there is a day between both ends.
    pub(crate) fn has_periods(&self) -> bool {
        self.end.last_day() >= self.start.day
    }

    /// The period of a day.
    #[inline]
    pub(crate) fn index(&self, day: i32) -> i64 {
        let at = day.wrapping_sub(self.days.first());
        match self.days.periods().get(at as usize) {
            Some(&period) => self.days.zero() + i64::from(period),
            None => self.calendar.index(day, self.period),
        }
    }

    /// The first day that a purchase may lie on, and the places of it and all that follow, see [`Observation::place`].
    pub(crate) fn days(&self) -> (i32, impl Iterator<Item = u32>) {
        let shift = self.days.zero() - self.index(self.start.day);
        (self.days.first(), self.days.periods().iter().map(move |&period| (i64::from(period) + shift) as u32))
    }

    /// The period of an observed day, counted from the first one that is observed.
    pub(crate) fn place(&self, day: i32) -> usize {
        (self.index(day) - self.index(self.start.day)) as usize
    }

    /// How many periods after that of his anchor a customer's day lies.
    #[inline]
    pub(crate) fn offset(&self, anchor: i32, day: i32) -> i64 {
        match self.own {
            Some(length) => i64::from((day - anchor).div_euclid(length)),
            None => self.index(day) - self.index(anchor),
        }
    }

    /// Windows of a customer that have begun.
    pub(crate) fn begun(&self, anchor: i32) -> i64 {
        match self.own {
            Some(length) => i64::from((self.end.last_day() - anchor).div_euclid(length)) + 1,
            None => self.last - self.index(anchor) + 1,
        }
    }

    /// Windows of a customer that are over.
    pub(crate) fn ended(&self, anchor: i32) -> i64 {
        match self.own {
            Some(length) => i64::from((self.end.day - anchor).div_euclid(length)),
            None => self.end_period - self.index(anchor),
        }
    }

    /// The calendar's periods from the first to the last that is observed.
    pub(crate) fn periods(&self) -> std::ops::Range<i64> {
        if self.has_periods() { self.index(self.start.day)..self.last + 1 } else { 0..0 }
    }

    /// Whether a calendar period is over.
    pub(crate) fn is_over(&self, index: i64) -> bool {
        self.calendar.start(index + 1, self.period) <= i64::from(self.end.day)
    }
}

/// The days whose periods are looked up: all that occur, or, where these lie far apart, those among them that a purchase log
/// holds. Periods of other days are computed.
fn looked_up((first, last): (i32, i32)) -> (i32, i32) {
    let many = i64::from(last) - i64::from(first) >= i64::from(MOST_DAYS);
    if many && first <= LAST_DAY && last >= FIRST_DAY { (first.max(FIRST_DAY), last.min(LAST_DAY)) } else { (first, last) }
}
