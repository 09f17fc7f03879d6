//! What customers like: their shares of categories or channels, shrunk towards those of all customers, and how broad they buy.
//!
//! A base is read twice: for the sums of all customers, then for the rows of each.

mod groups;
mod kernel;
mod overall;
pub(crate) mod promotion;
pub(crate) mod spec;
mod table;

use self::kernel::{Had, Preference, entropy, quotient};
use self::overall::{Overall, orders_with};
use self::spec::{PreferenceMeasure, PreferenceSpec, Preferred, check_prior};
use self::table::{Breadth, Channels, PreferenceRow};
use super::holdings::{Holding, Holdings, each_view, pieces};
use super::measures::grouping::Grouping;
use super::measures::segments::CustomerSegments;
use crate::base::CustomerBase;
use crate::base::view::BaseView;
use crate::column::chunks::InputSchema;
use crate::column::value::ValueType;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::interner::Interner;
use crate::report::Report;
use crate::state::cells::CellRole;
use crate::state::spec::AsOf;
use crate::table::Table;

/// An error if shares of money are asked for, and there is none.
fn check_money(base: &CustomerBase, measure: PreferenceMeasure, remedy: &str) -> Result<()> {
    if measure == PreferenceMeasure::Orders || base.spec().roles.amount.is_some() {
        return Ok(());
    }
    let message = format!("shares of money need amounts, and the base has none; build it with amount={remedy}");
    Err(Error::new(ErrorKind::StateMismatch, message))
}

/// The sums of all customers.
fn overall(base: &CustomerBase, role: CellRole, as_of: Option<AsOf>, context: &Context) -> Result<(Overall, Report)> {
    let schema = base.input_schema()?;
    let value_type = match role {
        CellRole::Category => schema.category.as_ref(),
        CellRole::Channel => schema.channel.as_ref(),
    };
    let mut overall: Option<Overall> = value_type.map(|value_type| Overall::new(Interner::new(value_type.kind.stored())));
    let mut report = each_view(base, as_of, context, |view| {
        let holdings = Holdings::of(view, role)?;
        overall.as_mut().map_or(Ok(()), |overall| overall.add(view, &holdings, context))
    })?;
    let overall = overall.ok_or_else(|| Error::internal("cells without a type"))?;
    overall.report(&mut report, schema.money);
    Ok((overall, report))
}

/// The shares of all customers, by rank of the categories of a view.
fn shares_of_all(overall: &mut Overall, holdings: &Holdings<'_>, measure: PreferenceMeasure) -> Result<Vec<f64>> {
    let codes = overall.codes(holdings)?;
    let (units, orders) = (overall.units(), i128::from(overall.orders));
    let share = |code: u32| {
        let sum = overall.sums.get(code as usize).copied().unwrap_or_default();
        match measure {
            PreferenceMeasure::Spend => quotient(sum.units, units),
            PreferenceMeasure::Orders => quotient(i128::from(sum.orders), orders),
        }
    };
    Ok(codes.into_iter().map(share).collect())
}

/// What a customer had of the categories with an order.
fn had(held: &[Holding], shares: &[f64], out: &mut Vec<Had>) {
    out.clear();
    out.extend(held.iter().filter(|holding| holding.orders > 0).map(|holding| {
        let Holding { category, orders, rows, units, .. } = *holding;
        Had { category, orders, rows, units: units.max(0), share_all: shares[category as usize] }
    }));
}

/// Who a customer is, and the orders with a category.
#[derive(Debug, Clone, Copy)]
struct Customer {
    code: u32,
    orders: u64,
}

/// The rows that `rows` makes of the customers of a view, in the order of ids.
fn rows_of<R: Send>(
    view: &BaseView<'_>,
    holdings: &Holdings<'_>,
    context: &Context,
    rows: impl Fn(Customer, &[Holding], &mut Vec<R>) + Sync + Send,
) -> Result<Vec<R>> {
    let codes = view.codes_by_id(context)?;
    let parts: Vec<Vec<R>> = context
        .run_if_large(holdings.cells(), |threads| {
            threads.par_tasks(codes.chunks(pieces(codes.len(), threads.count())), |codes| {
                context.check()?;
                let (mut reader, mut out) = (holdings.reader(), Vec::new());
                for &code in codes {
                    let (held, without) = reader.read(code);
                    if held.iter().any(|holding| holding.orders > 0) {
                        rows(Customer { code, orders: orders_with(view, code, without) }, held, &mut out);
                    }
                }
                Ok(out)
            })
        })?
        .into_iter()
        .collect::<Result<_>>()?;
    Ok(parts.into_iter().flatten().collect())
}

