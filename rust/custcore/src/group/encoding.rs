//! The key encoding: how ids map to codes. Chosen from the data, never by the user.

use super::id_ranks::{IDS_PER_ROW, IdColumn, IdRanks, IsCancelled, Sampled, range_of, sampled};
use super::interner::Interner;
use crate::column::key::{KeyColumn, KeyKind, PlainKeys};
use crate::error::Result;
use crate::exec::par::Threads;

/// Codes per row up to which offset encoding is used: a slot for every code then costs less than a hash table.
pub(crate) const CODES_PER_ROW: usize = 2;
/// The same limit when many more rows are expected.
const CODES_PER_FIRST_ROW: usize = 16;
/// A range of up to this many codes is always offset-encoded.
const SMALL_RANGE: usize = 1 << 16;
/// Ranks are used where fewer than this many of eight ids of the range occur.
const DENSE_EIGHTHS: usize = 7;
/// Where a sample says that more than this many of eight occur, they are not counted.
const DENSE_EIGHTHS_OF_SAMPLE: usize = 5;

/// The key encoding of one update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyEncoding {
    /// Undecided: no id was seen yet.
    Open,
    /// Offsets from `base`, `len` codes.
    Range {
        /// The id of code 0.
        base: i64,
        /// Number of codes.
        len: usize,
    },
    /// Positions in the dictionary that all rows share.
    Dictionary,
    /// Codes of the values of several dictionaries, see [`super::dictionary_union`].
    Union,
    /// Ranks among the integer ids of all rows, see [`IdRanks`].
    Ranks,
    /// A hash table.
    Table,
}

impl KeyEncoding {
    /// The encoding after further key columns. `rows` rows were seen in total; `more` means that at least as many are expected.
    /// `copies` states will allocate a slot for every code of a range; `held` of them have it already.
    #[must_use]
    pub(crate) fn extend(
        self,
        columns: &[(&KeyColumn, usize)],
        rows: u64,
        more: bool,
        (held, copies): (usize, usize),
        threads: Threads<'_>,
    ) -> Self {
        if matches!(self, Self::Table | Self::Dictionary | Self::Union | Self::Ranks) {
            return self;
        }
        let Some(columns) = id_columns(columns) else { return Self::Table };
        let Some((low, high)) = range_of(&columns, &|| false, threads) else { return self };
        let base = match self {
            Self::Range { base, .. } if base <= low => base,
            // An id below the base would shift every code.
            Self::Range { .. } | Self::Dictionary | Self::Union | Self::Ranks | Self::Table => return Self::Table,
            Self::Open => {
                // Later rows may have smaller ids. Most ids start at 0 or 1; other ranges get some slack below.
                let span = high.saturating_sub(low);
                if (0..=span.saturating_add(SMALL_RANGE as i64)).contains(&low) { 0 } else { low.saturating_sub(span / 8) }
            }
        };
        let Ok(len) = usize::try_from(i128::from(high) - i128::from(base) + 1) else { return Self::Table };
        let per_row = if more { CODES_PER_FIRST_ROW } else { CODES_PER_ROW };
        let most = usize::try_from(rows).unwrap_or(usize::MAX).saturating_mul(per_row).max(SMALL_RANGE);
        // The first rows rarely contain the ends of the range: with more rows expected, some slack is added above.
        let len = if more && len > SMALL_RANGE { len + len / 8 } else { len };
        let known = if let Self::Range { len, .. } = self { len } else { 0 };
        if len.saturating_mul(copies) > most.max(known.saturating_mul(held)) || len >= u32::MAX as usize - 1 {
            return Self::Table;
        }
        Self::Range { base, len: len.max(known) }
    }

    /// Switches an interner to this encoding.
    pub(crate) fn apply(self, interner: &mut Interner) -> Result<()> {
        match self {
            Self::Range { len, .. } => interner.extend_range(len),
            Self::Open | Self::Dictionary | Self::Union | Self::Ranks => {}
            Self::Table => interner.leave_range()?,
        }
        Ok(())
    }

