//! Analytic continuation of [`Mixture`] outwards from w >= 1, by Taylor series at the start of each panel.
//!
//! With y(w) = 2F1(A, a; c; -w), w (1+w) y'' + (c + (A+a+1) w) y' + A a y = 0 (NIST DLMF 15.10.1), which gives each coefficient from the
//! two before it. The other solution, w^(1-c) near 0, falls faster with w, but its coefficients grow faster: with steps of 5 w/c their
//! rounding stays harmless. For large c, where such steps are tiny, the coefficients wanted are the minimal solution of the recurrence,
//! which is solved backwards (Miller's algorithm, DLMF 3.6(iii)).

use super::mixture::{Mixture, NODES, Panel};
use crate::num::quadrature::nodes_16;

/// Terms of a series.
const TERMS: usize = 40;
/// Terms more than this far behind the last are where the backward recurrence starts.
const AHEAD: usize = 40;
/// c from which the recurrence runs backwards.
const LARGE_C: f64 = 200.0;

/// Shapes from which the steps would be many.
const MANY_STEPS: f64 = 5_000.0;

/// Values below this are not continued.
const LEAST: f64 = 1e-280;

/// The state at the start of a panel.
pub(super) struct Taylor<'m> {
    mixture: &'m Mixture,
    from: f64,
    value: f64,
    slope: f64,
}

impl<'m> Taylor<'m> {
    /// At `from` with value and slope there.
    pub(super) fn new(mixture: &'m Mixture, from: f64, value: f64, slope: f64) -> Self {
        Self { mixture, from, value, slope }
    }

    /// Coefficients by powers of t = (w - from)/step.
    fn coefficients(&self, step: f64) -> [f64; TERMS] {
        let Mixture { power, a, b } = *self.mixture;
        let (c, w) = (a + b, self.from);
        let product = w * (1.0 + w);
        let first = |n: f64| (1.0 + 2.0 * w) * n + c + (power + a + 1.0) * w;
        let mut out = [0.0; TERMS];
        out[0] = self.value;
        if Self::backwards(self.mixture) {
            // Ratios of following coefficients, without signs.
            let mut ratios = [0.0; TERMS];
            let mut ratio = 1.0 / (1.0 + w);
            for i in (0..TERMS + AHEAD).rev() {
                let n = i as f64;
                ratio = (n + power) * (n + a) / ((n + 1.0) * (first(n) - product * (n + 2.0) * ratio));
                if i < TERMS {
                    ratios[i] = ratio;
                }
            }
            for n in 1..TERMS {
                out[n] = -out[n - 1] * ratios[n - 1] * step;
            }
            return out;
        }
        out[1] = self.slope * step;
        let (once, twice) = (-step / product, -step * step / product);
        for i in 2..TERMS {
            let n = (i - 2) as f64;
            let share = 1.0 / ((n + 2.0) * (n + 1.0));
            out[i] = (once * first(n) * (n + 1.0) * share) * out[i - 1] + (twice * (n + power) * (n + a) * share) * out[i - 2];
        }
        out
    }

    fn backwards(mixture: &Mixture) -> bool {
        let c = mixture.a + mixture.b;
        c > LARGE_C && c > 2.0 * mixture.power
    }

    /// Whether the steps are few enough.
    pub(super) fn suits(mixture: &Mixture) -> bool {
        let c = mixture.a + mixture.b;
        mixture.power < MANY_STEPS && (c < MANY_STEPS || Self::backwards(mixture))
    }

    /// The panels up to `end`, as [`Mixture::panels`]. Returns the value at the last end.
    pub(super) fn panels(mut self, end: f64, panel: &mut Panel<'_>) -> f64 {
        let c = self.mixture.a + self.mixture.b;
        while self.from < end && self.value > LEAST {
            let longest = if Self::backwards(self.mixture) { f64::INFINITY } else { 5.0 * self.from / c };
            let mut step = longest.min(0.3 * (1.0 + self.from)).min(end - self.from);
            let mut terms = self.coefficients(step);
            for _ in 0..32 {
                let value: f64 = terms.iter().sum();
                let size: f64 = terms.iter().map(|term| term.abs()).sum();
                // A completely monotone function has |terms| that sum to its value one step back: long steps lose digits.
                if value > 0.05 * size && terms[TERMS - 1].abs() <= 1e-17 * value {
                    break;
                }
                step *= 0.5;
                terms = self.coefficients(step);
            }
            let to = if step >= end - self.from { end } else { self.from + step };
            let mut values = [0.0; NODES];
            let at: [f64; NODES] = std::array::from_fn(|i| 0.5 + 0.5 * nodes_16().points[i].0);
            for &term in terms.iter().rev() {
                for i in 0..NODES {
                    values[i] = values[i] * at[i] + term;
                }
            }
            let go_on = panel(self.from, to, &values);
            self.value = terms.iter().rev().sum();
            self.slope = terms.iter().enumerate().rev().map(|(n, term)| n as f64 * term).sum::<f64>() / step;
            let stuck = to <= self.from;
            self.from = to;
            if go_on.is_break() || stuck {
                break;
            }
        }
        if self.from < end { 0.0 } else { self.value }
    }
}
