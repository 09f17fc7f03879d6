//! The tables of recommendations and of their test.

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, StringArray};
use arrow_schema::Metadata;

use super::model::NextCategory;
use super::rows::{BacktestRow, Recommendation};
use crate::base::view::BaseView;
use crate::error::Result;
use crate::exec::context::Context;
use crate::report::Report;
use crate::table::{AS_OF, CUSTOMER_ID, Table, TableBuilder, nullable_floats};
use crate::time::calendar::date_text;

pub(super) fn recommendation_table(view: &BaseView<'_>, model: &NextCategory, rows: &[Recommendation], context: &Context) -> Result<Table> {
    let customers: Vec<u32> = rows.iter().map(|row| row.customer).collect();
    let mut metadata = Metadata::new();
    metadata.insert(CUSTOMER_ID, view.kinds().id.names().to_text());
    if let Some(day) = view.as_of() {
        metadata.insert(AS_OF, date_text(day));
    }
    let mut table = TableBuilder::default();
    context.run_if_large(customers.len(), |threads| table.ids(&view.kinds().id, view.ids(), &customers, threads))??;
    table.column("rank", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| i64::from(row.rank)))));
    table.values("category", &model.value_type, model.keys(), rows.iter().map(|row| Some(row.suggestion.category)))?;
    table.column("score", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.suggestion.score))));
    table.values("because", &model.value_type, model.keys(), rows.iter().map(|row| row.suggestion.because))?;
    table.finish(rows.len(), metadata, Report::default())
}

impl NextCategory {
    /// The categories of the model, by customers descending, then by value.
    pub fn categories_table(&self) -> Result<Table> {
        let mut order: Vec<u32> = (0..self.counts.len() as u32).collect();
        order.sort_by_key(|&category| std::cmp::Reverse(self.counts[category as usize]));
        let mut table = TableBuilder::default();
        table.values("category", &self.value_type, self.keys(), order.iter().map(|&category| Some(category)))?;
        let customers = order.iter().map(|&category| i64::from(self.counts[category as usize]));
        table.column("customers", Arc::new(Int64Array::from_iter_values(customers)));
        table.finish(order.len(), Metadata::default(), Report::default())
    }
}

pub(super) fn backtest_table(rows: &[BacktestRow], ks: &[usize], report: Report) -> Result<Table> {
    let count = |of: fn(&BacktestRow) -> u64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| of(row) as i64))) };
    let mut table = TableBuilder::default();
    table.column("date", Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| row.date))));
    table.column("method", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.method.word()))));
    table.column("categories", count(|row| row.categories));
    table.column("buyers", count(|row| row.buyers));
    table.column("customers", count(|row| row.customers));
    for (at, k) in ks.iter().enumerate() {
        table.column(&format!("hit@{k}"), nullable_floats(rows.iter().map(|row| row.rates[at].hit).collect()));
        table.column(&format!("recall@{k}"), nullable_floats(rows.iter().map(|row| row.rates[at].recall).collect()));
        table.column(&format!("precision@{k}"), nullable_floats(rows.iter().map(|row| row.rates[at].precision).collect()));
    }
    table.finish(rows.len(), Metadata::default(), report)
}
