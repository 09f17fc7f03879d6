//! Several float32 at once: one kernel, compiled for every path.

#[cfg(target_arch = "aarch64")]
mod arm;
mod plain;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

use self::plain::Plain;
pub use self::vector::{Lanes, Task};
use super::kernel::Path;

impl Path {
    /// Does `task` with the instructions of this path.
    #[inline]
    pub fn run<K: Task>(self, task: K) -> K::Output {
        match self {
            // SAFETY: `available` offers this path on machines with these instructions alone; others get the plain one.
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
