//! How well a model predicted what happened in the hold-out, beside simple forecasts.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray};
use arrow_schema::Metadata;

use super::correlation::{average_ranks, spearman};
use super::model::PurchaseModel;
use super::predictions::{PredictSpec, Spend, SpendOfRows};
use super::summary::ClvSummary;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::special::ln;
use crate::report::Report;
use crate::table::{Table, TableBuilder};

/// Probabilities are kept this far from 0 and 1 in the logarithmic loss, which would else be infinite.
const CLIP: f64 = 1e-15;
/// The largest x with a row of its own.
const MAX_X: u32 = 6;

/// Measures of a forecast.
#[derive(Debug, Clone, PartialEq)]
struct Measures {
    forecast: &'static str,
    measure: &'static str,
    actual: f64,
    expected: f64,
    mae: f64,
    rmse: f64,
    bias: f64,
    rank_correlation: Option<f64>,
    top_decile_share: Option<f64>,
    brier: Option<f64>,
    log_loss: Option<f64>,
    auc: Option<f64>,
}

impl PurchaseModel {
    /// Compares the expectation over the hold-out with what happened: measures of this model and of simple forecasts, and means by x.
    pub fn evaluate(&self, summary: &ClvSummary, spend: &Spend, context: &Context) -> Result<(Table, Table)> {
        let Some(holdout) = &summary.holdout else {
            let message = "the summary has no hold-out (column x_holdout); make it with clv_summary(calibration_end=...)";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        };
        let n = summary.rows();
        if n == 0 {
            return Err(Error::new(ErrorKind::NotEnoughData, "the summary has no customers to evaluate"));
        }
        let days = holdout.days;
        let (expected, p_purchase) = self.expected_of_rows(summary, days, context)?;
        let column = |value: &dyn Fn(usize) -> f64| (0..n).map(value).collect::<Vec<f64>>();
        let actual = column(&|row| f64::from(holdout.x[row]));
        let own_rate = column(&|row| {
            let age = summary.age.get(row);
            if age > 0.0 { f64::from(summary.x[row]) * days / age } else { 0.0 }
        });
        let name = self.family().name();
        let mut rows = vec![measures((name, "purchases"), &actual, &expected, Some(&p_purchase), context)?];
        rows.push(measures(("zero", "purchases"), &actual, &vec![0.0; n], None, context)?);
        rows.push(measures(("own_rate", "purchases"), &actual, &own_rate, None, context)?);
        let before = holdout.x_before.as_ref().map(|x| column(&|row| f64::from(x[row])));
        if let Some(before) = &before {
            rows.push(measures(("same_as_before", "purchases"), &actual, before, None, context)?);
        }
        let mut remarks = Vec::new();
        if before.is_none() {
            remarks
                .push("the baseline 'same_as_before' is left out: the summary has no column x_before; make it with clv_summary".to_owned());
        }
        if *spend != Spend::None {
            self.revenue(summary, spend, (&expected, &own_rate, before.as_deref()), &mut rows, context)?;
        }
        let losers: Vec<&str> =
            rows[1..3].iter().filter(|baseline| baseline.rmse <= rows[0].rmse).map(|baseline| baseline.forecast).collect();
        if !losers.is_empty() {
            remarks.push(format!("{name} does not beat {} in rmse: do not use its predictions of single customers", losers.join(" and ")));
        }
        let mut report = summary.report();
        report.remarks.extend(remarks);
        Ok((table_of(&rows, n, days, report)?, by_x(summary, &actual, &expected)?))
    }

