//! What a comparison says, in words.

use super::estimate::{Estimate, Method};
use super::result::BeforeAfter;
use super::spec::{Baseline, TreatedOn};
use crate::time::calendar::date_text;

/// What the headline of a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The effect by difference in differences.
    Did,
    /// The placebo shows an effect where there was none.
    CheckFailed,
    /// Difference in differences and adjustment differ by more than their errors.
    DependsOnMethod,
    /// No treated customer has a control.
    NoControls,
}

impl Verdict {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Did => "did",
            Self::CheckFailed => "the check failed",
            Self::DependsOnMethod => "depends on the method",
            Self::NoControls => "no controls",
        }
    }
}

/// What is said of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Headline {
    /// The name of the metric.
    pub metric: &'static str,
    /// The verdict.
    pub verdict: Verdict,
    /// The effect by difference in differences.
    pub effect: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<(f64, f64)>,
}

impl BeforeAfter {
    /// The verdict on a metric.
    pub(super) fn verdict(&self, metric: usize) -> Verdict {
        let of =
            |estimates: &[Estimate], method: Method| estimates.iter().find(|row| row.metric == metric && row.method == method).copied();
        let (did, adjusted) = (of(&self.estimates, Method::Did), of(&self.estimates, Method::Adjusted));
        let (Some(did), Some(adjusted)) = (did, adjusted) else { return Verdict::NoControls };
        let Some(effect) = did.effect else { return Verdict::NoControls };
        if of(&self.placebo.estimates, Method::Did).is_some_and(|placebo| placebo.is_flagged()) {
            return Verdict::CheckFailed;
        }
        let larger = did.se.zip(adjusted.se).map(|(a, b)| a.max(b));
        match (adjusted.effect, larger) {
            (Some(other), Some(se)) if (effect - other).abs() > se => Verdict::DependsOnMethod,
            _ => Verdict::Did,
        }
    }

    /// The headline of each metric.
    pub fn headlines(&self) -> Vec<Headline> {
        let row = |(at, metric): (usize, &super::spec::ComparedMetric)| {
            let did = self.estimates.iter().find(|row| row.metric == at && row.method == Method::Did);
            Headline {
                metric: metric.name(),
                verdict: self.verdict(at),
                effect: did.and_then(|row| row.effect),
                interval: did.and_then(Estimate::interval),
            }
        };
        self.spec.metrics.iter().enumerate().map(row).collect()
    }

    /// What was computed, in sentences.
    pub fn definition(&self) -> String {
        let windows = self.spec.windows;
        let days = match self.waves.as_slice() {
            [day] => format!("on {}", date_text(*day)),
            [first, .., last] => {
                format!("on {} days from {} to {}, each of which is a stratum", self.waves.len(), date_text(*first), date_text(*last))
            }
            [] => String::new(),
        };
        let lag = if windows.lag == 0 { String::new() } else { format!(", from {} days after treatment on", windows.lag) };
        let baseline = match self.spec.baseline {
            Baseline::Before => String::new(),
            Baseline::YearBefore => " Naive: against the same days a year earlier.".to_owned(),
        };
        let start = match &self.spec.treated_on {
            TreatedOn::Column(name) => format!("the date in '{name}'"),
            TreatedOn::Start(_) => "the day given".to_owned(),
        };
        format!(
            "Customers treated {days} ({start}) are compared over {} days after{lag} and {} days before. Controls are customers with a \
             purchase before that day who are not treated before the end of the window, alike by {}; treated customers without one are left \
             out. A control weighs as many treated customers as there are in the stratum for each control. did: the difference of the \
             changes; after: that of the windows after; adjusted: after, less what the window before explains within strata. Intervals are \
             normal, 95 %.{baseline}",
            windows.days_after,
            windows.days_before,
            self.matching_words()
        )
    }

    fn matching_words(&self) -> String {
        let names =
            self.spec.matching.iter().map(|column| {
                super::features::FEATURES.iter().find(|(_, feature)| *feature == column.feature).map_or("", |(name, _)| *name)
            });
        names.collect::<Vec<_>>().join(", ")
    }
}
