//! Quality measures of a clustering. Sums over rows are exact, so results do not depend on threads or batch layout.

use super::init::Sample;
use super::kernel::squared_distance;
use super::points::Float;
use super::problem::{LloydRun, Problem};
use super::scan::each_chunk;
use super::share::Chunk;
use super::simd::{Lanes, Task};
use super::sums::{ClusterSums, Steps};
use crate::column::BLOCK;
use crate::error::Result;
use crate::exec::context::Context;
use crate::num::exact::quotient;

/// Quality measures; `None` where a measure is undefined.
#[derive(Debug, Clone, PartialEq)]
pub struct Quality {
    /// The sum of squared distances to the assigned centres.
    pub inertia: f64,
    /// Calinski-Harabasz index (1974); higher is better.
    pub calinski_harabasz: Option<f64>,
    /// Davies-Bouldin index (1979); lower is better.
    pub davies_bouldin: Option<f64>,
    /// Bayesian information criterion of spherical clusters with a common variance; lower is better.
    pub bic: Option<f64>,
    /// Mean simplified silhouette: distances to cluster means in place of mean distances to rows.
    pub silhouette_simplified: Option<f64>,
    /// Mean silhouette with squared Euclidean distances, exact.
    pub silhouette_squared: Option<f64>,
}

/// A mean silhouette and its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Silhouette {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
}

/// Statistics of a cluster for the second pass.
struct Cluster {
    rows: f64,
    /// Mean squared distance of the rows to their mean.
    variance: f64,
}

/// Sums by cluster over the rows of a chunk: squared distances and distances in the first pass, silhouettes in the second.
struct Pass<'a, 'p, T: Float> {
    problem: &'a Problem<'p, T>,
    chunk: &'a Chunk<u32>,
    means: &'a [f64],
    clusters: Option<&'a [Cluster]>,
    steps: [Steps; 2],
}

impl<T: Float> Task for Pass<'_, '_, T> {
    type Output = Result<(ClusterSums, Vec<i64>)>;

    #[inline(always)]
    fn run<V: Lanes>(self) -> Self::Output {
        let d = self.problem.points.n_features();
        let k = self.means.len() / d;
        let mut sums = ClusterSums::new(k, &self.steps);
        let mut rows = vec![0; k];
        let mut x = vec![0.0; d * BLOCK];
        let mut distance = vec![0.0; BLOCK];
        let [mut own, mut other, mut shifted] = [vec![0.0; BLOCK], vec![0.0; BLOCK], vec![0.0; BLOCK]];
        let mut start = 0;
        for block in &self.chunk.blocks {
            self.problem.context.check()?;
            sums.reserve(block.len);
            for (lane, x) in self.problem.points.lanes(block).iter().zip(x.chunks_exact_mut(BLOCK)) {
                let (values, stride) = lane.from(block.start);
                x.iter_mut().zip(values.iter().step_by(stride)).take(block.len).for_each(|(x, value)| *x = value.wide());
            }
            let labels = &self.chunk.labels[start..start + block.len];
            other.fill(f64::INFINITY);
            shifted.fill(f64::INFINITY);
            for (j, mean) in self.means.chunks_exact(d).enumerate() {
                let distance = &mut distance[..block.len];
                distance.fill(0.0);
                for (x, c) in x.chunks_exact(BLOCK).zip(mean) {
                    distance.iter_mut().zip(x).for_each(|(sum, x)| *sum += (x - c) * (x - c));
                }
                let Some(clusters) = self.clusters else {
                    own.iter_mut().zip(&*distance).zip(labels).for_each(|((own, d), label)| {
                        *own = if *label == j as u32 { *d } else { *own };
                    });
                    continue;
                };
                let variance_offset = if clusters[j].rows > 0.0 { clusters[j].variance } else { f64::INFINITY };
                let empty_offset = if clusters[j].rows > 0.0 { 0.0 } else { f64::INFINITY };
                for i in 0..block.len {
                    let (mine, d) = (labels[i] == j as u32, distance[i]);
                    own[i] = if mine { d } else { own[i] };
                    let (near, far) = (d + empty_offset, d + variance_offset);
                    other[i] = if !mine && near < other[i] { near } else { other[i] };
                    shifted[i] = if !mine && far < shifted[i] { far } else { shifted[i] };
                }
            }
            for (i, label) in labels.iter().enumerate() {
                let j = *label as usize;
                rows[j] += 1;
                let (first, second) = match self.clusters {
                    None => (own[i], own[i].sqrt()),
                    Some(clusters) => {
                        let Cluster { rows, variance } = clusters[j];
                        let mean_own = if rows > 1.0 { (own[i] + variance) * (rows / (rows - 1.0)) } else { shifted[i] };
                        (silhouette(own[i].sqrt(), other[i].sqrt()), silhouette(mean_own, shifted[i]))
                    }
                };
                sums.shift(None, j, 0, first);
                sums.shift(None, j, 1, second);
            }
            start += block.len;
        }
        Ok((sums, rows))
    }
}

