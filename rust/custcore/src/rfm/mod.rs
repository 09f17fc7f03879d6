//! RFM: recency, frequency and money of every buyer, their scores and segments.

pub mod kernel;
pub mod octants;
pub mod profile;
pub mod scorer;
pub mod segments;
pub mod table;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::base::CustomerBase;
use crate::base::intern::Keys;
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
    let mut codes = kernel::buyers(state.totals.slots());
    if sort {
        sort_by_id(&mut codes, state.interner.keys(), context)?;
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
fn sort_by_id(codes: &mut [u32], keys: &Keys, context: &Context) -> Result<()> {
    if keys.is_sorted() {
        return Ok(());
    }
    if !context.is_worth_threads(codes.len()) {
        codes.sort_unstable_by(|&a, &b| keys.compare(a, b));
        return Ok(());
    }
    context.install(|| match keys {
        Keys::Range { .. } => {}
        Keys::Integers(keys) => codes.par_sort_unstable_by_key(|&code| keys[code as usize]),
        Keys::Bytes(arena) => {
            // The first 16 bytes lie beside the code and decide nearly always; the strings themselves are far away.
            let mut ids: Vec<(u128, u32)> = codes.par_iter().map(|&code| (arena.order(code), code)).collect();
            ids.par_sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| arena.get(a.1).cmp(arena.get(b.1))));
            codes.iter_mut().zip(ids).for_each(|(code, (_, sorted))| *code = sorted);
        }
    })
}
