//! The chi-squared distribution, and Pearson's statistic of independence.
//!
//! The weight x^a e^-x / Γ(a + 1) in front of the series and of the continued fraction of the incomplete gamma function is
//! computed from the deviance of x and a (Loader 2000): the large logarithms it is made of would cancel.

use std::f64::consts::PI;

use super::fisher::deviance;
use super::special::{exp, ln, ln_gamma};

/// The probability that a variable with `df` > 0 degrees of freedom is above `x`.
pub(crate) fn chi_squared_sf(x: f64, df: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    let (a, x) = (0.5 * df, 0.5 * x);
    let ln_weight = -deviance(a, x) - stirling_error(a) - 0.5 * ln(2.0 * PI * a);
    if x < a + 1.0 {
        // DLMF 8.7.1: the lower tail.
        let (mut sum, mut term, mut n) = (1.0, 1.0, a);
        while term > 1e-17 * sum {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return 1.0 - exp(ln_weight) * sum;
    }
    // DLMF 8.9.2 by modified Lentz.
    let mut next = x + 1.0 - a;
    let mut fraction = next;
    let (mut ahead, mut behind) = (next, 0.0);
    let mut n = 0.0;
    loop {
        n += 1.0;
        let numerator = n * (a - n);
        next += 2.0;
        behind = 1.0 / (next + numerator * behind);
        ahead = next + numerator / ahead;
        let factor = ahead * behind;
        fraction *= factor;
        if (factor - 1.0).abs() < 2e-16 {
            break;
        }
    }
    exp(ln_weight + ln(a / fraction))
}

/// Pearson's statistic of independence, and its degrees of freedom. Empty rows do not count.
pub(crate) fn independence(counts: &[Vec<f64>]) -> (f64, f64) {
    let rows: Vec<&Vec<f64>> = counts.iter().filter(|row| row.iter().sum::<f64>() > 0.0).collect();
    let columns: Vec<f64> = (0..counts.first().map_or(0, Vec::len)).map(|at| rows.iter().map(|row| row[at]).sum()).collect();
    let total: f64 = columns.iter().sum();
    let mut statistic = 0.0;
    for row in &rows {
        let of_row: f64 = row.iter().sum();
        for (count, column) in row.iter().zip(&columns).filter(|(_, column)| **column > 0.0) {
            let expected = of_row * column / total;
            statistic += (count - expected) * (count - expected) / expected;
        }
    }
    let occupied = columns.iter().filter(|column| **column > 0.0).count();
    (statistic, (rows.len().saturating_sub(1) * occupied.saturating_sub(1)) as f64)
}

/// What Stirling's formula √(2πa) (a/e)^a lacks of Γ(a + 1), as a logarithm.
fn stirling_error(a: f64) -> f64 {
    if a < 16.0 {
        return ln_gamma(a + 1.0) - ((a + 0.5) * ln(a) - a + 0.5 * ln(2.0 * PI));
    }
    let r = 1.0 / (a * a);
    (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1_260.0 - r * (1.0 / 1_680.0 - r * (1.0 / 1_188.0 - r * (691.0 / 360_360.0)))))) / a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_scipy() {
        let expected = [
            (0.05, 0.5, 0.563_482_089_816_130_8),
            (0.45, 0.5, 0.272_318_097_208_213_26),
            (0.500_05, 0.5, 0.256_306_866_988_616_8),
            (0.55, 0.5, 0.241_850_965_144_698_12),
            (1.0, 0.5, 0.153_513_595_808_322_47),
            (10.0, 0.5, 0.000_492_025_124_446_339_5),
            (0.1, 1.0, 0.751_829_634_045_849_2),
            (0.9, 1.0, 0.342_781_711_147_908_73),
            (1.0001, 1.0, 0.317_286_312_000_252_37),
            (1.1, 1.0, 0.294_266_104_304_959_8),
            (2.0, 1.0, 0.157_299_207_050_281_05),
            (20.0, 1.0, 7.744_216_431_044_088e-6),
            (0.2, 2.0, 0.904_837_418_035_959_5),
            (1.8, 2.0, 0.406_569_659_740_599_2),
            (2.0002, 2.0, 0.367_842_655_066_661_03),
            (2.2, 2.0, 0.332_871_083_698_079_55),
            (4.0, 2.0, 0.135_335_283_236_612_7),
            (40.0, 2.0, 2.061_153_622_438_556_6e-9),
            (0.73, 7.3, 0.998_677_175_650_754_8),
            (6.57, 7.3, 0.508_337_105_574_239_8),
            (7.300_73, 7.3, 0.430_280_753_431_607_65),
            (8.030_000_000_000_001, 7.3, 0.359_747_551_605_360_26),
            (14.6, 7.3, 0.048_352_046_658_707_54),
            (146.0, 7.3, 4.519_730_591_000_295e-28),
            (36.0, 40.0, 0.650_916_127_980_701_8),
            (40.004, 40.0, 0.470_079_605_093_317_03),
            (44.0, 40.0, 0.306_027_020_562_174_85),
            (80.0, 40.0, 0.000_176_302_897_738_567_7),
            (800.0, 40.0, 4.542_876_581_069_514e-142),
            (900.0, 1_000.0, 0.989_282_761_908_710_2),
            (1_000.1, 1_000.0, 0.493_160_985_771_628_37),
            (1_100.0, 1_000.0, 0.014_614_408_126_295_192),
            (2_000.0, 1_000.0, 4.143_678_591_453_918_4e-69),
            (1_000_100.0, 1_000_000.0, 0.471_627_360_047_493_56),
            (1_000_100_000.0, 1_000_000_000.0, 0.012_675_611_994_935_564),
        ];
        for (x, df, tail) in expected {
            let found = chi_squared_sf(x, df);
            assert!((found / tail - 1.0).abs() < 5e-13, "{x} {df}: {found:e} {tail:e}");
        }
    }

    #[test]
    fn far_tails_of_many_degrees_of_freedom() {
        // Sums of decimals of 50 digits; scipy 1.17 is off by 5e-12 in the first two.
        let expected = [
            (14_793.696_316_595_699, 10_000.0, 3.279_118_521_262_900_4e-193),
            (14_135.355_520_318_568, 10_000.0, 4.862_144_415_715_387e-149),
            (40_927.783_981_337_52, 31_622.0, 3.942_910_584_111_008e-252),
        ];
        for (x, df, tail) in expected {
            assert!((chi_squared_sf(x, df) / tail - 1.0).abs() < 1e-12, "{x} {df}");
        }
    }

    #[test]
    fn borders() {
        assert_eq!((chi_squared_sf(0.0, 3.0), chi_squared_sf(-1.0, 3.0), chi_squared_sf(f64::INFINITY, 3.0)), (1.0, 1.0, 0.0));
        assert!(chi_squared_sf(f64::NAN, 3.0).is_nan());
        // Two degrees of freedom: e^(-x/2).
        for x in [1e-12, 0.5, 3.0, 4.0, 100.0, 1_400.0] {
            assert!((chi_squared_sf(x, 2.0) / exp(-0.5 * x) - 1.0).abs() < 3e-13, "{x}");
        }
    }
}
