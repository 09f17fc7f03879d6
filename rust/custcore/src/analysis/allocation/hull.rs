//! The concave hull of a response curve between two bounds, as pieces of falling slope.

use super::curve::{CurveShape, ResponseCurve};
use super::piece::{Form, Piece};
use crate::num::special::{exp, ln, ln_1p};

/// Appends the pieces of the hull of `curve` over `low..=high` to `pieces`. Flat pieces, which gain nothing, are none.
pub(super) fn append_hull(cell: usize, curve: &ResponseCurve, low: f64, high: f64, pieces: &mut Vec<Piece>) {
    let high = high.min(curve.end());
    if high <= low {
        return;
    }
    match curve.shape() {
        CurveShape::Exp { a, b } => pieces.push(Piece::new(cell, low, high, Form::Exp { top: ln(*a) + ln(*b), rate: *b })),
        CurveShape::Hill { a, c, k } => {
            let arc = Form::Hill { top: ln(*a) + ln(*k) - ln(*c), c: *c, k: *k };
            let concave_from = if *k > 1.0 { tangent(low / c, *k) * c } else { low };
            if concave_from > low {
                let to = concave_from.min(high);
                let slope = (curve.value(to) - curve.value(low)) / (to - low);
                if slope <= 0.0 {
                    return; // below the smallest float
                }
                pieces.push(Piece::new(cell, low, to, Form::Straight(slope)));
            }
            if concave_from < high {
                let before = pieces.last().copied().filter(|before| before.cell == cell);
                pieces.push(before.map_or_else(|| Piece::new(cell, low, high, arc), |before| Piece::after(&before, high, arc)));
            }
        }
        CurveShape::Table { spend, value } => {
            let inner = spend.iter().zip(value).filter(|(x, _)| **x > low && **x < high).map(|(&x, &y)| (x, y));
            let points = std::iter::once((low, curve.value(low))).chain(inner).chain(std::iter::once((high, curve.value(high))));
            let mut hull: Vec<(f64, f64)> = Vec::with_capacity(spend.len() + 1);
            for point in points {
                while let [.., first, second] = hull[..]
                    && (point.1 - second.1) * (second.0 - first.0) >= (second.1 - first.1) * (point.0 - second.0)
                {
                    hull.pop();
                }
                hull.push(point);
            }
            for ends in hull.windows(2) {
                let slope = (ends[1].1 - ends[0].1) / (ends[1].0 - ends[0].0);
                if slope > 0.0 {
                    pieces.push(Piece::new(cell, ends[0].0, ends[1].0, Form::Straight(slope)));
                }
            }
        }
    }
}

/// Where the line from `low` touches the curve x^k / (1 + x^k), k > 1: its hull is that line, then the curve. `low` itself where the
/// curve is concave from there on.
fn tangent(low: f64, k: f64) -> f64 {
    // The line from 0 touches at x^k = k - 1; the curve is concave from x^k = (k - 1) / (k + 1) on.
    let from_zero = exp(ln(k - 1.0) / k);
    if low <= 0.0 {
        return from_zero;
    }
    let inflection = exp((ln(k - 1.0) - ln(k + 1.0)) / k);
    if low >= inflection {
        return low;
    }
    let value = |x: f64| {
        let power = exp(k * ln(x));
        power / (1.0 + power)
    };
    let slope = |x: f64| {
        let z = k * ln(x);
        exp(ln(k) - ln(x) + z - 2.0 * (z.max(0.0) + ln_1p(exp(-z.abs()))))
    };
    let at_low = value(low);
    // The slope at x less that of the line from low to x falls from the point of inflection on.
    let (mut left, mut right) = (inflection, from_zero.max(inflection));
    for _ in 0..100 {
        let middle = 0.5 * (left + right);
        if middle <= left || middle >= right {
            break;
        }
        if slope(middle) * (middle - low) > value(middle) - at_low {
            left = middle;
        } else {
            right = middle;
        }
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Result;

    fn hull(curve: &ResponseCurve, low: f64, high: f64) -> Vec<Piece> {
        let mut pieces = Vec::new();
        append_hull(0, curve, low, high, &mut pieces);
        pieces
    }

    /// The hull at `x`, from the pieces: a line's height is exact, an arc lies on the curve.
    fn height(curve: &ResponseCurve, pieces: &[Piece], x: f64) -> f64 {
        let at = pieces.iter().find(|piece| x <= piece.to);
        match at.map(|piece| (piece, piece.form)) {
            Some((piece, Form::Straight(slope))) => curve.value(piece.from) + slope * (x - piece.from),
            _ => curve.value(x),
        }
    }

    #[test]
    fn it_is_concave_and_nowhere_below_the_curve() -> Result<()> {
        let steps: Vec<f64> = (0..12).map(|i| f64::from(i * i * 7 % 90) + f64::from(i * 40)).collect();
        let xs: Vec<f64> = (0..12).map(|i| f64::from(10 * (i + 1) + i % 3)).collect();
        let curves = [
            ResponseCurve::hill(100.0, 30.0, 2.5)?,
            ResponseCurve::hill(100.0, 30.0, 30.0)?,
            ResponseCurve::hill(100.0, 30.0, 1.0001)?,
            ResponseCurve::hill(100.0, 30.0, 0.5)?,
            ResponseCurve::exp(100.0, 0.03)?,
            ResponseCurve::table(
                &xs,
                &steps
                    .iter()
                    .scan(0.0_f64, |top, &y| {
                        *top = top.max(y);
                        Some(*top)
                    })
                    .collect::<Vec<_>>(),
            )?,
        ];
        for curve in &curves {
            for (low, high) in [(0.0, 200.0), (5.0, 200.0), (12.0, 31.0), (25.0, 26.0), (40.0, 119.0)] {
                let pieces = hull(curve, low, high);
                assert!(
                    pieces.windows(2).all(|pair| (pair[0].to - pair[1].from).abs() < 1e-12 && pair[0].end() >= pair[1].start() - 1e-9),
                    "{curve:?} {pieces:?}"
                );
                assert!(pieces.first().is_none_or(|piece| (piece.from - low).abs() < 1e-12));
                let heights: Vec<f64> = (0..=400).map(|i| height(curve, &pieces, low + (high - low) * f64::from(i) / 400.0)).collect();
                for (i, &y) in heights.iter().enumerate() {
                    let x = low + (high - low) * i as f64 / 400.0;
                    assert!(y >= curve.value(x) - 1e-9, "{curve:?} from {low} to {high} at {x}: {y} {}", curve.value(x));
                }
                assert!(heights.windows(3).all(|y| y[1] - y[0] >= y[2] - y[1] - 1e-9), "{curve:?} from {low} to {high}");
            }
        }
        Ok(())
    }

    #[test]
    fn what_gains_nothing_is_no_piece() -> Result<()> {
        let curve = ResponseCurve::table(&[10.0, 20.0, 30.0], &[5.0, 8.0, 8.0])?;
        assert_eq!(hull(&curve, 0.0, f64::INFINITY).last().map(|piece| piece.to), Some(20.0));
        assert!(hull(&curve, 20.0, 90.0).is_empty() && hull(&curve, 5.0, 5.0).is_empty());
        Ok(())
    }
}
