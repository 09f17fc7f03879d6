//! Net promoter score: answers from 0 to 10, overall and by segment.

mod answers;
mod kernel;
pub(crate) mod spec;
pub(crate) mod table;
