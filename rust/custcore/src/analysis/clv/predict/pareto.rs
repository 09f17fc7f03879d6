//! Predictions of the Pareto/NBD (Schmittlein, Morrison & Colombo 1987; Fader, Hardie & Lee 2005 for the discounted ones).

use super::super::likelihood::pareto::Pareto;
use super::super::likelihood::pareto_integral::Integrand;
use super::pareto_alive::Alive;
use super::pareto_counts::cumulative;
use super::pareto_survival::Survival;
use super::predictor::{Discounting, GivenAlive, Predictor};

/// The Pareto/NBD with its parameters. Times are in days.
#[derive(Debug)]
pub(crate) struct ParetoPredictor {
    parameters: Pareto,
    alive: Alive,
}

/// What the expectations of all customers of one age share, over one horizon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AgeTerms {
    /// T.
    pub age: f64,
    /// The horizon.
    pub horizon: f64,
    /// Expected days alive of the horizon: K.
    pub days: f64,
    /// The expectation of their square.
    pub squared_days: f64,
    /// Probability of being alive at the end.
    pub p_alive_end: f64,
    /// Their present value.
    pub discounted_days: f64,
}

impl ParetoPredictor {
    /// The model of these parameters.
    pub(crate) fn new(r: f64, alpha: f64, s: f64, beta: f64) -> Self {
        let parameters = Pareto { r, alpha, s, beta };
        Self { parameters, alive: Alive::new(&parameters) }
    }

    fn survival(&self, age: f64) -> Survival {
        Survival { s: self.parameters.s, b: self.parameters.beta + age }
    }

    /// What does not depend on x. A horizon of infinity has `discounted_days` only.
    pub(crate) fn age_terms(&self, age: f64, horizon: f64, discounting: Discounting) -> AgeTerms {
        let survival = self.survival(age);
        let discounted_days = survival.present_value(horizon, discounting);
        if horizon.is_infinite() {
            return AgeTerms { age, horizon, days: 0.0, squared_days: 0.0, p_alive_end: 0.0, discounted_days };
        }
        let (days, squared_days) = (survival.days(horizon), survival.squared_days(horizon));
        AgeTerms { age, horizon, days, squared_days, p_alive_end: survival.at(horizon), discounted_days }
    }

    /// The expectations of a customer with x repeat purchase days, of an age of which the terms are known.
    pub(crate) fn given_age(&self, x: u32, terms: &AgeTerms) -> GivenAlive {
        let Pareto { r, alpha, s, beta } = self.parameters;
        let AgeTerms { age, horizon, days, squared_days, p_alive_end, discounted_days } = *terms;
        let (shape, rate, b) = (r + f64::from(x), alpha + age, beta + age);
        let mean = shape / rate;
        let discounted = mean * discounted_days;
        if horizon.is_infinite() {
            return GivenAlive { discounted, ..GivenAlive::default() };
        }
        let purchases = mean * days;
        // The density of the first purchase, integrated: nothing is subtracted, so that small probabilities keep their digits.
        let p_any = mean * Integrand { q: shape + 1.0, a: rate, c: s, b }.integral(horizon);
        GivenAlive {
            purchases,
            squared: purchases + mean * ((shape + 1.0) / rate) * squared_days,
            p_any: p_any.min(1.0),
            p_alive_end,
            discounted,
        }
    }
}

impl Predictor for ParetoPredictor {
    fn p_alive(&self, x: u32, t_x: f64, age: f64) -> f64 {
        self.alive.p_alive(x, t_x, age)
    }

    fn given_alive(&self, x: u32, age: f64, horizon: f64, discounting: Discounting) -> GivenAlive {
        self.given_age(x, &self.age_terms(age, horizon, discounting))
    }

    fn distribution(&self, x: u32, age: f64, horizon: f64, out: &mut Vec<f64>) {
        let Pareto { r, alpha, .. } = self.parameters;
        cumulative(r + f64::from(x), alpha + age, Some(&self.survival(age)), horizon, out);
    }

    fn expected(&self, days: f64) -> f64 {
        let Pareto { r, alpha, .. } = self.parameters;
        r / alpha * self.survival(0.0).days(days)
    }

    fn pair_rate(&self, v: f64) -> f64 {
        let Pareto { r, alpha, .. } = self.parameters;
        (r / alpha) * ((r + 1.0) / alpha) * self.survival(0.0).at(v)
    }
}

#[cfg(test)]
mod tests {
    use super::super::nbd::NbdPredictor;
    use super::*;

    const NONE: Discounting = Discounting::Continuous { delta: 0.0 };

    /// The parameters of Fader & Hardie's note on the Pareto/NBD (CDNOW), in weeks.
    fn cdnow() -> ParetoPredictor {
        ParetoPredictor::new(0.553, 10.578, 0.606, 11.669)
    }

