//! Time zones. A zone is converted once to a table of its transitions. A row then costs a comparison with the interval of the
//! previous row, or a binary search. Zone data are bundled, so results do not depend on the machine.

use std::sync::{Arc, Mutex};

use super::offset::Offsets;
use crate::error::Result;

// Without the rules of zones there are UTC and fixed offsets.
#[cfg_attr(not(feature = "timezones"), path = "zone/fixed.rs")]
mod rules;

pub(crate) use self::rules::zone_data_version;

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
        let Offsets { starts, offsets } = rules::offsets(name)?;
        let zone = Arc::new(Self { name: name.to_owned(), starts, offsets });
        if let Ok(mut cache) = CACHE.try_lock() {
            cache.truncate(7);
            cache.insert(0, zone.clone());
        }
        Ok(zone)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::offset::written_offset;

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
