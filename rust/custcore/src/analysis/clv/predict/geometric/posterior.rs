//! What is known of a customer who is alive.

/// The distribution of rate and drop-out of a customer who is alive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Posterior {
    /// Shape of the rate of purchases.
    pub r: f64,
    /// Rate parameter of the rate of purchases, in days.
    pub alpha: f64,
    /// First shape of the probability of dropping out.
    pub a: f64,
    /// Second shape of the probability of dropping out.
    pub b: f64,
}
