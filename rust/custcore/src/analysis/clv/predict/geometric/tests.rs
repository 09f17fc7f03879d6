use super::*;
use crate::num::quadrature::nodes_16;
use crate::num::special::exp_m1;

const PLAIN: Discounting = Discounting::Continuous { delta: 0.0 };
/// Fader, Hardie & Lee (2005), table 1: CDNOW, in weeks.
const CDNOW: (f64, f64, f64, f64) = (0.243, 4.414, 0.793, 2.426);

fn bg(r: f64, alpha: f64, a: f64, b: f64) -> GeometricPredictor {
    GeometricPredictor::new(PurchaseFamily::Bgnbd, r, alpha, a, b)
}

fn mbg(r: f64, alpha: f64, a: f64, b: f64) -> GeometricPredictor {
    GeometricPredictor::new(PurchaseFamily::Mbgnbd, r, alpha, a, b)
}

fn expect(found: f64, expected: f64, tolerance: f64) {
    assert!((found / expected - 1.0).abs() <= tolerance, "{found}, expected {expected}");
}

/// P(alive) times what is expected given that.
fn expected(of: &GeometricPredictor, x: u32, t_x: f64, age: f64, horizon: f64) -> f64 {
    of.p_alive(x, t_x, age) * of.given_alive(x, age, horizon, PLAIN).purchases
}

#[test]
fn the_published_customer_has_the_published_expectation() {
    // The customer of the paper's spreadsheet: 1.226 purchases in 39 weeks.
    let (r, alpha, a, b) = CDNOW;
    assert!((expected(&bg(r, alpha, a, b), 2, 30.43, 38.86, 39.0) - 1.226).abs() < 5e-4);
    // The unpublished digits, and MBG/NBD, from closed forms at 130 digits (mpmath).
    expect(bg(r, alpha, a, b).p_alive(2, 30.43, 38.86), 0.726_578_570_080_673, 1e-14);
    expect(expected(&bg(r, alpha, a, b), 2, 30.43, 38.86, 52.0), 1.558_720_806_432_088, 1e-13);
}

#[test]
fn shapes_that_closed_forms_fail_for_are_exact() {
    // Closed forms at 130 digits (mpmath), 52 weeks ahead: a = 1; a + b < 1; b = 1e-17; shapes of 1e6; x = 100,000.
    let no_dropout = bg(0.826_5, 9.84, 0.003_4, 6.745);
    expect(no_dropout.p_alive(100_000, 3_640.0, 3_650.0), 4.367_856_710_448_342e-112, 1e-12);
    expect(expected(&no_dropout, 100_000, 3_640.0, 3_650.0, 52.0), 6.205_871_464_138_705e-109, 1e-12);
    expect(expected(&no_dropout, 200, 38.0, 40.0, 52.0), 197.092_218_624_193_7, 1e-13);
    let tiny = bg(0.8, 9.8, 1e-12, 1e-17);
    for (x, age) in [(0, 0.0), (1, 38.86), (200, 40.0), (100_000, 3_650.0)] {
        let found = tiny.given_alive(x, age, 52.0, PLAIN);
        // p is 0 or 1 for x = 0, and 0 afterwards.
        let expected = if x == 0 { found.purchases } else { (0.8 + f64::from(x)) * 52.0 / (9.8 + age) };
        expect(found.purchases, expected, 1e-11);
        assert!(found.p_alive_end > 0.0 && tiny.p_alive(x, age / 2.0, age).is_finite());
    }
}

