//! What the customers of groups like: sums first, then shares.

use std::collections::BTreeMap;

use super::kernel::quotient;
use super::overall::{CategorySum, Overall, orders_with};
use super::spec::{PreferenceMeasure, PreferenceSpec};
use super::table::counts;
use crate::analysis::holdings::{Holdings, each_view, pieces};
use crate::analysis::measures::grouping::{GroupColumn, Grouping};
use crate::analysis::measures::labels::Label;
use crate::base::CustomerBase;
use crate::error::Result;
use crate::exec::context::Context;
use crate::report::Report;
use crate::state::spec::AsOf;
use crate::table::{AS_OF, Table, TableBuilder, money_column, nullable_floats};
use crate::time::calendar::date_text;

/// The sums of a group.
#[derive(Debug, Clone, Default)]
struct GroupSum {
    /// Orders with a category.
    orders: u64,
    /// By code of the category.
    sums: BTreeMap<u32, CategorySum>,
}

impl GroupSum {
    fn merge(&mut self, other: &Self) {
        self.orders += other.orders;
        for (&category, sum) in &other.sums {
            self.sums.entry(category).or_default().merge(sum);
        }
    }
}

/// A row of the result.
struct GroupRow {
    group: usize,
    category: u32,
    sum: CategorySum,
    share: f64,
    share_all: f64,
    index: f64,
    rank: u64,
}

/// The preferences of groups.
pub(super) fn group_table(
    base: &CustomerBase,
    spec: &PreferenceSpec,
    (grouping, as_of): (Grouping<'_>, Option<AsOf>),
    (mut overall, report): (Overall, Report),
    context: &Context,
) -> Result<Table> {
    let mut all = BTreeMap::<Label, GroupSum>::new();
    let mut column: Option<GroupColumn> = None;
    each_view(base, as_of, context, |view| {
        if column.is_none() {
            column = grouping.column(view)?;
        }
        let holdings = Holdings::of(view, spec.preferred.role())?;
        let codes = overall.codes(&holdings)?;
        let groups = context.run_if_large(view.customers(), |threads| grouping.of(view, threads))??;
        let customers = view.customers();
        let parts: Vec<BTreeMap<usize, GroupSum>> = context
            .run_if_large(holdings.cells(), |threads| {
                let size = pieces(customers, threads.count());
                threads.par_tasks((0..customers).step_by(size), |start| {
                    context.check()?;
                    let (mut reader, mut found) = (holdings.reader(), BTreeMap::<usize, GroupSum>::new());
                    for code in start..customers.min(start + size) {
                        let (held, without) = reader.read(code as u32);
                        if !held.iter().any(|holding| holding.orders > 0) {
                            continue;
                        }
                        let group = found.entry(groups.group(code)).or_default();
                        group.orders += orders_with(view, code as u32, without);
                        for holding in held.iter().filter(|holding| holding.orders > 0) {
                            group.sums.entry(codes[holding.category as usize]).or_default().add(holding);
                        }
                    }
                    Ok(found)
                })
            })?
            .into_iter()
            .collect::<Result<_>>()?;
        for (group, sum) in parts.into_iter().flatten() {
            all.entry(groups.labels[group].clone()).or_default().merge(&sum);
        }
        Ok(())
    })?;
    table(base, spec, (&all, column.as_ref()), (&overall, report))
}

fn rows(all: &BTreeMap<Label, GroupSum>, overall: &Overall, measure: PreferenceMeasure) -> Vec<GroupRow> {
    let keys = overall.values.keys();
    let units_of_all = overall.units();
    let mut rows = Vec::new();
    for (group, of_group) in all.values().enumerate() {
        let mut categories: Vec<(u32, CategorySum)> = of_group.sums.iter().map(|(&category, sum)| (category, *sum)).collect();
        categories.sort_unstable_by(|(a, _), (b, _)| keys.compare(*a, *b));
        let units: i128 = categories.iter().map(|(_, sum)| sum.units).sum();
        let first = rows.len();
        for (category, sum) in categories {
            let all = overall.sums[category as usize];
            let (share, share_all) = match measure {
                PreferenceMeasure::Spend => (quotient(sum.units, units), quotient(all.units, units_of_all)),
                PreferenceMeasure::Orders => (
                    quotient(i128::from(sum.orders), i128::from(of_group.orders)),
                    quotient(i128::from(all.orders), i128::from(overall.orders)),
                ),
            };
            let index = if share_all > 0.0 { 100.0 * share / share_all } else { f64::NAN };
            rows.push(GroupRow { group, category, sum, share, share_all, index, rank: 0 });
        }
        let of_group: &mut [GroupRow] = &mut rows[first..];
        let shown = |row: &GroupRow| if row.share.is_nan() { f64::NEG_INFINITY } else { row.share };
        let mut order: Vec<usize> = (0..of_group.len()).collect();
        order.sort_by(|&a, &b| shown(&of_group[b]).total_cmp(&shown(&of_group[a])));
        (1..).zip(order).for_each(|(rank, at)| of_group[at].rank = rank);
    }
    rows
}

fn table(
    base: &CustomerBase,
    spec: &PreferenceSpec,
    (all, column): (&BTreeMap<Label, GroupSum>, Option<&GroupColumn>),
    (overall, report): (&Overall, Report),
) -> Result<Table> {
    let rows = rows(all, overall, spec.measure);
    let schema = base.input_schema()?;
    let labels: Vec<Label> = all.keys().cloned().collect();
    let mut table = TableBuilder::default();
    if let Some(column) = column {
        column.add_to(&mut table, &labels, rows.iter().map(|row| row.group))?;
    }
    let categories = rows.iter().map(|row| Some(row.category));
    table.values(spec.preferred.column(), spec.preferred.value_type(schema)?, overall.values.keys(), categories)?;
    table.column("customers", counts(rows.iter().map(|row| row.sum.customers)));
    table.column("orders", counts(rows.iter().map(|row| row.sum.orders)));
    table.column("rows", counts(rows.iter().map(|row| row.sum.rows)));
    if schema.money.is_some() {
        let whose = |row: usize| format!("of row {row}");
        table.column("monetary_total", money_column(schema.money, rows.iter().map(|row| Some(row.sum.units)), whose)?);
    }
    let floats = |of: fn(&GroupRow) -> f64| nullable_floats(rows.iter().map(of).collect());
    table.column("share", floats(|row| row.share));
    table.column("share_all", floats(|row| row.share_all));
    table.column("index", floats(|row| row.index));
    table.column("rank", counts(rows.iter().map(|row| row.rank)));
    let as_of = report.as_of.map(|day| (AS_OF.to_owned(), date_text(day)));
    table.finish(rows.len(), as_of.into_iter().collect(), report)
}
