//! The churn model: a survival curve of gaps between purchase days for each stratum of customers.
//!
//! A gap belongs to the stratum of the purchase day at which it began: the n-th purchase day of a customer opens a gap of the stratum of
//! n. The probability that a customer whose gap is g days old stays away for another h days is S(g + h) / S(g).

use super::histories::{History, fold_dates};
use super::spec::ChurnSpec;
use crate::analysis::lifecycle::windows::returning_window;
use crate::analysis::survival::{DurationCounts, SurvivalCurve};
use crate::base::CustomerBase;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::state::spec::AsOf;
use crate::time::calendar::date_text;

/// The share of the gaps that end by which a customer is taken for lost.
const LOST: f64 = 0.95;

/// Probabilities are rounded to multiples of its inverse, so that equal ones of different strata are equal whatever the rounding errors
/// of their curves: equal scores rank equally.
const GRID: f64 = (1_u64 << 40) as f64;

/// A fitted churn model.
#[derive(Debug, Clone, PartialEq)]
pub struct ChurnModel {
    spec: ChurnSpec,
    as_of: i32,
    strata: Vec<StratumCurve>,
    pooled: StratumCurve,
    /// The last day of the pooled curve.
    horizon: i32,
    /// The probability at each gap below the horizon of the curve, by stratum.
    probabilities: Vec<Vec<f64>>,
}

/// The curve of a stratum.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StratumCurve {
    /// Gaps of at least a day.
    pub gaps: DurationCounts,
    /// Their curve.
    pub curve: SurvivalCurve,
    /// The last length at which a gap ended while enough were at risk.
    pub horizon: Option<i32>,
}

impl StratumCurve {
    fn new(gaps: DurationCounts, min_at_risk: u64) -> Self {
        let curve = gaps.curve();
        let horizon = curve.horizon(min_at_risk);
        Self { gaps, curve, horizon }
    }
}

/// Gaps by stratum.
pub(super) type StratumGaps = Vec<DurationCounts>;

/// Adds the gaps of a customer as of a date to those of the strata.
#[inline]
pub(super) fn add_gaps(gaps: &mut [DurationCounts], spec: &ChurnSpec, days: &[i32], date: i32) {
    for (number, pair) in days.windows(2).enumerate() {
        gaps[spec.stratum(number + 1)].add_ended(pair[1] - pair[0], 1);
    }
    // A gap of 0 days is not at risk yet.
    if let Some(&last) = days.last().filter(|&&last| last < date) {
        gaps[spec.stratum(days.len())].add_open(date - last, 1);
    }
}

/// The gaps by stratum as of each of ascending dates, in one pass over the day records.
pub(super) fn gaps_as_of(base: &CustomerBase, spec: &ChurnSpec, dates: &[i32], context: &Context) -> Result<Vec<StratumGaps>> {
    let none = || vec![DurationCounts::default(); spec.strata.len()];
    let mut gaps: Vec<StratumGaps> = dates.iter().map(|_| none()).collect();
    base.by_ranges(context, |part| {
        let add = |gaps: &mut StratumGaps, at: usize, history: &History<'_>| add_gaps(gaps, spec, history.days, dates[at]);
        for (gaps, parts) in gaps.iter_mut().zip(fold_dates(part, dates, context, none, add)?) {
            for part in parts {
                gaps.iter_mut().zip(&part).for_each(|(gaps, part)| gaps.merge(part));
            }
        }
        Ok(())
    })?;
    Ok(gaps)
}

/// The day of an argument, by default the last day of the base.
pub(super) fn day_of(base: &CustomerBase, as_of: Option<AsOf>) -> Result<i32> {
    let clock = &base.input_schema()?.clock;
    let day = as_of.or(base.spec().until).map(|as_of| as_of.day(clock)).transpose()?;
    Ok(day.or_else(|| base.last_day()).unwrap_or(0))
}

impl ChurnModel {
    /// Fits the curves on the purchases up to a day, by default the last day of the base. Needs day records.
    pub fn fit(spec: ChurnSpec, base: &CustomerBase, as_of: Option<AsOf>, context: &Context) -> Result<Self> {
        let spec = spec.checked()?;
        let day = day_of(base, as_of)?;
        let gaps = gaps_as_of(base, &spec, &[day], context)?.pop().unwrap_or_default();
        Self::of_gaps(spec, day, gaps)
    }

    /// The model of gaps by stratum. No gap that ended while enough were at risk is an error.
    pub(super) fn of_gaps(spec: ChurnSpec, as_of: i32, gaps: StratumGaps) -> Result<Self> {
        let mut all = DurationCounts::default();
        gaps.iter().for_each(|gaps| all.merge(gaps));
        let pooled = StratumCurve::new(all, spec.min_at_risk);
        let Some(horizon) = pooled.horizon else {
            let message = format!(
                "as of {} no gap between purchases ended while {} or more (min_at_risk) were at risk, so no churn probability can be fitted: \
                 there are {} gaps that ended and {} open ones. Fit as of a later day, or with a smaller min_at_risk",
                date_text(as_of),
                spec.min_at_risk,
                pooled.gaps.ended(),
                pooled.gaps.open(),
            );
            return Err(Error::new(ErrorKind::NotEnoughData, message));
        };
        let strata: Vec<StratumCurve> = gaps.into_iter().map(|gaps| StratumCurve::new(gaps, spec.min_at_risk)).collect();
        let probabilities = strata
            .iter()
            .map(|stratum| match stratum.horizon {
                Some(horizon) => probabilities(&stratum.curve, horizon, spec.horizon),
                None => probabilities(&pooled.curve, horizon, spec.horizon),
            })
            .collect();
        Ok(Self { spec, as_of, strata, pooled, horizon, probabilities })
    }

