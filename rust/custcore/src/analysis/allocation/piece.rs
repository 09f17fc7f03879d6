//! A piece of a concave curve: a stretch of spend along which the slope falls, or stays the same.
//!
//! Slopes are handled as logarithms: they span many orders of magnitude, and a curve that is multiplied by a factor has all of them
//! shifted.

use crate::num::special::{exp, ln, ln_1p};

/// The most Newton steps for the spend at a slope; from the starts below about six suffice.
const MAX_STEPS: usize = 60;

/// How the slope falls along a piece.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Form {
    /// It stays the same; the slope itself, as its logarithm is rounded.
    Straight(f64),
    /// ln slope = top - rate x.
    Exp { top: f64, rate: f64 },
    /// ln slope = top + (k - 1) t - 2 ln(1 + e^(k t)), where t = ln(x / c).
    Hill { top: f64, c: f64, k: f64 },
}

/// A piece of the curve of a cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// The cell.
    pub(super) cell: usize,
    /// Where it begins.
    pub(super) from: f64,
    /// Where it ends; may be infinite.
    pub(super) to: f64,
    /// ln slope at its beginning; may be infinite.
    pub(super) start: f64,
    /// ln slope at its end.
    pub(super) end: f64,
    pub(super) form: Form,
}

/// ln(1 + e^z) and e^z / (1 + e^z).
fn softplus_and_logistic(z: f64) -> (f64, f64) {
    let small = exp(-z.abs());
    let logistic = if z > 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
    (z.max(0.0) + ln_1p(small), logistic)
}

impl Form {
    /// ln slope at spend `x`.
    fn log_slope(self, x: f64) -> f64 {
        match self {
            Self::Straight(slope) => ln(slope),
            Self::Exp { top, rate } => top - rate * x,
            Self::Hill { top, c, k } => {
                if x == 0.0 {
                    // Without this, infinity less infinity.
                    return if k < 1.0 {
                        f64::INFINITY
                    } else if k > 1.0 {
                        f64::NEG_INFINITY
                    } else {
                        top
                    };
                }
                if x == f64::INFINITY {
                    return f64::NEG_INFINITY;
                }
                let t = ln(x) - ln(c);
                top + (k - 1.0) * t - 2.0 * softplus_and_logistic(k * t).0
            }
        }
    }
}

impl Piece {
    /// The piece of a form between two amounts of spend.
    pub(super) fn new(cell: usize, from: f64, to: f64, form: Form) -> Self {
        Self { cell, from, to, start: form.log_slope(from), end: form.log_slope(to), form }
    }

    /// Its length; may be infinite.
    pub(super) fn length(&self) -> f64 {
        self.to - self.from
    }

    /// ln slope somewhere within it, which is finite.
    pub(super) fn middle(&self) -> f64 {
        match self.form {
            Form::Straight(_) => self.start,
            Form::Exp { top, .. } | Form::Hill { top, .. } => top,
        }
    }

    /// Whether its slope is the same everywhere.
    pub(super) fn is_straight(&self) -> bool {
        matches!(self.form, Form::Straight(_))
    }

    /// The piece where the curve is multiplied by a factor, of which this is the logarithm too.
    pub(super) fn scaled(&self, factor: f64, log: f64) -> Self {
        let form = match self.form {
            Form::Straight(slope) => Form::Straight(slope * factor),
            Form::Exp { top, rate } => Form::Exp { top: top + log, rate },
            Form::Hill { top, c, k } => Form::Hill { top: top + log, c, k },
        };
        Self { start: self.start + log, end: self.end + log, form, ..*self }
    }

    /// The piece up to `to`.
    pub(super) fn cut(&self, to: f64) -> Self {
        if to >= self.to {
            return *self;
        }
        let to = to.max(self.from);
        Self { to, end: if self.is_straight() { self.end } else { self.form.log_slope(to) }, ..*self }
    }

