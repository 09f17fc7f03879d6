//! Measures of how two things occur together in baskets, from counts; `a` and `b` may be items, or `a` a set of them.
//!
//! Products of counts are integers of 128 bits, so that differences are exact before the one division.

/// How often two things are in baskets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) both: u64,
    pub(super) a: u64,
    pub(super) b: u64,
    pub(super) baskets: u64,
}

/// A measure of counts.
pub(super) type Measure = fn(Counts) -> f64;
/// One of the counts.
pub(super) type Count = fn(Counts) -> u64;

fn product(a: u64, b: u64) -> i128 {
    i128::from(a) * i128::from(b)
}

impl Counts {
    /// The same with a and b exchanged.
    pub(super) fn reversed(self) -> Self {
        Self { a: self.b, b: self.a, ..self }
    }

    /// The baskets with both, less those that chance gives, times the number of baskets: the sign of the association.
    fn excess(self) -> f64 {
        (product(self.both, self.baskets) - product(self.a, self.b)) as f64
    }

    pub(super) fn support(self) -> f64 {
        self.both as f64 / self.baskets as f64
    }

    /// Of the baskets with a, those with b.
    pub(super) fn confidence(self) -> f64 {
        self.both as f64 / self.a as f64
    }

    pub(super) fn lift(self) -> f64 {
        product(self.both, self.baskets) as f64 / product(self.a, self.b) as f64
    }

    pub(super) fn leverage(self) -> f64 {
        self.excess() / product(self.baskets, self.baskets) as f64
    }

    /// Infinite where the confidence is 1.
    pub(super) fn conviction(self) -> f64 {
        if self.both == self.a {
            return f64::INFINITY;
        }
        product(self.baskets - self.b, self.a) as f64 / product(self.baskets, self.a - self.both) as f64
    }

    /// Zhang's measure (2000), from -1 to 1; 0 where it is not defined.
    pub(super) fn zhang(self) -> f64 {
        let most = product(self.both, self.baskets - self.a).max(product(self.a, self.b - self.both));
        if most == 0 { 0.0 } else { self.excess() / most as f64 }
    }

    pub(super) fn jaccard(self) -> f64 {
        self.both as f64 / (self.a + self.b - self.both) as f64
    }

    pub(super) fn cosine(self) -> f64 {
        self.both as f64 / (product(self.a, self.b) as f64).sqrt()
    }

    /// The correlation; NaN where one of them is in all baskets.
    pub(super) fn phi(self) -> f64 {
        let spread = product(self.a, self.baskets - self.a) as f64 * product(self.b, self.baskets - self.b) as f64;
        if spread > 0.0 { self.excess() / spread.sqrt() } else { f64::NAN }
    }
}

/// How many baskets with both are expected, if a and b are independent in baskets of like size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Within {
    pub(super) expected: f64,
    variance: f64,
}

impl Within {
    /// From the baskets of each stratum: all, those with a, those with b.
    pub(super) fn of(strata: impl Iterator<Item = (u64, u64, u64)>) -> Self {
        let mut whole = Self { expected: 0.0, variance: 0.0 };
        for (baskets, a, b) in strata.filter(|stratum| stratum.0 > 0) {
            let (n, a, b) = (baskets as f64, a as f64, b as f64);
            whole.expected += a * b / n;
            if baskets > 1 {
                whole.variance += a * (n - a) * b * (n - b) / (n * n * (n - 1.0));
            }
        }
        whole
    }

    pub(super) fn lift(self, both: u64) -> f64 {
        both as f64 / self.expected
    }

    /// The statistic of Cochran, Mantel and Haenszel, without correction; 0 where it is not defined.
    pub(super) fn z(self, both: u64) -> f64 {
        if self.variance > 0.0 { (both as f64 - self.expected) / self.variance.sqrt() } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{a} {b}");
    }

    #[test]
    fn measures_are_those_of_their_formulas() {
        let counts = Counts { both: 161, a: 291, b: 378, baskets: 18_532 };
        let (s, a, b) = (161.0 / 18_532.0, 291.0 / 18_532.0, 378.0 / 18_532.0);
        close(counts.support(), s);
        close(counts.lift(), s / (a * b));
        close(counts.leverage(), s - a * b);
        close(counts.conviction(), (1.0 - b) / (1.0 - counts.confidence()));
        close(counts.reversed().conviction(), (1.0 - a) / (1.0 - 161.0 / 378.0));
        close(counts.zhang(), (s - a * b) / f64::max(s * (1.0 - a), a * (b - s)));
        close(counts.jaccard(), s / (a + b - s));
        close(counts.cosine(), s / (a * b).sqrt());
        close(counts.phi(), (s - a * b) / (a * (1.0 - a) * b * (1.0 - b)).sqrt());
    }

    #[test]
    fn measures_at_their_limits() {
        let all = Counts { both: 4, a: 4, b: 4, baskets: 4 };
        assert_eq!((all.conviction(), all.zhang(), all.lift()), (f64::INFINITY, 0.0, 1.0));
        assert!(all.phi().is_nan());
        let never = Counts { both: 0, a: 2, b: 2, baskets: 4 };
        assert_eq!((never.zhang(), never.confidence(), never.phi()), (-1.0, 0.0, -1.0));
        let within = Within::of([(1, 1, 1), (0, 0, 0)].into_iter());
        assert_eq!((within.expected, within.z(1), within.lift(1)), (1.0, 0.0, 1.0));
    }
}
