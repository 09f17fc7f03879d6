//! The quantile scorer with its weights, fitted or not.

use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};

use super::scorer::Scorer;
use super::spec::ScoreSpec;
use super::state::ScorerState;
use super::table::scores_table;
use crate::analysis::model::StoredModel;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::report::Report;
use crate::table::Table;

/// A quantile scorer, fitted or not.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantileScorer {
    spec: ScoreSpec,
    weights: Option<Vec<f64>>,
    scorer: Option<Scorer>,
}

/// The serialized form of a scorer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantileState {
    spec: ScoreSpec,
    weights: Option<Vec<f64>>,
    fitted: Option<ScorerState>,
}

impl QuantileScorer {
    /// An unfitted scorer; with weights, the output has a weighted total of the scores.
    pub fn new(spec: ScoreSpec, weights: Option<Vec<f64>>) -> Result<Self> {
        if let Some(weights) = &weights
            && (weights.len() != spec.dimensions.len() || !weights.iter().all(|w| w.is_finite() && *w >= 0.0))
        {
            let message = format!("weights={weights:?} must be finite and non-negative, one per column");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        Ok(Self { spec: spec.checked()?, weights, scorer: None })
    }

    /// The settings.
    pub fn spec(&self) -> &ScoreSpec {
        &self.spec
    }

    /// The weights of the columns.
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// The fitted scorer; an error if not fitted.
    pub fn scorer(&self) -> Result<&Scorer> {
        self.scorer.as_ref().ok_or_else(|| Error::new(ErrorKind::NotFitted, "this QuantileScorer is not fitted yet; call fit(table) first"))
    }

    /// Fits the bins on a table.
    pub fn fit(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        self.scorer = Some(context.install(|threads| Scorer::fit_batches(&self.spec, batches, context, threads))??);
        Ok(())
    }

    /// The columns of a table with its scores appended.
    pub fn transform(&self, batches: &[RecordBatch], report: &Report, context: &Context) -> Result<Vec<Table>> {
        let scorer = self.scorer()?;
        let mut rows_before = 0;
        let score = |batch: &RecordBatch| {
            context.check()?;
            let before = rows_before;
            rows_before += batch.num_rows() as u64;
            context.run_if_large(batch.num_rows(), |threads| {
                let scores = scorer.score(batch, threads).map_err(|error| error.counted_from(before))?;
                scores_table(batch, scorer, &scores, self.weights.as_deref(), report.clone(), threads)
            })?
        };
        batches.iter().map(score).collect()
    }

    /// The settings and the fitted state, for serialization.
    pub fn state(&self) -> QuantileState {
        QuantileState { spec: self.spec.clone(), weights: self.weights.clone(), fitted: self.scorer.as_ref().map(Scorer::state) }
    }

    /// Restores a scorer from its serialized form; an error if that is invalid.
    pub fn restore(state: QuantileState) -> Result<Self> {
        let mut scorer = Self::new(state.spec, state.weights)?;
        scorer.scorer = state.fitted.map(|fitted| Scorer::restore(scorer.spec.clone(), fitted)).transpose()?;
        Ok(scorer)
    }
}

impl StoredModel for QuantileScorer {
    const KIND: &'static str = "quantile_scorer";
    type Body = QuantileState;

    fn body(&self) -> QuantileState {
        self.state()
    }

    fn restore(body: QuantileState) -> Result<Self> {
        Self::restore(body)
    }
}
