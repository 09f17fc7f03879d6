//! Values as integers of one unit, so that sums of products are exact and the moments of disjoint customers add up in any order.

pub(super) use crate::num::wide::to_f64;

/// Decimal places of the unit of a value.
pub(super) const DECIMALS: u8 = 12;
/// Larger values are an error: a product of two of them, summed over all customers, must fit 256 bits.
pub(super) const LARGEST: f64 = 1e15;
/// The unit.
const UNITS: f64 = 1e12;
/// Decimal places of money.
const MONEY_DECIMALS: u8 = 6;
const MONEY_UNITS: f64 = 1e6;

/// 10^`exponent`, for an exponent of at most 36.
pub(super) const fn power_of_ten(exponent: u8) -> i128 {
    let (mut power, mut at) = (1, 0);
    while at < exponent {
        power *= 10;
        at += 1;
    }
    power
}

/// A float of at most [`LARGEST`] in units of 10^-12. A float that is the nearest one to a number of at most six decimal places is read as
/// that number, as money is; others are rounded to the unit.
pub(super) fn of_float(value: f64) -> i128 {
    let money = (value * MONEY_UNITS).round_ties_even();
    if (money / MONEY_UNITS).to_bits() == (value + 0.0).to_bits() {
        return money as i128 * power_of_ten(DECIMALS - MONEY_DECIMALS);
    }
    (value * UNITS).round_ties_even() as i128
}

/// A decimal in units of 10^-12, rounded half to even; `None` if it is larger than [`LARGEST`].
pub(super) fn of_decimal(unscaled: i128, scale: i8) -> Option<i128> {
    let largest = LARGEST as i128 * power_of_ten(DECIMALS);
    let shift = i16::from(DECIMALS) - i16::from(scale);
    let units = if shift >= 0 {
        if unscaled == 0 {
            return Some(0);
        }
        unscaled.checked_mul(10_i128.checked_pow(shift.unsigned_abs().into())?)?
    } else {
        let Some(divisor) = 10_i128.checked_pow(shift.unsigned_abs().into()) else { return Some(0) };
        let (whole, rest) = (unscaled.div_euclid(divisor), unscaled.rem_euclid(divisor));
        let up = rest > divisor - rest || (rest == divisor - rest && whole % 2 != 0);
        whole + i128::from(up)
    };
    (units.abs() <= largest).then_some(units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_of_six_decimals_are_read_as_decimals() {
        assert_eq!(of_float(49_840.71), 49_840_710_000_000_000);
        assert_eq!(of_float(-0.1), -100_000_000_000);
        assert_eq!(of_float(-0.0), 0);
        assert_eq!(of_float(1.0 / 3.0), 333_333_333_333);
        assert_eq!(of_float(123_456_789.123_456), 123_456_789_123_456_000_000);
    }

    #[test]
    fn decimals_are_scaled_or_rounded() {
        assert_eq!(of_decimal(4_984_071, 2), Some(49_840_710_000_000_000));
        assert_eq!(of_decimal(3, -2), Some(300_000_000_000_000));
        assert_eq!((of_decimal(25, 13), of_decimal(35, 13), of_decimal(-25, 13)), (Some(2), Some(4), Some(-2)));
        assert_eq!((of_decimal(10_i128.pow(16), 0), of_decimal(i128::MAX, -38), of_decimal(7, 120)), (None, None, Some(0)));
    }
}
