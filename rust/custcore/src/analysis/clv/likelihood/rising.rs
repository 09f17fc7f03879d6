//! ln (c)_n = ln Γ(c + n) - ln Γ(c) with its derivatives, for the integers n that occur. Sums of logarithms need no gamma function and
//! lose no digits at large c; far out they go on by Stirling's series, in which the large terms are cancelled by hand.

use crate::num::special::{ln, ln_1p};

/// Above this n, terms are no longer summed one by one.
const SUMMED: u32 = 1 << 16;
/// Stirling's series has full precision from here on.
pub(crate) const STIRLING_FROM: f64 = 8.0;
/// The Bernoulli numbers of even index, 2 to 18 (NIST DLMF, table 24.2.1).
const BERNOULLI: [f64; 9] =
    [1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0, 7.0 / 6.0, -3617.0 / 510.0, 43867.0 / 798.0];

/// ln (c)_n with its derivatives by c.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Rising {
    /// The value.
    pub value: f64,
    /// First derivative.
    pub first: f64,
    /// Second derivative.
    pub second: f64,
}

/// ln (b)_n - ln (a + b)_n with its derivatives by a and b. That by both is `by_aa`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct RisingRatio {
    /// The value.
    pub value: f64,
    /// First derivative by a.
    pub by_a: f64,
    /// First derivative by b.
    pub by_b: f64,
    /// Second derivative by a.
    pub by_aa: f64,
    /// Second derivative by b.
    pub by_bb: f64,
}

/// A sum with the digits that additions lose (Neumaier 1974).
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    fn add(&mut self, term: f64) {
        let high = self.high + term;
        self.low += if self.high.abs() >= term.abs() { (self.high - high) + term } else { (term - high) + self.high };
        self.high = high;
    }

    fn get(self) -> f64 {
        self.high + self.low
    }
}

/// ln (c)_n for each n of `counts`, which ascend.
pub(crate) fn rising(c: f64, counts: &[u32]) -> Vec<Rising> {
    let (mut value, mut first, mut second) = (Sum::default(), 0.0, 0.0);
    let mut at = 0;
    let mut next = |n: u32| {
        while at < n.min(SUMMED) {
            let term = c + f64::from(at);
            let inverse = 1.0 / term;
            value.add(ln(term));
            first += inverse;
            second -= inverse * inverse;
            at += 1;
        }
        if at < n {
            let more = ln_gamma_difference(c + f64::from(at), f64::from(n - at));
            value.add(more.value);
            first += more.first;
            second += more.second;
            at = n;
        }
        Rising { value: value.get(), first, second }
    };
    counts.iter().map(|&n| next(n)).collect()
}

/// ln (b)_n - ln (a + b)_n for each n of `counts`, which ascend: the sum of -ln(1 + a / (b + i)), whose terms have one sign.
pub(crate) fn rising_ratio(a: f64, b: f64, counts: &[u32]) -> Vec<RisingRatio> {
    let mut value = Sum::default();
    let mut sums = RisingRatio::default();
    let mut at = 0;
    let mut next = |n: u32| {
        while at < n.min(SUMMED) {
            let below = b + f64::from(at);
            let (of_b, of_c) = (1.0 / below, 1.0 / (a + below));
            value.add(-ln_1p(a / below));
            sums.by_a -= of_c;
            sums.by_b += a * of_b * of_c;
            sums.by_aa += of_c * of_c;
            sums.by_bb -= a * of_b * of_c * (of_b + of_c);
            at += 1;
        }
        if at < n {
            let (below, m) = (b + f64::from(at), f64::from(n - at));
            let of_b = ln_gamma_difference(below, m);
            let of_c = ln_gamma_difference(a + below, m);
            value.add(far_ratio(a, below, m));
            sums.by_a -= of_c.first;
            sums.by_b += of_b.first - of_c.first;
            sums.by_aa -= of_c.second;
            sums.by_bb += of_b.second - of_c.second;
            at = n;
        }
        RisingRatio { value: value.get(), ..sums }
    };
    counts.iter().map(|&n| next(n)).collect()
}

/// ln Γ(z + m) - ln Γ(z) with its derivatives by z, for z >= [`STIRLING_FROM`] and any m >= 0.
pub(crate) fn ln_gamma_difference(z: f64, m: f64) -> Rising {
    let end = z + m;
    let ratio = ln_1p(m / z);
    let (near, far) = (stirling_error(z), stirling_error(end));
    let value = m * ln(end) + (z - 0.5) * ratio - m + (far.value - near.value);
    let first = ratio + 0.5 * m / (z * end) + (far.first - near.first);
    let second = -(m / (z * end)) * (1.0 + 0.5 * (z + end) / (z * end)) + (far.second - near.second);
    Rising { value, first, second }
}

