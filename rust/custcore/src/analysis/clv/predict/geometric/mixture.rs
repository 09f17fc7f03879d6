//! 2F1(A, a; a + b; -w) for w >= 0, which is E[(1 + p w)^-A] for p ~ Beta(a, b): positive, falling and completely monotone in w.
//!
//! Near w = 0 it is summed after one of Pfaff's transformations (NIST DLMF 15.8.1) in z = w/(1+w); far out, where the series are long, its
//! Taylor series are continued from panel to panel by the hypergeometric equation (DLMF 15.10.1), as [`super::taylor`] does.

use std::ops::ControlFlow;

use super::taylor::Taylor;
use crate::num::quadrature::nodes_16;
use crate::num::special::{exp, ln_1p};

/// Nodes of a panel.
pub(super) const NODES: usize = 16;
/// Terms of a series that is not worth a continuation.
const FEW: usize = 160;
/// Terms of any series.
const MOST: usize = 1 << 20;

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

/// A series in z, scaled to the largest z wanted: coefficients by powers of z / largest.
enum Series {
    /// (1-z)^A 2F1(A, b; c; z), all terms positive, over (1-z)^A 2F1(A, b; b; z) = 1 with the same terms: no power of 1-z is left.
    Ratio { terms: Vec<(f64, f64)>, largest: f64 },
    /// (1-z)^a 2F1(a, c - A; c; z): few terms where c - A is small, whatever A and c are.
    Pfaff { terms: Vec<f64>, largest: f64, power: f64 },
}

impl Series {
    /// The series for w up to `end`, unless it needs more terms than `most`.
    fn of(mixture: &Mixture, end: f64, most: usize) -> Option<Self> {
        let Mixture { power, a, b } = *mixture;
        let (c, largest) = (a + b, if end < f64::MAX { end / (1.0 + end) } else { 1.0 });
        let lower = a + (b - power);
        // Terms of both signs cancel by 3^(A-c) at most, or by e^(2 p (A-c)).
        if a <= power && (lower >= -1.0 || -2.0 * lower * mixture.likely_p() <= 1.0) {
            let mut terms = vec![1.0];
            let (mut term, mut sum) = (1.0_f64, 1.0_f64);
            for n in 0..most {
                let n = n as f64;
                let ratio = largest * ((a + n) / (c + n)) * ((lower + n) / (n + 1.0));
                term *= ratio;
                sum += term;
                terms.push(term);
                let after = largest * ((a + n + 1.0) / (c + n + 1.0)).max(1.0 - 2.0 / (n + 2.0)).min(1.0);
                if term == 0.0 || (n > -lower && ratio.abs() < 1.0 && term.abs() < 3e-17 * sum.abs() * (1.0 - ratio.abs().max(after))) {
                    return Some(Self::Pfaff { terms, largest, power: a });
                }
            }
            return None;
        }
        let mut terms = vec![(1.0, 1.0)];
        let (mut term, mut survived, mut sum) = (1.0_f64, 1.0_f64, 1.0_f64);
        for n in 0..most {
            let n = n as f64;
            let ratio = largest * ((power + n) / (n + 1.0));
            term *= ratio;
            survived *= (b + n) / (c + n);
            sum += term;
            terms.push((term * survived, term));
            if term > 1e250 {
                (term, sum) = (term * 1e-250, sum * 1e-250);
                terms.iter_mut().for_each(|(counted, all)| (*counted, *all) = (*counted * 1e-250, *all * 1e-250));
            }
            let after = ratio.max(largest);
            if after < 1.0 && term < 3e-17 * sum * (1.0 - after) {
                return Some(Self::Ratio { terms, largest });
            }
        }
        None
    }

    fn values<const N: usize>(&self, w: &[f64; N]) -> [f64; N] {
        match self {
            Self::Ratio { terms, largest } => {
                let at = w.map(|w| w / (1.0 + w) / largest);
                let (mut counted, mut all) = ([0.0; N], [0.0; N]);
                for &(term, full) in terms.iter().rev() {
                    for i in 0..N {
                        counted[i] = counted[i] * at[i] + term;
                        all[i] = all[i] * at[i] + full;
                    }
                }
                std::array::from_fn(|i| counted[i] / all[i])
            }
            Self::Pfaff { terms, largest, power } => {
                let at = w.map(|w| w / (1.0 + w) / largest);
                let mut sums = [0.0; N];
                for &term in terms.iter().rev() {
                    for i in 0..N {
                        sums[i] = sums[i] * at[i] + term;
                    }
                }
                std::array::from_fn(|i| sums[i] * exp(-power * ln_1p(w[i])))
            }
        }
    }
}

impl Mixture {
    /// A value that p exceeds with a negligible probability.
    pub(super) fn likely_p(&self) -> f64 {
        ((self.a + 6.0 * self.a.sqrt() + 20.0) / (self.a + self.b)).min(1.0)
    }

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
        let value = |of: &Self| Series::of(of, w, MOST).map_or(0.0, |series| series.values(&[w])[0]);
        (value(self), -self.power * (self.a / (self.a + self.b)) * value(&next))
    }

    /// Hands the values at the nodes of panels (from, to) to `panel`, in order from 0 to `end` or until it breaks. On a panel the function is
    /// smooth: in units of its width it falls like e^(-12 t) at most, and so does e^(-decay w). Returns the value at the end.
    pub(super) fn panels(&self, end: f64, decay: f64, panel: &mut dyn FnMut(f64, f64, &[f64; NODES]) -> ControlFlow<()>) -> f64 {
        let first = 12.0 / (self.power * self.likely_p() + decay);
        let mut from = 0.0;
        while from < end {
            let to = end.min(from + first.max(from).min(1.0 + from));
            // Below w = 1 the series converge at least like 2^-n; long ones there are those of huge shapes.
            let Some(series) = Series::of(self, to, if from < 1.0 { MOST } else { FEW }) else {
                if from < 1.0 {
                    return 0.0;
                }
                let (value, slope) = self.at(from);
                return Taylor::new(self, from, value, slope).panels(end, panel);
            };
            let (middle, half) = (f64::midpoint(from, to), 0.5 * (to - from));
            let mut at = [0.0; NODES];
            at.iter_mut().zip(&nodes_16().points).for_each(|(at, &(node, _))| *at = middle + half * node);
            if panel(from, to, &series.values(&at)).is_break() || to >= end {
                return series.values(&[to])[0];
            }
            from = to;
        }
        1.0
    }

    /// The integral of `weight` times the function from 0 to `end`.
    pub(super) fn integral(&self, end: f64, weight: impl Fn(f64) -> f64) -> f64 {
        let mut sum = 0.0;
        self.panels(end, 0.0, &mut |from, to, values| {
            let (middle, half) = (f64::midpoint(from, to), 0.5 * (to - from));
            let points = nodes_16().points.iter().zip(values);
            sum += half * points.map(|(&(node, share), value)| share * value * weight(middle + half * node)).sum::<f64>();
            ControlFlow::Continue(())
        });
        sum
    }
}
