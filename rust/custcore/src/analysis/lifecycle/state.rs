//! Serialization of life-cycle models. The curve is stored as integers, from which it is computed again.

use serde::{Deserialize, Serialize};

use super::model::{FittedLifecycle, LifecycleModel};
use super::rhythm::Prior;
use super::spec::{LifecycleSpec, Rhythm};
use super::stages::Windows;
use crate::analysis::model::StoredModel;
use crate::analysis::survival::DurationCounts;
use crate::error::{Error, ErrorKind, Result};
use crate::time::calendar::{MAX_DAY, MIN_DAY};

/// Serialized form of a life-cycle model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifecycleState {
    spec: LifecycleSpec,
    fitted: Option<FittedState>,
}

/// Serialized fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FittedState {
    as_of: Option<i32>,
    /// (days, at risk, returned) by ascending days.
    curve: Vec<(i32, u64, u64)>,
    windows: WindowsState,
}

/// Serialized windows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum WindowsState {
    Days { active: i32, loss: i32 },
    Multiples { active: f64, loss: f64, typical_days: i32 },
}

/// The rows of a curve.
pub(crate) fn curve_rows(counts: &DurationCounts) -> Vec<(i32, u64, u64)> {
    counts.curve().0.iter().map(|point| (point.days, point.at_risk, point.ended)).collect()
}

/// The durations of the rows of a curve: what is no longer at risk in the next row and did not end was open.
pub(crate) fn counts_of_rows(rows: &[(i32, u64, u64)]) -> Result<DurationCounts> {
    let mut counts = DurationCounts::default();
    let next = rows.iter().skip(1).map(|&(days, at_risk, _)| (days, at_risk)).chain([(i32::MAX, 0)]);
    for (&(days, at_risk, ended), (next_days, next_at_risk)) in rows.iter().zip(next) {
        let open = at_risk.checked_sub(ended).and_then(|left| left.checked_sub(next_at_risk));
        let Some(open) = open.filter(|&open| days > 0 && days < next_days && ended + open > 0) else {
            return Err(Error::new(ErrorKind::ModelFormat, format!("the curve is inconsistent at {days} days")));
        };
        counts.add_ended(days, ended);
        counts.add_open(days, open);
    }
    Ok(counts)
}

impl StoredModel for LifecycleModel {
    const KIND: &'static str = "lifecycle";
    type Body = LifecycleState;

    fn body(&self) -> LifecycleState {
        let fitted = self.fitted.as_ref().map(|fitted| FittedState {
            as_of: fitted.as_of,
            curve: curve_rows(&fitted.gaps),
            windows: match fitted.windows {
                Windows::Days { active, loss } => WindowsState::Days { active, loss },
                Windows::Multiples { active, loss, prior } => WindowsState::Multiples { active, loss, typical_days: prior.days },
            },
        });
        LifecycleState { spec: self.spec.clone(), fitted }
    }

    fn restore(body: LifecycleState) -> Result<Self> {
        let mut model = Self::new(body.spec)?;
        let Some(FittedState { as_of, curve, windows }) = body.fitted else { return Ok(model) };
        let invalid = || Error::new(ErrorKind::ModelFormat, "the windows do not follow from the settings and the curve");
        if as_of.is_some_and(|day| !(MIN_DAY..=MAX_DAY).contains(&day)) {
            return Err(Error::new(ErrorKind::ModelFormat, "the day of the fit is outside the years 1 to 9999"));
        }
        let gaps = counts_of_rows(&curve)?;
        let curve = gaps.curve();
        let windows = match (windows, model.spec.rhythm) {
            (WindowsState::Days { active, loss }, Rhythm::Population) => {
                let found = Windows::Days { active, loss };
                if model.windows_in_days(&curve)? != found {
                    return Err(invalid());
                }
                found
            }
            (WindowsState::Multiples { active, loss, typical_days }, Rhythm::Own)
                if active > 0.0 && active < loss && loss.is_finite() && typical_days > 0 =>
            {
                Windows::Multiples { active, loss, prior: Prior { days: typical_days, gaps: model.spec.prior_gaps.unsigned_abs() } }
            }
            _ => return Err(invalid()),
        };
        model.fitted = Some(FittedLifecycle { as_of, gaps, curve, windows });
        if model.spec.rhythm == Rhythm::Own && model.typical_days() != model.rules()?.windows.prior().map(|prior| prior.days) {
            return Err(invalid());
        }
        Ok(model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::model::{from_bytes, to_bytes};

    fn fitted(windows: Windows, rhythm: Rhythm) -> Result<LifecycleModel> {
        let mut model = LifecycleModel::new(LifecycleSpec { rhythm, min_at_risk: 1, ..LifecycleSpec::default() })?;
        let mut gaps = DurationCounts::default();
        for (days, ended, open) in [(0, 0, 2), (3, 5, 0), (7, 0, 4), (40_000, 3, 1)] {
            gaps.add_ended(days, ended);
            gaps.add_open(days, open);
        }
        model.fitted = Some(FittedLifecycle { as_of: Some(7), curve: gaps.curve(), gaps, windows });
        Ok(model)
    }

    #[test]
    fn models_round_trip() -> Result<()> {
        // F is .385 at 3 days and .846 at the horizon, so half of the gaps that end have ended by 40,000 days.
        let prior = Prior { days: 40_000, gaps: 3 };
        let mut of_days = fitted(Windows::Days { active: 3, loss: 40_000 }, Rhythm::Population)?;
        of_days.spec.quantiles = [0.3, 0.9];
        for model in [of_days, fitted(Windows::Multiples { active: 1.25, loss: 2.5, prior }, Rhythm::Own)?] {
            let back: LifecycleModel = from_bytes(&to_bytes(&model)?)?;
            let (one, other) = (model.fitted.as_ref(), back.fitted.as_ref());
            assert_eq!(one.map(|fitted| &fitted.curve), other.map(|fitted| &fitted.curve));
            assert_eq!(to_bytes(&back)?, to_bytes(&model)?);
        }
        Ok(())
    }

    #[test]
    fn inconsistent_models_are_errors() -> Result<()> {
        let bad = fitted(Windows::Days { active: 4, loss: 9 }, Rhythm::Population)?;
        let kind = |model: &LifecycleModel| from_bytes::<LifecycleModel>(&to_bytes(model)?).map(|_| ());
        assert_eq!(kind(&bad).map_err(|error| error.kind()), Err(ErrorKind::ModelFormat));
        for rows in [vec![(1, 5, 6)], vec![(1, 5, 1), (2, 6, 1)], vec![(2, 5, 1), (1, 4, 1)], vec![(0, 5, 1)], vec![(1, 5, 0), (2, 5, 5)]] {
            assert!(counts_of_rows(&rows).is_err(), "{rows:?}");
        }
        Ok(())
    }
}
