//! Predictions of the NBD (Ehrenberg 1959): nobody drops out, purchases go on at a rate of each customer.

use super::pareto_counts::cumulative;
use super::predictor::{Discounting, GivenAlive, Predictor};
use crate::num::special::{exp, exp_m1, ln_1p};

/// The NBD with its parameters. Times are in days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NbdPredictor {
    r: f64,
    alpha: f64,
}

impl NbdPredictor {
    /// The model of these parameters.
    pub(crate) fn new(r: f64, alpha: f64) -> Self {
        Self { r, alpha }
    }
}

/// The present value of each of the next h days; h may be infinite.
fn present_value(h: f64, discounting: Discounting) -> f64 {
    match discounting {
        Discounting::Continuous { delta } if delta > 0.0 => -exp_m1(-delta * h) / delta,
        Discounting::Continuous { .. } => h,
        Discounting::Periodic { period_days, rate } => {
            let (force, whole) = (ln_1p(rate), (h / period_days).floor());
            let periods = if rate == 0.0 { whole } else { -exp_m1(-whole * force) / rate };
            let rest = if h.is_finite() { (h - whole * period_days) * exp(-force * (whole + 1.0)) } else { 0.0 };
            period_days * periods + rest
        }
    }
}

impl Predictor for NbdPredictor {
    fn p_alive(&self, _x: u32, _t_x: f64, _age: f64) -> f64 {
        1.0
    }

    fn given_alive(&self, x: u32, age: f64, horizon: f64, discounting: Discounting) -> GivenAlive {
        let (shape, rate) = (self.r + f64::from(x), self.alpha + age);
        let discounted = shape / rate * present_value(horizon, discounting);
        if horizon.is_infinite() {
            return GivenAlive { discounted, ..GivenAlive::default() };
        }
        let purchases = shape / rate * horizon;
        GivenAlive {
            purchases,
            squared: purchases + purchases * ((shape + 1.0) / rate * horizon),
            p_any: -exp_m1(-shape * ln_1p(horizon / rate)),
            p_alive_end: 1.0,
            discounted,
        }
    }

    fn distribution(&self, x: u32, age: f64, horizon: f64, out: &mut Vec<f64>) {
        cumulative(self.r + f64::from(x), self.alpha + age, None, horizon, out);
    }

    fn expected(&self, days: f64) -> f64 {
        self.r / self.alpha * days
    }

    fn pair_rate(&self, _v: f64) -> f64 {
        self.r / self.alpha * ((self.r + 1.0) / self.alpha)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_are_those_of_the_negative_binomial() {
        let model = NbdPredictor::new(0.8, 70.0);
        let (x, age, h) = (3, 200.0, 90.0);
        let alive = model.given_alive(x, age, h, Discounting::Continuous { delta: 0.0 });
        assert_eq!((alive.purchases, alive.p_alive_end, alive.discounted), (3.8 / 270.0 * 90.0, 1.0, 3.8 / 270.0 * 90.0));
        let mut all = Vec::new();
        model.distribution(x, age, h, &mut all);
        assert!((1.0 - all[0] - alive.p_any).abs() < 1e-15);
        let (mut mean, mut squared, mut before) = (0.0, 0.0, 0.0);
        for (n, &p) in all.iter().enumerate() {
            mean += n as f64 * (p - before);
            squared += (n * n) as f64 * (p - before);
            before = p;
        }
        assert!((mean - alive.purchases).abs() < 1e-9 && (squared - alive.squared).abs() < 1e-8, "{mean} {squared} {alive:?}");
        assert!((model.expected(70.0) - 0.8).abs() < 1e-15);
        assert_eq!((model.p_alive(x, 1.0, age), model.p_alive(0, 0.0, 0.0)), (1.0, 1.0));
    }

    #[test]
    fn present_values_are_sums() {
        let periodic = Discounting::Periodic { period_days: 30.0, rate: 0.01 };
        let exact = 30.0 / 1.01 + 30.0 / 1.01_f64.powi(2) + 10.0 / 1.01_f64.powi(3);
        assert!((present_value(70.0, periodic) / exact - 1.0).abs() < 1e-14);
        assert!((present_value(f64::INFINITY, periodic) / 3_000.0 - 1.0).abs() < 1e-14);
        assert!((present_value(f64::INFINITY, Discounting::Continuous { delta: 0.01 }) - 100.0).abs() < 1e-12);
        assert!((present_value(70.0, Discounting::Periodic { period_days: 30.0, rate: 0.0 }) - 70.0).abs() < 1e-12);
        assert!(present_value(0.0, periodic) == 0.0);
    }

    #[test]
    fn no_days_are_no_purchases() {
        let model = NbdPredictor::new(0.8, 70.0);
        let alive = model.given_alive(2, 10.0, 0.0, Discounting::Continuous { delta: 1e-4 });
        assert_eq!(alive, GivenAlive { p_alive_end: 1.0, ..GivenAlive::default() });
        let mut all = Vec::new();
        model.distribution(2, 10.0, 0.0, &mut all);
        assert_eq!(all, [1.0]);
    }
}