    /// An empty interner with this encoding.
    pub(crate) fn interner(self, kind: KeyKind) -> Interner {
        match self {
            Self::Range { base, len } => {
                let mut interner = Interner::range(kind, base);
                interner.extend_range(len);
                interner
            }
            Self::Open | Self::Dictionary | Self::Union | Self::Ranks | Self::Table => Interner::new(kind),
        }
    }
}

/// The ranks of all ids of an update, if its ids are integers in a range with gaps. With `always` also where offsets would do.
pub(crate) fn ranks_of(columns: &[(&KeyColumn, usize)], always: bool, cancelled: IsCancelled<'_>, threads: Threads<'_>) -> Option<IdRanks> {
    let columns = id_columns(columns)?;
    let rows: usize = columns.iter().map(|column| column.2).sum();
    let Sampled { low, high, ids } = sampled(&columns)?;
    let len = |low: i64, high: i64| usize::try_from(i128::from(high) - i128::from(low) + 1).ok();
    let span = len(low, high)?;
    // Ids that are not as frequent as each other are more than the sample says.
    let is_dense = ids > span / 8 * DENSE_EIGHTHS_OF_SAMPLE;
    if span / IDS_PER_ROW > rows || (is_dense && !always) {
        return None;
    }
    // The sample may lack the ends of the range.
    let slack = (span / 8 + 64) as i64;
    let (low, high) =
        if span <= SMALL_RANGE { range_of(&columns, cancelled, threads)? } else { (low.saturating_sub(slack), high.saturating_add(slack)) };
    let len = len(low, high)?;
    // With the slack a range may be a little longer than it may be.
    if len / (2 * IDS_PER_ROW) > rows || (len <= SMALL_RANGE && !always) {
        return None;
    }
    let ranks = IdRanks::of(&columns, (low, len), cancelled, threads)?;
    (always || ranks.len() < ranks.span() / 8 * DENSE_EIGHTHS).then_some(ranks)
}

/// Plain columns of integers; `None` if some column is something else.
fn id_columns<'a>(columns: &[(&'a KeyColumn, usize)]) -> Option<Vec<IdColumn<'a>>> {
    let integers = |&(column, rows): &(&'a KeyColumn, usize)| match column {
        KeyColumn::Plain(PlainKeys::Integers(keys)) => Some((keys, column.nulls(), rows)),
        _ => None,
    };
    columns.iter().map(integers).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array};

    use super::*;

    #[test]
    fn a_range_has_slack_for_later_rows() -> Result<()> {
        let ids = |high: i64| -> Result<KeyColumn> {
            let ids: ArrayRef = Arc::new(Int64Array::from_iter_values((0..1000).map(|i| i * high / 999)));
            KeyColumn::new("customer_id", "customer_id", &ids)
        };
        let (early, late) = (ids(900_000)?, ids(1_000_000)?);
        let first = KeyEncoding::Open.extend(&[(&early, 1000)], 100_000, true, (1, 1), Threads::inline());
        assert!(matches!(first, KeyEncoding::Range { base: 0, len } if len > 1_000_000));
        assert_eq!(first.extend(&[(&late, 1000)], 200_000, false, (1, 1), Threads::inline()), first);
        // With no more rows expected there is no slack, and the range is too wide for so few rows.
        assert_eq!(KeyEncoding::Open.extend(&[(&early, 1000)], 100_000, false, (1, 1), Threads::inline()), KeyEncoding::Table);
        // One slot per code in each of several threads is too much as well.
        assert_eq!(KeyEncoding::Open.extend(&[(&late, 1000)], 600_000, false, (2, 2), Threads::inline()), KeyEncoding::Table);
        assert!(matches!(KeyEncoding::Open.extend(&[(&late, 1000)], 600_000, false, (1, 1), Threads::inline()), KeyEncoding::Range { .. }));
        Ok(())
    }
}
