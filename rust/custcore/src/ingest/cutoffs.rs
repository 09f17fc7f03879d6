//! The ends of observation on the clock of the data.

use crate::column::bounds::Cutoff;

/// The ends of observation, if orders are logged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cutoffs {
    /// The first moment that is observed, if it was asked for.
    pub start: Option<Cutoff>,
    /// The first moment after it, if it was asked for.
    pub end: Option<Cutoff>,
}
