//! Whether the treated and the controls were alike before.

use super::cells::FeatureSums;
use super::features::{BALANCED, FEATURES};
use super::strata::Sample;

/// A larger standardised difference is flagged (Austin 2009).
const LARGE: f64 = 0.1;

/// A feature; NaN is null.
#[derive(Debug, Clone, Copy)]
pub(super) struct BalanceRow {
    pub feature: &'static str,
    pub treated: f64,
    pub others: f64,
    pub smd: f64,
    pub treated_matched: f64,
    pub control_weighted: f64,
    pub smd_matched: f64,
}

impl BalanceRow {
    /// Whether the matched differ; `None` if it is not known.
    pub(super) fn is_flagged(&self) -> Option<bool> {
        (!self.smd_matched.is_nan()).then(|| self.smd_matched.abs() > LARGE)
    }
}

impl Sample {
    /// Means and standardised differences of what was known the day before, with money if there is any.
    pub(super) fn balance(&self, has_money: bool) -> Vec<BalanceRow> {
        let features = (0..BALANCED).filter(|&at| has_money || !FEATURES[at].1.is_money());
        features.map(|at| self.balance_of(at)).collect()
    }

    fn balance_of(&self, at: usize) -> BalanceRow {
        let scale = self.money_scale;
        let [others, treated] = [0, 1].map(|arm| self.known[arm].mean(at, scale));
        let spread = (0.5 * (self.known[0].variance(at, scale) + self.known[1].variance(at, scale))).sqrt();
        let standardised = |difference: f64| match spread {
            _ if spread > 0.0 => difference / spread,
            // All alike.
            _ if spread == 0.0 && difference == 0.0 => 0.0,
            _ => f64::NAN,
        };
        let matched = self.matched().matched as f64;
        let weighted = |arm: usize| {
            let mean = |features: &FeatureSums| features.mean(at, scale);
            let sum: f64 = self.matched_strata().map(|stratum| stratum.n(1) as f64 * mean(&stratum.features[arm])).sum();
            if matched > 0.0 { sum / matched } else { f64::NAN }
        };
        let (control_weighted, treated_matched) = (weighted(0), weighted(1));
        BalanceRow {
            feature: FEATURES[at].0,
            treated,
            others,
            smd: standardised(treated - others),
            treated_matched,
            control_weighted,
            smd_matched: standardised(treated_matched - control_weighted),
        }
    }
}
