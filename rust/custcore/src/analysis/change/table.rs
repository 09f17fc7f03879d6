//! The table of a change of revenue.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Float64Array, Int64Array, StringArray};

use super::kernel::{SOURCES, Source, SourceSums};
use super::spec::{CampaignIncrement, ChangeSpec};
use crate::analysis::measures::grouping::GroupColumn;
use crate::analysis::measures::labels::Label;
use crate::error::Result;
use crate::num::money::{Amount, Money};
use crate::report::Report;
use crate::table::{AS_OF, Table, TableBuilder};
use crate::time::calendar::date_text;

/// The sums of all groups.
pub(super) struct Summed {
    pub(super) groups: BTreeMap<Label, SourceSums>,
    pub(super) column: Option<GroupColumn>,
    pub(super) money: Money,
}

/// A row of the result.
struct Row<'a> {
    group: usize,
    source: &'static str,
    name: Option<&'a str>,
    customers: Option<i64>,
    revenue: Option<f64>,
    bounds: Option<(f64, f64)>,
    /// The change of the group that it is a part of.
    whole: f64,
}

pub(super) fn change_table(summed: &Summed, spec: &ChangeSpec, campaigns: &[CampaignIncrement], mut report: Report) -> Result<Table> {
    let money = |units: i128| Amount { units, money: summed.money }.to_f64();
    let mut rows = Vec::new();
    let mut change = 0.0;
    for (group, sums) in summed.groups.values().enumerate() {
        change = money(sums.change());
        for (source, name) in SOURCES {
            let sum = sums.get(source);
            // There are customers of this kind only where money was paid back.
            if source == Source::Refunds && sum.customers == 0 {
                continue;
            }
            let customers = Some(sum.customers as i64);
            rows.push(Row { group, source: name, name: None, customers, revenue: Some(money(sum.units)), bounds: None, whole: change });
        }
    }
    for campaign in campaigns {
        rows.push(Row {
            group: 0,
            source: "campaign",
            name: Some(&campaign.name),
            customers: Some(campaign.customers as i64),
            revenue: campaign.revenue,
            bounds: campaign.bounds,
            whole: change,
        });
    }
    match &spec.overlap {
        _ if campaigns.is_empty() => {}
        Some(overlap) => report.remarks.push(overlap.clone()),
        None => {
            let revenue = campaigns.iter().map(|campaign| campaign.revenue).sum::<Option<f64>>().map(|sum| change - sum);
            let bounds = revenue.zip(half_width(campaigns)).map(|(revenue, half)| (revenue - half, revenue + half));
            rows.push(Row { group: 0, source: "unexplained", name: None, customers: None, revenue, bounds, whole: change });
        }
    }
    let labels: Vec<Label> = summed.groups.keys().cloned().collect();
    let mut table = TableBuilder::default();
    if let Some(column) = &summed.column {
        column.add_to(&mut table, &labels, rows.iter().map(|row| row.group))?;
    }
    let share = |row: &Row<'_>| row.revenue.filter(|_| row.whole != 0.0).map(|revenue| revenue / row.whole);
    table.column("source", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.source))));
    table.column("name", Arc::new(rows.iter().map(|row| row.name).collect::<StringArray>()));
    table.column("customers", Arc::new(rows.iter().map(|row| row.customers).collect::<Int64Array>()));
    table.column("revenue", Arc::new(rows.iter().map(|row| row.revenue).collect::<Float64Array>()));
    table.column("low", Arc::new(rows.iter().map(|row| row.bounds.map(|(low, _)| low)).collect::<Float64Array>()));
    table.column("high", Arc::new(rows.iter().map(|row| row.bounds.map(|(_, high)| high)).collect::<Float64Array>()));
    table.column("share", Arc::new(rows.iter().map(share).collect::<Float64Array>()));
    let last = report.as_of.map(|day| (AS_OF.to_owned(), date_text(day)));
    table.finish(rows.len(), last.into_iter().collect(), report)
}

/// Half the width of the interval of the sum of all increments; `None` if one has no interval. Campaigns are independent; groups
/// of one are not, because they share a control, so their widths are added up, which is the widest they can be.
fn half_width(campaigns: &[CampaignIncrement]) -> Option<f64> {
    let mut of_campaigns = BTreeMap::<usize, f64>::new();
    for increment in campaigns {
        let (low, high) = increment.bounds.filter(|(low, high)| low.is_finite() && high.is_finite())?;
        *of_campaigns.entry(increment.campaign).or_default() += (high - low) / 2.0;
    }
    Some(of_campaigns.values().map(|half| half * half).sum::<f64>().sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_of_one_campaign_are_added_up() {
        let of = |campaign, bounds| CampaignIncrement { campaign, name: String::new(), customers: 1, revenue: Some(0.0), bounds };
        let found = half_width(&[of(0, Some((-1.0, 3.0))), of(0, Some((0.0, 2.0))), of(1, Some((-4.0, 4.0)))]);
        assert_eq!(found, Some(5.0));
        assert_eq!(half_width(&[of(0, Some((-1.0, f64::INFINITY)))]), None);
        assert_eq!(half_width(&[of(0, None)]), None);
    }
}
