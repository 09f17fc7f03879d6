//! The normalization of coordinates, before they are rounded to float32.

use crate::num::exact::power_of_two;

/// How coordinates are normalized before rounding to float32.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Normalization {
    /// The offset subtracted from each feature.
    pub middles: Vec<f64>,
    /// The scale factor, a power of two, common to all features.
    pub scale: f64,
}

impl Normalization {
    /// The normalization for values of these ranges, most of them near `middles`. The middles are input values, so they are
    /// exact in float32 when the input is float32.
    pub(crate) fn new(ranges: &[(f64, f64)], middles: Vec<f64>) -> Self {
        let reach = ranges.iter().zip(&middles).fold(0.0_f64, |reach, ((low, high), m)| reach.max(high - m).max(m - low));
        let exponent = ((reach.to_bits() >> 52) as i32 - 1023).clamp(-120, 120);
        Self { middles, scale: power_of_two(-exponent) }
    }
}
