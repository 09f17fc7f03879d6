//! Better initial centres: clusters of a sample of the rows, improved by swaps.
//!
//! Lloyd's algorithm ends in the nearest local optimum. A swap leaves it: two clusters are merged where that costs least, and one
//! is split in two where that gains most (split and merge: Kaukoranta, Fränti and Nevalainen 1998; swaps of centres: Fränti and
//! Kivijärvi 2000). Cost and gain are known without Lloyd's algorithm, so the most promising swaps are tried first. A swap
//! is kept if the inertia falls. All of it happens on a sample, in one thread, with sums in the order of the rows: the result is the
//! same for any number of threads, and takes less time than another run over all rows.

use super::init::Sample;
use super::kernel::{nearest, squared_distance};
use super::lloyd::Stop;
use super::points::{Float, Points};
use super::problem::Problem;
use super::split::{Split, split};
use crate::error::Result;
use crate::num::random::Random;

/// Rows of the sample: an eighth of all rows, but not fewer and not more than these (or 64 per cluster, if more).
const SAMPLE: (usize, usize) = (1 << 13, 1 << 15);
/// With more clusters, k-means++ alone chooses the centres: a cost for each pair of clusters would take too long. So it does if
/// the sample has fewer rows of positive weight than there are clusters.
const MOST_CLUSTERS: usize = 256;
/// Swaps that are tried, the most promising first, before the centres are taken as they are.
const TRIES: usize = 8;
/// Swaps that are tried in total: this many, and as many as there are clusters, but not more than these: each takes as long as
/// there are clusters.
const TRIES_IN_ALL: (usize, usize) = (24, 24);
/// Splits that are tried, the best, and merges that are tried with each.
const COMBINED: (usize, usize) = (32, 3);
/// The next best merge is as promising as this many worse splits: it rarely helps, while which split does is hard to say.
const MERGE_RANK: usize = 5;
/// Iterations after which a swap must have nearly reached the inertia without it.
const TRIAL: usize = 8;
/// How near: this fraction above.
const NEARLY: f64 = 0.01;
/// A swap is kept if the inertia falls by this fraction; less may be the tolerance of the iterations.
const LESS: f64 = 2e-5;
/// Maximum number of iterations of a run over the sample.
const ITERATIONS: usize = 300;

/// The tolerance of runs over a sample, and of the run that begins with their centres, as a fraction of the tolerance of a run
/// that begins with seeds: near the end the centres shift little from the first iteration on.
pub(crate) const FINER: f64 = 0.1;

/// Two clusters that become one, and the increase of the inertia if no row changes its cluster otherwise.
#[derive(Debug, Clone, Copy)]
struct Merge {
    cost: f64,
    /// The cluster whose centre is freed.
    freed: usize,
    /// The cluster that takes its rows; `None` if each row goes to the next nearest centre.
    into: Option<usize>,
}

/// The clusters of a sample as a swap sees them.
struct Survey {
    weights: Vec<f64>,
    splits: Vec<Option<Split>>,
    merges: Vec<Merge>,
}

/// Centres from a sample of the rows: greedy k-means++, Lloyd's algorithm, swaps.
pub(crate) fn searched<T: Float>(problem: &Problem<'_, T>, clusters: usize, tol: f64, seed: u64) -> Result<Vec<f64>> {
    let rows = problem.points.rows();
    let wanted = (rows / 8).clamp(SAMPLE.0, SAMPLE.1).max(64 * clusters);
    let sample = Sample::draw(problem.points, problem.weights, wanted, &mut Random::new(seed, u64::MAX));
    let start = sample.plus_plus(clusters, &mut Random::new(seed, 0), problem.context)?;
    let positive = sample.weights().iter().filter(|weight| **weight > 0.0).count();
    if !(2..=MOST_CLUSTERS).contains(&clusters) || positive < clusters {
        return Ok(start);
    }
    let points = Points::of_columns(sample.columns().to_vec(), sample.len());
    let weights = problem.weights.map(|_| sample.weights());
    // One thread: a sample is too small to be shared out.
    let inline = problem.context.inline();
    let sampled = Problem { points: &points, weights, codes: None, ranges: problem.ranges, path: problem.path, context: &inline };
    let stop = Stop::Shift(sampled.total_squares()? / (sample.len() * sample.columns().len()) as f64 * tol * FINER);
    improved(&sampled, &sample, &start, stop)
}

/// Runs Lloyd's algorithm over the sample, and again after each swap that lowers the inertia.
fn improved(sampled: &Problem<'_, f64>, sample: &Sample, start: &[f64], stop: Stop) -> Result<Vec<f64>> {
    let clusters = start.len() / sample.columns().len();
    let mut best = sampled.run_until::<u8>(start, ITERATIONS, stop)?;
    let mut left = TRIES_IN_ALL.0 + TRIES_IN_ALL.1.min(clusters);
    'improve: loop {
        let survey = Survey::new(sample, &best.centers);
        for (split, merge) in survey.swaps().into_iter().take(TRIES.min(left)) {
            left -= 1;
            let centers = survey.swapped(&best.centers, split, merge);
            let mut run = sampled.run_until::<u8>(&centers, TRIAL, stop)?;
            if run.n_iter == TRIAL && run.inertia < best.inertia * (1.0 + NEARLY) {
                run = sampled.run_until::<u8>(&run.centers, ITERATIONS, stop)?;
            }
            if run.inertia < best.inertia * (1.0 - LESS) {
                best = run;
                continue 'improve;
            }
        }
        return Ok(best.centers);
    }
}

