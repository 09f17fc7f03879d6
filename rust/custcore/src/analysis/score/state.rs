//! The serialized state of a fitted scorer without its settings; validated when it is restored.

use serde::{Deserialize, Serialize};

use super::binner::Binner;
use super::groups::{Nest, ScoreGroups};
use super::scorer::{FittedDimension, Scorer};
use super::spec::ScoreSpec;
use crate::column::key::OwnedKey;
use crate::error::{Error, ErrorKind, Result};

/// The groups and bins of a fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScorerState {
    groups: Option<Vec<OwnedKey>>,
    dimensions: Vec<DimensionState>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DimensionState {
    binners: Vec<Option<Binner>>,
    global: Option<Binner>,
    nest: Option<Vec<(u32, u8)>>,
}

impl ScorerState {
    /// Number of dimensions.
    pub fn dimensions(&self) -> usize {
        self.dimensions.len()
    }
}

impl Scorer {
    /// The fitted state, for serialization.
    pub fn state(&self) -> ScorerState {
        let dimension = |fitted: &FittedDimension| DimensionState {
            binners: fitted.binners.clone(),
            global: fitted.global.clone(),
            nest: fitted.nest.as_ref().map(|nest| nest.parents().to_vec()),
        };
        ScorerState { groups: self.groups().map(<[OwnedKey]>::to_vec), dimensions: self.fitted.iter().map(dimension).collect() }
    }

    /// Restores a scorer from its settings and state; an error if they are inconsistent.
    pub fn restore(spec: ScoreSpec, state: ScorerState) -> Result<Self> {
        let invalid = |what: &str| Error::new(ErrorKind::ModelFormat, format!("the stored scorer has invalid {what}"));
        let spec = spec.checked()?;
        if state.dimensions.len() != spec.dimensions.len() || state.dimensions.is_empty() {
            return Err(invalid("dimensions"));
        }
        if state.groups.is_some() != spec.by.is_some() {
            return Err(invalid("groups"));
        }
        let groups = state.groups.map(|keys| ScoreGroups::restore(keys).ok_or_else(|| invalid("groups"))).transpose()?;
        let mut cells = groups.as_ref().map_or(1, |groups| groups.keys().len());
        let last = state.dimensions.len() - 1;
        let mut fitted: Vec<FittedDimension> = Vec::with_capacity(state.dimensions.len());
        for (position, (dimension, state)) in spec.dimensions.iter().zip(state.dimensions).enumerate() {
            let plain = groups.is_none() && (position == 0 || !spec.nested);
            let bins = usize::from(dimension.bins);
            let all = state.binners.iter().flatten().chain(&state.global);
            let sound = dimension.cuts.as_ref().is_none_or(|cuts| cuts.len() + 1 == bins)
                && state.binners.len() == cells
                && state.binners.iter().flatten().flat_map(|binner| &binner.counts).any(|&count| count > 0)
                && state.global.is_some() == (spec.unseen_global && !plain)
                && all.clone().all(|binner| binner.is_sound(bins));
            if !sound {
                return Err(invalid("bins"));
            }
            let nest = match state.nest {
                None => None,
                Some(parents) => Some(Nest::restore(parents, cells, dimension.bins).ok_or_else(|| invalid("nested cells"))?),
            };
            if nest.is_some() != (spec.nested && position < last) {
                return Err(invalid("nested cells"));
            }
            if let Some(nest) = &nest {
                cells = nest.len();
            }
            fitted.push(FittedDimension { dimension: dimension.clone(), binners: state.binners, global: state.global, plain, nest });
        }
        Ok(Self { spec, groups, fitted })
    }
}
