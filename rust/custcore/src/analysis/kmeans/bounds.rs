//! Hamerly-style bounds in float32: the nearest centre with a proven margin; uncertain points are recomputed in float64.
//!
//! Coordinates are centred and scaled to about one, then rounded to float32. The margin, distance to the second nearest
//! centre minus distance to the nearest, is computed with a bound on its rounding error. If the margin exceeds the bound,
//! the nearest centre in float64 is the same, and it stays the nearest until the centres have shifted by that margin.

use super::normalization::Normalization;
use super::reach::packed_each;
use super::simd::{Lanes, Task};

/// The unit roundoff of float32, half an ulp of 1.
const ROUNDOFF: f32 = 1.0 / (1 << 24) as f32;
/// Bound on the relative error of [`Lanes::rsqrt`].
const RSQRT_ERROR: f32 = 1.0 / 1024.0;
/// Distances below this may underflow to zero when squared.
const UNDERFLOW: f32 = 1e-18;

/// The normalized centres and the error bounds of their distances.
#[derive(Debug, Clone)]
pub(crate) struct HamerlyBounds {
    /// The normalized centres, row-major.
    centers: Vec<f32>,
    n_features: usize,
    /// Whether bounds can be computed: there are at least two centres, and none is large enough for its square to overflow.
    pub(super) usable: bool,
    by_distance: f32,
    by_size: f32,
    /// The exponent of level 0, see [`super::reach`].
    base: f32,
}

/// A bounds computation over a block of points.
pub(crate) struct BoundsCheck<'a> {
    /// The centres.
    pub bounds: &'a HamerlyBounds,
    /// Normalized points, feature by feature.
    pub y: &'a [f32],
    /// Offset between features.
    pub stride: usize,
    /// Number of points.
    pub len: usize,
    /// Output: the index of the nearest centre of each point.
    pub best: &'a mut [f32],
    /// Output: a lower bound on the margin of each point; 0 or less if uncertain.
    pub margin: &'a mut [f32],
}

impl Task for BoundsCheck<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes>(self) {
        self.bounds.run::<V>(self.y, self.stride, self.len, self.best, self.margin);
    }
}

impl HamerlyBounds {
    /// The bounds for some centres; `base` is that of the levels.
    pub(crate) fn new(centers: &[f64], normalization: &Normalization, base: f32) -> Self {
        let d = normalization.middles.len();
        let normalize = |(i, c): (usize, &f64)| ((c - normalization.middles[i % d]) * normalization.scale) as f32;
        let centers: Vec<f32> = centers.iter().enumerate().map(normalize).collect();
        let usable = centers.iter().all(|c| c.abs() < 1e12) && centers.len() > d && normalization.scale.abs() < 1e37;
        // Rounding of y - c, of the squares and of their sum: (d + 2) u relative to the squared distance, half of that
        // relative to the distance. Rounding of c: u |c|, at most u (|y| + distance). Rounding of y: u |y|. Times two
        // distances.
        Self { centers, n_features: d, usable, by_distance: (d + 10) as f32 * ROUNDOFF, by_size: 8.0 * ROUNDOFF, base }
    }

    /// Computes the nearest centre and the margin of normalized points, stored feature by feature `stride` apart. The
    /// margin is a lower bound on how much nearer it is than the second nearest (0 or less if uncertain). Writes whole
    /// vectors, so slightly more than `len` elements.
    #[inline(always)]
    fn run<V: Lanes>(&self, y: &[f32], stride: usize, len: usize, best: &mut [f32], margin: &mut [f32]) {
        if !self.usable {
            margin[..len].fill(0.0);
            return;
        }
        let normalized = Normalized { y, stride };
        match self.n_features {
            1 => self.of_width::<V, 1>(&normalized, len, best, margin),
            2 => self.of_width::<V, 2>(&normalized, len, best, margin),
            3 => self.of_width::<V, 3>(&normalized, len, best, margin),
            4 => self.of_width::<V, 4>(&normalized, len, best, margin),
            5 => self.of_width::<V, 5>(&normalized, len, best, margin),
            6 => self.of_width::<V, 6>(&normalized, len, best, margin),
            8 => self.of_width::<V, 8>(&normalized, len, best, margin),
            _ => self.of_any_width::<V>(y, stride, len, best, margin),
        }
    }

    #[inline(always)]
    pub(super) fn of_width<V: Lanes, const D: usize>(&self, y: &impl Tiles<V, D>, len: usize, best: &mut [f32], margin: &mut [f32]) {
        let mut at = 0;
        while at < len {
            let (low_half, high_half) = (y.tile(at), y.tile(at + V::N));
            let mut a = Two::<V>::new();
            let mut b = Two::<V>::new();
            let mut number = V::splat(0.0);
            for center in self.centers.chunks_exact(D) {
                let c: [V; D] = std::array::from_fn(|f| V::splat(center[f]));
                a.offer(distance(&low_half, &c), number);
                b.offer(distance(&high_half, &c), number);
                number = number.add(V::splat(1.0));
            }
            let size = |y: &[V; D]| y.iter().fold(V::splat(0.0), |sum, y| sum.add(y.abs()));
            a.best.store(&mut best[at..]);
            b.best.store(&mut best[at + V::N..]);
            self.margin(a, size(&low_half)).store(&mut margin[at..]);
            self.margin(b, size(&high_half)).store(&mut margin[at + V::N..]);
            at += 2 * V::N;
        }
    }

