//! Checks of an experiment: whether the groups have the sizes that were planned, were alike before, and are large enough.

use super::adjustment::Slopes;
use super::estimate::{Arms, Model, difference};
use super::interval::IntervalRule;
use super::result::EffectResult;
use super::rows::cells_by_group;
use super::spec::{Alternative, MetricKind};
use crate::error::{Error, ErrorKind, Result};
use crate::num::chi_squared::{chi_squared_sf, independence};

/// Sizes of groups that are less likely than this are no chance.
const RATIO_LIMIT: f64 = 0.001;
/// Differences before exposure that are less likely than this are reported.
const BEFORE_LIMIT: f64 = 0.01;
/// Customers of the smaller group that the normal approximation needs, by squared skewness (Kohavi et al. 2014).
const PER_SKEWNESS: f64 = 355.0;

/// A check; NaN is null.
#[derive(Debug, Clone)]
pub(super) struct CheckRow {
    pub check: &'static str,
    pub metric: Option<String>,
    pub group: Option<String>,
    pub statistic: f64,
    pub df: f64,
    pub p_value: f64,
    pub value: f64,
    pub flagged: bool,
    pub message: String,
}

impl CheckRow {
    fn new(check: &'static str) -> Self {
        Self {
            check,
            metric: None,
            group: None,
            statistic: f64::NAN,
            df: f64::NAN,
            p_value: f64::NAN,
            value: f64::NAN,
            flagged: false,
            message: String::new(),
        }
    }
}

impl EffectResult {
    /// All checks; flagged ones first.
    pub(super) fn check_rows(&self) -> Result<Vec<CheckRow>> {
        let mut rows = vec![self.ratio()?];
        rows.extend(self.ratio_by_stratum());
        rows.extend(self.before()?);
        rows.extend(self.skewness()?);
        let customers = self.sizes().iter().sum::<u64>();
        if let Some(overlap) = self.facts.overlap {
            let mut row = CheckRow { value: overlap as f64 / customers as f64, flagged: overlap > 0, ..CheckRow::new("overlap") };
            row.message = format!("{overlap} of {customers} customers are in another experiment");
            rows.push(row);
        }
        if let Some(cut_off) = self.facts.cut_off {
            let mut row = CheckRow { value: cut_off as f64, flagged: cut_off > 0, ..CheckRow::new("cut_off") };
            row.message = format!("the window before of {cut_off} customers begins before the data");
            rows.push(row);
        }
        rows.sort_by_key(|row| !row.flagged);
        Ok(rows)
    }

    /// The planned share of each group.
    pub(super) fn shares(&self) -> Result<Vec<f64>> {
        let Some(planned) = &self.spec.shares else { return Ok(vec![1.0 / self.groups.len() as f64; self.groups.len()]) };
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        if let Some((name, share)) = planned.iter().find(|(_, share)| !(share.is_finite() && *share > 0.0)) {
            return invalid(format!("shares has {share} for '{name}'; expected a share above 0"));
        }
        let mut names: Vec<&String> = planned.iter().map(|(name, _)| name).collect();
        names.sort();
        if !names.iter().copied().eq(&self.groups) {
            let names: Vec<&str> = planned.iter().map(|(name, _)| name.as_str()).collect();
            return invalid(format!("shares has the groups {}; expected {}", names.join(", "), self.groups.join(", ")));
        }
        let total: f64 = planned.iter().map(|(_, share)| share).sum();
        let share = |group: &String| planned.iter().find(|(name, _)| name == group).map_or(f64::NAN, |(_, share)| share / total);
        Ok(self.groups.iter().map(share).collect())
    }

    fn ratio(&self) -> Result<CheckRow> {
        let (sizes, shares) = (self.sizes(), self.shares()?);
        let n = sizes.iter().sum::<u64>() as f64;
        let statistic: f64 = sizes.iter().zip(&shares).map(|(&size, share)| (size as f64 - n * share).powi(2) / (n * share)).sum();
        let df = sizes.len() as f64 - 1.0;
        let p_value = chi_squared_sf(statistic, df);
        let flagged = p_value < RATIO_LIMIT;
        let found: Vec<String> = self.groups.iter().zip(&sizes).map(|(name, size)| format!("{name} {size}")).collect();
        let expected =
            if self.spec.shares.is_some() { "the shares given" } else { "equal shares (pass shares= if they were planned otherwise)" };
        let verdict = if flagged { "differ from" } else { "agree with" };
        let message = format!("the sizes of the groups, {}, {verdict} {expected}", found.join(", "));
        Ok(CheckRow { statistic, df, p_value, flagged, message, ..CheckRow::new("ratio") })
    }

