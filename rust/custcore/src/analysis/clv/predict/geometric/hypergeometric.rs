//! 2F1(A, a; a + b; -w) for w >= 0, which is E[(1 + p w)^-A] for p ~ Beta(a, b): positive, falling and completely monotone in w.
//!
//! Near w = 0 it is summed after one of Pfaff's transformations (NIST DLMF 15.8.1) in z = w/(1+w); far out, where the series are long, its
//! Taylor series are continued from panel to panel by the hypergeometric equation (DLMF 15.10.1), as [`super::taylor`] does.

use std::ops::ControlFlow;

use super::mixture::{Mixture, NODES, Panel};
use super::taylor::Taylor;
use crate::num::quadrature::nodes_16;
use crate::num::special::{exp, exp_m1, ln, ln_1p};

/// Terms of a series that is not worth a continuation.
const FEW: usize = 160;
/// Terms of a series near w = 0, at most.
const MOST: usize = 2_048;

/// (1-z)^power times a series in z = w/(1+w), with coefficients by powers of z / largest.
struct Series {
    terms: Vec<f64>,
    largest: f64,
    power: f64,
}

impl Series {
    /// The series for w up to `end`, unless it needs more terms than `most`.
    fn of(mixture: &Mixture, end: f64, most: usize) -> Option<Self> {
        let Mixture { power, a, b } = *mixture;
        let lower = a + (b - power);
        // (1-z)^a 2F1(a, c - A; c; z) has few terms where c - A is small, whatever A and c are. Terms of both signs cancel by 3^(A-c) at
        // most, or by e^(2 p (A-c)). All terms of (1-z)^A 2F1(A, b; c; z) are positive.
        let short = a <= power && (lower >= -1.0 || -2.0 * lower * mixture.likely_p() <= 4.0);
        let (first, second) = if short { (a, lower) } else { (power, b) };
        if first * ln_1p(end) > 500.0 {
            // The power of 1-z would underflow.
            return None;
        }
        let (c, largest) = (a + b, if end < f64::MAX { end / (1.0 + end) } else { 1.0 });
        let mut terms = Vec::with_capacity(64);
        let (mut term, mut sum) = (1.0_f64, 1.0_f64);
        terms.push(term);
        for n in 0..most {
            let n = n as f64;
            let ratio = largest * ((first + n) / (n + 1.0)) * ((second + n) / (c + n));
            term *= ratio;
            sum += term;
            terms.push(term);
            let rest = term.abs() / (1.0 - ratio.abs().max(largest));
            if term == 0.0 || (rest >= 0.0 && n > -second && rest < 3e-17 * sum.abs()) {
                return Some(Self { terms, largest, power: first });
            }
        }
        None
    }

    fn values<const N: usize>(&self, w: &[f64; N]) -> [f64; N] {
        let at = w.map(|w| w / (1.0 + w) / self.largest);
        let mut sums = [0.0; N];
        for &term in self.terms.iter().rev() {
            for i in 0..N {
                sums[i] = sums[i] * at[i] + term;
            }
        }
        std::array::from_fn(|i| sums[i] * exp(-self.power * ln_1p(w[i])))
    }
}

impl Mixture {
    /// The value at w.
    pub(super) fn value(&self, w: f64) -> f64 {
        if w <= 0.0 {
            return 1.0;
        }
        if let Some(series) = Series::of(self, w, FEW) {
            return series.values(&[w])[0];
        }
        self.panels(w, 0.0, &mut |_, _, _| ControlFlow::Continue(()))
    }

    /// The value and slope at w, by series.
    fn at(&self, w: f64) -> (f64, f64) {
        let next = Self { power: self.power + 1.0, a: self.a + 1.0, b: self.b };
        let value = |of: &Self| Series::of(of, w, MOST).map_or_else(|| of.by_logit(&[w]), |series| series.values(&[w]))[0];
        (value(self), -self.power * (self.a / (self.a + self.b)) * value(&next))
    }