    #[inline(always)]
    pub(super) fn of_any_width<V: Lanes>(&self, y: &[f32], stride: usize, len: usize, best: &mut [f32], margin: &mut [f32]) {
        let d = self.n_features;
        let mut at = 0;
        while at < len {
            let mut a = Two::<V>::new();
            let mut b = Two::<V>::new();
            let mut number = V::splat(0.0);
            for center in self.centers.chunks_exact(d) {
                let (mut low_half, mut high_half) = (V::splat(0.0), V::splat(0.0));
                for (f, &c) in center.iter().enumerate() {
                    let c = V::splat(c);
                    let y = &y[f * stride + at..][..2 * V::N];
                    let (s, t) = (V::load(y).sub(c), V::load(&y[V::N..]).sub(c));
                    low_half = s.mul_add(s, low_half);
                    high_half = t.mul_add(t, high_half);
                }
                a.offer(low_half, number);
                b.offer(high_half, number);
                number = number.add(V::splat(1.0));
            }
            let (mut low_half, mut high_half) = (V::splat(0.0), V::splat(0.0));
            for f in 0..d {
                let y = &y[f * stride + at..][..2 * V::N];
                low_half = low_half.add(V::load(y).abs());
                high_half = high_half.add(V::load(&y[V::N..]).abs());
            }
            a.best.store(&mut best[at..]);
            b.best.store(&mut best[at + V::N..]);
            self.margin(a, low_half).store(&mut margin[at..]);
            self.margin(b, high_half).store(&mut margin[at + V::N..]);
            at += 2 * V::N;
        }
    }

    /// A lower bound on D2 - D1, where D1 <= D2 are the two smallest distances: D2 - D1 = (D2^2 - D1^2) / (D1 + D2), and
    /// D1 + D2 <= sqrt(2 (D1^2 + D2^2)), which is tight when the two are close. It carries the level of the row.
    #[inline(always)]
    fn margin<V: Lanes>(&self, two: Two<V>, size: V) -> V {
        let square = two.first.add(two.second).mul(V::splat(2.0)).add(V::splat(UNDERFLOW * UNDERFLOW));
        let root = square.rsqrt();
        let sum = square.mul(root);
        let difference = two.second.sub(two.first).mul(root).mul(V::splat(1.0 - RSQRT_ERROR));
        let error = sum.mul_add(V::splat(self.by_distance), size.mul_add(V::splat(self.by_size), V::splat(4.0 * UNDERFLOW)));
        // (a + b)^2 <= a^2 (1 + 1/128) + 129 b^2; the rest is for the error of a, by its size, and for rounding.
        let off = size.mul_add(V::splat(16.0 * self.by_size), V::splat(64.0 * UNDERFLOW));
        let square = two.second.mul_add(V::splat(1.0 + 1.0 / 64.0 + 4.0 * self.by_distance), off.mul(off));
        packed_each(difference.sub(error), square, self.base)
    }
}

/// Normalized points, a vector of each feature at a time.
pub(super) trait Tiles<V, const D: usize> {
    /// The points from `at` on; any values beyond the last one.
    fn tile(&self, at: usize) -> [V; D];
}

/// Points that were normalized beforehand.
struct Normalized<'a> {
    y: &'a [f32],
    stride: usize,
}

impl<V: Lanes, const D: usize> Tiles<V, D> for Normalized<'_> {
    #[inline(always)]
    fn tile(&self, at: usize) -> [V; D] {
        let mut tile = [V::splat(0.0); D];
        for (f, column) in tile.iter_mut().enumerate() {
            *column = V::load(&self.y[f * self.stride + at..]);
        }
        tile
    }
}

/// Squared distances in float32.
#[inline(always)]
fn distance<V: Lanes, const D: usize>(y: &[V; D], c: &[V; D]) -> V {
    let first = y[0].sub(c[0]);
    let mut sum = first.mul(first);
    for f in 1..D {
        let difference = y[f].sub(c[f]);
        sum = difference.mul_add(difference, sum);
    }
    sum
}

/// The index of the nearest centre so far, and the two smallest squared distances.
#[derive(Clone, Copy)]
struct Two<V> {
    best: V,
    first: V,
    second: V,
}

impl<V: Lanes> Two<V> {
    #[inline(always)]
    fn new() -> Self {
        Self { best: V::splat(0.0), first: V::splat(f32::MAX), second: V::splat(f32::MAX) }
    }

    #[inline(always)]
    fn offer(&mut self, distance: V, number: V) {
        self.best = distance.less(self.first, number, self.best);
        self.second = self.second.min(self.first.max(distance));
        self.first = self.first.min(distance);
    }
}
