//! Fitting a model, the best of several runs, and prediction.

use serde::{Deserialize, Serialize};

use super::distinct::{Distinct, distinct};
use super::init::{CenterInit, SAMPLE, Sample, random_rows};
use super::kernel::{nearest, squared_distance};
use super::label::Label;
use super::points::{Features, Float, Points, each_float};
use super::problem::{LloydRun, Problem};
use super::scaler::feature_count_mismatch;
use super::scan::{Ranges, check_squares, each_chunk, ranges};
use super::search::{FINER, searched};
use super::share::Chunk;
use super::simd::SimdPath;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::random::Random;

/// Settings of a fit.
#[derive(Debug, Clone, PartialEq)]
pub struct KMeansSpec {
    /// Number of clusters.
    pub n_clusters: usize,
    /// How the initial centres are chosen.
    pub init: CenterInit,
    /// Number of runs; the one with the lowest inertia is kept.
    pub n_init: usize,
    /// Maximum number of iterations per run.
    pub max_iter: usize,
    /// A run stops when the squared centre shift is at most `tol` times the mean variance of the features.
    pub tol: f64,
    /// The seed.
    pub seed: u64,
    /// The SIMD instruction set; it does not affect the result.
    pub path: SimdPath,
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KMeansModel {
    /// Number of features.
    pub n_features: usize,
    /// The centres, row-major.
    pub centers: Vec<f64>,
    /// The initial centres of the run.
    pub init_centers: Vec<f64>,
    /// The sum of squared distances to the assigned centres.
    #[serde(with = "crate::num::exact::every_float")]
    pub inertia: f64,
    /// Number of iterations, counted as in scikit-learn.
    pub n_iter: usize,
    /// Number of non-empty clusters.
    pub n_nonempty: usize,
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

/// Checks that there is one weight per row, that all are finite and non-negative, and that at least one is positive.
pub(super) fn check_weights(weights: Option<&[f64]>, rows: usize) -> Result<()> {
    let Some(weights) = weights else { return Ok(()) };
    if weights.len() != rows {
        return Err(invalid(format!("sample_weight has {} values for {rows} rows; pass one per row", weights.len())));
    }
    if let Some(row) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
        return Err(
            invalid(format!("sample_weight is {} at row {row}; weights must be finite and non-negative", weights[row])).at_row(row as u64)
        );
    }
    if weights.iter().all(|&w| w == 0.0) {
        return Err(invalid("all weights are zero; at least one must be positive".to_owned()));
    }
    Ok(())
}

impl KMeansSpec {
    fn check(&self, rows: usize, n_features: usize) -> Result<()> {
        if rows == 0 {
            return Err(super::points::not_enough("there are no rows to cluster"));
        }
        if self.n_clusters == 0 || self.max_iter == 0 || self.n_init == 0 {
            return Err(invalid("n_clusters, n_init and max_iter must be at least 1".to_owned()));
        }
        if !(self.tol >= 0.0 && self.tol.is_finite()) {
            return Err(invalid(format!("tol={} must be finite and at least 0", self.tol)));
        }
        if self.n_clusters > rows {
            return Err(invalid(format!("n_samples={rows} should be >= n_clusters={}.", self.n_clusters)));
        }
        if let CenterInit::Given(starts) = &self.init {
            if starts.is_empty() {
                return Err(invalid("no initial centres were given".to_owned()));
            }
            if starts.iter().any(|start| start.len() != self.n_clusters * n_features) {
                return Err(invalid(format!(
                    "the initial centres must have {} rows (n_clusters) of {n_features} features",
                    self.n_clusters
                )));
            }
            if starts.iter().flatten().any(|x| !x.is_finite()) {
                return Err(Error::new(ErrorKind::NonFinite, "the initial centres contain NaN or infinity"));
            }
        }
        Ok(())
    }

    /// Fits a model and returns it with the label of each row.
    pub fn fit(&self, features: &Features, weights: Option<&[f64]>, context: &Context) -> Result<(KMeansModel, Vec<i32>)> {
        self.check(features.rows(), features.n_features())?;
        check_weights(weights, features.rows())?;
        // Nested entries into the pool are cheap from its own threads.
        context.run_if_large(features.rows(), |_| {
            let ranges = ranges(features, context)?;
            let starts: &[Vec<f64>] = if let CenterInit::Given(starts) = &self.init { starts } else { &[] };
            check_squares(&ranges, starts, features)?;
            each_float!(&features.values, points => self.fit_points(points, weights, &ranges, context))
        })?
    }