    fn revenue(
        &self,
        summary: &ClvSummary,
        spend: &Spend,
        (expected, own_rate, before): (&[f64], &[f64], Option<&[f64]>),
        rows: &mut Vec<Measures>,
        context: &Context,
    ) -> Result<()> {
        let n = summary.rows();
        let Some((holdout, means)) = summary.holdout.as_ref().and_then(|holdout| Some((holdout, holdout.mean.as_ref()?))) else {
            let message =
                "the revenue of the hold-out is unknown: the summary has no column m_holdout; make it with an amount, or leave spend out";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        };
        let spend = SpendOfRows::of(spend, summary, context)?;
        let or_zero = |value: f64| if value.is_nan() { 0.0 } else { value };
        let column = |value: &dyn Fn(usize) -> f64| (0..n).map(value).collect::<Vec<f64>>();
        let actual = column(&|row| f64::from(holdout.x[row]) * or_zero(means.get(row)));
        let own_mean = |row: usize| summary.m_x.as_ref().map_or(0.0, |m_x| or_zero(m_x.get(row)));
        let measure = "revenue";
        let of_model = column(&|row| expected[row] * or_zero(spend.of_row(row)));
        rows.push(measures((self.family().name(), measure), &actual, &of_model, None, context)?);
        rows.push(measures(("zero", measure), &actual, &vec![0.0; n], None, context)?);
        rows.push(measures(("own_rate", measure), &actual, &column(&|row| own_rate[row] * own_mean(row)), None, context)?);
        if let (Some(before), Some(means)) = (before, &holdout.mean_before) {
            let revenue = column(&|row| before[row] * or_zero(means.get(row)));
            rows.push(measures(("same_as_before", measure), &actual, &revenue, None, context)?);
        }
        Ok(())
    }

    /// Expected purchase days of each row in the next `days` days, and the probability of any.
    fn expected_of_rows(&self, summary: &ClvSummary, days: f64, context: &Context) -> Result<(Vec<f64>, Vec<f64>)> {
        let spec = PredictSpec::of_purchases(days);
        let table = self.predict(summary, &spec, context)?.into_iter().next();
        let column = |name: &str| -> Result<Vec<f64>> {
            let values = table.as_ref().and_then(|table| table.batch.column_by_name(name));
            let values = values.and_then(|values| arrow_array::cast::AsArray::as_primitive_opt::<arrow_array::types::Float64Type>(values));
            Ok(values.ok_or_else(|| Error::internal("predictions without a column"))?.values().to_vec())
        };
        Ok((column("expected_purchases")?, column("p_purchase")?))
    }
}

fn measures(
    (forecast, measure): (&'static str, &'static str),
    actual: &[f64],
    expected: &[f64],
    probability: Option<&[f64]>,
    context: &Context,
) -> Result<Measures> {
    let n = actual.len() as f64;
    let errors = || expected.iter().zip(actual).map(|(expected, actual)| expected - actual);
    let is_binary = measure == "purchases";
    let label = |row: usize| if actual[row] > 0.0 { 1.0 } else { 0.0 };
    let brier = probability.map(|p| p.iter().enumerate().map(|(row, p)| (p - label(row)).powi(2)).sum::<f64>() / n);
    let log_loss = probability.map(|p| {
        let loss = |(row, p): (usize, &f64)| {
            let p = p.clamp(CLIP, 1.0 - CLIP);
            if actual[row] > 0.0 { -ln(p) } else { -ln(1.0 - p) }
        };
        p.iter().enumerate().map(loss).sum::<f64>() / n
    });
    Ok(Measures {
        forecast,
        measure,
        actual: actual.iter().sum(),
        expected: expected.iter().sum(),
        mae: errors().map(f64::abs).sum::<f64>() / n,
        rmse: (errors().map(|error| error * error).sum::<f64>() / n).sqrt(),
        bias: errors().sum::<f64>() / n,
        rank_correlation: spearman(expected, actual, None, context)?,
        top_decile_share: top_decile_share(actual, expected, context)?,
        brier,
        log_loss,
        auc: if is_binary { auc(actual, probability.unwrap_or(expected), context)? } else { None },
    })
}