    /// The settings.
    pub fn spec(&self) -> &ChurnSpec {
        &self.spec
    }

    /// The day of the fit.
    pub fn as_of(&self) -> i32 {
        self.as_of
    }

    /// The probability of no purchase within the horizon, for the gap in days of a customer of a stratum, counted from 0.
    #[inline]
    pub(super) fn probability(&self, stratum: usize, gap: i32) -> f64 {
        // Beyond the horizon of the curve S does not fall.
        self.probabilities[stratum].get(gap as usize).copied().unwrap_or(1.0)
    }

    /// The gap in days by which 95 % of the gaps that end within the horizon of the data have ended: who pauses longer is lost.
    pub fn loss_days(&self) -> Result<i32> {
        self.window(LOST)
    }

    /// The gap by which half of the gaps that end within the horizon of the data have ended.
    pub(super) fn median_gap(&self) -> Result<i32> {
        self.window(0.5)
    }

    fn window(&self, share: f64) -> Result<i32> {
        returning_window(&self.pooled.curve, share, self.spec.min_at_risk)
    }

    /// The curves of the strata.
    pub(super) fn strata(&self) -> &[StratumCurve] {
        &self.strata
    }

    /// The curve of all gaps, and its horizon.
    pub(super) fn pooled(&self) -> (&StratumCurve, i32) {
        (&self.pooled, self.horizon)
    }

    /// The customers of a stratum in words, such as `3 to 4 purchase days`.
    pub(super) fn stratum_text(&self, stratum: usize) -> String {
        let strata = &self.spec.strata;
        match strata.get(stratum + 1) {
            Some(&next) if next == strata[stratum] + 1 && next == 2 => "1 purchase day".to_owned(),
            Some(&next) if next == strata[stratum] + 1 => format!("{} purchase days", strata[stratum]),
            Some(&next) => format!("{} to {} purchase days", strata[stratum], next - 1),
            None => format!("{} or more purchase days", strata[stratum]),
        }
    }

    /// Remarks: strata that use the pooled curve.
    pub fn remarks(&self) -> Vec<String> {
        let without: Vec<String> =
            self.strata.iter().enumerate().filter(|(_, curve)| curve.horizon.is_none()).map(|(at, _)| self.stratum_text(at)).collect();
        if without.is_empty() {
            return Vec::new();
        }
        vec![format!(
            "customers with {} have the probability of all customers: no gap of theirs ended while {} or more (min_at_risk) were at risk",
            without.join(", "),
            self.spec.min_at_risk
        )]
    }
}

/// S(g + h) / S(g) for each gap g below the horizon of a curve.
fn probabilities(curve: &SurvivalCurve, horizon: i32, ahead: i32) -> Vec<f64> {
    let survival = |days: i32| curve.survival(days.min(horizon));
    let probability = |gap: i32| {
        let known = survival(gap);
        // Nobody is known to come back after a longer gap.
        if known > 0.0 { (survival(gap.saturating_add(ahead)) / known * GRID).round() / GRID } else { 1.0 }
    };
    (0..horizon).map(probability).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(min_at_risk: u64) -> ChurnSpec {
        ChurnSpec { horizon: 10, strata: vec![1, 2], min_at_risk }
    }

    fn gaps(customers: &[&[i32]], date: i32, spec: &ChurnSpec) -> StratumGaps {
        let mut gaps = vec![DurationCounts::default(); spec.strata.len()];
        customers.iter().for_each(|days| add_gaps(&mut gaps, spec, days, date));
        gaps
    }

    #[test]
    fn a_gap_is_of_the_stratum_of_its_first_day() {
        let spec = spec(1);
        let gaps = gaps(&[&[0, 5, 9], &[20]], 20, &spec);
        assert_eq!(gaps[0].iter().collect::<Vec<_>>(), [(5, 1, 0)]);
        assert_eq!(gaps[1].iter().collect::<Vec<_>>(), [(4, 1, 0), (11, 0, 1)]);
    }

    #[test]
    fn probability_by_hand() -> Result<()> {
        // First gaps: 4 of them, ended at 5 and at 15, open at 30 twice: S is 3/4 from 5 on, 1/2 from 15 on.
        let spec = spec(2);
        let gaps = gaps(&[&[0, 5], &[0, 15], &[0], &[0]], 30, &spec);
        let model = ChurnModel::of_gaps(spec, 30, gaps)?;
        let first = [0, 4, 5, 14, 15, 16].map(|gap| model.probability(0, gap));
        let expected = [0.75, 0.75, 0.5 / 0.75, 0.5 / 0.75, 1.0, 1.0];
        assert!(first.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12), "{first:?}");
        // Second gaps: none ended, so the pooled curve is used: 6 gaps, two of them open at 15 and 25.
        let pooled = model.pooled().0.curve.clone();
        assert!((model.probability(1, 0) - pooled.survival(10)).abs() < 1e-12);
        let remarks = model.remarks();
        assert!(remarks.len() == 1 && remarks[0].contains("2 or more purchase days"), "{remarks:?}");
        Ok(())
    }

    #[test]
    fn nobody_at_risk_is_an_error() {
        let spec = spec(3);
        let gaps = gaps(&[&[0, 5], &[0]], 30, &spec);
        let error = ChurnModel::of_gaps(spec, 30, gaps);
        assert!(error.is_err_and(|error| error.kind() == ErrorKind::NotEnoughData && error.message().contains("min_at_risk")));
    }
}