/// The silhouette (b - a) / max(a, b), with a the distance to the own and b to the nearest other cluster.
fn silhouette(own: f64, other: f64) -> f64 {
    let larger = own.max(other);
    if larger > 0.0 && larger.is_finite() { (other - own) / larger } else { 0.0 }
}

/// The measures of a run; `chunks` hold its labels.
pub(crate) fn quality<T: Float>(problem: &Problem<'_, T>, run: &LloydRun<u32>, chunks: &[Chunk<u32>]) -> Result<Quality> {
    let (n, d) = (problem.points.rows() as f64, problem.points.n_features());
    let k = run.centers.len() / d;
    let reach = |mean: &[f64]| {
        let both = mean.iter().zip(&problem.ranges.0);
        both.fold(0.0, |sum, (c, (low, high))| sum + ((high - c) * (high - c)).max((low - c) * (low - c)))
    };
    let largest = run.means.chunks_exact(d).map(reach).fold(0.0, f64::max);
    let pass = |clusters: Option<&[Cluster]>, steps: [Steps; 2]| {
        let work = |chunk: &Chunk<u32>| problem.path.run(Pass { problem, chunk, means: &run.means, clusters, steps });
        let both = |(mut sums, mut rows): (ClusterSums, Vec<i64>), (more, others): (ClusterSums, Vec<i64>)| {
            sums.merge(more);
            rows.iter_mut().zip(others).for_each(|(a, b): (&mut i64, i64)| *a += b);
            (sums, rows)
        };
        each_chunk(chunks.iter().collect(), (problem.context, problem.points.rows()), work, both)
    };
    let undefined = Quality {
        inertia: run.inertia,
        calinski_harabasz: None,
        davies_bouldin: None,
        bic: None,
        silhouette_simplified: None,
        silhouette_squared: None,
    };
    let Some((sums, rows)) = pass(None, [Steps::new(largest), Steps::new(largest.sqrt())])? else { return Ok(undefined) };
    let sum = |sums: &ClusterSums, j: usize, which: usize| quotient(&sums.get(2 * j + which), &[1.0]);
    let rows: Vec<f64> = rows.into_iter().map(|rows| rows as f64).collect();
    let within: Vec<f64> = (0..k).map(|j| sum(&sums, j, 0)).collect();
    let within_total: f64 = within.iter().sum();
    let bic = bic(&rows, within_total, n, d as f64);
    if k < 2 {
        return Ok(Quality { bic, ..undefined });
    }
    let total: f64 = problem.total_squares()?;
    let calinski_harabasz =
        (within_total > 0.0 && n > k as f64).then(|| (total - within_total) / (k as f64 - 1.0) / (within_total / (n - k as f64)));
    let mean_distance: Vec<f64> = (0..k).map(|j| if rows[j] > 0.0 { sum(&sums, j, 1) / rows[j] } else { 0.0 }).collect();
    let occupied: Vec<usize> = (0..k).filter(|&j| rows[j] > 0.0).collect();
    let mean = |j: usize| &run.means[j * d..][..d];
    let ratio = |i: usize, j: usize| {
        let separation = squared_distance(mean(i), mean(j)).sqrt();
        if separation > 0.0 { (mean_distance[i] + mean_distance[j]) / separation } else { 0.0 }
    };
    let worst = |i: usize| occupied.iter().filter(|&&j| j != i).map(|&j| ratio(i, j)).fold(0.0, f64::max);
    let davies_bouldin = occupied.iter().map(|&i| worst(i)).sum::<f64>() / occupied.len() as f64;
    let cluster = |j: usize| Cluster { rows: rows[j], variance: if rows[j] > 0.0 { within[j] / rows[j] } else { 0.0 } };
    let clusters: Vec<Cluster> = (0..k).map(cluster).collect();
    let Some((sums, _)) = pass(Some(&clusters), [Steps::new(1.0); 2])? else { return Ok(undefined) };
    let average = |which: usize| (0..k).map(|j| sum(&sums, j, which)).sum::<f64>() / n;
    Ok(Quality {
        inertia: run.inertia,
        calinski_harabasz,
        davies_bouldin: Some(davies_bouldin),
        bic,
        silhouette_simplified: Some(average(0)),
        silhouette_squared: Some(average(1)),
    })
}