/// The share of all that the tenth of the customers with the highest expectation did; of equal expectations the first rows count.
fn top_decile_share(actual: &[f64], expected: &[f64], context: &Context) -> Result<Option<f64>> {
    let mut order: Vec<u32> = (0..actual.len() as u32).collect();
    context.run_if_large(actual.len(), |threads| {
        threads.par_sort_unstable_by(&mut order, |&a, &b| expected[b as usize].total_cmp(&expected[a as usize]).then(a.cmp(&b)));
    })?;
    let all: f64 = actual.iter().sum();
    let first: f64 = order.iter().take(actual.len().div_ceil(10)).map(|&row| actual[row as usize]).sum();
    Ok((all > 0.0).then(|| first / all))
}

/// The probability that a customer who bought has a higher score than one who did not, plus half of that of equal scores; `None` if all
/// bought or nobody did.
fn auc(actual: &[f64], score: &[f64], context: &Context) -> Result<Option<f64>> {
    let ranks = average_ranks(score, None, context)?;
    let bought = actual.iter().filter(|&&actual| actual > 0.0).count() as f64;
    let others = actual.len() as f64 - bought;
    let sum: f64 = ranks.iter().zip(actual).filter(|(_, actual)| **actual > 0.0).map(|(rank, _)| rank).sum();
    Ok((bought > 0.0 && others > 0.0).then(|| (sum - bought * (bought + 1.0) / 2.0) / (bought * others)))
}

fn table_of(rows: &[Measures], customers: usize, days: f64, report: Report) -> Result<Table> {
    let mut table = TableBuilder::default();
    let text = |value: &dyn Fn(&Measures) -> &'static str| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(value(row))).collect::<StringArray>())
    };
    let number = |value: &dyn Fn(&Measures) -> Option<f64>| -> ArrayRef { Arc::new(rows.iter().map(value).collect::<Float64Array>()) };
    table.column("model", text(&|row| row.forecast));
    table.column("measure", text(&|row| row.measure));
    table.column("customers", Arc::new(Int64Array::from(vec![customers as i64; rows.len()])));
    table.column("days", number(&|_| Some(days)));
    table.column("actual", number(&|row| Some(row.actual)));
    table.column("expected", number(&|row| Some(row.expected)));
    table.column("total_error", number(&|row| (row.actual != 0.0).then(|| row.expected / row.actual - 1.0)));
    table.column("mae", number(&|row| Some(row.mae)));
    table.column("rmse", number(&|row| Some(row.rmse)));
    table.column("bias", number(&|row| Some(row.bias)));
    table.column("rank_correlation", number(&|row| row.rank_correlation));
    table.column("top_decile_share", number(&|row| row.top_decile_share));
    table.column("brier", number(&|row| row.brier));
    table.column("log_loss", number(&|row| row.log_loss));
    table.column("auc", number(&|row| row.auc));
    table.finish(rows.len(), Metadata::new(), report)
}

/// Means of customers of the same x.
fn by_x(summary: &ClvSummary, actual: &[f64], expected: &[f64]) -> Result<Table> {
    let mut sums = vec![(0_i64, 0.0, 0.0); MAX_X as usize + 2];
    for row in 0..summary.rows() {
        let sums = &mut sums[summary.x(row).min(MAX_X + 1) as usize];
        sums.0 += 1;
        sums.1 += actual[row];
        sums.2 += expected[row];
    }
    let name = |x: usize| if x > MAX_X as usize { format!("{x}+") } else { x.to_string() };
    let mean = |sum: f64, n: i64| (n > 0).then(|| sum / n as f64);
    let mut table = TableBuilder::default();
    table.column("x", Arc::new((0..sums.len()).map(|x| Some(name(x))).collect::<StringArray>()));
    table.column("customers", Arc::new(Int64Array::from_iter_values(sums.iter().map(|sums| sums.0))));
    table.column("actual_mean", Arc::new(sums.iter().map(|sums| mean(sums.1, sums.0)).collect::<Float64Array>()));
    table.column("expected_mean", Arc::new(sums.iter().map(|sums| mean(sums.2, sums.0)).collect::<Float64Array>()));
    table.finish(sums.len(), Metadata::new(), Report::default())
}
