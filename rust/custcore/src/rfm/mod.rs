//! RFM: recency, frequency and money of every buyer, their scores and segments.

pub mod kernel;
pub mod octants;
pub mod profile;
pub mod scorer;
pub mod segments;
pub mod table;

use crate::base::CustomerBase;
use crate::base::intern::Interner;
use crate::base::sort::Leads;
use crate::base::spec::AsOf;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::table::Table;

/// The RFM table of a base: one row per buyer, ascending by id unless `sort` is off.
///
/// `as_of` is the last day that counts, the last day in the data if not given; a base of totals can look at no earlier day.
pub fn rfm(base: &CustomerBase, as_of: Option<AsOf>, sort: bool, context: &Context) -> Result<Table> {
    let (kinds, state) = base.known()?;
    let last_day = (state.last_day != i32::MIN).then_some(state.last_day);
    let asked = as_of.or(base.spec().until).map(|as_of| as_of.day(&kinds.clock)).transpose()?;
    let as_of = asked.or(last_day);
    check_as_of(as_of, last_day)?;
    let slots = state.totals.slots();
    let mut codes = if context.is_worth_threads(slots.len()) { context.install(|| kernel::buyers(slots))? } else { kernel::buyers(slots) };
    if sort {
        sort_by_id(&mut codes, &state.interner, context)?;
    }
    context.check()?;
    let report = base.report(as_of)?;
    let build = || {
        let columns = kernel::compute(state.totals.slots(), &codes, as_of.unwrap_or(0));
        table::rfm_table(base.spec(), kinds, state, &codes, columns, report)
    };
    if context.is_worth_threads(codes.len()) { context.install(build)? } else { build() }
}

fn check_as_of(as_of: Option<i32>, last_day: Option<i32>) -> Result<()> {
    match (as_of, last_day) {
        (Some(day), Some(last)) if day < last => Err(Error::new(
            ErrorKind::StateMismatch,
            format!(
                "as_of={} lies before the last day in the base, {}; a base of level 'totals' cannot look back. Use rfm(data, as_of=...), \
                 which leaves later rows out, or a base of level 'days'",
                crate::calendar::date_text(day),
                crate::calendar::date_text(last)
            ),
        )),
        _ => Ok(()),
    }
}

/// Codes in the order of their ids: integers by value, strings and binary by bytes.
pub(crate) fn sort_by_id(codes: &mut [u32], ids: &Interner, context: &Context) -> Result<()> {
    if ids.is_sorted() {
        return Ok(());
    }
    let sort = || Leads::of(&[ids.keys()]).sort_pieces(ids.keys(), codes);
    let sorted = if context.is_worth_threads(ids.len()) { context.install(sort)? } else { sort() };
    codes.iter_mut().zip(sorted.into_iter().flatten()).for_each(|(code, (_, sorted))| *code = sorted);
    Ok(())
}
