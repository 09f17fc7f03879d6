//! Choosing k: the same rows clustered for several k, with quality measures of each.
//!
//! For every k the centres are searched on a sample, or `n_init` runs are done on one; then the best centres are continued on all
//! rows. For small inputs the sample is the whole input, and the best of the `n_init` runs is the result.

use super::init::Sample;
use super::kernel::nearest;
use super::points::{Features, Float, Points, each_float};
use super::problem::{LloydRun, Problem};
use super::quality::{Quality, Silhouette, quality, silhouettes};
use super::scan::{Ranges, check_squares, each_chunk, ranges};
use super::search::{FINER, searched};
use super::share::Chunk;
use super::simd::SimdPath;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::random::Random;

/// Maximum sample size of the initial runs (or 64 rows per cluster, if more).
const START_SAMPLE: usize = 1 << 15;

/// Settings of the choice of k.
#[derive(Debug, Clone, PartialEq)]
pub struct KChoice {
    /// The values of k to try.
    pub ks: Vec<usize>,
    /// Number of runs for each k; `None` for a search, see [`super::init::CenterInit::Searched`].
    pub n_init: Option<usize>,
    /// Maximum number of iterations per run.
    pub max_iter: usize,
    /// See [`super::model::KMeansSpec::tol`].
    pub tol: f64,
    /// The seed.
    pub seed: u64,
    /// Sample size of the sampled silhouette.
    pub sample_size: usize,
}

/// The quality of a clustering with a given k.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Number of clusters.
    pub k: usize,
    /// Measures over all rows.
    pub quality: Quality,
    /// Mean silhouette within the sample, and its standard error; `None` for one cluster.
    pub silhouette: Option<Silhouette>,
}

/// A run before the pass over all rows.
enum Begun {
    /// The centres to start from, and the tolerance.
    From(Vec<f64>, f64),
    /// The sample was all rows: the run is complete.
    Done(LloydRun<u32>),
}

