//! The validation pass over all values: finiteness and range.

use super::points::{Features, Float, Lane, PointBlock, Points, each_float};
use super::read::read;
use super::simd::{Lanes, SimdPath, Task};
use crate::column::BLOCK;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;

/// The minimum and maximum of each feature.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ranges(pub Vec<(f64, f64)>);

impl Ranges {
    fn empty(n_features: usize) -> Self {
        Self(vec![(f64::INFINITY, f64::NEG_INFINITY); n_features])
    }

    fn union(mut self, other: Self) -> Self {
        for (own, more) in self.0.iter_mut().zip(other.0) {
            *own = (own.0.min(more.0), own.1.max(more.1));
        }
        self
    }

    /// The largest absolute value of each feature.
    pub(crate) fn largest(&self) -> Vec<f64> {
        self.0.iter().map(|(low, high)| low.abs().max(high.abs())).collect()
    }
}

/// Spans below this have squared distances that are rounded to a multiple of the smallest float, or to zero.
const SMALLEST_SPAN: f64 = 1e-146;

/// Checks that the squared distances between all points and the centres `starts`, and their sum, are representable: if they are
/// infinite or zero, rows have no nearest centre.
pub(crate) fn check_squares(ranges: &Ranges, starts: &[Vec<f64>], features: &Features) -> Result<()> {
    let mut ends = ranges.0.clone();
    for center in starts.iter().flat_map(|start| start.chunks_exact(ranges.0.len().max(1))) {
        for (end, &x) in ends.iter_mut().zip(center) {
            *end = (end.0.min(x), end.1.max(x));
        }
    }
    let spans: Vec<f64> = ends.iter().map(|(low, high)| high - low).collect();
    let squares: f64 = spans.iter().map(|span| span * span).sum();
    let Some((widest, &span)) = spans.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)) else { return Ok(()) };
    let what = if !(squares * features.rows() as f64).is_finite() {
        "overflow"
    } else if span > 0.0 && span < SMALLEST_SPAN {
        "underflow"
    } else {
        return Ok(());
    };
    let name = features.name(widest);
    let message = format!(
        "the values of column '{name}' (a feature) span {span:e}, so that squared distances {what}. Scale the features first, e.g. \
         with custcore.Scaler"
    );
    Err(Error::new(ErrorKind::OutOfRange, message).in_column(name))
}

/// Runs `work` on every chunk, in parallel if the number of rows justifies it, and folds the results in order.
pub(crate) fn each_chunk<S: Send, R: Send>(
    chunks: Vec<S>,
    (context, rows): (&Context, usize),
    work: impl Fn(S) -> Result<R> + Send + Sync,
    fold: impl Fn(R, R) -> R,
) -> Result<Option<R>> {
    let results: Vec<Result<R>> = context.run_if_large(rows, |threads| threads.par_tasks(chunks, work))?;
    let mut total = None;
    for result in results {
        let result = result?;
        total = Some(match total {
            None => result,
            Some(before) => fold(before, result),
        });
    }
    Ok(total)
}

/// The number of blocks per chunk, chosen so that each of several threads gets several chunks; each chunk has buffers of its own.
pub(crate) fn blocks_in_chunk(blocks: usize, context: &Context) -> usize {
    let chunks = if context.threads() == 1 { 1 } else { context.threads() * 6 };
    blocks.div_ceil(chunks).max(1)
}

/// The ranges of all features; the error names the first non-finite value.
pub(crate) fn ranges(features: &Features, context: &Context) -> Result<Ranges> {
    each_float!(&features.values, points => ranges_of(points, features, context))
}

