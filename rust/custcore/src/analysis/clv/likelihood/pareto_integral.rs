//! The integral of the Pareto/NBD: that of (1 + u/a)^-q (1 + u/b)^-c over u in (0, length).
//!
//! With a = alpha + t, b = beta + t, c = s + 1 it is what the published likelihood (Schmittlein, Morrison & Colombo 1987; Fader &
//! Hardie 2005) writes as differences of 2F1. All terms are positive, and alpha = beta is no special case. The variable of
//! integration is ln(min(a, b) + u): there the integrand is analytic within pi of the real axis, so that a few nodes reach
//! rounding error.

use crate::num::quadrature::{GaussLegendre, nodes_5, nodes_10, nodes_16};
use crate::num::special::{exp, exp_m1, ln, ln_1p, ln_1p_exp};

/// An integrand below e^-45 of its largest value is left out.
const NEGLIGIBLE: f64 = 45.0;

/// The integrand (1 + u/a)^-q (1 + u/b)^-c.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Integrand {
    /// First exponent.
    pub q: f64,
    /// First scale.
    pub a: f64,
    /// Second exponent.
    pub c: f64,
    /// Second scale.
    pub b: f64,
}

/// Panels of equal width in ln(scale + u), and the rule of each.
struct Panels {
    scale: f64,
    width: f64,
    count: usize,
    rule: &'static GaussLegendre,
}

impl Integrand {
    /// How fast the integrand falls at u: minus the derivative of its logarithm.
    fn rate(&self, u: f64) -> f64 {
        self.q / (self.a + u) + self.c / (self.b + u)
    }

    /// The end of what counts in (0, length). The rate falls with u, so that the integrand at u <= end is below e^(-rate(end) u):
    /// each step gives a new end, until it gains little.
    fn end(&self, length: f64) -> f64 {
        let mut end = length;
        loop {
            let next = NEGLIGIBLE / self.rate(end);
            if next < 0.5 * end {
                end = next;
            } else {
                return next.min(end);
            }
        }
    }

    /// Panels for (0, end). The error of n nodes over a panel on which the logarithm of the integrand changes by at most `change` is
    /// that of e^(-change z); the width bounds the effect of the singularity at a distance of pi.
    fn panels(&self, end: f64) -> Panels {
        let scale = self.a.min(self.b);
        let width = ln_1p(end / scale);
        let change = width * (self.rate(end) * (scale + end) - 1.0).max(1.0);
        if change <= 0.5 && width <= 0.25 {
            Panels { scale, width, count: 1, rule: nodes_5() }
        } else if change <= 5.0 && width <= 1.5 {
            Panels { scale, width, count: 1, rule: nodes_10() }
        } else {
            let count = (change / 16.0).max(width / 2.5).ceil().max(1.0);
            Panels { scale, width: width / count, count: count as usize, rule: nodes_16() }
        }
    }

    /// Calls `node` with each u and its weight du, over (0, length) without leaving out the end: for sums that other exponents share.
    pub(crate) fn nodes(&self, length: f64, mut node: impl FnMut(f64, f64)) {
        self.panels(length).for_each(|_, u, weight| node(u, weight));
    }

    /// Calls `node` with u, ln(1 + u/a), ln(1 + u/b) and the weight times the integrand.
    #[inline]
    pub(crate) fn terms(&self, length: f64, mut node: impl FnMut(f64, f64, f64, f64)) {
        let (per_a, per_b) = (1.0 / self.a, 1.0 / self.b);
        self.panels(self.end(length)).for_each(|z, u, weight| {
            let log_a = if self.a <= self.b { z } else { ln_1p(u * per_a) };
            let log_b = if self.b <= self.a { z } else { ln_1p(u * per_b) };
            node(u, log_a, log_b, weight * exp(-self.q * log_a - self.c * log_b));
        });
    }

    /// The integral over (0, length).
    pub(crate) fn integral(&self, length: f64) -> f64 {
        let mut sum = 0.0;
        self.terms(length, |_, _, _, term| sum += term);
        sum
    }
}

impl Panels {
    /// Calls `node` with z = ln(1 + u/scale), u and the weight du of each node.
    #[inline]
    fn for_each(&self, mut node: impl FnMut(f64, f64, f64)) {
        let half = 0.5 * self.width;
        for panel in 0..self.count {
            let middle = (2 * panel + 1) as f64 * half;
            for &(x, weight) in &self.rule.points {
                let z = middle + half * x;
                let u = self.scale * exp_m1(z);
                node(z, u, half * weight * (self.scale + u));
            }
        }
    }
}

