//! The records of a run by customer code.

use std::ops::Range;
use std::sync::Arc;

use super::day_record::DayRecord;
use super::day_run::{DayRun, Group};
use crate::group::interner::NO_CODE;

/// A run, and where it has the records of each customer.
#[derive(Debug)]
pub(crate) struct DayIndex {
    run: Arc<DayRun>,
    /// The codes of each piece from the first to the last customer.
    spans: Vec<Range<u32>>,
    /// The position of each code of a piece in its segment, [`NO_CODE`] without records; `None` if all have records.
    ranks: Vec<Option<Vec<u32>>>,
}

impl DayIndex {
    /// The index of a run. It reads the customers, not the records.
    pub(crate) fn new(run: Arc<DayRun>) -> Self {
        let spans: Vec<Range<u32>> = run.pieces().iter().map(|piece| piece.first()..piece.last() + 1).collect();
        let ranks = run.pieces().iter().zip(&spans).map(|(piece, span)| {
            let customers = piece.segment.customers();
            if customers.len() == span.len() {
                return None;
            }
            let mut ranks = vec![NO_CODE; span.len()];
            for (rank, customer) in (0..).zip(customers) {
                ranks[(piece.base + customer - span.start) as usize] = rank;
            }
            Some(ranks)
        });
        Self { ranks: ranks.collect(), spans, run }
    }

    /// The run.
    pub(crate) fn run(&self) -> &DayRun {
        &self.run
    }

    /// The records of a customer.
    #[inline]
    pub(crate) fn group(&self, code: u32) -> Option<Group<'_>> {
        let at = self.spans.partition_point(|span| span.end <= code);
        let offset = code.checked_sub(self.spans.get(at)?.start)?;
        let rank = self.ranks[at].as_ref().map_or(offset, |ranks| ranks[offset as usize]);
        (rank != NO_CODE).then(|| self.run.pieces()[at].group(rank as usize))
    }

    /// Number of records of a customer.
    pub(crate) fn count(&self, code: u32) -> usize {
        self.group(code).map_or(0, |group| group.range.len())
    }

    /// The records of a customer, ascending by day; those of purchases before those of refunds.
    #[inline]
    pub(crate) fn records(&self, code: u32) -> impl Iterator<Item = DayRecord> + '_ {
        self.group(code).into_iter().flat_map(|group| group.range.map(move |at| group.segment.get(group.customer, at)))
    }
}
