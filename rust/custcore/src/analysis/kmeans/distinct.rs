//! Few distinct rows, found by themselves: features that are whole numbers of narrow ranges, as scores are.
//!
//! Such rows become points with a weight each. Sums are exact, so the result is that of the rows to the last bit.

use super::points::{Block, Float, Points};
use super::scan::{Ranges, each_share};
use crate::error::Result;
use crate::exec::context::Context;

/// Distinct rows that are looked for, at most.
const MOST: f64 = 65_536.0;

/// The distinct rows of a table.
#[derive(Debug, Clone)]
pub struct Distinct {
    /// One row of each kind.
    pub points: Points<f64>,
    /// How many there are of each kind.
    pub counts: Vec<f64>,
    /// The kind of each row.
    pub codes: Vec<u32>,
}

/// Rows of a share: their kinds, and how many of each.
struct Found {
    codes: Vec<u32>,
    counts: Vec<u32>,
}

/// The distinct rows, where all features are whole numbers and there are far fewer kinds than rows.
pub fn distinct<T: Float>(points: &Points<T>, ranges: &Ranges, context: &Context) -> Result<Option<Distinct>> {
    let widths: Vec<f64> = ranges.0.iter().map(|(low, high)| high - low + 1.0).collect();
    let cells: f64 = widths.iter().product();
    let whole = |x: f64| x.trunc() == x;
    // The bounds say it for most columns of other numbers at once.
    let few = cells <= MOST && cells * 8.0 <= points.rows() as f64;
    if !few || ranges.0.iter().any(|(low, _)| !whole(*low) || low.abs() >= 1e15) {
        return Ok(None);
    }
    let cells = cells as usize;
    let blocks = points.blocks();
    // Few shares: each has a count for every kind.
    let shares: Vec<&[Block]> = blocks.chunks(blocks.len().div_ceil(context.threads() * 2).max(1)).collect();
    let work = |share: &[Block]| {
        let mut codes = vec![0_u32; share.iter().map(|block| block.len).sum()];
        let mut counts = vec![0_u32; cells];
        let mut start = 0;
        for block in share {
            context.check()?;
            let own = &mut codes[start..start + block.len];
            let mut all_whole = true;
            for ((lane, (low, _)), width) in points.lanes(block).iter().zip(&ranges.0).zip(&widths) {
                let (values, stride) = lane.from(block.start);
                for (code, x) in own.iter_mut().zip(values.iter().step_by(stride)) {
                    let place = x.wide() - low;
                    let step = place as u32;
                    all_whole &= f64::from(step) == place;
                    *code = *code * *width as u32 + step;
                }
            }
            if !all_whole {
                return Ok(None);
            }
            own.iter().for_each(|&code| counts[code as usize] += 1);
            start += block.len;
        }
        Ok(Some(Found { codes, counts }))
    };
    let both = |a: Option<Found>, b: Option<Found>| {
        let (mut a, b) = (a?, b?);
        a.codes.extend_from_slice(&b.codes);
        a.counts.iter_mut().zip(&b.counts).for_each(|(a, b)| *a += b);
        Some(a)
    };
    let Some(Some(found)) = each_share(shares, (context, points.rows()), work, both)? else { return Ok(None) };
    let mut columns = vec![Vec::new(); widths.len()];
    let (mut counts, mut kinds) = (Vec::new(), vec![0_u32; cells]);
    for (cell, &count) in found.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        kinds[cell] = counts.len() as u32;
        counts.push(f64::from(count));
        let mut rest = cell;
        for (feature, column) in columns.iter_mut().enumerate().rev() {
            column.push(ranges.0[feature].0 + (rest % widths[feature] as usize) as f64);
            rest /= widths[feature] as usize;
        }
    }
    let mut codes = found.codes;
    codes.iter_mut().for_each(|code| *code = kinds[*code as usize]);
    let rows = counts.len();
    Ok(Some(Distinct { points: Points::of_columns(columns, rows), counts, codes }))
}
