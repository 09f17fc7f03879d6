//! Arrow tables of the life cycle.

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, Int32Array, Int64Array};
use arrow_schema::Metadata;
use arrow_select::interleave::interleave;

use super::course::StageSums;
use super::model::LifecycleModel;
use super::prospects::Prospects;
use super::stages::{STAGES, Stage, StageLanguage};
use super::standings::Buyer;
use crate::analysis::moves::{Move, NO_SEGMENT};
use crate::analysis::rfm::transitions::table::segments;
use crate::base::view::BaseView;
use crate::column::key_schema::KeySchema;
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::num::money::Money;
use crate::report::Report;
use crate::table::{AS_OF, CUSTOMER_ID, Table, TableBuilder, id_columns, money_column};
use crate::time::calendar::date_text;

/// The names of the stages, in their order.
fn names(lang: StageLanguage) -> Vec<String> {
    lang.names().map(str::to_owned).to_vec()
}

/// One row per customer, ascending by id.
pub(super) struct CustomerRows<'a> {
    /// Ids in the types of the result.
    pub key: &'a KeySchema,
    /// Whether the columns of the own rhythm are wanted.
    pub own_rhythm: bool,
    /// Language of the stages.
    pub lang: StageLanguage,
    /// The day.
    pub as_of: Option<i32>,
}

impl CustomerRows<'_> {
    /// The table of the buyers of a view, and of prospects, both ascending by id. `prospects` are codes of `listed`.
    pub(super) fn table(
        &self,
        view: &BaseView<'_>,
        buyers: &[Buyer],
        (listed, prospects): (Option<&Prospects>, &[u32]),
        report: Report,
        context: &Context,
    ) -> Result<Table> {
        let codes: Vec<u32> = buyers.iter().map(|buyer| buyer.code).collect();
        let ids = context.run_if_large(codes.len(), |threads| id_columns(self.key, view.ids(), &codes, threads))??;
        let Some(listed) = listed.filter(|_| !prospects.is_empty()) else {
            return self.build(ids, &buyers.iter().map(Some), report);
        };
        let others = context.run_if_large(prospects.len(), |threads| id_columns(self.key, listed.keys(), prospects, threads))??;
        let mut order = Vec::with_capacity(buyers.len() + prospects.len());
        let mut rest = prospects.iter().enumerate().peekable();
        for (row, buyer) in buyers.iter().enumerate() {
            while let Some((at, _)) = rest.next_if(|&(_, &code)| listed.keys().compare_with(code, view.ids(), buyer.code).is_lt()) {
                order.push((1, at));
            }
            order.push((0, row));
        }
        order.extend(rest.map(|(at, _)| (1, at)));
        let merge = |(ids, others): (&ArrayRef, &ArrayRef)| interleave(&[ids, others], &order).map_err(Error::internal);
        let ids = ids.iter().zip(&others).map(merge).collect::<Result<_>>()?;
        self.build(ids, &order.iter().map(|&(is_prospect, row)| (is_prospect == 0).then(|| &buyers[row])), report)
    }

    /// The table of prospects only.
    pub(super) fn table_of_prospects(&self, listed: &Prospects, prospects: &[u32], context: &Context) -> Result<Table> {
        let ids = context.run_if_large(prospects.len(), |threads| id_columns(self.key, listed.keys(), prospects, threads))??;
        self.build(ids, &prospects.iter().map(|_| None), Report::default())
    }

    /// The table of rows; `None` is a prospect.
    fn build<'b>(
        &self,
        ids: Vec<ArrayRef>,
        rows: &(impl ExactSizeIterator<Item = Option<&'b Buyer>> + Clone),
        report: Report,
    ) -> Result<Table> {
        let number = rows.len();
        let standings = || rows.clone().map(|row| row.map(|buyer| buyer.standing));
        let mut table = TableBuilder::default();
        table.id_arrays(self.key, ids);
        let stages = standings().map(|standing| standing.map_or(Stage::Prospect, |standing| standing.stage) as u16);
        table.column("stage", segments(&names(self.lang), stages)?);
        table.column("gap_days", Arc::new(standings().map(|standing| Some(standing?.gap)).collect::<Int32Array>()));
        let orders = standings().map(|standing| standing.map_or(0, |standing| standing.orders as i64));
        table.column("n_orders", Arc::new(Int64Array::from_iter_values(orders)));
        table.column("since", Arc::new(standings().map(|standing| standing?.since).collect::<Date32Array>()));
        if self.own_rhythm {
            table.column("typical_gap_days", Arc::new(standings().map(|standing| Some(standing?.typical)).collect::<Float64Array>()));
            let overdue = standings().map(|standing| standing.map(|standing| f64::from(standing.gap) / standing.typical));
            table.column("overdue", Arc::new(overdue.collect::<Float64Array>()));
        }
        let mut metadata = Metadata::new();
        metadata.insert(CUSTOMER_ID, self.key.names().to_text());
        if let Some(day) = self.as_of {
            metadata.insert(AS_OF, date_text(day));
        }
        table.finish(number, metadata, report)
    }
}

