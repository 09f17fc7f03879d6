//! The assignment step over a chunk of rows. Only points whose bounds have expired are re-examined.

use super::filter::{Drift, Filter, Frame, Screen, until};
use super::kernel::nearest;
use super::label::Label;
use super::lanes::{Lanes, Task};
use super::means::Totals;
use super::points::{Block, Float, Lane};
use super::problem::Problem;
use super::read::{Narrow, Widen};
use super::share::{Change, Share};
use super::sums::{Digits, by_label};
use crate::column::BLOCK;
use crate::error::Result;

/// Offset between features of a block: a multiple of the widest vector, and not a power of two, which would cause cache set
/// conflicts.
pub(super) const STRIDE: usize = BLOCK + 32;
/// Blocks are read as a whole if more than this fraction of their rows (in 16ths) is due; else the due rows are gathered.
const DENSE: usize = 3;

/// Assigns the rows of a chunk to their nearest centres.
pub struct Assign<'a, 'p, T: Float, L> {
    /// The clustering problem.
    pub problem: &'a Problem<'p, T>,
    /// The rows.
    pub share: &'a mut Share<L>,
    /// The centres.
    pub centers: &'a [f64],
    /// The float32 bounds for these centres.
    pub filter: &'a Filter,
    /// The normalization of the bounds.
    pub frame: &'a Frame,
    /// The cumulative centre shift.
    pub drift: &'a Drift,
    /// Whether this is the first assignment: rows have no labels yet.
    pub first: bool,
    /// Whether the sums of the clusters are updated.
    pub update: bool,
    /// Output: the changes of sums, weights and labels.
    pub change: &'a mut Change,
}

/// A reassigned row of a block.
struct Move {
    row: u32,
    from: u32,
    to: u32,
}

/// Scratch buffers for a block.
struct Scratch {
    y: Vec<f32>,
    best: Vec<f32>,
    slack: Vec<f32>,
    /// The new validity limits of gathered rows.
    lasts: Vec<f32>,
    /// Rows to re-examine; the first `count` elements.
    due: Vec<u32>,
    count: usize,
    /// Positions of gathered rows that changed or are uncertain; the first `listed` elements.
    changed: Vec<u32>,
    listed: usize,
    x: Vec<f64>,
    moves: Vec<Move>,
    /// The features of a block in float64, for the initial sums.
    wide: Vec<f64>,
    digits: Digits,
    ones: Vec<i64>,
}

impl<T: Float, L: Label> Task for Assign<'_, '_, T, L> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<V: Lanes>(mut self) -> Result<()> {
        let d = self.problem.points.n_features();
        let mut scratch = Scratch {
            y: vec![0.0; d * STRIDE],
            best: vec![0.0; STRIDE],
            slack: vec![0.0; STRIDE],
            lasts: vec![0.0; STRIDE],
            due: vec![0; STRIDE],
            count: 0,
            changed: vec![0; STRIDE],
            listed: 0,
            x: vec![0.0; d],
            moves: Vec::with_capacity(BLOCK),
            wide: if self.first && self.update { vec![0.0; d * BLOCK] } else { Vec::new() },
            digits: Digits::new(BLOCK),
            ones: vec![1; BLOCK],
        };
        let keeps = self.update || !self.first;
        if self.first && keeps {
            self.share.until = vec![0.0; self.share.labels.len()];
        }
        let mut start = 0;
        for i in 0..self.share.blocks.len() {
            self.problem.context.check()?;
            let block = self.share.blocks[i];
            self.change.sums.reserve(block.len);
            if self.first {
                let nearest = self.first_time::<V>(&block, start, keeps, &mut scratch);
                self.share.due[i] = f64::from(nearest);
            } else if self.drift.total >= self.share.due[i] {
                let nearest = self.again::<V>(&block, start, &mut scratch);
                self.share.due[i] = self.drift.total + f64::from(nearest) * (1.0 - 1e-6);
            }
            start += block.len;
        }
        Ok(())
    }
}

