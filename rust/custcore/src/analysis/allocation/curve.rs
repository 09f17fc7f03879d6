//! Response curves: the margin that spend brings, 0 for no spend, never falling.

use crate::error::{Error, ErrorKind, Result};
use crate::num::special::{exp, exp_m1, ln};

/// The form of a curve.
#[derive(Debug, Clone, PartialEq)]
pub enum CurveShape {
    /// a (1 - e^(-b x)): saturates at `a`.
    Exp {
        /// The most that can be gained.
        a: f64,
        /// How fast, per unit of money.
        b: f64,
    },
    /// a x^k / (c^k + x^k): saturates at `a`; S-shaped for k > 1.
    Hill {
        /// The most that can be gained.
        a: f64,
        /// The spend that gains half of it.
        c: f64,
        /// The steepness.
        k: f64,
    },
    /// Measured points, from (0, 0) on; straight between them, flat after the last.
    Table {
        /// Spend, ascending.
        spend: Vec<f64>,
        /// What it gained.
        value: Vec<f64>,
    },
}

/// What is fitted to measured points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CurveFitKind {
    /// The exponential curve.
    Exp,
    /// Hill's curve; with a steepness, that one is kept.
    Hill(Option<f64>),
}

/// A response curve.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseCurve {
    shape: CurveShape,
    se: Option<f64>,
}

impl ResponseCurve {
    /// a (1 - e^(-b x)).
    pub fn exp(a: f64, b: f64) -> Result<Self> {
        positive("a", a, "the most that spend can gain")?;
        positive("b", b, "the rate of saturation per unit of money")?;
        Ok(Self { shape: CurveShape::Exp { a, b }, se: None })
    }

    /// a x^k / (c^k + x^k).
    pub fn hill(a: f64, c: f64, k: f64) -> Result<Self> {
        positive("a", a, "the most that spend can gain")?;
        positive("c", c, "the spend that gains half of a")?;
        positive("k", k, "the steepness")?;
        Ok(Self { shape: CurveShape::Hill { a, c, k }, se: None })
    }

    /// Measured points, straight between them and flat after the last; (0, 0) is added if it is missing.
    pub fn table(spend: &[f64], value: &[f64]) -> Result<Self> {
        check_lengths(spend, value)?;
        let (mut xs, mut ys) = (vec![0.0], vec![0.0]);
        for (i, (&x, &y)) in spend.iter().zip(value).enumerate() {
            if !(x >= 0.0 && x.is_finite()) {
                return Err(invalid(format!("spend[{i}]={x:?} is invalid; expected an amount of money, 0 or more")));
            }
            if !(y >= 0.0 && y.is_finite()) {
                return Err(invalid(format!(
                    "value[{i}]={y:?} is invalid; expected the margin gained, 0 or more: what loses money gets none"
                )));
            }
            if i == 0 && x == 0.0 {
                if y != 0.0 {
                    return Err(invalid(format!("value[0]={y:?} at spend 0; a curve begins at 0. Subtract what comes without spend")));
                }
                continue;
            }
            let (&last_x, &last_y) = (xs.last().unwrap_or(&0.0), ys.last().unwrap_or(&0.0));
            if x <= last_x {
                return Err(invalid(format!(
                    "spend[{i}]={x:?} does not exceed the one before, {last_x:?}; sort the points by spend, each once"
                )));
            }
            if y < last_y {
                let message = format!(
                    "value[{i}]={y:?} is below the one before, {last_y:?}; a curve may not fall. Leave the point out, or fit a curve: Curve.fit(...)"
                );
                return Err(invalid(message));
            }
            xs.push(x);
            ys.push(y);
        }
        if xs.len() == 1 {
            return Err(invalid("spend has no point above 0; expected at least one measured point".to_owned()));
        }
        Ok(Self { shape: CurveShape::Table { spend: xs, value: ys }, se: None })
    }

    /// The curve with a standard error of its height.
    #[must_use]
    pub fn with_se(self, se: Option<f64>) -> Self {
        Self { se, ..self }
    }

    /// Its form and parameters.
    pub fn shape(&self) -> &CurveShape {
        &self.shape
    }

    /// The standard error of its height, where it was fitted.
    pub fn se(&self) -> Option<f64> {
        self.se
    }

    /// The most that it gains.
    pub fn height(&self) -> f64 {
        match &self.shape {
            CurveShape::Exp { a, .. } | CurveShape::Hill { a, .. } => *a,
            CurveShape::Table { value, .. } => value.last().copied().unwrap_or(0.0),
        }
    }

    /// The spend beyond which nothing is gained.
    pub(super) fn end(&self) -> f64 {
        match &self.shape {
            CurveShape::Exp { .. } | CurveShape::Hill { .. } => f64::INFINITY,
            CurveShape::Table { spend, value } => {
                let first = value.partition_point(|&y| y < self.height());
                spend.get(first).copied().unwrap_or(0.0)
            }
        }
    }