impl KChoice {
    /// Clusters the rows for each k.
    pub fn run(&self, features: &Features, context: &Context) -> Result<Vec<Fit>> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        let rows = features.rows();
        if rows == 0 {
            return Err(super::points::not_enough("there are no rows to cluster"));
        }
        if self.ks.is_empty() || self.ks.iter().any(|k| !(1..=rows.min(65_536)).contains(k)) {
            return invalid(format!(
                "every k of ks must be from 1 to the number of rows, {rows}; n_samples={rows} should be >= n_clusters"
            ));
        }
        if self.n_init == Some(0) || self.max_iter == 0 || !(self.tol >= 0.0 && self.tol.is_finite()) {
            return invalid("n_init and max_iter must be at least 1, and tol finite and at least 0".to_owned());
        }
        let ranges = ranges(features, context)?;
        check_squares(&ranges, &[], features)?;
        each_float!(&features.values, points => self.of_points(points, &ranges, context))
    }

    fn of_points<T: Float>(&self, points: &Points<T>, ranges: &Ranges, context: &Context) -> Result<Vec<Fit>> {
        let problem = Problem { points, weights: None, codes: None, ranges, path: SimdPath::fastest(), context };
        let begun = match self.n_init {
            Some(n_init) => self.best_of(&problem, n_init)?,
            None => self.searched(&problem)?,
        };
        let silhouette_sample = Sample::draw(points, None, self.sample_size.max(2), &mut Random::new(self.seed, u64::MAX - 1));
        let (mut qualities, mut labels) = (Vec::new(), Vec::new());
        for &k in &self.ks {
            // One run over all rows at a time is in memory.
            let run = match begun.iter().find(|(other, _)| *other == k) {
                Some((_, Begun::Done(run))) => run,
                Some((_, Begun::From(centers, tol))) => &problem.run::<u32>(centers, self.max_iter, *tol)?,
                None => return Err(Error::internal("no run for a value of k")),
            };
            labels.push(silhouette_sample.rows().iter().map(|row| nearest(row, &run.centers).0).collect::<Vec<_>>());
            let chunks: Vec<Chunk<u32>> = problem.labels(&run.centers)?;
            qualities.push((k, quality(&problem, run, &chunks)?));
        }
        let silhouettes = silhouettes(&silhouette_sample, &labels, &self.ks, context)?;
        Ok(qualities.into_iter().zip(silhouettes).map(|((k, quality), silhouette)| Fit { k, quality, silhouette }).collect())
    }

    /// For each k, centres that are found on a sample.
    fn searched<T: Float>(&self, problem: &Problem<'_, T>) -> Result<Vec<(usize, Begun)>> {
        let context = problem.context;
        // Searches are parallel with each other; each is in one thread.
        let work = |k: usize| Ok(vec![(k, Begun::From(searched(problem, k, self.tol, self.seed)?, self.tol * FINER))]);
        let both = |mut a: Vec<_>, b: Vec<_>| {
            a.extend(b);
            a
        };
        let rows = problem.points.rows().min(START_SAMPLE) * self.ks.len() * 10;
        Ok(each_chunk(self.ks.clone(), (context, rows), work, both)?.unwrap_or_default())
    }

    /// For each k, the best of several runs on a sample.
    fn best_of<T: Float>(&self, problem: &Problem<'_, T>, n_init: usize) -> Result<Vec<(usize, Begun)>> {
        let Problem { points, ranges, context, .. } = *problem;
        let most = self.ks.iter().copied().max().unwrap_or(1);
        let sample = Sample::draw(points, None, START_SAMPLE.max(64 * most), &mut Random::new(self.seed, u64::MAX));
        let sampled = Points::of_columns(sample.columns().to_vec(), sample.len());
        // Runs are parallel with each other, so each is sequential.
        let inline = context.inline();
        let sampled_problem = Problem { points: &sampled, weights: None, codes: None, ranges, path: problem.path, context: &inline };
        let jobs: Vec<(usize, u64)> = self.ks.iter().flat_map(|&k| (0..n_init as u64).map(move |start| (k, start))).collect();
        let work = |(k, start): (usize, u64)| {
            let seeds = sample.plus_plus(k, &mut Random::new(self.seed, start), context)?;
            Ok(vec![(k, sampled_problem.run::<u32>(&seeds, self.max_iter, self.tol)?)])
        };
        let keep = |mut best: Vec<(usize, LloydRun<u32>)>, next: Vec<(usize, LloydRun<u32>)>| {
            for (k, run) in next {
                match best.iter_mut().find(|(other, _)| *other == k) {
                    Some((_, before)) if run.inertia < before.inertia => *before = run,
                    Some(_) => {}
                    None => best.push((k, run)),
                }
            }
            best
        };
        let best = each_chunk(jobs, (context, sample.len() * n_init * self.ks.len()), work, keep)?.unwrap_or_default();
        let all = sample.len() == points.rows();
        Ok(best.into_iter().map(|(k, run)| (k, if all { Begun::Done(run) } else { Begun::From(run.centers, self.tol) })).collect())
    }
}

/// The index of the suggested fit and the reason: the smallest k whose sampled silhouette is within one standard error of
/// the best.
pub(crate) fn suggestion(fits: &[Fit]) -> Option<(usize, String)> {
    let known = || fits.iter().enumerate().filter_map(|(i, fit)| Some((i, fit.k, fit.silhouette?)));
    let best = known().max_by(|a, b| a.2.mean.total_cmp(&b.2.mean).then(b.1.cmp(&a.1)))?;
    let enough = best.2.mean - best.2.error;
    let (at, k, own) = known().filter(|(_, _, own)| own.mean >= enough).min_by_key(|(_, k, _)| *k)?;
    let reason = format!(
        "k={k} is suggested: the fewest clusters whose sampled silhouette ({:.3}) is within a standard error ({:.3}) of the best ({:.3} at k={})",
        own.mean, best.2.error, best.2.mean, best.1
    );
    Some((at, reason))
}
