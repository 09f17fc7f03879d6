//! Gauss-Legendre quadrature.

use std::sync::OnceLock;

/// A rule for integrals over [-1, 1]: nodes, ascending, and weights.
#[derive(Debug)]
pub(crate) struct GaussLegendre {
    /// Nodes and weights.
    pub points: Vec<(f64, f64)>,
}

impl GaussLegendre {
    /// The rule of `n` nodes, exact for polynomials of degree 2 n - 1.
    fn new(n: usize) -> Self {
        let mut points = vec![(0.0, 0.0); n];
        for i in 0..n.div_ceil(2) {
            // Newton's method on the Legendre polynomial, from Tricomi's approximation of its root.
            let mut x = libm::cos(std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5));
            let mut slope = 1.0;
            for _ in 0..100 {
                let (mut p, mut before) = (1.0, 0.0);
                for k in 0..n {
                    let k = k as f64;
                    (p, before) = (((2.0 * k + 1.0) * x * p - k * before) / (k + 1.0), p);
                }
                slope = n as f64 * (x * p - before) / (x * x - 1.0);
                let step = p / slope;
                x -= step;
                if step.abs() < 1e-16 {
                    break;
                }
            }
            let weight = 2.0 / ((1.0 - x * x) * slope * slope);
            let x = if 2 * i + 1 == n { 0.0 } else { x };
            points[i] = (-x, weight);
            points[n - 1 - i] = (x, weight);
        }
        Self { points }
    }

    /// The integral of `f` over [from, to].
    pub(crate) fn integrate(&self, from: f64, to: f64, mut f: impl FnMut(f64) -> f64) -> f64 {
        let (middle, half) = (f64::midpoint(from, to), 0.5 * (to - from));
        half * self.points.iter().map(|&(node, weight)| weight * f(middle + half * node)).sum::<f64>()
    }
}

/// The rule of 5 nodes.
pub(crate) fn nodes_5() -> &'static GaussLegendre {
    static RULE: OnceLock<GaussLegendre> = OnceLock::new();
    RULE.get_or_init(|| GaussLegendre::new(5))
}

/// The rule of 10 nodes.
pub(crate) fn nodes_10() -> &'static GaussLegendre {
    static RULE: OnceLock<GaussLegendre> = OnceLock::new();
    RULE.get_or_init(|| GaussLegendre::new(10))
}

/// The rule of 16 nodes.
pub(crate) fn nodes_16() -> &'static GaussLegendre {
    static RULE: OnceLock<GaussLegendre> = OnceLock::new();
    RULE.get_or_init(|| GaussLegendre::new(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_integrated_exactly() {
        for (rule, n) in [(nodes_5(), 5), (nodes_10(), 10), (nodes_16(), 16)] {
            assert_eq!(rule.points.len(), n);
            for degree in 0..2 * n {
                let exact = if degree % 2 == 0 { 2.0 / (degree as f64 + 1.0) } else { 0.0 };
                let found = rule.integrate(-1.0, 1.0, |x| x.powi(degree as i32));
                assert!((found - exact).abs() < 1e-15, "{n} nodes, degree {degree}: {found}");
            }
        }
    }

    #[test]
    fn the_nodes_are_those_of_the_tables() {
        // Abramowitz and Stegun, table 25.4.
        let points = &nodes_5().points;
        assert!((points[4].0 - 0.906_179_845_938_664).abs() < 1e-15 && (points[4].1 - 0.236_926_885_056_189_1).abs() < 1e-15);
        assert_eq!((points[2].0,), (0.0,));
        assert!((points[2].1 - 0.568_888_888_888_888_9).abs() < 1e-15);
    }
}
