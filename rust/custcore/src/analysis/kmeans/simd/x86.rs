//! AVX2 and AVX-512 (x86-64).

#[allow(clippy::wildcard_imports, reason = "dozens of intrinsics")]
use core::arch::x86_64::*;

use super::vector::{Lanes, Task};
use crate::exec::simd::with_features;

with_features! {
    ["avx512f", "avx512dq", "avx512bw", "avx512vl", "avx2", "fma", "bmi1", "bmi2", "lzcnt", "popcnt"]
    pub(super) fn has_avx512;
    pub(super) unsafe fn avx512<K: Task>(task: K) -> K::Output {
        task.run::<Avx512>()
    }
}

with_features! {
    ["avx2", "fma", "bmi1", "bmi2", "lzcnt", "popcnt"]
    pub(super) fn has_avx2;
    pub(super) unsafe fn avx2<K: Task>(task: K) -> K::Output {
        task.run::<Avx2>()
    }
}

/// An AVX-512 vector of sixteen float32. Constructed only inside `avx512`, so the target features are available.
#[derive(Clone, Copy)]
pub(super) struct Avx512(__m512);

/// An AVX2 vector of eight float32. Constructed only inside `avx2`, so the target features are available.
#[derive(Clone, Copy)]
pub(super) struct Avx2(__m256);

macro_rules! intrinsics {
    ($($body:tt)*) => {
        // SAFETY: the target features are available (see the type), and memory is only accessed within slices whose length
        // was checked.
        unsafe { $($body)* }
    };
}

