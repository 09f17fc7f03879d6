//! The tables of preferences.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array};
use arrow_schema::Metadata;

use super::kernel::{Had, Preference, quotient};
use super::overall::Overall;
use super::spec::{PreferenceMeasure, PreferenceSpec, Preferred};
use crate::analysis::holdings::Holdings;
use crate::base::view::BaseView;
use crate::column::chunks::InputSchema;
use crate::column::value::{ValueColumn, ValueType};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::report::Report;
use crate::table::{AS_OF, CUSTOMER_ID, Table, TableBuilder, id_text, key_column, money_column, nullable_floats};
use crate::time::calendar::date_text;

/// A customer and a category.
#[derive(Debug, Clone, Copy)]
pub(super) struct PreferenceRow {
    pub customer: u32,
    pub had: Had,
    pub preference: Preference,
}

/// How broad a customer buys.
#[derive(Debug, Clone, Copy)]
pub(super) struct Breadth {
    pub customer: u32,
    pub categories: u64,
    /// NaN without money.
    pub entropy: f64,
    pub favourite: u32,
    pub signature: Option<u32>,
}

/// The channels of a customer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channels {
    pub customer: u32,
    pub orders: u64,
    pub main: u32,
    pub main_share: f64,
    pub channels: u64,
    pub last: u32,
}

pub(super) fn metadata(view: &BaseView<'_>) -> Metadata {
    let mut metadata = Metadata::new();
    metadata.insert(CUSTOMER_ID, view.kinds().id.names().to_text());
    if let Some(day) = view.as_of() {
        metadata.insert(AS_OF, date_text(day));
    }
    metadata
}

/// A table that begins with the ids of these customers.
pub(super) fn with_ids(view: &BaseView<'_>, customers: &[u32], context: &Context) -> Result<TableBuilder> {
    let mut table = TableBuilder::default();
    context.run_if_large(customers.len(), |threads| table.ids(&view.kinds().id, view.ids(), customers, threads))??;
    Ok(table)
}

/// Adds a column of categories, given by rank.
fn values(
    table: &mut TableBuilder,
    name: &str,
    (holdings, value_type): (&Holdings<'_>, &ValueType),
    ranks: impl ExactSizeIterator<Item = Option<u32>> + Clone,
) -> Result<()> {
    let keys = holdings.keys();
    table.values(name, value_type, keys, ranks.map(|rank| rank.map(|rank| holdings.value(rank).1)))
}

pub(super) fn counts(counts: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(counts.map(|count| count as i64)))
}

pub(super) fn preferences_table(
    view: &BaseView<'_>,
    holdings: &Holdings<'_>,
    preferred: Preferred,
    rows: &[PreferenceRow],
    context: &Context,
) -> Result<Table> {
    let customers: Vec<u32> = rows.iter().map(|row| row.customer).collect();
    let mut table = with_ids(view, &customers, context)?;
    let value_type = preferred.value_type(view.kinds())?;
    values(&mut table, preferred.column(), (holdings, value_type), rows.iter().map(|row| Some(row.had.category)))?;
    table.column("orders", counts(rows.iter().map(|row| row.had.orders)));
    table.column("rows", counts(rows.iter().map(|row| row.had.rows)));
    if let Some(money) = view.kinds().money {
        let whose = |row: usize| format!("of {}", id_text(&view.kinds().id, view.ids(), customers[row]));
        table.column("monetary_total", money_column(Some(money), rows.iter().map(|row| Some(row.had.units)), whose)?);
    }
    let floats = |of: fn(&PreferenceRow) -> f64| nullable_floats(rows.iter().map(of).collect());
    table.column("share", floats(|row| row.preference.share));
    table.column("share_all", floats(|row| row.had.share_all));
    table.column("share_shrunk", floats(|row| row.preference.share_shrunk));
    table.column("index", floats(|row| row.preference.index));
    table.column("rank", counts(rows.iter().map(|row| u64::from(row.preference.rank))));
    table.finish(rows.len(), metadata(view), Report::default())
}

