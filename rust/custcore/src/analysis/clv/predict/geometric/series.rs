//! Expectations as sums over the number of purchases that a customer would make if he never dropped out.
//!
//! That number is negative binomial: NB(n) = (r)_n/n! z^n (1-z)^r, z = h/(alpha+h). The k-th purchase counts if k - 1 draws of dropping out
//! were survived, with probability `u_(k-1) = (b)_(k-1)/(a+b)_(k-1)`. All terms are positive, so that nothing cancels; the closed forms of
//! Fader, Hardie & Lee (2005) are singular at a = 1 and take logarithms of negative numbers for a + b < 1.

use super::posterior::Posterior;
use crate::num::special::{exp_m1, ln_1p};

/// Where terms are expected to be more than this, the integral over time costs less.
const MOST_TERMS: f64 = 4_096.0;
/// Weights are scaled down beyond this number.
const LARGE: f64 = 1e200;

/// Expectations of an alive customer over a horizon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Counts {
    /// Expected purchases.
    pub purchases: f64,
    /// Expectation of their square.
    pub squared: f64,
    /// Probability of not having dropped out at the end.
    pub p_alive_end: f64,
}

/// Terms up to a negligible rest, roughly.
fn terms(of: &Posterior, horizon: f64) -> f64 {
    let odds = horizon / of.alpha;
    let mean = of.r * odds;
    mean + 9.0 * (mean * (1.0 + odds)).sqrt() + 40.0 * (1.0 + odds)
}

/// Sums the series over n. Weights are relative to NB(0) and divided by their sum at the end: this has the least rounding, and nothing
/// underflows. `None` where it would be too long.
pub(super) fn counts(of: &Posterior, horizon: f64) -> Option<Counts> {
    let likely = terms(of, horizon);
    if likely.is_nan() || likely > MOST_TERMS {
        return None;
    }
    let (z, c) = (horizon / (of.alpha + horizon), of.a + of.b);
    let mean = of.r * (horizon / of.alpha);
    let (mut weight, mut survived) = (1.0, 1.0);
    let (mut counted, mut squares) = (0.0, 0.0);
    let (mut all, mut purchases, mut squared, mut alive) = (1.0, 0.0, 0.0, 1.0);
    let mut n = 0.0;
    loop {
        counted += survived;
        squares += (2.0 * n + 1.0) * survived;
        weight *= z * ((of.r + n) / (n + 1.0));
        survived *= (of.b + n) / (c + n);
        n += 1.0;
        all += weight;
        purchases += weight * counted;
        squared += weight * squares;
        alive += weight * survived;
        if weight > LARGE {
            for sum in [&mut weight, &mut all, &mut purchases, &mut squared, &mut alive] {
                *sum /= LARGE;
            }
        }
        if n > mean && weight * counted < 1e-14 * purchases {
            // The ratio of following weights tends to z from above (r > 1) or below.
            let ratio = (z * ((of.r + n) / (n + 1.0))).max(z);
            let rest = 1.0 / (1.0 - ratio);
            let rest_counted = weight * ratio * rest * (counted + rest);
            let rest_squares = weight * ratio * rest * (squares + rest * (2.0 * n + 1.0 + 2.0 * rest));
            if ratio < 1.0 && rest_counted < 1e-16 * purchases && rest_squares < 1e-14 * squared {
                break;
            }
        }
    }
    Some(Counts { purchases: purchases / all, squared: squared / all, p_alive_end: alive / all })
}

/// P(any purchase): 1 - (1-z)^r.
pub(super) fn p_any(of: &Posterior, horizon: f64) -> f64 {
    -exp_m1(-of.r * ln_1p(horizon / of.alpha))
}

/// Most numbers of purchases that a distribution has.
const MOST_COUNTS: usize = 1 << 22;

/// Fills `out` with P(N <= n), n = 0, 1, ...: more than n purchases are counted if more than n were made without dropping out, and n
/// draws were survived, so that P(N > n) = `u_n` P(NB > n).
pub(super) fn distribution(of: &Posterior, horizon: f64, out: &mut Vec<f64>) {
    out.clear();
    let (z, c) = (horizon / (of.alpha + horizon), of.a + of.b);
    // The weights of NB, upwards from the mode, relative to that of the mode, until the rest is negligible; then downwards.
    let mode = (((of.r - 1.0) * (horizon / of.alpha)).floor().max(0.0)).min(MOST_COUNTS as f64) as usize;
    out.resize(mode + 1, 0.0);
    let mut weight = 1.0;
    out[mode] = weight;
    let mut largest = 1.0_f64;
    while out.len() < MOST_COUNTS {
        let n = (out.len() - 1) as f64;
        let ratio = z * ((of.r + n) / (n + 1.0));
        weight *= ratio;
        let after = ratio.max(z);
        if after < 1.0 && weight < 1e-15 * largest * (1.0 - after) {
            break;
        }
        largest = largest.max(weight);
        out.push(weight);
    }
    weight = 1.0;
    for n in (0..mode).rev() {
        weight *= (n as f64 + 1.0) / (z * (of.r + n as f64));
        out[n] = weight;
        if weight < 1e-30 {
            break;
        }
    }
    // From the weight of n to P(NB > n), summed from the smallest terms.
    let mut above = 0.0;
    for weight in out.iter_mut().rev() {
        let here = *weight;
        *weight = above;
        above += here;
    }
    let (all, mut survived) = (above, 1.0);
    for (n, value) in out.iter_mut().enumerate() {
        let more = survived * (*value / all);
        *value = 1.0 - more;
        survived *= (of.b + n as f64) / (c + n as f64);
        if more < 1e-12 {
            out.truncate(n + 1);
            break;
        }
    }
}
