//! Where a change of revenue between two periods came from, customer by customer: those who are new, came back, were lost, and
//! those who bought in both and spent more or less.

mod kernel;
pub(crate) mod spec;
mod table;

use std::collections::BTreeMap;

use self::kernel::SourceSums;
use self::spec::{CampaignIncrement, ChangeSpec};
use self::table::{Summed, change_table};
use super::measures::grouping::Grouping;
use super::measures::labels::Label;
use super::measures::segments::CustomerSegments;
use super::purchase_days::{Buyer, fold_buyers};
use crate::base::CustomerBase;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::report::Report;
use crate::table::Table;
use crate::time::calendar::date_text;

/// The change of revenue from one period to a later one by what customers did. With `campaigns`, what these added, and what is left.
pub fn change(
    base: &CustomerBase,
    spec: &ChangeSpec,
    segments: Option<&CustomerSegments>,
    campaigns: &[CampaignIncrement],
    context: &Context,
) -> Result<Table> {
    spec.check(segments.is_some(), campaigns)?;
    let money = base.input_schema()?.money.ok_or_else(|| {
        let message = "change() compares revenue, and the base has no amounts; build it with amount=";
        Error::new(ErrorKind::InvalidArgument, message)
    })?;
    let grouping = Grouping::by(spec.by.as_deref(), segments);
    let mut groups = BTreeMap::<Label, SourceSums>::new();
    let (mut report, mut column, mut last_day): (Option<Report>, _, _) = (None, None, None);
    base.by_ranges(context, |part| {
        let view = part.view_with_days(Some(spec.after.last), context)?;
        // An error at a level without days, also where there are no customers.
        view.days()?;
        if column.is_none() {
            column = grouping.column(&view)?;
        }
        last_day = last_day.max(part.last_day());
        let of_view = context.run_if_large(view.customers(), |threads| grouping.of(&view, threads))??;
        let add = |sums: &mut BTreeMap<usize, SourceSums>, buyer: &Buyer<'_>| {
            sums.entry(of_view.group(buyer.code as usize)).or_default().add(buyer, spec);
        };
        for (group, sums) in fold_buyers(&view, context, BTreeMap::new, add)?.into_iter().flatten() {
            groups.entry(of_view.labels[group].clone()).or_default().merge(&sums);
        }
        let of_part = view.report();
        match &mut report {
            None => report = Some(of_part),
            Some(report) => report.join(&of_part),
        }
        Ok(())
    })?;
    if spec.by.is_none() && segments.is_none() {
        groups.entry(Label::All).or_default();
    }
    let mut report = report.ok_or_else(|| Error::internal("a base without ranges"))?;
    if let Some(last) = last_day.filter(|&last| last < spec.after.last) {
        report.remarks.push(format!(
            "the data end on {}, before the last day of the later period, {}",
            date_text(last),
            date_text(spec.after.last)
        ));
    }
    if spec.is_unequal() {
        report.remarks.push(format!("the periods have {} and {} days", spec.before.days(), spec.after.days()));
    }
    change_table(&Summed { groups, column, money }, spec, campaigns, report)
}
