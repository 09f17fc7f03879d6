//! Offsets from UTC, and how they are written.

use crate::error::{Error, ErrorKind};

/// The offsets of a zone: from `starts[i]` (UTC seconds) on it is `offsets[i]` seconds.
pub(in crate::time) struct Offsets {
    pub(in crate::time) starts: Vec<i64>,
    pub(in crate::time) offsets: Vec<i64>,
}

/// The error for an offset from UTC that is not written as ISO 8601 has it.
pub(in crate::time) fn miswritten(name: &str) -> Option<Error> {
    let offset = written_offset(name)?;
    Some(Error::new(ErrorKind::InvalidArgument, format!("unknown time zone '{name}'; write an offset from UTC as '{offset}'")))
}

/// The offset that a name such as `UTC+8`, `GMT-03:30`, `+8` or `+0530` means, as `+08:00`.
pub(in crate::time) fn written_offset(name: &str) -> Option<String> {
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
