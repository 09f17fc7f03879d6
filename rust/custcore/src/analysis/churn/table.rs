//! Arrow tables of churn scores, curves and back-tests.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, StringArray};
use arrow_schema::Metadata;

use super::backtest_rows::{CalibrationRow, SummaryRow, ThresholdRow};
use super::model::{ChurnModel, StratumCurve};
use super::spec::ScoreName;
use crate::analysis::cohort::kernel::wilson;
use crate::column::key_schema::KeySchema;
use crate::error::Result;
use crate::exec::par::Threads;
use crate::group::interner::Keys;
use crate::report::Report;
use crate::table::{Table, TableBuilder};

/// A buyer as of a day.
#[derive(Debug, Clone, Copy)]
pub(super) struct CustomerRow {
    /// Code of the customer.
    pub code: u32,
    /// Days since the last purchase day.
    pub gap: i32,
    /// Distinct purchase days.
    pub n_days: u32,
}

fn int64(values: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values.map(|value| value as i64)))
}

fn float64(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.collect::<Float64Array>())
}

/// A quotient; `None` if the denominator is 0.
fn ratio(count: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| count as f64 / all as f64)
}

/// One row per buyer.
pub(super) fn scores_table(
    (key, keys): (&KeySchema, &Keys),
    rows: &[CustomerRow],
    model: &ChurnModel,
    (metadata, report): (Metadata, Report),
    threads: Threads<'_>,
) -> Result<Table> {
    let spec = model.spec();
    let codes: Vec<u32> = rows.iter().map(|row| row.code).collect();
    let stratum = |row: usize| spec.stratum(rows[row].n_days as usize);
    let mut table = TableBuilder::default();
    table.ids(key, keys, &codes, threads)?;
    table.column("gap_days", Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.gap))));
    table.column("n_days", int64(rows.iter().map(|row| u64::from(row.n_days))));
    table.column("stratum", Arc::new(Int64Array::from(threads.par_map(rows.len(), |row| i64::from(spec.strata[stratum(row)])))));
    let probabilities = threads.par_map(rows.len(), |row| model.probability(stratum(row), rows[row].gap));
    table.column("churn_probability", Arc::new(Float64Array::from(probabilities)));
    table.finish(rows.len(), metadata, report)
}

impl ChurnModel {
    /// The strata and the pooled curve, with the stratum as its least number of purchase days, which is `None` for the pooled curve.
    fn curves(&self) -> impl Iterator<Item = (Option<u32>, &StratumCurve)> {
        let strata = self.spec().strata.iter().map(|&least| Some(least)).zip(self.strata());
        strata.chain([(None, self.pooled().0)])
    }

    /// The curves: one row per stratum and length; the pooled curve is last, its stratum null.
    pub fn curves_table(&self) -> Result<Table> {
        let points: Vec<_> = self.curves().flat_map(|(stratum, curve)| curve.curve.0.iter().map(move |point| (stratum, point))).collect();
        let mut table = TableBuilder::default();
        table.column("stratum", Arc::new(points.iter().map(|(stratum, _)| stratum.map(i64::from)).collect::<Int64Array>()));
        table.column("gap_days", Arc::new(Int32Array::from_iter_values(points.iter().map(|(_, point)| point.days))));
        table.column("at_risk", int64(points.iter().map(|(_, point)| point.at_risk)));
        table.column("returned", int64(points.iter().map(|(_, point)| point.ended)));
        table.column("censored", int64(points.iter().map(|(_, point)| point.open)));
        table.column("survival", float64(points.iter().map(|(_, point)| Some(point.survival))));
        table.column("survival_low", float64(points.iter().map(|(_, point)| Some(point.interval.0))));
        table.column("survival_high", float64(points.iter().map(|(_, point)| Some(point.interval.1))));
        table.finish(points.len(), Metadata::new(), self.report())
    }

    /// One row per stratum, and one of all customers: gaps, the horizon of the curve, and whether the pooled curve is used instead.
    pub fn strata_table(&self) -> Result<Table> {
        let curves: Vec<_> = self.curves().collect();
        let mut table = TableBuilder::default();
        table.column("stratum", Arc::new(curves.iter().map(|(stratum, _)| stratum.map(i64::from)).collect::<Int64Array>()));
        table.column("gaps", int64(curves.iter().map(|(_, curve)| curve.gaps.ended() + curve.gaps.open())));
        table.column("returned", int64(curves.iter().map(|(_, curve)| curve.gaps.ended())));
        table.column("horizon_days", Arc::new(curves.iter().map(|(_, curve)| curve.horizon).collect::<Int32Array>()));
        let returned = |(_, curve): &(Option<u32>, &StratumCurve)| curve.horizon.map(|horizon| 1.0 - curve.curve.survival(horizon));
        table.column("share_returned", float64(curves.iter().map(returned)));
        table.column("is_pooled", Arc::new(curves.iter().map(|(_, curve)| Some(curve.horizon.is_none())).collect::<BooleanArray>()));
        table.finish(curves.len(), Metadata::new(), self.report())
    }

