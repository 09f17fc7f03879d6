//! Settings of a change of revenue: the two periods, and what campaigns added.

use crate::error::{Error, ErrorKind, Result};
use crate::time::calendar::date_text;

/// Local days from a first to a last one, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayRange {
    /// The first day.
    pub first: i32,
    /// The last day.
    pub last: i32,
}

impl DayRange {
    /// Whether it contains a day.
    #[inline]
    pub(super) fn has(self, day: i32) -> bool {
        self.first <= day && day <= self.last
    }

    /// Number of days.
    pub(super) fn days(self) -> i64 {
        i64::from(self.last) - i64::from(self.first) + 1
    }

    fn text(self) -> String {
        format!("{} to {}", date_text(self.first), date_text(self.last))
    }
}

/// Settings of a change of revenue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSpec {
    /// The earlier period.
    pub before: DayRange,
    /// The later period.
    pub after: DayRange,
    /// Whether the periods are of one kind, such as months, whose lengths may differ.
    pub are_calendar: bool,
    /// The attribute that the result is split by.
    pub by: Option<String>,
    /// Why increments of campaigns do not add up; `None` if they do.
    pub overlap: Option<String>,
}

/// What a campaign added among some customers, and the bounds of it.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignIncrement {
    /// Which campaign it is of. Groups of one campaign are compared with the same control.
    pub campaign: usize,
    /// Its name.
    pub name: String,
    /// Number of customers.
    pub customers: u64,
    /// What they spent more; `None` if it was not measured.
    pub revenue: Option<f64>,
    /// The bounds of its interval; `None` where it has none.
    pub bounds: Option<(f64, f64)>,
}

impl ChangeSpec {
    pub(super) fn check(&self, has_segments: bool, campaigns: &[CampaignIncrement]) -> Result<()> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        for (argument, period) in [("before", self.before), ("after", self.after)] {
            if period.first > period.last {
                return invalid(format!("{argument} is {}, and ends before it begins", period.text()));
            }
        }
        if self.before.last >= self.after.first {
            let (before, after) = (self.before.text(), self.after.text());
            return invalid(format!("before is {before} and after is {after}; the first period must end before the second begins"));
        }
        if !campaigns.is_empty() && (self.by.is_some() || has_segments) {
            return invalid("what campaigns added is not known by group: leave by or campaigns out".to_owned());
        }
        Ok(())
    }

    /// Whether the lengths of periods of one's own choice differ.
    pub(super) fn is_unequal(&self) -> bool {
        !self.are_calendar && self.before.days() != self.after.days()
    }
}
