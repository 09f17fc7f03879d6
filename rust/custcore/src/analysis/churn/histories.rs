//! Purchase days of customers up to each of several dates.
//!
//! Where no order has lines on several days, the day records up to a date are what was known on that date, and one pass over them serves
//! all dates. Else each date has a view of its own.

use std::ops::Range;

use crate::base::CustomerBase;
use crate::base::view::DaysView;
use crate::error::Result;
use crate::exec::context::Context;

/// Customers between two checks whether the call was cancelled.
const BLOCK: usize = 4_096;

/// A buyer as of a date.
#[derive(Debug, Clone, Copy)]
pub(super) struct History<'a> {
    /// Code of the customer.
    pub code: u32,
    /// Distinct purchase days up to the date, ascending; at least one.
    pub days: &'a [i32],
    /// The first purchase day after the date, which only labels may use.
    pub next: Option<i32>,
}

/// Calls `add` for every buyer as of each of ascending dates, with the number of the date. Accumulators, made by `new`, are returned by
/// date; those of one date have ascending ranges of codes.
pub(super) fn fold_dates<T: Send>(
    base: &CustomerBase,
    dates: &[i32],
    context: &Context,
    new: impl Fn() -> T + Sync + Send,
    add: impl Fn(&mut T, usize, &History<'_>) + Sync + Send,
) -> Result<Vec<Vec<T>>> {
    let view = base.view_with_days(None, context)?;
    let whole = view.days()?;
    let mut folded: Vec<Vec<T>> = dates.iter().map(|_| Vec::new()).collect();
    if base.days_are_final() {
        let fold = |codes: Range<usize>| -> Result<Vec<T>> {
            let mut parts: Vec<T> = dates.iter().map(|_| new()).collect();
            let mut days = Vec::new();
            for code in codes {
                check(code, context)?;
                let code = code as u32;
                whole.purchase_days(code, &mut days);
                let mut known = 0;
                for (at, (&date, part)) in dates.iter().zip(&mut parts).enumerate() {
                    known += days[known..].iter().take_while(|&&day| day <= date).count();
                    if known > 0 {
                        add(part, at, &History { code, days: &days[..known], next: days.get(known).copied() });
                    }
                }
            }
            Ok(parts)
        };
        for parts in by_chunks(&whole, view.customers(), context, fold)? {
            folded.iter_mut().zip(parts).for_each(|(folded, part)| folded.push(part));
        }
        return Ok(folded);
    }
    for (at, (&date, folded)) in dates.iter().zip(&mut folded).enumerate() {
        let then = base.view_with_days(Some(date), context)?;
        let records = then.days()?;
        let fold = |codes: Range<usize>| -> Result<T> {
            let mut part = new();
            let (mut days, mut all) = (Vec::new(), Vec::new());
            for code in codes {
                check(code, context)?;
                let code = code as u32;
                records.purchase_days(code, &mut days);
                if !days.is_empty() {
                    whole.purchase_days(code, &mut all);
                    let next = all.iter().copied().find(|&day| day > date);
                    add(&mut part, at, &History { code, days: &days, next });
                }
            }
            Ok(part)
        };
        *folded = by_chunks(&records, then.customers(), context, fold)?;
    }
    Ok(folded)
}

fn check(code: usize, context: &Context) -> Result<()> {
    if code.is_multiple_of(BLOCK) { context.check() } else { Ok(()) }
}

fn by_chunks<R: Send>(
    records: &DaysView,
    customers: usize,
    context: &Context,
    fold: impl Fn(Range<usize>) -> Result<R> + Sync + Send,
) -> Result<Vec<R>> {
    context.run_if_large(records.len().max(customers), |threads| threads.par_chunks(customers, fold))?.into_iter().collect()
}