    fn report(&self) -> Report {
        Report { as_of: Some(self.as_of()), remarks: self.remarks(), ..Report::default() }
    }
}

fn scores(scores: impl Iterator<Item = ScoreName>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(scores.map(ScoreName::word)))
}

/// The summary of a back-test.
pub(super) fn summary_table(rows: &[SummaryRow], report: Report) -> Result<Table> {
    let base_rate = |row: &SummaryRow| ratio(row.churned, row.customers);
    let of_probability = |row: &SummaryRow| base_rate(row).filter(|_| row.score == ScoreName::Probability);
    let mut table = TableBuilder::default();
    table.column("as_of", Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| row.date))));
    table.column("score", scores(rows.iter().map(|row| row.score)));
    table.column("customers", int64(rows.iter().map(|row| row.customers)));
    table.column("churned", int64(rows.iter().map(|row| row.churned)));
    table.column("base_rate", float64(rows.iter().map(base_rate)));
    table.column("auc", float64(rows.iter().map(|row| row.auc)));
    table.column("average_precision", float64(rows.iter().map(|row| row.average_precision)));
    table.column("brier", float64(rows.iter().map(|row| row.brier)));
    table.column("brier_base", float64(rows.iter().map(|row| of_probability(row).map(|rate| rate * (1.0 - rate)))));
    table.finish(rows.len(), Metadata::new(), report)
}

/// The cuts of a back-test.
pub(super) fn thresholds_table(rows: &[ThresholdRow], report: Report) -> Result<Table> {
    let precision = |row: &ThresholdRow| ratio(row.flagged.churned, row.flagged.customers);
    let lift = |row: &ThresholdRow| Some(precision(row)? / ratio(row.churned, row.customers).filter(|&rate| rate > 0.0)?);
    let (low, high) = intervals(rows.iter().map(|row| (row.flagged.churned, row.flagged.customers)));
    let mut table = TableBuilder::default();
    table.column("as_of", Arc::new(rows.iter().map(|row| row.date).collect::<Date32Array>()));
    table.column("score", scores(rows.iter().map(|row| row.score)));
    table.column("share", float64(rows.iter().map(|row| row.share.or_else(|| ratio(row.flagged.customers, row.customers)))));
    table.column("threshold", float64(rows.iter().map(|row| row.flagged.threshold)));
    table.column("flagged", int64(rows.iter().map(|row| row.flagged.customers)));
    table.column("true", int64(rows.iter().map(|row| row.flagged.churned)));
    table.column("precision", float64(rows.iter().map(precision)));
    table.column("precision_low", low);
    table.column("precision_high", high);
    table.column("recall", float64(rows.iter().map(|row| ratio(row.flagged.churned, row.churned))));
    table.column("lift", float64(rows.iter().map(lift)));
    table.finish(rows.len(), Metadata::new(), report)
}

/// The calibration of a back-test.
pub(super) fn calibration_table(rows: &[CalibrationRow], report: Report) -> Result<Table> {
    let (low, high) = intervals(rows.iter().map(|row| (row.content.churned, row.content.customers)));
    let mut table = TableBuilder::default();
    table.column("as_of", Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| row.date))));
    table.column("bin", int64(rows.iter().map(|row| row.bin as u64)));
    table.column("customers", int64(rows.iter().map(|row| row.content.customers)));
    table.column("predicted", float64(rows.iter().map(|row| row.content.predicted)));
    table.column("observed", float64(rows.iter().map(|row| ratio(row.content.churned, row.content.customers))));
    table.column("observed_low", low);
    table.column("observed_high", high);
    table.finish(rows.len(), Metadata::new(), report)
}

/// Ends of the 95 % interval of shares; null where there is nobody.
fn intervals(shares: impl Iterator<Item = (u64, u64)>) -> (ArrayRef, ArrayRef) {
    let (low, high): (Vec<_>, Vec<_>) = shares.map(|(count, all)| (all > 0).then(|| wilson(count as i64, all as i64)).unzip()).unzip();
    (Arc::new(Float64Array::from(low)), Arc::new(Float64Array::from(high)))
}
