//! P(alive) of the Pareto/NBD from one function of one variable for each x.
//!
//! Let `w(t)` be the probability that a customer with x repeat purchases who is alive at t is lost before he buys again:
//! `w(t) = s/(beta + t)` times the integral over (0, infinity) of `(1 + u/(alpha + t))^-q (1 + u/(beta + t))^-(s+1)`. Then
//! `1 + J = 1 - w(T) + e^E w(t_x)`, `E = q ln((alpha + T)/(alpha + t_x)) + s ln((beta + T)/(beta + t_x))`: the integral from `t_x` to T
//! as a difference of two without end. As w <= 1 its rounding error is that of 1 + J.
//!
//! As a function of y = ln(1 + t/min(alpha, beta)) w is analytic within pi of the real axis, whatever x is: polynomials on short
//! intervals of y reach rounding error. They are made when first asked for, from the parameters alone, so that no value depends on
//! what was asked before.

use std::f64::consts::PI;
use std::sync::OnceLock;

use super::super::likelihood::pareto::Pareto;
use super::super::likelihood::pareto_integral::Integrand;
use crate::num::special::{exp, exp_m1, ln, ln_1p};

/// Each x below this has polynomials; others are integrated one by one.
const TABLES: usize = 256;
/// Length of the intervals of y.
const WIDTH: f64 = 1.25;
/// Number of intervals.
const INTERVALS: usize = 40;
/// Coefficients of a polynomial. The error falls by 10 with each: the interval is 5 half-widths away from a singularity.
const DEGREES: usize = 16;

type Polynomial = [f64; DEGREES];

/// P(alive) for all x, of one set of parameters.
#[derive(Debug)]
pub(super) struct Alive {
    parameters: Pareto,
    scale: f64,
    tables: Vec<OnceLock<Vec<OnceLock<Polynomial>>>>,
}

impl Alive {
    /// Nothing is computed yet.
    pub(super) fn new(parameters: &Pareto) -> Self {
        Self {
            parameters: *parameters,
            scale: parameters.alpha.min(parameters.beta),
            tables: (0..TABLES).map(|_| OnceLock::new()).collect(),
        }
    }

    /// P(alive); 0 below 1e-300.
    pub(super) fn p_alive(&self, x: u32, t_x: f64, age: f64) -> f64 {
        let length = age - t_x;
        if length <= 0.0 {
            return 1.0;
        }
        let Pareto { r, alpha, s, beta } = self.parameters;
        let Some(tables) = self.tables.get(x as usize) else { return self.parameters.p_alive(x, t_x, age) };
        let tables = tables.get_or_init(|| (0..INTERVALS).map(|_| OnceLock::new()).collect());
        let (log_a, log_b) = (ln_1p(length / (alpha + t_x)), ln_1p(length / (beta + t_x)));
        let from = ln_1p(t_x / self.scale);
        let to = from + if alpha <= beta { log_a } else { log_b };
        if to >= WIDTH * INTERVALS as f64 {
            return self.parameters.p_alive(x, t_x, age);
        }
        let at = |y: f64| {
            let place = y / WIDTH;
            let interval = place as usize;
            let polynomial = tables[interval].get_or_init(|| self.polynomial(x, interval));
            value(polynomial, 2.0 * (place - interval as f64) - 1.0)
        };
        let exponent = (r + f64::from(x)) * log_a + s * log_b;
        let p_alive =
            if exponent < 600.0 { 1.0 / (1.0 + (exp(exponent) * at(from) - at(to)).max(0.0)) } else { exp(-exponent - ln(at(from))) };
        if p_alive < 1e-300 { 0.0 } else { p_alive }
    }

    /// The polynomial of an interval through the values at its Chebyshev nodes, in powers of a variable from -1 to 1. The values come
    /// from the last node back: each is the integral over the gap to the next, plus what follows.
    fn polynomial(&self, x: u32, interval: usize) -> Polynomial {
        let Pareto { s, beta, .. } = self.parameters;
        let time = |node: f64| self.scale * exp_m1(WIDTH * (interval as f64 + 0.5 * (node + 1.0)));
        let nodes: [f64; DEGREES] = std::array::from_fn(|node| chebyshev(1, node));
        let mut values = [0.0; DEGREES];
        let mut next = time(nodes[0]);
        let mut following = self.parameters.integrand(x, next).integral_without_end();
        for (j, &node) in nodes.iter().enumerate() {
            let t = time(node);
            let integrand = self.parameters.integrand(x, t);
            if j > 0 {
                following = integrand.integral(next - t) + integrand.at(next - t) * following;
            }
            values[j] = s / (beta + t) * following;
            next = t;
        }
        from_chebyshev(&values)
    }
}

