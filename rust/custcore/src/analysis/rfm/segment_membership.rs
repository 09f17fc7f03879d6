//! Segments of the rows of an RFM table, without a table of scores.

use arrow_array::RecordBatch;

use super::scorer::{RfmScorer, Segmenter};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;

impl RfmScorer {
    /// The segment of each row as a position in the names; the scorer must be fitted.
    pub fn segment_rows(&self, batch: &RecordBatch, context: &Context) -> Result<Vec<u16>> {
        let scorer = self.scorer()?;
        // Octants depend on values, not on scores.
        let scores = match &self.fitted()?.segmenter {
            Some(Segmenter::Octants(_)) => Vec::new(),
            _ => context.run_if_large(batch.num_rows(), |threads| scorer.score(batch, threads))??,
        };
        self.members(batch, &scores)
    }

    /// Fits the scorer and returns the segment of each row.
    pub fn fit_segments(&mut self, batch: &RecordBatch, context: &Context) -> Result<Vec<u16>> {
        let scores = self.fit_scores(std::slice::from_ref(batch), self.n_dimensions(&batch.schema()), context)?;
        self.members(batch, &scores)
    }

    /// Remarks of the last fit; empty before.
    pub fn remarks(&self) -> &[String] {
        self.fitted().map_or(&[], |fitted| &fitted.remarks)
    }

    /// The error for a scorer without segments.
    pub fn without_segments() -> Error {
        Error::new(
            ErrorKind::InvalidArgument,
            "the scorer has no segments; build it with segments=, a map for its bins or 'octants' (the default map is for 5 bins of R and F)",
        )
    }

    fn members(&self, batch: &RecordBatch, scores: &[Vec<u8>]) -> Result<Vec<u16>> {
        let without = || Error::internal("a buyer without a segment");
        match &self.fitted()?.segmenter {
            None => Err(Self::without_segments()),
            Some(Segmenter::Octants(octants)) => octants
                .segment_rows(batch, self.columns(), Threads::inline())?
                .into_iter()
                .map(|segment| segment.ok_or_else(without))
                .collect(),
            Some(Segmenter::Map(map)) => {
                let score = |dimension: usize, row: usize| scores.get(dimension).map_or(1, |scores| scores[row]);
                let segment = |row: usize| map.segment(score(0, row), score(1, row), score(2, row)).ok_or_else(without);
                (0..batch.num_rows()).map(segment).collect()
            }
        }
    }
}
