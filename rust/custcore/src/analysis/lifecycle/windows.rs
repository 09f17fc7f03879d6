//! Windows: lengths of a gap by which a share of the gaps has ended.
//!
//! S ends far above 0 wherever many customers buy once, so the length by which 95 % of *all* gaps have ended often does not exist.
//! By default a window therefore speaks of the gaps that end within the horizon H of the data.

use serde::{Deserialize, Serialize};

use crate::analysis::survival::{ROUNDING, SurvivalCurve};
use crate::error::{Error, ErrorKind, Result};

/// Which gaps a window speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Among {
    /// The gaps that end within the horizon.
    #[default]
    Returning,
    /// All gaps.
    All,
}

/// A step of F = 1 - S: the share of gaps that have ended by a length, in days or in typical gaps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step<T> {
    /// Length.
    pub length: T,
    /// F at this length.
    pub returned: f64,
}

/// F of a curve, up to and with its horizon.
pub(crate) fn steps(curve: &SurvivalCurve, horizon: i32) -> impl Iterator<Item = Step<i32>> + '_ {
    let within = curve.0.iter().take_while(move |point| point.days <= horizon);
    within.map(|point| Step { length: point.days, returned: 1.0 - point.survival })
}

/// The shortest length by which `share` of `of` has ended.
pub(crate) fn reached<T>(mut steps: impl Iterator<Item = Step<T>>, share: f64, of: f64) -> Option<T> {
    steps.find(|step| step.returned >= share * of - ROUNDING).map(|step| step.length)
}

/// The horizon H, and F(H), the share of gaps that end within it. No H is an error.
pub(crate) fn horizon(curve: &SurvivalCurve, min_at_risk: u64) -> Result<(i32, f64)> {
    let horizon = curve.horizon(min_at_risk).ok_or_else(|| no_horizon(min_at_risk))?;
    Ok((horizon, 1.0 - curve.survival(horizon)))
}

/// The window among gaps that end: the shortest length t with F(t) >= share * F(H).
pub(crate) fn returning_window(curve: &SurvivalCurve, share: f64, min_at_risk: u64) -> Result<i32> {
    let (horizon, returned) = horizon(curve, min_at_risk)?;
    reached(steps(curve, horizon), share, returned).ok_or_else(|| Error::internal("F does not reach a share of itself"))
}

/// The window among all gaps: the shortest length t with S(t) <= 1 - share; an error where S does not fall that low.
pub(crate) fn window_of_all(curve: &SurvivalCurve, share: f64, min_at_risk: u64) -> Result<i32> {
    curve.quantile(share).ok_or_else(|| {
        let last = curve.0.last().map_or((0, 0.0), |point| (point.days, 1.0 - point.survival));
        let (horizon, returned) = horizon(curve, min_at_risk).unwrap_or(last);
        never_reached(share, returned, &format!("{horizon} days"))
    })
}

/// The window of a curve.
pub(crate) fn window(curve: &SurvivalCurve, among: Among, share: f64, min_at_risk: u64) -> Result<i32> {
    match among {
        Among::Returning => returning_window(curve, share, min_at_risk),
        Among::All => window_of_all(curve, share, min_at_risk),
    }
}

/// The error of a share of all gaps that never ends; `horizon` is a length in words.
pub(crate) fn never_reached(share: f64, returned: f64, horizon: &str) -> Error {
    let message = format!(
        "there is no window by which {share} of all gaps have ended: only {returned:.4} of them end within the horizon of {horizon}. Use \
         among='returning', a smaller quantile, or give active_days and loss_days"
    );
    Error::new(ErrorKind::NotEnoughData, message)
}

/// The error of a curve without a horizon.
pub(crate) fn no_horizon(min_at_risk: u64) -> Error {
    let message = format!(
        "no gap between purchases ended while {min_at_risk} or more (min_at_risk) were at risk, so no window can be fitted; give active_days \
         and loss_days"
    );
    Error::new(ErrorKind::NotEnoughData, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::survival::DurationCounts;

    fn curve(ended: &[i32], open: &[i32]) -> SurvivalCurve {
        let mut counts = DurationCounts::default();
        ended.iter().for_each(|&days| counts.add_ended(days, 1));
        open.iter().for_each(|&days| counts.add_open(days, 1));
        counts.curve()
    }

    #[test]
    fn windows_by_hand() -> Result<()> {
        // F: .2 at 2, .4 at 4, .7 at 20 with 2 at risk.
        let curve = curve(&[2, 4, 20], &[4, 30]);
        assert_eq!(horizon(&curve, 2)?.0, 20);
        assert_eq!((returning_window(&curve, 0.5, 2)?, returning_window(&curve, 0.6, 2)?, returning_window(&curve, 1.0, 2)?), (4, 20, 20));
        assert_eq!((returning_window(&curve, 0.5, 3)?, returning_window(&curve, 0.51, 3)?), (2, 4));
        assert_eq!(window_of_all(&curve, 0.7, 2)?, 20);
        Ok(())
    }

    #[test]
    fn windows_that_do_not_exist_are_errors() {
        let curve = curve(&[2, 4, 20], &[4, 30]);
        let message = |result: Result<i32>| result.map_err(|error| (error.kind(), error.message().to_owned()));
        let Err((kind, text)) = message(window_of_all(&curve, 0.8, 2)) else { unreachable!("S ends at .3") };
        assert_eq!(kind, ErrorKind::NotEnoughData);
        assert!(text.contains("0.7000") && text.contains("20 days"), "{text}");
        assert!(message(returning_window(&curve, 0.5, 6)).is_err_and(|(_, text)| text.contains("give active_days and loss_days")));
        assert!(returning_window(&SurvivalCurve::default(), 0.5, 0).is_err());
    }
}