impl Survey {
    fn new(sample: &Sample, centers: &[f64]) -> Self {
        let d = sample.columns().len();
        let clusters = centers.len() / d;
        let mut members = vec![Vec::new(); clusters];
        let (mut weights, mut removals) = (vec![0.0; clusters], vec![0.0; clusters]);
        let mut x = vec![0.0; d];
        for (row, &weight) in sample.weights().iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
            x.iter_mut().zip(sample.columns()).for_each(|(x, column)| *x = column[row]);
            let (cluster, first, second) = nearest(&x, centers);
            members[cluster].push(row);
            weights[cluster] += weight;
            removals[cluster] += weight * (second - first);
        }
        let splits = members.iter().map(|rows| split(sample, rows)).collect();
        let mut merges: Vec<Merge> = removals.iter().enumerate().map(|(freed, &cost)| Merge { cost, freed, into: None }).collect();
        for freed in 1..clusters {
            for into in 0..freed {
                let both = weights[freed] + weights[into];
                let apart = squared_distance(&centers[freed * d..][..d], &centers[into * d..][..d]);
                // Ward's cost.
                let cost = if both > 0.0 { weights[freed] * weights[into] / both * apart } else { 0.0 };
                merges.push(Merge { cost, freed, into: Some(into) });
            }
        }
        merges.sort_by(|a, b| a.cost.total_cmp(&b.cost).then((a.freed, a.into).cmp(&(b.freed, b.into))));
        Self { weights, splits, merges }
    }

    /// Swaps of one merge and one split each, the most promising first.
    fn swaps(&self) -> Vec<(usize, Merge)> {
        let gain = |j: usize| self.splits[j].as_ref().map_or(0.0, |split| split.gain);
        let mut split: Vec<usize> = (0..self.splits.len()).filter(|&j| gain(j) > 0.0).collect();
        split.sort_by(|&a, &b| gain(b).total_cmp(&gain(a)).then(a.cmp(&b)));
        let mut swaps = Vec::new();
        for (rank, &j) in split.iter().take(COMBINED.0).enumerate() {
            // Of the ways to free a centre only the cheapest is tried.
            let mut freed = Vec::new();
            for merge in self.merges.iter().filter(|merge| merge.freed != j && merge.into != Some(j)) {
                if freed.len() == COMBINED.1 {
                    break;
                }
                if !freed.contains(&merge.freed) {
                    swaps.push((rank + MERGE_RANK * freed.len(), j, *merge));
                    freed.push(merge.freed);
                }
            }
        }
        // Stable: of the same rank, the better split first.
        swaps.sort_by_key(|(rank, _, _)| *rank);
        swaps.into_iter().map(|(_, split, merge)| (split, merge)).collect()
    }

    /// The centres after a swap.
    fn swapped(&self, centers: &[f64], split: usize, merge: Merge) -> Vec<f64> {
        let d = centers.len() / self.weights.len();
        let mut swapped = centers.to_vec();
        if let Some(into) = merge.into {
            let (a, b) = (self.weights[merge.freed], self.weights[into]);
            for f in 0..d {
                let (x, y) = (centers[merge.freed * d + f], centers[into * d + f]);
                swapped[into * d + f] = if a + b > 0.0 { (a * x + b * y) / (a + b) } else { y };
            }
        }
        if let Some(own) = &self.splits[split] {
            swapped[split * d..][..d].copy_from_slice(&own.centers[..d]);
            swapped[merge.freed * d..][..d].copy_from_slice(&own.centers[d..]);
        }
        swapped
    }
}

#[cfg(test)]
mod tests {
    use super::super::points::{FeatureValues, Features};
    use super::super::scan::ranges;
    use super::super::simd::SimdPath;
    use super::*;
    use crate::exec::context::Context;

    /// Nine groups of points in a square of three by three, some of them larger than others.
    fn groups() -> Vec<Vec<f64>> {
        let mut random = Random::new(1, 1);
        let mut columns = vec![Vec::new(), Vec::new()];
        for group in 0..9_usize {
            for _ in 0..40 * (group + 1) {
                columns[0].push((group % 3 * 10) as f64 + random.unit());
                columns[1].push((group / 3 * 10) as f64 + random.unit());
            }
        }
        columns
    }

    #[test]
    fn swaps_leave_a_local_optimum() {
        let columns = groups();
        let rows = columns[0].len();
        let points = Points::of_columns(columns.clone(), rows);
        let features = Features { names: None, values: FeatureValues::F64(points.clone()) };
        let context = Context::default();
        let Ok(ranges) = ranges(&features, &context) else { panic!("the values are finite") };
        let problem =
            Problem { points: &points, weights: None, codes: None, ranges: &ranges, path: SimdPath::fastest(), context: &context };
        let sample = Sample::draw(&points, None, rows, &mut Random::new(0, 0));
        // Two centres in each of the first four groups, one for all others.
        let mut start: Vec<f64> = (0..8).flat_map(|i| [f64::from(i / 2 % 3 * 10 + i % 2), f64::from(i / 6 * 10) + 0.5]).collect();
        start.extend([20.0, 20.0]);
        let local = problem.run_until::<u8>(&start, 100, Stop::Shift(0.0)).map(|run| run.inertia);
        let found = improved(&problem, &sample, &start, Stop::Shift(0.0));
        let best = found.and_then(|centers| problem.run_until::<u8>(&centers, 100, Stop::Shift(0.0))).map(|run| run.inertia);
        let (Ok(local), Ok(best)) = (local, best) else { panic!("no run failed") };
        // Each group has a variance of a sixth, both features together.
        assert!(best < rows as f64 / 5.0, "{best}");
        assert!(local > 10.0 * best, "{local}");
    }
}
