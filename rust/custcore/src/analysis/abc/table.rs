//! Arrow tables of value classes, curves and demand classes.

use std::sync::Arc;

use arrow_array::types::Int16Type;
use arrow_array::{ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::Metadata;

use super::curve::Head;
use super::demand::Demand;
use super::kernel::{Classed, NO_CLASS, Units};
use super::spec::XyzSpec;
use crate::base::view::BaseView;
use crate::error::{Error, Result};
use crate::num::money::{Money, ratio, units_to_f64};
use crate::report::Report;
use crate::table::{AS_OF, CUSTOMER_ID, Table, TableBuilder, money_column};
use crate::time::calendar::date_text;

/// Classes as a dictionary column; [`NO_CLASS`] is null.
fn classes<'a>(names: impl IntoIterator<Item = &'a str>, classes: impl Iterator<Item = u8>) -> Result<ArrayRef> {
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(names));
    let codes = classes.map(|class| (class != NO_CLASS).then_some(i16::from(class))).collect::<PrimitiveArray<Int16Type>>();
    Ok(Arc::new(DictionaryArray::try_new(codes, names).map_err(Error::internal)?))
}

/// NaN as null.
fn known(value: f64) -> Option<f64> {
    Some(value).filter(|value| !value.is_nan())
}

/// The metadata of a table of customers.
pub(super) fn customers_metadata(view: &BaseView<'_>) -> Metadata {
    let mut metadata = Metadata::new();
    metadata.insert(CUSTOMER_ID, view.kinds().id.names().to_text());
    if let Some(day) = view.as_of() {
        metadata.insert(AS_OF, date_text(day));
    }
    metadata
}

/// The table of value classes: `ids`, with the group, in the order of the rows.
pub(super) fn abc_table(
    ids: &RecordBatch,
    units: &Units,
    money: Money,
    classed: Classed,
    names: &[String],
    report: Report,
) -> Result<Table> {
    let rows = ids.num_rows();
    let mut table = TableBuilder::from_batch(ids);
    let totals = (0..rows).map(|row| Some(units.get(row)));
    table.column("monetary_total", money_column(Some(money), totals, |row| format!("of the customer of rank {}", classed.rank[row]))?);
    table.column("rank", Arc::new(Int64Array::from(classed.rank)));
    let shares = classed.cumulative_share;
    let shares: Float64Array =
        if shares.iter().any(|share| share.is_nan()) { shares.into_iter().map(known).collect() } else { shares.into() };
    table.column("cumulative_share", Arc::new(shares));
    table.column("value_class", classes(names.iter().map(String::as_str), classed.class.into_iter())?);
    table.finish(rows, ids.schema().metadata().clone(), report)
}

/// Number of some first customers under `name`, their shares of `customers` customers and of `total` units, and their value.
fn head_columns(table: &mut TableBuilder, name: &str, heads: &[Head], (customers, total): (usize, i128), money: Money) -> Result<()> {
    let value = heads.iter().map(|head| Some(head.value));
    let value = money_column(Some(money), value, |row| format!("of the first {} customers", heads[row].customers))?;
    let share = |head: &Head| (total > 0).then(|| ratio(head.value, total));
    let of_customers = |head: &Head| (customers > 0).then(|| head.customers as f64 / customers as f64);
    table.column(name, Arc::new(Int64Array::from_iter_values(heads.iter().map(|head| head.customers as i64))));
    table.column("customers_share", Arc::new(heads.iter().map(of_customers).collect::<Float64Array>()));
    table.column("value_share", Arc::new(heads.iter().map(share).collect::<Float64Array>()));
    table.column("value", value);
    Ok(())
}

/// The table of the Pareto curve of `customers` customers and `total` units.
pub(super) fn pareto_table(heads: &[Head], whole: (usize, i128), money: Money, report: Report) -> Result<Table> {
    let mut table = TableBuilder::default();
    head_columns(&mut table, "rank", heads, whole, money)?;
    table.finish(heads.len(), Metadata::new(), report)
}

/// The table of top shares; the Gini coefficient is in every row.
pub(super) fn concentration_table(
    top: &[f64],
    heads: &[Head],
    whole: (usize, i128),
    gini: Option<f64>,
    money: Money,
    report: Report,
) -> Result<Table> {
    let mut table = TableBuilder::default();
    table.column("top", Arc::new(Float64Array::from(top.to_vec())));
    head_columns(&mut table, "customers", heads, whole, money)?;
    table.column("gini", Arc::new(top.iter().map(|_| gini).collect::<Float64Array>()));
    table.finish(heads.len(), Metadata::new(), report)
}

/// The columns of demand classes, after the ids.
pub(super) fn demand_columns(table: &mut TableBuilder, demands: &[Demand], money: Money) -> Result<()> {
    let decimals = match money {
        Money::Float { decimals } => i32::from(decimals),
        Money::Integer => 0,
        Money::Decimal { scale } => i32::from(scale),
    };
    let mean = |demand: &Demand| (demand.periods > 0).then(|| units_to_f64(demand.units, decimals) / f64::from(demand.periods));
    table.column("n_periods", Arc::new(Int32Array::from_iter_values(demands.iter().map(|demand| demand.periods))));
    table.column("period_mean", Arc::new(demands.iter().map(mean).collect::<Float64Array>()));
    table.column("cv", Arc::new(demands.iter().map(|demand| known(demand.cv)).collect::<Float64Array>()));
    table.column("demand_class", classes(XyzSpec::NAMES, demands.iter().map(|demand| demand.class))?);
    Ok(())
}

/// Customers and money of one value class and one demand class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pub customers: u64,
    pub units: i128,
}

/// The table of value classes by demand classes: every pair has a row.
pub(super) fn cells_table(cells: &[Cell], names: &[String], money: Money, report: Report) -> Result<Table> {
    let demand = XyzSpec::NAMES.len();
    let customers: u64 = cells.iter().map(|cell| cell.customers).sum();
    let total: i128 = cells.iter().map(|cell| cell.units).sum();
    let (value_class, demand_class) = (|at: usize| at / demand, |at: usize| at % demand);
    let mut table = TableBuilder::default();
    table.column("value_class", classes(names.iter().map(String::as_str), (0..cells.len()).map(|at| value_class(at) as u8))?);
    table.column("demand_class", classes(XyzSpec::NAMES, (0..cells.len()).map(|at| demand_class(at) as u8))?);
    table.column("customers", Arc::new(Int64Array::from_iter_values(cells.iter().map(|cell| cell.customers as i64))));
    let whose = |at: usize| format!("of class {}{}", names[value_class(at)], XyzSpec::NAMES[demand_class(at)]);
    table.column("revenue", money_column(Some(money), cells.iter().map(|cell| Some(cell.units)), whose)?);
    let shares = |share: &dyn Fn(&Cell) -> Option<f64>| Arc::new(cells.iter().map(share).collect::<Float64Array>());
    table.column("customers_share", shares(&|cell| (customers > 0).then(|| cell.customers as f64 / customers as f64)));
    table.column("revenue_share", shares(&|cell| (total > 0).then(|| ratio(cell.units, total))));
    table.finish(cells.len(), Metadata::new(), report)
}
