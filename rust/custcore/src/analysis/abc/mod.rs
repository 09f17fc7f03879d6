//! Value classes (ABC), the Pareto curve and concentration, demand classes (XYZ), and both classes together.

mod buyers;
mod curve;
mod demand;
mod ids;
mod kernel;
pub(crate) mod spec;
mod table;

use self::buyers::Buyers;
use self::curve::{curve_sizes, first_of, gini, heads};
use self::demand::{CompletePeriods, Demand, Demands, demands};
use self::ids::{groups_of, ids_of, in_order, joined};
use self::kernel::{Classed, Classing, NO_CLASS, Units, by_group, by_value, classed};
use self::spec::{AbcSpec, ClassRule, XyzSpec};
use self::table::{Cell, abc_table, cells_table, concentration_table, customers_metadata, demand_columns, pareto_table};
use crate::base::CustomerBase;
use crate::base::view::BaseView;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::money::Money;
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit, Tally};
use crate::state::spec::AsOf;
use crate::table::{Table, TableBuilder};

/// The value class of every buyer: one row each, [by group,] in descending order of money.
///
/// A base in memory is read at once, one on disk by ranges of ids; the result is the same, and in memory.
pub fn abc(base: &CustomerBase, as_of: Option<AsOf>, spec: &AbcSpec, context: &Context) -> Result<Table> {
    let (classing, group) = (spec.classing()?, spec.group.as_deref());
    // A base in memory without groups gets its ids in the order of the result at once.
    let at_once = !base.is_spilled() && group.is_none();
    let (mut parts, mut sorted) = (Vec::new(), Vec::new());
    let Buyers { units, money, mut report } = Buyers::read(base, as_of, context, |view, codes, units| {
        if at_once {
            sorted = context.run_if_large(codes.len(), |threads| by_value(units, threads))?;
            let at = |row: usize| codes[sorted[row] as usize];
            let codes = context.run_if_large(codes.len(), |threads| threads.par_map(codes.len(), at))?;
            parts.push(ids_of(view, &codes, None, context)?);
        } else {
            parts.push(ids_of(view, codes, group, context)?);
        }
        Ok(())
    })?;
    let mut ids = joined(&parts)?;
    drop(parts);
    let mut groups = units.rows().to_vec();
    if !at_once {
        sorted = context.run_if_large(units.len(), |threads| by_value(&units, threads))?;
        if let Some(group) = group {
            let (group_of, number) = groups_of(&ids, group)?;
            groups = by_group(&mut sorted, &group_of, number);
        }
    }
    context.check()?;
    let (units, classed) = context.run_if_large(units.len(), |threads| {
        let units = units.in_order(&sorted, threads);
        let classed = classed(&units, &groups, &classing, threads);
        (units, classed)
    })?;
    if !at_once {
        ids = in_order(&ids, sorted)?;
    }
    report.remarks.extend(remarks(&classed, &groups, spec));
    abc_table(&ids, &units, money, classed, &AbcSpec::names(&classing.thresholds), report)
}

/// Remarks on groups without value, and on classes that are empty because one customer has more than the first threshold.
fn remarks(classed: &Classed, groups: &[std::ops::Range<usize>], spec: &AbcSpec) -> Vec<String> {
    let groups = || groups.iter().filter(|rows| !rows.is_empty());
    let all = groups().count();
    let has_value = |rows: &&std::ops::Range<usize>| !classed.cumulative_share[rows.start].is_nan();
    let without_value = all - groups().filter(has_value).count();
    let without_a = groups().filter(has_value).filter(|rows| classed.class[rows.start] > 0).count();
    let of_groups = |n: usize| if spec.group.is_some() { format!("{n} of {all} groups: ") } else { String::new() };
    let mut remarks = Vec::new();
    if without_value > 0 {
        remarks.push(format!("{}the total value is 0: all customers are in the last class, and shares are null", of_groups(without_value)));
    }
    if without_a > 0 && spec.rule == ClassRule::Upto {
        remarks.push(format!(
            "{}class A is empty: the share of the first customer alone exceeds the first threshold; rule='before' puts him into A",
            of_groups(without_a)
        ));
    }
    remarks
}

/// The Pareto curve: the value of the first customers in descending order of value, at so many points.
pub fn pareto(base: &CustomerBase, as_of: Option<AsOf>, points: usize, context: &Context) -> Result<Table> {
    if points == 0 {
        return Err(Error::new(ErrorKind::InvalidArgument, "points=0 is too small; expected at least 1"));
    }
    let (units, money, report) = descending(base, as_of, context)?;
    let heads = heads(&units, curve_sizes(units.len(), points));
    let total = heads.last().map_or(0, |head| head.value);
    pareto_table(&heads, (units.len(), total), money, report)
}

