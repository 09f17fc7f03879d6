//! Life cycle of customers: how long they pause between purchases, when a pause is too long, and who is in which stage.

pub(crate) mod gaps;
pub(crate) mod windows;
