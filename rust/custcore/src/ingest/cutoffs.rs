//! Which days are aggregated, and the ends of observation on the clock of the data.

use crate::column::bounds::Cutoff;

/// Bounds of the rows that are aggregated.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cutoffs {
    /// The first and the last day of the ranges of days, if only those are kept. Other rows are read, but not aggregated.
    pub kept_days: Option<(i32, i32)>,
    /// The first observed moment, if orders are logged and it is set.
    pub start: Option<Cutoff>,
    /// The first moment after the end, if orders are logged and it is set.
    pub end: Option<Cutoff>,
}
