//! The assignment step over a chunk of rows. Only points whose bounds have expired are re-examined.

use super::bounds::HamerlyBounds;
use super::filter::Filter;
use super::kernel::nearest;
use super::label::Label;
use super::means::ClusterWeights;
use super::normalization::Normalization;
use super::points::{Float, Lane, PointBlock};
use super::problem::Problem;
use super::reach::CenterShift;
use super::read::{Pick, ReadWide};
use super::share::{Chunk, ClusterDelta};
use super::simd::{Lanes, Task};
use super::sums::{Digits, by_label};
use crate::column::BLOCK;
use crate::error::Result;

/// Offset between features of a block: a multiple of the widest vector, and not a power of two, which would cause cache set
/// conflicts.
pub(super) const STRIDE: usize = BLOCK + 32;
/// Blocks are read as a whole if more than this fraction of their rows (in 16ths) is due; else the due rows are gathered.
const DENSE: usize = 3;

/// Assigns the rows of a chunk to their nearest centres.
pub(crate) struct Assign<'a, 'p, T: Float, L> {
    /// The clustering problem.
    pub problem: &'a Problem<'p, T>,
    /// The rows.
    pub chunk: &'a mut Chunk<L>,
    /// The centres.
    pub centers: &'a [f64],
    /// The float32 bounds for these centres.
    pub bounds: &'a HamerlyBounds,
    /// The normalization of the bounds.
    pub normalization: &'a Normalization,
    /// The cumulative centre shift.
    pub center_shift: &'a CenterShift,
    /// Whether this is the first assignment: rows have no labels yet.
    pub first: bool,
    /// Whether the sums of the clusters are updated.
    pub update: bool,
    /// Output: the changes of sums, weights and labels.
    pub change: &'a mut ClusterDelta,
}

/// Scratch buffers for a block.
struct Scratch<T> {
    /// Gathered rows, one after the other.
    picked: Vec<T>,
    y: Vec<f32>,
    best: Vec<f32>,
    margin: Vec<f32>,
    /// The new validity limits of gathered rows.
    gathered_until: Vec<f32>,
    /// Rows to re-examine; the first `count` elements.
    due: Vec<u32>,
    count: usize,
    /// Positions of gathered rows that changed or are uncertain; the first `listed` elements.
    changed: Vec<u32>,
    listed: usize,
    x: Vec<f64>,
    /// Reassigned rows of the block.
    moved: Vec<u32>,
    /// Their clusters before and after.
    moves: Vec<(u32, u32)>,
    /// The features of a block in float64, for the initial sums; one feature of the reassigned rows later.
    wide: Vec<f64>,
    digits: Digits,
    ones: Vec<i64>,
}

impl<T: Float, L: Label> Task for Assign<'_, '_, T, L> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<V: Lanes>(mut self) -> Result<()> {
        let d = self.problem.points.n_features();
        // Only the first sums need them.
        let summed = if self.first && self.update { BLOCK } else { 0 };
        let mut scratch = Scratch {
            picked: vec![T::default(); d * (BLOCK * DENSE / 16)],
            y: vec![0.0; d * STRIDE],
            best: vec![0.0; STRIDE],
            margin: vec![0.0; STRIDE],
            gathered_until: vec![0.0; STRIDE],
            due: vec![0; STRIDE],
            count: 0,
            changed: vec![0; STRIDE],
            listed: 0,
            x: vec![0.0; d],
            moved: Vec::with_capacity(BLOCK),
            moves: Vec::with_capacity(BLOCK),
            wide: vec![0.0; (d * summed).max(BLOCK)],
            digits: Digits::new(BLOCK),
            ones: vec![1; summed],
        };
        let keeps_bounds = self.update || !self.first;
        if self.first && keeps_bounds {
            self.chunk.valid_until = vec![0.0; self.chunk.labels.len()];
        }
        let mut start = 0;
        for i in 0..self.chunk.blocks.len() {
            self.problem.context.check()?;
            let block = self.chunk.blocks[i];
            self.change.sums.reserve(block.len);
            if self.first {
                let nearest = self.assign_initial::<V>(&block, start, keeps_bounds, &mut scratch);
                self.chunk.due[i] = f64::from(nearest);
            } else if self.center_shift.total >= self.chunk.due[i] {
                let nearest = self.reassign_block::<V>(&block, start, &mut scratch);
                self.chunk.due[i] = self.center_shift.total + f64::from(nearest) * (1.0 - 1e-6);
            }
            start += block.len;
        }
        Ok(())
    }
}