#[test]
fn uniform_drop_out_and_exponential_rates_have_elementary_expectations() {
    // r = a = b = 1: the rate of purchases is 1/(alpha + u), survival ln(1 + w)/w with w = h/alpha.
    let alpha = 30.0;
    let model = bg(1.0, alpha, 1.0, 1.0);
    for horizon in [1e-6, 3.0, 30.0, 200.0, 3e3, 3e5, 1e9] {
        let given = model.given_alive(0, 0.0, horizon, PLAIN);
        let w = horizon / alpha;
        expect(given.purchases, ln_1p(w), 1e-13);
        expect(given.discounted, ln_1p(w), 1e-13);
        expect(given.p_alive_end, ln_1p(w) / w, 1e-13);
        expect(given.p_any, w / (1.0 + w), 1e-14);
        expect(model.expected(horizon), ln_1p(w), 1e-13);
        // E[N (N - 1)] = 2 int w (E of (1 - p) 2 (1 + p w)^-3 over p) dw = 2 (w - ln(1 + w)).
        expect(given.squared, 2.0 * (w - ln_1p(w)) + ln_1p(w), if w < 1e-4 { 1e-8 } else { 1e-11 });
    }
    // The integral of e^(-u/alpha)/(alpha + u) is Gompertz' constant.
    let discounting = Discounting::Continuous { delta: 1.0 / alpha };
    expect(model.given_alive(0, 0.0, f64::INFINITY, discounting).discounted, 0.596_347_362_323_194_1, 1e-13);
    for horizon in [10.0, 95.0, 1e4] {
        let parts = (horizon / 5.0) as usize;
        let at = |i: usize| horizon * i as f64 / parts as f64;
        let exact = (0..parts).map(|i| nodes_16().integrate(at(i), at(i + 1), |u| exp(-u / alpha) / (alpha + u))).sum::<f64>();
        expect(model.given_alive(0, 0.0, horizon, discounting).discounted, exact, 1e-13);
    }
}

#[test]
fn periods_are_discounted_at_their_end() {
    let model = bg(1.0, 30.0, 1.0, 1.0);
    let (period_days, rate) = (30.437_5, 0.01);
    let discounting = Discounting::Periodic { period_days, rate };
    let sum = |horizon: f64| {
        let (mut sum, mut k, mut factor) = (0.0, 0.0, 1.0);
        while k * period_days < horizon && factor > 1e-18 {
            let (from, to) = (k * period_days, horizon.min((k + 1.0) * period_days));
            factor /= 1.0 + rate;
            sum += factor * ln_1p((to - from) / (30.0 + from));
            k += 1.0;
        }
        sum
    };
    for horizon in [1.0, period_days, 100.0, 12.0 * period_days, 3_652.5, f64::INFINITY] {
        expect(model.given_alive(0, 0.0, horizon, discounting).discounted, sum(horizon), 1e-11);
    }
    // Short periods are continuous, but for the half period until their end.
    let short = Discounting::Periodic { period_days: 1.0, rate: exp_m1(1e-3) };
    let continuous = model.given_alive(0, 0.0, 1e3, Discounting::Continuous { delta: 1e-3 }).discounted;
    expect(model.given_alive(0, 0.0, 1e3, short).discounted, continuous * exp(-0.5e-3), 1e-5);
}

#[test]
fn limits_of_drop_out_are_those_of_simpler_models() {
    let (delta, horizon) = (3e-4, 365.0);
    let discounting = Discounting::Continuous { delta };
    for x in [0, 3, 40] {
        let (r, alpha) = (0.8 + f64::from(x), 60.0 + 100.0);
        // Nobody drops out: the NBD.
        for model in [bg(0.8, 60.0, 1e-300, 2.0), mbg(0.8, 60.0, 0.0, 2.0), bg(0.8, 60.0, 1e-18, 1e-10)] {
            let given = model.given_alive(x, 100.0, horizon, discounting);
            if x > 0 || model.b > 1.0 {
                expect(given.purchases, r * horizon / alpha, 1e-6);
                expect(given.discounted, r / alpha * -exp_m1(-delta * horizon) / delta, 1e-6);
                expect(model.given_alive(x, 100.0, f64::INFINITY, discounting).discounted, r / (alpha * delta), 1e-6);
            }
            assert_eq!((model.p_alive(0, 0.0, 100.0),), (1.0,));
        }
        // All drop out with probability p, whatever they did: F = (1 - (1 + p h/alpha)^-r)/p.
        let p = 0.25;
        let given = bg(0.8, 60.0, 1e12 * p, 1e12 * (1.0 - p)).given_alive(x, 100.0, horizon, discounting);
        let survival = exp(-r * ln_1p(p * horizon / alpha));
        expect(given.purchases, (1.0 - survival) / p, 1e-9);
        expect(given.p_alive_end, survival, 1e-9);
    }
    // Equal rates too: lambda / (delta + lambda p).
    let model = mbg(1e12, 1e13, 2e11, 6e11);
    expect(model.given_alive(2, 50.0, f64::INFINITY, discounting).discounted, 0.1 / (delta + 0.1 * 0.25), 1e-9);
    // All or nothing: most customers drop out after their first repeat purchase.
    let model = bg(0.8, 60.0, 3e-9, 1e-9);
    let given = model.given_alive(0, 0.0, horizon, PLAIN);
    let once = given.p_any;
    expect(given.purchases, 0.75 * once + 0.25 * 0.8 * horizon / 60.0, 1e-7);
}

