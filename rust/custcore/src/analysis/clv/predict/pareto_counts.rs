//! The number of purchase days of a Pareto/NBD customer in (T, T + h], given that he is alive at T.
//!
//! `P(n) = S(h) NB(n; h) + integral over (0, h) of s/B (1 + u/B)^-(s+1) NB(n; u) du`: he stays to the end, or is lost after u days.
//! NB(n; u) = (r')_n/n! z^n (1 - z)^r', z = u/(alpha' + u), r' = r + x, alpha' = alpha + T, B = beta + T.

use super::pareto_survival::Survival;
use crate::num::quadrature::nodes_16;
use crate::num::special::{exp, ln_1p};

/// The part of the distribution that is left out.
const TAIL: f64 = 1e-12;
/// No distribution is longer.
const MAX_COUNT: usize = 1 << 20;
/// A negative binomial term above this is divided by it.
const LARGE: f64 = 1e200;
const LN_LARGE: f64 = 460.517_018_598_809_1;

/// NB(n; u) of one u, for n = 0, 1, ... in turn, with the weight of this u. Its value is `scaled` times e^`log`, because the first
/// terms may be too small for a number.
#[derive(Debug, Clone, Copy)]
struct Count {
    z: f64,
    scaled: f64,
    log: f64,
    factor: f64,
}

impl Count {
    fn new(weight: f64, shape: f64, rate: f64, u: f64) -> Self {
        let log = -shape * ln_1p(u / rate);
        Self { z: u / (rate + u), scaled: weight, log, factor: exp(log) }
    }

    fn step(&mut self, ratio: f64) {
        self.scaled *= ratio * self.z;
        if self.scaled > LARGE {
            self.scaled /= LARGE;
            self.log += LN_LARGE;
            self.factor = exp(self.log);
        }
    }
}

/// Fills `out` with P(N <= n) of n = 0, 1, ... until less than 1e-12 is left, for gamma-distributed rates with this shape and rate.
pub(super) fn cumulative(shape: f64, rate: f64, survival: Option<&Survival>, h: f64, out: &mut Vec<f64>) {
    out.clear();
    let mut counts = match survival {
        Some(survival) => {
            let mut counts = lost(shape, rate, survival, h);
            counts.push(Count::new(survival.at(h), shape, rate, h));
            counts
        }
        None => vec![Count::new(1.0, shape, rate, h)],
    };
    let mean = shape * h / rate;
    let mut sum = 0.0_f64;
    for n in 0..MAX_COUNT {
        let term: f64 = counts.iter().map(|count| count.scaled * count.factor).sum();
        sum += term;
        out.push(sum.min(1.0));
        // Rounding may keep the sum from reaching 1.
        let done = n as f64 > mean && term < 1e-3 * TAIL && term * (n as f64 - mean) < TAIL;
        if 1.0 - sum < TAIL || done {
            break;
        }
        let ratio = (shape + n as f64) / (n as f64 + 1.0);
        counts.iter_mut().for_each(|count| count.step(ratio));
    }
}

/// Nodes over the time of being lost in (0, h): panels that are short against beta + T, alpha + T, and the width of NB(n; u).
fn lost(shape: f64, rate: f64, survival: &Survival, h: f64) -> Vec<Count> {
    let Survival { s, b } = *survival;
    let mut counts = Vec::new();
    let mut from = 0.0;
    while from < h && s * ln_1p(from / b) < 45.0 {
        let mean = shape * from / rate;
        let spread = 2.5 * ((mean + mean * mean / shape).sqrt() + 1.0) * rate / shape;
        let width = spread.min(2.0 * (b + from)).min(12.0 * (b + from) / (s + 1.0)).min(2.0 * (rate + from));
        let to = if from + width < h { from + width } else { h };
        if to <= from {
            break;
        }
        let (middle, half) = (f64::midpoint(from, to), 0.5 * (to - from));
        for &(x, weight) in &nodes_16().points {
            let u = middle + half * x;
            let density = s / b * exp(-(s + 1.0) * ln_1p(u / b));
            counts.push(Count::new(half * weight * density, shape, rate, u));
        }
        from = to;
    }
    counts
}
