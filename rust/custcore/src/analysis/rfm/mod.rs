//! RFM: recency, frequency and money of every buyer, their scores and segments.

pub mod kernel;
mod membership;
pub mod octants;
pub mod profile;
pub mod scorer;
pub mod segments;
pub mod table;
pub mod transitions;

use crate::base::CustomerBase;
use crate::column::chunks::Kinds;
use crate::error::Result;
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::group::interner::Interner;
use crate::group::sort::Leads;
use crate::state::customer_state::State;
use crate::state::spec::AsOf;
use crate::table::Table;

/// The RFM table of a base: one row per buyer, ascending by id unless `sort` is off.
///
/// `as_of` is the last day that counts, the last day in the data if not given; a base of totals can look at no earlier day, one of days or orders at any.
pub fn rfm(base: &CustomerBase, as_of: Option<AsOf>, sort: bool, context: &Context) -> Result<Table> {
    let asked = as_of.or(base.spec().until).map(|as_of| as_of.day(&base.known()?.0.clock)).transpose()?;
    let (kinds, state) = base.view(asked, base.spec().n_days)?;
    let as_of = asked.or_else(|| base.last_day());
    Ok(rfm_of(base, kinds, &state, as_of, sort, context)?.0)
}

/// The RFM table of a state that stands as of a day, and the customers of its rows by code.
fn rfm_of(
    base: &CustomerBase,
    kinds: &Kinds,
    state: &State,
    as_of: Option<i32>,
    sort: bool,
    context: &Context,
) -> Result<(Table, Vec<u32>)> {
    let slots = state.totals.slots();
    let mut codes = context.run_if_large(slots.len(), |threads| kernel::buyers(slots, threads))?;
    if sort {
        sort_by_id(&mut codes, &state.interner, context)?;
    }
    context.check()?;
    let report = base.report_of(kinds, state, as_of);
    let build = |threads: Threads<'_>| {
        let columns = kernel::compute(state.totals.slots(), &codes, as_of.unwrap_or(0), threads);
        table::rfm_table(base.spec(), kinds, state, &codes, columns, report, threads)
    };
    let table = context.run_if_large(codes.len(), build)??;
    Ok((table, codes))
}

/// Codes in the order of their ids: integers by value, strings and binary by bytes.
pub(crate) fn sort_by_id(codes: &mut [u32], ids: &Interner, context: &Context) -> Result<()> {
    if ids.is_sorted() {
        return Ok(());
    }
    let sorted = context.run_if_large(ids.len(), |threads| Leads::of(&[ids.keys()], threads).sort_pieces(ids.keys(), codes, threads))?;
    codes.iter_mut().zip(sorted.into_iter().flatten()).for_each(|(code, (_, sorted))| *code = sorted);
    Ok(())
}