    /// Values by the trapezoidal rule in ln(p/(1-p)), which converges exponentially: for shapes that series are long for.
    fn by_logit<const N: usize>(&self, w: &[f64; N]) -> [f64; N] {
        let Self { power, a, b } = *self;
        let furthest = w.iter().fold(0.0_f64, |most, &w| most.max(w));
        // Beyond these ends the integrands are powers of p and of 1-p.
        let low = -ln(1e17 * (1.0 + b + power * furthest));
        let high = ln(1e17 * (1.0 + a + power));
        let points = ((high - low) * (4.0 + (a + b).sqrt())).clamp(1.0, 4_000.0) as u32;
        let step = (high - low) / f64::from(points);
        let point = |i: u32| {
            let logit = low + step * f64::from(i);
            let ln_weight = -a * ln_1p(exp(-logit)) - b * ln_1p(exp(logit));
            // Sums of the geometric tails below and above.
            let tail = if i == 0 {
                a * step
            } else if i == points {
                b * step
            } else {
                f64::INFINITY
            };
            (1.0 / (1.0 + exp(-logit)), ln_weight - ln(-exp_m1(-tail)))
        };
        let all: Vec<(f64, f64)> = (0..=points).map(point).collect();
        let top = all.iter().fold(f64::NEG_INFINITY, |top, &(_, ln_weight)| top.max(ln_weight));
        let (mut sum, mut kept) = (0.0, [0.0; N]);
        for (p, ln_weight) in all {
            let weight = exp(ln_weight - top);
            sum += weight;
            if weight > 0.0 {
                kept.iter_mut().zip(w).for_each(|(kept, w)| *kept += weight * exp(-power * ln_1p(p * w)));
            }
        }
        kept.map(|kept| kept / sum)
    }

    /// Hands the values at the nodes of panels (from, to) to `panel`, in order from 0 to `end` or until it breaks. On a panel the function is
    /// smooth: in units of its width it falls like e^(-12 t) at most, and so does e^(-decay w). Returns the value at the end.
    pub(super) fn panels(&self, end: f64, decay: f64, panel: &mut Panel<'_>) -> f64 {
        let first = 12.0 / (self.power * self.likely_p() + decay);
        let mut from = 0.0;
        while from < end {
            let to = end.min(from + first.max(from).min(1.0 + from));
            // Below w = 1 the series converge at least like 2^-n; long ones there are those of large shapes.
            let series = Series::of(self, to, if from < 1.0 { MOST } else { FEW });
            if series.is_none() && from >= 1.0 && Taylor::suits(self) {
                let (value, slope) = self.at(from);
                return Taylor::new(self, from, value, slope).panels(end, panel);
            }
            let (middle, half) = (f64::midpoint(from, to), 0.5 * (to - from));
            let mut at = [0.0; NODES];
            at.iter_mut().zip(&nodes_16().points).for_each(|(at, &(node, _))| *at = middle + half * node);
            let values = series.as_ref().map_or_else(|| self.by_logit(&at), |series| series.values(&at));
            if panel(from, to, &values).is_break() || to >= end {
                return series.as_ref().map_or_else(|| self.by_logit(&[to]), |series| series.values(&[to]))[0];
            }
            from = to;
        }
        1.0
    }

    /// The integral of `weight`, which must not fall, times the function from 0 to `end`.
    pub(super) fn integral(&self, end: f64, weight: impl Fn(f64) -> f64) -> f64 {
        let mut sum = 0.0;
        self.panels(end, 0.0, &mut |from, to, values| {
            let (middle, half) = (f64::midpoint(from, to), 0.5 * (to - from));
            let points = nodes_16().points.iter().zip(values);
            sum += half * points.map(|(&(node, share), value)| share * value * weight(middle + half * node)).sum::<f64>();
            let rest = values[NODES - 1] * weight(end) * (end - to);
            if rest < 1e-17 * sum { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        sum
    }
}
