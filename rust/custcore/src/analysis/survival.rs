//! Kaplan-Meier estimator of durations in whole days: spells in a segment, gaps between purchases. At a tie events come before
//! censoring. Counts are integers, so estimates do not depend on the order of additions.

use std::collections::BTreeMap;

use crate::num::special::{exp, ln};

/// Durations below this are counted in a vector.
const SHORT: usize = 1 << 14;
/// Slack of comparisons with a survival: a rounded product may miss its exact value by a few ulps.
pub(crate) const ROUNDING: f64 = 1e-12;
/// The standard normal quantile of a 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// Number of durations that ended and of those that are open (right-censored), by length in days, which is not negative.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DurationCounts {
    short: Vec<[u64; 2]>,
    long: BTreeMap<i32, [u64; 2]>,
}

/// One row of a survival curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SurvivalPoint {
    /// Length in days, at least 1.
    pub days: i32,
    /// Durations of this length or longer.
    pub at_risk: u64,
    /// Durations that ended at this length.
    pub ended: u64,
    /// Durations that were open at this length.
    pub open: u64,
    /// Share of durations that are longer.
    pub survival: f64,
    /// 95 % interval of the survival: exponential Greenwood (log(-log S)).
    pub interval: (f64, f64),
}

/// The survival curve: a row for each length of at least a day that occurred.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SurvivalCurve(pub Vec<SurvivalPoint>);

/// The product-limit estimate after successive lengths. Between two censored lengths S is `scale * at_risk / start`, so rounding
/// occurs only at censored lengths.
struct Product {
    scale: f64,
    start: u64,
    at_risk: u64,
}

impl Product {
    fn new(durations: u64) -> Self {
        Self { scale: 1.0, start: durations, at_risk: durations }
    }

    /// S after events. The durations that ended are no longer at risk.
    fn end(&mut self, ended: u64) -> f64 {
        self.at_risk -= ended;
        if self.start == 0 { self.scale } else { self.scale * self.at_risk as f64 / self.start as f64 }
    }

    /// Takes out open durations, after [`Product::end`], which returned `survival`.
    fn censor(&mut self, open: u64, survival: f64) {
        if open > 0 {
            self.at_risk -= open;
            (self.scale, self.start) = (survival, self.at_risk);
        }
    }
}

impl DurationCounts {
    /// Adds durations that ended.
    #[inline]
    pub(crate) fn add_ended(&mut self, days: i32, number: u64) {
        self.at(days)[0] += number;
    }

    /// Adds durations that are open.
    #[inline]
    pub(crate) fn add_open(&mut self, days: i32, number: u64) {
        self.at(days)[1] += number;
    }

    #[inline]
    fn at(&mut self, days: i32) -> &mut [u64; 2] {
        debug_assert!(days >= 0, "a duration is not negative");
        let at = days as usize;
        if at >= SHORT {
            return self.long.entry(days).or_default();
        }
        if at >= self.short.len() {
            self.short.resize(at + 1, [0; 2]);
        }
        &mut self.short[at]
    }