impl<T: Float, L: Label> Assign<'_, '_, T, L> {
    /// The first assignment of a block; returns the smallest margin.
    #[inline(always)]
    fn first_time<V: Lanes>(&mut self, block: &Block, start: usize, keeps: bool, scratch: &mut Scratch) -> f32 {
        let lanes = self.problem.points.lanes(block);
        self.narrow(lanes, block, scratch);
        self.screen(block.len, scratch);
        let mut least = V::splat(f32::MAX);
        let mut at = 0;
        while at < block.len {
            let slack = V::load(&scratch.slack[at..]);
            let mut unsure = !slack.greater_mask(V::splat(0.0)) & (u32::MAX >> (32 - V::N.min(block.len - at)));
            if unsure == 0 {
                least = least.min(slack);
            }
            while unsure != 0 {
                let row = at + unsure.trailing_zeros() as usize;
                unsure &= unsure - 1;
                self.exactly(lanes, block.start + row, row, scratch);
                least = least.min(V::splat(scratch.slack[row]));
            }
            at += V::N;
        }
        let labels = &mut self.share.labels[start..start + block.len];
        for (label, best) in labels.iter_mut().zip(&scratch.best) {
            *label = L::of(*best);
        }
        if keeps {
            // The centres have not shifted yet.
            let own = &mut self.share.until[start..start + block.len];
            own.iter_mut().zip(&scratch.slack).for_each(|(own, slack)| *own = until(0.0, *slack));
        }
        if self.update {
            match &mut self.change.totals {
                Totals::Counts(counts) => {
                    by_label(labels, &scratch.ones[..labels.len()], counts.len(), |to, rows| counts[to] += rows);
                    let (start, len) = (block.start, block.len);
                    self.problem.path.run(Widen { lanes, start, len, stride: BLOCK, out: &mut scratch.wide });
                    for (feature, terms) in scratch.wide.chunks_exact(BLOCK).enumerate() {
                        self.change.sums.add_column(feature, labels, &terms[..len], &mut scratch.digits);
                    }
                    self.change.moved += block.len;
                }
                Totals::Weights(_) => {
                    for (at, label) in labels.iter().enumerate() {
                        let weight = self.problem.weight(self.share.first_row + start + at);
                        self.change.shift(None, label.index(), Some(weight), lanes, block.start + at);
                    }
                }
            }
        }
        smallest(least)
    }

    /// Re-examines the due rows of a block and applies the reassignments; returns the smallest margin.
    #[inline(always)]
    fn again<V: Lanes>(&mut self, block: &Block, start: usize, scratch: &mut Scratch) -> f32 {
        let least = self.look_again::<V>(block, start, scratch);
        self.sum_up(block, scratch);
        least
    }

    #[inline(always)]
    fn look_again<V: Lanes>(&mut self, block: &Block, start: usize, scratch: &mut Scratch) -> f32 {
        let mut least = self.due::<V>(block, start, scratch);
        let lanes = self.problem.points.lanes(block);
        if scratch.count * 16 > block.len * DENSE {
            self.narrow(lanes, block, scratch);
            self.screen(block.len, scratch);
            least = self.settle::<V>(start, block.len, scratch);
            for i in 0..scratch.count {
                let row = scratch.due[i] as usize;
                least = least.min(self.resolve(lanes, block, start, row, row, scratch));
            }
            return least;
        }
        for (f, lane) in lanes.iter().enumerate() {
            let y = &mut scratch.y[f * STRIDE..][..STRIDE];
            let (values, stride) = lane.from(block.start);
            let (middle, scale) = (self.frame.middles[f], self.frame.scale);
            let due = &scratch.due[..scratch.count];
            y.iter_mut().zip(due).for_each(|(y, &row)| *y = values[row as usize * stride].narrow(middle, scale));
        }
        self.screen(scratch.count, scratch);
        least = least.min(self.settle_gathered::<V>(start, block.len, scratch));
        for i in 0..scratch.listed {
            let at = scratch.changed[i] as usize;
            let row = scratch.due[at] as usize;
            least = least.min(self.resolve(lanes, block, start, row, at, scratch));
        }
        least
    }