    /// What is gained by spend `x`, 0 or more.
    pub fn value(&self, x: f64) -> f64 {
        match &self.shape {
            CurveShape::Exp { a, b } => -a * exp_m1(-b * x),
            CurveShape::Hill { a, c, k } => {
                if x <= 0.0 {
                    return 0.0;
                }
                let power = exp(-k * (ln(x) - ln(*c)).abs());
                if x > *c { a / (1.0 + power) } else { a * power / (1.0 + power) }
            }
            CurveShape::Table { spend, value } => {
                let next = spend.partition_point(|&at| at <= x);
                if next >= spend.len() {
                    return self.height();
                }
                let (x0, x1, y0, y1) = (spend[next - 1], spend[next], value[next - 1], value[next]);
                y0 + (y1 - y0) * ((x - x0) / (x1 - x0))
            }
        }
    }

    /// What one more unit of money brings at spend `x`, 0 or more: the slope to the right.
    pub fn marginal(&self, x: f64) -> f64 {
        match &self.shape {
            CurveShape::Exp { a, b } => a * b * exp(-b * x),
            CurveShape::Hill { a, c, k } => {
                if x <= 0.0 {
                    return if *k < 1.0 {
                        f64::INFINITY
                    } else if *k > 1.0 {
                        0.0
                    } else {
                        a / c
                    };
                }
                let power = exp(-k * (ln(x) - ln(*c)).abs());
                a * k / x * power / ((1.0 + power) * (1.0 + power))
            }
            CurveShape::Table { spend, value } => {
                let next = spend.partition_point(|&at| at <= x);
                if next >= spend.len() {
                    return 0.0;
                }
                (value[next] - value[next - 1]) / (spend[next] - spend[next - 1])
            }
        }
    }
}

fn positive(name: &str, value: f64, meaning: &str) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(invalid(format!("{name}={value:?} is invalid; expected a positive number, {meaning}")))
}

pub(super) fn check_lengths(spend: &[f64], value: &[f64]) -> Result<()> {
    if spend.len() == value.len() {
        return Ok(());
    }
    Err(invalid(format!("spend has {} entries and value has {}; expected one value for each spend", spend.len(), value.len())))
}

/// An error about an argument.
pub(super) fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(left: f64, right: f64) -> bool {
        (left - right).abs() <= 1e-12 * right.abs().max(1e-300)
    }

    #[test]
    fn values_and_slopes() -> Result<()> {
        let exp_curve = ResponseCurve::exp(50_000.0, 1.0 / 8000.0)?;
        assert!(near(exp_curve.value(8000.0), 50_000.0 * (1.0 - (-1.0_f64).exp())) && near(exp_curve.marginal(0.0), 6.25));
        let hill = ResponseCurve::hill(100.0, 10.0, 2.0)?;
        assert!(near(hill.value(10.0), 50.0) && near(hill.value(20.0), 80.0) && near(hill.value(5.0), 20.0));
        assert!(near(hill.marginal(20.0), 100.0 * 2.0 * 100.0 * 20.0 / (500.0 * 500.0)));
        assert_eq!((hill.value(0.0), hill.marginal(0.0), hill.value(1e300)), (0.0, 0.0, 100.0));
        let first = |k| ResponseCurve::hill(100.0, 10.0, k).map(|curve| curve.marginal(0.0));
        assert_eq!((first(1.0)?, first(0.5)?), (10.0, f64::INFINITY));
        let table = ResponseCurve::table(&[10.0, 20.0, 30.0], &[5.0, 20.0, 20.0])?;
        assert_eq!((table.value(5.0), table.value(15.0), table.value(20.0), table.value(99.0)), (2.5, 12.5, 20.0, 20.0));
        assert_eq!((table.marginal(0.0), table.marginal(10.0), table.marginal(20.0), table.end()), (0.5, 1.5, 0.0, 20.0));
        Ok(())
    }

    #[test]
    fn what_is_no_curve_is_refused() {
        assert!(
            ResponseCurve::exp(0.0, 1.0).is_err()
                && ResponseCurve::exp(1.0, f64::NAN).is_err()
                && ResponseCurve::hill(1.0, -1.0, 1.0).is_err()
        );
        for (spend, value) in [(vec![1.0, 1.0], vec![1.0, 2.0]), (vec![1.0, 2.0], vec![2.0, 1.0]), (vec![0.0], vec![1.0]), (vec![], vec![])]
        {
            assert!(ResponseCurve::table(&spend, &value).is_err());
        }
        assert!(
            ResponseCurve::table(&[1.0], &[1.0, 2.0]).is_err()
                && ResponseCurve::table(&[-1.0], &[1.0]).is_err()
                && ResponseCurve::table(&[1.0], &[-1.0]).is_err()
        );
    }
}
