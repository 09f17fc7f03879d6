//! Customer analytics over Arrow buffers: exact, order-free, fast.
//!
//! Arrow record batches go in as an update of a [`CustomerBase`], which keeps exact and mergeable facts per customer. Analyses
//! ([`fn@rfm`], [`rfm_scores`], [`cohort_retention_of`], [`transitions`], ...) read a base and return a [`Table`] of Arrow columns.
//! Scorers and clusterers ([`RfmScorer`], [`QuantileScorer`], [`KMeansModel`]) are fitted on tables and stored as JSON
//! ([`model`]). The crate knows nothing of Python and prints nothing; a Rust service can use it as it is.
//!
//! ```
//! use std::sync::Arc;
//! use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, cast::AsArray, types::Float64Type};
//! use custcore::{BaseSpec, CategoryColumns, ColumnRoles, Context, CustomerBase, rfm};
//!
//! let columns: [(&str, ArrayRef); 3] = [
//!     ("customer_id", Arc::new(Int64Array::from(vec![7, 8, 7]))),
//!     ("timestamp", Arc::new(Date32Array::from(vec![19_000, 19_001, 19_002]))),
//!     ("amount", Arc::new(Float64Array::from(vec![0.1, 5.0, 0.2]))),
//! ];
//! let batch = RecordBatch::try_from_iter(columns)?;
//! let roles = ColumnRoles {
//!     customer_id: "customer_id".into(),
//!     timestamp: "timestamp".into(),
//!     amount: Some("amount".into()),
//!     order_id: None,
//!     attributes: Vec::new(),
//!     categories: CategoryColumns::default(),
//!     start: None,
//!     returning: None,
//! };
//! let context = Context::default();
//! let mut base = CustomerBase::new(BaseSpec::new(roles))?;
//! base.update(&[batch], &context)?;
//! let table = rfm(&base, None, true, &context)?;
//! assert_eq!(table.batch["monetary_total"].as_primitive::<Float64Type>().value(0), 0.3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The features `parallel` (threads), `timezones` (rules of all time zones) and `bases` (files of customer bases, bases beyond memory,
//! tables as bytes) are on by default. Scoring by a saved model needs none of them. A call that needs what a build lacks is an error
//! that names the feature.

#![warn(unreachable_pub)]

mod analysis;
mod base;
mod baskets;
mod column;
mod error;
mod exec;
mod group;
mod ingest;
mod num;
mod order_statistics;
mod report;
mod state;
mod store;
mod table;
mod time;

