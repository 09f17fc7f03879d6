//! Deduplication of rows with few distinct values: integer-valued features of narrow range, such as scores.
//!
//! Distinct rows become weighted points. Sums are exact, so the result is bit-identical to that of the original rows.

use super::points::{Float, PointBlock, Points};
use super::scan::{Ranges, each_chunk};
use crate::error::Result;
use crate::exec::context::Context;

/// Maximum size of the table of possible rows.
const MAX_CELLS: f64 = 65_536.0;

/// The distinct rows of a table.
#[derive(Debug, Clone)]
pub(crate) struct Distinct {
    /// The distinct rows.
    pub points: Points<f64>,
    /// The multiplicity of each.
    pub counts: Vec<f64>,
    /// For each input row, the index of its distinct row.
    pub codes: Vec<u32>,
}

/// The rows of a chunk: their table cells, and the number of rows per cell.
struct DistinctChunk {
    codes: Vec<u32>,
    counts: Vec<u32>,
}

/// The distinct rows; `None` unless all features are integer-valued and the possible rows are at most an eighth of the rows.
pub(crate) fn distinct<T: Float>(points: &Points<T>, ranges: &Ranges, context: &Context) -> Result<Option<Distinct>> {
    let widths: Vec<f64> = ranges.0.iter().map(|(low, high)| high - low + 1.0).collect();
    let cells: f64 = widths.iter().product();
    let whole = |x: f64| x.trunc() == x;
    // The lower bounds already exclude most columns of non-integers, without a pass over the rows.
    let few = cells <= MAX_CELLS && cells * 8.0 <= points.rows() as f64;
    if !few || ranges.0.iter().any(|(low, _)| !whole(*low) || low.abs() >= 1e15) {
        return Ok(None);
    }
    let cells = cells as usize;
    let blocks = points.blocks();
    // Few chunks, because each allocates a count per cell.
    let chunks: Vec<&[PointBlock]> = blocks.chunks(blocks.len().div_ceil(context.threads() * 2).max(1)).collect();
    let work = |chunk: &[PointBlock]| {
        let mut codes = vec![0_u32; chunk.iter().map(|block| block.len).sum()];
        let mut counts = vec![0_u32; cells];
        let mut start = 0;
        for block in chunk {
            context.check()?;
            let own = &mut codes[start..start + block.len];
            let mut all_whole = true;
            for ((lane, (low, _)), width) in points.lanes(block).iter().zip(&ranges.0).zip(&widths) {
                let (values, stride) = lane.from(block.start);
                for (code, x) in own.iter_mut().zip(values.iter().step_by(stride)) {
                    let offset = x.wide() - low;
                    let step = offset as u32;
                    all_whole &= f64::from(step) == offset;
                    *code = *code * *width as u32 + step;
                }
            }
            if !all_whole {
                return Ok(None);
            }
            own.iter().for_each(|&code| counts[code as usize] += 1);
            start += block.len;
        }
        Ok(Some(DistinctChunk { codes, counts }))
    };
    let merge = |a: Option<DistinctChunk>, b: Option<DistinctChunk>| {
        let (mut a, b) = (a?, b?);
        a.codes.extend_from_slice(&b.codes);
        a.counts.iter_mut().zip(&b.counts).for_each(|(a, b)| *a += b);
        Some(a)
    };
    let Some(Some(found)) = each_chunk(chunks, (context, points.rows()), work, merge)? else { return Ok(None) };
    let mut columns = vec![Vec::new(); widths.len()];
    let (mut counts, mut point_of_cell) = (Vec::new(), vec![0_u32; cells]);
    for (cell, &count) in found.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        point_of_cell[cell] = counts.len() as u32;
        counts.push(f64::from(count));
        let mut rest = cell;
        for (feature, column) in columns.iter_mut().enumerate().rev() {
            column.push(ranges.0[feature].0 + (rest % widths[feature] as usize) as f64);
            rest /= widths[feature] as usize;
        }
    }
    let mut codes = found.codes;
    codes.iter_mut().for_each(|code| *code = point_of_cell[*code as usize]);
    let rows = counts.len();
    Ok(Some(Distinct { points: Points::of_columns(columns, rows), counts, codes }))
}
