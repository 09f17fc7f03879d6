//! Back-test: models are fitted as of past days, customers are scored, and only then it is looked up who bought within the horizon.

use super::backtest_rows::{CalibrationRow, SummaryRow, ThresholdRow};
use super::calibration;
use super::model::{ChurnModel, gaps_as_of};
use super::ranking::{Flagged, Ranking, number_of};
use super::scored::{Scored, Scoring, longest, score_dates};
use super::spec::{BacktestSpec, ScoreName};
use super::table::{calibration_table, summary_table, thresholds_table};
use crate::analysis::dates::ascending;
use crate::analysis::lifecycle::rhythm::Prior;
use crate::base::CustomerBase;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::table::Table;
use crate::time::calendar::date_text;

/// Gaps that the typical gap of all customers weighs in that of one.
const PRIOR_GAPS: u64 = 3;

/// The result of a back-test.
#[derive(Debug)]
pub struct Backtest {
    /// One row per date and score: how well the score ranks.
    pub summary: Table,
    /// One row per date, score and cut, and of all dates: who is flagged, and how many of them churned.
    pub thresholds: Table,
    /// Ten rows per date: predicted and observed probabilities.
    pub calibration: Table,
}

/// Customers to flag.
#[derive(Debug, Clone, Copy)]
enum Cut {
    Share(f64),
    Threshold(f64),
}

/// The dates, and whether they were given.
fn dates_of(base: &CustomerBase, spec: &BacktestSpec) -> Result<Vec<i32>> {
    let clock = &base.input_schema()?.clock;
    let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
    let horizon = spec.model.horizon;
    let not_enough = |message: String| Err(Error::new(ErrorKind::NotEnoughData, message));
    let Some(last) = base.last_day() else {
        return not_enough("the base has no rows with an id and a time, so there is nothing to test".into());
    };
    if let Some(dates) = &spec.dates {
        let days = ascending(dates, 1, clock)?;
        if let Some(&day) = days.iter().find(|&&day| day > last.saturating_sub(horizon)) {
            return invalid(format!(
                "dates has {}, but who churned within {horizon} days (horizon) of it is known only on {}, after the last day of the base, {}. \
                 Pass dates up to {}, or a smaller horizon",
                date_text(day),
                date_text(day.saturating_add(horizon)),
                date_text(last),
                date_text(last.saturating_sub(horizon)),
            ));
        }
        return Ok(days);
    }
    let first = base.first_day().unwrap_or(last);
    let back = |steps: usize| i32::try_from(i64::from(last) - i64::from(horizon) * steps as i64).ok().filter(|&day| day >= first);
    let mut days: Vec<i32> = (1..=spec.n_dates).map_while(back).collect();
    if days.is_empty() {
        return not_enough(format!(
            "the base has the days {} to {}, less than a horizon of {horizon} days and a day before it, so there is no date to test. Pass a \
             smaller horizon, or a base of a longer time",
            date_text(first),
            date_text(last),
        ));
    }
    days.reverse();
    Ok(days)
}

/// The models of the dates, and remarks. Of given dates each needs a model; others without one are left out.
fn models_of(base: &CustomerBase, spec: &BacktestSpec, dates: &[i32], context: &Context) -> Result<(Vec<ChurnModel>, Vec<String>)> {
    let (mut models, mut left_out, mut reason) = (Vec::new(), Vec::new(), None);
    for (&date, gaps) in dates.iter().zip(gaps_as_of(base, &spec.model, dates, context)?) {
        match ChurnModel::of_gaps(spec.model.clone(), date, gaps) {
            Ok(model) => models.push(model),
            Err(error) if spec.dates.is_some() => return Err(error),
            Err(error) => {
                left_out.push(date_text(date));
                reason = Some(error);
            }
        }
    }
    if let (true, Some(error)) = (models.is_empty(), reason) {
        return Err(error.said_of(&format!("none of {} dates can be tested", dates.len())));
    }
    let mut remarks = Vec::new();
    if spec.dates.is_none() && dates.len() < spec.n_dates {
        remarks.push(format!("{} of {} dates (n_dates) are within the days of the base", dates.len(), spec.n_dates));
    }
    if !left_out.is_empty() {
        let min_at_risk = spec.model.min_at_risk;
        remarks.push(format!(
            "left out: {}, when no gap between purchases had ended while {min_at_risk} or more (min_at_risk) were at risk",
            left_out.join(", ")
        ));
    }
    let first = base.first_day().unwrap_or(i32::MIN);
    let young = |model: &&ChurnModel| model.as_of().saturating_sub(first) < spec.model.horizon;
    let young: Vec<String> = models.iter().filter(young).map(|model| date_text(model.as_of())).collect();
    if !young.is_empty() {
        remarks.push(format!(
            "{}: the base begins on {}, less than a horizon of {} days before, so no pause of that length was known",
            young.join(", "),
            date_text(first),
            spec.model.horizon
        ));
    }
    for model in &models {
        remarks.extend(model.remarks().into_iter().map(|remark| format!("{}: {remark}", date_text(model.as_of()))));
    }
    Ok((models, remarks))
}

