//! The ends of observation on the clock of the data.

use crate::column::bounds::Cutoff;

/// The ends of observation, if orders are logged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cutoffs {
    /// The first observed moment, if set.
    pub start: Option<Cutoff>,
    /// The first moment after the end, if set.
    pub end: Option<Cutoff>,
}
