//! Student's t distribution for real degrees of freedom, exact in its tails.
//!
//! Probabilities are incomplete beta functions with second parameter 1/2: `P(T > t) = I_x(df/2, 1/2) / 2`, x = df / (df + t²). The
//! centre is a series of positive terms, the tail the continued fraction of Didonato and Morris (1992), in which 1 - x enters as it
//! is: at many degrees of freedom 1 - x has no digits left if it is computed from x.

use std::f64::consts::PI;

use super::normal::normal_quantile;
use super::special::{exp, ln, ln_1p};

/// The probability that a variable with `df` > 0 degrees of freedom is above `t`.
pub(crate) fn student_t_sf(t: f64, df: f64) -> f64 {
    if t.is_nan() {
        return f64::NAN;
    }
    if t.is_infinite() {
        return if t > 0.0 { 0.0 } else { 1.0 };
    }
    let point = Point::at(t.abs(), df);
    let upper = if point.is_central() { 0.5 - point.centre() } else { exp(point.ln_tail()) };
    match (t >= 0.0, point.is_central()) {
        (true, _) => upper,
        (false, true) => 0.5 + point.centre(),
        (false, false) => 1.0 - upper,
    }
}

/// The probability that a variable with `df` > 0 degrees of freedom is farther from 0 than `t` is.
pub(crate) fn student_t_two_sided(t: f64, df: f64) -> f64 {
    2.0 * student_t_sf(t.abs(), df)
}

/// The value that a variable with `df` > 0 degrees of freedom does not exceed with probability `p`; infinite at 0 and 1, and where it is
/// beyond the largest float.
pub(crate) fn student_t_quantile(p: f64, df: f64) -> f64 {
    let tail = p.min(1.0 - p);
    let size = match tail {
        _ if tail > 0.5 || tail.is_nan() || tail < 0.0 => return f64::NAN,
        0.0 => f64::INFINITY,
        _ if tail < 0.2 => far_quantile(tail, df),
        _ => near_quantile(0.5 - tail, df),
    };
    if p < 0.5 { -size } else { size }
}

/// The t > 0 above which the probability `tail` lies.
fn far_quantile(tail: f64, df: f64) -> f64 {
    let goal = ln(tail);
    // The tail of a power is an upper bound; where it is loose, a step from the normal quantile is near enough.
    let a = 0.5 * df;
    let mut ln_t = 0.5 * ln(df) + (ln_gamma_half_step(a) - 0.5 * ln(PI) - goal - ln(df)) / df;
    let z = -normal_quantile(tail);
    if z * z < df {
        ln_t = ln_t.min(ln(z * (1.0 + (z * z + 1.0) / (4.0 * df))));
    }
    // ln P falls ever faster with ln t, so Newton's steps end on the upper side and come down from there.
    for _ in 0..60 {
        let point = Point::at_ln(ln_t, df);
        let ln_tail = if point.is_central() { ln(0.5 - point.centre()) } else { point.ln_tail() };
        let slope = exp(point.ln_weight() - ln_tail);
        let step = (ln_tail - goal) / slope;
        ln_t += step;
        if step.abs() < 1e-15 * ln_t.abs().max(1.0) {
            break;
        }
    }
    exp(ln_t)
}

/// The t >= 0 with the probability `mass` between 0 and t.
fn near_quantile(mass: f64, df: f64) -> f64 {
    // The density falls from 0 on, so Newton's steps rise to the quantile.
    let ln_density_at_0 = ln_gamma_half_step(0.5 * df) - 0.5 * ln(PI * df);
    let mut t = mass * exp(-ln_density_at_0);
    if t == 0.0 {
        return t;
    }
    for _ in 0..60 {
        let point = Point::at(t, df);
        let found = if point.is_central() { point.centre() } else { 0.5 - exp(point.ln_tail()) };
        let step = (mass - found) * t * exp(-point.ln_weight());
        t += step;
        if step.abs() <= 2e-16 * t {
            break;
        }
    }
    t
}