pub(super) fn breadth_table(view: &BaseView<'_>, holdings: &Holdings<'_>, rows: &[Breadth], context: &Context) -> Result<Table> {
    let customers: Vec<u32> = rows.iter().map(|row| row.customer).collect();
    let mut table = with_ids(view, &customers, context)?;
    let value_type = Preferred::Categories.value_type(view.kinds())?;
    table.column("n_categories", counts(rows.iter().map(|row| row.categories)));
    table.column("entropy", nullable_floats(rows.iter().map(|row| row.entropy).collect()));
    table.column("effective_categories", nullable_floats(rows.iter().map(|row| crate::num::special::exp(row.entropy)).collect()));
    values(&mut table, "favourite", (holdings, value_type), rows.iter().map(|row| Some(row.favourite)))?;
    values(&mut table, "signature", (holdings, value_type), rows.iter().map(|row| row.signature))?;
    table.finish(rows.len(), metadata(view), Report::default())
}

pub(super) fn channels_table(view: &BaseView<'_>, holdings: &Holdings<'_>, rows: &[Channels], context: &Context) -> Result<Table> {
    let customers: Vec<u32> = rows.iter().map(|row| row.customer).collect();
    let mut table = with_ids(view, &customers, context)?;
    let value_type = Preferred::Channels.value_type(view.kinds())?;
    table.column("n_orders", counts(rows.iter().map(|row| row.orders)));
    values(&mut table, "main_channel", (holdings, value_type), rows.iter().map(|row| Some(row.main)))?;
    table.column("main_share", Arc::new(rows.iter().map(|row| Some(row.main_share)).collect::<Float64Array>()));
    table.column("n_channels", counts(rows.iter().map(|row| row.channels)));
    values(&mut table, "last_channel", (holdings, value_type), rows.iter().map(|row| Some(row.last)))?;
    table.column("switched", Arc::new(rows.iter().map(|row| Some(row.last != row.main)).collect::<BooleanArray>()));
    table.finish(rows.len(), metadata(view), Report::default())
}

/// Shares as columns, one for each of some categories.
pub(super) struct Features {
    names: Vec<String>,
    /// Their codes among the categories of all customers.
    codes: Vec<u32>,
    shares: Vec<f64>,
    prior: f64,
}

impl Features {
    /// The `top` categories with the largest shares of all customers; ties in the order of values.
    pub(super) fn new(overall: &Overall, schema: &InputSchema, spec: &PreferenceSpec, top: usize) -> Result<Self> {
        if top == 0 {
            return Err(Error::new(ErrorKind::InvalidArgument, "top=0 is too small; expected at least 1"));
        }
        let keys = overall.values.keys();
        let size = |code: u32| match (spec.measure, &overall.sums[code as usize]) {
            (PreferenceMeasure::Spend, sum) => sum.units,
            (PreferenceMeasure::Orders, sum) => i128::from(sum.orders),
        };
        let whole = if spec.measure == PreferenceMeasure::Spend { overall.units() } else { i128::from(overall.orders) };
        let mut codes: Vec<u32> = (0..overall.sums.len() as u32).filter(|&code| overall.sums[code as usize].customers > 0).collect();
        codes.sort_unstable_by(|&a, &b| size(b).cmp(&size(a)).then_with(|| keys.compare(a, b)));
        codes.truncate(top);
        let value_type = spec.preferred.value_type(schema)?;
        let column = key_column(&value_type.data_type, keys, codes.iter().map(|&code| Some(code)))?;
        let values = ValueColumn::new(spec.preferred.column(), "categories", &column)?;
        let names = (0..codes.len()).map(|row| values.key(row).text().unwrap_or_default()).collect();
        let shares = codes.iter().map(|&code| quotient(size(code), whole)).collect();
        Ok(Self { names, codes, shares, prior: spec.prior_orders })
    }

    /// The position of each category of a view among the columns; `codes` are those of all customers.
    pub(super) fn columns(&self, codes: &[u32]) -> Vec<Option<usize>> {
        codes.iter().map(|code| self.codes.iter().position(|own| own == code)).collect()
    }

    /// The row of a customer who bought none of these.
    pub(super) fn without(&self, orders: u64, is_unknown: bool) -> Vec<f64> {
        let n = orders as f64;
        self.shares.iter().map(|p| if is_unknown { *p } else { self.prior * p / (n + self.prior) }).collect()
    }

    pub(super) fn table(&self, view: &BaseView<'_>, rows: &[(u32, Vec<f64>)], context: &Context) -> Result<Table> {
        let customers: Vec<u32> = rows.iter().map(|(customer, _)| *customer).collect();
        let mut table = with_ids(view, &customers, context)?;
        for (at, name) in self.names.iter().enumerate() {
            table.column(name, nullable_floats(rows.iter().map(|(_, row)| row[at]).collect()));
        }
        table.finish(rows.len(), metadata(view), Report::default())
    }
}
