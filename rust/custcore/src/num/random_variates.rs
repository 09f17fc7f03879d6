//! Random variates by fixed algorithms: their streams are part of the results.

use super::random::Random;
use super::special::{exp, ln, ln_1p, ln_gamma};

impl Random {
    /// A uniform float in (0, 1).
    fn open_unit(&mut self) -> f64 {
        ((self.next_u64() >> 12) as f64 + 0.5) * 2f64.powi(-52)
    }

    /// An exponential variate of rate 1, by inversion.
    pub(crate) fn exponential(&mut self) -> f64 {
        -ln(self.open_unit())
    }

    /// A standard normal variate, by Marsaglia's polar method, which discards the second of each pair.
    pub(crate) fn normal(&mut self) -> f64 {
        loop {
            let (u, v) = (2.0 * self.open_unit() - 1.0, 2.0 * self.open_unit() - 1.0);
            let square = u * u + v * v;
            if square < 1.0 && square > 0.0 {
                return u * (-2.0 * ln(square) / square).sqrt();
            }
        }
    }

    /// The logarithm of a gamma variate of this shape and scale 1 (Marsaglia & Tsang 2000; for shapes below 1 that of shape + 1 times a
    /// power of a uniform variate). Small shapes have variates below the smallest float, whose logarithm is finite.
    pub(crate) fn ln_gamma_variate(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.ln_gamma_variate(shape + 1.0) + ln(self.open_unit()) / shape;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let normal = self.normal();
            let root = 1.0 + c * normal;
            if root <= 0.0 {
                continue;
            }
            let v = root * root * root;
            if ln(self.open_unit()) < 0.5 * normal * normal + d - d * v + d * ln(v) {
                return ln(d) + ln(v);
            }
        }
    }

    /// A gamma variate of this shape and scale 1.
    pub(crate) fn gamma(&mut self, shape: f64) -> f64 {
        exp(self.ln_gamma_variate(shape))
    }

    /// A beta variate, as the share of the first of two gamma variates.
    pub(crate) fn beta(&mut self, a: f64, b: f64) -> f64 {
        let (first, second) = (self.ln_gamma_variate(a), self.ln_gamma_variate(b));
        1.0 / (1.0 + exp(second - first))
    }

    /// A Poisson variate: for small means the number of exponential gaps before the mean; from 10 on by Hörmann's transformed rejection
    /// (PTRS, 1993).
    pub(crate) fn poisson(&mut self, mean: f64) -> u64 {
        if mean < 10.0 {
            let (mut count, mut left) = (0, mean);
            loop {
                left -= self.exponential();
                if left < 0.0 || left.is_nan() {
                    return count;
                }
                count += 1;
            }
        }
        let mean = mean.min(1e15);
        let b = 0.931 + 2.53 * mean.sqrt();
        let a = -0.059 + 0.024_83 * b;
        let inverse_alpha = 1.123_9 + 1.132_8 / (b - 3.4);
        let bound = 0.927_7 - 3.622_4 / (b - 2.0);
        loop {
            let u = self.open_unit() - 0.5;
            let v = self.open_unit();
            let distance = 0.5 - u.abs();
            let count = ((2.0 * a / distance + b) * u + mean + 0.43).floor();
            if distance >= 0.07 && v <= bound {
                return count as u64;
            }
            if count < 0.0 || (distance < 0.013 && v > distance) {
                continue;
            }
            if ln(v) + ln(inverse_alpha) - ln(a / (distance * distance) + b) <= count * ln(mean) - mean - ln_gamma(count + 1.0) {
                return count as u64;
            }
        }
    }

    /// The number of the first success in trials of probability `p`, from 1 on, by inversion; at most 2^53.
    pub(crate) fn first_success(&mut self, p: f64) -> f64 {
        let most = 2f64.powi(53);
        if p >= 1.0 {
            return 1.0;
        }
        let trials = (ln(self.open_unit()) / ln_1p(-p)).floor() + 1.0;
        if trials < most { trials } else { most }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and variance of many variates lie within 5 standard errors of the exact ones; `kurtosis` is that of the distribution.
    fn check(name: &str, mean: f64, variance: f64, kurtosis: f64, mut draw: impl FnMut(&mut Random) -> f64) {
        let (n, mut random) = (200_000, Random::new(20, name.len() as u64));
        let draws: Vec<f64> = (0..n).map(|_| draw(&mut random)).collect();
        let n = f64::from(n);
        let found = draws.iter().sum::<f64>() / n;
        let spread = draws.iter().map(|draw| (draw - mean) * (draw - mean)).sum::<f64>() / n;
        assert!((found - mean).abs() < 5.0 * (variance / n).sqrt(), "{name}: mean {found}, expected {mean}");
        assert!(
            (spread - variance).abs() < 5.0 * variance * ((kurtosis - 1.0) / n).sqrt(),
            "{name}: variance {spread}, expected {variance}"
        );
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        check("exponential", 1.0, 1.0, 9.0, Random::exponential);
        check("normal", 0.0, 1.0, 3.0, Random::normal);
        for shape in [0.2, 1.0, 3.7, 250.0] {
            check("gamma", shape, shape, 3.0 + 6.0 / shape, |random| random.gamma(shape));
        }
        for (a, b) in [(0.3_f64, 0.5_f64), (2.0, 5.0)] {
            let c = a + b;
            let kurtosis = 3.0 + 6.0 * ((a - b).powi(2) * (c + 1.0) - a * b * (c + 2.0)) / (a * b * (c + 2.0) * (c + 3.0));
            check("beta", a / c, a * b / (c * c * (c + 1.0)), kurtosis, |random| random.beta(a, b));
        }
        for mean in [0.4, 9.0, 11.0, 300.0] {
            check("poisson", mean, mean, 3.0 + 1.0 / mean, |random| random.poisson(mean) as f64);
        }
        for p in [0.9_f64, 0.05] {
            check("geometric", 1.0 / p, (1.0 - p) / (p * p), 9.0 + p * p / (1.0 - p), |random| random.first_success(p));
        }
    }

    #[test]
    fn extremes_are_finite() {
        let mut random = Random::new(1, 1);
        for shape in [1e-17, 1e-3, 1e9] {
            assert!((0..100).all(|_| random.ln_gamma_variate(shape).is_finite()));
            assert!((0..100).all(|_| (0.0..=1.0).contains(&random.beta(shape, 1e-17))));
        }
        assert_eq!((random.first_success(1.0), random.first_success(0.0), random.poisson(0.0)), (1.0, 2f64.powi(53), 0));
    }
}