/// A value t >= 0 of the distribution.
#[derive(Debug, Clone, Copy)]
struct Point {
    /// df / 2.
    a: f64,
    /// ln(t / √df).
    ln_u: f64,
    /// ln(1 + t²/df).
    ln_1p_square: f64,
    /// t² / (df + t²).
    y: f64,
}

impl Point {
    fn at(t: f64, df: f64) -> Self {
        let square = t * (t / df);
        let ln_u = ln(t) - 0.5 * ln(df);
        Self::new(df, ln_u, square)
    }

    fn at_ln(ln_t: f64, df: f64) -> Self {
        let ln_u = ln_t - 0.5 * ln(df);
        Self::new(df, ln_u, exp(2.0 * ln_u))
    }

    fn new(df: f64, ln_u: f64, square: f64) -> Self {
        let is_huge = square > 1e30;
        let ln_1p_square = if is_huge { 2.0 * ln_u } else { ln_1p(square) };
        let y = if is_huge { 1.0 } else { square / (1.0 + square) };
        Self { a: 0.5 * df, ln_u, ln_1p_square, y }
    }

    /// ln of t times the density at t.
    fn ln_weight(self) -> f64 {
        self.ln_u - (self.a + 0.5) * self.ln_1p_square + ln_gamma_half_step(self.a) - 0.5 * ln(PI)
    }

    fn is_central(self) -> bool {
        self.y < 1.5 / (self.a + 2.5)
    }

    /// The probability between 0 and t: DLMF 8.17.8.
    fn centre(self) -> f64 {
        if self.y == 0.0 {
            return 0.0;
        }
        let (mut sum, mut term, mut n) = (1.0, 1.0, 0.0);
        while term > 1e-17 * sum {
            term *= self.y * (self.a + 0.5 + n) / (1.5 + n);
            sum += term;
            n += 1.0;
        }
        exp(self.ln_weight()) * sum
    }

    /// ln of the probability above t.
    fn ln_tail(self) -> f64 {
        let (a, y) = (self.a, self.y);
        // 1 - y, where y is near 1.
        let x = exp(-self.ln_1p_square);
        let excess = (a + 0.5) * y - 0.5;
        // Modified Lentz: `fraction` is what divides the weight.
        let denominator = |n: f64| {
            let inner = if n == 0.0 { 0.0 } else { n * (0.5 - n) * x / (a + 2.0 * n - 1.0) };
            n + inner + (a + n) / (a + 2.0 * n + 1.0) * (excess + 1.0 + n * (1.0 + y))
        };
        let mut fraction = denominator(0.0);
        let (mut ahead, mut behind) = (fraction, 0.0);
        let mut n = 0.0;
        for _ in 0..100_000 {
            n += 1.0;
            let numerator = (a + n - 1.0) * (a + n - 0.5) * n * (0.5 - n) * x * x / ((a + 2.0 * n - 1.0) * (a + 2.0 * n - 1.0));
            let next = denominator(n);
            behind = 1.0 / (next + numerator * behind);
            ahead = next + numerator / ahead;
            let factor = ahead * behind;
            fraction *= factor;
            if (factor - 1.0).abs() < 2e-16 {
                break;
            }
        }
        self.ln_weight() - ln(2.0 * fraction)
    }
}

