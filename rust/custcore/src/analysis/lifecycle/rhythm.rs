//! The own rhythm of a customer: his typical gap, and gaps as multiples of the typical gap that was known when they began.

use std::collections::BTreeMap;

use super::windows::Step;
use crate::analysis::purchase_days::fold_buyers;
use crate::analysis::survival::DurationCounts;
use crate::base::view::BaseView;
use crate::error::{Error, Result};
use crate::exec::context::Context;

/// What the typical gap of a customer is shrunk to: the typical gap of all, with a weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Prior {
    /// The typical gap of all customers in days: the .50 window among gaps that end.
    pub days: i32,
    /// How many gaps of the customer it counts as.
    pub gaps: u64,
}

/// The closed gaps of a customer so far, ascending.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnGaps(Vec<i32>);

impl OwnGaps {
    /// Forgets all, for the next customer.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds a gap.
    #[inline]
    pub(crate) fn push(&mut self, days: i32) {
        let at = self.0.partition_point(|&other| other <= days);
        self.0.insert(at, days);
    }

    /// The typical gap: the median (type 7) of the customer's gaps and the prior, weighted by their numbers of gaps.
    pub(crate) fn typical(&self, prior: Prior) -> f64 {
        let m = self.0.len();
        if m == 0 {
            return f64::from(prior.days);
        }
        let median = f64::midpoint(f64::from(self.0[(m - 1) / 2]), f64::from(self.0[m / 2]));
        let (m, k) = (m as f64, prior.gaps as f64);
        (m * median + k * f64::from(prior.days)) / (m + k)
    }
}

/// Numbers of gaps that ended and are open, by their length in typical gaps.
#[derive(Debug, Clone, Default)]
pub(crate) struct RatioCounts(BTreeMap<u64, [u64; 2]>);

impl RatioCounts {
    /// Adds the gaps of all buyers of a view, as of its day.
    pub(crate) fn add_view(&mut self, view: &BaseView<'_>, prior: Prior, context: &Context) -> Result<()> {
        let as_of = view.as_of().unwrap_or(0);
        // A ratio is not negative, so its bits have its order, and the top bit is free.
        let encoded = |days: i32, typical: f64, is_open: bool| ((f64::from(days) / typical).to_bits() << 1) | u64::from(is_open);
        let parts = fold_buyers(view, context, <(OwnGaps, Vec<u64>)>::default, |(gaps, ratios), buyer| {
            gaps.clear();
            for pair in buyer.days.windows(2) {
                ratios.push(encoded(pair[1] - pair[0], gaps.typical(prior), false));
                gaps.push(pair[1] - pair[0]);
            }
            ratios.push(encoded(as_of - buyer.last_day(), gaps.typical(prior), true));
        })?;
        let number = parts.iter().map(|(_, ratios)| ratios.len()).sum();
        let counted = context.run_if_large(number, |threads| {
            threads.par_tasks(parts, |(_, mut ratios)| {
                ratios.sort_unstable();
                ratios.chunk_by(|a, b| a == b).map(|equal| (equal[0], equal.len() as u64)).collect::<Vec<_>>()
            })
        })?;
        for (bits, number) in counted.into_iter().flatten() {
            self.0.entry(bits >> 1).or_default()[(bits & 1) as usize] += number;
        }
        Ok(())
    }

    /// F by length in typical gaps, each with the number at risk, up to the horizon: the last length at which a gap ended and
    /// `min_at_risk` or more were at risk. Empty without one.
    pub(crate) fn steps(&self, min_at_risk: u64) -> Result<Vec<Step<f64>>> {
        // Lengths are replaced by their ranks, which have the same curve.
        let mut ranks = DurationCounts::default();
        for (rank, &[ended, open]) in (1..).zip(self.0.values()) {
            ranks.add_ended(rank, ended);
            ranks.add_open(rank, open);
        }
        let curve = ranks.curve();
        let Some(horizon) = curve.horizon(min_at_risk) else { return Ok(Vec::new()) };
        let within = curve.0.iter().take_while(|point| point.days <= horizon);
        let steps: Vec<_> =
            within.zip(self.0.keys()).map(|(point, &bits)| Step { length: f64::from_bits(bits), returned: 1.0 - point.survival }).collect();
        if steps.len() != usize::try_from(horizon).map_err(Error::internal)? {
            return Err(Error::internal("a curve without all of its ranks"));
        }
        Ok(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typical_gaps_by_hand() {
        let prior = Prior { days: 30, gaps: 3 };
        let mut gaps = OwnGaps::default();
        assert_eq!(gaps.typical(prior).to_bits(), 30_f64.to_bits());
        gaps.push(10);
        assert_eq!(gaps.typical(prior).to_bits(), 25_f64.to_bits());
        gaps.push(4);
        // Median 7: (2 * 7 + 3 * 30) / 5.
        assert_eq!(gaps.typical(prior).to_bits(), 20.8_f64.to_bits());
        gaps.push(100);
        assert_eq!(gaps.typical(Prior { gaps: 0, ..prior }).to_bits(), 10_f64.to_bits());
        gaps.clear();
        assert_eq!(gaps.typical(Prior { gaps: 0, ..prior }).to_bits(), 30_f64.to_bits());
    }

    #[test]
    fn curves_of_ratios_by_hand() -> Result<()> {
        let mut counts = RatioCounts::default();
        // Of 5: one ends at .5, at 1.25 one ends and one is open, one ends at 2, one is open at 3.
        for (ratio, both) in [(0.5_f64, [1, 0]), (1.25, [1, 1]), (2.0, [1, 0]), (3.0, [0, 1])] {
            counts.0.insert(ratio.to_bits(), both);
        }
        let steps = counts.steps(2)?;
        let lengths: Vec<f64> = steps.iter().map(|step| step.length).collect();
        assert_eq!(lengths, [0.5, 1.25, 2.0]);
        assert!(steps.iter().zip([0.2, 0.4, 0.7]).all(|(step, expected)| (step.returned - expected).abs() < 1e-15), "{steps:?}");
        assert_eq!(counts.steps(6)?, []);
        Ok(())
    }
}
