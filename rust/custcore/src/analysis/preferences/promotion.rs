//! How much customers buy with a discount, given what they buy.

use super::kernel::quotient;
use super::spec::{PreferenceMeasure, Preferred, check_prior};
use super::table::{counts, metadata, with_ids};
use super::{overall, rows_of};
use crate::analysis::holdings::{Holdings, each_view};
use crate::base::CustomerBase;
use crate::base::view::BaseView;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::proportion::wilson;
use crate::report::Report;
use crate::state::spec::AsOf;
use crate::table::{Table, id_text, money_column, nullable_floats};

/// The rows of a customer.
#[derive(Debug, Clone, Copy)]
struct Discounted {
    customer: u32,
    rows: u64,
    discounted: u64,
    units: i128,
    discounted_units: i128,
    /// Rows with a discount, if they were discounted as often as those of all customers in their category.
    expected: f64,
}

/// The quantile of a 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// How many of the rows of each customer have a discount: plain, and compared with what is expected of their categories. One row
/// each, by id.
pub fn promotion_sensitivity(base: &CustomerBase, prior_rows: f64, as_of: Option<AsOf>, context: &Context) -> Result<Vec<Table>> {
    check_prior("prior_rows", prior_rows)?;
    if base.spec().roles.categories.promotion.is_none() {
        let message = "the base keeps no discounts; build it with categories='column' and promotion='column'";
        return Err(Error::new(ErrorKind::StateMismatch, message));
    }
    super::check_money(base, PreferenceMeasure::Spend, "")?;
    let role = Preferred::Categories.role();
    let (mut overall, report) = overall(base, role, as_of, context)?;
    let (all, discounted) = overall.sums.iter().fold((0_u64, 0_u64), |(all, some), sum| (all + sum.rows, some + sum.discounted_rows));
    let share_of_all = quotient(i128::from(discounted), i128::from(all));
    let mut tables: Vec<Table> = Vec::new();
    each_view(base, as_of, context, |view| {
        let holdings = Holdings::of(view, role)?;
        let rates: Vec<f64> = overall
            .codes(&holdings)?
            .into_iter()
            .map(|code| overall.sums.get(code as usize).copied().unwrap_or_default())
            .map(|sum| if sum.rows == 0 { 0.0 } else { sum.discounted_rows as f64 / sum.rows as f64 })
            .collect();
        let rows = rows_of(view, &holdings, context, |customer, held, out| {
            let mut row = Discounted { customer: customer.code, rows: 0, discounted: 0, units: 0, discounted_units: 0, expected: 0.0 };
            for holding in held.iter().filter(|holding| holding.orders > 0) {
                row.rows += holding.rows;
                row.discounted += holding.discounted_rows;
                row.units += holding.units.max(0);
                row.discounted_units += holding.discounted_units.max(0);
                row.expected += holding.rows as f64 * rates[holding.category as usize];
            }
            out.push(row);
        })?;
        let table = table(view, &rows, (share_of_all, prior_rows), context)?;
        if tables.is_empty() || !rows.is_empty() {
            tables.push(table);
        }
        Ok(())
    })?;
    if let Some(first) = tables.first_mut() {
        first.report = report;
    }
    Ok(tables)
}

fn table(view: &BaseView<'_>, rows: &[Discounted], (share_of_all, prior): (f64, f64), context: &Context) -> Result<Table> {
    let customers: Vec<u32> = rows.iter().map(|row| row.customer).collect();
    let mut table = with_ids(view, &customers, context)?;
    let money = view.kinds().money;
    let whose = |row: usize| format!("of {}", id_text(&view.kinds().id, view.ids(), customers[row]));
    let share = |row: &Discounted| quotient(i128::from(row.discounted), i128::from(row.rows));
    let bounds: Vec<(f64, f64)> =
        rows.iter().map(|row| if row.rows == 0 { (f64::NAN, f64::NAN) } else { wilson(row.discounted, row.rows, Z) }).collect();
    table.column("rows", counts(rows.iter().map(|row| row.rows)));
    table.column("promo_rows", counts(rows.iter().map(|row| row.discounted)));
    table.column("monetary_total", money_column(money, rows.iter().map(|row| Some(row.units)), whose)?);
    table.column("promo_money", money_column(money, rows.iter().map(|row| Some(row.discounted_units)), whose)?);
    table.column("promo_share", nullable_floats(rows.iter().map(share).collect()));
    table.column("promo_share_low", nullable_floats(bounds.iter().map(|bounds| bounds.0).collect()));
    table.column("promo_share_high", nullable_floats(bounds.iter().map(|bounds| bounds.1).collect()));
    table.column("promo_spend_share", nullable_floats(rows.iter().map(|row| quotient(row.discounted_units, row.units)).collect()));
    let index = |row: &Discounted| if share_of_all > 0.0 { 100.0 * share(row) / share_of_all } else { f64::NAN };
    table.column("index", nullable_floats(rows.iter().map(index).collect()));
    table.column("expected_rows", nullable_floats(rows.iter().map(|row| row.expected).collect()));
    let standardised = |row: &Discounted| {
        let expected = row.expected + prior;
        if expected > 0.0 { 100.0 * (row.discounted as f64 + prior) / expected } else { f64::NAN }
    };
    table.column("index_standardised", nullable_floats(rows.iter().map(standardised).collect()));
    table.finish(rows.len(), metadata(view), Report::default())
}
