//! Integrals over the survival of a Pareto/NBD customer who is alive at T: S(u) = (B/(B + u))^s, B = beta + T.
//!
//! They depend on T alone, not on x. Quadrature is in z = ln(1 + u/B), where S is e^(-s z); all terms are positive.

use super::predictor::Discounting;
use crate::num::quadrature::{nodes_10, nodes_16};
use crate::num::special::{exp, exp_m1, ln_1p};

/// Integrands below e^-45 of their largest value are left out.
const NEGLIGIBLE: f64 = 45.0;
/// Periods that are summed one by one; those beyond by the Euler-Maclaurin formula.
const PERIODS: f64 = 2_048.0;

/// Survival of the customers of one age.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Survival {
    /// Shape of the drop-out rates.
    pub s: f64,
    /// beta + T.
    pub b: f64,
}

impl Survival {
    /// S(u).
    pub(crate) fn at(&self, u: f64) -> f64 {
        exp(-self.s * ln_1p(u / self.b))
    }

    /// K(h), the integral of S over (0, h): expected days alive. Near s = 1 it is what `expm1` gives.
    pub(crate) fn days(&self, h: f64) -> f64 {
        let (log, power) = (ln_1p(h / self.b), 1.0 - self.s);
        if power == 0.0 { self.b * log } else { self.b * exp_m1(power * log) / power }
    }

    /// The integral of S over (from, from + length), without a difference.
    fn days_between(&self, from: f64, length: f64) -> f64 {
        self.at(from) * Self { s: self.s, b: self.b + from }.days(length)
    }

    /// Twice the integral of u S(u) over (0, h): the expected square of the days alive.
    pub(crate) fn squared_days(&self, h: f64) -> f64 {
        2.0 * self.integral(0.0, h, 0.0, |z, u| u * exp(-self.s * z))
    }

    /// The present value of the days alive in (0, h) at a force of interest of a day; h may be infinite. With an infinite h it is
    /// B^s delta^(s-1) e^(delta B) Γ(1 - s, delta B).
    pub(crate) fn discounted_days(&self, h: f64, delta: f64) -> f64 {
        if delta == 0.0 && h.is_finite() {
            return self.days(h);
        }
        self.integral(0.0, h, delta, |z, u| exp(-self.s * z - delta * u))
    }

    /// The present value of the days alive in (0, h), those of each period at its end.
    fn discounted_periods(&self, h: f64, period: f64, rate: f64) -> f64 {
        let force = ln_1p(rate);
        let term = |k: f64| exp(-force * k) * self.days_between((k - 1.0) * period, period);
        let whole = (h / period).floor();
        let mut sum = 0.0;
        let mut k = 1.0;
        while k <= whole.min(PERIODS) && force * k <= NEGLIGIBLE {
            sum += term(k);
            k += 1.0;
        }
        if k <= whole && force * k <= NEGLIGIBLE {
            // The sum of a smooth function over integers: its integral from half before the first to half after the last, and the
            // first correction by its slopes there.
            let slope = |k: f64| {
                let change = period * (self.at(k * period) - self.at((k - 1.0) * period));
                exp(-force * k) * change - force * term(k)
            };
            let (first, last) = (k - 0.5, whole + 0.5);
            let density = |_, u: f64| term(first + u / period) / period;
            sum += self.integral(first * period, last * period, force / period, density);
            sum += (slope(first) - if last.is_finite() { slope(last) } else { 0.0 }) / 24.0;
        }
        let (done, rest) = (whole * period, h - whole * period);
        if rest > 0.0 && h.is_finite() {
            sum += exp(-force * (whole + 1.0)) * self.days_between(done, rest);
        }
        sum
    }

    /// The present value of the days alive in (0, h).
    pub(crate) fn present_value(&self, h: f64, discounting: Discounting) -> f64 {
        match discounting {
            Discounting::Continuous { delta } => self.discounted_days(h, delta),
            Discounting::Periodic { period_days, rate } => self.discounted_periods(h, period_days, rate),
        }
    }

