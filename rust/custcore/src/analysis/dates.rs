//! Dates as arguments of analyses that follow customers from date to date.

use crate::column::time::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::state::spec::AsOf;
use crate::time::calendar::date_text;

/// The days of ascending dates, of which there are `least` or more.
pub(crate) fn ascending(dates: &[AsOf], least: usize, clock: &Clock) -> Result<Vec<i32>> {
    let days = dates.iter().map(|date| date.day(clock)).collect::<Result<Vec<i32>>>()?;
    let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
    if days.len() < least {
        let are = if least == 1 { "1 is" } else { &format!("{least} are") };
        return invalid(format!("dates has {} dates; at least {are} needed", days.len()));
    }
    if let Some(pair) = days.windows(2).find(|pair| pair[0] >= pair[1]) {
        let (before, after) = (date_text(pair[0]), date_text(pair[1]));
        return invalid(if before == after {
            format!("dates has {before} twice; pass each date once")
        } else {
            format!("dates must ascend, but {after} comes after {before}; sort them")
        });
    }
    Ok(days)
}