/// Tests scores of churn as of past days. Needs day records.
pub fn backtest(base: &CustomerBase, spec: BacktestSpec, context: &Context) -> Result<Backtest> {
    let spec = spec.checked()?;
    let dates = dates_of(base, &spec)?;
    let (models, remarks) = models_of(base, &spec, &dates, context)?;
    let scoring = |model| -> Result<Scoring<'_>> {
        let prior = if spec.reads_gaps() { Some(Prior { days: ChurnModel::median_gap(model)?, gaps: PRIOR_GAPS }) } else { None };
        Ok(Scoring { date: model.as_of(), model, longest: longest(spec.among, model)?, prior })
    };
    let scorings = models.iter().map(scoring).collect::<Result<Vec<_>>>()?;
    // Reading a base in memory again is cheaper than the columns of several dates; reading one on disk is not.
    let at_once = if base.is_spilled() { scorings.len() } else { 1 };
    let mut rows = Rows::default();
    for scorings in scorings.chunks(at_once) {
        for (scored, scoring) in score_dates(base, scorings, context)?.into_iter().zip(scorings) {
            rows.add(&spec, &scored, scoring.model, context)?;
        }
    }
    rows.pool(&spec);
    let mut report = base.report_by_ranges(context)?;
    report.remarks.extend(remarks);
    Ok(Backtest {
        summary: summary_table(&rows.summary, report.clone())?,
        thresholds: thresholds_table(&rows.thresholds, report.clone())?,
        calibration: calibration_table(&rows.calibration, report)?,
    })
}

#[derive(Default)]
struct Rows {
    summary: Vec<SummaryRow>,
    thresholds: Vec<ThresholdRow>,
    calibration: Vec<CalibrationRow>,
}

impl Rows {
    /// Adds the rows of a date.
    fn add(&mut self, spec: &BacktestSpec, scored: &Scored, model: &ChurnModel, context: &Context) -> Result<()> {
        let date = model.as_of();
        for &score in &spec.scores {
            context.check()?;
            let keys = context.run_if_large(scored.len(), |threads| scored.keys(score, model, threads))?;
            let ranking = Ranking::new(keys, context)?;
            let (customers, churned) = (ranking.customers(), ranking.churned());
            let is_probability = score == ScoreName::Probability;
            self.summary.push(SummaryRow {
                date,
                score,
                customers,
                churned,
                auc: ranking.auc(),
                average_precision: ranking.average_precision(),
                brier: ranking.brier().filter(|_| is_probability),
            });
            for cut in cuts(spec, score) {
                let (share, flagged) = match cut {
                    Cut::Share(share) => (Some(share), ranking.highest(number_of(share, customers))),
                    Cut::Threshold(threshold) => (None, ranking.at_least(threshold)),
                };
                self.thresholds.push(ThresholdRow { date: Some(date), score, share, flagged, customers, churned });
            }
            if is_probability {
                let bins = (1..).zip(calibration::bins(&ranking));
                self.calibration.extend(bins.map(|(bin, content)| CalibrationRow { date, bin, content }));
            }
        }
        Ok(())
    }

    /// Adds the thresholds of all dates together.
    fn pool(&mut self, spec: &BacktestSpec) {
        let each: Vec<(ScoreName, Cut)> = spec.scores.iter().flat_map(|&score| cuts(spec, score).map(move |cut| (score, cut))).collect();
        for (at, &(score, cut)) in each.iter().enumerate() {
            let same = self.thresholds.iter().skip(at).step_by(each.len());
            let (share, threshold) = match cut {
                Cut::Share(share) => (Some(share), None),
                Cut::Threshold(threshold) => (None, Some(threshold)),
            };
            let mut pooled = ThresholdRow {
                date: None,
                score,
                share,
                flagged: Flagged { threshold, customers: 0, churned: 0 },
                customers: 0,
                churned: 0,
            };
            // Rows of all dates are added after these.
            for row in same.take_while(|row| row.date.is_some()) {
                pooled.flagged.customers += row.flagged.customers;
                pooled.flagged.churned += row.flagged.churned;
                pooled.customers += row.customers;
                pooled.churned += row.churned;
            }
            self.thresholds.push(pooled);
        }
    }
}

/// The cuts of a score, in the order of their rows.
fn cuts(spec: &BacktestSpec, score: ScoreName) -> impl Iterator<Item = Cut> + '_ {
    let given = spec.thresholds.iter().find(|(of, _)| *of == score).map(|(_, thresholds)| thresholds);
    let shares = spec.shares.iter().filter(move |_| given.is_none()).map(|&share| Cut::Share(share));
    shares.chain(given.into_iter().flatten().map(|&threshold| Cut::Threshold(threshold)))
}
