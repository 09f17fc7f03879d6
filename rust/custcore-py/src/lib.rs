//! `custcore._core`: a thin binding. It converts arguments and results and contains no computations.

// pyo3 passes arguments by value and `self` to all methods.
#![allow(clippy::needless_pass_by_value, clippy::unused_self, clippy::type_complexity)]
// One macro body serves all integer widths.
#![allow(clippy::cast_lossless)]

mod abc;
mod allocation;
mod base;
mod baskets;
mod before_after;
mod boundary;
mod change;
mod checkout;
mod churn;
mod clv;
mod cohort;
mod comparison;
mod effect;
mod error;
mod explain;
mod funnel;
mod guard;
mod health;
mod input;
mod kmeans;
mod lifecycle;
mod measures;
mod next_category;
mod nps;
mod number;
mod options;
#[cfg(feature = "parquet")]
mod parquet;
mod planning;
mod portrait;
mod preferences;
mod rfm;
mod runtime;
mod scaler;
mod scan;
mod score;
mod segments;
mod shared;
mod store;
mod table;
mod transitions;
mod uplift;

use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::runtime::{Call, INLINE_ROWS};

/// Panics, in long work or on the way to it; for the tests of the runtime.
#[pyfunction]
#[pyo3(signature = (*, in_work = true))]
fn _panic(py: Python<'_>, in_work: bool) -> PyResult<()> {
    assert!(in_work, "asked to panic");
    Call::new(py, None, None, None)?.run(py, INLINE_ROWS, |_| panic!("asked to panic"))
}

/// Keeps one thread busy until `seconds` are over or the caller interrupts; for the tests of the runtime.
#[pyfunction]
fn _spin(py: Python<'_>, seconds: f64) -> PyResult<()> {
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    Call::new(py, None, None, None)?.run(py, INLINE_ROWS, move |context| {
        while Instant::now() < end {
            context.check()?;
            std::hint::spin_loop();
        }
        Ok(())
    })
}

/// The native core of custcore. Use the functions of `custcore` instead.
#[pymodule]
mod _core {
    #[pymodule_export]
    use super::abc::{abc, abc_table, abc_xyz, concentration, pareto, xyz};
    #[pymodule_export]
    use super::allocation::{CoreAllocation, CoreCurve, allocate, allocate_contacts};
    #[pymodule_export]
    use super::base::{CoreBase, rfm_scores, rfm_table};
    #[pymodule_export]
    use super::baskets::CoreBaskets;
    #[pymodule_export]
    use super::before_after::{CoreBeforeAfter, before_after};
    #[pymodule_export]
    use super::boundary::memory::Memory;
    #[pymodule_export]
    use super::change::CoreChange;
    #[pymodule_export]
    use super::churn::{CoreChurnModel, backtest};
    #[pymodule_export]
    use super::clv::{CoreClvSummary, CorePurchaseModel, CoreSbgModel, CoreSpendModel, clv_summary};
    #[pymodule_export]
    use super::cohort::{CoreCohortRetention, cohort_retention};
    #[pymodule_export]
    use super::comparison::{CoreComparison, compare};
    #[pymodule_export]
    use super::effect::{CoreEffectResult, aa_comparisons, experiment_plan, experiment_table, track_segments};
    #[pymodule_export]
    use super::funnel::{funnel, order_ladder};
    #[pymodule_export]
    use super::health::{acquisition, change, health, month_measures};
    #[pymodule_export]
    use super::kmeans::{CoreKMeans, natural_breaks, select_k, simd_paths};
    #[pymodule_export]
    use super::lifecycle::{CoreLifecycleModel, lifecycle, lifecycle_counts, lifecycle_flows};
    #[pymodule_export]
    use super::measures::{base_measures, measures};
    #[pymodule_export]
    use super::next_category::{CoreNextCategory, backtest_next};
    #[pymodule_export]
    use super::nps::nps;
    #[cfg(feature = "parquet")]
    #[pymodule_export]
    use super::parquet::CoreParquetColumns;
    #[pymodule_export]
    use super::planning::{detectable, sample_size};
    #[pymodule_export]
    use super::portrait::{portrait, portrait_marks, portrait_sentences};
    #[pymodule_export]
    use super::preferences::{breadth, channels, preference_features, preferences, promotion_sensitivity};
    #[pymodule_export]
    use super::rfm::{CoreScorer, profile_table};
    #[pymodule_export]
    use super::scaler::CoreScaler;
    #[pymodule_export]
    use super::scan::scan;
    #[pymodule_export]
    use super::score::CoreQuantileScorer;
    #[pymodule_export]
    use super::segments::CoreSegmentMap;
    #[pymodule_export]
    use super::store::{CoreDraft, read_model, write_model};
    #[pymodule_export]
    use super::table::CoreTable;
    #[pymodule_export]
    use super::transitions::{stays, transitions};
    #[pymodule_export]
    use super::uplift::{CoreUpliftCurve, uplift_curve};
    #[pymodule_export]
    use super::{_panic, _spin};

    use pyo3::prelude::*;

    use crate::guard::adopt_panics;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        adopt_panics(module.py())?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
