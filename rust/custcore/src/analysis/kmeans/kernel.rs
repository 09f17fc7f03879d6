//! The arithmetic of distances; it sees slices and numbers.

use std::sync::LazyLock;

/// Sum over the features, in order, of (x - c)^2, in float64: the one definition of a squared distance.
#[inline(always)]
pub fn squared_distance(x: &[f64], c: &[f64]) -> f64 {
    x.iter().zip(c).fold(0.0, |sum, (x, c)| sum + (x - c) * (x - c))
}

/// The nearest of the centres (ties: the first), and the squared distances to it and to the second nearest.
#[inline]
pub fn nearest(x: &[f64], centers: &[f64]) -> (usize, f64, f64) {
    let (mut best, mut first, mut second) = (0, f64::INFINITY, f64::INFINITY);
    for (j, center) in centers.chunks_exact(x.len()).enumerate() {
        let distance = squared_distance(x, center);
        if distance < first {
            (best, second, first) = (j, first, distance);
        } else if distance < second {
            second = distance;
        }
    }
    (best, first, second)
}

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

static PATHS: LazyLock<Vec<Path>> = LazyLock::new(Path::available);

impl Path {
    /// The paths that this machine has, the fastest last.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut, reason = "other machines have no more than one")]
        let mut paths = vec![Self::Plain];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                paths.push(Self::Avx2);
            }
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw")
            {
                paths.push(Self::Avx512);
            }
        }
        #[cfg(target_arch = "aarch64")]
        paths.push(Self::Neon);
        paths
    }

    /// The fastest path that this machine has.
    pub fn fastest() -> Self {
        PATHS.last().copied().unwrap_or(Self::Plain)
    }

    /// Whether this machine has this path; looked up once.
    pub(super) fn is_available(self) -> bool {
        PATHS.contains(&self)
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
}