impl<T: Float, L: Label> Assign<'_, '_, T, L> {
    /// The first assignment of a block; returns the smallest margin.
    #[inline(always)]
    fn assign_initial<V: Lanes>(&mut self, block: &PointBlock, start: usize, keeps_bounds: bool, scratch: &mut Scratch<T>) -> f32 {
        let lanes = self.problem.points.lanes(block);
        self.filter(lanes, block.start, block.len, false, scratch);
        let mut least = V::splat(f32::MAX);
        let mut at = 0;
        while at < block.len {
            let margin = V::load(&scratch.margin[at..]);
            let mut uncertain = !margin.greater_mask(V::splat(0.0)) & (u32::MAX >> (32 - V::N.min(block.len - at)));
            if uncertain == 0 {
                least = least.min(margin);
            }
            while uncertain != 0 {
                let row = at + uncertain.trailing_zeros() as usize;
                uncertain &= uncertain - 1;
                self.recompute_exact(lanes, block.start + row, row, scratch);
                least = least.min(V::splat(scratch.margin[row]));
            }
            at += V::N;
        }
        let labels = &mut self.chunk.labels[start..start + block.len];
        for (label, best) in labels.iter_mut().zip(&scratch.best) {
            *label = L::of(*best);
        }
        if keeps_bounds {
            // The centres have not shifted yet.
            let own = &mut self.chunk.valid_until[start..start + block.len];
            let each = own.iter_mut().zip(&scratch.margin).zip(&*labels);
            each.for_each(|((own, margin), label)| *own = self.center_shift.until(label.index(), *margin));
        }
        if self.update {
            match &mut self.change.totals {
                ClusterWeights::Counts(counts) => {
                    by_label(labels, &scratch.ones[..labels.len()], counts.len(), |to, rows| counts[to] += rows);
                    let (start, len) = (block.start, block.len);
                    self.problem.path.run(ReadWide { lanes, start, len, stride: BLOCK, out: &mut scratch.wide });
                    for (feature, terms) in scratch.wide.chunks_exact(BLOCK).enumerate() {
                        self.change.sums.add_column(feature, labels, &terms[..len], &mut scratch.digits);
                    }
                    self.change.moved += block.len;
                }
                ClusterWeights::Weights(_) => {
                    for (at, label) in labels.iter().enumerate() {
                        let weight = self.problem.weight(self.chunk.first_row + start + at);
                        self.change.shift(None, label.index(), Some(weight), lanes, block.start + at);
                    }
                }
            }
        }
        horizontal_min(least)
    }

    /// Re-examines the due rows of a block and applies the reassignments; returns the smallest margin.
    #[inline(always)]
    fn reassign_block<V: Lanes>(&mut self, block: &PointBlock, start: usize, scratch: &mut Scratch<T>) -> f32 {
        let least = self.recheck_block::<V>(block, start, scratch);
        self.apply_moves(block, scratch);
        least
    }

    #[inline(always)]
    fn recheck_block<V: Lanes>(&mut self, block: &PointBlock, start: usize, scratch: &mut Scratch<T>) -> f32 {
        let mut least = self.collect_due::<V>(block, start, scratch);
        let lanes = self.problem.points.lanes(block);
        if scratch.count * 16 > block.len * DENSE {
            self.filter(lanes, block.start, block.len, false, scratch);
            least = self.update_bounds::<V>(start, block.len, scratch);
            for i in 0..scratch.count {
                let row = scratch.due[i] as usize;
                least = least.min(self.finish_row(lanes, block, start, row, row, scratch));
            }
            return least;
        }
        let Scratch { due, count, picked, .. } = scratch;
        self.problem.path.run(Pick { lanes, start: block.start, rows: &due[..*count], out: picked });
        self.filter(lanes, block.start, scratch.count, true, scratch);
        least = least.min(self.update_bounds_gathered::<V>(start, block.len, scratch));
        for i in 0..scratch.listed {
            let at = scratch.changed[i] as usize;
            let row = scratch.due[at] as usize;
            least = least.min(self.finish_row(lanes, block, start, row, at, scratch));
        }
        least
    }

