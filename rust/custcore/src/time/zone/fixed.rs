//! The zones of a build without the feature `timezones`: UTC and fixed offsets.

use crate::error::{Error, ErrorKind, Result};
use crate::time::offset::{Offsets, miswritten, written_offset};

/// The version of the zone data.
pub(crate) fn zone_data_version() -> &'static str {
    "none"
}

/// The offsets of a zone.
pub(super) fn offsets(name: &str) -> Result<Offsets> {
    let seconds = if name == "UTC" { Some(0) } else { seconds(name) };
    let Some(seconds) = seconds else {
        return Err(miswritten(name).unwrap_or_else(|| {
            let message = format!(
                "this build of custcore does not know the time zone '{name}', only 'UTC' and offsets such as '+05:30'; build it with the \
                 feature `timezones`"
            );
            Error::new(ErrorKind::InvalidArgument, message)
        }));
    };
    Ok(Offsets { starts: vec![i64::MIN], offsets: vec![seconds] })
}

/// The seconds of an offset written as `+05:30`.
fn seconds(name: &str) -> Option<i64> {
    let (hours, minutes) = name.get(1..).filter(|_| written_offset(name).as_deref() == Some(name))?.split_once(':')?;
    let seconds = 3600 * hours.parse::<i64>().ok()? + 60 * minutes.parse::<i64>().ok()?;
    Some(if name.starts_with('-') { -seconds } else { seconds })
}