    /// Adds other durations.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (days, ended, open) in other.iter() {
            let own = self.at(days);
            *own = [own[0] + ended, own[1] + open];
        }
    }

    /// Length, number that ended and number open, by ascending length, where there are any.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i32, u64, u64)> + '_ {
        let short = (0..).zip(&self.short);
        let long = self.long.iter().map(|(&days, counts)| (days, counts));
        short.chain(long).filter(|(_, counts)| **counts != [0; 2]).map(|(days, &[ended, open])| (days, ended, open))
    }

    /// Number of durations that ended.
    pub(crate) fn ended(&self) -> u64 {
        self.iter().map(|(_, ended, _)| ended).sum()
    }

    /// Number of open durations.
    pub(crate) fn open(&self) -> u64 {
        self.iter().map(|(_, _, open)| open).sum()
    }

    /// The survival curve.
    pub(crate) fn curve(&self) -> SurvivalCurve {
        let mut product = Product::new(self.ended() + self.open());
        let (mut points, mut greenwood) = (Vec::new(), 0.0);
        for (days, ended, open) in self.iter() {
            let at_risk = product.at_risk;
            let survival = product.end(ended);
            product.censor(open, survival);
            if days == 0 {
                continue;
            }
            greenwood += ended as f64 / (at_risk as f64 * (at_risk - ended) as f64);
            let interval = if ended == at_risk || survival <= 0.0 {
                (0.0, 0.0)
            } else if greenwood > 0.0 {
                let log = survival.ln();
                let half = Z * greenwood.sqrt() / log;
                (survival.powf((-half).exp()), survival.powf(half.exp()))
            } else {
                (survival, survival)
            };
            points.push(SurvivalPoint { days, at_risk, ended, open, survival, interval });
        }
        SurvivalCurve(points)
    }

    /// S after the longest duration, durations of 0 days included, and its 95 % interval (exponential Greenwood); `None` without any.
    pub(crate) fn final_survival(&self) -> Option<(f64, (f64, f64))> {
        let mut product = Product::new(self.ended() + self.open());
        let (mut survival, mut greenwood) = (None, 0.0);
        for (_, ended, open) in self.iter() {
            let at_risk = product.at_risk;
            let now = product.end(ended);
            product.censor(open, now);
            greenwood += if ended < at_risk { ended as f64 / (at_risk as f64 * (at_risk - ended) as f64) } else { 0.0 };
            survival = Some(now);
        }
        let survival = survival?;
        if survival <= 0.0 || greenwood <= 0.0 {
            return Some((survival, (survival, survival)));
        }
        let log = ln(survival);
        let half = Z * greenwood.sqrt() / log;
        Some((survival, (exp(log * exp(-half)), exp(log * exp(half)))))
    }

    /// The median of the durations that ended (type 7); `None` without any.
    pub(crate) fn median_ended(&self) -> Option<f64> {
        let number = self.ended();
        let (low, high) = (number.checked_sub(1)? / 2, number / 2);
        let (mut before, mut middle) = (0, [None; 2]);
        for (days, ended, _) in self.iter() {
            before += ended;
            for (middle, rank) in middle.iter_mut().zip([low, high]) {
                *middle = middle.or((rank < before).then_some(f64::from(days)));
            }
        }
        Some(f64::midpoint(middle[0]?, middle[1]?))
    }

    /// Restricted mean and median. The mean is the area below S up to the longest duration, ended or open; `None` if none is
    /// longer than 0 days. The median is the shortest length at which S is at most 1/2; `None` if S does not fall to 1/2.
    pub(crate) fn mean_and_median(&self) -> (Option<f64>, Option<i32>) {
        let mut product = Product::new(self.ended() + self.open());
        let (mut mean, mut area, mut before, mut median) = (0.0, 0, 0, None);
        for (days, ended, open) in self.iter() {
            area += u128::from(product.at_risk) * u128::from(days.abs_diff(before));
            before = days;
            let (scale, start) = (product.scale, product.start);
            let survival = product.end(ended);
            if median.is_none() && survival <= 0.5 + ROUNDING {
                median = Some(days);
            }
            product.censor(open, survival);
            if open > 0 || product.at_risk == 0 {
                mean += scale * area as f64 / start as f64;
                area = 0;
            }
        }
        ((before > 0).then_some(mean), median)
    }
}

impl SurvivalCurve {
    /// S(t): the share of durations longer than `days`.
    pub(crate) fn survival(&self, days: i32) -> f64 {
        let after = self.0.partition_point(|point| point.days <= days);
        after.checked_sub(1).map_or(1.0, |at| self.0[at].survival)
    }

    /// The horizon H: the last length with an event and with at least `min_at_risk` durations at risk.
    pub(crate) fn horizon(&self, min_at_risk: u64) -> Option<i32> {
        self.0.iter().rev().find(|point| point.ended > 0 && point.at_risk >= min_at_risk).map(|point| point.days)
    }

