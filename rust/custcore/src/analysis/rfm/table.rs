//! The Arrow table of recency, frequency and money.

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array};
use arrow_schema::{DataType, Metadata};

use super::kernel::{RfmColumns, TotalColumn, compute, name};
use super::result_columns::ResultColumns;
use crate::base::view::BaseView;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::Threads;
use crate::group::interner::NO_CODE;
use crate::num::money::{Money, decimal_text};
use crate::table::{AS_OF, CUSTOMER_ID, Table, TableBuilder, id_text};
use crate::time::calendar::date_text;

/// The names of all columns of the table of a view, those of ids first.
pub(crate) fn column_names(view: &BaseView<'_>) -> Vec<String> {
    let schema = view.kinds();
    let mut names: Vec<String> = schema.id.names().iter().map(str::to_owned).collect();
    names.extend([name::FIRST, name::LAST, name::RECENCY, name::TENURE, name::ORDERS, name::ROWS].map(str::to_owned));
    if view.spec().n_days {
        names.push(name::DAYS.to_owned());
    }
    if schema.money.is_some() {
        names.extend([name::TOTAL, name::MEAN].map(str::to_owned));
    }
    // A part of a composite key is there already.
    names.extend(view.attributes().map(|attribute| attribute.name().to_owned()).filter(|name| !schema.id.has(name)));
    names
}

/// Why a column is not in the table of a view, if other settings would give it.
pub(crate) fn why_absent(column: &str) -> Option<String> {
    match column {
        name::DAYS => Some("the days of purchases were not counted; use n_days=True".to_owned()),
        name::TOTAL | name::MEAN => Some("the transactions were read without amounts; name their column with amount=".to_owned()),
        _ => None,
    }
}

/// One row per buyer, in the order of `codes`, with the columns that are asked for in the usual order.
pub(crate) fn rfm_table(view: &BaseView<'_>, codes: &[u32], asked: &ResultColumns, threads: Threads<'_>) -> Result<Table> {
    let (input_schema, keys, report) = (view.kinds(), view.ids(), view.report());
    let money = input_schema.money;
    if let Some(money) = money.filter(|_| asked.has_any(&[name::TOTAL, name::MEAN])) {
        check_sums(view, codes, money)?;
    }
    let rows = view.rows();
    // If each row is an order, both columns share one buffer.
    let is_row_order = rows.is_none();
    let wants = |column: &str| asked.has(column) || (column == name::ORDERS && is_row_order && asked.has(name::ROWS));
    let columns = compute(view.totals(), codes, view.as_of().unwrap_or(0), money, wants, threads);
    let mut table = TableBuilder::default();
    table.ids(&input_schema.id, keys, codes, threads)?;
    let RfmColumns { first, last, recency, tenure, orders, total, mean } = columns;
    for (name, days) in [(name::FIRST, first), (name::LAST, last)] {
        table.column_if(name, days.map(|days| Arc::new(Date32Array::from(days)) as ArrayRef));
    }
    for (name, days) in [(name::RECENCY, recency), (name::TENURE, tenure)] {
        table.column_if(name, days.map(|days| Arc::new(Int32Array::from(days)) as ArrayRef));
    }
    let orders = orders.map(|orders| Arc::new(Int64Array::from(orders)) as ArrayRef);
    table.column_if(name::ORDERS, orders.clone().filter(|_| asked.has(name::ORDERS)));
    if asked.has(name::ROWS) {
        let counted = |rows: &[u64]| Int64Array::from(threads.par_map(codes.len(), |row| rows[codes[row] as usize] as i64));
        table.column_if(name::ROWS, rows.map(|rows| Arc::new(counted(rows)) as ArrayRef).or(orders));
    }
    if asked.has(name::DAYS)
        && let Some(counts) = view.n_days()
    {
        let days = threads.par_map(codes.len(), |row| i64::from(counts[codes[row] as usize]));
        table.column(name::DAYS, Arc::new(Int64Array::from(days)));
    }
    table.column_if(name::TOTAL, total.map(|total| total_column(total, money)));
    table.column_if(name::MEAN, mean.map(|mean| Arc::new(Float64Array::from(mean)) as ArrayRef));
    // A part of a composite key is there already.
    for attribute in view.attributes().filter(|attribute| !input_schema.id.has(attribute.name()) && asked.has(attribute.name())) {
        let values = codes.iter().map(|&code| attribute.get(code).filter(|&value| value != NO_CODE));
        table.values(attribute.name(), attribute.value_type(), attribute.values(), values)?;
    }
    let mut metadata = Metadata::new();
    metadata.insert(CUSTOMER_ID, input_schema.id.names().to_text());
    if let Some(day) = report.as_of {
        metadata.insert(AS_OF, date_text(day));
    }
    table.finish(codes.len(), metadata, report)
}

fn total_column(total: TotalColumn, money: Option<Money>) -> ArrayRef {
    match (total, money) {
        (TotalColumn::Floats(totals), _) => Arc::new(Float64Array::from(totals)),
        (TotalColumn::Integers(totals), _) => Arc::new(Int64Array::from(totals)),
        (TotalColumn::Decimals(totals), money) => {
            let scale = if let Some(Money::Decimal { scale }) = money { scale } else { 0 };
            Arc::new(Decimal128Array::from(totals).with_data_type(DataType::Decimal128(38, scale)))
        }
    }
}

/// An error for the first customer whose sum exceeds its output type. Sums of 64 bits do not.
fn check_sums(view: &BaseView<'_>, codes: &[u32], money: Money) -> Result<()> {
    let totals = view.totals();
    if totals.is_narrow() {
        return Ok(());
    }
    let beyond = |fits: &dyn Fn(i128) -> bool| codes.iter().map(|&code| (code, totals.get(code).units)).find(|&(_, units)| !fits(units));
    let (found, total, output, remedy) = match money {
        Money::Float { .. } => return Ok(()),
        Money::Integer => {
            let Some((code, units)) = beyond(&|units| i64::try_from(units).is_ok()) else { return Ok(()) };
            (code, units.to_string(), "int64", "Cast the amounts to decimal")
        }
        Money::Decimal { scale } => {
            let Some((code, units)) = beyond(&|units| units.unsigned_abs() < 10_u128.pow(38)) else { return Ok(()) };
            (code, decimal_text(units, scale), "decimal128(38)", "Cast the amounts to a smaller scale")
        }
    };
    let id = id_text(&view.kinds().id, view.ids(), found);
    Err(Error::new(ErrorKind::SumOverflow, format!("the amounts of customer {id} add up to {total}, beyond {output}. {remedy}")))
}
