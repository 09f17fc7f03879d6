//! A fitted K-means model with its settings, scaler, feature names and cluster names.

use serde::{Deserialize, Serialize};

use super::model::KMeansModel;
use super::scaler::{Scaler, ScalerModel};
use crate::analysis::model::StoredModel;
use crate::error::{Error, ErrorKind, Result};

/// How the initial centres were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KMeansStart {
    /// Greedy k-means++.
    #[serde(rename = "k-means++")]
    PlusPlus,
    /// Rows drawn at random.
    #[serde(rename = "random")]
    Random,
    /// Given centres; they are the model's `init_centers`.
    #[serde(rename = "given")]
    Given,
}

/// Settings that a model was fitted with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitSettings {
    /// Number of clusters.
    pub n_clusters: usize,
    /// How the initial centres were chosen.
    pub init: KMeansStart,
    /// Number of runs; `None` for the default.
    pub n_init: Option<usize>,
    /// Maximum number of iterations per run.
    pub max_iter: usize,
    /// The convergence tolerance.
    pub tol: f64,
    /// The seed; `None` if it was drawn at random.
    pub random_state: Option<u64>,
    /// The requested features; `None` for all.
    pub columns: Option<Vec<String>>,
}

/// A fitted model that takes features in original units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedKMeans {
    /// Settings of the fit.
    pub settings: FitSettings,
    /// The centres.
    pub model: KMeansModel,
    /// The feature names, if any.
    pub feature_names: Option<Vec<String>>,
    /// The scaler of the features.
    pub scaler: Option<ScalerModel>,
    /// The cluster names, if any.
    pub names: Option<Vec<String>>,
}

impl FittedKMeans {
    /// Checks that the parts are consistent.
    pub fn checked(mut self) -> Result<Self> {
        self.model.check_sound(self.feature_names.as_deref())?;
        self.scaler = self.scaler.map(ScalerModel::checked).transpose()?;
        let clusters = self.model.n_clusters();
        let width = |scaler: &ScalerModel| scaler.fitted.as_ref().is_some_and(|fitted| fitted.centers.len() == self.model.n_features);
        // `n_clusters` is also the setting of the next fit and may have been changed since this one.
        let sound = (self.settings.init != KMeansStart::Given || self.settings.n_clusters == clusters)
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
            Err(Error::new(ErrorKind::InvalidArgument, "invalid model: clusters, names, scaler and settings are inconsistent"))
        }
    }

    /// The cluster of one customer; features in original units and in the order of the fit.
    pub fn predict_one(&self, values: &[f64]) -> Result<usize> {
        nearest_center(&self.model, self.scaler.as_ref().and_then(|scaler| scaler.fitted.as_ref()), values)
    }
}

/// The nearest centre of one point in original units. Does not allocate for up to 32 features.
pub fn nearest_center(model: &KMeansModel, scaler: Option<&Scaler>, values: &[f64]) -> Result<usize> {
    let Some(scaler) = scaler else { return model.predict_one(values) };
    let mut few = [0.0; 32];
    if let Some(scaled) = few.get_mut(..values.len()) {
        scaler.row_into(values, scaled)?;
        return model.predict_one(scaled);
    }
    model.predict_one(&scaler.row(values)?)
}

impl StoredModel for FittedKMeans {
    const KIND: &'static str = "kmeans";
    type Body = Self;

    fn body(&self) -> Self {
        self.clone()
    }

    fn restore(body: Self) -> Result<Self> {
        body.checked()
    }
}