/// Customers and money of each stage at each date: a row for every stage, also without customers.
pub(super) fn counts_table(dates: &[i32], sums: &[StageSums], money: Option<Money>, lang: StageLanguage, report: Report) -> Result<Table> {
    let cells =
        || dates.iter().zip(sums).flat_map(|(&date, sums)| sums.iter().enumerate().map(move |(stage, sum)| (date, sums, stage, sum)));
    let names = names(lang);
    let mut table = TableBuilder::default();
    table.column("as_of", Arc::new(Date32Array::from_iter_values(cells().map(|(date, ..)| date))));
    table.column("stage", segments(&names, cells().map(|(_, _, stage, _)| stage as u16))?);
    table.column("customers", Arc::new(Int64Array::from_iter_values(cells().map(|(.., sum)| sum.0 as i64))));
    let share = |(_, sums, _, sum): (i32, &StageSums, usize, &(u64, i128))| {
        let all: u64 = sums.iter().map(|sum| sum.0).sum();
        (all > 0).then(|| sum.0 as f64 / all as f64)
    };
    table.column("share", Arc::new(cells().map(share).collect::<Float64Array>()));
    if money.is_some() {
        let whose = |row: usize| format!("of '{}' customers as of {}", names[row % STAGES], date_text(dates[row / STAGES]));
        table.column("revenue", money_column(money, cells().map(|(.., sum)| Some(sum.1)), whose)?);
    }
    table.finish(STAGES * dates.len(), Metadata::new(), report)
}

/// The moves from each date to the next.
pub(super) fn flows_table(steps: &[(i32, i32, Vec<Move>)], money: Option<Money>, lang: StageLanguage, report: Report) -> Result<Table> {
    let moves = || steps.iter().flat_map(|(from, to, moves)| moves.iter().map(move |moved| (*from, *to, moved)));
    let rows = moves().count();
    let names = names(lang);
    let mut table = TableBuilder::default();
    table.column("from_date", Arc::new(Date32Array::from_iter_values(moves().map(|(from, ..)| from))));
    table.column("to_date", Arc::new(Date32Array::from_iter_values(moves().map(|(_, to, _)| to))));
    table.column("from_stage", segments(&names, moves().map(|(.., moved)| moved.from))?);
    table.column("to_stage", segments(&names, moves().map(|(.., moved)| moved.to))?);
    table.column("customers", Arc::new(Int64Array::from_iter_values(moves().map(|(.., moved)| moved.customers as i64))));
    if money.is_some() {
        let name = |stage: u16| if stage == NO_SEGMENT { "none" } else { names[usize::from(stage)].as_str() };
        let whose = |row: usize| {
            let found = moves().nth(row);
            found.map_or_else(String::new, |(_, to, moved)| {
                format!("of customers from '{}' to '{}' until {}", name(moved.from), name(moved.to), date_text(to))
            })
        };
        table.column("revenue", money_column(money, moves().map(|(.., moved)| Some(moved.units)), whose)?);
    }
    table.column("share", Arc::new(Float64Array::from_iter_values(moves().map(|(.., moved)| moved.share))));
    table.finish(rows, Metadata::new(), report)
}

/// The survival curve of gaps.
pub(super) fn curve_table(model: &LifecycleModel) -> Result<Table> {
    let points = model.fitted.as_ref().map_or(&[][..], |fitted| &fitted.curve.0);
    let counts = |count: &dyn Fn(usize) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values((0..points.len()).map(|row| count(row) as i64)))
    };
    let floats = |value: &dyn Fn(usize) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values((0..points.len()).map(value))) };
    let mut table = TableBuilder::default();
    table.column("gap_days", Arc::new(Int32Array::from_iter_values(points.iter().map(|point| point.days))));
    table.column("at_risk", counts(&|row| points[row].at_risk));
    table.column("returned", counts(&|row| points[row].ended));
    table.column("censored", counts(&|row| points[row].open));
    table.column("survival", floats(&|row| points[row].survival));
    table.column("survival_low", floats(&|row| points[row].interval.0));
    table.column("survival_high", floats(&|row| points[row].interval.1));
    table.finish(points.len(), Metadata::new(), Report { as_of: model.as_of(), ..Report::default() })
}
