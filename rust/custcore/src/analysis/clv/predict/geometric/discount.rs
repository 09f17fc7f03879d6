//! Present values: integrals over time of the rate of purchases, r/alpha 2F1(r+1, a; a+b; -u/alpha) at time u of a customer alive at 0.

use std::ops::ControlFlow;
use std::sync::OnceLock;

use super::super::predictor::Discounting;
use super::mixture::{Mixture, NODES};
use super::posterior::Posterior;
use crate::num::quadrature::nodes_16;
use crate::num::special::{exp, exp_m1, ln_1p};

/// What may be left of an integral to infinity, relatively.
const NEGLIGIBLE: f64 = 1e-16;

/// Present value of the purchases in a horizon, which may be infinite.
pub(super) fn discounted(of: &Posterior, horizon: f64, discounting: Discounting) -> f64 {
    let rate = Mixture { power: of.r + 1.0, a: of.a, b: of.b };
    let end = horizon / of.alpha;
    let (undiscounted, value) = match discounting {
        Discounting::Continuous { delta } => (delta <= 0.0, continuous(&rate, end, delta * of.alpha)),
        Discounting::Periodic { period_days, rate: interest } => {
            let period = period_days / of.alpha;
            let value = match (end.is_finite(), interest > 0.0) {
                (true, _) => periodic(&rate, end, period, interest),
                (false, true) => endless_periods(&rate, period, interest).unwrap_or_else(|| periodic(&rate, end, period, interest)),
                (false, false) => 0.0,
            };
            (interest <= 0.0, value)
        }
    };
    if undiscounted && end.is_infinite() {
        // E[1/p], where it exists.
        return if of.a > 1.0 { (of.a + of.b - 1.0) / (of.a - 1.0) } else { f64::INFINITY };
    }
    of.r * value
}

