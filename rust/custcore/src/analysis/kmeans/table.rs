//! K-means results as Arrow tables.

use std::sync::Arc;

use arrow_array::{BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::Metadata;

use super::points::Features;
use super::profile::{column, profile, sizes};
use super::select::{Fit, suggestion};
use crate::error::{Error, Result};
use crate::report::Report;
use crate::table::{Table, TableBuilder};

/// The features as float64 columns.
pub fn features_table(features: &Features) -> Result<Table> {
    let mut table = TableBuilder::default();
    for feature in 0..features.n_features() {
        table.column(&features.name(feature), Arc::new(Float64Array::from(column(features, feature))));
    }
    table.finish(features.rows(), Metadata::new(), Report::default())
}

/// Adds the column `cluster`, and `segment` if clusters are named.
fn labels_columns(table: &mut TableBuilder, labels: &[i32], names: Option<&[String]>) -> Result<()> {
    table.column("cluster", Arc::new(Int32Array::from(labels.to_vec())));
    if let Some(names) = names {
        let names = Arc::new(StringArray::from_iter_values(names));
        let segments = DictionaryArray::try_new(Int32Array::from(labels.to_vec()), names).map_err(Error::internal)?;
        table.column("segment", Arc::new(segments));
    }
    Ok(())
}

/// The columns of `batch` followed by the cluster of each row, and its name if clusters are named.
pub fn assigned_table(batch: &RecordBatch, labels: &[i32], names: Option<&[String]>, report: Report) -> Result<Table> {
    let mut table = TableBuilder::from_batch(batch);
    labels_columns(&mut table, labels, names)?;
    table.finish(batch.num_rows(), batch.schema().metadata().clone(), report)
}

/// One row per cluster: number and proportion of rows, and mean and median of each feature.
pub fn cluster_profile_table(features: &Features, labels: &[i32], clusters: usize, names: Option<&[String]>) -> Result<Table> {
    let sizes = sizes(labels, clusters);
    let mut table = TableBuilder::default();
    labels_columns(&mut table, &(0..clusters as i32).collect::<Vec<_>>(), names)?;
    table.column("customers", Arc::new(Int64Array::from(sizes.clone())));
    let share = |&size: &i64| (!labels.is_empty()).then(|| size as f64 / labels.len() as f64);
    table.column("share", Arc::new(sizes.iter().map(share).collect::<Float64Array>()));
    for feature in 0..features.n_features() {
        let name = features.names.as_ref().map_or_else(|| format!("x{feature}"), |names| names[feature].clone());
        let found = profile(&column(features, feature), labels, &sizes);
        table.column(&format!("{name}_mean"), Arc::new(Float64Array::from(found.means)));
        table.column(&format!("{name}_median"), Arc::new(Float64Array::from(found.medians)));
    }
    table.finish(clusters, Metadata::new(), Report::default())
}

/// One row per k with its quality measures; the suggested k is flagged, and the reason is a remark of the report.
pub fn select_table(fits: &[Fit]) -> Result<Table> {
    let mut table = TableBuilder::default();
    let suggested = suggestion(fits);
    let numbers = |name: &str, table: &mut TableBuilder, value: &dyn Fn(&Fit) -> Option<f64>| {
        table.column(name, Arc::new(fits.iter().map(value).collect::<Float64Array>()));
    };
    table.column("k", Arc::new(Int32Array::from_iter_values(fits.iter().map(|fit| fit.k as i32))));
    numbers("inertia", &mut table, &|fit| Some(fit.quality.inertia));
    numbers("calinski_harabasz", &mut table, &|fit| fit.quality.calinski_harabasz);
    numbers("davies_bouldin", &mut table, &|fit| fit.quality.davies_bouldin);
    numbers("bic", &mut table, &|fit| fit.quality.bic);
    numbers("silhouette_simplified", &mut table, &|fit| fit.quality.silhouette_simplified);
    numbers("silhouette_squared", &mut table, &|fit| fit.quality.silhouette_squared);
    numbers("silhouette_sampled", &mut table, &|fit| fit.silhouette.map(|own| own.mean));
    numbers("silhouette_se", &mut table, &|fit| fit.silhouette.map(|own| own.error));
    let at = suggested.as_ref().map(|(at, _)| *at);
    table.column("suggested", Arc::new((0..fits.len()).map(|i| Some(Some(i) == at)).collect::<BooleanArray>()));
    let mut report = Report::default();
    report.remarks.extend(suggested.map(|(_, reason)| reason));
    table.finish(fits.len(), Metadata::new(), report)
}
