//! The summary that models are fitted to: for each customer the repeat purchase days x, the time of the last purchase `t_x` and the age T
//! (both in days since the first purchase), and the mean spend on repeat days `m_x`.

pub(crate) mod from_base;
mod names;
mod order;
mod read;
mod rows;

pub use self::from_base::clv_summary;
pub use self::names::SummaryNames;
pub use self::read::SummaryColumns;
pub(crate) use self::read::{LARGEST_SPEND, to_whole_day};
pub use self::rows::ClvSummary;
pub(crate) use self::rows::{Times, fingerprint};

#[cfg(test)]
mod tests;