/// The integral of e^(-decay w) times the mixture.
fn continuous(rate: &Mixture, end: f64, decay: f64) -> f64 {
    if end.is_infinite() && decay <= 0.0 {
        return 0.0;
    }
    let mut sum = 0.0;
    rate.panels(end, decay.abs(), &mut |from, to, values| {
        let (middle, half) = (f64::midpoint(from, to), 0.5 * (to - from));
        let points = nodes_16().points.iter().zip(values);
        sum += half * points.map(|(&(node, share), value)| share * value * exp(-decay * (middle + half * node))).sum::<f64>();
        // What follows falls from the last value, by the discount alone at least.
        let last = values[NODES - 1] * exp(-decay * to);
        let rest = if decay > 0.0 { last * (end - to).min(1.0 / decay) } else { last * exp(decay * (to - end)) * (end - to) };
        if rest < NEGLIGIBLE * sum { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    sum
}

/// The sum over periods of (1 + interest)^-k times the integral of the mixture over period k.
fn periodic(rate: &Mixture, end: f64, period: f64, interest: f64) -> f64 {
    let step = 1.0 / (1.0 + interest);
    let (mut k, mut factor) = (1.0, step);
    let mut sum = 0.0;
    // Twice the decay: half the panels, since the integral up to a point within a panel takes its polynomial through the nodes.
    let decay = rate.power * rate.likely_p();
    rate.panels(end, decay, &mut |from, to, values| {
        let (middle, half) = (f64::midpoint(from, to), 0.5 * (to - from));
        let panel = Antiderivative::new(values);
        let mut before = 0.0;
        while k * period < to {
            let here = half * panel.at((k * period - middle) / half);
            sum += factor * (here - before);
            before = here;
            k += 1.0;
            factor *= step;
            if interest > 0.0 && half * values[0] * factor < 1e-3 * NEGLIGIBLE * sum {
                return ControlFlow::Break(());
            }
        }
        sum += factor * (half * panel.at(1.0) - before);
        let rest = values[NODES - 1] * factor * period / (1.0 - step);
        if interest > 0.0 && rest < NEGLIGIBLE * sum { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    sum
}

/// Bernoulli numbers over factorials, `B_n/n!`, n = 0, 1, ... (NIST DLMF 24.2).
const BERNOULLI: [f64; 12] =
    [1.0, -0.5, 1.0 / 12.0, 0.0, -1.0 / 720.0, 0.0, 1.0 / 30_240.0, 0.0, -1.0 / 1_209_600.0, 0.0, 1.0 / 47_900_160.0, 0.0];
/// Derivatives of the discounted rate in the formula for endless periods.
const DERIVATIVES: usize = 5;

/// The same without an end: there are thousands of periods. From the first period on that is short against the time gone by, the
/// discount until the end of the period, which is periodic in time, is split into its mean and Bernoulli polynomials, as in the
/// Euler-Maclaurin formula. `None` where that is not accurate.
fn endless_periods(rate: &Mixture, period: f64, interest: f64) -> Option<f64> {
    let decay = ln_1p(interest);
    let first = (8.0 - 1.0 / period).ceil().max(0.0);
    if !(decay < 0.5 && first <= 8.0) {
        return None;
    }
    let start = first * period;
    // Derivatives by w of the rate, then of its product with the discount, times powers of the period.
    let mut of_rate = [0.0; DERIVATIVES];
    let mut scale = 1.0;
    for (i, derivative) in of_rate.iter_mut().enumerate() {
        let n = i as f64;
        let shifted = Mixture { power: rate.power + n, a: rate.a + n, b: rate.b };
        *derivative = scale * shifted.value(start);
        scale *= -period * (rate.power + n) * ((rate.a + n) / (rate.a + rate.b + n));
    }
    let mean = -exp_m1(-decay) / decay;
    let (mut correction, mut last) = (0.0, 0.0);
    for i in 1..=DERIVATIVES {
        // The i-th antiderivative of the periodic part, at the end of a period.
        let part: f64 = (1..BERNOULLI.len() - i).rev().map(|j| decay.powi(j as i32) * BERNOULLI[i + j]).sum();
        let (mut product, mut choose) = (0.0, 1.0);
        for (j, derivative) in of_rate.iter().enumerate().take(i) {
            product += choose * (-decay).powi((i - 1 - j) as i32) * derivative;
            choose *= (i - 1 - j) as f64 / (j + 1) as f64;
        }
        last = if i % 2 == 1 { -product * part } else { product * part };
        correction += last;
    }
    let scale = exp(-decay * first) * period * mean;
    let all = continuous(rate, f64::INFINITY, decay / period) - continuous(rate, start, decay / period);
    let value = periodic(rate, start, period, interest) + mean * all + scale * correction;
    (scale * last.abs() < 1e-11 * value).then_some(value)
}

/// The integral of the polynomial through the values at the nodes of a panel, as a sum of Legendre polynomials.
struct Antiderivative {
    coefficients: [f64; NODES],
}

impl Antiderivative {
    fn new(values: &[f64; NODES]) -> Self {
        static PROJECTION: OnceLock<[[f64; NODES]; NODES]> = OnceLock::new();
        let projection = PROJECTION.get_or_init(|| {
            let mut rows = [[0.0; NODES]; NODES];
            for (i, &(node, weight)) in nodes_16().points.iter().enumerate() {
                let (mut p, mut before) = (1.0, 0.0);
                for (l, row) in rows.iter_mut().enumerate() {
                    let l = l as f64;
                    row[i] = (l + 0.5) * weight * p;
                    (p, before) = (((2.0 * l + 1.0) * node * p - l * before) / (l + 1.0), p);
                }
            }
            rows
        });
        let coefficients = std::array::from_fn(|l| projection[l].iter().zip(values).map(|(row, value)| row * value).sum::<f64>());
        Self { coefficients }
    }

    /// The integral from -1 to x: that of the l-th Legendre polynomial is (P_(l+1) - P_(l-1))/(2 l + 1).
    fn at(&self, x: f64) -> f64 {
        let (mut below, mut here, mut sum) = (1.0, x, self.coefficients[0] * (1.0 + x));
        for (l, coefficient) in self.coefficients.iter().enumerate().skip(1) {
            let l = l as f64;
            let above = ((2.0 * l + 1.0) * x * here - l * below) / (l + 1.0);
            sum += coefficient * ((above - below) / (2.0 * l + 1.0));
            (below, here) = (here, above);
        }
        sum
    }
}
