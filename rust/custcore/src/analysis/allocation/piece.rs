//! A piece of a concave curve: a stretch of spend along which the slope falls, or stays the same.
//!
//! Slopes are handled as logarithms: they span many orders of magnitude, and a curve that is multiplied by a factor has all of them
//! shifted.

use crate::num::special::{exp, ln, ln_1p};

/// The most Newton steps for the spend at a slope; from the starts below about six suffice.
const MAX_STEPS: usize = 60;

/// The error of a spend that is as exact as floats are.
pub(super) const EXACT: f64 = 1e-16;

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
    pub(super) form: Form,
    /// ln slope at both ends, which may be infinite; of a straight piece not used.
    start: f64,
    end: f64,
}

/// Where a Newton step for the spend at a slope starts from: a solution found before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hint {
    drop: f64,
    t: f64,
    /// NaN: none.
    rise: f64,
}

impl Hint {
    pub(super) const NONE: Self = Self { drop: f64::NAN, t: f64::NAN, rise: f64::NAN };
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
        let (start, end) =
            if matches!(form, Form::Straight(_)) { (f64::NAN, f64::NAN) } else { (form.log_slope(from), form.log_slope(to)) };
        Self { cell, from, to, form, start, end }
    }

    /// The piece of a form that follows another: rounding may not let the slope rise.
    pub(super) fn after(before: &Self, to: f64, form: Form) -> Self {
        let mut piece = Self::new(before.cell, before.to, to, form);
        piece.start = piece.start.min(before.end());
        piece.end = piece.end.min(piece.start);
        piece
    }

    /// Its length; may be infinite.
    pub(super) fn length(&self) -> f64 {
        self.to - self.from
    }

    /// ln slope at its beginning; may be infinite.
    pub(super) fn start(&self) -> f64 {
        if let Form::Straight(slope) = self.form { ln(slope) } else { self.start }
    }

    /// ln slope at its end; may be infinite.
    pub(super) fn end(&self) -> f64 {
        if let Form::Straight(slope) = self.form { ln(slope) } else { self.end }
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
    /// calls for one piece; `error` is that of the logarithm of spend, relative to it or 1.
    #[inline]
    pub(super) fn spend_at(&self, log: f64, hint: &mut Hint, error: f64) -> (f64, f64) {
        if log >= self.start() {
            return (self.from, 0.0);
        }
        if log <= self.end() {
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
                    hint.move_to(top - log, k, error);
                    let x = c * exp(hint.t);
                    (x, x / hint.rise)
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

impl Hint {
    /// Moves to the t where 2 ln(1 + e^(k t)) - (k - 1) t = `drop`, on the rising side. The function is convex, so that tangents and
    /// asymptotes reach the drop to the right of it, and steps come down from there.
    fn move_to(&mut self, drop: f64, k: f64, error: f64) {
        let mut t = drop / (k + 1.0);
        if k < 1.0 {
            t = t.min(drop / (1.0 - k));
        }
        let tangent = self.t + (drop - self.drop) / self.rise;
        if tangent < t {
            t = tangent;
        }
        let mut rise = 1.0;
        for _ in 0..MAX_STEPS {
            let (softplus, logistic) = softplus_and_logistic(k * t);
            rise = 2.0 * k * logistic - (k - 1.0);
            let newton = (2.0 * softplus - (k - 1.0) * t - drop) / rise;
            if rise <= 0.0 || !newton.is_finite() {
                // Beyond the steepest point, by rounding.
                t = drop / (k + 1.0);
                continue;
            }
            // Halley's step: the second derivative costs nothing.
            let bend = 2.0 * k * k * logistic * (1.0 - logistic) / rise;
            let step = newton / (1.0 - 0.5 * newton * bend).max(0.5);
            t -= step;
            // What is left after it, as the derivatives are bounded: k^2 / 2 the second one, 0.2 k^3 the third.
            let (size, k_over_rise) = (k * step.abs(), k / rise);
            if size * size * step.abs() * (0.0625 * k_over_rise * k_over_rise + 0.033 * k_over_rise) <= error * t.abs().max(1.0) {
                break;
            }
        }
        *self = Self { drop, t, rise };
    }
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
            let mut hint = Hint::NONE;
            for log in [-20.0, -3.0, -0.5, 0.9, 1.2, 1.299, -8.0, 1.1] {
                let (x, rise) = piece.spend_at(log, &mut hint, EXACT);
                if x > from {
                    assert!((form.log_slope(x) - log).abs() < 1e-11, "{form:?} {log}: {x}, {}", form.log_slope(x));
                    let (other, _) = piece.spend_at(log - 1e-6, &mut hint, EXACT);
                    assert!(((other - x) / 1e-6 / rise - 1.0).abs() < 1e-3, "{form:?} {log}: rise {rise}");
                } else {
                    assert!(piece.start() <= log);
                }
            }
        }
    }

    #[test]
    fn a_factor_shifts_slopes_and_a_cut_ends_earlier() {
        let piece = Piece::new(0, 0.0, f64::INFINITY, Form::Exp { top: 1.0, rate: 0.5 });
        let scaled = piece.scaled(2.0, 2f64.ln());
        let (mut a, mut b) = (Hint::NONE, Hint::NONE);
        assert!((scaled.spend_at(0.3, &mut a, EXACT).0 - piece.spend_at(0.3 - 2f64.ln(), &mut b, EXACT).0).abs() < 1e-12);
        assert_eq!((piece.cut(2.0).to, piece.cut(2.0).end(), piece.cut(-1.0).length()), (2.0, 0.0, 0.0));
    }
}