impl Lanes for Avx512 {
    const N: usize = 16;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        intrinsics!(Self(_mm512_set1_ps(value)))
    }

    #[inline(always)]
    fn load(values: &[f32]) -> Self {
        let values = &values[..16];
        intrinsics!(Self(_mm512_loadu_ps(values.as_ptr())))
    }

    #[inline(always)]
    fn apart<const S: usize>(values: &[f32]) -> Self {
        let values = &values[..16 * S];
        intrinsics! {
            // Lane i is element i * S: the low bits of i * S are the position in a register, the high bits select it.
            let steps = _mm512_mullo_epi32(
                _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                _mm512_set1_epi32(S as i32),
            );
            let mut out = _mm512_setzero_ps();
            for part in 0..S {
                let here = _mm512_cmpeq_epi32_mask(_mm512_srli_epi32::<4>(steps), _mm512_set1_epi32(part as i32));
                out = _mm512_mask_permutexvar_ps(out, here, steps, _mm512_loadu_ps(values.as_ptr().add(16 * part)));
            }
            Self(out)
        }
    }

    #[inline(always)]
    fn apart_wide<const S: usize>(values: &[f64], out: &mut [f64]) {
        let (values, out) = (&values[..16 * S], &mut out[..16]);
        intrinsics! {
            let steps = _mm512_mullo_epi64(_mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7), _mm512_set1_epi64(S as i64));
            for half in 0..2 {
                let mut own = _mm512_setzero_pd();
                for part in 0..S {
                    let here = _mm512_cmpeq_epi64_mask(_mm512_srli_epi64::<3>(steps), _mm512_set1_epi64(part as i64));
                    let from = values.as_ptr().add(8 * (half * S + part));
                    own = _mm512_mask_permutexvar_pd(own, here, steps, _mm512_loadu_pd(from));
                }
                _mm512_storeu_pd(out.as_mut_ptr().add(8 * half), own);
            }
        }
    }

    #[inline(always)]
    fn columns<const D: usize>(rows: [Self; D]) -> [Self; D] {
        let mut rows = rows;
        if D.is_power_of_two() {
            // Even elements to the front, odd ones to the back, then the same within each half: columns in bit-reversed order.
            let mut width = D;
            while width > 1 {
                let mut next = rows;
                for start in (0..D).step_by(width) {
                    for pair in 0..width / 2 {
                        let (a, b) = (rows[start + 2 * pair].0, rows[start + 2 * pair + 1].0);
                        intrinsics! {
                            let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
                            let odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
                            next[start + pair] = Self(_mm512_permutex2var_ps(a, even, b));
                            next[start + width / 2 + pair] = Self(_mm512_permutex2var_ps(a, odd, b));
                        }
                    }
                }
                rows = next;
                width /= 2;
            }
            let bits = D.trailing_zeros();
            let mut columns = rows;
            for (f, column) in columns.iter_mut().enumerate().skip(1) {
                *column = rows[f.reverse_bits() >> (usize::BITS - bits)];
            }
            return columns;
        }
        let mut columns = rows;
        for (f, column) in columns.iter_mut().enumerate() {
            intrinsics! {
                // Lane i is element i * D + f: its low bits are the position in a register, the high bits select it.
                let steps = _mm512_add_epi32(
                    _mm512_mullo_epi32(
                        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                        _mm512_set1_epi32(D as i32),
                    ),
                    _mm512_set1_epi32(f as i32),
                );
                let mut out = _mm512_setzero_ps();
                for (part, row) in rows.iter().enumerate() {
                    let here = _mm512_cmpeq_epi32_mask(_mm512_srli_epi32::<4>(steps), _mm512_set1_epi32(part as i32));
                    out = _mm512_mask_permutexvar_ps(out, here, steps, row.0);
                }
                *column = Self(out);
            }
        }
        columns
    }

    #[inline(always)]
    fn store(self, out: &mut [f32]) {
        let out = &mut out[..16];
        intrinsics!(_mm512_storeu_ps(out.as_mut_ptr(), self.0));
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        intrinsics!(Self(_mm512_add_ps(self.0, other.0)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        intrinsics!(Self(_mm512_sub_ps(self.0, other.0)))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        intrinsics!(Self(_mm512_mul_ps(self.0, other.0)))
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        intrinsics!(Self(_mm512_fmadd_ps(self.0, factor.0, term.0)))
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        intrinsics!(Self(_mm512_min_ps(self.0, other.0)))
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        intrinsics!(Self(_mm512_max_ps(self.0, other.0)))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        intrinsics!(Self(_mm512_abs_ps(self.0)))
    }

    #[inline(always)]
    fn less(self, other: Self, yes: Self, no: Self) -> Self {
        intrinsics!(Self(_mm512_mask_mov_ps(no.0, _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, other.0), yes.0)))
    }

    #[inline(always)]
    fn exponent(self) -> Self {
        intrinsics!(Self(_mm512_cvtepi32_ps(_mm512_srli_epi32::<23>(_mm512_castps_si512(self.0)))))
    }

    #[inline(always)]
    fn low_bits(self) -> Self {
        intrinsics!(Self(_mm512_cvtepi32_ps(_mm512_and_si512(_mm512_castps_si512(self.0), _mm512_set1_epi32(15)))))
    }

    #[inline(always)]
    fn with_low_bits(self, bits: Self) -> Self {
        intrinsics! {
            let high = _mm512_andnot_si512(_mm512_set1_epi32(15), _mm512_castps_si512(self.0));
            Self(_mm512_castsi512_ps(_mm512_or_si512(high, _mm512_cvttps_epi32(bits.0))))
        }
    }

    #[inline(always)]
    fn rsqrt(self) -> Self {
        intrinsics!(Self(_mm512_rsqrt14_ps(self.0)))
    }

    #[inline(always)]
    fn greater_mask(self, other: Self) -> u32 {
        intrinsics!(u32::from(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(self.0, other.0)))
    }

    #[inline(always)]
    fn equal_mask(self, other: Self) -> u32 {
        intrinsics!(u32::from(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(self.0, other.0)))
    }

    #[inline(always)]
    fn places(mask: u32, first: u32, out: &mut [u32]) -> usize {
        let out = &mut out[..16];
        let mask = mask as u16;
        intrinsics! {
            let places = _mm512_add_epi32(
                _mm512_set1_epi32(first as i32),
                _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
            );
            _mm512_storeu_si512(out.as_mut_ptr().cast(), _mm512_maskz_compress_epi32(mask, places));
        }
        mask.count_ones() as usize
    }

    #[inline(always)]
    fn of_bytes(bytes: &[u8]) -> Self {
        let bytes = &bytes[..16];
        intrinsics!(Self(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(bytes.as_ptr().cast())))))
    }

    #[inline(always)]
    fn lookup(self, table: &[f32]) -> Self {
        intrinsics! {
            let at = _mm512_cvttps_epi32(self.0);
            // Lanes beyond the table are not read.
            let inside = _mm512_cmplt_epu32_mask(at, _mm512_set1_epi32(table.len() as i32));
            Self(_mm512_mask_i32gather_ps::<4>(_mm512_setzero_ps(), inside, at, table.as_ptr()))
        }
    }
}