    fn ratio_by_stratum(&self) -> Option<CheckRow> {
        let (labels, is_strata) = match (&self.spec.strata, &self.spec.by) {
            (Some(_), _) => (&self.strata, true),
            (None, Some(_)) => (&self.segments, false),
            (None, None) => return None,
        };
        let mut counts = vec![vec![0.0; self.groups.len()]; labels.len()];
        let all = self.sets.iter().position(|set| set.filter == super::values::Filter::All).unwrap_or(0);
        for (cell, sums) in &self.moments[all] {
            let label = if is_strata { cell.stratum } else { cell.segment };
            counts[usize::from(label)][usize::from(cell.group)] += sums.n as f64;
        }
        let (statistic, df) = independence(&counts);
        let p_value = chi_squared_sf(statistic, df);
        let flagged = p_value < RATIO_LIMIT;
        let verdict = if flagged { "differ between strata" } else { "are alike in all strata" };
        let message = format!("the shares of the groups {verdict}");
        Some(CheckRow { statistic, df, p_value, flagged, message, ..CheckRow::new("ratio_by_stratum") })
    }

    /// The metrics of the window before, as if they were results.
    fn before(&self) -> Result<Vec<CheckRow>> {
        let rule = IntervalRule { level: self.spec.level, alternative: Alternative::TwoSided, sequential: None };
        let mut rows = Vec::new();
        for metric in &self.metrics {
            let set = &self.sets[metric.set];
            let Some(model) = Model::of_before(metric, set, rule) else { continue };
            let cells = cells_by_group(&self.moments[metric.set]);
            let arms = Arms::of(set, &cells, self.groups.len(), |_| true);
            for group in self.treatments() {
                let found = difference(&model, &Slopes::default(), &arms, group, self.control)?;
                let flagged = found.p_value < BEFORE_LIMIT;
                let message = match flagged {
                    false => "no difference before",
                    true if metric.covariates.is_empty() => "differed before; use adjust",
                    true => "differed before; the effect is adjusted for it",
                };
                rows.push(CheckRow {
                    metric: Some(metric.name.clone()),
                    group: Some(self.groups[group].clone()),
                    statistic: found.effect / found.se,
                    df: found.df,
                    p_value: found.p_value,
                    value: found.effect,
                    flagged,
                    message: message.to_owned(),
                    ..CheckRow::new("before")
                });
            }
        }
        Ok(rows)
    }

    fn skewness(&self) -> Result<Vec<CheckRow>> {
        let shares = self.shares()?;
        let are_equal = shares.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 1e-9);
        let sizes = self.sizes();
        let unequal = if self.spec.shares.is_some() {
            !are_equal
        } else {
            sizes.iter().max() > sizes.iter().min().map(|least| least + least / 10).as_ref()
        };
        let mut rows = Vec::new();
        for metric in self.metrics.iter().filter(|metric| metric.kind == MetricKind::Mean) {
            let set = &self.sets[metric.set];
            let mut all = super::moments::Sums::new(set);
            self.moments[metric.set].values().for_each(|sums| all.merge(sums));
            let Some(skewness) = all.skewness(set, metric.numerator) else { continue };
            let (least, needed) = (sizes.iter().min().copied().unwrap_or(0), PER_SKEWNESS * skewness * skewness);
            let flagged = unequal && (least as f64) < needed;
            let message = if flagged {
                format!(
                    "the smaller group has {least} customers and needs {:.0} for a skewness of {skewness:.1}: intervals are too short",
                    needed.ceil()
                )
            } else {
                format!("a skewness of {skewness:.1}")
            };
            rows.push(CheckRow { metric: Some(metric.name.clone()), value: skewness, flagged, message, ..CheckRow::new("skewness") });
        }
        Ok(rows)
    }
}
