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

/// The number of blocks per chunk, chosen so that each thread gets several chunks.
pub(crate) fn blocks_in_chunk(blocks: usize, context: &Context) -> usize {
    blocks.div_ceil(context.threads() * 6).max(1)
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
