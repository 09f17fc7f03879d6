//! The observation window and its periods.

use super::spec::CohortSpec;
use crate::base::view::BaseView;
use crate::column::bounds::Cutoff;
use crate::ingest::window_log::{FIRST_DAY, LAST_DAY};
use crate::time::period::{Calendar, DayTable, MOST_DAYS, Period};

/// The observation window.
#[derive(Debug, Clone)]
pub(crate) struct Observation {
    /// Start, inclusive.
    pub start: Cutoff,
    /// End, exclusive.
    pub end: Cutoff,
    /// Calendar that defines period boundaries.
    pub calendar: Calendar,
    /// Period of the columns.
    pub period: Period,
    /// Length in days of a period counted from each customer's anchor, in elapsed mode.
    elapsed_length: Option<i32>,
    days: DayTable,
    /// Periods of the last observed day and of the day of the end.
    last: i64,
    end_period: i64,
}

impl Observation {
    /// The requested window, or the one covered by the orders, whose days range over `days`; `None` without orders.
    pub(crate) fn new(
        spec: &CohortSpec,
        view: &BaseView<'_>,
        (start, end): (Option<Cutoff>, Option<Cutoff>),
        days: Option<(i32, i32)>,
    ) -> Option<Self> {
        let end = end.or_else(|| view.last_day().map(|day| Cutoff::of_day(day + 1)))?;
        let requested = start;
        let start = start.or_else(|| view.first_day().map(Cutoff::of_day))?;
        let origin = requested.map_or(0, |start| start.day);
        let calendar = spec.calendar(origin);
        let calendar_periods = Self::of(calendar, spec.period, (start, end), days);
        Some(Self { elapsed_length: spec.period.days().filter(|_| spec.elapsed), ..calendar_periods })
    }

    /// Calendar periods from a start to an end, with orders on the days `days`.
    pub(crate) fn of(calendar: Calendar, period: Period, (start, end): (Cutoff, Cutoff), days: Option<(i32, i32)>) -> Self {
        let (first, last) = lookup_days(days.unwrap_or((start.day, start.day)));
        Self {
            start,
            end,
            calendar,
            period,
            elapsed_length: None,
            days: DayTable::new(&calendar, period, first, last),
            last: calendar.index(end.last_day(), period),
            end_period: calendar.index(end.day, period),
        }
    }

    /// Whether the window contains a day.
    pub(crate) fn has_periods(&self) -> bool {
        self.end.last_day() >= self.start.day
    }

    /// The period index of a day.
    #[inline]
    pub(crate) fn index(&self, day: i32) -> i64 {
        let at = day.wrapping_sub(self.days.first());
        match self.days.periods().get(at as usize) {
            Some(&period) => self.days.zero() + i64::from(period),
            None => self.calendar.index(day, self.period),
        }
    }

    /// The first day of the lookup table, and the place of it and of each following day, see [`Observation::place`].
    pub(crate) fn days(&self) -> (i32, impl Iterator<Item = u32>) {
        let shift = self.days.zero() - self.index(self.start.day);
        (self.days.first(), self.days.periods().iter().map(move |&period| (i64::from(period) + shift) as u32))
    }

    /// The period of an observed day, counted from the first observed period.
    pub(crate) fn place(&self, day: i32) -> usize {
        (self.index(day) - self.index(self.start.day)) as usize
    }

    /// Period offset of a day from a customer's anchor.
    #[inline]
    pub(crate) fn offset(&self, anchor: i32, day: i32) -> i64 {
        match self.elapsed_length {
            Some(length) => i64::from((day - anchor).div_euclid(length)),
            None => self.index(day) - self.index(anchor),
        }
    }

    /// Number of a customer's windows that have begun.
    pub(crate) fn begun(&self, anchor: i32) -> i64 {
        match self.elapsed_length {
            Some(length) => i64::from((self.end.last_day() - anchor).div_euclid(length)) + 1,
            None => self.last - self.index(anchor) + 1,
        }
    }

    /// Number of a customer's windows that have ended.
    pub(crate) fn ended(&self, anchor: i32) -> i64 {
        match self.elapsed_length {
            Some(length) => i64::from((self.end.day - anchor).div_euclid(length)),
            None => self.end_period - self.index(anchor),
        }
    }

    /// The observed calendar periods.
    pub(crate) fn periods(&self) -> std::ops::Range<i64> {
        if self.has_periods() { self.index(self.start.day)..self.last + 1 } else { 0..0 }
    }

    /// Whether a calendar period has ended.
    pub(crate) fn is_over(&self, index: i64) -> bool {
        self.calendar.start(index + 1, self.period) <= i64::from(self.end.day)
    }
}

/// Range of days covered by the period lookup table: all days of the orders or, if the range is too wide, the ones that the
/// packed purchase log can hold. Periods of other days are computed.
fn lookup_days((first, last): (i32, i32)) -> (i32, i32) {
    let many = i64::from(last) - i64::from(first) >= i64::from(MOST_DAYS);
    if many && first <= LAST_DAY && last >= FIRST_DAY { (first.max(FIRST_DAY), last.min(LAST_DAY)) } else { (first, last) }
}
