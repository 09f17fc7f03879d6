//! Hexadecimal digits by the shuffles of SSSE3.

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi8, _mm_and_si128, _mm_cmpeq_epi8, _mm_cmpgt_epi8, _mm_cvtsi128_si64, _mm_maddubs_epi16, _mm_movemask_epi8,
        _mm_or_si128, _mm_packus_epi16, _mm_set_epi64x, _mm_set1_epi8, _mm_set1_epi16, _mm_setr_epi8, _mm_shuffle_epi8, _mm_unpackhi_epi64,
    };

    use crate::exec::simd::with_features;

    /// The numbers of lower-case digits, and bits of the places where there is none.
    #[inline]
    #[target_feature(enable = "ssse3")]
    fn digits(characters: __m128i) -> (__m128i, __m128i) {
        let is_letter = _mm_cmpgt_epi8(characters, _mm_set1_epi8(0x39));
        let low = _mm_and_si128(characters, _mm_set1_epi8(0x0f));
        let digits = _mm_and_si128(_mm_add_epi8(low, _mm_and_si128(is_letter, _mm_set1_epi8(9))), _mm_set1_epi8(0x0f));
        // Written again, the digits must give the same characters.
        let above_nine = _mm_cmpgt_epi8(digits, _mm_set1_epi8(9));
        let offset = _mm_add_epi8(_mm_set1_epi8(0x30), _mm_and_si128(above_nine, _mm_set1_epi8(0x27)));
        (digits, _mm_cmpeq_epi8(_mm_add_epi8(digits, offset), characters))
    }

    /// The 16 bytes at a place.
    #[inline]
    #[target_feature(enable = "ssse3")]
    fn load<const AT: usize>(text: &[u8; 36]) -> __m128i {
        let word = |at: usize| text[at..].first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes));
        _mm_set_epi64x(word(AT + 8), word(AT))
    }

    with_features! {
        ["ssse3"]
        pub(super) fn has_shuffles;
        /// See [`super::lower_uuid`].
        pub(super) unsafe fn lower_uuid(text: &[u8; 36]) -> Option<[u8; 16]> {
            const NONE: i8 = -1;
            let (start, middle, end) = (load::<0>(text), load::<16>(text), load::<20>(text));
            let dash = _mm_set1_epi8(0x2d);
            let dashes = |part: __m128i| _mm_movemask_epi8(_mm_cmpeq_epi8(part, dash));
            // Digits 0 to 15 are characters 0 to 7, 9 to 12, and 14 to 17.
            let first = _mm_or_si128(
                _mm_shuffle_epi8(start, _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, NONE, NONE)),
                _mm_shuffle_epi8(middle, _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 1)),
            );
            // The others are characters 19 to 22, and 24 to 35.
            let second = _mm_or_si128(
                _mm_shuffle_epi8(middle, _mm_setr_epi8(3, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1)),
                _mm_shuffle_epi8(end, _mm_setr_epi8(NONE, 0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)),
            );
            let ((first, fits), (second, also)) = (digits(first), digits(second));
            let fits = _mm_movemask_epi8(_mm_and_si128(fits, also)) == 0xffff;
            // The places 8 and 13, and 18 and 23.
            if !(fits & (dashes(start) == 0x2100) & (dashes(middle) == 0x0084)) {
                return None;
            }
            let weights = _mm_set1_epi16(0x0110);
            let bytes = _mm_packus_epi16(_mm_maddubs_epi16(first, weights), _mm_maddubs_epi16(second, weights));
            let words = [_mm_cvtsi128_si64(bytes) as u64, _mm_cvtsi128_si64(_mm_unpackhi_epi64(bytes, bytes)) as u64];
            Some((u128::from(words[1]) << 64 | u128::from(words[0])).to_le_bytes())
        }
    }
}

/// The 16 bytes of the text of a UUID in lower case; `None` if it is none, or if this processor lacks the instructions.
#[inline]
pub(crate) fn lower_uuid(text: &[u8; 36]) -> Option<[u8; 16]> {
    #[cfg(target_arch = "x86_64")]
    if x86::has_shuffles() {
        // SAFETY: the features were just detected.
        return unsafe { x86::lower_uuid(text) };
    }
    let _ = text;
    None
}
