//! Intervals of the number of purchases of a customer.

/// Equal-tailed quantiles of the number of purchases of a customer who is alive with probability `p_alive`: the least n with
/// P(N <= n) >= (1 - level) / 2, and the least one with P(N <= n) >= (1 + level) / 2. `cdf_alive` is P(N <= n) given alive.
pub(crate) fn purchase_quantiles(p_alive: f64, cdf_alive: &[f64], level: f64) -> (u32, u32) {
    let least = |probability: f64| {
        let at = cdf_alive.partition_point(|&cdf| (1.0 - p_alive) + p_alive * cdf < probability);
        at.min(cdf_alive.len().saturating_sub(1)) as u32
    };
    (least((1.0 - level) / 2.0), least(f64::midpoint(1.0, level)))
}
