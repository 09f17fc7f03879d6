//! Features of a block out of where they lie: columns as they are, rows of C order taken apart.

use super::filter::Frame;
use super::lanes::{Lanes, Task};
use super::points::{Float, Lane};
use crate::column::BLOCK;

/// The values of a lane from row `start` on, one after the other: where they lie if they do, else in `room`.
#[inline(always)]
pub fn read<'a, V: Lanes, T: Float>(lane: &'a Lane<T>, start: usize, len: usize, room: &'a mut [T; BLOCK]) -> &'a [T] {
    let (values, stride) = lane.from(start);
    if stride == 1 {
        return &values[..len];
    }
    let done = match stride {
        2 => apart::<V, T, 2>(values, len, room),
        3 => apart::<V, T, 3>(values, len, room),
        4 => apart::<V, T, 4>(values, len, room),
        5 => apart::<V, T, 5>(values, len, room),
        6 => apart::<V, T, 6>(values, len, room),
        8 => apart::<V, T, 8>(values, len, room),
        _ => 0,
    };
    room[done..len].iter_mut().zip(values.iter().step_by(stride).skip(done)).for_each(|(slot, &x)| *slot = x);
    &room[..len]
}

/// Takes whole steps of the lanes out of values that lie `S` apart; gives how many values that were.
#[inline(always)]
fn apart<V: Lanes, T: Float, const S: usize>(values: &[T], len: usize, room: &mut [T; BLOCK]) -> usize {
    let mut count = 0;
    // The last row may end before a whole step does.
    let steps = values.chunks_exact(S * V::N).zip(room[..len].chunks_exact_mut(V::N));
    for (values, out) in steps {
        T::apart::<V, S>(values, out);
        count += V::N;
    }
    count
}

/// The values of a block in a frame, feature by feature `stride` apart in `out`. It is dispatched by itself, so that it is
/// compiled once for each kind of instructions.
pub struct Narrow<'a, T: Float> {
    /// The features of the part.
    pub lanes: &'a [Lane<T>],
    /// The first row.
    pub start: usize,
    /// Number of rows.
    pub len: usize,
    /// The frame.
    pub frame: &'a Frame,
    /// From one feature to the next.
    pub stride: usize,
    /// What they become.
    pub out: &'a mut [f32],
}

impl<T: Float> Task for Narrow<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes>(self) {
        let scale = self.frame.scale;
        let mut room = [T::default(); BLOCK];
        for ((lane, out), &middle) in self.lanes.iter().zip(self.out.chunks_mut(self.stride)).zip(&self.frame.middles) {
            let values = read::<V, T>(lane, self.start, self.len, &mut room);
            out.iter_mut().zip(values).for_each(|(out, x)| *out = x.narrow(middle, scale));
        }
    }
}

/// The values of a block as float64, feature by feature `stride` apart in `out`.
pub struct Widen<'a, T: Float> {
    /// The features of the part.
    pub lanes: &'a [Lane<T>],
    /// The first row.
    pub start: usize,
    /// Number of rows.
    pub len: usize,
    /// From one feature to the next.
    pub stride: usize,
    /// What they become.
    pub out: &'a mut [f64],
}

impl<T: Float> Task for Widen<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes>(self) {
        let mut room = [T::default(); BLOCK];
        for (lane, out) in self.lanes.iter().zip(self.out.chunks_mut(self.stride)) {
            let values = read::<V, T>(lane, self.start, self.len, &mut room);
            out.iter_mut().zip(values).for_each(|(out, x)| *out = x.wide());
        }
    }
}