    fn fit_points<T: Float>(
        &self,
        points: &Points<T>,
        weights: Option<&[f64]>,
        ranges: &Ranges,
        context: &Context,
    ) -> Result<(KMeansModel, Vec<i32>)> {
        let problem = Problem { points, weights, codes: None, ranges, path: self.path, context };
        let starts = self.initial_centers(&problem)?;
        let deduplicated = if weights.is_none() { distinct(points, ranges, context)? } else { None };
        if let Some(Distinct { points, counts, codes }) = deduplicated {
            let problem = Problem { points: &points, weights: Some(&counts), codes: Some(&codes), ranges, path: self.path, context };
            return self.dispatch_labels(&problem, starts);
        }
        self.dispatch_labels(&problem, starts)
    }

    fn dispatch_labels<T: Float>(&self, problem: &Problem<'_, T>, starts: Vec<Vec<f64>>) -> Result<(KMeansModel, Vec<i32>)> {
        if self.n_clusters <= 256 { self.best_run::<T, u8>(problem, starts) } else { self.best_run::<T, u32>(problem, starts) }
    }

    fn best_run<T: Float, L: Label>(&self, problem: &Problem<'_, T>, starts: Vec<Vec<f64>>) -> Result<(KMeansModel, Vec<i32>)> {
        let n_features = problem.points.n_features();
        let mut best: Option<(LloydRun<L>, Vec<f64>)> = None;
        for start in starts {
            let run = problem.run::<L>(&start, self.max_iter, self.run_tol())?;
            let better = best.as_ref().is_none_or(|(before, _)| {
                run.inertia < before.inertia && !is_same_clustering(&run.chunks, &before.chunks, self.n_clusters)
            });
            if better {
                best = Some((run, start));
            }
        }
        let Some((run, init_centers)) = best else { return Err(Error::internal("no k-means run")) };
        let (labels, seen) = collect_labels(&run.chunks, self.n_clusters, problem.load())?;
        let labels = match problem.codes {
            Some(codes) => {
                let label = |row: usize| labels[codes[row] as usize];
                problem.context.run_if_large(codes.len(), |threads| threads.par_map(codes.len(), label))?
            }
            None => labels,
        };
        let n_nonempty = seen.iter().filter(|&&seen| seen).count();
        let model = KMeansModel { n_features, centers: run.centers, init_centers, inertia: run.inertia, n_iter: run.n_iter, n_nonempty };
        Ok((model, labels))
    }

    /// The tolerance of a run.
    fn run_tol(&self) -> f64 {
        if self.init == CenterInit::Searched { self.tol * FINER } else { self.tol }
    }

    fn initial_centers<T: Float>(&self, problem: &Problem<'_, T>) -> Result<Vec<Vec<f64>>> {
        match &self.init {
            CenterInit::Given(starts) => Ok(starts.clone()),
            CenterInit::Searched => Ok(vec![searched(problem, self.n_clusters, self.tol, self.seed)?]),
            CenterInit::Random => (0..self.n_init)
                .map(|run| random_rows(problem.points, problem.weights, self.n_clusters, &mut Random::new(self.seed, run as u64)))
                .collect(),
            CenterInit::PlusPlus => {
                let wanted = SAMPLE.max(64 * self.n_clusters);
                let sample = Sample::draw(problem.points, problem.weights, wanted, &mut Random::new(self.seed, u64::MAX));
                let start = |run| sample.plus_plus(self.n_clusters, &mut Random::new(self.seed, run as u64), problem.context);
                (0..self.n_init).map(start).collect()
            }
        }
    }
}

/// Whether labelling `b` is the same clustering as `a` up to the numbering of clusters.
fn is_same_clustering<L: Label>(a: &[Chunk<L>], b: &[Chunk<L>], clusters: usize) -> bool {
    let mut mapped: Vec<Option<L>> = vec![None; clusters];
    let labels = |chunks| <[Chunk<L>]>::iter(chunks).flat_map(|chunk| &chunk.labels);
    labels(a).zip(labels(b)).all(|(a, b)| *mapped[a.index()].get_or_insert(*b) == *b)
}

/// The labels of all rows, and which clusters are non-empty.
fn collect_labels<L: Label>(chunks: &[Chunk<L>], clusters: usize, load: (&Context, usize)) -> Result<(Vec<i32>, Vec<bool>)> {
    let mut labels = vec![0; chunks.iter().map(|chunk| chunk.labels.len()).sum()];
    let mut rest = labels.as_mut_slice();
    let pairs = chunks.iter().map(|chunk| (chunk, rest.split_off_mut(..chunk.labels.len()).unwrap_or_default())).collect();
    let work = |(chunk, out): (&Chunk<L>, &mut [i32])| {
        let mut seen = vec![false; clusters];
        for (out, label) in out.iter_mut().zip(&chunk.labels) {
            seen[label.index()] = true;
            *out = label.index() as i32;
        }
        Ok(seen)
    };
    let union = |a: Vec<bool>, b: Vec<bool>| a.iter().zip(&b).map(|(a, b)| a | b).collect();
    let seen = each_chunk(pairs, load, work, union)?.unwrap_or_default();
    Ok((labels, seen))
}

impl KMeansModel {
    /// Number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.centers.len() / self.n_features.max(1)
    }

