//! K-means with all that using it needs: settings, centres, the scale of the features, their names and the clusters'.

use serde::{Deserialize, Serialize};

use super::model::Model;
use super::scaler::{Scaler, ScalerModel};
use crate::analysis::model::Stored;
use crate::error::{Error, ErrorKind, Result};

/// How the runs started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// Greedy k-means++.
    #[serde(rename = "k-means++")]
    PlusPlus,
    /// Rows by chance.
    #[serde(rename = "random")]
    Random,
    /// Centres that were given: those the model started from.
    #[serde(rename = "given")]
    Given,
}

/// The settings that a model was fitted with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Number of clusters.
    pub n_clusters: usize,
    /// How runs started.
    pub init: Start,
    /// Number of runs, unless it was left to custcore.
    pub n_init: Option<usize>,
    /// Iterations of a run, at most.
    pub max_iter: usize,
    /// When a run ends.
    pub tol: f64,
    /// The seed, unless one was drawn.
    pub random_state: Option<u64>,
    /// The features asked for.
    pub columns: Option<Vec<String>>,
}

/// A fitted model that takes features in their own units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clusterer {
    /// The settings of the fit.
    pub settings: Settings,
    /// The centres.
    pub model: Model,
    /// The names of the features, where they have some.
    pub feature_names: Option<Vec<String>>,
    /// The scale of the features.
    pub scaler: Option<ScalerModel>,
    /// The names of the clusters, where they have some.
    pub names: Option<Vec<String>>,
}

impl Clusterer {
    /// The model, if its parts go together.
    pub fn checked(mut self) -> Result<Self> {
        self.model.check_sound(self.feature_names.as_deref())?;
        self.scaler = self.scaler.map(ScalerModel::checked).transpose()?;
        let clusters = self.model.n_clusters();
        let width = |scaler: &ScalerModel| scaler.fitted.as_ref().is_some_and(|fitted| fitted.centers.len() == self.model.n_features);
        // The number of clusters is a setting of the next fit, too, and may have been changed since.
        let sound = (self.settings.init != Start::Given || self.settings.n_clusters == clusters)
            && self.settings.n_clusters > 0
            && self.settings.n_init != Some(0)
            && self.settings.max_iter > 0
            && self.settings.tol >= 0.0
            && self.model.n_nonempty <= clusters
            && self.scaler.as_ref().is_none_or(width)
            && self.names.as_ref().is_none_or(|names| names.len() == clusters);
        if sound {
            Ok(self)
        } else {
            Err(Error::new(ErrorKind::InvalidArgument, "clusters, names, scaler and settings do not go together"))
        }
    }

    /// The cluster of one customer, whose features are in their own units and in the order of the fit.
    pub fn predict_one(&self, values: &[f64]) -> Result<usize> {
        nearest(&self.model, self.scaler.as_ref().and_then(|scaler| scaler.fitted.as_ref()), values)
    }
}

/// The nearest centre of one point in its own units; up to 32 features without an allocation.
pub fn nearest(model: &Model, scaler: Option<&Scaler>, values: &[f64]) -> Result<usize> {
    let Some(scaler) = scaler else { return model.predict_one(values) };
    let mut few = [0.0; 32];
    if let Some(scaled) = few.get_mut(..values.len()) {
        scaler.row_into(values, scaled)?;
        return model.predict_one(scaled);
    }
    model.predict_one(&scaler.row(values)?)
}

impl Stored for Clusterer {
    const KIND: &'static str = "kmeans";
    type Body = Self;

    fn body(&self) -> Self {
        self.clone()
    }

    fn restore(body: Self) -> Result<Self> {
        body.checked()
    }
}
