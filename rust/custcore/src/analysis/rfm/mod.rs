//! RFM: recency, frequency and monetary value of every buyer, with scores and segments.

pub(crate) mod comparison;
pub(crate) mod explain;
mod explanation_table;
pub(crate) mod kernel;
mod nearest_change;
pub(crate) mod octants;
pub(crate) mod profile;
pub(crate) mod scorer;
mod segment_membership;
pub(crate) mod segments;
pub(crate) mod spec;
mod state;
pub(crate) mod table;
pub(crate) mod transitions;
mod value_bounds;

use self::scorer::RfmScorer;
use std::borrow::Borrow;

use crate::base::CustomerBase;
use crate::base::view::BaseView;
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::state::spec::AsOf;
use crate::table::Table;

/// The RFM table of a base: one row per buyer, ascending by id unless `sort` is off.
///
/// `as_of` is the last day included, by default the last day of the data. A base of totals supports no earlier day; a base of
/// days or orders supports any.
pub fn rfm(base: &CustomerBase, as_of: Option<AsOf>, sort: bool, context: &Context) -> Result<Table> {
    Ok(rfm_of(&base.view_as_of(as_of.or(base.spec().until), context)?, sort, context)?.0)
}

/// The RFM table of a view, and the customer codes of its rows.
fn rfm_of(view: &BaseView<'_>, sort: bool, context: &Context) -> Result<(Table, Vec<u32>)> {
    let mut codes = context.run_if_large(view.customers(), |threads| kernel::buyers(view.totals(), threads))?;
    if sort {
        view.sort_by_id(&mut codes, context)?;
    }
    context.check()?;
    let build = |threads: Threads<'_>| {
        let columns = kernel::compute(view.totals(), &codes, view.as_of().unwrap_or(0), threads);
        table::rfm_table(view, &codes, columns, threads)
    };
    let table = context.run_if_large(codes.len(), build)??;
    Ok((table, codes))
}

/// The RFM table of a base with scores and segments of a scorer fitted on it.
///
/// The table is that of [`rfm`], the scores are those of [`RfmScorer::fit_transform`]. Without buyers the result is empty. A base
/// that is passed by value is dropped before the scores are computed, so that both do not take memory together.
pub fn rfm_scores(
    base: impl Borrow<CustomerBase>,
    as_of: Option<AsOf>,
    sort: bool,
    mut scorer: RfmScorer,
    context: &Context,
) -> Result<Table> {
    let Table { batch, report } = rfm(base.borrow(), as_of, sort, context)?;
    drop(base);
    let scored = scorer.fit_and_score(&[batch], &report, context)?;
    scored.into_iter().next().ok_or_else(|| Error::internal("a table was not scored"))
}

/// The RFM table of a base by ranges of ids, which may be on disk; the first table has the report of all of them.
pub fn rfm_by_ranges(base: &CustomerBase, as_of: Option<AsOf>, sort: bool, context: &Context) -> Result<Vec<Table>> {
    let mut tables: Vec<Table> = Vec::new();
    base.by_ranges(context, |part| {
        let table = rfm(part, as_of, sort, context)?;
        if let Some(first) = tables.first_mut() {
            first.report.join(&table.report);
        }
        // A range may have no buyers.
        if tables.is_empty() || table.batch.num_rows() > 0 {
            tables.push(table);
        }
        Ok(())
    })?;
    Ok(tables)
}
