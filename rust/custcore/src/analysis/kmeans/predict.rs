//! Prediction in one pass: finiteness check, float32 bounds, and labels.

use super::assign::STRIDE;
use super::bounds::{BoundsCheck, HamerlyBounds};
use super::kernel::nearest;
use super::normalization::Normalization;
use super::points::{Features, Float, PointBlock};
use super::problem::Problem;
use super::read::ReadNormalized;
use super::scan::{Ranges, blocks_in_chunk, each_chunk, first_nonfinite};
use super::simd::{Lanes, Task};
use crate::error::Result;

impl Ranges {
    /// The ranges of the centres.
    pub(crate) fn of_centers(centers: &[f64], n_features: usize) -> Self {
        let ends = |feature: usize| {
            let own = centers[feature..].iter().step_by(n_features);
            own.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &c| (low.min(c), high.max(c)))
        };
        Self((0..n_features).map(ends).collect())
    }
}

impl<T: Float> Problem<'_, T> {
    /// The index of the nearest centre of every row. The ranges of the problem may be those of the centres: for rows far
    /// outside them the bounds are uncertain, and the label is computed in float64.
    pub(crate) fn predict(&self, centers: &[f64], features: &Features) -> Result<Vec<i32>> {
        let normalization = self.normalization();
        let bounds = HamerlyBounds::new(centers, &normalization, 0.0);
        let blocks = self.points.blocks();
        let mut labels = vec![0; self.points.rows()];
        let mut rest = labels.as_mut_slice();
        let chunk = |blocks| {
            let rows = <[PointBlock]>::iter(blocks).map(|block| block.len).sum();
            (blocks, rest.split_off_mut(..rows).unwrap_or_default())
        };
        let chunks: Vec<_> = blocks.chunks(blocks_in_chunk(blocks.len(), self.context)).map(chunk).collect();
        let work = |(blocks, labels)| {
            self.path.run(Predict { problem: self, features, centers, normalization: &normalization, bounds: &bounds, blocks, labels })
        };
        each_chunk(chunks, (self.context, self.points.rows()), work, |(), ()| ())?;
        Ok(labels)
    }
}

/// Labels the rows of a chunk of blocks.
struct Predict<'a, 'p, T: Float> {
    problem: &'a Problem<'p, T>,
    features: &'a Features,
    centers: &'a [f64],
    normalization: &'a Normalization,
    bounds: &'a HamerlyBounds,
    blocks: &'a [PointBlock],
    labels: &'a mut [i32],
}

impl<T: Float> Task for Predict<'_, '_, T> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<V: Lanes>(self) -> Result<()> {
        let Self { problem, features, centers, normalization, bounds, blocks, labels } = self;
        let d = problem.points.n_features();
        let [mut y, mut best, mut margin] = [vec![0.0; d * STRIDE], vec![0.0; STRIDE], vec![0.0; STRIDE]];
        let mut x = vec![0.0; d];
        let mut start = 0;
        for block in blocks {
            problem.context.check()?;
            let (lanes, len) = (problem.points.lanes(block), block.len);
            problem.path.run(ReadNormalized { lanes, start: block.start, len, normalization, stride: STRIDE, out: &mut y });
            // A finite value may overflow in float32. Its bounds are then uncertain, and the label is computed in float64.
            if !y.chunks_exact(STRIDE).all(|y| is_finite(&y[..len]))
                && let Some(error) = first_nonfinite(problem.points, &[*block], features)
            {
                return Err(error);
            }
            problem.path.run(BoundsCheck { bounds, y: &y, stride: STRIDE, len, best: &mut best, margin: &mut margin });
            let labels = &mut labels[start..start + len];
            let mut uncertain = 0;
            for ((label, best), margin) in labels.iter_mut().zip(&best).zip(&margin) {
                *label = *best as i32;
                uncertain |= u32::from(!(*margin > 0.0));
            }
            if uncertain != 0 {
                for (i, _) in margin[..len].iter().enumerate().filter(|(_, margin)| !(**margin > 0.0)) {
                    x.iter_mut().zip(lanes).for_each(|(x, lane)| *x = lane.get(block.start + i).wide());
                    labels[i] = nearest(&x, centers).0 as i32;
                }
            }
            start += len;
        }
        Ok(())
    }
}

