//! Lloyd's algorithm from given initial centres, with scikit-learn's stopping rule.

use super::assign::Assign;
use super::bounds::HamerlyBounds;
use super::dispersion::{Dispersion, Terms};
use super::kernel::squared_distance;
use super::label::Label;
use super::means::{Far, means, shift};
use super::normalization::Normalization;
use super::points::Float;
use super::problem::{LloydRun, Problem};
use super::reach::CenterShift;
use super::scan::{blocks_in_chunk, each_chunk};
use super::share::{Chunk, ClusterDelta};
use super::sums::{ClusterSums, Steps};
use crate::error::Result;
use crate::num::exact::quotient;

/// When a run has converged; it has anyway when no row changes its cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Stop {
    /// When the sum of squared centre shifts is at most this times the mean variance of the features.
    Relative(f64),
    /// When the sum of squared centre shifts is at most this.
    Shift(f64),
}

/// The current centres and their cumulative shift.
struct LloydState {
    centers: Vec<f64>,
    normalization: Normalization,
    center_shift: CenterShift,
    steps: Vec<Steps>,
}

impl<T: Float> Problem<'_, T> {
    fn initial_state(&self, centers: &[f64]) -> LloydState {
        let normalization = self.normalization();
        LloydState {
            centers: centers.to_vec(),
            center_shift: CenterShift::new(centers, &normalization),
            normalization,
            steps: self.ranges.largest().into_iter().map(Steps::new).collect(),
        }
    }

    /// The rows split into chunks, unlabelled.
    fn chunks<L: Label>(&self) -> Vec<Chunk<L>> {
        let blocks = self.points.blocks();
        let chunk = |blocks: &[_]| Chunk::new(blocks.to_vec(), self.points.first_row(&blocks[0]));
        blocks.chunks(blocks_in_chunk(blocks.len(), self.context)).map(chunk).collect()
    }

    /// Runs Lloyd's algorithm from the centres `start`.
    pub(crate) fn run<L: Label>(&self, start: &[f64], max_iter: usize, tol: f64) -> Result<LloydRun<L>> {
        self.run_until(start, max_iter, Stop::Relative(tol))
    }

    /// The same with any condition of convergence.
    pub(crate) fn run_until<L: Label>(&self, start: &[f64], max_iter: usize, stop: Stop) -> Result<LloydRun<L>> {
        let d = self.n_features();
        let mut chunks: Vec<Chunk<L>> = self.chunks();
        let mut state = self.initial_state(start);
        let mut accumulated = ClusterDelta::new(start.len() / d, &state.steps, self.weights.is_some());
        let mut tolerance = if let Stop::Shift(shift) = stop { Some(shift) } else { None };
        let mut strict = false;
        let mut n_iter = 0;
        while n_iter < max_iter && !strict {
            let change = self.assign(&state, &mut chunks, n_iter == 0, true)?;
            n_iter += 1;
            strict = n_iter > 1 && change.moved == 0;
            accumulated = accumulated.merge(change);
            let far = match accumulated.totals.empty().len() {
                0 => Vec::new(),
                empty => self.farthest(&state.centers, &chunks, empty)?,
            };
            if strict && far.is_empty() {
                break;
            }
            let new = means(&accumulated.sums, &accumulated.totals, d, &far);
            let moved = shift(&state.centers, &new, d);
            state.center_shift.add(&state.centers, &new, &state.normalization);
            state.centers = new;
            if !strict {
                let tolerance = match (tolerance, stop) {
                    (Some(tolerance), _) | (None, Stop::Shift(tolerance)) => tolerance,
                    (None, Stop::Relative(tol)) => *tolerance.insert(self.tolerance(tol, &accumulated)?),
                };
                if moved <= tolerance {
                    break;
                }
            }
        }
        if !strict {
            let change = self.assign(&state, &mut chunks, n_iter == 0, true)?;
            accumulated = accumulated.merge(change);
        }
        let means = means(&accumulated.sums, &accumulated.totals, d, &[]);
        let inertia = self.inertia(&state.centers, &chunks)?;
        chunks.iter_mut().for_each(Chunk::free_bounds);
        Ok(LloydRun { centers: state.centers, chunks, means, inertia, n_iter })
    }

    /// The assignment step: assigns every row to its nearest centre.
    fn assign<L: Label>(&self, state: &LloydState, chunks: &mut [Chunk<L>], first: bool, update: bool) -> Result<ClusterDelta> {
        let bounds = HamerlyBounds::new(&state.centers, &state.normalization, state.center_shift.base);
        let empty = || ClusterDelta::new(state.centers.len() / self.n_features(), &state.steps, self.weights.is_some());
        let work = |chunk: &mut Chunk<L>| {
            let (normalization, center_shift, centers) = (&state.normalization, &state.center_shift, state.centers.as_slice());
            let mut change = empty();
            let task =
                Assign { problem: self, chunk, centers, bounds: &bounds, normalization, center_shift, first, update, change: &mut change };
            self.path.run(task)?;
            Ok(change)
        };
        Ok(each_chunk(chunks.iter_mut().collect(), self.load(), work, ClusterDelta::merge)?.unwrap_or_else(empty))
    }

    /// The `wanted` rows farthest from their centres, by distance descending, then by row.
    fn farthest<L: Label>(&self, centers: &[f64], chunks: &[Chunk<L>], wanted: usize) -> Result<Vec<Far>> {
        let d = self.n_features();
        let labels: Vec<L> = chunks.iter().flat_map(|chunk| chunk.labels.iter().copied()).collect();
        let mut x = vec![0.0; d];
        let mut distance = |point: usize| {
            self.points.read(point, &mut x);
            squared_distance(&x, &centers[labels[point].index() * d..][..d])
        };
        let keep = |best: &mut Vec<(f64, usize, usize)>, distance: f64, row: usize, point: usize| {
            if best.len() < wanted || best.last().is_some_and(|last| distance > last.0) {
                let at = best.partition_point(|before| before.0 >= distance);
                best.insert(at, (distance, row, point));
                best.truncate(wanted);
            }
        };
        let mut best = Vec::with_capacity(wanted + 1);
        match self.codes {
            Some(codes) => {
                let distances: Vec<f64> = (0..self.points.rows()).map(&mut distance).collect();
                codes.iter().enumerate().for_each(|(row, &code)| keep(&mut best, distances[code as usize], row, code as usize));
            }
            None => {
                for row in 0..self.points.rows() {
                    if row % 4096 == 0 {
                        self.context.check()?;
                    }
                    if self.weight(row) > 0.0 {
                        keep(&mut best, distance(row), row, row);
                    }
                }
            }
        }
        let far = |(distance, row, point): (f64, usize, usize)| {
            let mut x = vec![0.0; d];
            self.points.read(point, &mut x);
            let weight = if self.codes.is_some() { 1.0 } else { self.weight(row) };
            Far { distance, row, cluster: labels[point].index(), weight, point: x }
        };
        Ok(best.into_iter().map(far).collect())
    }

    /// `tol` times the mean variance of the features; sample weights are ignored, as in scikit-learn.
    fn tolerance(&self, tol: f64, accumulated: &ClusterDelta) -> Result<f64> {
        if tol == 0.0 {
            return Ok(0.0);
        }
        // Multiplicities of deduplicated points count; sample weights do not.
        let n = self.codes.map_or(self.points.rows(), <[u32]>::len) as f64;
        let sums = if self.weights.is_none() { accumulated.column_sums(self.n_features()) } else { self.column_sums()? };
        let mean: Vec<f64> = sums.iter().map(|sum| quotient(sum, &[n])).collect();
        let variance: f64 = self.squares(&mean)?.iter().map(|sum| quotient(sum, &[n])).sum();
        Ok(variance / self.n_features() as f64 * tol)
    }

    /// The total sum of squares of all features about their means, from exact sums; unweighted.
    pub(crate) fn total_squares(&self) -> Result<f64> {
        let n = [self.points.rows() as f64];
        let mean: Vec<f64> = self.column_sums()?.iter().map(|sum| quotient(sum, &n)).collect();
        Ok(self.squares(&mean)?.iter().map(|sum| quotient(sum, &[1.0])).sum())
    }

    /// The exact sum of each feature.
    fn column_sums(&self) -> Result<Vec<Vec<f64>>> {
        let largest = self.ranges.largest();
        (0..largest.len()).map(|feature| self.exact_sum::<u8>(&[], Terms::Value { feature }, largest[feature])).collect()
    }

    /// The exact sum of squared deviations of each feature from its mean.
    fn squares(&self, mean: &[f64]) -> Result<Vec<Vec<f64>>> {
        let reach = |feature: usize| {
            let (low, high) = self.ranges.0[feature];
            (high - mean[feature]).max(mean[feature] - low).powi(2)
        };
        let sum = |feature: usize| self.exact_sum::<u8>(&[], Terms::Square { feature, mean: mean[feature] }, reach(feature));
        (0..mean.len()).map(sum).collect()
    }

    /// The inertia: the exact sum of squared distances to the assigned centres, rounded once.
    pub(crate) fn inertia<L: Label>(&self, centers: &[f64], chunks: &[Chunk<L>]) -> Result<f64> {
        let d = self.n_features();
        let reach = |center: &[f64]| {
            let both = center.iter().zip(&self.ranges.0);
            both.fold(0.0, |sum, (c, (low, high))| sum + ((high - c) * (high - c)).max((low - c) * (low - c)))
        };
        let largest = centers.chunks_exact(d).map(reach).fold(0.0, f64::max);
        Ok(quotient(&self.exact_sum(chunks, Terms::Distance { centers }, largest)?, &[1.0]))
    }

    /// The exact sum of terms, none of them above `largest`. Sample weights apply to distances only; multiplicities always
    /// apply.
    fn exact_sum<L: Label>(&self, chunks: &[Chunk<L>], terms: Terms<'_>, largest: f64) -> Result<Vec<f64>> {
        let unlabelled: Vec<Chunk<L>> = if chunks.is_empty() { self.chunks() } else { Vec::new() };
        let chunks: Vec<&Chunk<L>> = chunks.iter().chain(&unlabelled).collect();
        let weights = if matches!(terms, Terms::Distance { .. }) || self.codes.is_some() { self.weights } else { None };
        let work = |chunk: &Chunk<L>| self.path.run(Dispersion { problem: self, chunk, terms, weights, largest });
        let both = |a: Option<ClusterSums>, b: Option<ClusterSums>| {
            let mut a = a?;
            a.merge(b?);
            Some(a)
        };
        let infinite = vec![f64::INFINITY];
        Ok(each_chunk(chunks, self.load(), work, both)?.map_or_else(Vec::new, |sum| sum.map_or(infinite, |sum| sum.get(0))))
    }

    /// Labels every row with its nearest centre.
    pub(crate) fn labels<L: Label>(&self, centers: &[f64]) -> Result<Vec<Chunk<L>>> {
        let mut chunks = self.chunks();
        self.assign(&self.initial_state(centers), &mut chunks, true, false)?;
        Ok(chunks)
    }
}
