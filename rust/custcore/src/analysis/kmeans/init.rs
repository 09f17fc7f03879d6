//! Initial centres: greedy k-means++ on all rows or a sample, or rows drawn at random.

use super::points::{Float, Points};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::random::Random;

/// Maximum sample size for seeding (or 64 rows per cluster, if more): larger samples do not improve the seeds.
pub(crate) const SAMPLE: usize = 1 << 16;

/// How the initial centres are chosen.
#[derive(Debug, Clone, PartialEq)]
pub enum CenterInit {
    /// Greedy k-means++ (Arthur and Vassilvitskii 2007), with the number of trials of scikit-learn.
    PlusPlus,
    /// Greedy k-means++ on a sample, whose clusters are improved by swaps: one run.
    Searched,
    /// Distinct rows, drawn at random.
    Random,
    /// Given centres, one run for each set.
    Given(Vec<Vec<f64>>),
}

/// Rows in columnar layout, with their weights.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    columns: Vec<Vec<f64>>,
    weights: Vec<f64>,
}

impl Sample {
    /// All rows, or a stratified sample: one random row from each of `wanted` ranges of equal length.
    pub(crate) fn draw<T: Float>(points: &Points<T>, weights: Option<&[f64]>, wanted: usize, random: &mut Random) -> Self {
        let n = points.rows();
        let count = wanted.min(n);
        let mut columns = vec![Vec::with_capacity(count); points.n_features()];
        let mut x = vec![0.0; points.n_features()];
        let mut own = Vec::with_capacity(count);
        for i in 0..count {
            let edge = |i: usize| (i as u128 * n as u128 / count as u128) as usize;
            let (start, end) = (edge(i), edge(i + 1));
            let row = if count == n { i } else { start + random.below((end - start) as u64) as usize };
            points.read(row, &mut x);
            columns.iter_mut().zip(&x).for_each(|(column, &x)| column.push(x));
            own.push(weights.map_or(1.0, |weights| weights[row]));
        }
        Self { columns, weights: own }
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.weights.len()
    }

    /// The columns.
    pub(crate) fn columns(&self) -> &[Vec<f64>] {
        &self.columns
    }

    /// The weights; 1 if the rows have none.
    pub(crate) fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The rows.
    pub(crate) fn rows(&self) -> Vec<Vec<f64>> {
        (0..self.len()).map(|row| self.row(row)).collect()
    }

    /// The features of a row.
    pub(crate) fn row(&self, row: usize) -> Vec<f64> {
        self.columns.iter().map(|column| column[row]).collect()
    }

    /// Greedy k-means++: each centre is the best of several candidate rows, drawn with probability proportional to weight
    /// times squared distance to the nearest centre so far.
    pub(crate) fn plus_plus(&self, clusters: usize, random: &mut Random, context: &Context) -> Result<Vec<f64>> {
        let trials = 2 + (clusters as f64).ln() as usize;
        let first = draw_weighted(&self.weights, random);
        let mut centers = self.row(first);
        let mut closest = vec![f64::INFINITY; self.len()];
        self.update_closest(&centers.clone(), &mut closest);
        let mut best = vec![0.0; self.len()];
        let mut trial = vec![0.0; self.len()];
        for _ in 1..clusters {
            context.check()?;
            let mut cumulative: Vec<f64> = closest.iter().zip(&self.weights).map(|(d, w)| d * w).collect();
            accumulate(&mut cumulative);
            let mut found: Option<(f64, usize)> = None;
            for _ in 0..trials {
                let row = draw(&cumulative, random);
                trial.copy_from_slice(&closest);
                let potential = self.update_closest(&self.row(row), &mut trial);
                if found.is_none_or(|(before, _)| potential < before) {
                    found = Some((potential, row));
                    std::mem::swap(&mut trial, &mut best);
                }
            }
            let Some((_, row)) = found else { return Err(Error::internal("k-means++ found no candidate")) };
            std::mem::swap(&mut best, &mut closest);
            centers.extend(self.row(row));
        }
        Ok(centers)
    }

    /// Lowers each row's smallest squared distance to the distance to `center` if that is smaller, and returns the weighted
    /// sum, the potential.
    fn update_closest(&self, center: &[f64], closest: &mut [f64]) -> f64 {
        let mut sums = [0.0; 16];
        let mut distances = [0.0; 256];
        for (start, closest) in closest.chunks_mut(256).enumerate().map(|(i, chunk)| (i * 256, chunk)) {
            let distances = &mut distances[..closest.len()];
            distances.fill(0.0);
            for (column, c) in self.columns.iter().zip(center) {
                distances.iter_mut().zip(&column[start..]).for_each(|(d, x)| *d += (x - c) * (x - c));
            }
            for (i, ((closest, d), w)) in closest.iter_mut().zip(distances).zip(&self.weights[start..]).enumerate() {
                *closest = if *d < *closest { *d } else { *closest };
                sums[i % 16] += *closest * w;
            }
        }
        sums.iter().sum()
    }
}

fn draw_weighted(weights: &[f64], random: &mut Random) -> usize {
    let mut cumulative = weights.to_vec();
    accumulate(&mut cumulative);
    draw(&cumulative, random)
}

fn accumulate(values: &mut [f64]) {
    let mut sum = 0.0;
    values.iter_mut().for_each(|value| {
        sum += *value;
        *value = sum;
    });
}

/// Draws a row from cumulative weights. Rows of weight zero are drawn only if all weights are zero (or overflow).
fn draw(cumulative: &[f64], random: &mut Random) -> usize {
    let total = cumulative.last().copied().unwrap_or(0.0);
    if total <= 0.0 || !total.is_finite() {
        return random.below(cumulative.len() as u64) as usize;
    }
    let at = random.unit() * total;
    cumulative.partition_point(|&sum| sum <= at).min(cumulative.len() - 1)
}

/// Distinct rows drawn at random, with probability proportional to weight if weights are given.
pub(crate) fn random_rows<T: Float>(points: &Points<T>, weights: Option<&[f64]>, clusters: usize, random: &mut Random) -> Result<Vec<f64>> {
    let mut rows = Vec::with_capacity(clusters);
    match weights {
        None => {
            while rows.len() < clusters {
                let row = random.below(points.rows() as u64) as usize;
                if !rows.contains(&row) {
                    rows.push(row);
                }
            }
        }
        Some(weights) => {
            let mut remaining = weights.to_vec();
            if remaining.iter().filter(|&&w| w > 0.0).count() < clusters {
                let message = format!("init='random' needs at least {clusters} rows of positive weight");
                return Err(Error::new(ErrorKind::InvalidArgument, message));
            }
            while rows.len() < clusters {
                let mut cumulative = remaining.clone();
                accumulate(&mut cumulative);
                let row = draw(&cumulative, random);
                remaining[row] = 0.0;
                rows.push(row);
            }
        }
    }
    let mut centers = vec![0.0; clusters * points.n_features()];
    rows.iter().zip(centers.chunks_exact_mut(points.n_features())).for_each(|(&row, out)| points.read(row, out));
    Ok(centers)
}
