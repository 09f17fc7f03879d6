//! The vector interface that every instruction set implements.

/// A vector of `N` float32.
pub trait Lanes: Copy {
    /// Number of lanes.
    const N: usize;
    /// Broadcasts a value to all lanes.
    fn splat(value: f32) -> Self;
    /// Loads the first `N` values of a slice.
    fn load(values: &[f32]) -> Self;
    /// Loads `N` values of stride `S`; the slice has at least `N * S` elements.
    #[must_use]
    #[inline(always)]
    fn apart<const S: usize>(values: &[f32]) -> Self {
        let values = &values[..Self::N * S];
        let mut out = [0.0; 16];
        out[..Self::N].iter_mut().zip(values.chunks_exact(S)).for_each(|(out, step)| *out = step[0]);
        Self::load(&out)
    }
    /// The same for float64; writes to the first `N` elements of `out`.
    #[inline(always)]
    fn apart_wide<const S: usize>(values: &[f64], out: &mut [f64]) {
        let values = &values[..Self::N * S];
        out[..Self::N].iter_mut().zip(values.chunks_exact(S)).for_each(|(out, step)| *out = step[0]);
    }
    /// The biased binary exponents, as numbers; the values must not be negative.
    #[must_use]
    fn exponent(self) -> Self;
    /// The four lowest bits of each value, as numbers.
    #[must_use]
    fn low_bits(self) -> Self;
    /// The values with their four lowest bits replaced by the numbers `bits`, which are below 16.
    #[must_use]
    fn with_low_bits(self, bits: Self) -> Self;
    /// Takes `N` rows of `D` values, stored one row after the other, apart into columns.
    #[must_use]
    #[inline(always)]
    fn columns<const D: usize>(rows: [Self; D]) -> [Self; D] {
        let mut flat = [[0.0; 16]; D];
        rows.iter().zip(&mut flat).for_each(|(row, out)| row.store(out));
        let mut columns = rows;
        for (f, column) in columns.iter_mut().enumerate() {
            let mut out = [0.0; 16];
            for (i, out) in out[..Self::N].iter_mut().enumerate() {
                let at = i * D + f;
                *out = flat[at / Self::N][at % Self::N];
            }
            *column = Self::load(&out);
        }
        columns
    }
    /// Stores to the first `N` elements of a slice.
    fn store(self, out: &mut [f32]);
    /// Sum.
    #[must_use]
    fn add(self, other: Self) -> Self;
    /// Difference.
    #[must_use]
    fn sub(self, other: Self) -> Self;
    /// Product.
    #[must_use]
    fn mul(self, other: Self) -> Self;
    /// `self * factor + term`, fused or not, depending on the instruction set.
    #[must_use]
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// The lane-wise minimum.
    #[must_use]
    fn min(self, other: Self) -> Self;
    /// The lane-wise maximum.
    #[must_use]
    fn max(self, other: Self) -> Self;
    /// The absolute value.
    #[must_use]
    fn abs(self) -> Self;
    /// Selects `yes` in lanes where `self < other`, else `no`.
    #[must_use]
    fn less(self, other: Self, yes: Self, no: Self) -> Self;
    /// The reciprocal square root with a relative error of at most 1/2000.
    #[must_use]
    fn rsqrt(self) -> Self;
    /// A bit mask of the lanes where `self > other`.
    fn greater_mask(self, other: Self) -> u32;
    /// A bit mask of the lanes where the two are equal.
    fn equal_mask(self, other: Self) -> u32;
    /// Writes `first` plus the position of each set bit among the lowest `N` to `out`, and returns their number. The rest of
    /// the first `N` elements of `out` is unspecified.
    #[inline(always)]
    fn places(mask: u32, first: u32, out: &mut [u32]) -> usize {
        let out = &mut out[..Self::N];
        let mut count = 0;
        for place in 0..Self::N {
            // Branchless: the branch would be unpredictable.
            out[count & (Self::N - 1)] = first + place as u32;
            count += (mask >> place & 1) as usize;
        }
        count
    }
    /// Converts the first `N` bytes of a slice to float32.
    fn of_bytes(bytes: &[u8]) -> Self;
    /// Gathers table elements; the lanes hold integer indices below the table's length.
    #[must_use]
    fn lookup(self, table: &[f32]) -> Self;
}

/// A kernel that is compiled for each instruction set.
pub trait Task {
    /// The result.
    type Output;
    /// Runs the kernel. Must be inlined.
    fn run<V: Lanes>(self) -> Self::Output;
}
