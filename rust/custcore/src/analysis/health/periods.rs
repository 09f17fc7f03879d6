//! The months of a health report.

use crate::time::period::{Calendar, Period, shown};

/// Most months before the last one from which limits are computed.
const HISTORY: i64 = 12;

/// Complete months, as indices of the calendar: the last one, and those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Months {
    /// The first month of which anything is known as a whole.
    pub(super) first: i64,
    /// The last complete month.
    pub(super) last: i64,
}

impl Months {
    /// The complete months up to a day of a base that begins on `first_day`; `None` without any.
    pub(super) fn until(day: i32, first_day: i32) -> Option<Self> {
        let calendar = Calendar::default();
        let last = calendar.index(day.saturating_add(1), Period::Month) - 1;
        // A month of which the first days are missing is not complete.
        let begun = calendar.index(first_day, Period::Month);
        let whole = begun + i64::from(calendar.start(begun, Period::Month) < i64::from(first_day));
        (last >= whole).then_some(Self { first: whole.max(last - HISTORY), last })
    }

    /// All of them in order.
    pub(super) fn all(&self) -> impl ExactSizeIterator<Item = i64> + use<> {
        (0..(self.last - self.first + 1) as usize).map({
            let first = self.first;
            move |at| first + at as i64
        })
    }
}

/// The first day of a month.
pub(super) fn start_of(month: i64) -> i32 {
    shown(Calendar::default().start(month, Period::Month))
}

/// The last day of a month.
pub(super) fn end_of(month: i64) -> i32 {
    start_of(month + 1) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_complete_from_their_first_to_their_last_day() {
        // 2011-12-09 is day 15,317; November ended on day 15,308.
        let months = Months::until(15_317, 14_000).unwrap_or(Months { first: 0, last: -1 });
        assert_eq!((end_of(months.last), months.last - months.first), (15_308, 12));
        assert_eq!(Months::until(15_308, 15_279).map(|months| (months.last - months.first, start_of(months.first))), Some((0, 15_279)));
        assert_eq!(Months::until(15_308, 15_280), None);
        assert_eq!(Months::until(15_307, 15_279), None);
    }
}
