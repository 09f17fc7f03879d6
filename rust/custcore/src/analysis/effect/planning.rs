//! How many customers a test needs, and what effect a number of customers can show.
//!
//! Normal approximations for two groups and a two-sided test: of means with a common standard deviation, and of proportions with
//! the pooled variance under the null hypothesis (Fleiss, Levin and Paik 2003, equation 4.14, without their continuity correction).

use crate::error::{Error, ErrorKind, Result};
use crate::num::normal::normal_quantile;

/// What is known of the customers before a test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PlannedMetric {
    /// A mean; the standard deviation of its values.
    Mean(f64),
    /// A proportion; its rate without treatment.
    Proportion(f64),
}

/// The errors that a test may make.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TestErrors {
    /// Probability of an effect that is not there, two-sided.
    pub alpha: f64,
    /// Probability to see an effect of the planned size.
    pub power: f64,
}

/// More customers than this are a mistake.
const MOST_CUSTOMERS: f64 = 9e15;

impl TestErrors {
    /// The quantiles of the level and of the power.
    fn quantiles(self) -> Result<(f64, f64)> {
        let Self { alpha, power } = self;
        if !(alpha > 0.0 && alpha < 1.0) {
            return invalid(format!("alpha={alpha:?}; expected a probability above 0 and below 1, such as 0.05"));
        }
        if !(power > alpha && power < 1.0) {
            return invalid(format!("power={power:?}; expected a probability above alpha={alpha:?} and below 1, such as 0.8"));
        }
        Ok((-normal_quantile(alpha / 2.0), normal_quantile(power)))
    }
}

impl PlannedMetric {
    fn check(self) -> Result<()> {
        match self {
            Self::Mean(sd) if !(sd > 0.0 && sd.is_finite()) => invalid(format!("sd={sd:?}; expected a standard deviation above 0")),
            Self::Proportion(rate) if !(rate > 0.0 && rate < 1.0) => {
                invalid(format!("rate={rate:?}; expected a proportion above 0 and below 1"))
            }
            _ => Ok(()),
        }
    }
}

/// Customers that the control group needs to show a difference of the treated, who are `ratio` times as many.
pub fn sample_size(metric: PlannedMetric, difference: f64, ratio: f64, errors: TestErrors) -> Result<u64> {
    metric.check()?;
    if !(difference.is_finite() && difference != 0.0) {
        return invalid(format!("difference={difference:?}; expected the difference to be shown, not 0"));
    }
    if !(ratio > 0.0 && ratio.is_finite()) {
        return invalid(format!("ratio={ratio:?}; expected treated customers per control, above 0"));
    }
    if let PlannedMetric::Proportion(rate) = metric
        && !(0.0..=1.0).contains(&(rate + difference))
    {
        return invalid(format!("rate + difference = {:?}; expected a proportion from 0 to 1", rate + difference));
    }
    let needed = control_needed(metric, difference, ratio, errors.quantiles()?);
    if needed.is_nan() || needed > MOST_CUSTOMERS {
        let message = format!("difference={difference:?} needs {needed:e} customers; expected a difference that so many can show");
        return Err(Error::new(ErrorKind::OutOfRange, message));
    }
    // A whole number that rounding lifted by a few bits is no customer more.
    Ok(((needed * (1.0 - 1e-12)).ceil() as u64).max(2))
}

/// The smallest difference that groups of these sizes can show; of a proportion the smallest rise.
pub fn detectable(metric: PlannedMetric, (n_control, n_treatment): (i64, i64), errors: TestErrors) -> Result<f64> {
    metric.check()?;
    for (name, n) in [("n_control", n_control), ("n_treatment", n_treatment)] {
        if n < 2 {
            return invalid(format!("{name}={n}; expected at least 2 customers"));
        }
    }
    let (z_level, z_power) = errors.quantiles()?;
    let (n_c, n_t) = (n_control as f64, n_treatment as f64);
    match metric {
        PlannedMetric::Mean(sd) => Ok((z_level + z_power) * sd * (1.0 / n_c + 1.0 / n_t).sqrt()),
        PlannedMetric::Proportion(rate) => {
            let most = 1.0 - rate;
            let needed = |difference: f64| control_needed(metric, difference, n_t / n_c, (z_level, z_power));
            if needed(most) > n_c {
                return invalid(format!(
                    "no rise of rate={rate:?} can be shown by {n_control} and {n_treatment} customers; expected larger groups"
                ));
            }
            Ok(smallest(most, |difference| needed(difference) <= n_c))
        }
    }
}

/// Customers of the control group, not rounded.
fn control_needed(metric: PlannedMetric, difference: f64, ratio: f64, (z_level, z_power): (f64, f64)) -> f64 {
    let root = match metric {
        PlannedMetric::Mean(sd) => (z_level + z_power) * sd * (1.0 + 1.0 / ratio).sqrt(),
        PlannedMetric::Proportion(control) => {
            let treatment = (control + difference).clamp(0.0, 1.0);
            let pooled = (control + ratio * treatment) / (1.0 + ratio);
            let variance = |rate: f64| rate * (1.0 - rate);
            z_level * ((1.0 + 1.0 / ratio) * variance(pooled)).sqrt() + z_power * (variance(control) + variance(treatment) / ratio).sqrt()
        }
    };
    (root / difference) * (root / difference)
}

/// The smallest value up to `most` that is enough, by bisection; `most` is.
fn smallest(most: f64, is_enough: impl Fn(f64) -> bool) -> f64 {
    let (mut below, mut enough) = (0.0, most);
    loop {
        let middle = 0.5 * (below + enough);
        if middle <= below || middle >= enough {
            return enough;
        }
        if is_enough(middle) {
            enough = middle;
        } else {
            below = middle;
        }
    }
}

fn invalid<T>(message: String) -> Result<T> {
    Err(Error::new(ErrorKind::InvalidArgument, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: TestErrors = TestErrors { alpha: 0.05, power: 0.8 };

    #[test]
    fn sizes_are_those_of_statsmodels() {
        // statsmodels: NormalIndPower counts the other tail too, so means are within 1e-5; samplesize_proportions_2indep_onetail.
        let z = (1.959_963_984_540_054, 0.841_621_233_572_914_4);
        let needed = |metric, difference, ratio| control_needed(metric, difference, ratio, z);
        assert!((needed(PlannedMetric::Mean(125.0), 5.0, 1.0) / 9_811.099_667_936_362 - 1.0).abs() < 1e-12);
        assert!((needed(PlannedMetric::Mean(125.0), 5.0, 1.0) / 9_811.075_636_657_808 - 1.0).abs() < 1e-5);
        assert!((needed(PlannedMetric::Proportion(0.3), 0.02, 1.0) / 8_393.197_842_663_076 - 1.0).abs() < 1e-12);
        assert!((needed(PlannedMetric::Proportion(0.02), 0.005, 4.0) / 8_846.644_466_726_957 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_can_be_shown_needs_these_customers() -> Result<()> {
        for metric in [PlannedMetric::Mean(3.5), PlannedMetric::Proportion(0.04), PlannedMetric::Proportion(0.9)] {
            for (n_c, n_t) in [(500, 500), (1_000, 250), (90_000, 270_000)] {
                let difference = detectable(metric, (n_c, n_t), USUAL)?;
                let needed = |difference| sample_size(metric, difference, n_t as f64 / n_c as f64, USUAL);
                assert_eq!(needed(difference)?, n_c as u64);
                assert!(needed(0.999 * difference)? > n_c as u64);
            }
        }
        Ok(())
    }
}
