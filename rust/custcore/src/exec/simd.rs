//! Prefetching, and functions compiled for CPU features that are detected at run time.

/// Prefetches the cache line of element `index`; an index past the end is allowed.
#[inline]
pub(crate) fn prefetch<T>(slice: &[T], index: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        let address = slice.as_ptr().wrapping_add(index).cast::<i8>();
        // SAFETY: a prefetch is a hint and never faults, for any address.
        unsafe { core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(address) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (slice, index);
}

/// Prefetches the first cache lines of a string.
#[inline]
pub(crate) fn prefetch_bytes(bytes: &[u8]) {
    (0..bytes.len()).step_by(64).take(8).for_each(|at| prefetch(bytes, at));
}

/// Defines a function that is compiled for the given x86-64 features, and a function that tests for them. Both use the same
/// list of features, so that the test always matches the compiled code.
#[cfg(target_arch = "x86_64")]
macro_rules! with_features {
    (
        [$($feature:tt),+ $(,)?]
        $test_vis:vis fn $test:ident;
        $(#[$note:meta])*
        $vis:vis unsafe fn $name:ident $(<$task:ident: $bound:path>)? ($($arg:ident: $kind:ty),* $(,)?) $(-> $ret:ty)? $body:block
    ) => {
        /// Whether this processor supports the features of the function below.
        #[inline]
        $test_vis fn $test() -> bool {
            $(std::arch::is_x86_feature_detected!($feature))&&+
        }

        $(#[$note])*
        #[target_feature($(enable = $feature),+)]
        $vis unsafe fn $name $(<$task: $bound>)? ($($arg: $kind),*) $(-> $ret)? $body
    };
}
#[cfg(target_arch = "x86_64")]
pub(crate) use with_features;

/// Defines a function whose body is compiled twice, for the baseline target and for AVX2 (with POPCNT, which all such
/// processors have); the call selects one at run time.
/// The body should be plain loops over slices, which the compiler vectorizes. Both versions give the same bits, since Rust
/// neither reorders nor fuses floating-point operations.
macro_rules! widest {
    ($(#[$note:meta])* $vis:vis fn $name:ident($($arg:ident: $kind:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$note])*
        #[inline]
        $vis fn $name($($arg: $kind),*) $(-> $ret)? {
            #[inline(always)]
            fn body($($arg: $kind),*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            {
                $crate::exec::simd::with_features! {
                    ["avx2", "popcnt"]
                    fn is_wide;
                    unsafe fn wide($($arg: $kind),*) $(-> $ret)? {
                        body($($arg),*)
                    }
                }
                if is_wide() {
                    // SAFETY: the features were just detected.
                    return unsafe { wide($($arg),*) };
                }
            }
            body($($arg),*)
        }
    };
}
pub(crate) use widest;
