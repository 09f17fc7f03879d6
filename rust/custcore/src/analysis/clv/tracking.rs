//! Repeat purchase days of the customers of calibration, period by period: what happened, and what was expected at their first purchase.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array};
use arrow_schema::Metadata;

use super::fit::FitStatus;
use super::model::{PurchaseModel, predictor};
use super::predict::{Predictor, parameter_variance};
use super::summary::from_base::Split;
use crate::analysis::purchase_days::{Buyer, fold_buyers};
use crate::base::CustomerBase;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::normal::normal_quantile;
use crate::num::quadrature::nodes_5;
use crate::report::Report;
use crate::state::spec::AsOf;
use crate::table::{Table, TableBuilder};
use crate::time::calendar::{MAX_DAY, date_text};

/// First purchases and repeat purchase days by day, from the first day on.
#[derive(Debug, Clone)]
struct Daily {
    first: Vec<u64>,
    repeat: Vec<u64>,
}

/// A period: its days after the first day, and whether it is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    days: Range<usize>,
    is_complete: bool,
}

impl PurchaseModel {
    /// Repeat purchase days by period of `period_days` days from the first purchase of all. Expectations are those at the first purchase
    /// of each customer, by the parameters of all customers.
    pub fn tracking(
        &self,
        base: &CustomerBase,
        calibration_end: Option<AsOf>,
        holdout_end: Option<AsOf>,
        period_days: i32,
        level: f64,
        context: &Context,
    ) -> Result<Table> {
        let invalid = |message: String| Error::new(ErrorKind::InvalidArgument, message);
        if period_days < 1 {
            return Err(invalid(format!("a period of {period_days} days is invalid; expected 1 or more")));
        }
        if !(level > 0.0 && level < 1.0) {
            return Err(invalid(format!("level={level} is invalid; expected a probability between 0 and 1, such as 0.95")));
        }
        let split = Split::of(base, calibration_end, holdout_end)?;
        let last = split.holdout_end.unwrap_or(split.calibration_end);
        let (origin, daily) = daily(base, split, last, context)?;
        let spans = spans(daily.first.len(), period_days as usize);
        let expectation = |parameters: &[f64]| {
            let predictor = predictor(self.family, parameters);
            cumulative(&daily.first, &spans, &by_age(daily.first.len(), |age| predictor.expected(age)))
        };
        let fit = &self.pooled.fit;
        let expected = expectation(&fit.parameters);
        context.check()?;
        let own = variances(predictor(self.family, &fit.parameters).as_ref(), &daily.first, &spans);
        let of_parameters = parameter_variance(&fit.parameters, &fit.covariance, |parameters| Ok(increments(&expectation(parameters))))?;
        context.check()?;
        let z = normal_quantile(0.5 + level / 2.0);
        let half: Vec<f64> = own.iter().zip(&of_parameters).map(|(own, more)| z * (own + more).sqrt()).collect();
        let mut report = Report { as_of: Some(split.calibration_end), ..Report::default() };
        if !self.groups.is_empty() {
            report.remarks.push("expectations are by the parameters of all customers, not by those of groups".to_owned());
        }
        if matches!(fit.status, FitStatus::Given) {
            report.remarks.push("the parameters were given: the interval does not know their uncertainty".to_owned());
        }
        table_of(&daily, &spans, (origin, split.calibration_end), (&expected, &half), report)
    }
}

/// Counts by day from the first purchase day of all up to `last`.
fn daily(base: &CustomerBase, split: Split, last: i32, context: &Context) -> Result<(i32, Daily)> {
    let nobody = || {
        let end = date_text(split.calibration_end);
        Error::new(ErrorKind::NotEnoughData, format!("nobody bought up to the end of calibration, {end}: there is nothing to track"))
    };
    let view_first = base.view_with_days(Some(last), context)?;
    let origin = view_first.first_day().filter(|&day| day <= split.calibration_end).ok_or_else(nobody)?;
    let days = (last.min(MAX_DAY) - origin + 1).max(1) as usize;
    let mut all = Daily { first: vec![0; days], repeat: vec![0; days] };
    base.by_ranges(context, |part| {
        let view = part.view_with_days(Some(last), context)?;
        let add = |daily: &mut Daily, buyer: &Buyer<'_>| {
            let Some(&first) = buyer.days.first().filter(|&&first| first <= split.calibration_end) else { return };
            daily.first[(first - origin) as usize] += 1;
            buyer.days[1..].iter().for_each(|day| daily.repeat[(day - origin) as usize] += 1);
        };
        let new = || Daily { first: vec![0; days], repeat: vec![0; days] };
        for part in fold_buyers(&view, context, new, add)? {
            all.first.iter_mut().zip(part.first).for_each(|(sum, more)| *sum += more);
            all.repeat.iter_mut().zip(part.repeat).for_each(|(sum, more)| *sum += more);
        }
        Ok(())
    })?;
    // The first row of all may be a refund.
    let start = all.first.iter().position(|&count| count > 0).ok_or_else(nobody)?;
    Ok((origin + start as i32, Daily { first: all.first.split_off(start), repeat: all.repeat.split_off(start) }))
}

fn spans(days: usize, length: usize) -> Vec<Span> {
    (0..days).step_by(length).map(|start| Span { days: start..days.min(start + length), is_complete: start + length <= days }).collect()
}

