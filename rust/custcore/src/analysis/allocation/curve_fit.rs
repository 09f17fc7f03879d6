//! Curves fitted to measured points by weighted least squares. For given parameters of the shape the height is a ratio of sums; so a
//! grid of these parameters is searched first, which finds the valley, and then its lowest point.

use super::curve::{CurveFitKind, ResponseCurve, check_lengths, invalid};
use super::least_squares::{Residuals, minimise};
use crate::error::{Error, ErrorKind, Result};
use crate::num::special::{exp, exp_m1, ln};

/// Points of the grid in one dimension, and in each of two.
const LINE: usize = 240;
const PLANE: (usize, usize) = (96, 48);
/// Steepness is looked for between these.
const STEEPNESS: (f64, f64) = (0.1, 20.0);

/// Measured points: spend, value, and 1 / standard error.
struct Points {
    spend: Vec<f64>,
    value: Vec<f64>,
    weight: Vec<f64>,
    /// Whether standard errors were given.
    has_se: bool,
    smallest: f64,
    largest: f64,
}

impl ResponseCurve {
    /// Fits a curve to measured points by weighted least squares. The standard error of its height comes with it.
    pub fn fit(spend: &[f64], value: &[f64], se: Option<&[f64]>, kind: CurveFitKind) -> Result<Self> {
        check_lengths(spend, value)?;
        fit(spend, value, se, kind)
    }
}

fn fit(spend: &[f64], value: &[f64], se: Option<&[f64]>, kind: CurveFitKind) -> Result<ResponseCurve> {
    let points = Points::new(spend, value, se)?;
    let needed = if matches!(kind, CurveFitKind::Hill(None)) { 3 } else { 2 };
    let mut distinct: Vec<f64> = spend.iter().copied().filter(|&x| x > 0.0).collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    if distinct.len() < needed {
        let message = format!(
            "{} distinct spends above 0 do not determine {needed} parameters; measure at least {needed}, or use the points as they are: \
             Curve.table(...)",
            distinct.len()
        );
        return Err(not_enough(message));
    }
    match kind {
        CurveFitKind::Exp => fit_exp(&points),
        CurveFitKind::Hill(None) => fit_hill(&points),
        CurveFitKind::Hill(Some(k)) => {
            if !(k > 0.0 && k.is_finite()) {
                return Err(invalid(format!("k={k:?} is invalid; expected a positive number, the steepness")));
            }
            fit_hill_of(&points, k)
        }
    }
}

impl Points {
    fn new(spend: &[f64], value: &[f64], se: Option<&[f64]>) -> Result<Self> {
        if let Some(i) = spend.iter().position(|x| !(*x >= 0.0 && x.is_finite())) {
            return Err(invalid(format!("spend[{i}]={:?} is invalid; expected an amount of money, 0 or more", spend[i])));
        }
        if let Some(i) = value.iter().position(|y| !y.is_finite()) {
            return Err(invalid(format!("value[{i}]={:?} is invalid; expected the margin gained, a finite number", value[i])));
        }
        let weight = match se {
            None => vec![1.0; spend.len()],
            Some(se) if se.len() != spend.len() => {
                return Err(invalid(format!("se has {} entries and spend has {}; expected one for each point", se.len(), spend.len())));
            }
            Some(se) => {
                if let Some(i) = se.iter().position(|se| !(*se > 0.0 && se.is_finite())) {
                    return Err(invalid(format!("se[{i}]={:?} is invalid; expected a standard error above 0", se[i])));
                }
                se.iter().map(|se| 1.0 / se).collect()
            }
        };
        let positive = || spend.iter().copied().filter(|&x| x > 0.0);
        let (smallest, largest) = (positive().fold(f64::INFINITY, f64::min), positive().fold(0.0, f64::max));
        Ok(Self { spend: spend.to_vec(), value: value.to_vec(), weight, has_se: se.is_some(), smallest, largest })
    }

    /// For a shape, its values at the points: the best height, and the squares explained by it.
    fn profile(&self, shape: impl Fn(f64) -> f64) -> (f64, f64) {
        let (mut with_value, mut with_itself) = (0.0, 0.0);
        for ((&x, &y), &w) in self.spend.iter().zip(&self.value).zip(&self.weight) {
            let g = w * shape(x);
            with_value += g * w * y;
            with_itself += g * g;
        }
        if with_value <= 0.0 || with_itself <= 0.0 {
            return (0.0, 0.0);
        }
        (with_value / with_itself, with_value / with_itself * with_value)
    }

    /// Residuals of `height` times a shape with derivatives, where all parameters are logarithms.
    fn residuals<const P: usize>(&self, height: f64, shape: impl Fn(f64) -> [f64; P]) -> Residuals<P> {
        let mut found = Residuals { values: Vec::with_capacity(self.spend.len()), derivatives: Vec::with_capacity(self.spend.len()) };
        for ((&x, &y), &w) in self.spend.iter().zip(&self.value).zip(&self.weight) {
            // The derivative by ln height is the value itself.
            let row = shape(x).map(|part| w * height * part);
            found.values.push(row[0] - w * y);
            found.derivatives.push(row);
        }
        found
    }