/// The Bayesian information criterion of spherical clusters with a common variance: -2 log-likelihood + parameters * ln(n)
/// (Pelleg and Moore 2000).
fn bic(rows: &[f64], within_total: f64, n: f64, d: f64) -> Option<f64> {
    let k = rows.len() as f64;
    let variance = within_total / (d * (n - k));
    if !(variance > 0.0 && variance.is_finite()) {
        return None;
    }
    let log_proportions: f64 = rows.iter().filter(|&&rows| rows > 0.0).map(|rows| rows * (rows / n).ln()).sum();
    let likelihood = log_proportions - n * d / 2.0 * (std::f64::consts::TAU * variance).ln() - d * (n - k) / 2.0;
    Some((k * (d + 1.0)).mul_add(n.ln(), -2.0 * likelihood))
}

/// The mean silhouette within the sample for each labelling; pairwise distances are computed once for all labellings.
pub(crate) fn silhouettes(sample: &Sample, labels: &[Vec<usize>], ks: &[usize], context: &Context) -> Result<Vec<Option<Silhouette>>> {
    let m = sample.len();
    let counts = |(labels, &k): (&Vec<usize>, &usize)| {
        let mut counts = vec![0.0_f64; k];
        labels.iter().for_each(|&label| counts[label] += 1.0);
        counts
    };
    let counts: Vec<Vec<f64>> = labels.iter().zip(ks).map(counts).collect();
    let of_row = |row: usize| -> Result<Vec<f64>> {
        context.check()?;
        let mut distances = vec![0.0; m];
        for column in sample.columns() {
            let own = column[row];
            distances.iter_mut().zip(column).for_each(|(sum, x)| *sum += (x - own) * (x - own));
        }
        distances.iter_mut().for_each(|distance| *distance = distance.sqrt());
        let of_labels = |(labels, counts): (&Vec<usize>, &Vec<f64>)| {
            let mut sums = vec![0.0; counts.len()];
            labels.iter().zip(&distances).for_each(|(&label, distance)| sums[label] += distance);
            let own = labels[row];
            if counts[own] < 2.0 {
                return 0.0;
            }
            let others = (0..sums.len()).filter(|&j| j != own && counts[j] > 0.0).map(|j| sums[j] / counts[j]);
            silhouette(sums[own] / (counts[own] - 1.0), others.fold(f64::INFINITY, f64::min))
        };
        Ok(labels.iter().zip(&counts).map(of_labels).collect())
    };
    let rows: Vec<usize> = (0..m).collect();
    let work = |rows: &[usize]| rows.iter().map(|&row| of_row(row)).collect::<Result<Vec<_>>>();
    let both = |mut a: Vec<Vec<f64>>, b: Vec<Vec<f64>>| {
        a.extend(b);
        a
    };
    let each = each_chunk(rows.chunks(64).collect(), (context, m * m), work, both)?.unwrap_or_default();
    let summary = |(at, &k): (usize, &usize)| {
        if k < 2 {
            return None;
        }
        let mean = each.iter().map(|row| row[at]).sum::<f64>() / m as f64;
        let squares: f64 = each.iter().map(|row| (row[at] - mean).powi(2)).sum();
        Some(Silhouette { mean, error: (squares / (m as f64 - 1.0).max(1.0) / m as f64).sqrt() })
    };
    Ok(ks.iter().enumerate().map(summary).collect())
}
