//! What the portable language has no word for: hints to the memory system, and the wider registers of newer machines.

/// Asks for the cache line of element `index`, which is about to be read or written; past the end it does nothing of use.
#[inline]
pub fn prefetch<T>(slice: &[T], index: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        let address = slice.as_ptr().wrapping_add(index).cast::<i8>();
        // SAFETY: a prefetch is a hint and never faults, whatever the address.
        unsafe { core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(address) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (slice, index);
}

/// Asks for the cache lines of a string, which is about to be read.
#[inline]
pub fn prefetch_bytes(bytes: &[u8]) {
    (0..bytes.len()).step_by(64).take(8).for_each(|at| prefetch(bytes, at));
}

/// Defines a function whose body is compiled twice, for every machine of its kind and for those with AVX2; which one runs
/// is decided when it is called. The body must be plain loops over slices: the compiler turns them into vector code, and
/// both ways give the same bits, since Rust neither reorders nor fuses floating-point operations.
macro_rules! widest {
    ($(#[$note:meta])* $vis:vis fn $name:ident($($arg:ident: $kind:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$note])*
        #[inline]
        $vis fn $name($($arg: $kind),*) $(-> $ret)? {
            #[inline(always)]
            fn body($($arg: $kind),*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn wide($($arg: $kind),*) $(-> $ret)? {
                    body($($arg),*)
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor was just asked whether it has the feature.
                    return unsafe { wide($($arg),*) };
                }
            }
            body($($arg),*)
        }
    };
}
pub(crate) use widest;
