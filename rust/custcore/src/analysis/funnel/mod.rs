//! Funnels: how many customers take each of several steps within a window after the first one; and the ladder of orders, the
//! funnel that every base has.

mod count;
mod events;
mod kernel;
pub(crate) mod ladder;
mod ladder_table;
mod observed;
pub(crate) mod spec;
pub(crate) mod table;
