//! The fit of a life-cycle model: windows, frozen.

use super::gaps::gaps_of;
use super::rhythm::{Prior, RatioCounts};
use super::spec::{Among, LifecycleSpec, Rhythm};
use super::stages::{Rules, Windows};
use super::windows::{Step, horizon, never_reached, no_horizon, reached, returning_window, window};
use crate::analysis::survival::{DurationCounts, SurvivalCurve};
use crate::base::CustomerBase;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::state::spec::AsOf;

/// A life-cycle model: settings, and windows once it is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct LifecycleModel {
    pub(super) spec: LifecycleSpec,
    pub(super) fitted: Option<FittedLifecycle>,
}

/// The fit.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedLifecycle {
    /// The day of the fit; `None` of a base without any.
    pub(super) as_of: Option<i32>,
    /// Gaps of a day or more; empty of a base without day records.
    pub(super) gaps: DurationCounts,
    pub(super) curve: SurvivalCurve,
    pub(super) windows: Windows,
}

impl LifecycleModel {
    /// A model of these settings, which are checked.
    pub fn new(spec: LifecycleSpec) -> Result<Self> {
        Ok(Self { spec: spec.checked()?, fitted: None })
    }

    /// Its settings.
    pub fn spec(&self) -> &LifecycleSpec {
        &self.spec
    }

    /// Whether it was fitted.
    pub fn is_fitted(&self) -> bool {
        self.fitted.is_some()
    }

    /// The model fitted on the gaps of a base as of the end of a day, by default the last one.
    pub fn fit(&self, base: &CustomerBase, as_of: Option<AsOf>, context: &Context) -> Result<Self> {
        let day = as_of.map(|as_of| as_of.day(&base.input_schema()?.clock)).transpose()?;
        self.fit_day(base, day, context)
    }

    /// The same by local day.
    pub(crate) fn fit_day(&self, base: &CustomerBase, day: Option<i32>, context: &Context) -> Result<Self> {
        if !base.spec().track.looks_back() {
            return self.fit_given(base, day);
        }
        let (mut gaps, mut found) = (DurationCounts::default(), None);
        base.by_ranges(context, |part| {
            let view = part.view_with_days(day, context)?;
            gaps.merge(&gaps_of(&view, context)?);
            found = view.as_of();
            Ok(())
        })?;
        let curve = gaps.curve();
        let windows = match self.spec.rhythm {
            Rhythm::Population => self.windows_in_days(&curve)?,
            Rhythm::Own => {
                let days = returning_window(&curve, 0.5, self.min_at_risk()).map_err(|error| self.of_own_rhythm(error))?;
                let prior = Prior { days, gaps: self.spec.prior_gaps.unsigned_abs() };
                let mut ratios = RatioCounts::default();
                base.by_ranges(context, |part| ratios.add_view(&part.view_with_days(day, context)?, prior, context))?;
                self.windows_in_gaps(&ratios.steps(self.min_at_risk())?, prior)?
            }
        };
        Ok(self.with(FittedLifecycle { as_of: found, gaps, curve, windows }))
    }

    /// The fit on a base without day records, which only freezes windows that are given.
    fn fit_given(&self, base: &CustomerBase, day: Option<i32>) -> Result<Self> {
        let Some((active, loss)) = self.spec.given() else {
            let way_out = match self.spec.rhythm {
                Rhythm::Population => "give active_days and loss_days, pass a model that was fitted on another base,",
                Rhythm::Own => "use rhythm='population' with active_days and loss_days,",
            };
            let message = format!(
                "windows are fitted on gaps between purchase days, which a base of level '{}' does not keep; {way_out} or build the base with \
                 track='days'",
                base.spec().track.name()
            );
            return Err(Error::new(ErrorKind::StateMismatch, message));
        };
        let as_of = day.or_else(|| base.last_day());
        let (gaps, curve) = (DurationCounts::default(), SurvivalCurve::default());
        Ok(self.with(FittedLifecycle { as_of, gaps, curve, windows: Windows::Days { active, loss } }))
    }

    fn with(&self, fitted: FittedLifecycle) -> Self {
        Self { spec: self.spec.clone(), fitted: Some(fitted) }
    }

    pub(super) fn min_at_risk(&self) -> u64 {
        self.spec.min_at_risk.unsigned_abs()
    }

