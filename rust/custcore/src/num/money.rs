//! Fixed-point money: every amount is an integer number of units of 10^-scale, and sums are 128-bit integers.
//!
//! A float is converted once to a fixed number of decimal places (one multiplication by 10^d, ties to even), so that
//! 0.1 + 0.2 is 0.3; integers and decimals keep their scale. Sums are therefore exact and independent of order.

use std::fmt;

use crate::exec::simd::widest;

/// Bound on an addend from a float or an integer: partial sums of up to 2^65 of them fit in 128 bits.
pub(crate) const MAX_UNITS: i64 = 1 << 62;
/// Bound on an unscaled decimal addend: partial sums of up to 2^31 of them fit in 128 bits, in any order.
pub(crate) const MAX_DECIMAL_UNITS: i128 = 1 << 96;

/// This many decimal addends cannot exceed [`LARGEST_UNITS`].
pub(crate) const SAFE_DECIMAL_ADDENDS: u64 = 1 << 30;
/// The largest sum that results and files hold: 38 digits.
pub(crate) const LARGEST_UNITS: u128 = 10_u128.pow(38) - 1;

/// The type of amounts, which determines the type of their sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Money {
    /// Floats, converted with this many decimal places; sums are Float64.
    Float {
        /// Decimal places, 0 to 12.
        decimals: u8,
    },
    /// Integers; sums are Int64.
    Integer,
    /// Decimals of this scale; sums are Decimal128(38, scale).
    Decimal {
        /// Number of decimal places.
        scale: i8,
    },
}

/// An exact sum of money, with the type of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// Units of 10^-scale.
    pub units: i128,
    /// The type of the amount.
    pub money: Money,
}

impl Amount {
    /// The nearest float64.
    pub fn to_f64(self) -> f64 {
        match self.money {
            Money::Float { decimals } => units_to_f64(self.units, i32::from(decimals)),
            Money::Integer => self.units as f64,
            Money::Decimal { scale } => units_to_f64(self.units, i32::from(scale)),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.money {
            Money::Float { .. } => write!(f, "{}", self.to_f64()),
            Money::Integer => write!(f, "{}", self.units),
            Money::Decimal { scale } => f.write_str(&decimal_text(self.units, scale)),
        }
    }
}

/// A decimal in positional notation: `decimal_text(-105, 2)` is `-1.05`.
pub fn decimal_text(units: i128, scale: i8) -> String {
    let digits = units.unsigned_abs().to_string();
    let sign = if units < 0 { "-" } else { "" };
    let places = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        let zeros = if units == 0 { 0 } else { places };
        return format!("{sign}{digits}{}", "0".repeat(zeros));
    }
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    format!("{sign}{whole}.{fraction}")
}

/// Integers of at most this magnitude are exact in float64.
const EXACT: i128 = 1 << 53;

/// `units / 10^scale`, correctly rounded, also for units above 2^53.
#[inline]
pub(crate) fn units_to_f64(units: i128, scale: i32) -> f64 {
    if let Ok(units) = i64::try_from(units)
        && units.unsigned_abs() <= EXACT as u64
        && (0..=22).contains(&scale)
    {
        // Both operands are exact float64, so the one division rounds correctly.
        return units as f64 / POWERS[scale as usize];
    }
    units_to_f64_by_text(units, scale)
}

/// The same of many units of 64 bits.
pub(crate) fn narrow_units_to_f64(units: &[i64], scale: i32, out: &mut [f64]) {
    // Of non-negative numbers the largest has the highest bit of all.
    let is_exact = units.iter().fold(0, |bits, units| bits | units.unsigned_abs()) < EXACT as u64;
    match POWERS.get(scale as usize).filter(|_| is_exact) {
        Some(&power) => exact_quotients(units, power, out),
        None => out.iter_mut().zip(units).for_each(|(out, &units)| *out = units_to_f64(i128::from(units), scale)),
    }
}

widest! {
    /// The quotients of integers that a float holds and a power of ten that it holds.
    fn exact_quotients(units: &[i64], power: f64, out: &mut [f64]) {
        out.iter_mut().zip(units).for_each(|(out, &units)| *out = units as f64 / power);
    }
}

#[cold]
fn units_to_f64_by_text(units: i128, scale: i32) -> f64 {
    // The slow path parses the decimal text, because the standard library's parser rounds correctly.
    format!("{units}e{}", -scale).parse().unwrap_or(f64::NAN)
}