    /// Finishes a row of a block at position `at` of the scratch buffers, in float64 if uncertain; returns its margin.
    #[inline(always)]
    fn finish_row(&mut self, lanes: &[Lane<T>], block: &PointBlock, start: usize, row: usize, at: usize, scratch: &mut Scratch<T>) -> f32 {
        if !(scratch.margin[at] > 0.0) {
            self.recompute_exact(lanes, block.start + row, at, scratch);
        }
        let margin = scratch.margin[at];
        self.reassign(lanes, block, start, row, L::of(scratch.best[at]), margin, scratch);
        margin
    }

    /// Computes the nearest centres and margins of the rows of a block, or of those that were gathered.
    fn filter(&self, lanes: &[Lane<T>], start: usize, len: usize, gathered: bool, scratch: &mut Scratch<T>) {
        let Scratch { picked, y, best, margin, .. } = scratch;
        let picked = gathered.then(|| &picked[..len * lanes.len()]);
        let (bounds, normalization, stride) = (self.bounds, self.normalization, STRIDE);
        self.problem.path.run(Filter { bounds, normalization, lanes, start, len, picked, y, stride, best, margin });
    }

    /// Collects the rows of a block whose bounds have expired; returns the smallest remaining margin of the others.
    #[inline(always)]
    fn collect_due<V: Lanes>(&self, block: &PointBlock, start: usize, scratch: &mut Scratch<T>) -> f32 {
        let limits = &self.chunk.valid_until[start..start + block.len];
        let labels = &self.chunk.labels[start..start + block.len];
        let due = scratch.due.as_mut_slice();
        let mut count = 0;
        let mut least = f32::MAX;
        let mut at = 0;
        if let Some(bytes) = L::bytes(labels) {
            let most = V::splat(f32::MAX);
            let mut nearest = most;
            while at + V::N <= block.len {
                let left = self.center_shift.left_each(V::of_bytes(&bytes[at..]), V::load(&limits[at..]));
                let certain = left.greater_mask(V::splat(0.0));
                nearest = nearest.min(V::splat(0.0).less(left, left, most));
                count += V::places(!certain, at as u32, &mut due[count..]);
                at += V::N;
            }
            least = horizontal_min(nearest);
        }
        for at in at..block.len {
            let left = self.center_shift.left(labels[at].index(), limits[at]);
            if left > 0.0 {
                least = least.min(left);
            } else {
                due[count] = at as u32;
                count += 1;
            }
        }
        scratch.count = count;
        least
    }

    /// Writes the new validity limits of a block, and lists the rows that changed label or are uncertain; returns the
    /// smallest margin of the others.
    #[inline(always)]
    fn update_bounds<V: Lanes>(&mut self, start: usize, len: usize, scratch: &mut Scratch<T>) -> f32 {
        let labels = &self.chunk.labels[start..start + len];
        let own = &mut self.chunk.valid_until[start..start + len];
        let due = scratch.due.as_mut_slice();
        let mut count = 0;
        let mut least = f32::MAX;
        let mut at = 0;
        if let Some(bytes) = L::bytes(labels) {
            let most = V::splat(f32::MAX);
            let mut nearest = most;
            while at + V::N <= len {
                let (best, margin) = (V::load(&scratch.best[at..]), V::load(&scratch.margin[at..]));
                let same = best.equal_mask(V::of_bytes(&bytes[at..]));
                let certain = margin.greater_mask(V::splat(0.0));
                self.center_shift.until_each(best, margin).store(&mut own[at..]);
                nearest = nearest.min(V::splat(0.0).less(margin, margin, most));
                count += V::places(!(same & certain), at as u32, &mut due[count..]);
                at += V::N;
            }
            least = horizontal_min(nearest);
        }
        for at in at..len {
            let (best, margin) = (scratch.best[at] as usize, scratch.margin[at]);
            own[at] = self.center_shift.until(best, margin);
            if best == labels[at].index() && margin > 0.0 {
                least = least.min(margin);
            } else {
                least = least.min(margin.max(0.0));
                due[count] = at as u32;
                count += 1;
            }
        }
        scratch.count = count;
        least
    }

