//! Two score tables compared: which customers moved between segments, who came and who left, and what became of their money.
//! Customers are matched by id: the ids of both tables are interned together.

pub(crate) mod joined;
mod scored;
pub(crate) mod spec;
mod table;
