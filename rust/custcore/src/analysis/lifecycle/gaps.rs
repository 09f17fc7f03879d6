//! Gaps of days between consecutive purchase days of a customer. The last one is open: it is censored at the day of the view.

use crate::analysis::purchase_days::fold_buyers;
use crate::analysis::survival::DurationCounts;
use crate::base::view::BaseView;
use crate::error::Result;
use crate::exec::context::Context;

/// Adds the gaps of a customer whose distinct purchase days ascend and end by `as_of`.
#[inline]
pub(crate) fn add_gaps(counts: &mut DurationCounts, days: &[i32], as_of: i32) {
    for pair in days.windows(2) {
        counts.add_ended(pair[1] - pair[0], 1);
    }
    if let Some(&last) = days.last() {
        counts.add_open(as_of - last, 1);
    }
}

/// The gaps of all buyers of a view, as of its day. Requires day records.
pub(crate) fn gaps_of(view: &BaseView<'_>, context: &Context) -> Result<DurationCounts> {
    let as_of = view.as_of().unwrap_or(0);
    let parts = fold_buyers(view, context, DurationCounts::default, |counts, buyer| add_gaps(counts, buyer.days, as_of))?;
    Ok(parts.iter().fold(DurationCounts::default(), |mut all, part| {
        all.merge(part);
        all
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_gap_is_open() {
        let mut counts = DurationCounts::default();
        add_gaps(&mut counts, &[10, 11, 41], 41);
        add_gaps(&mut counts, &[20], 41);
        add_gaps(&mut counts, &[], 41);
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(0, 0, 1), (1, 1, 0), (21, 0, 1), (30, 1, 0)]);
    }
}
