//! Several float32 at once: one kernel, compiled for every path.

#[cfg(target_arch = "aarch64")]
mod arm;
mod plain;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

use self::plain::Plain;
pub use self::vector::{Lanes, Task};

/// Instructions to compute with. They differ in speed alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// What every machine has.
    Plain,
    /// AVX2 and FMA of x86-64.
    Avx2,
    /// AVX-512 of x86-64.
    Avx512,
    /// NEON of 64-bit ARM.
    Neon,
}

impl Path {
    /// The slowest first.
    const ALL: [Self; 4] = [Self::Plain, Self::Neon, Self::Avx2, Self::Avx512];

    /// The paths that this machine has, the fastest last.
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|path| path.is_available()).collect()
    }

    /// The fastest path that this machine has.
    pub fn fastest() -> Self {
        Self::ALL.into_iter().rev().find(|path| path.is_available()).unwrap_or(Self::Plain)
    }

    /// Whether this machine has the instructions of this path. The standard library keeps what the processor said.
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
            #[allow(unreachable_patterns, reason = "the paths of other machines")]
            _ => false,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }

    /// Does `task` with the instructions of this path.
    #[inline]
    pub fn run<K: Task>(self, task: K) -> K::Output {
        match self {
            // SAFETY: the processor has the instructions of this path; on others the plain one is taken.
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