/// Whether all values are finite.
#[inline(always)]
fn is_finite(values: &[f32]) -> bool {
    let (chunks, rest) = values.as_chunks::<16>();
    let mut zeros = [0.0; 16];
    for chunk in chunks {
        // Zero times a non-finite value is NaN, which propagates.
        zeros.iter_mut().zip(chunk).for_each(|(zeros, x)| *zeros += x * 0.0);
    }
    zeros.iter().all(|x| *x == 0.0) && rest.iter().all(|x| x.is_finite())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float32Array, Float64Array};

    use crate::analysis::kmeans::kernel::nearest;
    use crate::analysis::kmeans::model::KMeansModel;
    use crate::analysis::kmeans::points::{Features, MatrixLayout};
    use crate::analysis::kmeans::simd::SimdPath;
    use crate::error::{ErrorKind, Result};
    use crate::exec::context::Context;
    use crate::num::random::Random;

    fn model(d: usize, centers: Vec<f64>) -> KMeansModel {
        KMeansModel { n_features: d, init_centers: centers.clone(), centers, inertia: 0.0, n_iter: 1, n_nonempty: 1 }
    }

    /// Rows in C order, including ties and extreme values.
    fn rows(d: usize, n: usize) -> Vec<f64> {
        let mut random = Random::new(d as u64, n as u64);
        let value = |i: usize| match i % 97 {
            0 => 1e30 * (random.unit() - 0.5),
            1 => 1e-30,
            2..5 => 0.5,
            _ => f64::from((4.0 * random.unit() - 2.0) as f32),
        };
        (0..n * d).map(value).collect()
    }

    #[test]
    fn labels_match_brute_force() -> Result<()> {
        for d in 1..=9 {
            for n in [0, 1, 15, 33, 2048, 4099] {
                let values = rows(d, n);
                let centers: Vec<f64> = (0..5 * d).map(|i| ((i * 7 % 5) as f64) - 2.0).collect();
                let model = model(d, centers.clone());
                let layout = MatrixLayout { rows: n, columns: d, row_stride: d, column_stride: 1 };
                let narrow: Vec<f32> = values.iter().map(|&x| x as f32).collect();
                let widened = narrow.iter().map(|&x| f64::from(x)).collect();
                let arrays: [(ArrayRef, Vec<f64>); 2] =
                    [(Arc::new(Float64Array::from(values.clone())), values), (Arc::new(Float32Array::from(narrow)), widened)];
                for (array, values) in arrays {
                    let features = Features::from_matrix(&array, layout)?;
                    let expected: Vec<i32> = values.chunks_exact(d).map(|x| nearest(x, &centers).0 as i32).collect();
                    for path in SimdPath::available() {
                        assert_eq!(model.predict(&features, path, &Context::default())?, expected, "{d} {n} {}", path.name());
                    }
                }
            }
        }
        Ok(())
    }

    #[test]
    fn error_names_the_first_non_finite_row() -> Result<()> {
        let mut values = rows(3, 5000);
        (values[3 * 4500], values[3 * 3100 + 1]) = (f64::NAN, f64::INFINITY);
        let layout = MatrixLayout { rows: 5000, columns: 3, row_stride: 3, column_stride: 1 };
        let features = Features::from_matrix(&(Arc::new(Float64Array::from(values)) as ArrayRef), layout)?;
        let found = model(3, vec![1.0; 6]).predict(&features, SimdPath::fastest(), &Context::default());
        let error = found.err().map(|error| (error.kind(), error.to_string()));
        assert!(error.is_some_and(|(kind, text)| kind == ErrorKind::NonFinite && text.contains("'1' (a feature) is infinite at row 3100")));
        Ok(())
    }
}