    #[test]
    fn p_alive_is_the_published_one() {
        // The integral evaluated with mpmath at 112 digits (x, t_x, T in weeks).
        for (x, t_x, age, exact) in [
            (2, 30.43, 38.86, 0.869_167_559_153_011_2),
            (0, 0.0, 38.86, 0.295_286_604_616_894_2),
            (26, 30.86, 31.0, 0.997_918_731_055_158_3),
        ] {
            let found = cdnow().p_alive(x, t_x, age);
            assert!((found - exact).abs() < 1e-14, "{x} {found} {exact}");
        }
    }

    #[test]
    fn the_distribution_has_the_expectations() {
        let models = [
            (cdnow(), 39.0),
            (ParetoPredictor::new(0.5, 10.0, 1.0, 12.0), 500.0),
            (ParetoPredictor::new(2.0, 0.05, 3.0, 4.0), 5.0),
            (ParetoPredictor::new(0.5, 1e4, 0.5, 0.01), 52.0),
            (ParetoPredictor::new(1e6, 1e7, 1e5, 1e6), 52.0),
            (ParetoPredictor::new(0.8, 9.9, 1e-14, 130.0), 52.0),
        ];
        let mut all = Vec::new();
        for (model, h) in models {
            let name = model.parameters;
            for (x, age) in [(0, 0.0), (2, 38.86), (40, 45.0), (2_000, 365.0)] {
                let alive = model.given_alive(x, age, h, NONE);
                model.distribution(x, age, h, &mut all);
                assert!((1.0 - all[0] - alive.p_any).abs() < 1e-12, "{name:?} {x}: {} {}", all[0], alive.p_any);
                let (mut mean, mut squared, mut before) = (0.0, 0.0, 0.0);
                for (n, &p) in all.iter().enumerate() {
                    assert!(p >= before, "{name:?} {x} {n}");
                    mean += n as f64 * (p - before);
                    squared += (n * n) as f64 * (p - before);
                    before = p;
                }
                assert!((before - 1.0).abs() < 2e-12, "{name:?} {x}: {before}");
                let n = all.len() as f64;
                assert!((mean - alive.purchases).abs() < 4e-12 * n + 1e-12, "{name:?} {x}: {mean} {alive:?}");
                assert!((squared - alive.squared).abs() < 4e-12 * n * n + 1e-11, "{name:?} {x}: {squared} {alive:?}");
                assert!((alive.discounted - alive.purchases).abs() < 1e-13 * alive.purchases);
            }
        }
    }

    #[test]
    fn without_drop_out_it_is_the_nbd() {
        let (pareto, nbd) = (ParetoPredictor::new(0.8, 70.0, 1e-15, 900.0), NbdPredictor::new(0.8, 70.0));
        let periodic = Discounting::Periodic { period_days: 30.437_5, rate: 0.01 };
        for (discounting, h) in [(NONE, 90.0), (periodic, 400.0), (periodic, f64::INFINITY)] {
            let (a, b) = (pareto.given_alive(3, 200.0, h, discounting), nbd.given_alive(3, 200.0, h, discounting));
            for (a, b) in [(a.purchases, b.purchases), (a.squared, b.squared), (a.p_any, b.p_any), (a.discounted, b.discounted)] {
                assert!((a - b).abs() <= 1e-12 * b.abs(), "{h}: {a} {b}");
            }
        }
        let (mut a, mut b) = (Vec::new(), Vec::new());
        pareto.distribution(3, 200.0, 90.0, &mut a);
        nbd.distribution(3, 200.0, 90.0, &mut b);
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-13) && a.len().abs_diff(b.len()) <= 1);
    }

    #[test]
    fn edges() {
        let model = cdnow();
        let alive = model.given_alive(2, 10.0, 0.0, Discounting::Continuous { delta: 1e-4 });
        assert_eq!(alive, GivenAlive { p_alive_end: 1.0, ..GivenAlive::default() });
        let mut all = vec![0.5];
        model.distribution(2, 10.0, 0.0, &mut all);
        assert_eq!(all, [1.0]);
        let forever = model.given_alive(2, 10.0, f64::INFINITY, Discounting::Continuous { delta: 1e-3 });
        assert_eq!(forever, GivenAlive { discounted: forever.discounted, ..GivenAlive::default() });
        assert!(forever.discounted > 0.0 && forever.discounted.is_finite());
        // Definitions, 5.4: a new customer is x = t_x = T = 0.
        assert_eq!(model.expected(52.0).to_bits(), model.given_alive(0, 0.0, 52.0, NONE).purchases.to_bits());
        assert_eq!((model.expected(0.0), model.p_alive(0, 0.0, 0.0)), (0.0, 1.0));
    }
}