#[test]
fn sums_and_integrals_agree() {
    for (r, alpha, a, b) in [CDNOW, (0.11, 2.24, 0.31, 0.5), (50.0, 20.0, 3.0, 8.0), (2.0, 9.0, 400.0, 300.0), (0.3, 9.0, 0.2, 900.0)] {
        for draws in [0.0, 1.0, 7.0, 300.0] {
            for horizon in [0.3, 20.0, 200.0] {
                let of = Posterior { r: r + draws, alpha: alpha + 12.0 * draws, a, b: b + draws };
                let Some(sums) = series::counts(&of, horizon) else { panic!("too many terms") };
                let integrals = of.integrals(horizon);
                expect(integrals.purchases, sums.purchases, 3e-13);
                expect(integrals.squared, sums.squared, 3e-12);
                expect(integrals.p_alive_end, sums.p_alive_end, 3e-13);
            }
        }
    }
}

#[test]
fn equal_rates_without_an_end_are_those_of_their_limit() {
    // lambda = 1/50 a day for all: the mean over p of lambda/(delta + lambda p), by the trapezoidal rule in ln(p/(1-p)).
    let (a, b, delta, lambda) = (0.8, 2.4, 3e-4, 0.02);
    let (mut sum, mut all) = (0.0, 0.0);
    for i in -4_000..=4_000 {
        let logit = f64::from(i) * 0.02;
        let p = 1.0 / (1.0 + exp(-logit));
        let weight = exp(-a * ln_1p(exp(-logit)) - b * ln_1p(exp(logit)));
        all += weight;
        sum += weight * lambda / (delta + lambda * p);
    }
    let found = bg(1e9, 5e10, a, b).given_alive(0, 10.0, f64::INFINITY, Discounting::Continuous { delta }).discounted;
    expect(found, sum / all, 1e-7);
}

#[test]
fn the_distribution_has_the_expectations() {
    for model in [bg(CDNOW.0, CDNOW.1, CDNOW.2, CDNOW.3), mbg(0.525, 6.183, 0.891, 1.614), bg(0.5, 5.0, 1.0, 1e-17), bg(0.8, 9.8, 2e5, 9e5)]
    {
        for (x, age, horizon) in [(0, 0.0, 52.0), (2, 38.86, 39.0), (26, 31.0, 4.0), (1_000, 730.0, 600.0), (100_000, 3_650.0, 52.0)] {
            let given = model.given_alive(x, age, horizon, PLAIN);
            let mut cdf = Vec::new();
            model.distribution(x, age, horizon, &mut cdf);
            assert!(cdf.windows(2).all(|pair| pair[0] <= pair[1]) && cdf.iter().all(|value| (0.0..=1.0).contains(value)));
            assert!((1.0 - cdf[0] - given.p_any).abs() < 1e-13, "{} {}", cdf[0], given.p_any);
            assert!(1.0 - cdf[cdf.len() - 1] < 1e-12);
            // E[N] and E[N^2] from P(N > n); the part beyond the end is below 1e-12 of each n.
            let more = |(n, value): (usize, &f64)| (n as f64, 1.0 - value);
            let mean: f64 = cdf.iter().enumerate().map(more).map(|(_, more)| more).sum();
            let squared: f64 = cdf.iter().enumerate().map(more).map(|(n, more)| (2.0 * n + 1.0) * more).sum();
            expect(mean, given.purchases, 1e-9);
            expect(squared, given.squared, 1e-8);
        }
    }
}