    /// The standard error of the height: of the given errors, or of the residuals.
    fn se<const P: usize>(&self, height: f64, found: &Residuals<P>) -> Option<f64> {
        let variance = found.variances()?[0];
        let scale = if self.has_se {
            1.0
        } else {
            let free = self.spend.len().checked_sub(P).filter(|&free| free > 0)?;
            found.sum() / free as f64
        };
        Some(height * (variance * scale).sqrt())
    }
}

/// `n` numbers from `from` to `to`, both positive, at equal ratios.
fn geometric(from: f64, to: f64, n: usize) -> Vec<f64> {
    let (start, step) = (ln(from), (ln(to) - ln(from)) / (n - 1) as f64);
    (0..n).map(|i| exp(start + step * i as f64)).collect()
}

/// The place of the largest number; the first of several.
fn largest(values: &[f64]) -> usize {
    values.iter().enumerate().fold((0, f64::NEG_INFINITY), |best, (i, &value)| if value > best.1 { (i, value) } else { best }).0
}

fn fit_exp(points: &Points) -> Result<ResponseCurve> {
    let grid = geometric(1e-4 / points.largest, 50.0 / points.smallest, LINE);
    let explained: Vec<f64> = grid.iter().map(|b| points.profile(|x| -exp_m1(-b * x)).1).collect();
    let best = largest(&explained);
    check_gain(explained[best])?;
    let start = [ln(points.profile(|x| -exp_m1(-grid[best] * x)).0), ln(grid[best])];
    let (at, found) = minimise(start, |at| {
        let (height, b) = (exp(at[0]), exp(at[1]));
        points.residuals(height, |x| [-exp_m1(-b * x), b * x * exp(-b * x)])
    });
    let (a, b) = (exp(at[0]), exp(at[1]));
    check_levels_off(b * points.largest > 1e-3, b * points.smallest < 30.0)?;
    Ok(ResponseCurve::exp(a, b)?.with_se(points.se(a, &found)))
}

/// x^k / (c^k + x^k) and its derivatives by ln c and ln k.
fn hill(x: f64, c: f64, k: f64) -> [f64; 3] {
    if x <= 0.0 {
        return [0.0; 3];
    }
    let z = k * (ln(x) - ln(c));
    let small = exp(-z.abs());
    let (share, rest) = if z > 0.0 { (1.0 / (1.0 + small), small / (1.0 + small)) } else { (small / (1.0 + small), 1.0 / (1.0 + small)) };
    [share, -k * share * rest, z * share * rest]
}

fn fit_hill_of(points: &Points, k: f64) -> Result<ResponseCurve> {
    // For a large k all turns within a small range of c, for a small one within a large range.
    let reach = 1e4_f64.min(exp(6.0 / k));
    let grid = geometric(points.smallest / reach.max(10.0), points.largest * reach.max(10.0), LINE);
    let explained: Vec<f64> = grid.iter().map(|&c| points.profile(|x| hill(x, c, k)[0]).1).collect();
    let best = largest(&explained);
    check_gain(explained[best])?;
    let start = [ln(points.profile(|x| hill(x, grid[best], k)[0]).0), ln(grid[best])];
    let (at, found) = minimise(start, |at| {
        let (height, c) = (exp(at[0]), exp(at[1]));
        points.residuals(height, |x| {
            let [share, by_c, _] = hill(x, c, k);
            [share, by_c]
        })
    });
    let (a, c) = (exp(at[0]), exp(at[1]));
    check_hill(points, c, k)?;
    Ok(ResponseCurve::hill(a, c, k)?.with_se(points.se(a, &found)))
}

fn fit_hill(points: &Points) -> Result<ResponseCurve> {
    let cs = geometric(points.smallest / 100.0, points.largest * 100.0, PLANE.0);
    let ks = geometric(STEEPNESS.0, STEEPNESS.1, PLANE.1);
    let explained: Vec<f64> =
        ks.iter().flat_map(|&k| cs.iter().map(move |&c| (c, k))).map(|(c, k)| points.profile(|x| hill(x, c, k)[0]).1).collect();
    let best = largest(&explained);
    check_gain(explained[best])?;
    let (c, k) = (cs[best % PLANE.0], ks[best / PLANE.0]);
    let start = [ln(points.profile(|x| hill(x, c, k)[0]).0), ln(c), ln(k)];
    let (at, found) = minimise(start, |at| {
        let (height, c, k) = (exp(at[0]), exp(at[1]), exp(at[2]));
        points.residuals(height, |x| hill(x, c, k))
    });
    let (a, c, k) = (exp(at[0]), exp(at[1]), exp(at[2]));
    if !(0.5 * STEEPNESS.0..=2.0 * STEEPNESS.1).contains(&k) {
        let message =
            "the steepness k cannot be told from these points; give it, e.g. k=1, or use the points as they are: Curve.table(...)";
        return Err(not_enough(message.to_owned()));
    }
    check_hill(points, c, k)?;
    Ok(ResponseCurve::hill(a, c, k)?.with_se(points.se(a, &found)))
}