/// The correctly rounded quotient of two integers; the divisor must be positive and both below 2^126.
#[inline]
pub(crate) fn ratio(part: i128, whole: i128) -> f64 {
    if part.abs() <= EXACT && whole <= EXACT {
        return part as f64 / whole as f64;
    }
    ratio_of_large(part, whole)
}

/// The ratio of numbers that a float does not hold. Apart, so that the other case is inlined.
#[inline(never)]
fn ratio_of_large(part: i128, whole: i128) -> f64 {
    let size = part.unsigned_abs();
    let divisor = whole.unsigned_abs();
    if size > 0 && divisor < 1 << 72 {
        // The quotient has at least 56 bits: 53 of the float, and more than two that round it, the last one of which is sticky.
        let shift = size.leading_zeros();
        let dividend = size << shift;
        let (quotient, rest) = (dividend / divisor, dividend % divisor);
        let scale = f64::from_bits(u64::from(1023 - shift) << 52);
        let size = (quotient | u128::from(rest > 0)) as f64 * scale;
        return if part < 0 { -size } else { size };
    }
    ratio_by_bits(part, whole)
}

/// Bitwise long division to more bits than a float has; a nonzero remainder (sticky bit) breaks ties.
#[cold]
fn ratio_by_bits(part: i128, whole: i128) -> f64 {
    let whole = whole.unsigned_abs();
    let (mut quotient, mut rest) = (part.unsigned_abs() / whole, part.unsigned_abs() % whole);
    let mut scale = 1.0;
    while quotient < 1 << 64 && rest > 0 && scale > f64::MIN_POSITIVE {
        rest *= 2;
        quotient = quotient * 2 + u128::from(rest >= whole);
        rest %= whole;
        scale *= 0.5;
    }
    let size = (quotient | u128::from(rest > 0)) as f64 * scale;
    if part < 0 { -size } else { size }
}

/// 10^0 to 10^22, all exact in float64.
const POWERS: [f64; 23] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];

/// 10^decimals, the factor that converts a float amount to units.
pub(crate) fn float_factor(decimals: u8) -> f64 {
    POWERS[usize::from(decimals.min(22))]
}

/// Adding this rounds a float below 2^51 to an integer, ties to even, and leaves the integer in the low mantissa bits.
const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52

/// Above this many units rounding changes an amount by less than 1 %.
const FINE: f64 = 50.0;
/// Smaller amounts are the noise of float arithmetic, such as 0.1 + 0.2 - 0.3: no number of decimal places keeps them.
const NOISE: f64 = 5e-13;

widest! {
    /// Converts float amounts to units. Returns whether all are below 2^51 in units (otherwise the contents of `out` are
    /// unspecified), and whether any is so small that rounding may change it by 1 %. Without branches and calls, so that the
    /// compiler can vectorize the loop.
    pub(crate) fn floats_to_units(values: &[f64], factor: f64, out: &mut [i64]) -> (bool, bool) {
        let (mut all, mut small) = (true, false);
        for (slot, value) in out.iter_mut().zip(values) {
            let scaled = value * factor;
            // NaN and infinite values fail this comparison too.
            all &= scaled.abs() < 2_251_799_813_685_248.0; // 2^51
            small |= scaled.abs() < FINE;
            *slot = ((scaled + ROUND).to_bits() as i64).wrapping_sub(ROUND.to_bits() as i64);
        }
        (all, small)
    }
}

widest! {
    /// Whether rounding to units changes any amount, noise apart, by more than 1 %; for amounts below 2^51 in units.
    pub(crate) fn any_coarse(values: &[f64], factor: f64) -> bool {
        values.iter().fold(false, |any, value| {
            let scaled = value * factor;
            any | (((scaled - (scaled + ROUND - ROUND)).abs() > 0.01 * scaled.abs()) & (value.abs() >= NOISE))
        })
    }
}

/// Whether rounding to `units` changed the amount by more than 1 %, and it is not noise.
#[inline]
pub(crate) fn is_coarse(value: f64, factor: f64, units: i64) -> bool {
    let scaled = value * factor;
    scaled.abs() < FINE && value.abs() >= NOISE && (scaled - units as f64).abs() > 0.01 * scaled.abs()
}

/// Decimal places in which [`rounded_off`] counts.
pub(crate) const ROUNDED_OFF_DECIMALS: u8 = 18;

