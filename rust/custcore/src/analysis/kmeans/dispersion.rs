//! Exact sums of feature values and squared distances, block by block.

use super::label::Label;
use super::points::{Float, PointBlock};
use super::problem::Problem;
use super::read::ReadWide;
use super::share::Chunk;
use super::simd::{Lanes, Task};
use super::sums::{ClusterSums, Steps};
use crate::column::BLOCK;
use crate::error::Result;

/// The terms that are summed over the rows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Terms<'a> {
    /// The value of a feature.
    Value {
        /// The index of the feature.
        feature: usize,
    },
    /// The squared deviation of a feature from its mean.
    Square {
        /// The index of the feature.
        feature: usize,
        /// The mean of the feature.
        mean: f64,
    },
    /// The squared distance to the assigned centre.
    Distance {
        /// The centres, row-major.
        centers: &'a [f64],
    },
}

/// Sums terms over the rows of a chunk.
pub(crate) struct Dispersion<'a, 'p, T: Float, L> {
    /// The clustering problem.
    pub problem: &'a Problem<'p, T>,
    /// The rows.
    pub chunk: &'a Chunk<L>,
    /// The terms.
    pub terms: Terms<'a>,
    /// Weights of the terms.
    pub weights: Option<&'a [f64]>,
    /// An upper bound on the terms.
    pub largest: f64,
}

impl<T: Float, L: Label> Task for Dispersion<'_, '_, T, L> {
    /// The sum; `None` if it is infinite.
    type Output = Result<Option<ClusterSums>>;

    #[inline(always)]
    fn run<V: Lanes>(self) -> Self::Output {
        let steps = Steps::new(self.largest);
        let mut sums = ClusterSums::new(1, &[steps]);
        let mut terms = vec![0.0; BLOCK];
        let mut x = vec![0.0; BLOCK * self.problem.points.n_features()];
        let mut start = 0;
        for block in &self.chunk.blocks {
            self.problem.context.check()?;
            let out = &mut terms[..block.len];
            self.fill(block, start, &mut x, out);
            let weights = self.weights.map(|weights| &weights[self.chunk.first_row + start..][..block.len]);
            if !self.largest.is_finite() && out.iter().enumerate().any(|(i, x)| x.is_infinite() && weights.is_none_or(|w| w[i] > 0.0)) {
                return Ok(None);
            }
            match weights {
                Some(weights) => out.iter().zip(weights).for_each(|(&term, &weight)| sums.add_product(0, weight, term)),
                None => add_all(out, steps, &mut sums),
            }
            start += block.len;
        }
        Ok(Some(sums))
    }
}

impl<T: Float, L: Label> Dispersion<'_, '_, T, L> {
    #[inline(always)]
    fn fill(&self, block: &PointBlock, start: usize, x: &mut [f64], out: &mut [f64]) {
        let lanes = self.problem.points.lanes(block);
        let d = lanes.len();
        let lanes = match self.terms {
            Terms::Value { feature } | Terms::Square { feature, .. } => &lanes[feature..=feature],
            Terms::Distance { .. } => lanes,
        };
        self.problem.path.run(ReadWide { lanes, start: block.start, len: block.len, stride: BLOCK, out: x });
        match self.terms {
            Terms::Value { .. } => out.copy_from_slice(&x[..block.len]),
            Terms::Square { mean, .. } => out.iter_mut().zip(x).for_each(|(out, x)| *out = (*x - mean) * (*x - mean)),
            Terms::Distance { centers } => {
                let labels = &self.chunk.labels[start..start + block.len];
                out.fill(0.0);
                for (f, x) in x.chunks_exact(BLOCK).enumerate() {
                    if let Some(bytes) = L::bytes(labels) {
                        // Indexing a table of 256 elements by a byte needs no bounds check.
                        let mut table = [0.0; 256];
                        table.iter_mut().zip(centers[f..].iter().step_by(d)).for_each(|(slot, &c)| *slot = c);
                        for ((out, label), x) in out.iter_mut().zip(bytes).zip(x) {
                            let difference = x - table[usize::from(*label)];
                            *out += difference * difference;
                        }
                    } else {
                        for ((out, label), x) in out.iter_mut().zip(labels).zip(x) {
                            let difference = x - centers[label.index() * d + f];
                            *out += difference * difference;
                        }
                    }
                }
            }
        }
    }
}

/// Adds the terms of a block exactly.
#[inline(always)]
fn add_all(terms: &[f64], steps: Steps, sums: &mut ClusterSums) {
    let (mut high, mut low, mut partial) = ([0_i64; 8], [0_i64; 8], [0_u64; 8]);
    let chunks = terms.chunks_exact(8);
    let rest = chunks.remainder();
    for chunk in chunks {
        for i in 0..8 {
            let (h, l, whole) = steps.split(chunk[i]);
            high[i] += h;
            low[i] += l;
            partial[i] |= u64::from(!whole);
        }
    }
    for &term in rest {
        let (h, l, whole) = steps.split(term);
        high[0] += h;
        low[0] += l;
        partial[0] |= u64::from(!whole);
    }
    sums.add_whole(0, high.iter().sum(), low.iter().sum());
    if partial.iter().any(|&some| some != 0) {
        terms.iter().filter(|&&term| !steps.split(term).2).for_each(|&term| sums.add_rest(0, term));
    }
}

#[cfg(test)]
mod tests {
    use crate::analysis::kmeans::model::KMeansModel;
    use crate::analysis::kmeans::points::{FeatureValues, Features, Points};
    use crate::exec::context::Context;

    #[test]
    fn a_sum_of_infinite_distances_is_infinite() {
        let values: Vec<f64> = (0..3000).map(|i| if i % 2 == 0 { 1e200 } else { -1e200 * f64::from(i) }).collect();
        let features = Features { names: None, values: FeatureValues::F64(Points::of_columns(vec![values], 3000)) };
        let centers = vec![0.0, -1e200];
        let model = KMeansModel { n_features: 1, init_centers: centers.clone(), centers, inertia: 0.0, n_iter: 1, n_nonempty: 2 };
        for weights in [None, Some(vec![1.0; 3000])] {
            let score = model.score(&features, weights.as_deref(), &Context::default());
            assert_eq!(score.ok(), Some(f64::NEG_INFINITY));
        }
    }
}
