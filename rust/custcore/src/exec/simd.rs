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

/// Defines a function that is compiled for some features of x86-64 processors, and one that tests whether this processor has
/// them: what is tested is what is compiled for.
#[cfg(target_arch = "x86_64")]
macro_rules! with_features {
    (
        [$($feature:tt),+ $(,)?]
        $test_vis:vis fn $test:ident;
        $(#[$note:meta])*
        $vis:vis unsafe fn $name:ident $(<$task:ident: $bound:path>)? ($($arg:ident: $kind:ty),* $(,)?) $(-> $ret:ty)? $body:block
    ) => {
        /// Whether this processor has the features that the function below is compiled for.
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

/// Defines a function whose body is compiled twice, for every machine of its kind and for those with AVX2; which one runs is
/// decided when it is called. The body must be plain loops over slices: the compiler turns them into vector code, and both
/// give the same bits, since Rust neither reorders nor fuses floating-point operations.
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
                    ["avx2"]
                    fn is_wide;
                    unsafe fn wide($($arg: $kind),*) $(-> $ret)? {
                        body($($arg),*)
                    }
                }
                if is_wide() {
                    // SAFETY: the processor was just asked whether it has the features.
                    return unsafe { wide($($arg),*) };
                }
            }
            body($($arg),*)
        }
    };
}
pub(crate) use widest;
