//! Python bindings of segment transitions and of the time in segments.

use custcore::{AsOf, Context, CustomerBase, Result, RfmScorer, ScorerEdges, Table, time_in_segment, transitions as segment_transitions};
use pyo3::prelude::*;

use crate::base::{CoreBase, work};
use crate::options::{as_of, choice};
use crate::rfm::CoreScorer;
use crate::runtime::Call;
use crate::table::CoreTable;

type Analysis = fn(&CustomerBase, &[AsOf], &RfmScorer, ScorerEdges, &Context) -> Result<Table>;

/// Customers, revenue and share of every pair of segments between consecutive dates.
#[pyfunction]
#[pyo3(signature = (base, dates, scorer, *, edges, n_threads))]
pub fn transitions(
    base: &Bound<'_, CoreBase>,
    dates: Vec<(String, i64)>,
    scorer: &Bound<'_, CoreScorer>,
    edges: &str,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    analyze(base, &dates, scorer, edges, n_threads, segment_transitions)
}

/// The time customers spend in each segment.
#[pyfunction]
#[pyo3(signature = (base, dates, scorer, *, edges, n_threads))]
pub fn stays(
    base: &Bound<'_, CoreBase>,
    dates: Vec<(String, i64)>,
    scorer: &Bound<'_, CoreScorer>,
    edges: &str,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    analyze(base, &dates, scorer, edges, n_threads, time_in_segment)
}

fn analyze(
    base: &Bound<'_, CoreBase>,
    dates: &[(String, i64)],
    scorer: &Bound<'_, CoreScorer>,
    edges: &str,
    n_threads: Option<i64>,
    analysis: Analysis,
) -> PyResult<CoreTable> {
    let py = base.py();
    let edges = choice(py, "edges", edges, &[("frozen", ScorerEdges::Frozen), ("refit", ScorerEdges::Refit)])?;
    let dates: Vec<AsOf> = dates.iter().map(as_of).collect();
    let (base, scorer) = (base.get().snapshot(py)?, scorer.get().scorer.clone());
    let size = work(&base).saturating_mul(dates.len());
    let table = Call::new(py, n_threads, None, None)?.run(py, size, move |context| analysis(&base, &dates, &scorer, edges, context))?;
    Ok(CoreTable::new(table))
}
