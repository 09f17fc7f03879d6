//! The bounds of observation: a date, or an instant within a day.

use super::time::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::time::calendar::{DAY_SECONDS, date_text};

const SECOND: i64 = 1_000_000;
const DAY: i64 = DAY_SECONDS * SECOND;

/// A bound of observation as the caller gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObservationBound {
    /// 00:00 of a local day; valid for all time columns.
    Date(i32),
    /// Microseconds of wall time since 1970-01-01T00:00; valid for naive times only.
    Naive(i64),
    /// UTC microseconds since 1970; valid for zoned times only.
    Instant(i64),
}

/// A bound of observation, resolved against the clock of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutoff {
    /// Local day.
    pub day: i32,
    /// Microseconds of local wall time since 00:00.
    pub wall: i64,
    /// The instant that times are compared with, in microseconds since 1970; `None` if local days are compared.
    pub moment: Option<i64>,
}

/// The period of observation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObservationWindow {
    /// Start, inclusive; defaults to the first local day of the data.
    pub start: Option<ObservationBound>,
    /// End, exclusive; by default the window ends with the last day that counts.
    pub end: Option<ObservationBound>,
    /// Whether only the day and the amount of a purchase are needed, see [`crate::state::purchase_log`].
    pub is_packed: bool,
    /// Whether no other customer state is needed: rows are orders, and no table of totals will be computed.
    pub alone: bool,
    /// Whether the rows of purchases are counted by day, see [`crate::state::lines_by_day`].
    pub counts_lines: bool,
}

impl ObservationBound {
    /// Resolves the bound against the clock of the data; errors name `argument`.
    pub fn edge(self, argument: &str, clock: &Clock) -> Result<Cutoff> {
        let wrong = |message: String| Err(Error::new(ErrorKind::InvalidType, message));
        let (wall, moment) = match (self, clock) {
            (Self::Date(day), _) => return Ok(Cutoff::of_day(day)),
            (Self::Naive(micros), Clock::Naive) => (micros, micros),
            (Self::Instant(micros), Clock::Zoned(zone)) => {
                let offset = zone.reader().offset_at(micros.div_euclid(SECOND));
                (micros.saturating_add(offset * SECOND), micros)
            }
            (Self::Naive(micros), Clock::Zoned(zone)) => {
                return wrong(format!(
                    "{argument} is a time without a zone, but the timestamps are in zone {}; pass the date {}, or a time with a zone",
                    zone.name(),
                    date_text(micros.div_euclid(DAY) as i32)
                ));
            }
            (Self::Instant(_), Clock::Naive) => {
                return wrong(format!(
                    "{argument} is a time with a zone, but the timestamps have none; pass a date, or a time without a zone"
                ));
            }
        };
        Ok(Cutoff { day: wall.div_euclid(DAY) as i32, wall: wall.rem_euclid(DAY), moment: Some(moment) })
    }
}

impl Cutoff {
    /// 00:00 of a day.
    pub fn of_day(day: i32) -> Self {
        Self { day, wall: 0, moment: None }
    }

    /// Whether it is after 00:00 of its day.
    pub fn has_time(&self) -> bool {
        self.wall > 0
    }

    /// The last local day that begins before it.
    pub fn last_day(&self) -> i32 {
        if self.has_time() { self.day } else { self.day - 1 }
    }

    /// Whether it is before `other`: by instant if both have one, otherwise by local wall time.
    pub fn is_before(&self, other: &Self) -> bool {
        match (self.moment, other.moment) {
            (Some(a), Some(b)) => a < b,
            _ => (self.day, self.wall) < (other.day, other.wall),
        }
    }

    /// ISO text: a date, or with a time `2024-01-01T05:00:00`.
    pub fn text(&self) -> String {
        let date = date_text(self.day);
        if !self.has_time() {
            return date;
        }
        let (seconds, micros) = (self.wall / SECOND, self.wall % SECOND);
        let fraction = if micros > 0 { format!(".{micros:06}") } else { String::new() };
        format!("{date}T{:02}:{:02}:{:02}{fraction}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}