    /// The same as `update_bounds` for gathered rows; lists positions within the gathered rows.
    #[inline(always)]
    fn update_bounds_gathered<V: Lanes>(&mut self, start: usize, len: usize, scratch: &mut Scratch<T>) -> f32 {
        let labels = &self.chunk.labels[start..start + len];
        let own = &mut self.chunk.valid_until[start..start + len];
        let most = V::splat(f32::MAX);
        let mut nearest = most;
        let mut at = 0;
        while at < scratch.count {
            let (best, margin) = (V::load(&scratch.best[at..]), V::load(&scratch.margin[at..]));
            self.center_shift.until_each(best, margin).store(&mut scratch.gathered_until[at..]);
            let positive = V::splat(0.0).less(margin, margin, most);
            if at + V::N <= scratch.count {
                nearest = nearest.min(positive);
            } else {
                positive.store(&mut scratch.y);
                nearest = scratch.y[..scratch.count - at].iter().fold(nearest, |least, &value| least.min(V::splat(value)));
            }
            at += V::N;
        }
        let count = scratch.count;
        let gathered =
            scratch.due[..count].iter().zip(&scratch.best[..count]).zip(&scratch.margin[..count]).zip(&scratch.gathered_until[..count]);
        let mut listed = 0;
        for (at, (((&row, &best), &margin), &limit)) in gathered.enumerate() {
            own[row as usize] = limit;
            // Branchless: the branch would be unpredictable.
            scratch.changed[listed] = at as u32;
            listed += usize::from((labels[row as usize] != L::of(best)) | !(margin > 0.0));
        }
        scratch.listed = listed;
        horizontal_min(nearest)
    }

    /// Assigns a row of a block to a cluster and records the change.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "the row, its position and its new state")]
    fn reassign(
        &mut self,
        lanes: &[Lane<T>],
        block: &PointBlock,
        start: usize,
        row: usize,
        label: L,
        margin: f32,
        scratch: &mut Scratch<T>,
    ) {
        let (old, new) = (self.chunk.labels[start + row].index(), label.index());
        self.chunk.valid_until[start + row] = self.center_shift.until(new, margin);
        if old != new {
            self.chunk.labels[start + row] = label;
            match self.problem.weights {
                Some(_) if !self.update => {}
                Some(weights) => {
                    let weight = weights[self.chunk.first_row + start + row];
                    self.change.shift(Some(old), new, Some(weight), lanes, block.start + row);
                }
                None => {
                    scratch.moved.push(row as u32);
                    scratch.moves.push((old as u32, new as u32));
                }
            }
        }
    }

    /// Applies the recorded reassignments to the sums, feature by feature.
    #[inline(always)]
    fn apply_moves(&mut self, block: &PointBlock, scratch: &mut Scratch<T>) {
        let Scratch { moved, moves, wide, digits, .. } = scratch;
        if self.update
            && let ClusterWeights::Counts(counts) = &mut self.change.totals
        {
            self.change.moved += moves.len();
            for &(from, to) in &*moves {
                counts[to as usize] += 1;
                counts[from as usize] -= 1;
            }
            let terms = &mut wide[..moves.len()];
            for (feature, lane) in self.problem.points.lanes(block).iter().enumerate() {
                let (values, stride) = lane.from(block.start);
                terms.iter_mut().zip(&*moved).for_each(|(term, &row)| *term = values[row as usize * stride].wide());
                self.change.sums.move_column(feature, moves, terms, digits);
            }
        }
        moved.clear();
        moves.clear();
    }

    /// Computes the nearest centre and the margin in float64.
    #[cold]
    #[inline(never)]
    fn recompute_exact(&self, lanes: &[Lane<T>], row: usize, at: usize, scratch: &mut Scratch<T>) {
        scratch.x.iter_mut().zip(lanes).for_each(|(x, lane)| *x = lane.get(row).wide());
        let (best, first, second) = nearest(&scratch.x, self.centers);
        let (near, far) = (first.sqrt(), second.sqrt());
        // The deducted term far exceeds the rounding error of the distances, now and in later iterations.
        let margin = (far - near - 1e-13 * (far + near)) * self.normalization.scale * (1.0 - 1e-6);
        scratch.best[at] = best as f32;
        scratch.margin[at] = self.center_shift.packed(margin, second * self.normalization.scale * self.normalization.scale);
    }
}

/// The horizontal minimum.
#[inline(always)]
fn horizontal_min<V: Lanes>(values: V) -> f32 {
    let mut each = [0.0; 16];
    values.store(&mut each);
    each[..V::N].iter().fold(f32::MAX, |a, &b| a.min(b))
}
