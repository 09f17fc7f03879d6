//! The ladder of orders: of the customers with so many orders, how many made one more, and how long it took.

use std::collections::BTreeMap;

use super::ladder_table::{Rungs, ladder_table};
use crate::analysis::measures::grouping::Grouping;
use crate::analysis::measures::labels::Label;
use crate::analysis::measures::segments::CustomerSegments;
use crate::analysis::purchase_days::{Buyer, fold_buyers};
use crate::analysis::survival::DurationCounts;
use crate::base::CustomerBase;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::report::Report;
use crate::state::spec::AsOf;
use crate::table::Table;

/// Most rungs of a ladder.
const MOST_RUNGS: usize = 1_000;

/// Of the customers with k orders or more, the share of those with more than k, for k up to `n`: plain, and by Kaplan-Meier with the
/// time since the k-th order censored. Groups are the values of an attribute, or segments.
pub fn order_ladder(
    base: &CustomerBase,
    n: usize,
    (by, segments): (Option<&str>, Option<&CustomerSegments>),
    as_of: Option<AsOf>,
    context: &Context,
) -> Result<Table> {
    if !(1..=MOST_RUNGS).contains(&n) {
        return Err(Error::new(ErrorKind::InvalidArgument, format!("n={n} is outside 1 to {MOST_RUNGS}")));
    }
    let grouping = Grouping::by(by, segments);
    let day = as_of.map(|as_of| as_of.day(&base.input_schema()?.clock)).transpose()?;
    let mut counted = BTreeMap::<Label, Rungs>::new();
    let (mut report, mut column): (Option<Report>, _) = (None, None);
    base.by_ranges(context, |part| {
        let view = part.view_with_days(day, context)?;
        if column.is_none() {
            column = grouping.column(&view)?;
        }
        if let Some(last) = day.or_else(|| view.last_day()) {
            let groups = context.run_if_large(view.customers(), |threads| grouping.of(&view, threads))??;
            let add = |rungs: &mut BTreeMap<usize, Rungs>, buyer: &Buyer<'_>| {
                let of_group = rungs.entry(groups.group(buyer.code as usize)).or_insert_with(|| vec![DurationCounts::default(); n]);
                climb(of_group, buyer, last);
            };
            for (group, rungs) in fold_buyers(&view, context, BTreeMap::new, add)?.into_iter().flatten() {
                match counted.get_mut(&groups.labels[group]) {
                    None => drop(counted.insert(groups.labels[group].clone(), rungs)),
                    Some(whole) => whole.iter_mut().zip(&rungs).for_each(|(whole, more)| whole.merge(more)),
                }
            }
        }
        let of_part = view.report();
        match &mut report {
            None => report = Some(of_part),
            Some(report) => report.join(&of_part),
        }
        Ok(())
    })?;
    if by.is_none() && segments.is_none() {
        counted.entry(Label::All).or_insert_with(|| vec![DurationCounts::default(); n]);
    }
    ladder_table(&counted, column.as_ref(), report.ok_or_else(|| Error::internal("a base without ranges"))?)
}

/// Adds a customer to the rungs. Orders of one day have no days between them.
fn climb(rungs: &mut [DurationCounts], buyer: &Buyer<'_>, last: i32) {
    let mut before: Option<i32> = None;
    let mut rungs = rungs.iter_mut();
    for (&day, &orders) in buyer.days.iter().zip(buyer.orders) {
        for _ in 0..orders {
            if let Some(before) = before.replace(day) {
                let Some(rung) = rungs.next() else { return };
                rung.add_ended(day - before, 1);
            }
        }
    }
    if let (Some(before), Some(rung)) = (before, rungs.next()) {
        rung.add_open(last.saturating_sub(before).max(0), 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn climbed(n: usize, days: &[i32], orders: &[u64]) -> Vec<Vec<(i32, u64, u64)>> {
        let mut rungs = vec![DurationCounts::default(); n];
        let buyer = Buyer { code: 0, days, orders, total: 0, all_days: days, all_units: &[] };
        climb(&mut rungs, &buyer, 100);
        rungs.iter().map(|rung| rung.iter().collect()).collect()
    }

    #[test]
    fn a_customer_climbs_by_orders() {
        assert_eq!(climbed(3, &[10], &[1]), [vec![(90, 0, 1)], vec![], vec![]]);
        assert_eq!(climbed(3, &[10, 15], &[2, 1]), [vec![(0, 1, 0)], vec![(5, 1, 0)], vec![(85, 0, 1)]]);
        assert_eq!(climbed(2, &[10, 15], &[2, 9]), [vec![(0, 1, 0)], vec![(5, 1, 0)]]);
        assert_eq!(climbed(2, &[10], &[u64::MAX]), [vec![(0, 1, 0)], vec![(0, 1, 0)]]);
        assert_eq!(climbed(3, &[10], &[3]), [vec![(0, 1, 0)], vec![(0, 1, 0)], vec![(90, 0, 1)]]);
        assert_eq!(climbed(1, &[10, 11], &[1, 1]), [vec![(1, 1, 0)]]);
    }
}