/// What Stirling's formula `(z - 1/2) ln z - z + ln(2 pi) / 2` leaves of ln Γ(z), with its derivatives (NIST DLMF 5.11.1).
pub(crate) fn stirling_error(z: f64) -> Rising {
    let inverse = 1.0 / z;
    let square = inverse * inverse;
    let mut sums = Rising::default();
    for (k, bernoulli) in BERNOULLI.iter().enumerate().rev() {
        let order = 2.0 * (k as f64 + 1.0);
        sums.value = sums.value * square + bernoulli / (order * (order - 1.0));
        sums.first = sums.first * square - bernoulli / order;
        sums.second = sums.second * square + bernoulli;
    }
    Rising { value: sums.value * inverse, first: sums.first * square, second: sums.second * square * inverse }
}

/// ln (u)_m - ln (a + u)_m for u of at least [`SUMMED`]: Stirling's formula, in which each term is proportional to a. Of its error
/// 1/(12 z) is enough there.
fn far_ratio(a: f64, u: f64, m: f64) -> f64 {
    let v = a + u;
    let errors = (1.0 / ((u + m) * (v + m)) - 1.0 / (u * v)) / 12.0;
    (u - 0.5) * ln_1p(a * m / (u * (v + m))) - m * ln_1p(a / (u + m)) + a * (errors - ln_1p(m / v))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::num::special::{digamma, ln_gamma, trigamma};

    fn close(left: f64, right: f64, tolerance: f64) {
        assert!((left - right).abs() <= tolerance * right.abs().max(1.0), "{left} {right}");
    }

    #[test]
    fn sums_are_differences_of_the_gamma_function() {
        for c in [0.3, 1.0, 7.5] {
            let counts = [0, 1, 2, 5, 40];
            for (n, found) in counts.iter().zip(rising(c, &counts)) {
                let end = c + f64::from(*n);
                close(found.value, ln_gamma(end) - ln_gamma(c), 1e-14);
                close(found.first, digamma(end) - digamma(c), 1e-13);
                close(found.second, trigamma(end) - trigamma(c), 1e-13);
            }
        }
    }

    #[test]
    fn the_series_goes_on_where_the_sum_ends() {
        for c in [1e-17, 0.7, 1e6, 1e12] {
            let both = rising(c, &[SUMMED - 3, SUMMED + 700]);
            let (mut value, mut first, mut second) = (Sum::default(), both[0].first, both[0].second);
            for i in SUMMED - 3..SUMMED + 700 {
                let term = c + f64::from(i);
                value.add(ln(term));
                first += 1.0 / term;
                second -= 1.0 / (term * term);
            }
            close(both[1].value, both[0].value + value.get(), 4e-16);
            close(both[1].first, first, 1e-14);
            close(both[1].second, second, 1e-14);
        }
    }

    #[test]
    fn a_ratio_is_a_difference() {
        let counts = [0, 1, 9, SUMMED + 500];
        for (a, b) in [(0.8, 2.4), (1e6, 3e6), (1e-14, 5.0)] {
            let (below, above) = (rising(b, &counts), rising(a + b, &counts));
            for (i, found) in rising_ratio(a, b, &counts).into_iter().enumerate() {
                close(found.value, below[i].value - above[i].value, 1e-9);
                close(found.by_a, -above[i].first, 1e-13);
                close(found.by_b, below[i].first - above[i].first, 1e-12);
                close(found.by_aa, -above[i].second, 1e-13);
                close(found.by_bb, below[i].second - above[i].second, 1e-13);
            }
        }
        // For small a the ratio is -a (ψ(b + n) - ψ(b)).
        let found = rising_ratio(1e-14, 5.0, &[SUMMED, 3 * SUMMED]);
        for (n, found) in [SUMMED, 3 * SUMMED].into_iter().zip(found) {
            let expected = -1e-14 * (digamma(5.0 + f64::from(n)) - digamma(5.0));
            assert!((found.value / expected - 1.0).abs() < 1e-12, "{} {expected}", found.value);
        }
    }

    #[test]
    fn gamma_differences_hold_for_real_steps() {
        for (z, m) in [(8.0, 0.5), (9.3, 40.0), (8.0, 1e5)] {
            let found = ln_gamma_difference(z, m);
            close(found.value, ln_gamma(z + m) - ln_gamma(z), 2e-15);
            close(found.first, digamma(z + m) - digamma(z), 2e-15);
            close(found.second, trigamma(z + m) - trigamma(z), 2e-15);
        }
    }
}