/// The Gini coefficient, and the shares of the first customers in descending order of value.
pub fn concentration(base: &CustomerBase, as_of: Option<AsOf>, top: &[f64], context: &Context) -> Result<Table> {
    if let Some(wrong) = top.iter().find(|&&q| !(q > 0.0 && q <= 1.0)) {
        let message = format!("top has {wrong}; expected shares of customers above 0 and up to 1, such as (0.01, 0.2)");
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    let (units, money, report) = descending(base, as_of, context)?;
    let found: Vec<_> = top.iter().map(|&q| first_of(units.len(), q)).collect();
    // Heads are summed in ascending order, and shown in the order asked for.
    let mut sizes = found.clone();
    sizes.push(units.len());
    sizes.sort_unstable();
    let sums = heads(&units, sizes.iter().copied());
    let heads: Vec<_> = found.iter().map(|size| sums[sizes.partition_point(|other| other < size)]).collect();
    let total = sums.last().map_or(0, |head| head.value);
    concentration_table(top, &heads, (units.len(), total), gini(&units), money, report)
}

/// The money of the buyers in descending order.
fn descending(base: &CustomerBase, as_of: Option<AsOf>, context: &Context) -> Result<(Units, Money, Report)> {
    let Buyers { mut units, money, mut report } = Buyers::read(base, as_of, context, |_, _, _| Ok(()))?;
    context.run_if_large(units.len(), |threads| units.sort_descending(threads))?;
    if units.len() > 0 && units.get(0) <= 0 {
        report.remarks.push("the total value is 0: shares are null".to_owned());
    }
    Ok((units, money, report))
}

/// The demand class of every buyer, by ranges of ids; the first table has the report of all of them. Not available at level
/// "totals".
pub fn xyz_by_ranges(base: &CustomerBase, as_of: Option<AsOf>, spec: &XyzSpec, context: &Context) -> Result<Vec<Table>> {
    spec.check()?;
    let (mut tables, mut outside): (Vec<Table>, _) = (Vec::new(), Outside::default());
    let Buyers { mut report, money, .. } = Buyers::read(base, as_of, context, |view, codes, _| {
        let demands = outside.demands(view, codes, spec, context)?;
        let money = view.kinds().money.ok_or_else(|| Error::internal("demand without money"))?;
        let mut table = TableBuilder::from_batch(&ids_of(view, codes, None, context)?);
        demand_columns(&mut table, &demands, money)?;
        // A range may have no buyers.
        if tables.is_empty() || !codes.is_empty() {
            tables.push(table.finish(codes.len(), customers_metadata(view), Report::default())?);
        }
        Ok(())
    })?;
    outside.report(&mut report, money);
    if let Some(first) = tables.first_mut() {
        first.report = report;
    }
    Ok(tables)
}

/// Revenue outside the complete periods of a customer, and customers without a class.
#[derive(Debug, Default)]
struct Outside {
    incomplete: Tally,
    before: Tally,
}

impl Outside {
    /// The demand of `codes`, in their order.
    fn demands(&mut self, view: &BaseView<'_>, codes: &[u32], spec: &XyzSpec, context: &Context) -> Result<Vec<Demand>> {
        let (days, totals) = (view.days()?, view.totals());
        let Some(day) = view.as_of() else { return Ok(Vec::new()) };
        let periods = CompletePeriods::until(day, spec);
        let found: Vec<Demands> = context
            .run_if_large(days.len(), |threads| {
                let ranges = view.ranges(8 * threads.count());
                threads.par_tasks(ranges, |range| context.check().map(|()| demands(&days, totals, range, &periods, spec)))
            })?
            .into_iter()
            .collect::<Result<_>>()?;
        for part in &found {
            self.incomplete.merge(&part.incomplete, 0);
            self.before.merge(&part.before, 0);
        }
        let by_code: Vec<Demand> = found.into_iter().flat_map(|part| part.of_customers).collect();
        Ok(codes.iter().map(|&code| by_code[code as usize]).collect())
    }

    /// Reports the revenue that is in no period.
    fn report(&self, report: &mut Report, money: Money) {
        let entry = |name, tally| ReportEntry::new(name, EntryKind::LeftOut, ReportUnit::Customers, tally, Some(money));
        report.entries.extend([entry("incomplete_period", &self.incomplete), entry("before_first_period", &self.before)]);
    }
}

/// Value classes by demand classes: customers and revenue of every pair. Customers of too few periods are reported.
pub fn abc_xyz(base: &CustomerBase, as_of: Option<AsOf>, abc: &AbcSpec, xyz: &XyzSpec, context: &Context) -> Result<Table> {
    xyz.check()?;
    let (classing, mut demand_of) = (abc.classing()?, Vec::new());
    let mut outside = Outside::default();
    let Buyers { units, money, mut report } = Buyers::read(base, as_of, context, |view, codes, _| {
        demand_of.extend(outside.demands(view, codes, xyz, context)?.iter().map(|demand| demand.class));
        Ok(())
    })?;
    let (order, found) = context.run_if_large(units.len(), |threads| {
        let order = by_value(&units, threads);
        let sorted = units.in_order(&order, threads);
        let found = classed(&sorted, &units.rows(), &classing, threads);
        (order, found)
    })?;
    let names = AbcSpec::names(&classing.thresholds);
    let mut cells = vec![Cell::default(); names.len() * XyzSpec::NAMES.len()];
    let mut unclassed = Tally::default();
    for (&at, &class) in order.iter().zip(&found.class) {
        let (demand, units) = (demand_of[at as usize], units.get(at as usize));
        if demand == NO_CLASS {
            unclassed.count += 1;
            unclassed.units += units;
        } else {
            let cell = &mut cells[usize::from(class) * XyzSpec::NAMES.len() + usize::from(demand)];
            cell.customers += 1;
            cell.units += units;
        }
    }
    report.remarks.extend(remarks(&found, &units.rows(), abc));
    let entry = ReportEntry::new("no_demand_class", EntryKind::LeftOut, ReportUnit::Customers, &unclassed, Some(money));
    report.entries.push(entry);
    cells_table(&cells, &names, money, report)
}

impl AbcSpec {
    fn classing(&self) -> Result<Classing> {
        Ok(Classing { by: self.by, rule: self.rule, ties: self.ties, thresholds: self.thresholds()? })
    }
}