    /// Windows in days, where they are not given.
    pub(super) fn windows_in_days(&self, curve: &SurvivalCurve) -> Result<Windows> {
        let [first, second] = self.spec.quantiles;
        let fitted = |given: Option<i64>, share: f64| match given {
            Some(days) => i32::try_from(days).map_err(Error::internal),
            None => window(curve, self.spec.among, share, self.min_at_risk()),
        };
        let (active, loss) = (fitted(self.spec.active_days, first)?, fitted(self.spec.loss_days, second)?);
        if active < loss {
            return Ok(Windows::Days { active, loss });
        }
        let message = match (self.spec.active_days, self.spec.loss_days) {
            (Some(_), _) => format!("active_days={active} is not less than the fitted loss_days={loss}; give both"),
            (_, Some(_)) => format!("the fitted active_days={active} is not less than loss_days={loss}; give both"),
            _ => format!(
                "the fitted windows are active_days={active} and loss_days={loss}, which leaves no customer at risk: the gaps are too much \
                 alike, or too few. Give active_days and loss_days, or quantiles further apart"
            ),
        };
        Err(Error::new(ErrorKind::NotEnoughData, message))
    }

    /// Windows in typical gaps, from F up to the horizon.
    fn windows_in_gaps(&self, steps: &[Step<f64>], prior: Prior) -> Result<Windows> {
        let Some(last) = steps.last() else { return Err(self.of_own_rhythm(no_horizon(self.min_at_risk()))) };
        let quantile = |share: f64| {
            let of = if self.spec.among == Among::Returning { last.returned } else { 1.0 };
            let found = reached(steps.iter().copied(), share, of);
            found.ok_or_else(|| self.of_own_rhythm(never_reached(share, last.returned, &format!("{:.2} typical gaps", last.length))))
        };
        let (active, loss) = (quantile(self.spec.quantiles[0])?, quantile(self.spec.quantiles[1])?);
        if active > 0.0 && active < loss {
            return Ok(Windows::Multiples { active, loss, prior });
        }
        let message = format!(
            "the fitted windows are {active} and {loss} typical gaps, which leaves no customer at risk: the gaps are too much alike, or too \
             few. Give quantiles further apart, or use rhythm='population' with active_days and loss_days"
        );
        Err(Error::new(ErrorKind::NotEnoughData, message))
    }

    /// Windows in days cannot be given where the rhythm is the customer's own.
    fn of_own_rhythm(&self, error: Error) -> Error {
        if self.spec.rhythm == Rhythm::Population || error.kind() != ErrorKind::NotEnoughData {
            return error;
        }
        let message = error.message().replace("give active_days and loss_days", "use rhythm='population' with active_days and loss_days");
        Error::new(error.kind(), message)
    }

    /// The fit; windows that are given need none.
    pub(crate) fn rules(&self) -> Result<Rules> {
        let given = || self.spec.given().map(|(active, loss)| Windows::Days { active, loss });
        let windows = self.fitted.as_ref().map(|fitted| fitted.windows).or_else(given);
        let windows = windows.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFitted,
                "this LifecycleModel is not fitted yet; call fit(base) first, or give active_days and loss_days",
            )
        })?;
        Ok(Rules { windows, loyal_orders: self.spec.loyal_orders.unsigned_abs() })
    }

    /// The windows in days; `None` if they are multiples.
    pub fn days(&self) -> Result<Option<(i32, i32)>> {
        Ok(match self.rules()?.windows {
            Windows::Days { active, loss } => Some((active, loss)),
            Windows::Multiples { .. } => None,
        })
    }

    /// The windows in typical gaps of a customer; `None` if they are in days.
    pub fn multiples(&self) -> Result<Option<(f64, f64)>> {
        Ok(match self.rules()?.windows {
            Windows::Days { .. } => None,
            Windows::Multiples { active, loss, .. } => Some((active, loss)),
        })
    }

    /// The day of the fit.
    pub fn as_of(&self) -> Option<i32> {
        self.fitted.as_ref()?.as_of
    }

    /// The horizon H in days, and F(H), the share of gaps that end within it; `None` without one.
    pub fn horizon(&self) -> Option<(i32, f64)> {
        horizon(&self.fitted.as_ref()?.curve, self.min_at_risk()).ok()
    }

    /// The typical gap of all customers: the .50 window among gaps that end; `None` without a horizon.
    pub fn typical_days(&self) -> Option<i32> {
        returning_window(&self.fitted.as_ref()?.curve, 0.5, self.min_at_risk()).ok()
    }
}