/// Tables of the views of a base, the first of which has the report.
fn tables_of(
    base: &CustomerBase,
    (role, measure): (CellRole, PreferenceMeasure),
    as_of: Option<AsOf>,
    context: &Context,
    mut table: impl FnMut(&BaseView<'_>, &Holdings<'_>, &[f64]) -> Result<Table>,
) -> Result<Vec<Table>> {
    let (mut overall, report) = overall(base, role, as_of, context)?;
    let mut tables: Vec<Table> = Vec::new();
    each_view(base, as_of, context, |view| {
        let holdings = Holdings::of(view, role)?;
        let shares = shares_of_all(&mut overall, &holdings, measure)?;
        let table = table(view, &holdings, &shares)?;
        // A range may have no customers.
        if tables.is_empty() || table.batch.num_rows() > 0 {
            tables.push(table);
        }
        Ok(())
    })?;
    if let Some(first) = tables.first_mut() {
        first.report = report;
    }
    Ok(tables)
}

/// The preferences of each customer for each category or channel with an order: one row each, by id, then by category. By ranges of
/// ids; the first table has the report of all of them.
pub fn preferences(base: &CustomerBase, spec: &PreferenceSpec, as_of: Option<AsOf>, context: &Context) -> Result<Vec<Table>> {
    check_prior("prior_orders", spec.prior_orders)?;
    check_money(base, spec.measure, ", or use measure='orders'")?;
    let role = spec.preferred.role();
    tables_of(base, (role, spec.measure), as_of, context, |view, holdings, shares| {
        let rows = rows_of(view, holdings, context, |customer, held, out| {
            let (mut all, mut found) = (Vec::new(), Vec::new());
            had(held, shares, &mut all);
            kernel::preferences(&all, customer.orders, spec.measure, spec.prior_orders, &mut found);
            out.extend(all.iter().zip(&found).map(|(had, preference)| PreferenceRow {
                customer: customer.code,
                had: *had,
                preference: *preference,
            }));
        })?;
        table::preferences_table(view, holdings, spec.preferred, &rows, context)
    })
}

/// The preferences of groups: the sums of their customers first, then shares.
pub fn group_preferences(
    base: &CustomerBase,
    spec: &PreferenceSpec,
    (by, segments): (Option<&str>, Option<&CustomerSegments>),
    as_of: Option<AsOf>,
    context: &Context,
) -> Result<Table> {
    check_money(base, spec.measure, ", or use measure='orders'")?;
    let role = spec.preferred.role();
    let (overall, report) = overall(base, role, as_of, context)?;
    groups::group_table(base, spec, (Grouping::by(by, segments), as_of), (overall, report), context)
}

/// How broad each customer buys: one row each, by id.
pub fn breadth(base: &CustomerBase, prior_orders: f64, as_of: Option<AsOf>, context: &Context) -> Result<Vec<Table>> {
    check_prior("prior_orders", prior_orders)?;
    let measure = PreferenceMeasure::Spend;
    check_money(base, measure, "")?;
    tables_of(base, (CellRole::Category, measure), as_of, context, |view, holdings, shares| {
        let rows = rows_of(view, holdings, context, |customer, held, out| {
            let (mut all, mut found) = (Vec::new(), Vec::new());
            had(held, shares, &mut all);
            kernel::preferences(&all, customer.orders, measure, prior_orders, &mut found);
            out.push(breadth_of(customer.code, &all, &found));
        })?;
        table::breadth_table(view, holdings, &rows, context)
    })
}

/// A category is a signature from this many orders on.
const SIGNATURE_ORDERS: u64 = 2;