    /// The spend where the slope has fallen to e^`log`, and by how much it rises per unit by which `log` falls. `hint` is kept between
    /// calls of one piece, to start from.
    #[inline]
    pub(super) fn spend_at(&self, log: f64, hint: &mut f64) -> (f64, f64) {
        if log >= self.start {
            return (self.from, 0.0);
        }
        if log <= self.end {
            return (self.to, 0.0);
        }
        let (x, rise) = match self.form {
            Form::Straight(_) => return (self.to, 0.0),
            Form::Exp { top, rate } => ((top - log) / rate, 1.0 / rate),
            Form::Hill { top, c, k } => {
                if (k - 1.0).abs() < f64::EPSILON {
                    let root = exp(0.5 * (top - log));
                    (c * (root - 1.0), 0.5 * c * root)
                } else {
                    let (t, fall) = hill_at(top - log, k, *hint);
                    *hint = t;
                    let x = c * exp(t);
                    (x, x / fall)
                }
            }
        };
        if x <= self.from {
            (self.from, 0.0)
        } else if x >= self.to {
            (self.to, 0.0)
        } else {
            (x, rise)
        }
    }
}

/// The t where 2 ln(1 + e^(k t)) - (k - 1) t = `drop`, on its rising side, and how fast that rises there. It is convex: Newton steps from
/// the right of the root come down to it.
fn hill_at(drop: f64, k: f64, hint: f64) -> (f64, f64) {
    // Both lines are below the function, so they reach the drop to the right of it.
    let mut t = drop / (k + 1.0);
    if k < 1.0 {
        t = t.min(drop / (1.0 - k));
    }
    // From the left a step goes beyond the root, which may be far where the function is flat.
    if hint.is_finite() && hint < t {
        t = hint;
    }
    let right = drop / (k + 1.0);
    let mut fall = 1.0;
    for _ in 0..MAX_STEPS {
        let (softplus, logistic) = softplus_and_logistic(k * t);
        fall = 2.0 * k * logistic - (k - 1.0);
        let step = (2.0 * softplus - (k - 1.0) * t - drop) / fall;
        if fall <= 0.0 || !step.is_finite() {
            // At or before the steepest point, which a hint of another slope may be.
            t = right;
            continue;
        }
        t -= step;
        if step.abs() <= 4e-15 * t.abs().max(1.0) {
            break;
        }
    }
    (t, fall)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_at_the_spend_is_the_one_asked_for() {
        let forms = [
            Form::Exp { top: 1.3, rate: 0.01 },
            Form::Hill { top: 2.0, c: 50.0, k: 1.0 },
            Form::Hill { top: 2.0, c: 50.0, k: 0.3 },
            Form::Hill { top: 2.0, c: 50.0, k: 0.999 },
            Form::Hill { top: 2.0, c: 50.0, k: 3.0 },
            Form::Hill { top: 2.0, c: 50.0, k: 40.0 },
        ];
        for form in forms {
            let from = if matches!(form, Form::Hill { k, .. } if k > 1.0) { 50.0 } else { 0.0 };
            let piece = Piece::new(0, from, f64::INFINITY, form);
            let mut hint = f64::NAN;
            for log in [-20.0, -3.0, -0.5, 0.9, 1.2, 1.299, -8.0, 1.1] {
                let (x, rise) = piece.spend_at(log, &mut hint);
                if x > from {
                    assert!((form.log_slope(x) - log).abs() < 1e-11, "{form:?} {log}: {x}, {}", form.log_slope(x));
                    let (other, _) = piece.spend_at(log - 1e-6, &mut hint);
                    assert!(((other - x) / 1e-6 / rise - 1.0).abs() < 1e-3, "{form:?} {log}: rise {rise}");
                } else {
                    assert!(piece.start <= log);
                }
            }
        }
    }

    #[test]
    fn a_factor_shifts_slopes_and_a_cut_ends_earlier() {
        let piece = Piece::new(0, 0.0, f64::INFINITY, Form::Exp { top: 1.0, rate: 0.5 });
        let scaled = piece.scaled(2.0, 2f64.ln());
        let (mut a, mut b) = (f64::NAN, f64::NAN);
        assert!((scaled.spend_at(0.3, &mut a).0 - piece.spend_at(0.3 - 2f64.ln(), &mut b).0).abs() < 1e-12);
        assert_eq!((piece.cut(2.0).to, piece.cut(2.0).end, piece.cut(-1.0).length()), (2.0, 0.0, 0.0));
    }
}