fn check_hill(points: &Points, c: f64, k: f64) -> Result<()> {
    check_levels_off(hill(points.largest, c, k)[0] > 1e-3, hill(points.smallest, c, k)[0] < 1.0 - 1e-9)
}

fn check_gain(explained: f64) -> Result<()> {
    if explained > 0.0 {
        return Ok(());
    }
    Err(not_enough("no spend gained anything: the values are 0 or less, so there is no curve with a > 0. Leave the cell out".to_owned()))
}

/// An error where the best curve is a straight line, or a step at 0: its parameters have no limits.
fn check_levels_off(levels_off: bool, rises: bool) -> Result<()> {
    let (what, remedy) = match (levels_off, rises) {
        (true, true) => return Ok(()),
        (false, _) => ("rises in proportion to spend up to the largest one, so where it levels off cannot be told", "larger spends"),
        (true, false) => ("has levelled off at the smallest spend, so how it gets there cannot be told", "smaller spends"),
    };
    Err(not_enough(format!("the value {what}; measure {remedy}, or use the points as they are: Curve.table(...)")))
}

fn not_enough(message: String) -> Error {
    Error::new(ErrorKind::NotEnoughData, message)
}

#[cfg(test)]
mod tests {
    use super::super::curve::CurveShape;
    use super::*;

    const SPEND: [f64; 6] = [100.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0];

    fn values(curve: &ResponseCurve) -> Vec<f64> {
        SPEND.iter().map(|&x| curve.value(x)).collect()
    }

    #[test]
    fn exact_points_give_the_curve_back() -> Result<()> {
        for truth in [ResponseCurve::exp(900.0, 0.0011)?, ResponseCurve::exp(9e7, 0.01)?] {
            let CurveShape::Exp { a, b } = *ResponseCurve::fit(&SPEND, &values(&truth), None, CurveFitKind::Exp)?.shape() else {
                return Ok(());
            };
            let CurveShape::Exp { a: true_a, b: true_b } = *truth.shape() else { return Ok(()) };
            assert!((a / true_a - 1.0).abs() < 1e-9 && (b / true_b - 1.0).abs() < 1e-9, "{a} {b}");
        }
        for k in [0.6, 1.0, 2.7] {
            let truth = ResponseCurve::hill(900.0, 700.0, k)?;
            let CurveShape::Hill { a, c, k: found } = *ResponseCurve::fit(&SPEND, &values(&truth), None, CurveFitKind::Hill(None))?.shape()
            else {
                return Ok(());
            };
            assert!((a / 900.0 - 1.0).abs() < 1e-7 && (c / 700.0 - 1.0).abs() < 1e-7 && (found / k - 1.0).abs() < 1e-7, "{a} {c} {found}");
            let kept = ResponseCurve::fit(&SPEND, &values(&truth), Some(&[5.0; 6]), CurveFitKind::Hill(Some(k)))?;
            assert!((kept.height() / 900.0 - 1.0).abs() < 1e-9 && kept.se().is_some_and(|se| se > 0.0));
        }
        Ok(())
    }

    #[test]
    fn what_points_cannot_tell_is_an_error() {
        let kind = |points: Result<ResponseCurve>| points.map_err(|error| error.kind()).err();
        let line: Vec<f64> = SPEND.iter().map(|x| 0.1 * x).collect();
        assert_eq!(kind(ResponseCurve::fit(&SPEND, &line, None, CurveFitKind::Exp)), Some(ErrorKind::NotEnoughData));
        assert_eq!(kind(ResponseCurve::fit(&SPEND, &line, None, CurveFitKind::Hill(Some(1.0)))), Some(ErrorKind::NotEnoughData));
        assert_eq!(kind(ResponseCurve::fit(&SPEND, &[7.0; 6], None, CurveFitKind::Exp)), Some(ErrorKind::NotEnoughData));
        assert_eq!(kind(ResponseCurve::fit(&SPEND, &[-1.0; 6], None, CurveFitKind::Exp)), Some(ErrorKind::NotEnoughData));
        assert_eq!(kind(ResponseCurve::fit(&[5.0, 5.0], &[1.0, 1.0], None, CurveFitKind::Exp)), Some(ErrorKind::NotEnoughData));
        assert_eq!(
            kind(ResponseCurve::fit(&[5.0, 6.0], &[1.0, 2.0], Some(&[1.0, 0.0]), CurveFitKind::Exp)),
            Some(ErrorKind::InvalidArgument)
        );
    }
}