fn ranges_of<T: Float>(points: &Points<T>, features: &Features, context: &Context) -> Result<Ranges> {
    let blocks = points.blocks();
    let chunks: Vec<&[PointBlock]> = blocks.chunks(blocks_in_chunk(blocks.len(), context)).collect();
    let work = |chunk: &[PointBlock]| {
        let mut ranges = Ranges::empty(points.n_features());
        for block in chunk {
            context.check()?;
            for (lane, (low, high)) in points.lanes(block).iter().zip(&mut ranges.0) {
                let (block_low, block_high, finite) = SimdPath::fastest().run(Ends { lane, block });
                if !finite {
                    let missing = || Error::internal("a non-finite value was not found on the second pass");
                    return Err(first_nonfinite(points, chunk, features).unwrap_or_else(missing));
                }
                *low = low.min(block_low.wide());
                *high = high.max(block_high.wide());
            }
        }
        Ok(ranges)
    };
    let found = each_chunk(chunks, (context, points.rows()), work, Ranges::union)?;
    Ok(found.unwrap_or_else(|| Ranges::empty(points.n_features())))
}

/// The minimum and maximum of a feature in a block, and whether all values are finite.
struct Ends<'a, T: Float> {
    lane: &'a Lane<T>,
    block: &'a PointBlock,
}

impl<T: Float> Task for Ends<'_, T> {
    type Output = (T, T, bool);

    #[inline(always)]
    fn run<V: Lanes>(self) -> Self::Output {
        let mut buffer = [T::default(); BLOCK];
        let values = read::<V, T>(self.lane, self.block.start, self.block.len, &mut buffer);
        let start = values[0];
        let (mut low, mut high, mut zeros) = ([start; 32], [start; 32], [start.nothing(); 32]);
        let (chunks, rest) = values.as_chunks::<32>();
        for chunk in chunks {
            for i in 0..32 {
                let x = chunk[i];
                low[i] = if x < low[i] { x } else { low[i] };
                high[i] = if x > high[i] { x } else { high[i] };
                // Zero times a non-finite value is NaN, which propagates.
                zeros[i] = zeros[i].plus(x.nothing());
            }
        }
        for (i, &x) in rest.iter().enumerate() {
            low[i] = if x < low[i] { x } else { low[i] };
            high[i] = if x > high[i] { x } else { high[i] };
            zeros[i] = zeros[i].plus(x.nothing());
        }
        let least = low.iter().fold(start, |a, &b| if b < a { b } else { a });
        let most = high.iter().fold(start, |a, &b| if b > a { b } else { a });
        (least, most, zeros.iter().all(|x| x.wide() == 0.0))
    }
}

/// The error for the first non-finite value, if any.
pub(super) fn first_nonfinite<T: Float>(points: &Points<T>, chunk: &[PointBlock], features: &Features) -> Option<Error> {
    for block in chunk {
        for row in 0..block.len {
            for (feature, lane) in points.lanes(block).iter().enumerate() {
                let value = lane.get(block.start + row).wide();
                if !value.is_finite() {
                    let (name, row) = (features.name(feature), points.first_row(block) + row);
                    let found = if value.is_nan() { "NaN" } else { "infinite" };
                    let message = format!(
                        "column '{name}' (a feature) is {found} at row {row}; distances to it are undefined. Input X contains NaN or \
                         infinity: fill or drop such rows first"
                    );
                    return Some(Error::new(ErrorKind::NonFinite, message).in_column(name).at_row(row as u64));
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::points::FeatureValues;
    use super::*;

    #[test]
    fn features_whose_squares_are_not_representable_are_rejected() {
        let checked = |values: Vec<f64>, starts: &[Vec<f64>]| {
            let rows = values.len();
            let features = Features { names: None, values: FeatureValues::F64(Points::of_columns(vec![values], rows)) };
            let ranges = ranges(&features, &Context::default())?;
            check_squares(&ranges, starts, &features)
        };
        let kind = |found: Result<()>| found.map_err(|error| error.kind());
        for scale in [1e153, 1e-140, 1.0] {
            assert_eq!(kind(checked(vec![0.0, scale], &[])), Ok(()), "{scale}");
        }
        for scale in [1e154, 1e308, 1e-150, f64::from_bits(1)] {
            assert_eq!(kind(checked(vec![0.0, scale], &[])), Err(ErrorKind::OutOfRange), "{scale}");
        }
        // Large values near each other have small distances.
        assert_eq!(kind(checked(vec![1e200, 1e200], &[])), Ok(()));
        assert_eq!(kind(checked(vec![0.0, 1.0], &[vec![0.0, 1e200]])), Err(ErrorKind::OutOfRange));
    }
}