    /// The integral over u in (from, to) of a density that falls about like S(u) e^(-delta u); `to` may be infinite where delta > 0. The
    /// density is a function of z = ln(1 + (u - from)/(B + from)) and u - from.
    fn integral(&self, from: f64, to: f64, delta: f64, density: impl Fn(f64, f64) -> f64) -> f64 {
        let scale = self.b + from;
        let by_discount = if delta > 0.0 { NEGLIGIBLE / delta } else { f64::INFINITY };
        // Beyond this the density of at most u S(u) is negligible for a large s.
        let by_survival = if self.s > 3.0 { scale * exp_m1((NEGLIGIBLE / (self.s - 2.0)).min(700.0)) } else { f64::INFINITY };
        let length = (to - from).min(by_discount).min(by_survival);
        let end = ln_1p(length / scale);
        let (mut z, mut sum) = (0.0, 0.0);
        while z < end {
            // The logarithm of the density times du/dz changes by s + 2 + delta (B + u) for each unit of z, which grows with z.
            let rate = self.s + 2.0 + delta * scale * exp(z);
            let width = (6.0 / rate).min(1.0);
            let next = if z + width < end { z + width } else { end };
            let rule = if (next - z) * rate < 3.0 { nodes_10() } else { nodes_16() };
            sum += rule.integrate(z, next, |z| {
                let u = scale * exp_m1(z);
                (scale + u) * density(z, u)
            });
            z = next;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_alive_are_those_of_closed_forms() {
        let (b, h) = (80.0, 300.0);
        for s in [1e-14, 0.5, 1.0 - 1e-9, 1.0, 1.0 + 1e-9, 2.0, 3.5, 40.0, 1e6] {
            let survival = Survival { s, b };
            let by_quadrature = survival.integral(0.0, h, 0.0, |_, u| survival.at(u));
            assert!((survival.days(h) / by_quadrature - 1.0).abs() < 1e-13, "{s}: {} {by_quadrature}", survival.days(h));
            let (log, p, q) = (ln_1p(h / b), 2.0 - s, 1.0 - s);
            if p.abs() > 0.1 && q.abs() > 0.1 && s < 100.0 {
                let exact = 2.0 * b * b * (exp_m1(p * log) / p - exp_m1(q * log) / q);
                assert!((survival.squared_days(h) / exact - 1.0).abs() < 1e-12, "{s}");
            }
        }
        assert_eq!((Survival { s: 0.6, b }.days(0.0), Survival { s: 0.6, b }.squared_days(0.0)), (0.0, 0.0));
    }

    #[test]
    fn the_value_without_end_is_an_incomplete_gamma_function() {
        // s = 1: B e^(delta B) E1(delta B); E1(1) = 0.219383934395520273677 (Abramowitz and Stegun, table 5.1).
        let found = Survival { s: 1.0, b: 100.0 }.discounted_days(f64::INFINITY, 0.01);
        let exact = 100.0 * exp(1.0) * 0.219_383_934_395_520_27;
        assert!((found / exact - 1.0).abs() < 1e-14, "{found} {exact}");
        // s = 1/2: sqrt(pi B / delta) e^(delta B) erfc(sqrt(delta B)); erfc(1/2) = 0.479500122186953462317.
        let found = Survival { s: 0.5, b: 100.0 }.discounted_days(f64::INFINITY, 0.002_5);
        let exact = (std::f64::consts::PI * 100.0 / 0.002_5).sqrt() * exp(0.25) * 0.479_500_122_186_953_5;
        assert!((found / exact - 1.0).abs() < 1e-14, "{found} {exact}");
        // Nobody is lost: 1/delta. Without interest, the days alive.
        let found = Survival { s: 1e-14, b: 100.0 }.discounted_days(f64::INFINITY, 0.002_5);
        assert!((found / 400.0 - 1.0).abs() < 1e-12, "{found}");
        let survival = Survival { s: 0.7, b: 50.0 };
        assert_eq!(survival.discounted_days(90.0, 0.0).to_bits(), survival.days(90.0).to_bits());
    }

    #[test]
    fn periods_are_summed() {
        let survival = Survival { s: 0.6, b: 80.0 };
        for (h, rate) in [(365.25, 0.01), (400.0, 0.01), (20.0, 0.01), (365.25, 0.0)] {
            let mut sum = 0.0;
            let mut from: f64 = 0.0;
            let mut k = 1;
            while from < h {
                let to = (from + 30.437_5).min(h);
                sum += (survival.days(to) - survival.days(from)) / (1.0_f64 + rate).powi(k);
                (from, k) = (to, k + 1);
            }
            let found = survival.discounted_periods(h, 30.437_5, rate);
            assert!((found / sum - 1.0).abs() < 1e-13, "{h} {rate}: {found} {sum}");
        }
        // Beyond the periods that are summed one by one; and periods of a short day are continuous.
        let exact: f64 = (1..=20_000).map(|k| survival.days_between(f64::from(k - 1), 1.0) * exp(-ln_1p(1e-4) * f64::from(k))).sum();
        let found = survival.discounted_periods(20_000.0, 1.0, 1e-4);
        assert!((found / exact - 1.0).abs() < 1e-13, "{found} {exact}");
        let (delta, short) = (2.6e-4, 1e-5);
        let found = survival.discounted_periods(f64::INFINITY, short, exp_m1(delta * short));
        let continuous = survival.discounted_days(f64::INFINITY, delta);
        assert!((found / continuous - 1.0).abs() < 1e-7, "{found} {continuous}");
    }
}
