//! Predictions of the models whose customers may drop out after each purchase: BG/NBD (Fader, Hardie & Lee 2005) and MBG/NBD (Batislam,
//! Denizel & Filiztekin 2007).
//!
//! Given that he is alive, a customer with x repeat purchases at age T buys at a rate of Gamma(r + x, alpha + T) and drops out with a
//! probability of Beta(a, b + x), or Beta(a, b + x + 1) under MBG/NBD, where the first purchase was a draw too.

mod discount;
mod hypergeometric;
mod mixture;
mod posterior;
mod series;
mod taylor;

use self::mixture::Mixture;
use self::posterior::Posterior;
use self::series::Counts;
use super::predictor::{Discounting, GivenAlive, Predictor};
use crate::analysis::clv::family::PurchaseFamily;
use crate::num::special::{exp, ln, ln_1p};

/// BG/NBD or MBG/NBD with its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GeometricPredictor {
    r: f64,
    alpha: f64,
    a: f64,
    b: f64,
    /// Whether the first purchase is a draw of dropping out too.
    from_first: bool,
}

impl GeometricPredictor {
    /// Parameters at the ends of the floats are moved inwards, so that limits of fits can be predicted from. All families but MBG/NBD
    /// count as BG/NBD.
    pub(crate) fn new(family: PurchaseFamily, r: f64, alpha: f64, a: f64, b: f64) -> Self {
        let within = |parameter: f64| parameter.clamp(1e-290, 1e290);
        let from_first = family == PurchaseFamily::Mbgnbd;
        Self { r: within(r), alpha: within(alpha), a: within(a), b: within(b), from_first }
    }

    fn posterior(&self, x: u32, age: f64) -> Posterior {
        let draws = f64::from(x) + f64::from(u8::from(self.from_first));
        Posterior { r: self.r + f64::from(x), alpha: self.alpha + age, a: self.a, b: self.b + draws }
    }
}

impl Posterior {
    /// Expected purchases, their square and survival over a finite horizon > 0.
    fn counts(&self, horizon: f64) -> Counts {
        series::counts(self, horizon).unwrap_or_else(|| self.integrals(horizon))
    }

    /// The same as integrals over time.
    fn integrals(&self, horizon: f64) -> Counts {
        let end = horizon / self.alpha;
        let purchases = self.r * Mixture { power: self.r + 1.0, a: self.a, b: self.b }.integral(end, |_| 1.0);
        // A pair of purchases, the later one at time u, has the density lambda^2 (1 - p) e^(-lambda p u) u.
        let pairs = Mixture { power: self.r + 2.0, a: self.a, b: self.b + 1.0 }.integral(end, |w| w);
        let pairs = self.r * (self.r + 1.0) * (self.b / (self.a + self.b)) * pairs;
        let p_alive_end = Mixture { power: self.r, a: self.a, b: self.b }.value(end);
        Counts { purchases, squared: 2.0 * pairs + purchases, p_alive_end }
    }
}

impl Predictor for GeometricPredictor {
    fn p_alive(&self, x: u32, t_x: f64, age: f64) -> f64 {
        let count = f64::from(x);
        // b + (x - 1), never (b + x) - 1, which is 0 for b < 1e-16 and x = 1.
        let draws = match (self.from_first, x) {
            (true, _) => count,
            (false, 0) => return 1.0,
            (false, _) => count - 1.0,
        };
        let log_odds = ln(self.a) - ln(self.b + draws) + (self.r + count) * ln_1p((age - t_x).max(0.0) / (self.alpha + t_x));
        // Below 1e-300.
        if log_odds > 690.0 { 0.0 } else { 1.0 / (1.0 + exp(log_odds)) }
    }

    fn given_alive(&self, x: u32, age: f64, horizon: f64, discounting: Discounting) -> GivenAlive {
        if horizon <= 0.0 {
            return GivenAlive { p_alive_end: 1.0, ..GivenAlive::default() };
        }
        let posterior = self.posterior(x, age);
        if horizon.is_infinite() {
            return GivenAlive { discounted: discount::discounted(&posterior, horizon, discounting), ..GivenAlive::default() };
        }
        let Counts { purchases, squared, p_alive_end } = posterior.counts(horizon);
        let discounted = if discounting == (Discounting::Continuous { delta: 0.0 }) {
            purchases
        } else {
            discount::discounted(&posterior, horizon, discounting)
        };
        GivenAlive { purchases, squared, p_any: series::p_any(&posterior, horizon), p_alive_end, discounted }
    }

    fn distribution(&self, x: u32, age: f64, horizon: f64, out: &mut Vec<f64>) {
        if horizon > 0.0 && horizon.is_finite() {
            series::distribution(&self.posterior(x, age), horizon, out);
        } else {
            out.clear();
            out.push(1.0);
        }
    }

    fn expected(&self, days: f64) -> f64 {
        if days <= 0.0 || days.is_infinite() {
            return 0.0;
        }
        self.p_alive(0, 0.0, 0.0) * self.posterior(0, 0.0).counts(days).purchases
    }

    fn pair_rate(&self, v: f64) -> f64 {
        // The first of two purchases must not end the customer, and under MBG/NBD the first purchase of all must not either.
        let Posterior { r, alpha, a, b } = self.posterior(0, 0.0);
        let stayed = self.p_alive(0, 0.0, 0.0) * (b / (a + b));
        stayed * (r / alpha) * ((r + 1.0) / alpha) * Mixture { power: r + 2.0, a, b: b + 1.0 }.value(v / alpha)
    }
}

#[cfg(test)]
mod tests;
