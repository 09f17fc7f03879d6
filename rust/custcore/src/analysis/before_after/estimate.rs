//! The effects by all methods, from the moments of strata.

use super::cells::{ARMS, Cell, Deviations, difference};
use super::spec::ComparedWindows;
use super::strata::{Sample, Stratum};
use crate::num::normal::normal_sf;

/// The 97.5 % quantile of the normal distribution.
pub(super) const Z: f64 = 1.959_963_984_540_054;
/// A sum of squares within strata of at most this part of the whole leaves nothing to fit.
const NOTHING_LEFT: f64 = 1e-12;

/// How customers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Method {
    Naive,
    After,
    Did,
    Adjusted,
}

impl Method {
    /// Those that use controls.
    pub(super) const MATCHED: [Self; 3] = [Self::After, Self::Did, Self::Adjusted];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::After => "after",
            Self::Did => "did",
            Self::Adjusted => "adjusted",
        }
    }
}

/// An effect by one method; `None` is null.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(super) struct Estimate {
    /// Position of the metric.
    pub metric: usize,
    pub method: Method,
    /// Means of the treated in the window before, scaled to the length of that after, and in the window after.
    pub before: Option<f64>,
    pub after: Option<f64>,
    pub effect: Option<f64>,
    pub se: Option<f64>,
    pub theta: Option<f64>,
}

impl Estimate {
    /// The 95 % interval.
    pub(super) fn interval(&self) -> Option<(f64, f64)> {
        self.effect.zip(self.se).map(|(effect, se)| (effect - Z * se, effect + Z * se))
    }

    /// Two-sided p-value; `None` without a standard error above 0.
    pub(super) fn p_value(&self) -> Option<f64> {
        self.effect.zip(self.se).filter(|(_, se)| *se > 0.0).map(|(effect, se)| 2.0 * normal_sf((effect / se).abs()))
    }

    /// Whether it is not 0 by its interval.
    pub(super) fn is_flagged(&self) -> bool {
        self.effect.zip(self.se).is_some_and(|(effect, se)| effect.abs() > Z * se)
    }
}

/// Who was matched.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Matched {
    /// Treated customers in all, and those with a control.
    pub treated: u64,
    pub matched: u64,
    pub controls: u64,
    /// (Σw)² / Σw² of their weights.
    pub effective_controls: Option<f64>,
    pub strata: usize,
}

impl Sample {
    /// Strata with customers of both arms.
    pub(super) fn matched_strata(&self) -> impl Iterator<Item = &Stratum> + Clone {
        self.strata.iter().filter(|stratum| stratum.is_matched())
    }

    /// Who was matched.
    pub(super) fn matched(&self) -> Matched {
        let treated = self.treated.first().map_or(0, |moments| moments.n);
        let (mut matched, mut controls, mut strata, mut squares) = (0, 0, 0, 0.0);
        for stratum in self.matched_strata() {
            let (n_c, n_t) = (stratum.n(0), stratum.n(1));
            matched += n_t;
            controls += n_c;
            strata += 1;
            squares += n_t as f64 * n_t as f64 / n_c as f64;
        }
        let effective_controls = (squares > 0.0).then(|| matched as f64 * matched as f64 / squares);
        Matched { treated, matched, controls, effective_controls, strata }
    }

    /// Decimal places of a metric.
    pub(super) fn scale(&self, is_money: bool) -> i32 {
        if is_money { self.money_scale } else { 0 }
    }

    /// All methods for a metric, worst first.
    pub(super) fn estimates(&self, metric: usize, is_money: bool, windows: ComparedWindows) -> Vec<Estimate> {
        let scale = self.scale(is_money);
        let strata = self.deviations(metric, scale);
        let mean = |of: fn(&Deviations) -> f64| -> Option<f64> {
            (!strata.is_empty()).then(|| strata.iter().map(|(weight, arms)| weight * of(&arms[1])).sum())
        };
        let (before, after) = (mean(|treated| treated.x).map(|mean| windows.scale() * mean), mean(|treated| treated.y));
        let mut estimates = vec![self.naive(metric, scale, windows)];
        for method in Method::MATCHED {
            let theta = match method {
                Method::Did => windows.scale(),
                Method::Adjusted => theta_within(&strata),
                _ => 0.0,
            };
            let cells = strata.iter().map(|(weight, arms)| (*weight, arms.map(|arm| arm.cell(theta))));
            let found = (!strata.is_empty()).then(|| difference(cells));
            estimates.push(Estimate {
                metric,
                method,
                before,
                after,
                effect: found.map(|found| found.effect),
                se: found.and_then(|found| found.variance).map(f64::sqrt),
                theta: found.map(|_| theta),
            });
        }
        estimates
    }

    /// The weight of each matched stratum, and the deviations of a metric in its arms.
    pub(super) fn deviations(&self, metric: usize, scale: i32) -> Vec<(f64, [Deviations; ARMS])> {
        let matched = self.matched().matched as f64;
        let of = |stratum: &Stratum| {
            let arms = std::array::from_fn(|arm| stratum.outcomes[arm][metric].deviations(scale));
            (stratum.n(1) as f64 / matched, arms)
        };
        self.matched_strata().map(of).collect()
    }

    /// The treated by themselves: paired differences.
    fn naive(&self, metric: usize, scale: i32, windows: ComparedWindows) -> Estimate {
        let theta = if self.is_year_before { 1.0 } else { windows.scale() };
        let all = self.baseline.get(metric).map(|moments| moments.deviations(scale)).filter(|all| all.n > 0.0);
        let cell = all.map(|all| all.cell(theta));
        let variance = |cell: Cell| (cell.n > 1.0).then(|| cell.squares / (cell.n - 1.0) / cell.n);
        Estimate {
            metric,
            method: Method::Naive,
            before: all.map(|all| theta * all.x),
            after: all.map(|all| all.y),
            effect: cell.map(|cell| cell.mean),
            se: cell.and_then(variance).map(f64::sqrt),
            theta: None,
        }
    }
}

/// The coefficient of x in y ~ cell + x, cells being arms of strata.
fn theta_within(strata: &[(f64, [Deviations; ARMS])]) -> f64 {
    let (mut xy, mut xx) = (0.0, 0.0);
    let (mut n, mut mean, mut total) = (0.0, 0.0, 0.0);
    for arm in strata.iter().flat_map(|(_, arms)| arms) {
        xy += arm.xy;
        xx += arm.xx;
        // The sum of squares over all cells, joined one by one (Chan, Golub and LeVeque 1983).
        let step = arm.x - mean;
        total += arm.xx + step * step * n * arm.n / (n + arm.n);
        n += arm.n;
        mean += step * arm.n / n;
    }
    if xx > NOTHING_LEFT * total { xy / xx } else { 0.0 }
}
