//! How ids become codes, chosen from what the data look like, never by the user.

use arrow_buffer::NullBuffer;

use super::interner::Interner;
use crate::column::BLOCK;
use crate::column::key::{IntegerKeys, KeyColumn, KeyKind, PlainKeys};
use crate::error::Result;
use crate::exec::par::Threads;
use crate::exec::simd::widest;

/// A range may have this many codes for each row seen, so that a slot for every code costs less than a table.
pub(crate) const CODES_PER_ROW: usize = 2;
/// The same when many more rows are to come.
const CODES_PER_FIRST_ROW: usize = 16;
/// A range up to this many codes is always worth it.
const SMALL_RANGE: usize = 1 << 16;

/// The way ids of one fold become codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyEncoding {
    /// Nothing was seen yet.
    Open,
    /// Distances from `base`, `len` codes.
    Range {
        /// The id of code 0.
        base: i64,
        /// Number of codes.
        len: usize,
    },
    /// Positions in one dictionary that all rows share.
    Values,
    /// A table.
    Table,
}

impl KeyEncoding {
    /// The plan after some more columns of ids, when `rows` rows were seen in all, and `more` says that as many are to come.
    /// `copies` states will have room for every code of a range, of which `held` have it now.
    #[must_use]
    pub(crate) fn extend(
        self,
        columns: &[(&KeyColumn, usize)],
        rows: u64,
        more: bool,
        (held, copies): (usize, usize),
        threads: Threads<'_>,
    ) -> Self {
        if matches!(self, Self::Table | Self::Values) {
            return self;
        }
        let mut ends: Option<(i64, i64)> = None;
        for (column, rows) in columns {
            let KeyColumn::Plain(PlainKeys::Integers(keys)) = column else { return Self::Table };
            if let Some((low, high)) = range(keys, column.nulls(), *rows, threads) {
                ends = Some(ends.map_or((low, high), |(a, b)| (a.min(low), b.max(high))));
            }
        }
        let Some((low, high)) = ends else { return self };
        let base = match self {
            Self::Range { base, .. } if base <= low => base,
            // An id before the range would move every code.
            Self::Range { .. } | Self::Values | Self::Table => return Self::Table,
            Self::Open => {
                // Later rows may bring smaller ids; most ids begin at 0 or 1, others get some room.
                let span = high.saturating_sub(low);
                if (0..=span.saturating_add(SMALL_RANGE as i64)).contains(&low) { 0 } else { low.saturating_sub(span / 8) }
            }
        };
        let Ok(len) = usize::try_from(i128::from(high) - i128::from(base) + 1) else { return Self::Table };
        let per_row = if more { CODES_PER_FIRST_ROW } else { CODES_PER_ROW };
        let most = usize::try_from(rows).unwrap_or(usize::MAX).saturating_mul(per_row).max(SMALL_RANGE);
        // The ends of a range are seldom among its first rows: with more to come it is taken for some longer than it is so far.
        let len = if more && len > SMALL_RANGE { len + len / 8 } else { len };
        let known = if let Self::Range { len, .. } = self { len } else { 0 };
        if len.saturating_mul(copies) > most.max(known.saturating_mul(held)) || len >= u32::MAX as usize - 1 {
            return Self::Table;
        }
        Self::Range { base, len: len.max(known) }
    }

    /// Makes an interner follow this plan.
    pub(crate) fn lead(self, interner: &mut Interner) -> Result<()> {
        match self {
            Self::Range { len, .. } => interner.extend_range(len),
            Self::Open | Self::Values => {}
            Self::Table => interner.leave_range()?,
        }
        Ok(())
    }

    /// An interner by this plan.
    pub(crate) fn interner(self, kind: KeyKind) -> Interner {
        match self {
            Self::Range { base, len } => {
                let mut interner = Interner::range(kind, base);
                interner.extend_range(len);
                interner
            }
            Self::Open | Self::Values | Self::Table => Interner::new(kind),
        }
    }
}

widest! {
    /// The smallest and the largest id.
    fn low_and_high(ids: &[i64]) -> (i64, i64) {
        ids.iter().fold((i64::MAX, i64::MIN), |(low, high), &id| (low.min(id), high.max(id)))
    }
}

/// The smallest and the largest id that is not null.
fn range(keys: &IntegerKeys, nulls: Option<&NullBuffer>, rows: usize, threads: Threads<'_>) -> Option<(i64, i64)> {
    const PIECE: usize = 64 * BLOCK;
    let piece = |piece: usize| {
        let mut ids = [0; BLOCK];
        let mut ends: Option<(i64, i64)> = None;
        let end = rows.min((piece + 1) * PIECE);
        for start in (piece * PIECE..end).step_by(BLOCK) {
            let ids = &mut ids[..BLOCK.min(end - start)];
            keys.read(start, ids);
            let (low, high) = match nulls {
                None => low_and_high(ids),
                Some(nulls) => {
                    let valid = ids.iter().enumerate().filter(|(i, _)| nulls.is_valid(start + i));
                    valid.fold((i64::MAX, i64::MIN), |(low, high), (_, &id)| (low.min(id), high.max(id)))
                }
            };
            if low <= high {
                ends = Some(ends.map_or((low, high), |(a, b)| (a.min(low), b.max(high))));
            }
        }
        ends
    };
    let join = |a: Option<(i64, i64)>, b: Option<(i64, i64)>| match (a, b) {
        (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
        (one, None) | (None, one) => one,
    };
    let pieces = rows.div_ceil(PIECE);
    threads.if_large(rows).par_tasks(0..pieces, piece).into_iter().fold(None, join)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array};

    use super::*;

    #[test]
    fn a_range_that_goes_on_has_room_for_ends_that_come_late() -> Result<()> {
        let ids = |high: i64| -> Result<KeyColumn> {
            let ids: ArrayRef = Arc::new(Int64Array::from_iter_values((0..1000).map(|i| i * high / 999)));
            KeyColumn::new("customer_id", "customer_id", &ids)
        };
        let (early, late) = (ids(900_000)?, ids(1_000_000)?);
        let first = KeyEncoding::Open.extend(&[(&early, 1000)], 100_000, true, (1, 1), Threads::inline());
        assert!(matches!(first, KeyEncoding::Range { base: 0, len } if len > 1_000_000));
        assert_eq!(first.extend(&[(&late, 1000)], 200_000, false, (1, 1), Threads::inline()), first);
        // Where nothing is to come, a range is as long as it is, and too long for so few rows.
        assert_eq!(KeyEncoding::Open.extend(&[(&early, 1000)], 100_000, false, (1, 1), Threads::inline()), KeyEncoding::Table);
        // Nor has each of several threads room for every code.
        assert_eq!(KeyEncoding::Open.extend(&[(&late, 1000)], 600_000, false, (2, 2), Threads::inline()), KeyEncoding::Table);
        assert!(matches!(KeyEncoding::Open.extend(&[(&late, 1000)], 600_000, false, (1, 1), Threads::inline()), KeyEncoding::Range { .. }));
        Ok(())
    }
}
