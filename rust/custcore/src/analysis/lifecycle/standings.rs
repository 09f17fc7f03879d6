//! Where the buyers of a view stand.

use super::rhythm::OwnGaps;
use super::stages::{Rules, Standing};
use crate::analysis::purchase_days::fold_buyers;
use crate::base::CustomerBase;
use crate::base::view::BaseView;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;

/// A buyer, and where he stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buyer {
    /// Code of the customer.
    pub code: u32,
    /// Where he stands.
    pub standing: Standing,
    /// Money in units.
    pub units: i128,
}

/// The view of a day, with day records if the base keeps them.
pub(super) fn view_of<'a>(base: &'a CustomerBase, day: Option<i32>, context: &Context) -> Result<BaseView<'a>> {
    if base.spec().track.looks_back() { base.view_with_days(day, context) } else { base.view_in(day, context) }
}

/// The buyers of a view by ascending code.
pub(super) fn standings(view: &BaseView<'_>, rules: &Rules, context: &Context) -> Result<Vec<Buyer>> {
    let as_of = view.as_of().unwrap_or(0);
    let parts = if view.spec().track.looks_back() {
        let parts = fold_buyers(view, context, <(OwnGaps, Vec<Buyer>)>::default, |(gaps, buyers), buyer| {
            let standing = rules.of_days(buyer.days, buyer.orders, as_of, gaps);
            buyers.push(Buyer { code: buyer.code, standing, units: buyer.total });
        })?;
        parts.into_iter().map(|(_, buyers)| buyers).collect()
    } else if rules.windows.prior().is_some() {
        let message = format!(
            "the own rhythm of customers (rhythm='own') needs their purchase days, which a base of level '{}' does not keep; build the base \
             with track='days', or use rhythm='population'",
            view.spec().track.name()
        );
        return Err(Error::new(ErrorKind::StateMismatch, message));
    } else {
        let totals = view.totals();
        context.run_if_large(view.customers(), |threads| {
            threads.par_chunks(view.customers(), |codes| {
                let of = |code: u32| {
                    let stats = totals.get(code);
                    let standing = rules.of_totals((stats.first, stats.last), stats.orders, as_of, 0.0);
                    Buyer { code, standing, units: stats.units }
                };
                (codes.start as u32..codes.end as u32).filter(|&code| totals.orders(code) > 0).map(of).collect::<Vec<_>>()
            })
        })?
    };
    Ok(match <[Vec<Buyer>; 1]>::try_from(parts) {
        Ok([whole]) => whole,
        Err(parts) => parts.concat(),
    })
}