impl Lanes for Avx2 {
    const N: usize = 8;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        intrinsics!(Self(_mm256_set1_ps(value)))
    }

    #[inline(always)]
    fn load(values: &[f32]) -> Self {
        let values = &values[..8];
        intrinsics!(Self(_mm256_loadu_ps(values.as_ptr())))
    }

    #[inline(always)]
    fn store(self, out: &mut [f32]) {
        let out = &mut out[..8];
        intrinsics!(_mm256_storeu_ps(out.as_mut_ptr(), self.0));
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        intrinsics!(Self(_mm256_add_ps(self.0, other.0)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        intrinsics!(Self(_mm256_sub_ps(self.0, other.0)))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        intrinsics!(Self(_mm256_mul_ps(self.0, other.0)))
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        intrinsics!(Self(_mm256_fmadd_ps(self.0, factor.0, term.0)))
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        intrinsics!(Self(_mm256_min_ps(self.0, other.0)))
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        intrinsics!(Self(_mm256_max_ps(self.0, other.0)))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        intrinsics!(Self(_mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0)))
    }

    #[inline(always)]
    fn less(self, other: Self, yes: Self, no: Self) -> Self {
        intrinsics!(Self(_mm256_blendv_ps(no.0, yes.0, _mm256_cmp_ps::<_CMP_LT_OQ>(self.0, other.0))))
    }

    #[inline(always)]
    fn exponent(self) -> Self {
        intrinsics!(Self(_mm256_cvtepi32_ps(_mm256_srli_epi32::<23>(_mm256_castps_si256(self.0)))))
    }

    #[inline(always)]
    fn low_bits(self) -> Self {
        intrinsics!(Self(_mm256_cvtepi32_ps(_mm256_and_si256(_mm256_castps_si256(self.0), _mm256_set1_epi32(15)))))
    }

    #[inline(always)]
    fn with_low_bits(self, bits: Self) -> Self {
        intrinsics! {
            let high = _mm256_andnot_si256(_mm256_set1_epi32(15), _mm256_castps_si256(self.0));
            Self(_mm256_castsi256_ps(_mm256_or_si256(high, _mm256_cvttps_epi32(bits.0))))
        }
    }

    #[inline(always)]
    fn rsqrt(self) -> Self {
        intrinsics!(Self(_mm256_rsqrt_ps(self.0)))
    }

    #[inline(always)]
    fn greater_mask(self, other: Self) -> u32 {
        intrinsics!(_mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(self.0, other.0)) as u32)
    }

    #[inline(always)]
    fn equal_mask(self, other: Self) -> u32 {
        intrinsics!(_mm256_movemask_ps(_mm256_cmp_ps::<_CMP_EQ_OQ>(self.0, other.0)) as u32)
    }

    #[inline(always)]
    fn of_bytes(bytes: &[u8]) -> Self {
        let bytes = &bytes[..8];
        intrinsics!(Self(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(bytes.as_ptr().cast())))))
    }

    #[inline(always)]
    fn lookup(self, table: &[f32]) -> Self {
        let mut out = [0.0; 8];
        self.store(&mut out);
        out.iter_mut().for_each(|at| *at = table[*at as usize]);
        Self::load(&out)
    }
}
