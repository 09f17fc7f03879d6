//! SIMD over float32: kernels are written once and compiled for each instruction set, chosen at run time.

#[cfg(target_arch = "aarch64")]
mod arm;
mod plain;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

use self::plain::Plain;
pub(crate) use self::vector::{Lanes, Task};

/// A SIMD instruction set. The choice affects speed only, not results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimdPath {
    /// Portable fallback.
    Plain,
    /// AVX2 and FMA (x86-64).
    Avx2,
    /// AVX-512 (x86-64).
    Avx512,
    /// NEON (`AArch64`).
    Neon,
}

impl SimdPath {
    /// All instruction sets, slowest first.
    const ALL: [Self; 4] = [Self::Plain, Self::Neon, Self::Avx2, Self::Avx512];

    /// The instruction sets that this CPU supports, fastest last.
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|path| path.is_available()).collect()
    }

    /// The fastest instruction set that this CPU supports.
    pub fn fastest() -> Self {
        Self::ALL.into_iter().rev().find(|path| path.is_available()).unwrap_or(Self::Plain)
    }

    /// Whether this CPU supports the instruction set. The standard library caches the CPUID result.
    #[inline]
    fn is_available(self) -> bool {
        match self {
            Self::Plain => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::has_avx2(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => x86::has_avx512(),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => true,
            #[allow(unreachable_patterns, reason = "variants of other architectures")]
            _ => false,
        }
    }

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }

    /// Runs `task` with this instruction set.
    #[inline]
    pub fn run<K: Task>(self, task: K) -> K::Output {
        match self {
            // SAFETY: `is_available` has confirmed that the CPU supports the instruction set.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 if self.is_available() => unsafe { x86::avx512(task) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 if self.is_available() => unsafe { x86::avx2(task) },
            #[cfg(target_arch = "aarch64")]
            Self::Neon => task.run::<arm::Neon>(),
            _ => task.run::<Plain>(),
        }
    }
}
