//! Reading the features of a block: contiguous columns are borrowed, strided columns (C order) are copied.

use super::normalization::Normalization;
use super::points::{Float, Lane};
use super::simd::{Lanes, Task};
use crate::column::BLOCK;
use crate::exec::simd::prefetch;

/// How many rows ahead memory is asked for.
const AHEAD: usize = 24;

/// The values of a lane from row `start` on as a contiguous slice: borrowed if contiguous, else copied to `buffer`.
#[inline(always)]
pub(crate) fn read<'a, V: Lanes, T: Float>(lane: &'a Lane<T>, start: usize, len: usize, buffer: &'a mut [T; BLOCK]) -> &'a [T] {
    let (values, stride) = lane.from(start);
    if stride == 1 {
        return &values[..len];
    }
    let done = match stride {
        2 => read_strided::<V, T, 2>(values, len, buffer),
        3 => read_strided::<V, T, 3>(values, len, buffer),
        4 => read_strided::<V, T, 4>(values, len, buffer),
        5 => read_strided::<V, T, 5>(values, len, buffer),
        6 => read_strided::<V, T, 6>(values, len, buffer),
        8 => read_strided::<V, T, 8>(values, len, buffer),
        _ => 0,
    };
    buffer[done..len].iter_mut().zip(values.iter().step_by(stride).skip(done)).for_each(|(slot, &x)| *slot = x);
    &buffer[..len]
}

/// Copies values of stride `S` in whole vectors; returns how many values were copied.
#[inline(always)]
fn read_strided<V: Lanes, T: Float, const S: usize>(values: &[T], len: usize, buffer: &mut [T; BLOCK]) -> usize {
    let mut count = 0;
    // The last row may end before its full stride, so the last vector may be incomplete.
    let steps = values.chunks_exact(S * V::N).zip(buffer[..len].chunks_exact_mut(V::N));
    for (values, out) in steps {
        T::apart::<V, S>(values, out);
        count += V::N;
    }
    count
}

/// Reads the normalized values of a block into `out`, feature by feature `stride` apart. It is dispatched separately, so that
/// it is compiled once per instruction set.
pub(crate) struct ReadNormalized<'a, T: Float> {
    /// The features of the part.
    pub lanes: &'a [Lane<T>],
    /// The first row.
    pub start: usize,
    /// Number of rows.
    pub len: usize,
    /// The normalization.
    pub normalization: &'a Normalization,
    /// Offset between features in `out`.
    pub stride: usize,
    /// Output.
    pub out: &'a mut [f32],
}

impl<T: Float> Task for ReadNormalized<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes>(self) {
        let scale = self.normalization.scale;
        let mut buffer = [T::default(); BLOCK];
        for ((lane, out), &middle) in self.lanes.iter().zip(self.out.chunks_mut(self.stride)).zip(&self.normalization.middles) {
            let values = read::<V, T>(lane, self.start, self.len, &mut buffer);
            out.iter_mut().zip(values).for_each(|(out, x)| *out = x.narrow(middle, scale));
        }
    }
}

/// Reads the values of a block as float64 into `out`, feature by feature `stride` apart.
pub(crate) struct ReadWide<'a, T: Float> {
    /// The features of the part.
    pub lanes: &'a [Lane<T>],
    /// The first row.
    pub start: usize,
    /// Number of rows.
    pub len: usize,
    /// Offset between features in `out`.
    pub stride: usize,
    /// Output.
    pub out: &'a mut [f64],
}

impl<T: Float> Task for ReadWide<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes>(self) {
        let mut buffer = [T::default(); BLOCK];
        for (lane, out) in self.lanes.iter().zip(self.out.chunks_mut(self.stride)) {
            let values = read::<V, T>(lane, self.start, self.len, &mut buffer);
            out.iter_mut().zip(values).for_each(|(out, x)| *out = x.wide());
        }
    }
}

/// The values of all features from row `start` on, if they are rows in C order without a gap.
pub(super) fn row_major<T: Float>(lanes: &[Lane<T>], start: usize) -> Option<&[T]> {
    let (first, _) = lanes.first()?.from(start);
    let next = |(feature, lane): (usize, &Lane<T>)| {
        let (values, stride) = lane.from(start);
        stride == lanes.len() && std::ptr::eq(values.as_ptr(), first.as_ptr().wrapping_add(feature))
    };
    lanes.iter().enumerate().all(next).then_some(first)
}

/// Copies some rows of a block to `out`, one after the other.
pub(crate) struct Pick<'a, T: Float> {
    /// The features of the part.
    pub lanes: &'a [Lane<T>],
    /// The first row of the block.
    pub start: usize,
    /// The rows, counted within the block.
    pub rows: &'a [u32],
    /// Output.
    pub out: &'a mut [T],
}

impl<T: Float> Task for Pick<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes>(self) {
        if let Some(values) = row_major(self.lanes, self.start) {
            match self.lanes.len() {
                1 => return self.whole::<1>(values),
                2 => return self.whole::<2>(values),
                3 => return self.whole::<3>(values),
                4 => return self.whole::<4>(values),
                5 => return self.whole::<5>(values),
                6 => return self.whole::<6>(values),
                8 => return self.whole::<8>(values),
                _ => {}
            }
        }
        let d = self.lanes.len();
        for (f, lane) in self.lanes.iter().enumerate() {
            let (values, stride) = lane.from(self.start);
            let out = self.out[f..].iter_mut().step_by(d);
            out.zip(self.rows).for_each(|(out, &row)| *out = values[row as usize * stride]);
        }
    }
}

impl<T: Float> Pick<'_, T> {
    #[inline(always)]
    fn whole<const D: usize>(self, values: &[T]) {
        let (all, _) = values.as_chunks::<D>();
        let (out, _) = self.out.as_chunks_mut::<D>();
        for (i, (out, &row)) in out.iter_mut().zip(self.rows).enumerate() {
            if let Some(&later) = self.rows.get(i + AHEAD) {
                prefetch(values, later as usize * D);
            }
            *out = all[row as usize];
        }
    }
}
