//! NEON (`AArch64`).

#[allow(clippy::wildcard_imports, reason = "dozens of intrinsics")]
use core::arch::aarch64::*;

use super::vector::Lanes;

/// A NEON vector of four float32. NEON is mandatory on `AArch64`.
#[derive(Clone, Copy)]
pub struct Neon(float32x4_t);

macro_rules! intrinsics {
    ($($body:tt)*) => {
        // SAFETY: NEON is mandatory on `AArch64`, and memory is only accessed within slices whose length was checked.
        unsafe { $($body)* }
    };
}

impl Neon {
    #[inline(always)]
    fn mask(bits: uint32x4_t) -> u32 {
        const WEIGHTS: [u32; 4] = [1, 2, 4, 8];
        intrinsics!(vaddvq_u32(vandq_u32(bits, vld1q_u32(WEIGHTS.as_ptr()))))
    }
}

impl Lanes for Neon {
    const N: usize = 4;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        intrinsics!(Self(vdupq_n_f32(value)))
    }

    #[inline(always)]
    fn load(values: &[f32]) -> Self {
        let values = &values[..4];
        intrinsics!(Self(vld1q_f32(values.as_ptr())))
    }

    #[inline(always)]
    fn store(self, out: &mut [f32]) {
        let out = &mut out[..4];
        intrinsics!(vst1q_f32(out.as_mut_ptr(), self.0));
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        intrinsics!(Self(vaddq_f32(self.0, other.0)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        intrinsics!(Self(vsubq_f32(self.0, other.0)))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        intrinsics!(Self(vmulq_f32(self.0, other.0)))
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        intrinsics!(Self(vfmaq_f32(term.0, self.0, factor.0)))
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        intrinsics!(Self(vminq_f32(self.0, other.0)))
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        intrinsics!(Self(vmaxq_f32(self.0, other.0)))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        intrinsics!(Self(vabsq_f32(self.0)))
    }

    #[inline(always)]
    fn less(self, other: Self, yes: Self, no: Self) -> Self {
        intrinsics!(Self(vbslq_f32(vcltq_f32(self.0, other.0), yes.0, no.0)))
    }

    #[inline(always)]
    fn exponent(self) -> Self {
        intrinsics!(Self(vcvtq_f32_u32(vshrq_n_u32::<23>(vreinterpretq_u32_f32(self.0)))))
    }

    #[inline(always)]
    fn low_bits(self) -> Self {
        intrinsics!(Self(vcvtq_f32_u32(vandq_u32(vreinterpretq_u32_f32(self.0), vdupq_n_u32(15)))))
    }

    #[inline(always)]
    fn with_low_bits(self, bits: Self) -> Self {
        intrinsics! {
            let high = vbicq_u32(vreinterpretq_u32_f32(self.0), vdupq_n_u32(15));
            Self(vreinterpretq_f32_u32(vorrq_u32(high, vcvtq_u32_f32(bits.0))))
        }
    }

    #[inline(always)]
    fn rsqrt(self) -> Self {
        intrinsics!(Self(vdivq_f32(vdupq_n_f32(1.0), vsqrtq_f32(self.0))))
    }

    #[inline(always)]
    fn greater_mask(self, other: Self) -> u32 {
        Self::mask(intrinsics!(vcgtq_f32(self.0, other.0)))
    }

    #[inline(always)]
    fn equal_mask(self, other: Self) -> u32 {
        Self::mask(intrinsics!(vceqq_f32(self.0, other.0)))
    }

    #[inline(always)]
    fn of_bytes(bytes: &[u8]) -> Self {
        let four = [f32::from(bytes[0]), f32::from(bytes[1]), f32::from(bytes[2]), f32::from(bytes[3])];
        Self::load(&four)
    }

    #[inline(always)]
    fn lookup(self, table: &[f32]) -> Self {
        let mut out = [0.0; 4];
        self.store(&mut out);
        out.iter_mut().for_each(|at| *at = table[*at as usize]);
        Self::load(&out)
    }
}