/// ln(Γ(a + 1/2) / Γ(a)), a > 0, without the cancellation of two large logarithms: Fields' expansion in 1/w², w = a - 1/4
/// (DLMF 5.11.14), after the recurrence where a is small.
fn ln_gamma_half_step(a: f64) -> f64 {
    let (mut a, mut below) = (a, 1.0);
    while a < 16.0 {
        below *= a / (a + 0.5);
        a += 1.0;
    }
    let w = a - 0.25;
    let r = 1.0 / (w * w);
    let series = r
        * (1.0 / 64.0
            - r * (5.0 / 2_048.0
                - r * (61.0 / 49_152.0
                    - r * (1_385.0 / 1_048_576.0
                        - r * (50_521.0 / 20_971_520.0 - r * (2_702_765.0 / 402_653_184.0 - r * (199_360_981.0 / 7_516_192_768.0)))))));
    0.5 * ln(w) + series + ln(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_scipy() {
        let expected = [
            (0.01, 0.5, 0.497_303_371_818_052_34),
            (1.0, 0.5, 0.301_121_610_841_322_05),
            (2.0, 0.5, 0.222_757_445_091_565_64),
            (5.0, 0.5, 0.142_995_701_579_429_37),
            (40.0, 0.5, 0.050_704_899_964_747_176),
            (0.01, 2.7, 0.496_356_704_938_469_45),
            (1.0, 2.7, 0.199_162_173_610_386_38),
            (2.0, 2.7, 0.074_711_719_035_251),
            (5.0, 2.7, 0.009_850_419_463_231_919),
            (40.0, 2.7, 3.997_819_945_096_109e-5),
            (0.01, 30.0, 0.496_043_746_286_588_87),
            (1.0, 30.0, 0.162_654_307_713_015_1),
            (2.0, 30.0, 0.027_312_522_481_491_547),
            (5.0, 30.0, 1.164_834_273_350_39e-5),
            (40.0, 30.0, 6.863_022_597_203_209e-28),
            (0.01, 1_000.0, 0.496_011_640_966_093_6),
            (1.0, 1_000.0, 0.158_776_209_042_336_27),
            (2.0, 1_000.0, 0.022_885_173_246_625_83),
            (5.0, 1_000.0, 3.383_628_182_324_317_4e-7),
            (40.0, 1_000.0, 5.239_426_077_586_636e-210),
            (0.01, 1_000_000.0, 0.496_010_644_682_773_8),
            (1.0, 1_000_000.0, 0.158_655_374_916_789_16),
            (2.0, 1_000_000.0, 0.022_750_266_925_659_62),
            (5.0, 1_000_000.0, 2.866_998_935_445_372_3e-7),
            (0.01, 1_000_000_000.0, 0.496_010_643_686_365_77),
            (1.0, 1_000_000_000.0, 0.158_655_254_052_442_4),
            (2.0, 1_000_000_000.0, 0.022_750_132_083_156_623),
            (5.0, 1_000_000_000.0, 2.866_516_201_975_809_6e-7),
            (-3.0, 5.0, 0.984_950_376_051_268_7),
            (30.0, 1_000_000_000.0, 4.907_709_843_984_025e-198),
        ];
        for (t, df, tail) in expected {
            let found = student_t_sf(t, df);
            assert!((found / tail - 1.0).abs() < 3e-13, "{t} {df}: {found:e} {tail:e}");
        }
    }

    #[test]
    fn quantiles_are_those_of_scipy() {
        let expected = [
            (1.0e-20, 0.5, -1.028_491_156_316_339_9e39),
            (0.025, 0.5, -164.557_673_480_488_46),
            (0.4, 0.5, -0.397_975_426_784_790_7),
            (0.9, 0.5, 10.270_324_410_234_51),
            (0.995, 0.5, 4_113.964_588_804_174),
            (0.999_999_999_999, 0.5, 1.028_536_661_813_339_3e23),
            (1.0e-20, 2.7, -24_032_629.034_870_137),
            (0.025, 2.7, -3.392_148_383_173_752_4),
            (0.4, 2.7, -0.279_328_463_317_969_23),
            (0.9, 2.7, 1.688_108_175_146_642_5),
            (0.995, 2.7, 6.533_128_433_408_452),
            (0.999_999_999_999, 2.7, 26_172.299_259_085_823),
            (1.0e-300, 30.0, -50_178_575_360.505_08),
            (1.0e-20, 30.0, -22.658_878_371_940_183),
            (0.025, 30.0, -2.042_272_456_301_238),
            (0.4, 30.0, -0.255_605_364_951_912_8),
            (0.9, 30.0, 1.310_415_025_391_395_5),
            (0.995, 30.0, 2.749_995_653_567_225_4),
            (0.999_999_999_999, 30.0, 11.397_227_795_416_011),
            (1.0e-300, 1_000.0, -54.291_388_553_051_746),
            (1.0e-20, 1_000.0, -9.467_044_815_255_925),
            (0.025, 1_000.0, -1.962_339_080_826_408_5),
            (0.4, 1_000.0, -0.253_414_515_839_498_76),
            (0.9, 1_000.0, 1.282_398_721_460_924_7),
            (0.995, 1_000.0, 2.580_754_698_065_951),
            (0.999_999_999_999, 1_000.0, 7.124_232_127_382_443),
            (1.0e-300, 1_000_000_000.0, -37.047_109_020_294_09),
            (1.0e-20, 1_000_000_000.0, -9.262_340_290_770_22),
            (0.025, 1_000_000_000.0, -1.959_963_986_912_325_3),
            (0.4, 1_000_000_000.0, -0.253_347_103_203_201_53),
            (0.9, 1_000_000_000.0, 1.281_551_566_391_185_2),
            (0.995, 1_000_000_000.0, 2.575_829_308_465_448_4),
            (0.999_999_999_999, 1_000_000_000.0, 7.034_486_998_830_105),
        ];
        for (p, df, t) in expected {
            let found = student_t_quantile(p, df);
            assert!((found / t - 1.0).abs() < 1e-13, "{p} {df}: {found} {t}");
        }
    }

    #[test]
    fn closed_forms() {
        // One degree of freedom: Cauchy's distribution. Here scipy 1.17 has lost five digits.
        assert!((student_t_sf(1e-10, 1.0) - (0.5 - 1e-10 / PI)).abs() < 1e-16);
        assert!((student_t_quantile(1e-300, 1.0) / (-1e300 / PI) - 1.0).abs() < 1e-13);
        // Two: t = (2p - 1) / √(2p(1 - p)).
        for p in [1e-30_f64, 1e-9, 0.1, 0.3, 0.499_9, 0.75, 0.999] {
            let t = (2.0 * p - 1.0) / (2.0 * p * (1.0 - p)).sqrt();
            assert!((student_t_quantile(p, 2.0) / t - 1.0).abs() < 1e-12, "{p}");
        }
        // Four degrees of freedom near the centre, in decimals of 50 digits.
        assert!((student_t_quantile(0.501, 4.0) / 0.002_666_670_617_294_139_3 - 1.0).abs() < 1e-13);
    }

    #[test]
    fn borders() {
        assert_eq!((student_t_quantile(0.5, 3.0), student_t_sf(0.0, 3.0), student_t_two_sided(0.0, 3.0)), (0.0, 0.5, 1.0));
        assert_eq!((student_t_quantile(0.0, 3.0), student_t_quantile(1.0, 3.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert_eq!((student_t_sf(f64::INFINITY, 3.0), student_t_sf(f64::NEG_INFINITY, 3.0)), (0.0, 1.0));
        assert!(
            student_t_sf(f64::NAN, 3.0).is_nan() && student_t_quantile(f64::NAN, 3.0).is_nan() && student_t_quantile(1.5, 3.0).is_nan()
        );
        // Beyond the largest float.
        assert_eq!(student_t_quantile(1e-300, 0.5).total_cmp(&f64::NEG_INFINITY), std::cmp::Ordering::Equal);
        assert!((student_t_two_sided(-2.0, 7.0) - 2.0 * student_t_sf(2.0, 7.0)).abs() < 1e-17);
    }

    #[test]
    fn a_quantile_has_its_tail() {
        for df in [0.5, 0.9, 1.0, 3.3, 12.0, 250.0, 7e4, 1e9] {
            for p in [1e-100, 1e-12, 1e-4, 0.05, 0.19, 0.199_999, 0.2, 0.35, 0.49] {
                let tail = student_t_sf(-student_t_quantile(p, df), df);
                assert!((tail / p - 1.0).abs() < 1e-12, "{p} {df}: {tail:e}");
            }
        }
    }
}
