//! The purchase days of buyers: what life cycle and early warning read of a base.

use std::ops::Range;

use crate::base::view::BaseView;
use crate::error::Result;
use crate::exec::context::Context;

/// Customers whose days are decoded in one go.
const BLOCK: usize = 4_096;

/// A customer with a purchase by the day of the view. Slices have an item for each distinct day with a purchase, ascending.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Buyer<'a> {
    /// Code of the customer.
    pub code: u32,
    /// Purchase days.
    pub days: &'a [i32],
    /// Purchases of each day.
    pub orders: &'a [u64],
    /// Money of all days by the day of the view, refunds included.
    pub total: i128,
    /// All days with orders, those with refunds only included, ascending.
    pub all_days: &'a [i32],
    /// Money of each of them in units, net of refunds.
    pub all_units: &'a [i128],
}

impl Buyer<'_> {
    /// The last purchase day.
    pub(crate) fn last_day(&self) -> i32 {
        self.days.last().copied().unwrap_or(i32::MIN)
    }
}

/// Calls `add` for every buyer of a view that has day records. Each accumulator, made by `new`, gets a range of codes, ascending;
/// accumulators are returned in the order of codes.
pub(crate) fn fold_buyers<T: Send>(
    view: &BaseView<'_>,
    context: &Context,
    new: impl Fn() -> T + Sync + Send,
    add: impl Fn(&mut T, &Buyer<'_>) + Sync + Send,
) -> Result<Vec<T>> {
    let records = view.days()?;
    let fold = |codes: Range<usize>| -> Result<T> {
        let mut folded = new();
        let (mut days, mut orders) = (Vec::new(), Vec::new());
        for first in codes.clone().step_by(BLOCK) {
            context.check()?;
            let block = first as u32..codes.end.min(first + BLOCK) as u32;
            let found = records.range(block.clone());
            for (code, ends) in block.zip(found.offsets.windows(2)) {
                let own = ends[0]..ends[1];
                let (all_days, all_orders, all_units) = (&found.days[own.clone()], &found.orders[own.clone()], &found.units[own]);
                let total = all_units.iter().sum();
                let purchases = all_orders.iter().filter(|&&orders| orders > 0).count();
                if purchases == 0 {
                    continue;
                }
                // Few customers have days with refunds only.
                let buyer = if purchases == all_days.len() {
                    Buyer { code, days: all_days, orders: all_orders, total, all_days, all_units }
                } else {
                    days.clear();
                    orders.clear();
                    for at in (0..all_days.len()).filter(|&at| all_orders[at] > 0) {
                        days.push(all_days[at]);
                        orders.push(all_orders[at]);
                    }
                    Buyer { code, days: &days, orders: &orders, total, all_days, all_units }
                };
                add(&mut folded, &buyer);
            }
        }
        Ok(folded)
    };
    let customers = view.customers();
    context.run_if_large(records.len().max(customers), |threads| threads.par_chunks(customers, fold))?.into_iter().collect()
}
