//! ln(1 + e^z) with its derivatives for blocks of z. The loops have no branches and call no function, so that the compiler vectorizes
//! them; both ends of each approximation are known, and its error is below 3e-16 of the value.

use crate::exec::simd::widest;

/// Numbers of a block.
pub(crate) const LANES: usize = 128;

/// A block of numbers.
pub(crate) type Block = [f64; LANES];

/// e^-708 is next to the smallest number; beyond it, all derivatives are 0.
const LOWEST: f64 = -708.0;
/// 1.5 * 2^52: adding it rounds to an integer, which stands in the lowest bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; the first one has 21 zeros at its end, so that products with integers are exact (fdlibm).
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

widest! {
    /// ln(1 + e^z), its first derivative s = e^z/(1 + e^z), and its second one s (1 - s), each times `weight`.
    pub(crate) fn softplus(z: &Block, weight: &Block, value: &mut Block, first: &mut Block, second: &mut Block) {
        for i in 0..LANES {
            let z = z[i];
            let e = exp_of_negative((-z.abs()).max(LOWEST));
            let inverse = 1.0 / (1.0 + e);
            value[i] = weight[i] * (z.max(0.0) + ln_1p_of_unit(e));
            first[i] = weight[i] * inverse * if z < 0.0 { e } else { 1.0 };
            second[i] = weight[i] * e * inverse * inverse;
        }
    }
}

/// e^z for z in [-708, 0].
#[inline]
fn exp_of_negative(z: f64) -> f64 {
    let rounded = z * std::f64::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (z - n * LN_2_HIGH) - n * LN_2_LOW;
    // Taylor's series up to r^13, |r| <= ln 2 / 2.
    let mut series = 1.0 / 6_227_020_800.0;
    for factorial in [479_001_600.0, 39_916_800.0, 3_628_800.0, 362_880.0, 40_320.0, 5_040.0, 720.0, 120.0, 24.0, 6.0, 2.0] {
        series = series * r + 1.0 / factorial;
    }
    let power = f64::from_bits(rounded.to_bits().wrapping_add(1023) << 52);
    (1.0 + (r + r * r * series)) * power
}

/// ln(1 + e) for e in [0, 1]: 2 atanh(s) + k ln 2 with (1 + s)/(1 - s) = (1 + e)/2^k between the roots of 1/2 and 2.
#[inline]
fn ln_1p_of_unit(e: f64) -> f64 {
    let is_high = e > std::f64::consts::SQRT_2 - 1.0;
    let (above, below, shift) = if is_high { (e - 1.0, e + 3.0, std::f64::consts::LN_2) } else { (e, e + 2.0, 0.0) };
    let s = above / below;
    let square = s * s;
    let mut series = 1.0 / 21.0;
    for odd in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        series = series * square + 1.0 / odd;
    }
    shift + 2.0 * (s + s * square * series)
}

widest! {
    /// The sum over a block of products of two blocks.
    pub(crate) fn dot(left: &Block, right: &Block) -> f64 {
        let mut sums = [0.0; 8];
        for (left, right) in left.chunks_exact(8).zip(right.chunks_exact(8)) {
            for lane in 0..8 {
                sums[lane] += left[lane] * right[lane];
            }
        }
        ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::num::special::{exp, ln_1p, ln_1p_exp};

    #[test]
    fn values_are_those_of_libm() {
        let mut worst = [0.0_f64; 2];
        for i in 0..=200_000 {
            let z = -f64::from(i) * 708.0 / 200_000.0 * if i % 3 == 0 { 1.0 } else { 0.05 };
            let e = exp_of_negative(z);
            worst[0] = worst[0].max((e / exp(z) - 1.0).abs());
            if e > 0.0 {
                worst[1] = worst[1].max((ln_1p_of_unit(e) / ln_1p(e) - 1.0).abs());
            }
        }
        assert!(worst[0] < 5e-16 && worst[1] < 5e-16, "{worst:?}");
        assert_eq!((exp_of_negative(0.0), ln_1p_of_unit(0.0)), (1.0, 0.0));
    }

    #[test]
    fn blocks_are_those_of_single_numbers() {
        let z: Block = std::array::from_fn(|i| (i as f64 - 64.0) * if i % 2 == 0 { 0.1 } else { 40.0 });
        let weight: Block = std::array::from_fn(|i| 1.0 + i as f64);
        let (mut value, mut first, mut second) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        softplus(&z, &weight, &mut value, &mut first, &mut second);
        for i in 0..LANES {
            let odds = exp(-z[i].abs());
            let sigma = if z[i] < 0.0 { odds / (1.0 + odds) } else { 1.0 / (1.0 + odds) };
            let close = |found: f64, expected: f64| (found - weight[i] * expected).abs() <= 1e-15 * weight[i] * expected.abs() + 1e-300;
            assert!(close(value[i], ln_1p_exp(z[i])) && close(first[i], sigma), "{}", z[i]);
            assert!(close(second[i], odds / ((1.0 + odds) * (1.0 + odds))), "{}", z[i]);
        }
        let sum: f64 = z.iter().zip(&weight).map(|(z, weight)| z * weight).sum();
        assert!((dot(&z, &weight) - sum).abs() < 1e-9);
    }
}
