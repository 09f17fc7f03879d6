//! What every path computes with.

/// A handful of float32.
pub trait Lanes: Copy {
    /// How many.
    const N: usize;
    /// The same value everywhere.
    fn splat(value: f32) -> Self;
    /// The first values of a slice.
    fn load(values: &[f32]) -> Self;
    /// The first values of a slice that lie `S` apart; it has room for `N` whole steps.
    #[must_use]
    #[inline(always)]
    fn apart<const S: usize>(values: &[f32]) -> Self {
        let values = &values[..Self::N * S];
        let mut out = [0.0; 16];
        out[..Self::N].iter_mut().zip(values.chunks_exact(S)).for_each(|(out, step)| *out = step[0]);
        Self::load(&out)
    }
    /// The same of float64, written to the beginning of `out`.
    #[inline(always)]
    fn apart_wide<const S: usize>(values: &[f64], out: &mut [f64]) {
        let values = &values[..Self::N * S];
        out[..Self::N].iter_mut().zip(values.chunks_exact(S)).for_each(|(out, step)| *out = step[0]);
    }
    /// Writes them to the beginning of a slice.
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
    /// `self * factor + term`, rounded once or twice.
    #[must_use]
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// The smaller.
    #[must_use]
    fn min(self, other: Self) -> Self;
    /// The larger.
    #[must_use]
    fn max(self, other: Self) -> Self;
    /// Without sign.
    #[must_use]
    fn abs(self) -> Self;
    /// `yes` where `self` is less than `other`, else `no`.
    #[must_use]
    fn less(self, other: Self, yes: Self, no: Self) -> Self;
    /// One over the square root, but for one part in 2000.
    #[must_use]
    fn rsqrt(self) -> Self;
    /// A bit for each lane where `self` is greater than `other`.
    fn greater_mask(self, other: Self) -> u32;
    /// A bit for each lane where the two are equal.
    fn equal_mask(self, other: Self) -> u32;
    /// Writes `first` plus the place of each of the lowest `N` bits that is set to the beginning of `out`, and anything to
    /// what is left of its first `N` elements; gives how many there are.
    #[inline(always)]
    fn places(mask: u32, first: u32, out: &mut [u32]) -> usize {
        let out = &mut out[..Self::N];
        let mut count = 0;
        for place in 0..Self::N {
            // Without a branch, which could not be foreseen.
            out[count & (Self::N - 1)] = first + place as u32;
            count += (mask >> place & 1) as usize;
        }
        count
    }
    /// The first bytes of a slice.
    fn of_bytes(bytes: &[u8]) -> Self;
    /// The elements of a table at whole numbers, all of them below its length.
    #[must_use]
    fn lookup(self, table: &[f32]) -> Self;
}

/// Work that is compiled for each path.
pub trait Task {
    /// What it gives.
    type Output;
    /// Does it; to be inlined.
    fn run<V: Lanes>(self) -> Self::Output;
}
