//! Kinds of values that are no ids and are stored as 64-bit integers of the same order.

use arrow_schema::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};

use crate::num::exact::key_to_float;
use crate::time::calendar::date_text;

/// Values that are stored as integers, by what they are compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScalarKind {
    /// false is 0, true is 1.
    Boolean,
    /// Milliseconds since 1970.
    Date,
    /// A time without a zone in s, ms or us: microseconds since 1970.
    Timestamp,
    /// A time without a zone in ns: nanoseconds since 1970.
    TimestampNs,
    /// A time with a zone in s, ms or us.
    Instant,
    /// A time with a zone in ns.
    InstantNs,
    /// A float of any width, as an integer of the same order; NaN is null, -0.0 is 0.0.
    Float,
}

pub(super) const DAY_MS: i64 = 86_400_000;

impl ScalarKind {
    pub(super) fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Boolean => Self::Boolean,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Timestamp(TimeUnit::Nanosecond, None) => Self::TimestampNs,
            DataType::Timestamp(TimeUnit::Nanosecond, Some(_)) => Self::InstantNs,
            DataType::Timestamp(_, None) => Self::Timestamp,
            DataType::Timestamp(_, Some(_)) => Self::Instant,
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Self::Float,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Boolean => "booleans",
            Self::Date => "dates",
            Self::Timestamp => "timestamps without a zone",
            Self::TimestampNs => "timestamps in ns without a zone",
            Self::Instant => "timestamps with a zone",
            Self::InstantNs => "timestamps in ns with a zone",
            Self::Float => "floats",
        }
    }

    /// A stored value as text.
    pub(crate) fn text(self, value: i64) -> String {
        let time = |per_second: i64, digits: usize, zone: &str| {
            let (seconds, fraction) = (value.div_euclid(per_second), value.rem_euclid(per_second));
            let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
            let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:0digits$}") };
            format!("{}T{:02}:{:02}:{:02}{fraction}{zone}", day_text(day), second / 3600, second / 60 % 60, second % 60)
        };
        match self {
            Self::Boolean => (value != 0).to_string(),
            Self::Date => day_text(value.div_euclid(DAY_MS)),
            Self::Timestamp => time(1_000_000, 6, ""),
            Self::TimestampNs => time(1_000_000_000, 9, ""),
            Self::Instant => time(1_000_000, 6, "Z"),
            Self::InstantNs => time(1_000_000_000, 9, "Z"),
            Self::Float => format!("{:?}", key_to_float(value)),
        }
    }
}

/// A day as text, also where the calendar ends.
fn day_text(day: i64) -> String {
    i32::try_from(day).map_or_else(|_| format!("day {day}"), date_text)
}
