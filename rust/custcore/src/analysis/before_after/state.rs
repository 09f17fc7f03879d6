//! Comparisons as tables and back, for pickles: a row for each control of a matched stratum, and the rest in the metadata.

use std::sync::Arc;

use arrow_array::types::{Float64Type, UInt32Type};
use arrow_array::{Array, Float64Array, RecordBatch, UInt32Array};
use arrow_schema::Metadata;
use serde::{Deserialize, Serialize};

use super::balance::BalanceRow;
use super::draws::{Controls, OUTCOMES};
use super::estimate::{Estimate, Matched};
use super::features::FEATURES;
use super::result::{BeforeAfter, Compared};
use super::spec::{Baseline, BeforeAfterSpec, ComparedMetric, ComparedWindows, MatchColumn, TreatedOn};
use crate::error::{Error, ErrorKind, Result};
use crate::report::Report;
use crate::state::spec::AsOf;
use crate::table::{STATE, Table, TableBuilder, state_column, state_of};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ComparisonState {
    customer_id: Vec<String>,
    /// The column of days; `None`: one day for all.
    exposed_on: Option<String>,
    windows: ComparedWindows,
    baseline: Baseline,
    /// Columns and edges.
    matching: Vec<(String, Option<Vec<f64>>)>,
    metrics: Vec<ComparedMetric>,
    own: (Vec<Estimate>, Matched),
    placebo: (Vec<Estimate>, Matched),
    /// Positions of features, and the numbers of each; `None` is NaN.
    balance: Vec<(usize, [Option<f64>; 6])>,
    treated_of_strata: Vec<u64>,
    orders_after: u64,
    waves: Vec<i32>,
}

const STRATUM: &str = "stratum";

/// The column of an outcome.
fn name_of(at: usize) -> String {
    format!("outcome_{at}")
}

impl BeforeAfter {
    /// All that is known of the comparison.
    pub fn state(&self) -> Result<Table> {
        let name = |column: &MatchColumn| FEATURES.iter().find(|(_, feature)| *feature == column.feature).map_or("", |(name, _)| *name);
        let balance = |row: &BalanceRow| {
            let place = FEATURES.iter().position(|(name, _)| *name == row.feature).unwrap_or(FEATURES.len());
            let numbers = [row.treated, row.others, row.smd, row.treated_matched, row.control_weighted, row.smd_matched];
            (place, numbers.map(|number| Some(number).filter(|number| !number.is_nan())))
        };
        let state = ComparisonState {
            customer_id: self.spec.customer_id.iter().map(str::to_owned).collect(),
            exposed_on: match &self.spec.treated_on {
                TreatedOn::Column(name) => Some(name.clone()),
                TreatedOn::Start(_) => None,
            },
            windows: self.spec.windows,
            baseline: self.spec.baseline,
            matching: self.spec.matching.iter().map(|column| (name(column).to_owned(), column.edges.clone())).collect(),
            metrics: self.spec.metrics.clone(),
            own: (self.estimates.clone(), self.matched),
            placebo: (self.placebo.estimates.clone(), self.placebo.matched),
            balance: self.balance.iter().map(balance).collect(),
            treated_of_strata: self.treated_of_strata.clone(),
            orders_after: self.orders_after,
            waves: self.waves.clone(),
        };
        let state = serde_json::to_string(&state).map_err(Error::internal)?;
        let rows = &self.controls.rows;
        let mut table = TableBuilder::default();
        table.column(STRATUM, Arc::new(UInt32Array::from_iter_values(rows.iter().map(|(stratum, _)| *stratum))));
        for at in 0..2 * self.spec.metrics.len() {
            table.column(&name_of(at), Arc::new(Float64Array::from_iter_values(rows.iter().map(|(_, outcomes)| outcomes[at]))));
        }
        table.finish(rows.len(), Metadata::from([(STATE.to_owned(), state)]), self.report.clone())
    }

    /// The comparison of [`BeforeAfter::state`].
    pub fn of_state(batch: &RecordBatch, report: Report) -> Result<Self> {
        let wrong = |what: &str| Error::new(ErrorKind::ModelFormat, format!("the {what} of the comparison are inconsistent"));
        let state: ComparisonState = state_of(batch)?;
        let matching = state.matching.into_iter().map(|(name, edges)| MatchColumn::new(&name, edges)).collect::<Result<_>>()?;
        let first = state.waves.first().copied().unwrap_or_default();
        let spec = BeforeAfterSpec {
            customer_id: state.customer_id.into(),
            treated_on: state.exposed_on.map_or(TreatedOn::Start(AsOf::Date(first)), TreatedOn::Column),
            windows: state.windows,
            baseline: state.baseline,
            matching,
            metrics: state.metrics,
            as_of: report.as_of.map(AsOf::Date),
        };
        spec.check(true)?;
        let is_estimate = |row: &Estimate| row.metric < spec.metrics.len();
        if !state.own.0.iter().chain(&state.placebo.0).all(is_estimate) {
            return Err(wrong("estimates"));
        }
        let balance = state.balance.iter().map(|&(place, numbers)| {
            let feature = FEATURES.get(place)?.0;
            let [treated, others, smd, treated_matched, control_weighted, smd_matched] = numbers.map(|number| number.unwrap_or(f64::NAN));
            Some(BalanceRow { feature, treated, others, smd, treated_matched, control_weighted, smd_matched })
        });
        let balance = balance.collect::<Option<_>>().ok_or_else(|| wrong("features"))?;
        let strata = state_column::<UInt32Type>(batch, STRATUM)?;
        let mut rows: Vec<(u32, [f64; OUTCOMES])> = strata.values().iter().map(|&stratum| (stratum, [0.0; OUTCOMES])).collect();
        for at in 0..2 * spec.metrics.len() {
            let outcomes = state_column::<Float64Type>(batch, &name_of(at))?;
            rows.iter_mut().zip(outcomes.values()).for_each(|((_, row), &outcome)| row[at] = outcome);
        }
        let is_stratum = |&(stratum, _): &(u32, [f64; OUTCOMES])| (stratum as usize) < state.treated_of_strata.len();
        if strata.null_count() > 0 || !rows.iter().all(is_stratum) || !rows.is_sorted_by_key(|(stratum, _)| *stratum) {
            return Err(wrong("strata"));
        }
        Ok(Self {
            spec,
            estimates: state.own.0,
            matched: state.own.1,
            balance,
            placebo: Compared { estimates: state.placebo.0, matched: state.placebo.1 },
            controls: Controls { rows },
            treated_of_strata: state.treated_of_strata,
            orders_after: state.orders_after,
            waves: state.waves,
            report,
        })
    }
}