#[test]
fn a_new_customer_is_one_without_a_history() {
    let (bg, mbg) = (bg(0.243, 4.414, 0.793, 2.426), mbg(0.525, 6.183, 0.891, 1.614));
    for horizon in [1.0, 39.0, 520.0] {
        expect(bg.expected(horizon), bg.given_alive(0, 0.0, horizon, PLAIN).purchases, 0.0);
        expect(mbg.expected(horizon), mbg.p_alive(0, 0.0, 0.0) * mbg.given_alive(0, 0.0, horizon, PLAIN).purchases, 0.0);
    }
    assert_eq!((bg.p_alive(0, 0.0, 0.0),), (1.0,));
    expect(mbg.p_alive(0, 0.0, 0.0), 1.614 / (0.891 + 1.614), 1e-15);
    // The repeat purchases of CDNOW's new customers in 52 weeks under MBG/NBD, by quadrature over p: E[(1 - (1 + p w)^-r)(1 - p)/p].
    let (age, a, b) = (52.0 / 6.183, 0.891, 1.614);
    let (mut sum, mut all) = (0.0, 0.0);
    for i in -2_000..=2_000 {
        let logit = f64::from(i) * 0.02;
        let (lost, kept) = (1.0 / (1.0 + exp(-logit)), 1.0 / (1.0 + exp(logit)));
        let weight = exp(a * ln(lost) + b * ln(kept));
        all += weight;
        sum += weight * kept / lost * -exp_m1(-0.525 * ln_1p(lost * age));
    }
    expect(mbg.expected(52.0), sum / all, 1e-12);
}

#[test]
fn edges() {
    let model = mbg(0.525, 6.183, 0.891, 1.614);
    let none = GivenAlive { p_alive_end: 1.0, ..GivenAlive::default() };
    assert_eq!(model.given_alive(3, 40.0, 0.0, PLAIN), none);
    let endless = model.given_alive(3, 40.0, f64::INFINITY, Discounting::Continuous { delta: 1e-3 });
    assert_eq!(endless, GivenAlive { discounted: endless.discounted, ..GivenAlive::default() });
    assert!(endless.discounted > 0.0 && endless.discounted.is_finite());
    // Without discounting: E[1/p], which is infinite for a <= 1.
    assert!(model.given_alive(3, 40.0, f64::INFINITY, PLAIN).discounted.is_infinite());
    expect(bg(0.5, 6.0, 3.0, 4.0).given_alive(0, 40.0, f64::INFINITY, PLAIN).discounted, 3.0, 1e-15);
    let mut cdf = vec![0.5];
    model.distribution(3, 40.0, 0.0, &mut cdf);
    assert_eq!((cdf, model.expected(0.0)), (vec![1.0], 0.0));
    // P(alive) below 1e-300 is 0.
    assert_eq!((model.p_alive(3_000, 30.0, 3e4),), (0.0,));
}

#[test]
fn extreme_parameters_give_numbers() {
    let values = [0.0, 1e-300, 1e-17, 1e-6, 1.0, 1e6, 1e12];
    for (i, &a) in values.iter().enumerate() {
        for &b in &values {
            for (r, alpha) in [(1e-12, 1.0), (0.5, 30.0), (1e6, 5e7)] {
                let model = if i % 2 == 0 { bg(r, alpha, a, b) } else { mbg(r, alpha, a, b) };
                for (x, t_x, age) in [(0, 0.0, 0.0), (0, 0.0, 700.0), (1, 1.0, 700.0), (60, 650.0, 700.0)] {
                    let given = model.given_alive(x, age, 365.0, Discounting::Continuous { delta: 3e-4 });
                    let endless = model.given_alive(x, age, f64::INFINITY, Discounting::Continuous { delta: 3e-4 });
                    let all = [given.purchases, given.squared, given.p_any, given.p_alive_end, given.discounted, endless.discounted];
                    let p_alive = model.p_alive(x, t_x, age);
                    assert!(all.iter().all(|value| value.is_finite() && *value >= 0.0), "{model:?} {x} {age}: {all:?}");
                    assert!((0.0..=1.0).contains(&p_alive) && given.p_alive_end <= 1.0 + 1e-14 && given.p_any <= 1.0);
                    assert!(given.discounted <= given.purchases * (1.0 + 1e-12) && given.discounted <= endless.discounted * (1.0 + 1e-12));
                }
            }
        }
    }
}
