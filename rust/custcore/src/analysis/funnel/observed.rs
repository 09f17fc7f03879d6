//! The end of observation as a time of events.

use super::spec::FunnelSpec;
use crate::column::bounds::Cutoff;
use crate::column::time::Clock;
use crate::error::Result;
use crate::time::calendar::DAY_SECONDS;
use crate::time::zone::Zone;

/// The unit in which the times of events are held: microseconds, or nanoseconds if a column has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) per_second: i64,
}

impl Unit {
    pub(super) const MICROSECOND: Self = Self { per_second: 1_000_000 };
    pub(super) const NANOSECOND: Self = Self { per_second: 1_000_000_000 };

    /// A time as ticks; `None` if 64 bits do not hold it.
    #[inline]
    pub(super) fn ticks(self, (seconds, nanos): (i64, u32)) -> Option<i64> {
        let whole = seconds.checked_mul(self.per_second)?;
        whole.checked_add(i64::from(nanos) / (1_000_000_000 / self.per_second))
    }

    /// Microseconds as ticks, or the first or last one there is.
    pub(super) fn of_micros(self, micros: i64) -> i64 {
        micros.saturating_mul(self.per_second / 1_000_000)
    }
}

/// The requested end of observation, in microseconds, and its last local day.
pub(super) fn requested(spec: &FunnelSpec, clock: &Clock) -> Result<Option<(i64, i32)>> {
    let Some(bound) = spec.observation_end else { return Ok(None) };
    let cutoff = bound.edge("observation_end", clock)?;
    Ok(Some((micros(&cutoff, clock), cutoff.last_day())))
}

/// The end of a local day, in microseconds.
pub(super) fn end_of_day(day: i32, clock: &Clock) -> i64 {
    micros(&Cutoff::of_day(day.saturating_add(1)), clock)
}

fn micros(cutoff: &Cutoff, clock: &Clock) -> i64 {
    let of_day = || match clock {
        Clock::Naive => i64::from(cutoff.day) * DAY_SECONDS,
        Clock::Zoned(zone) => first_second(cutoff.day, zone),
    };
    cutoff.moment.unwrap_or_else(|| of_day() * 1_000_000)
}

/// The first second of a local day, by bisection: where clocks change at midnight there is no 00:00.
fn first_second(day: i32, zone: &Zone) -> i64 {
    let noon = i64::from(day) * DAY_SECONDS;
    let (mut before, mut after) = (noon - 2 * DAY_SECONDS, noon + 2 * DAY_SECONDS);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        let local = middle + zone.reader().offset_at(middle);
        if local.div_euclid(DAY_SECONDS) >= i64::from(day) {
            after = middle;
        } else {
            before = middle;
        }
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_by_the_clock_of_the_zone() -> Result<()> {
        let new_york = Zone::named("America/New_York")?;
        // 2024-03-10, the day on which clocks spring forward at 2:00, and the day after.
        assert_eq!(first_second(19_792, &new_york), 19_792 * DAY_SECONDS + 5 * 3600);
        assert_eq!(first_second(19_793, &new_york), 19_793 * DAY_SECONDS + 4 * 3600);
        // 2018-11-04 began at 1:00 in São Paulo.
        let (sao_paulo, utc) = (Zone::named("America/Sao_Paulo")?, Zone::named("UTC")?);
        assert_eq!(first_second(17_839, &sao_paulo), 17_839 * DAY_SECONDS + 3 * 3600);
        assert_eq!(first_second(0, &utc), 0);
        Ok(())
    }

    #[test]
    fn ticks_hold_what_64_bits_hold() {
        assert_eq!(Unit::MICROSECOND.ticks((-1, 1_999)), Some(-999_999));
        assert_eq!(Unit::NANOSECOND.ticks((1, 5)), Some(1_000_000_005));
        assert_eq!(Unit::NANOSECOND.ticks((1 << 40, 0)), None);
        assert_eq!(Unit::NANOSECOND.of_micros(i64::MAX), i64::MAX);
    }
}
