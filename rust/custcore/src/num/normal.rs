//! The normal distribution.

use std::f64::consts::FRAC_1_SQRT_2;

use super::special::{erfc, ln};

/// The quantile of the standard normal distribution at `p` in (0, 1): Wichura's algorithm AS 241 (1988), within 1e-15.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(&CENTRE.0, r) / polynomial(&CENTRE.1, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-ln(tail)).sqrt();
    let (shift, (numerator, denominator)) = if r <= 5.0 { (1.6, &MIDDLE) } else { (5.0, &FAR) };
    let size = polynomial(numerator, r - shift) / polynomial(denominator, r - shift);
    if q < 0.0 { -size } else { size }
}

/// The probability that a standard normal variable is at most `x`.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    normal_sf(-x)
}

/// The probability that a standard normal variable is above `x`, without cancellation in the upper tail.
pub(crate) fn normal_sf(x: f64) -> f64 {
    0.5 * erfc(x * FRAC_1_SQRT_2)
}

fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

type Ratio = ([f64; 8], [f64; 8]);

const CENTRE: Ratio = (
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
);
const MIDDLE: Ratio = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);
const FAR: Ratio = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        // Digits of the quantile function of R and scipy.
        for (p, z) in [(0.975, 1.959_963_984_540_054), (0.5, 0.0), (0.9, 1.281_551_565_544_600_4), (1e-10, -6.361_340_902_404_056)] {
            assert!((normal_quantile(p) - z).abs() < 1e-14 * z.abs().max(1.0), "{p}: {}", normal_quantile(p));
            if p > 1e-3 {
                assert!((normal_quantile(1.0 - p) + z).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn tails_are_those_of_scipy() {
        let expected = [
            (-8.0, 0.999_999_999_999_999_3),
            (-1.0, 0.841_344_746_068_542_9),
            (0.0, 0.5),
            (0.3, 0.382_088_577_811_047_4),
            (1.5, 0.066_807_201_268_858_07),
            (5.0, 2.866_515_718_791_933e-7),
            (10.0, 7.619_853_024_160_47e-24),
            (20.0, 2.753_624_118_606_155_6e-89),
            (37.0, 5.725_571_222_523_926_6e-300),
        ];
        for (x, tail) in expected {
            assert!((normal_sf(x) / tail - 1.0).abs() < 3e-13, "{x}: {:e}", normal_sf(x));
            assert_eq!(normal_cdf(-x).to_bits(), normal_sf(x).to_bits());
        }
        assert_eq!((normal_sf(f64::INFINITY), normal_sf(f64::NEG_INFINITY)), (0.0, 1.0));
    }
}
