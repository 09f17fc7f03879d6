//! The bounds of a block of rows straight from their values, which are normalized a tile at a time: so the processor waits for
//! memory and computes at the same time, and nothing is written between.

use super::bounds::{HamerlyBounds, Tiles};
use super::normalization::Normalization;
use super::points::{Float, Lane};
use super::read::{ReadNormalized, row_major};
use super::simd::{Lanes, Task};

/// Computes the nearest centre and the margin of rows of a block, like [`super::bounds::BoundsCheck`]. It is dispatched
/// separately, so that its kernels are not compiled for every type of label.
pub(crate) struct Filter<'a, T: Float> {
    /// The centres.
    pub bounds: &'a HamerlyBounds,
    /// The normalization.
    pub normalization: &'a Normalization,
    /// The features of the part.
    pub lanes: &'a [Lane<T>],
    /// The first row.
    pub start: usize,
    /// Number of rows.
    pub len: usize,
    /// The rows one after the other, if not those of the lanes.
    pub picked: Option<&'a [T]>,
    /// Scratch of `stride` elements a feature, for numbers of features without a kernel of their own.
    pub y: &'a mut [f32],
    /// Offset between features in `y`.
    pub stride: usize,
    /// Output: the index of the nearest centre of each row.
    pub best: &'a mut [f32],
    /// Output: a lower bound on the margin of each row, with its level; 0 or less if uncertain.
    pub margin: &'a mut [f32],
}

impl<T: Float> Task for Filter<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes>(self) {
        if !self.bounds.usable {
            return self.margin[..self.len].fill(0.0);
        }
        match self.lanes.len() {
            1 => self.of_width::<V, 1>(),
            2 => self.of_width::<V, 2>(),
            3 => self.of_width::<V, 3>(),
            4 => self.of_width::<V, 4>(),
            5 => self.of_width::<V, 5>(),
            6 => self.of_width::<V, 6>(),
            8 => self.of_width::<V, 8>(),
            _ => self.of_any_width::<V>(),
        }
    }
}

impl<T: Float> Filter<'_, T> {
    #[inline(always)]
    fn of_width<V: Lanes, const D: usize>(self) {
        let Self { bounds, normalization, lanes, start, len, picked, best, margin, .. } = self;
        let (mut middles, scale) = ([[0.0; 16]; D], normalization.scale);
        if let Some(values) = picked.or_else(|| row_major(lanes, start)) {
            for i in 0..D * V::N {
                middles[i / V::N][i % V::N] = normalization.middles[i % D];
            }
            let rows = &values.as_chunks::<D>().0[..len];
            bounds.of_width::<V, D>(&RowTiles { rows, middles, scale }, len, best, margin);
        } else {
            middles.iter_mut().zip(&normalization.middles).for_each(|(own, &middle)| own.fill(middle));
            bounds.of_width::<V, D>(&LaneTiles { lanes, start, len, middles, scale }, len, best, margin);
        }
    }

    #[inline(always)]
    fn of_any_width<V: Lanes>(self) {
        let Self { bounds, normalization, lanes, start, len, picked, y, stride, best, margin } = self;
        match picked {
            None => ReadNormalized { lanes, start, len, normalization, stride, out: &mut *y }.run::<V>(),
            Some(values) => {
                for (f, &middle) in normalization.middles.iter().enumerate() {
                    // No row may be due.
                    let column = values.get(f..).unwrap_or_default().iter().step_by(lanes.len());
                    y[f * stride..][..len].iter_mut().zip(column).for_each(|(y, x)| *y = x.narrow(middle, normalization.scale));
                }
            }
        }
        bounds.of_any_width::<V>(y, stride, len, best, margin);
    }
}

/// Rows one after the other; `middles` are those of `N` rows.
struct RowTiles<'a, T, const D: usize> {
    rows: &'a [[T; D]],
    middles: [[f64; 16]; D],
    scale: f64,
}

impl<T: Float, V: Lanes, const D: usize> Tiles<V, D> for RowTiles<'_, T, D> {
    #[inline(always)]
    fn tile(&self, at: usize) -> [V; D] {
        let mut last = [[T::default(); D]; 16];
        let rows = if at + V::N <= self.rows.len() {
            &self.rows[at..at + V::N]
        } else {
            let rest = &self.rows[at.min(self.rows.len())..];
            last[..rest.len()].copy_from_slice(rest);
            &last[..V::N]
        };
        let flat = rows.as_flattened();
        let mut tile = [V::splat(0.0); D];
        for (part, out) in tile.iter_mut().enumerate() {
            *out = narrow(&flat[part * V::N..][..V::N], &self.middles[part], self.scale);
        }
        V::columns(tile)
    }
}

/// Columns of any stride; `middles` are those of `N` values of each.
struct LaneTiles<'a, T: Float, const D: usize> {
    lanes: &'a [Lane<T>],
    start: usize,
    len: usize,
    middles: [[f64; 16]; D],
    scale: f64,
}

impl<T: Float, V: Lanes, const D: usize> Tiles<V, D> for LaneTiles<'_, T, D> {
    #[inline(always)]
    fn tile(&self, at: usize) -> [V; D] {
        let count = V::N.min(self.len.saturating_sub(at));
        let mut tile = [V::splat(0.0); D];
        for (f, out) in tile.iter_mut().enumerate() {
            let (values, stride) = self.lanes[f].from(self.start);
            *out = if stride == 1 && count == V::N {
                narrow(&values[at..at + V::N], &self.middles[f], self.scale)
            } else {
                let mut some = [T::default(); 16];
                let column = values.iter().step_by(stride.max(1)).skip(at);
                some[..count].iter_mut().zip(column).for_each(|(some, &x)| *some = x);
                narrow(&some[..V::N], &self.middles[f], self.scale)
            };
        }
        tile
    }
}

/// Normalizes `N` values.
#[inline(always)]
fn narrow<T: Float, V: Lanes>(values: &[T], middles: &[f64; 16], scale: f64) -> V {
    let mut out = [0.0; 16];
    let each = out[..V::N].iter_mut().zip(values).zip(middles);
    each.for_each(|((out, x), &middle)| *out = x.narrow(middle, scale));
    V::load(&out)
}
