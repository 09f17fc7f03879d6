//! RFM: recency, frequency and monetary value of every buyer, with scores and segments.

pub(crate) mod comparison;
pub(crate) mod explain;
mod explanation_table;
mod frozen;
pub(crate) mod kernel;
mod nearest_change;
mod new_column;
pub(crate) mod octants;
pub(crate) mod profile;
pub(crate) mod result_columns;
mod score_columns;
pub(crate) mod scorer;
mod scoring;
mod segment_membership;
pub(crate) mod segments;
pub(crate) mod spec;
mod state;
pub(crate) mod table;
pub(crate) mod transitions;
mod value_bounds;

use self::result_columns::ResultColumns;
use self::scorer::RfmScorer;
use std::borrow::Borrow;

use crate::base::CustomerBase;
use crate::base::view::BaseView;
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::state::spec::AsOf;
use crate::table::Table;

/// The RFM table of a base: one row per buyer, ascending by id unless `sort` is off.
///
/// `as_of` is the last day included, by default the last day of the data. A base of totals supports no earlier day; a base of
/// days or orders supports any.
pub fn rfm(base: &CustomerBase, as_of: Option<AsOf>, sort: bool, context: &Context) -> Result<Table> {
    rfm_columns(base, as_of, sort, &ResultColumns::all(), context)
}

/// The same with the columns that are asked for; no other is computed.
pub fn rfm_columns(base: &CustomerBase, as_of: Option<AsOf>, sort: bool, columns: &ResultColumns, context: &Context) -> Result<Table> {
    let view = base.view_as_of(as_of.or(base.spec().until), context)?;
    if columns.names().is_some() {
        let known = table::column_names(&view);
        columns.check(&known.iter().map(String::as_str).collect::<Vec<_>>(), |name| {
            scoring::why_unscored(name).or_else(|| table::why_absent(name))
        })?;
    }
    let Table { batch, report } = rfm_of(&view, sort, columns, context)?.0;
    let ids: Vec<String> = view.kinds().id.names().iter().map(str::to_owned).collect();
    Ok(Table { batch: columns.arrange(batch, &ids)?, report })
}

/// The RFM table of a view, with its columns in the usual order, and the customer codes of its rows.
fn rfm_of(view: &BaseView<'_>, sort: bool, columns: &ResultColumns, context: &Context) -> Result<(Table, Vec<u32>)> {
    let mut codes = context.run_if_large(view.customers(), |threads| kernel::buyers(view.totals(), threads))?;
    // Codes ascend already.
    if sort && !view.ids_ascend() {
        view.sort_by_id(&mut codes, context)?;
    }
    context.check()?;
    let table = context.run_if_large(codes.len(), |threads| table::rfm_table(view, &codes, columns, threads))??;
    Ok((table, codes))
}

/// The RFM table of a base with scores and segments of a scorer fitted on it.
///
/// The table is that of [`rfm_columns`], the scores are those of [`RfmScorer::fit_transform`]. Without buyers the result is empty. A
/// base that is passed by value is dropped before the scores are computed, so that both do not take memory together. Of a scorer
/// that no column needs whole, only what is needed is fitted; the report has remarks on what was fitted.
pub fn rfm_scores(
    base: impl Borrow<CustomerBase>,
    as_of: Option<AsOf>,
    sort: bool,
    columns: &ResultColumns,
    mut scorer: RfmScorer,
    context: &Context,
) -> Result<Table> {
    let Table { batch, report } = {
        let base = base.borrow();
        let view = base.view_as_of(as_of.or(base.spec().until), context)?;
        if columns.names().is_some() {
            let known = table::column_names(&view);
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            let n = if view.kinds().money.is_some() { 3 } else { 2 };
            scorer.check_columns(columns, &names, n, table::why_absent)?;
        }
        rfm_of(&view, sort, &scorer.inputs_for(columns)?, context)?.0
    };
    drop(base);
    let scored = scorer.fit_and_score(&[batch], &report, columns, context)?;
    scored.into_iter().next().ok_or_else(|| Error::internal("a table was not scored"))
}

/// The RFM table of a base by ranges of ids, which may be on disk, with the columns that are asked for; the first table has the
/// report of all of them.
pub fn rfm_by_ranges(
    base: &CustomerBase,
    as_of: Option<AsOf>,
    sort: bool,
    columns: &ResultColumns,
    context: &Context,
) -> Result<Vec<Table>> {
    let mut tables: Vec<Table> = Vec::new();
    base.by_ranges(context, |part| {
        let table = rfm_columns(part, as_of, sort, columns, context)?;
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
