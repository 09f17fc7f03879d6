//! The mean of (1 + p w)^-A over p ~ Beta(a, b), which is 2F1(A, a; a + b; -w).

use std::ops::ControlFlow;

/// Nodes of a panel.
pub(super) const NODES: usize = 16;
/// Gets the ends of a panel and the values at its nodes, and says whether to go on.
pub(super) type Panel<'p> = dyn FnMut(f64, f64, &[f64; NODES]) -> ControlFlow<()> + 'p;
/// The mean of (1 + p w)^-power over p ~ Beta(a, b).
#[derive(Debug, Clone, Copy)]
pub(super) struct Mixture {
    /// A.
    pub power: f64,
    /// First shape of p.
    pub a: f64,
    /// Second shape of p.
    pub b: f64,
}

impl Mixture {
    /// A value that p exceeds with a negligible probability.
    pub(super) fn likely_p(&self) -> f64 {
        ((self.a + 6.0 * self.a.sqrt() + 20.0) / (self.a + self.b)).min(1.0)
    }
}
