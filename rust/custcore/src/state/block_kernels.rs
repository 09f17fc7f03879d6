//! Vectorized passes over a block of rows: sizes and minimum of the amounts, range of the days, runs of equal codes.

use crate::exec::simd::widest;

/// Units of money of one row.
pub(crate) trait UnitValue: Copy + Into<i128> + PartialOrd + Default {
    /// Whether a value may need more than 64 bits.
    const IS_WIDE: bool;
    /// An upper bound of the sum of the absolute values.
    fn size(units: &[Self]) -> u64;
    /// The minimum; unspecified for an empty slice.
    fn least(units: &[Self]) -> Self;
    /// A value of 64 bits.
    fn of(value: i64) -> Self;
    /// The value in 64 bits; the caller has proven that it fits.
    fn narrow(self) -> i64;
}

impl UnitValue for i64 {
    const IS_WIDE: bool = false;
    fn size(units: &[Self]) -> u64 {
        let (sum, bits) = sizes(units);
        // Each value is below 2^each. A sum of values above 48 bits may have wrapped.
        let each = 64 - bits.leading_zeros();
        if each <= 48 { sum } else { (units.len() as u64).saturating_mul(1_u64.checked_shl(each).unwrap_or(u64::MAX)) }
    }
    #[inline]
    fn least(units: &[Self]) -> Self {
        least_of(units)
    }
    #[inline]
    fn of(value: i64) -> Self {
        value
    }
    #[inline]
    fn narrow(self) -> i64 {
        self
    }
}

impl UnitValue for i128 {
    const IS_WIDE: bool = true;
    fn size(units: &[Self]) -> u64 {
        let sum = units.iter().fold(0_u128, |sum, units| sum.saturating_add(units.unsigned_abs()));
        u64::try_from(sum).unwrap_or(u64::MAX)
    }
    fn least(units: &[Self]) -> Self {
        units.iter().fold(Self::MAX, |least, &units| least.min(units))
    }
    #[inline]
    fn of(value: i64) -> Self {
        Self::from(value)
    }
    #[inline]
    fn narrow(self) -> i64 {
        self as i64
    }
}

widest! {
    /// The sum of the absolute values, and their bitwise or.
    fn sizes(units: &[i64]) -> (u64, u64) {
        units.iter().fold((0_u64, 0), |(sum, bits), units| {
            let size = units.unsigned_abs();
            (sum.wrapping_add(size), bits | size)
        })
    }
}

widest! {
    fn least_of(units: &[i64]) -> i64 {
        units.iter().fold(i64::MAX, |least, &units| least.min(units))
    }
}

widest! {
    /// The first and the last day.
    pub(crate) fn ends(days: &[i32]) -> (i32, i32) {
        days.iter().fold((i32::MAX, i32::MIN), |(low, high), &day| (low.min(day), high.max(day)))
    }
}

widest! {
    /// The number of adjacent pairs with different codes.
    pub(super) fn changes(codes: &[u32]) -> u32 {
        let next = codes.get(1..).unwrap_or_default();
        codes.iter().zip(next).fold(0, |changes, (a, b)| changes + u32::from(a != b))
    }
}

widest! {
    /// Whether the days ascend within each run of equal codes.
    pub(super) fn runs_ascend(codes: &[u32], days: &[i32]) -> bool {
        let next = codes.iter().zip(days).skip(1);
        codes.iter().zip(days).zip(next).fold(true, |all, ((code, day), (next_code, next_day))| all & ((code != next_code) | (day <= next_day)))
    }
}