/// `T_k` at the node of this number: the Chebyshev polynomial of degree k. Node 0 is the largest.
fn chebyshev(k: usize, node: usize) -> f64 {
    libm::cos(PI * (k * (2 * node + 1)) as f64 / (2 * DEGREES) as f64)
}

/// The coefficients, by powers, of the polynomial through values at the Chebyshev nodes.
fn from_chebyshev(values: &[f64; DEGREES]) -> Polynomial {
    let mut all = [0.0; DEGREES];
    // Coefficients of T_k, and of T_(k-1); that of -1 is T_1.
    let (mut powers, mut before) = ([0.0; DEGREES], [0.0; DEGREES]);
    (powers[0], before[1]) = (1.0, 1.0);
    for k in 0..DEGREES {
        let sum: f64 = values.iter().enumerate().map(|(node, value)| value * chebyshev(k, node)).sum();
        let weight = if k == 0 { 1.0 } else { 2.0 } * sum / DEGREES as f64;
        all.iter_mut().zip(powers).for_each(|(all, power)| *all += weight * power);
        let next = std::array::from_fn(|i| if i == 0 { 0.0 } else { 2.0 * powers[i - 1] } - before[i]);
        (before, powers) = (powers, next);
    }
    all
}

/// The value of a polynomial: even and odd powers apart, because each step waits for the one before.
#[inline]
fn value(polynomial: &Polynomial, x: f64) -> f64 {
    let square = x * x;
    let (mut even, mut odd) = (0.0, 0.0);
    for pair in polynomial.chunks_exact(2).rev() {
        even = even * square + pair[0];
        odd = odd * square + pair[1];
    }
    even + x * odd
}

impl Integrand {
    /// The integrand at u.
    fn at(&self, u: f64) -> f64 {
        exp(-self.q * ln_1p(u / self.a) - self.c * ln_1p(u / self.b))
    }

    /// The integral over (0, infinity), q + c > 1. From e^37 times the larger scale on the integrand is a power of u.
    fn integral_without_end(&self) -> f64 {
        let end = 1e16 * self.a.max(self.b);
        let rest = end * self.at(end) / (self.q + self.c - 1.0);
        self.integral(end) + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_and_integrals_agree() {
        for (r, alpha, s, beta) in [
            (0.55, 74.0, 0.6, 81.0),
            (0.8, 70.0, 0.5, 70.0),
            (0.01, 300.0, 1e-14, 900.0),
            (1.5, 0.05, 2.0, 900.0),
            (0.3, 7e4, 0.7, 0.07),
            (1e6, 7e7, 1e5, 7e6),
            (20.0, 5.0, 1e5, 3.0),
        ] {
            let parameters = Pareto { r, alpha, s, beta };
            let alive = Alive::new(&parameters);
            for x in [0, 1, 3, 40, 255, 300] {
                for (t_x, age) in [(0.0, 0.5), (0.0, 4_000.0), (12.0, 13.0), (400.0, 500.0), (3e4, 1e6), (1e3, 1e3)] {
                    let (found, exact) = (alive.p_alive(x, t_x, age), parameters.p_alive(x, t_x, age));
                    assert!((found - exact).abs() <= 1e-13 * exact, "{parameters:?} {x} {t_x} {age}: {found} {exact}");
                }
            }
        }
    }

    #[test]
    fn what_was_asked_before_does_not_matter() {
        let parameters = Pareto { r: 0.55, alpha: 74.0, s: 0.6, beta: 81.0 };
        let (first, second) = (Alive::new(&parameters), Alive::new(&parameters));
        let asked: Vec<f64> = (1..500).map(|age| first.p_alive(2, 1.0, f64::from(age))).collect();
        let back: Vec<f64> = (1..500).rev().map(|age| second.p_alive(2, 1.0, f64::from(age))).collect();
        assert!(asked.iter().eq(back.iter().rev()));
        assert!(asked.windows(2).all(|pair| pair[1] < pair[0]));
    }

    #[test]
    fn a_polynomial_goes_through_its_values() {
        let found = from_chebyshev(&std::array::from_fn(|node| 1.0 / (3.0 + chebyshev(1, node))));
        for x in [-1.0, -0.3, 0.0, 0.77, 1.0] {
            assert!((value(&found, x) - 1.0 / (3.0 + x)).abs() < 1e-12, "{x}");
        }
    }
}
