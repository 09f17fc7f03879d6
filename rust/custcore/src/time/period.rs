//! Calendar periods as integer indices: arithmetic on days since 1970-01-01, and a lookup table for many days. Period starts
//! are 64-bit, since a window may extend far beyond the year 9999.

use super::calendar::{MAX_DAY, MIN_DAY, civil};

/// The length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// A local day.
    Day,
    /// A week, from the first day of the week.
    Week,
    /// A month.
    Month,
    /// A quarter of the fiscal year.
    Quarter,
    /// A fiscal year.
    Year,
    /// A number of days, counted from the origin of the calendar.
    Days(i32),
}

/// The first day of weeks, quarters, years and windows of n days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Calendar {
    /// First day of the week; 0 is Monday.
    pub week_start: i32,
    /// Months between January and the first month of the fiscal year, 0 to 11.
    pub fiscal_shift: i32,
    /// The day that windows of n days are counted from.
    pub origin: i32,
}

impl Period {
    /// The length in days, if it is fixed.
    pub fn days(self) -> Option<i32> {
        match self {
            Self::Day => Some(1),
            Self::Week => Some(7),
            Self::Days(n) => Some(n),
            Self::Month | Self::Quarter | Self::Year => None,
        }
    }
}

impl Calendar {
    /// The index of the period that contains a day.
    pub fn index(&self, day: i32, period: Period) -> i64 {
        match self.months(period) {
            Some((length, shift)) => {
                let (year, month, _) = civil(day);
                (12 * i64::from(year) + i64::from(month) - 1 - shift).div_euclid(length)
            }
            None => (i64::from(day) - self.first(period)).div_euclid(Self::length(period)),
        }
    }

    /// The first day of a period; its end is the start of the next period.
    pub fn start(&self, index: i64, period: Period) -> i64 {
        match self.months(period) {
            Some((length, shift)) => first_of_month(index * length + shift),
            None => self.first(period) + index * Self::length(period),
        }
    }

    /// The length of a period in months, and the shift of its start in months; `None` for periods of fixed length.
    fn months(&self, period: Period) -> Option<(i64, i64)> {
        match period {
            Period::Month => Some((1, 0)),
            Period::Quarter => Some((3, i64::from(self.fiscal_shift))),
            Period::Year => Some((12, i64::from(self.fiscal_shift))),
            Period::Day | Period::Week | Period::Days(_) => None,
        }
    }

    fn length(period: Period) -> i64 {
        period.days().map_or(1, i64::from)
    }

    /// A day on which a period starts. 1970-01-01 was a Thursday.
    fn first(&self, period: Period) -> i64 {
        match period {
            Period::Week => i64::from(self.week_start) - 3,
            Period::Days(_) => i64::from(self.origin),
            Period::Day | Period::Month | Period::Quarter | Period::Year => 0,
        }
    }
}

/// The first day of month `12 * year + month - 1` (Howard Hinnant's `days_from_civil`).
fn first_of_month(month: i64) -> i64 {
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

/// Clamps a day to the years 1 to 9999, so that it can be shown.
pub(crate) fn shown(day: i64) -> i32 {
    day.clamp(i64::from(MIN_DAY), i64::from(MAX_DAY)) as i32
}

/// Maximum number of days in a [`DayTable`], 179 years. A distant outlier date must not increase its memory.
pub(crate) const MOST_DAYS: i32 = 1 << 16;

/// Lookup table from days to periods, over a range of days.
#[derive(Debug, Clone)]
pub(crate) struct DayTable {
    first: i32,
    /// Relative to the period of the first day, [`DayTable::zero`].
    periods: Vec<i32>,
    zero: i64,
}

impl DayTable {
    /// The periods of the days `first..=last`, at most of the first [`MOST_DAYS`].
    pub(crate) fn new(calendar: &Calendar, period: Period, first: i32, last: i32) -> Self {
        let last = last.min(first.saturating_add(MOST_DAYS - 1));
        let zero = calendar.index(first, period);
        let mut periods = Vec::with_capacity(usize::try_from(i64::from(last) - i64::from(first) + 1).unwrap_or(0));
        let (mut index, mut day) = (zero, i64::from(first));
        while day <= i64::from(last) {
            let end = calendar.start(index + 1, period).min(i64::from(last) + 1);
            periods.resize((end - i64::from(first)) as usize, (index - zero) as i32);
            day = end;
            index += 1;
        }
        Self { first, periods, zero }
    }

    /// The index of the first period; the others are relative to it.
    pub(crate) fn zero(&self) -> i64 {
        self.zero
    }

    /// The first day of the range.
    pub(crate) fn first(&self) -> i32 {
        self.first
    }

    /// The relative periods of all days.
    pub(crate) fn periods(&self) -> &[i32] {
        &self.periods
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIODS: [Period; 7] =
        [Period::Day, Period::Week, Period::Month, Period::Quarter, Period::Year, Period::Days(2), Period::Days(45)];

    #[test]
    fn every_day_lies_in_its_period() {
        let calendar = Calendar { week_start: 6, fiscal_shift: 3, origin: 19_005 };
        for period in PERIODS {
            let days = (MIN_DAY..=MAX_DAY).step_by(9_973).chain([MIN_DAY, -4, -3, -1, 0, 1, 18_990, MAX_DAY]);
            for day in days {
                let index = calendar.index(day, period);
                let (start, end) = (calendar.start(index, period), calendar.start(index + 1, period));
                assert!(start <= i64::from(day) && i64::from(day) < end, "{period:?} {day}: {start}..{end}");
            }
        }
    }

    #[test]
    fn weeks_follow_iso_over_the_turn_of_the_year() {
        let calendar = Calendar::default();
        let week_53 = calendar.index(18_624, Period::Week); // 2020-12-28
        assert_eq!(calendar.index(18_630, Period::Week), week_53);
        assert_eq!(calendar.index(18_631, Period::Week), week_53 + 1);
        assert_eq!(calendar.start(week_53, Period::Week), 18_624);
        assert_eq!(calendar.index(-4, Period::Week) + 1, calendar.index(-3, Period::Week), "floored, not cut");
    }

    #[test]
    fn the_table_agrees_with_the_calendar() {
        let calendar = Calendar { week_start: 2, fiscal_shift: 10, origin: -7 };
        for period in PERIODS {
            let table = DayTable::new(&calendar, period, -400, 900);
            for (day, &place) in (-400..=900).zip(table.periods()) {
                assert_eq!(table.zero() + i64::from(place), calendar.index(day, period));
            }
        }
        assert_eq!(DayTable::new(&calendar, Period::Day, MIN_DAY, MAX_DAY).periods().len(), 1 << 16, "an outlier date needs no memory");
        assert_eq!(shown(calendar.start(200_000_000, Period::Month)), MAX_DAY);
    }
}