    /// Finishes a row of a block at position `at` of the scratch buffers, in float64 if uncertain; returns its margin.
    #[inline(always)]
    fn resolve(&mut self, lanes: &[Lane<T>], block: &Block, start: usize, row: usize, at: usize, scratch: &mut Scratch) -> f32 {
        if !(scratch.slack[at] > 0.0) {
            self.exactly(lanes, block.start + row, at, scratch);
        }
        let slack = scratch.slack[at];
        self.take(lanes, block, start, row, L::of(scratch.best[at]), slack, &mut scratch.moves);
        slack
    }

    /// Computes the bounds of the points in the scratch buffer. It is dispatched separately, so that its kernels are compiled
    /// once per instruction set and not for every type of feature and label.
    fn screen(&self, len: usize, scratch: &mut Scratch) {
        let Scratch { y, best, slack, .. } = scratch;
        self.problem.path.run(Screen { filter: self.filter, y, stride: STRIDE, len, best, slack });
    }

    /// Collects the rows of a block whose bounds have expired; returns the smallest remaining margin of the others.
    #[inline(always)]
    fn due<V: Lanes>(&self, block: &Block, start: usize, scratch: &mut Scratch) -> f32 {
        let high = self.drift.high.as_slice();
        let untils = &self.share.until[start..start + block.len];
        let labels = &self.share.labels[start..start + block.len];
        let due = scratch.due.as_mut_slice();
        let mut count = 0;
        let mut least = f32::MAX;
        let mut at = 0;
        if let Some(bytes) = L::bytes(labels) {
            let most = V::splat(f32::MAX);
            let mut nearest = most;
            while at + V::N <= block.len {
                let left = V::load(&untils[at..]).sub(V::of_bytes(&bytes[at..]).lookup(high));
                let sure = left.greater_mask(V::splat(0.0));
                nearest = nearest.min(V::splat(0.0).less(left, left, most));
                count += V::places(!sure, at as u32, &mut due[count..]);
                at += V::N;
            }
            least = smallest(nearest);
        }
        for at in at..block.len {
            let left = untils[at] - high[labels[at].index()];
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
    fn settle<V: Lanes>(&mut self, start: usize, len: usize, scratch: &mut Scratch) -> f32 {
        let labels = &self.share.labels[start..start + len];
        let own = &mut self.share.until[start..start + len];
        let due = scratch.due.as_mut_slice();
        let mut count = 0;
        let mut least = f32::MAX;
        let mut at = 0;
        if let Some(bytes) = L::bytes(labels) {
            let most = V::splat(f32::MAX);
            let mut nearest = most;
            while at + V::N <= len {
                let (best, slack) = (V::load(&scratch.best[at..]), V::load(&scratch.slack[at..]));
                let same = best.equal_mask(V::of_bytes(&bytes[at..]));
                let sure = slack.greater_mask(V::splat(0.0));
                lasts(best, slack, &self.drift.low).store(&mut own[at..]);
                nearest = nearest.min(V::splat(0.0).less(slack, slack, most));
                count += V::places(!(same & sure), at as u32, &mut due[count..]);
                at += V::N;
            }
            least = smallest(nearest);
        }
        for at in at..len {
            let (best, slack) = (scratch.best[at] as usize, scratch.slack[at]);
            own[at] = until(self.drift.low[best], slack);
            if best == labels[at].index() && slack > 0.0 {
                least = least.min(slack);
            } else {
                least = least.min(slack.max(0.0));
                due[count] = at as u32;
                count += 1;
            }
        }
        scratch.count = count;
        least
    }

    /// The same as `update_bounds` for gathered rows; lists positions within the gathered rows.
    #[inline(always)]
    fn settle_gathered<V: Lanes>(&mut self, start: usize, len: usize, scratch: &mut Scratch) -> f32 {
        let labels = &self.share.labels[start..start + len];
        let own = &mut self.share.until[start..start + len];
        let most = V::splat(f32::MAX);
        let mut nearest = most;
        let mut at = 0;
        while at < scratch.count {
            let (best, slack) = (V::load(&scratch.best[at..]), V::load(&scratch.slack[at..]));
            lasts(best, slack, &self.drift.low).store(&mut scratch.lasts[at..]);
            let positive = V::splat(0.0).less(slack, slack, most);
            if at + V::N <= scratch.count {
                nearest = nearest.min(positive);
            } else {
                positive.store(&mut scratch.y);
                nearest = scratch.y[..scratch.count - at].iter().fold(nearest, |least, &one| least.min(V::splat(one)));
            }
            at += V::N;
        }
        let count = scratch.count;
        let gathered = scratch.due[..count].iter().zip(&scratch.best[..count]).zip(&scratch.slack[..count]).zip(&scratch.lasts[..count]);
        let mut listed = 0;
        for (at, (((&row, &best), &slack), &lasts)) in gathered.enumerate() {
            own[row as usize] = lasts;
            // Branchless: the branch would be unpredictable.
            scratch.changed[listed] = at as u32;
            listed += usize::from((labels[row as usize] != L::of(best)) | !(slack > 0.0));
        }
        scratch.listed = listed;
        smallest(nearest)
    }

    /// Assigns a row of a block to a cluster and records the change.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "the row, its position and its new state")]
    fn take(&mut self, lanes: &[Lane<T>], block: &Block, start: usize, row: usize, label: L, slack: f32, moves: &mut Vec<Move>) {
        let (old, new) = (self.share.labels[start + row].index(), label.index());
        self.share.until[start + row] = until(self.drift.low[new], slack);
        if old != new {
            self.share.labels[start + row] = label;
            match self.problem.weights {
                Some(_) if !self.update => {}
                Some(weights) => {
                    let weight = weights[self.share.first_row + start + row];
                    self.change.shift(Some(old), new, Some(weight), lanes, block.start + row);
                }
                None => moves.push(Move { row: row as u32, from: old as u32, to: new as u32 }),
            }
        }
    }

    /// Applies the recorded reassignments to the sums, feature by feature.
    #[inline(always)]
    fn sum_up(&mut self, block: &Block, scratch: &mut Scratch) {
        if self.update
            && let Totals::Counts(counts) = &mut self.change.totals
        {
            self.change.moved += scratch.moves.len();
            for one in &scratch.moves {
                counts[one.to as usize] += 1;
                counts[one.from as usize] -= 1;
            }
            for (feature, lane) in self.problem.points.lanes(block).iter().enumerate() {
                let (values, stride) = lane.from(block.start);
                for one in &scratch.moves {
                    let x = values[one.row as usize * stride].wide();
                    self.change.sums.shift(Some(one.from as usize), one.to as usize, feature, x);
                }
            }
        }
        scratch.moves.clear();
    }

    /// Reads the normalized values of the block into the scratch buffer.
    fn narrow(&self, lanes: &[Lane<T>], block: &Block, scratch: &mut Scratch) {
        let (start, len) = (block.start, block.len);
        self.problem.path.run(Narrow { lanes, start, len, frame: self.frame, stride: STRIDE, out: &mut scratch.y });
    }

    /// Computes the nearest centre and the margin in float64.
    #[cold]
    #[inline(never)]
    fn exactly(&self, lanes: &[Lane<T>], row: usize, at: usize, scratch: &mut Scratch) {
        scratch.x.iter_mut().zip(lanes).for_each(|(x, lane)| *x = lane.get(row).wide());
        let (best, first, second) = nearest(&scratch.x, self.centers);
        let (near, far) = (first.sqrt(), second.sqrt());
        // The deducted term far exceeds the rounding error of the distances, now and in later iterations.
        let slack = (far - near - 1e-13 * (far + near)) * self.frame.scale * (1.0 - 1e-6);
        scratch.best[at] = best as f32;
        scratch.slack[at] = if slack > 0.0 { slack as f32 } else { 0.0 };
    }
}

/// Vectorized [`until`].
#[inline(always)]
fn lasts<V: Lanes>(best: V, slack: V, low: &[f32]) -> V {
    let lasts = best.lookup(low).add(slack).mul(V::splat(0.999_999_7));
    V::splat(0.0).less(slack, lasts, V::splat(0.0))
}

/// The horizontal minimum.
#[inline(always)]
fn smallest<V: Lanes>(values: V) -> f32 {
    let mut each = [0.0; 16];
    values.store(&mut each);
    each[..V::N].iter().fold(f32::MAX, |a, &b| a.min(b))
}