pub use analysis::abc::spec::{AbcSpec, ClassBy, ClassRule, ClassTies, XyzSpec};
pub use analysis::abc::{abc, abc_xyz, concentration, pareto, xyz_by_ranges};
pub use analysis::acquisition::spec::AcquisitionSpec;
pub use analysis::acquisition::{CustomerValues, acquisition};
pub use analysis::affinity::itemsets::itemsets;
pub use analysis::affinity::pairs::pairs;
pub use analysis::affinity::rules::rules;
pub use analysis::affinity::spec::{ItemsetSpec, MinBaskets, PairSpec, PairTest, RuleSpec};
pub use analysis::allocation::curve::{CurveFitKind, CurveShape, ResponseCurve};
pub use analysis::allocation::plan::{Allocation, allocate, allocate_contacts};
pub use analysis::allocation::read::{allocation_cells, contact_options};
pub use analysis::allocation::spec::{AllocationCell, AllocationObjective, AllocationSpec, BudgetGroup, ContactOption, SpendLimit};
pub use analysis::before_after::result::BeforeAfter;
pub use analysis::before_after::spec::{Baseline, BeforeAfterSpec, ComparedMetric, ComparedWindows, MatchColumn, TreatedOn};
pub use analysis::before_after::table::TreatmentCost;
pub use analysis::before_after::words::{Headline, Verdict};
pub use analysis::change::change;
pub use analysis::change::spec::{CampaignIncrement, ChangeSpec, DayRange};
pub use analysis::churn::{Backtest, BacktestSpec, ChurnModel, ChurnSpec, Population, ScoreName, backtest, churn_scores};
pub use analysis::clv::{
    ClvSummary, Discounting, Fit, FitLimit, FitOptions, FitStart, FitStatus, FittedParameters, GroupOptions, History, Independence,
    MeanOfX, PredictSpec, Prediction, PurchaseFamily, PurchaseModel, SbgModel, Spend, SpendModel, SummaryColumns, SummaryNames,
    UnseenGroups, WithSettings, clv_summary,
};
pub use analysis::cohort::from_base::cohort_retention_of;
pub use analysis::cohort::spec::{CohortBy, CohortSpec, ReturnCriterion};
pub use analysis::cohort::{CohortPart, CohortRetention, begin_cohort_scan, finish_cohort_scan};
pub use analysis::effect::experiment::{ExperimentSpec, ExposedOn, OnConflict, Windows};
pub use analysis::effect::experiment_table::{
    ExperimentOptions, ExperimentTable, effect, effect_of_scan, experiment_scan, experiment_table,
};
pub use analysis::effect::planning::{PlannedMetric, TestErrors, detectable, sample_size};
pub use analysis::effect::power_table::{PlanSpec, aa_table, plan_table};
pub use analysis::effect::result::{EffectResult, ExperimentFacts, PeriodBatches};
pub use analysis::effect::roi::CampaignCost;
pub use analysis::effect::spec::{Adjustment, Alternative, EffectSpec, MetricKind, MetricSpec, OnMissing, Winsorize};
pub use analysis::effect::state::{EffectState, StoredEffect};
pub use analysis::effect::tracking::{TrackingSpec, track_segments};
pub use analysis::effect::uplift::{UpliftCurve, UpliftPoint, UpliftSpec};
pub use analysis::funnel::ladder::order_ladder;
pub use analysis::funnel::spec::{FunnelSpec, StepOrder};
pub use analysis::funnel::table::funnel;
pub use analysis::health::health;
pub use analysis::health::months::month_measures;
pub use analysis::kmeans::breaks::best_breaks;
pub use analysis::kmeans::fitted::{FitSettings, FittedKMeans, KMeansStart, nearest_center};
pub use analysis::kmeans::init::CenterInit;
pub use analysis::kmeans::model::{KMeansModel, KMeansSpec};
pub use analysis::kmeans::points::{Features, MatrixLayout};
pub use analysis::kmeans::scaler::{Scaler, ScalerMethod, ScalerModel};
pub use analysis::kmeans::select::KChoice;
pub use analysis::kmeans::simd::SimdPath;
pub use analysis::kmeans::table::{assigned_table, cluster_profile_table, features_table, select_table};
pub use analysis::lifecycle::model::{FittedLifecycle, LifecycleModel};
pub use analysis::lifecycle::spec::{Among, LifecycleSpec, Rhythm};
pub use analysis::lifecycle::stages::{Stage, StageLanguage};
pub use analysis::lifecycle::{lifecycle, lifecycle_counts, lifecycle_flows};
pub use analysis::measures::decomposition::DecompositionSpec;
pub use analysis::measures::found::Measures;
pub use analysis::measures::segments::CustomerSegments;
pub use analysis::measures::spec::MeasuresSpec;
pub use analysis::model;
pub use analysis::model::StoredModel;
pub use analysis::next_category::model::NextCategory;
pub use analysis::next_category::spec::{NextMethod, NextSpec};
pub use analysis::next_category::{BacktestNextSpec, NextCategoryState, RecommendSpec, backtest_next};
pub use analysis::nps::spec::{NpsAnswer, NpsInterval, NpsSpec};
pub use analysis::nps::table::nps;
pub use analysis::p_values::PValueAdjustment;
pub use analysis::portrait::marks::portrait_marks;
pub use analysis::portrait::sentences::{SentenceLanguage, portrait_sentences};
pub use analysis::portrait::spec::{AttributeBins, AttributeNulls, AttributeTable, PortraitSpec};
pub use analysis::portrait::table::portrait;
pub use analysis::preferences::promotion::promotion_sensitivity;
pub use analysis::preferences::spec::{PreferenceMeasure, PreferenceSpec, Preferred};
pub use analysis::preferences::{breadth, channels, group_preferences, preference_features, preferences};
pub use analysis::rfm::comparison::joined::{ComparedCustomers, Comparison};
pub use analysis::rfm::comparison::spec::{ComparisonSpec, SCORES};
pub use analysis::rfm::explain::{DimensionExplanation, ScoreChange, ScoreExplanation, SegmentReason};
pub use analysis::rfm::octants::{OctantCenter, OctantLanguage, Octants};
pub use analysis::rfm::profile::segment_profile;
pub use analysis::rfm::result_columns::ResultColumns;
pub use analysis::rfm::scorer::{RfmScorer, Score};
pub use analysis::rfm::segments::{ScoreRange, SegmentMap, SegmentRule};
pub use analysis::rfm::spec::{Frequency, Monetary, RfmSpec, Segments};
pub use analysis::rfm::transitions::{ScorerEdges, time_in_segment, transitions};
pub use analysis::rfm::{rfm, rfm_by_ranges, rfm_columns, rfm_scores};
pub use analysis::score::binner::BinBound;
pub use analysis::score::drift::population_drift;
pub use analysis::score::explain::{BinExplanation, EdgeRule};
pub use analysis::score::quantile_scorer::QuantileScorer;
pub use analysis::score::spec::{CutsRule, Dimension, ScoreSpec, Ties};
pub use analysis::score::table::{drift_table, thresholds_table};
pub use base::CustomerBase;
pub use base::file::BaseDraft;
pub use base::scan::{SharedScan, commit_updates, error_of_base};
pub use base::spill::limit::MemoryLimit;
pub use base::spill::update::{LimitedBuilder, LimitedUpdate, StagedUpdate};
pub use base::versions::VersionedBase;
pub use base::view::{AttributeView, BaseView, CustomerDays, DaysView, TotalsView};
pub use baskets::Baskets;
pub use baskets::builder::{BasketBuilder, BasketUpdate};
pub use baskets::file::BasketDraft;
pub use baskets::spec::{BasketBy, BasketSpec};
pub use column::bounds::ObservationBound;
pub use column::category::CategoryColumns;
pub use column::chunks::{ColumnRoles, Pick};
pub use column::customer_id::CustomerId;
pub use column::key::{Key, OwnedKey};
pub use column::key_schema::KeyNames;
pub use column::number::{Number, NumberForm};
pub use column::scalar::ScalarKind;
pub use column::{find_column, find_result_column, type_name, validate};
pub use error::{Error, ErrorKind, Result};
pub use exec::context::Context;
pub use group::interner::NO_CODE;
pub use ingest::builder::{Update, UpdateBuilder};
pub use num::money::{Amount, Money, decimal_text};
pub use order_statistics::quantile::Closed;
pub use report::{EntryKind, Report, ReportEntry, ReportUnit};
pub use state::spec::{AsOf, BaseSpec, DayRanges, Late, OnNonfinite, OnNull, OrderLines, Returns, Track};
pub use store::draft::Draft;
#[cfg(feature = "bases")]
pub use table::bytes::{StoredTable, table_from_bytes, table_to_bytes};
pub use table::{Table, concatenated};
pub use time::calendar::date_text;
pub use time::period::{Calendar, Period};

/// Names for the tests, benches and fuzz targets of this repository; not part of the API.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    pub use crate::column::number::{NumberColumn, Numbers};
    pub use crate::exec::par::Threads;
    pub use crate::ingest::builder::Strategy;
    pub use crate::order_statistics::quantile::BinEdges;
    pub use crate::store::blocks::{Format, Reader, Writer};
}
