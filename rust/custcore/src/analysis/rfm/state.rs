//! Serialization of RFM scorers and segmentations.

use serde::{Deserialize, Serialize};

use super::octants::Octants;
use super::scorer::{RfmScorer, Segmenter};
use super::spec::{RfmSpec, Segments};
use crate::analysis::model::StoredModel;
use crate::analysis::score::scorer::Scorer;
use crate::analysis::score::spec::ScoreSpec;
use crate::analysis::score::state::ScorerState;
use crate::error::{Error, ErrorKind, Result};

/// Serialized form of an RFM scorer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RfmState {
    spec: RfmSpec,
    fitted: Option<FittedState>,
}

/// Serialized fit; the segment map and the remarks are derived from it and the settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FittedState {
    scorer: ScorerState,
    /// Centres of the octants, if the scorer uses them.
    centers: Option<[f64; 3]>,
}

impl RfmScorer {
    /// The settings and the fit in serialized form.
    pub fn state(&self) -> RfmState {
        let fitted = self.fitted.as_ref().map(|fitted| FittedState {
            scorer: fitted.scorer.state(),
            centers: match &fitted.segmenter {
                Some(Segmenter::Octants(octants)) => Some(octants.centers()),
                Some(Segmenter::Map(_)) | None => None,
            },
        });
        RfmState { spec: self.spec.clone(), fitted }
    }

    /// Restores a scorer; an inconsistent state is an error.
    pub fn restore(state: RfmState) -> Result<Self> {
        let mut scorer = Self::new(state.spec)?;
        let Some(FittedState { scorer: found, centers }) = state.fitted else { return Ok(scorer) };
        let invalid = || Error::new(ErrorKind::ModelFormat, "the scorer has invalid segments or dimensions");
        let n = found.dimensions();
        if !(2..=3).contains(&n) || centers.is_some() != matches!(scorer.spec.segments, Segments::Octants(_, _)) {
            return Err(invalid());
        }
        let spec = ScoreSpec { dimensions: scorer.dimensions(n), ..scorer.spec.score.clone() };
        let place = |octants: Octants| centers.and_then(|centers| octants.with_centers(centers)).ok_or_else(invalid);
        let fitted = scorer.with_segments(Scorer::restore(spec, found)?, place)?;
        scorer.fitted = Some(fitted);
        Ok(scorer)
    }
}

impl StoredModel for RfmScorer {
    const KIND: &'static str = "rfm_scorer";
    type Body = RfmState;

    fn body(&self) -> RfmState {
        self.state()
    }

    fn restore(body: RfmState) -> Result<Self> {
        Self::restore(body)
    }
}

impl StoredModel for Segments {
    const KIND: &'static str = "segment_map";
    type Body = Self;

    fn body(&self) -> Self {
        self.clone()
    }

    fn restore(body: Self) -> Result<Self> {
        match body {
            Self::Map(_) | Self::Octants(_, _) => Ok(body),
            Self::Auto | Self::Off => Err(Error::new(ErrorKind::ModelFormat, "the segment map has no segments")),
        }
    }
}
