//! Calendar arithmetic, time zones and periods. Days are counted from 1970-01-01.

pub(crate) mod calendar;
mod offset;
pub(crate) mod period;
pub(crate) mod zone;
