//! Sums of products as 256-bit integers, which do not cancel.

use arrow_buffer::i256;

/// The nearest float, within an ulp.
pub(crate) fn to_f64(value: i256) -> f64 {
    let (low, high) = value.wrapping_abs().to_parts();
    let size = (high as u128) as f64 * 2_f64.powi(128) + low as f64;
    if value.is_negative() { -size } else { size }
}

/// The sum of products of deviations of `n` pairs from their means, of the sum of products and both sums: an exact difference, rounded
/// once. `None` beyond 256 bits; NaN of no pair.
pub(crate) fn centred(n: u64, products: i256, a: i256, b: i256) -> Option<f64> {
    let whole = products.checked_mul(i256::from_i128(n.into()))?;
    Some(to_f64(whole.checked_sub(a.checked_mul(b)?)?) / n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_integers_become_the_nearest_float() {
        let cube = i256::from_i128(10_i128.pow(30)).wrapping_mul(i256::from_i128(10_i128.pow(30)));
        assert!((to_f64(cube) / 1e60 - 1.0).abs() < 1e-15);
        assert!((to_f64(cube.wrapping_neg()) / -1e60 - 1.0).abs() < 1e-15);
        assert_eq!(to_f64(i256::from_i128(-7)).to_bits(), (-7.0_f64).to_bits());
    }

    #[test]
    fn deviations_of_large_values_do_not_cancel() {
        // 10^24 + (1, 4, 7) by itself: floats would lose all digits of the squares.
        let values = [1, 4, 7].map(|rest| i256::from_i128(10_i128.pow(24) + rest));
        let sum = values.into_iter().fold(i256::ZERO, i256::wrapping_add);
        let squares = values.into_iter().map(|value| value.wrapping_mul(value)).fold(i256::ZERO, i256::wrapping_add);
        assert_eq!(centred(3, squares, sum, sum), Some(18.0));
        assert_eq!(centred(3, squares, i256::MAX, i256::MAX), None);
    }
}