    /// The shortest length by which a share of all durations has ended; `None` where S does not fall that low.
    pub(crate) fn quantile(&self, share: f64) -> Option<i32> {
        self.0.iter().find(|point| 1.0 - point.survival >= share - ROUNDING).map(|point| point.days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn durations(ended: &[i32], open: &[i32]) -> DurationCounts {
        let mut counts = DurationCounts::default();
        ended.iter().for_each(|&days| counts.add_ended(days, 1));
        open.iter().for_each(|&days| counts.add_open(days, 1));
        counts
    }

    #[test]
    fn survival_by_hand() {
        // The textbook case: at risk 5, 4, 2 at 2, 4 and 20,000 days.
        let counts = durations(&[2, 4, 20_000], &[0, 4, 30_000]);
        let curve = counts.curve();
        let seen: Vec<_> = curve.0.iter().map(|point| (point.days, point.at_risk, point.ended, point.open)).collect();
        assert_eq!(seen, [(2, 5, 1, 0), (4, 4, 1, 1), (20_000, 2, 1, 0), (30_000, 1, 0, 1)]);
        let survival = [0.8, 0.6, 0.3, 0.3];
        assert!(curve.0.iter().zip(survival).all(|(point, expected)| (point.survival - expected).abs() < 1e-15), "{curve:?}");
        assert_eq!((curve.survival(1), curve.survival(2)), (1.0, 0.8));
        assert_eq!((curve.horizon(1), curve.horizon(2), curve.horizon(3), curve.horizon(6)), (Some(20_000), Some(20_000), Some(4), None));
        assert_eq!(
            (curve.quantile(0.2), curve.quantile(0.4), curve.quantile(0.7), curve.quantile(0.8)),
            (Some(2), Some(4), Some(20_000), None)
        );
    }

    #[test]
    fn interval_by_hand() {
        // S = .5 of 2, Greenwood's sum 1 / (2 * 1) = .5.
        let curve = durations(&[3], &[5]).curve();
        let half = Z * 0.5_f64.sqrt() / 0.5_f64.ln();
        let (low, high) = curve.0[0].interval;
        assert!((low - 0.5_f64.powf((-half).exp())).abs() < 1e-15 && (high - 0.5_f64.powf(half.exp())).abs() < 1e-15);
        assert!(low < 0.5 && high > 0.5);
        assert_eq!(durations(&[3, 3], &[]).curve().0[0].interval, (0.0, 0.0));
        assert_eq!(durations(&[], &[3]).curve().0[0].interval, (1.0, 1.0));
    }

    #[test]
    fn the_last_survival_counts_days_of_0_length() {
        // 4/5 at 0, 2/3 of it at 3; one is open.
        let counts = durations(&[0, 3], &[0, 5, 5]);
        let (survival, (low, high)) = counts.final_survival().unwrap_or_default();
        let expected = 0.8 * 2.0 / 3.0_f64;
        let greenwood = 1.0 / (5.0 * 4.0) + 1.0 / (3.0 * 2.0_f64);
        let half = Z * greenwood.sqrt() / expected.ln();
        assert!((survival - expected).abs() < 1e-15, "{survival}");
        assert!((low - expected.powf((-half).exp())).abs() < 1e-15 && (high - expected.powf(half.exp())).abs() < 1e-15);
        assert_eq!(durations(&[0, 4], &[]).final_survival(), Some((0.0, (0.0, 0.0))));
        assert_eq!(durations(&[], &[2]).final_survival(), Some((1.0, (1.0, 1.0))));
        assert_eq!(durations(&[], &[]).final_survival(), None);
    }

    #[test]
    fn medians_of_durations_that_ended() {
        assert_eq!(durations(&[5, 0, 7], &[9]).median_ended(), Some(5.0));
        assert_eq!(durations(&[5, 0, 7, 20_000], &[1]).median_ended(), Some(6.0));
        assert_eq!(durations(&[], &[1]).median_ended(), None);
    }

    #[test]
    fn merged_counts_are_counts_of_all() {
        let mut left = durations(&[1, 7, 40_000], &[2]);
        left.merge(&durations(&[7, 16_384], &[0, 2]));
        assert_eq!(left, durations(&[1, 7, 7, 16_384, 40_000], &[0, 2, 2]));
        assert_eq!((left.ended(), left.open()), (5, 3));
    }

    #[test]
    fn no_durations_have_no_curve() {
        let none = DurationCounts::default();
        assert_eq!((none.curve(), none.mean_and_median()), (SurvivalCurve::default(), (None, None)));
        assert_eq!((none.curve().survival(5), none.curve().horizon(0), none.curve().quantile(0.0)), (1.0, None, None));
    }
}
