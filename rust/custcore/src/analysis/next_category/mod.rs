//! The next best category: what customers with the same categories have besides.

mod backtest;
mod counts;
pub(crate) mod model;
mod owned;
mod rows;
mod scoring;
pub(crate) mod spec;
mod state;
mod table;

pub use self::backtest::{BacktestNextSpec, backtest_next};
pub use self::state::NextCategoryState;

use self::model::NextCategory;
use self::owned::owned;
use self::rows::Recommendation;
use self::scoring::{Scoring, Weights};
use self::table::recommendation_table;
use super::holdings::{Holdings, each_view, pieces};
use crate::base::CustomerBase;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::state::cells::CellRole;
use crate::state::spec::AsOf;
use crate::table::Table;
use crate::time::calendar::date_text;

/// Settings of recommendations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecommendSpec {
    /// Recommendations of each customer.
    pub k: usize,
    /// Whether categories that a customer has are left out.
    pub exclude_owned: bool,
}

/// Number of recommendations that is no mistake.
const MOST: usize = 10_000;

impl NextCategory {
    /// The best categories of every buyer: up to k rows each, by id, then by rank. By ranges of ids; the first table has the report of
    /// all of them.
    pub fn recommend(&self, base: &CustomerBase, spec: RecommendSpec, as_of: Option<AsOf>, context: &Context) -> Result<Vec<Table>> {
        if !(1..=MOST).contains(&spec.k) {
            return Err(Error::new(ErrorKind::InvalidArgument, format!("k={} is outside 1 to {MOST}", spec.k)));
        }
        self.check_kind(base)?;
        let weights = Weights::new(self.spec.method, &self.counts, &self.pairs);
        let mut tables: Vec<Table> = Vec::new();
        let mut report = each_view(base, as_of, context, |view| {
            let holdings = Holdings::of(view, CellRole::Category)?;
            let lookup = self.values.lookup();
            let place = |rank: usize| {
                let (keys, code) = holdings.value(rank as u32);
                lookup.find(keys, code)
            };
            let places: Vec<Option<u32>> = (0..holdings.len()).map(place).collect();
            let mut buyers = view.codes_by_id(context)?;
            buyers.retain(|&code| view.totals().orders(code) > 0);
            let rows: Vec<Vec<Recommendation>> = context
                .run_if_large(buyers.len().saturating_mul(self.counts.len()), |threads| {
                    threads.par_tasks(buyers.chunks(pieces(buyers.len(), threads.count())), |buyers| {
                        let (mut reader, mut scoring) = (holdings.reader(), Scoring::new(&weights));
                        let (mut rows, mut own) = (Vec::with_capacity(buyers.len() * spec.k.min(self.counts.len())), Vec::new());
                        for (at, &customer) in buyers.iter().enumerate() {
                            if at % 1024 == 0 {
                                context.check()?;
                            }
                            own.clear();
                            let has = owned(reader.read(customer).0);
                            let has_any = has.clone().next().is_some();
                            own.extend(has.filter_map(|rank| places[rank as usize]));
                            let found = scoring.top(&own, has_any, spec.k, spec.exclude_owned).iter();
                            rows.extend((1..).zip(found).map(|(rank, &suggestion)| Recommendation { customer, rank, suggestion }));
                        }
                        Ok(rows)
                    })
                })?
                .into_iter()
                .collect::<Result<_>>()?;
            let rows: Vec<Recommendation> = rows.into_iter().flatten().collect();
            if tables.is_empty() || !rows.is_empty() {
                tables.push(recommendation_table(view, self, &rows, context)?);
            }
            Ok(())
        })?;
        if let (Some(fit), Some(day)) = (self.as_of, report.as_of)
            && fit > day
        {
            report.remarks.push(format!(
                "the model was fitted as of {}, after {}: it knows what came later",
                date_text(fit),
                date_text(day)
            ));
        }
        if self.counts.is_empty() {
            report
                .remarks
                .push(format!("no category has {} customers (min_customers), so nothing is recommended", self.spec.min_customers));
        }
        if let Some(first) = tables.first_mut() {
            first.report = report;
        }
        Ok(tables)
    }
}