/// The parameters of a Pareto/NBD. Times are in days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pareto {
    /// Shape of the purchase rates.
    pub r: f64,
    /// Rate parameter of the purchase rates.
    pub alpha: f64,
    /// Shape of the drop-out rates.
    pub s: f64,
    /// Rate parameter of the drop-out rates.
    pub beta: f64,
}

impl Pareto {
    /// The integrand from `t_x` on, as multiples of its value there.
    pub(crate) fn integrand(&self, x: u32, t_x: f64) -> Integrand {
        Integrand { q: self.r + f64::from(x), a: self.alpha + t_x, c: self.s + 1.0, b: self.beta + t_x }
    }

    /// The odds J of having dropped out, as (J e^-E, E): J itself may exceed what a number can hold.
    pub(crate) fn odds(&self, x: u32, t_x: f64, age: f64) -> (f64, f64) {
        let length = age - t_x;
        if length <= 0.0 {
            return (0.0, 0.0);
        }
        let integrand = self.integrand(x, t_x);
        let exponent = self.exponent(&integrand, length);
        (self.s / integrand.b * integrand.integral(length), exponent)
    }

    /// E: the logarithm of `((alpha + T)/(alpha + t_x))^q ((beta + T)/(beta + t_x))^s`.
    pub(crate) fn exponent(&self, integrand: &Integrand, length: f64) -> f64 {
        integrand.q * ln_1p(length / integrand.a) + self.s * ln_1p(length / integrand.b)
    }

    /// P(alive) = 1 / (1 + J); 0 below 1e-300.
    pub(crate) fn p_alive(&self, x: u32, t_x: f64, age: f64) -> f64 {
        let (odds, exponent) = self.odds(x, t_x, age);
        let p_alive = if exponent < 600.0 { 1.0 / (1.0 + odds * exp(exponent)) } else { exp(-ln_1p_exp(exponent + ln(odds))) };
        if p_alive < 1e-300 { 0.0 } else { p_alive }
    }

    /// ln(1 + J).
    #[cfg(test)]
    pub(crate) fn ln_1p_odds(&self, x: u32, t_x: f64, age: f64) -> f64 {
        let (odds, exponent) = self.odds(x, t_x, age);
        if exponent < 600.0 { ln_1p(odds * exp(exponent)) } else { ln_1p_exp(exponent + ln(odds)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrals_are_those_of_closed_forms() {
        for (q, c, a, length) in
            [(0.5, 1.5, 10.0, 3.0), (3.0, 2.0, 0.01, 1e6), (1e5, 4.0, 30.0, 7.0), (0.0, 1.0, 5.0, 50.0), (2.0, 1e6, 1e3, 1e3)]
        {
            // Equal scales: the integral of (1 + u/a)^-(q + c).
            let power: f64 = 1.0 - q - c;
            let exact = if power == 0.0 { a * ln_1p(length / a) } else { a * exp_m1(power * ln_1p(length / a)) / power };
            let found = Integrand { q, a, c, b: a }.integral(length);
            assert!((found / exact - 1.0).abs() < 2e-14, "{q} {c} {a} {length}: {found} {exact}");
        }
        // Scales apart, q = c = 1: a b / (b - a) ln((1 + u/a)/(1 + u/b)).
        let (a, b) = (0.05, 4e4);
        for length in [0.001, 1.0, 500.0, 1e7] {
            let exact = a * b / (b - a) * (ln_1p(length / a) - ln_1p(length / b));
            let found = Integrand { q: 1.0, a, c: 1.0, b }.integral(length);
            assert!((found / exact - 1.0).abs() < 2e-14, "{length}: {found} {exact}");
        }
    }

    #[test]
    fn nobody_is_lost_on_the_day_of_a_purchase() {
        let pareto = Pareto { r: 0.5, alpha: 10.0, s: 0.6, beta: 11.0 };
        assert_eq!((pareto.p_alive(3, 7.0, 7.0), pareto.ln_1p_odds(3, 7.0, 7.0)), (1.0, 0.0));
        assert!(pareto.p_alive(100_000, 10.0, 4_000.0) == 0.0);
        assert!(pareto.ln_1p_odds(100_000, 10.0, 4_000.0).is_finite());
    }
}
