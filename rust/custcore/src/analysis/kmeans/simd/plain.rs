//! The portable fallback.

use super::vector::Lanes;

/// A portable vector of eight float32.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain([f32; 8]);

impl Plain {
    #[inline(always)]
    fn each(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let mut out = [0.0; 8];
        for (i, out) in out.iter_mut().enumerate() {
            *out = f(self.0[i], other.0[i]);
        }
        Self(out)
    }

    #[inline(always)]
    fn mask(self, other: Self, f: impl Fn(f32, f32) -> bool) -> u32 {
        (0..8).fold(0, |mask, i| mask | u32::from(f(self.0[i], other.0[i])) << i)
    }
}

impl Lanes for Plain {
    const N: usize = 8;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; 8])
    }

    #[inline(always)]
    fn load(values: &[f32]) -> Self {
        let mut out = [0.0; 8];
        out.copy_from_slice(&values[..8]);
        Self(out)
    }

    #[inline(always)]
    fn store(self, out: &mut [f32]) {
        out[..8].copy_from_slice(&self.0);
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.each(other, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.each(other, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.each(other, |a, b| a * b)
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        self.mul(factor).add(term)
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.each(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.each(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.each(self, |a, _| a.abs())
    }

    #[inline(always)]
    fn less(self, other: Self, yes: Self, no: Self) -> Self {
        let mut out = [0.0; 8];
        for (i, out) in out.iter_mut().enumerate() {
            *out = if self.0[i] < other.0[i] { yes.0[i] } else { no.0[i] };
        }
        Self(out)
    }

    #[inline(always)]
    fn exponent(self) -> Self {
        self.each(self, |a, _| (a.to_bits() >> 23) as f32)
    }

    #[inline(always)]
    fn low_bits(self) -> Self {
        self.each(self, |a, _| (a.to_bits() & 15) as f32)
    }

    #[inline(always)]
    fn with_low_bits(self, bits: Self) -> Self {
        self.each(bits, |a, bits| f32::from_bits(a.to_bits() & !15 | bits as u32))
    }

    #[inline(always)]
    fn rsqrt(self) -> Self {
        self.each(self, |a, _| 1.0 / a.sqrt())
    }

    #[inline(always)]
    fn greater_mask(self, other: Self) -> u32 {
        self.mask(other, |a, b| a > b)
    }

    #[inline(always)]
    fn equal_mask(self, other: Self) -> u32 {
        self.mask(other, |a, b| a == b)
    }

    #[inline(always)]
    fn of_bytes(bytes: &[u8]) -> Self {
        let mut out = [0.0; 8];
        for (out, byte) in out.iter_mut().zip(&bytes[..8]) {
            *out = f32::from(*byte);
        }
        Self(out)
    }

    #[inline(always)]
    fn lookup(self, table: &[f32]) -> Self {
        self.each(self, |at, _| table[at as usize])
    }
}