fn breadth_of(customer: u32, had: &[Had], found: &[Preference]) -> Breadth {
    let entropy = if found.iter().any(|found| found.share.is_nan()) { f64::NAN } else { entropy(found.iter().map(|found| found.share)) };
    let favourite = had.iter().zip(found).find(|(_, found)| found.rank == 1).map_or(0, |(had, _)| had.category);
    let known = had.iter().zip(found).filter(|(had, found)| had.orders >= SIGNATURE_ORDERS && !found.index.is_nan());
    // The first of those with the largest index.
    let signature = known.reduce(|best, next| if next.1.index > best.1.index { next } else { best });
    Breadth { customer, categories: had.len() as u64, entropy, favourite, signature: signature.map(|(had, _)| had.category) }
}

/// The main channel of each customer, and the last one: one row each, by id.
pub fn channels(base: &CustomerBase, as_of: Option<AsOf>, context: &Context) -> Result<Vec<Table>> {
    tables_of(base, (CellRole::Channel, PreferenceMeasure::Orders), as_of, context, |view, holdings, _| {
        let rows = rows_of(view, holdings, context, |customer, held, out| {
            let used = || held.iter().filter(|holding| holding.orders > 0);
            // The first of those with the most orders, or the latest one.
            let main = used().reduce(|best, next| if next.orders > best.orders { next } else { best });
            let last = used().reduce(|best, next| if next.time > best.time { next } else { best });
            if let (Some(main), Some(last)) = (main, last) {
                out.push(Channels {
                    customer: customer.code,
                    orders: customer.orders,
                    main: main.category,
                    main_share: quotient(i128::from(main.orders), i128::from(customer.orders)),
                    channels: used().count() as u64,
                    last: last.category,
                });
            }
        })?;
        table::channels_table(view, holdings, &rows, context)
    })
}

/// The shrunk shares of each customer as a column for each of the `top` categories with the largest shares of all customers; those
/// that a customer never bought have the share that the prior gives them.
pub fn preference_features(
    base: &CustomerBase,
    spec: &PreferenceSpec,
    top: usize,
    as_of: Option<AsOf>,
    context: &Context,
) -> Result<Vec<Table>> {
    check_prior("prior_orders", spec.prior_orders)?;
    check_money(base, spec.measure, ", or use measure='orders'")?;
    let role = spec.preferred.role();
    let (overall, report) = overall(base, role, as_of, context)?;
    let features = table::Features::new(&overall, base.input_schema()?, spec, top)?;
    let mut tables: Vec<Table> = Vec::new();
    let mut overall = overall;
    each_view(base, as_of, context, |view| {
        let holdings = Holdings::of(view, role)?;
        let shares = shares_of_all(&mut overall, &holdings, spec.measure)?;
        let columns = features.columns(&overall.codes(&holdings)?);
        let rows = rows_of(view, &holdings, context, |customer, held, out| {
            let (mut all, mut found) = (Vec::new(), Vec::new());
            had(held, &shares, &mut all);
            kernel::preferences(&all, customer.orders, spec.measure, spec.prior_orders, &mut found);
            let units: i128 = all.iter().map(|had| had.units).sum();
            let is_unknown = spec.measure == PreferenceMeasure::Spend && units == 0;
            let mut row = features.without(customer.orders, is_unknown);
            for (had, preference) in all.iter().zip(&found) {
                if let Some(value) = columns[had.category as usize].and_then(|at| row.get_mut(at)) {
                    *value = preference.share_shrunk;
                }
            }
            out.push((customer.code, row));
        })?;
        let table = features.table(view, &rows, context)?;
        if tables.is_empty() || table.batch.num_rows() > 0 {
            tables.push(table);
        }
        Ok(())
    })?;
    if let Some(first) = tables.first_mut() {
        first.report = report;
    }
    Ok(tables)
}

impl Preferred {
    /// The type of the values.
    fn value_type(self, schema: &InputSchema) -> Result<&ValueType> {
        let value_type = match self {
            Self::Categories => schema.category.as_ref(),
            Self::Channels => schema.channel.as_ref(),
        };
        value_type.ok_or_else(|| Error::internal("cells without a type"))
    }
}