    /// Checks that the parameters of a stored model are consistent.
    pub fn check_sound(&self, names: Option<&[String]>) -> Result<()> {
        let d = self.n_features;
        let sound = d > 0
            && !self.centers.is_empty()
            && self.centers.len().is_multiple_of(d)
            && self.init_centers.len() == self.centers.len()
            && self.centers.iter().chain(&self.init_centers).all(|x| x.is_finite())
            && names.is_none_or(|names| names.len() == d);
        if sound { Ok(()) } else { Err(invalid("invalid model parameters: centres of inconsistent shape or not finite".to_owned())) }
    }

    fn check_width(&self, features: &Features) -> Result<()> {
        if features.n_features() == self.n_features { Ok(()) } else { Err(feature_count_mismatch(features.n_features(), self.n_features)) }
    }

    fn check(&self, features: &Features, context: &Context) -> Result<Ranges> {
        self.check_width(features)?;
        ranges(features, context)
    }

    /// The index of the nearest centre of every row.
    pub fn predict(&self, features: &Features, path: SimdPath, context: &Context) -> Result<Vec<i32>> {
        self.check_width(features)?;
        let ranges = Ranges::of_centers(&self.centers, self.n_features);
        each_float!(&features.values, points => {
            let problem = Problem { points, weights: None, codes: None, ranges: &ranges, path, context };
            problem.predict(&self.centers, features)
        })
    }

    /// The negative inertia of the rows with respect to the centres.
    pub fn score(&self, features: &Features, weights: Option<&[f64]>, context: &Context) -> Result<f64> {
        check_weights(weights, features.rows())?;
        let (ranges, path) = (self.check(features, context)?, SimdPath::fastest());
        each_float!(&features.values, points => {
            let problem = Problem { points, weights, codes: None, ranges: &ranges, path, context };
            let labels = problem.labels::<u32>(&self.centers)?;
            Ok(-problem.inertia(&self.centers, &labels)?)
        })
    }

    /// The distance of every row to every centre, row-major.
    pub fn transform(&self, features: &Features, context: &Context) -> Result<Vec<f64>> {
        self.check(features, context)?;
        each_float!(&features.values, points => {
            let mut x = vec![0.0; self.n_features];
            let mut out = Vec::with_capacity(points.rows() * self.n_clusters());
            for row in 0..points.rows() {
                if row % 4096 == 0 {
                    context.check()?;
                }
                points.read(row, &mut x);
                out.extend(self.centers.chunks_exact(self.n_features).map(|center| squared_distance(&x, center).sqrt()));
            }
            Ok(out)
        })
    }

    /// The index of the nearest centre of one point.
    pub fn predict_one(&self, values: &[f64]) -> Result<usize> {
        if values.len() != self.n_features {
            return Err(feature_count_mismatch(values.len(), self.n_features));
        }
        if let Some(feature) = values.iter().position(|x| !x.is_finite()) {
            let message = format!("feature {feature} is {}, after scaling; distances to it are undefined", values[feature]);
            return Err(Error::new(ErrorKind::NonFinite, message));
        }
        Ok(nearest(values, &self.centers).0)
    }
}