/// A function of the age of customers, for each whole day.
fn by_age(days: usize, value: impl Fn(f64) -> f64) -> Vec<f64> {
    (0..days).map(|age| value(age as f64)).collect()
}

/// The sum over customers of a function of their age at the end of each period.
fn cumulative(first: &[u64], spans: &[Span], of_age: &[f64]) -> Vec<f64> {
    let at_end = |span: &Span| {
        let last = span.days.end - 1;
        first[..=last].iter().enumerate().filter(|(_, count)| **count > 0).map(|(day, &count)| count as f64 * of_age[last - day]).sum()
    };
    spans.iter().map(at_end).collect()
}

fn increments(cumulative: &[f64]) -> Vec<f64> {
    let mut before = 0.0;
    cumulative.iter().map(|&value| std::mem::replace(&mut before, value)).zip(cumulative).map(|(before, value)| value - before).collect()
}

/// The variance of the number of purchase days in each period, over customers who are independent: with g(v) du dv the expected number of
/// pairs of purchases at u < v, E[N (N - 1)] of a period is the integral of 2 (v - start) g(v) over it.
fn variances(predictor: &dyn Predictor, first: &[u64], spans: &[Span]) -> Vec<f64> {
    let days = first.len();
    // Integrals of g and v g over each day of age.
    let mut plain = vec![0.0; days + 1];
    let mut weighted = vec![0.0; days + 1];
    for day in 0..days {
        let (from, to) = (day as f64, day as f64 + 1.0);
        plain[day + 1] = plain[day] + nodes_5().integrate(from, to, |v| predictor.pair_rate(v));
        weighted[day + 1] = weighted[day] + nodes_5().integrate(from, to, |v| v * predictor.pair_rate(v));
    }
    let expected = by_age(days, |age| predictor.expected(age));
    let variance = |span: &Span| {
        let last = span.days.end - 1;
        let of_day = |(day, &count): (usize, &u64)| {
            // Ages at the end of the period before, and at that of this one.
            let (from, to) = (span.days.start.saturating_sub(day + 1), last - day);
            let start = if span.days.start > day { from } else { 0 };
            let mean = expected[to] - expected[start];
            let pairs = 2.0 * (weighted[to] - weighted[start] - start as f64 * (plain[to] - plain[start]));
            count as f64 * (mean + (pairs - mean * mean)).max(0.0)
        };
        first[..=last].iter().enumerate().filter(|(_, count)| **count > 0).map(of_day).sum()
    };
    spans.iter().map(variance).collect()
}

fn table_of(
    daily: &Daily,
    spans: &[Span],
    (origin, calibration_end): (i32, i32),
    (expected, half): (&[f64], &[f64]),
    report: Report,
) -> Result<Table> {
    let counts: Vec<u64> = spans.iter().map(|span| daily.repeat[span.days.clone()].iter().sum()).collect();
    let own = increments(expected);
    let date = |day: &dyn Fn(&Span) -> usize| -> ArrayRef {
        Arc::new(Date32Array::from_iter_values(spans.iter().map(|span| origin + day(span) as i32)))
    };
    let flag =
        |value: &dyn Fn(&Span) -> bool| -> ArrayRef { Arc::new(spans.iter().map(|span| Some(value(span))).collect::<BooleanArray>()) };
    let number = |values: Vec<f64>| -> ArrayRef { Arc::new(Float64Array::from(values)) };
    let sums = counts.iter().scan(0, |sum, &count| {
        *sum += count;
        Some(*sum as i64)
    });
    let mut table = TableBuilder::default();
    table.column("period_start", date(&|span| span.days.start));
    table.column("period_end", date(&|span| span.days.end - 1));
    table.column("is_complete", flag(&|span| span.is_complete));
    table.column("in_calibration", flag(&|span| origin + span.days.end as i32 - 1 <= calibration_end));
    table.column("actual", Arc::new(Int64Array::from_iter_values(counts.iter().map(|&count| count as i64))));
    table.column("expected", number(own.clone()));
    table.column("actual_cumulative", Arc::new(Int64Array::from_iter_values(sums)));
    table.column("expected_cumulative", number(expected.to_vec()));
    table.column("expected_low", number(own.iter().zip(half).map(|(own, half)| (own - half).max(0.0)).collect()));
    table.column("expected_high", number(own.iter().zip(half).map(|(own, half)| own + half).collect()));
    table.finish(spans.len(), Metadata::new(), report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_cover_all_days() {
        let spans = spans(16, 7);
        assert_eq!(spans.iter().map(|span| span.days.clone()).collect::<Vec<_>>(), [0..7, 7..14, 14..16]);
        assert_eq!(spans.iter().map(|span| span.is_complete).collect::<Vec<_>>(), [true, true, false]);
    }

    #[test]
    fn customers_are_as_old_as_the_days_since_their_first_purchase() {
        let spans = spans(4, 2);
        // Two customers of day 0, one of day 2; the function is the age itself.
        let found = cumulative(&[2, 0, 1, 0], &spans, &by_age(4, |age| age));
        assert_eq!(found, [2.0, 7.0]);
        assert_eq!(increments(&found), [2.0, 5.0]);
    }
}