/// What rounding to units takes from a float amount, in units of 10^-18; negative if the amount was rounded up.
pub(crate) fn rounded_off(value: f64, factor: f64) -> i128 {
    let scaled = value * factor;
    ((scaled - scaled.round_ties_even()) * (POWERS[usize::from(ROUNDED_OFF_DECIMALS)] / factor)).round_ties_even() as i128
}

/// A float amount as units: one multiplication, rounded ties to even; `None` if not below 2^62.
#[inline]
pub(crate) fn float_to_units(value: f64, factor: f64) -> Option<i64> {
    let scaled = value * factor;
    // NaN fails this comparison too.
    if scaled.abs() < MAX_UNITS as f64 { Some(scaled.round_ties_even() as i64) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_cents_are_exact() {
        let f = float_factor(6);
        let sum = [0.1, 0.2].iter().filter_map(|&x| float_to_units(x, f)).sum::<i64>();
        assert_eq!(units_to_f64(i128::from(sum), 6).to_bits(), 0.3_f64.to_bits());
        let zero = [10.10, 20.20, -30.30].iter().filter_map(|&x| float_to_units(x, f)).sum::<i64>();
        assert_eq!(zero, 0);
    }

    #[test]
    fn large_quotients_are_correctly_rounded() {
        for units in [EXACT + 1, (1 << 100) + 12345, -(1 << 90) - 7] {
            let text: f64 = decimal_text(units, 6).parse().unwrap_or(f64::NAN);
            assert_eq!(units_to_f64(units, 6).to_bits(), text.to_bits());
        }
    }

    #[test]
    fn quotients_of_integers_are_correctly_rounded() {
        assert_eq!(ratio(1, 3).to_bits(), (1.0_f64 / 3.0).to_bits());
        // A common factor does not change the quotient.
        for (part, whole) in [(1_i128, 3_i128), (-22, 7), (999_999, 1_000_000), (0, 5), (1 << 40, 3)] {
            for factor in [1_i128 << 70, (1 << 62) + 12_345, 3_i128.pow(50)] {
                assert_eq!(ratio(part * factor, whole * factor).to_bits(), (part as f64 / whole as f64).to_bits(), "{part}/{whole}");
            }
        }
        assert_eq!(ratio((1 << 54) + 1, 1 << 54).to_bits(), 1.0_f64.to_bits());
        // One division and long division agree, also about ties.
        for i in 1..2_000_i128 {
            let (part, whole) = ((i * 0x9E37_79B9_7F4A_7C15) >> (i % 60), ((i * i * 0x2545_F491_4F6C_DD1D) & ((1 << 72) - 1)).max(1 << 54));
            assert_eq!(ratio(part, whole).to_bits(), ratio_by_bits(part, whole).to_bits(), "{part}/{whole}");
            let tie = ((1 << 54) + 2 * i + 1, 1 << (54 + i % 18));
            assert_eq!(ratio(tie.0, tie.1).to_bits(), ratio_by_bits(tie.0, tie.1).to_bits(), "{tie:?}");
        }
    }

    #[test]
    fn out_of_range_is_none() {
        assert_eq!(float_to_units(5e12, float_factor(6)), None);
        assert_eq!(float_to_units(f64::INFINITY, 1.0), None);
        assert_eq!(float_to_units(-0.0, 1.0), Some(0));
    }

    #[test]
    fn scalar_and_vectorized_rounding_agree() {
        let f = float_factor(6);
        let values = [0.0, -0.0, 1e-7, 5e-7, 1.5e-6, 2.5e-6, -2.5e-6, 12.345_678_5, -9.99, 2.2e9, -2.2e9];
        let mut out = [0; 11];
        assert!(floats_to_units(&values, f, &mut out).0);
        for (value, units) in values.iter().zip(out) {
            assert_eq!(float_to_units(*value, f), Some(units), "{value}");
        }
        assert!(!floats_to_units(&[1.0, f64::NAN], f, &mut [0; 2]).0);
        assert!(!floats_to_units(&[3e9], f, &mut [0]).0);
    }

    #[test]
    fn decimal_text_is_positional() {
        assert_eq!(decimal_text(-105, 2), "-1.05");
        assert_eq!(decimal_text(5, 3), "0.005");
        assert_eq!(decimal_text(12, -2), "1200");
        assert_eq!(decimal_text(0, 2), "0.00");
    }
}
