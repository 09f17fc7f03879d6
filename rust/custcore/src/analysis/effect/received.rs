//! The effect on those whom the campaign reached, by assignment as the instrument (two-stage least squares: Imbens and Angrist 1994).

use super::estimate::{Arms, Model, arm_estimate, slopes};
use super::result::EffectResult;
use super::rows::cells_by_group;
use super::values::Expression;
use crate::error::{Error, ErrorKind, Result};
use crate::num::normal::normal_sf;

/// The effect on customers who were reached; NaN is null.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReceivedRow {
    pub metric: usize,
    pub group: usize,
    pub share_treatment: f64,
    pub share_control: f64,
    pub effect: f64,
    pub se: f64,
    pub low: f64,
    pub high: f64,
    pub p_value: f64,
}

impl EffectResult {
    /// A row for each metric and group. Needs a column of received customers.
    pub(super) fn received_rows(&self) -> Result<Vec<ReceivedRow>> {
        let Some(received) = self.received else {
            let message = "received() needs received=, a column of the experiment that is 1 for whoever the campaign reached. The effect in table() is that of being assigned";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        };
        let mut rows = Vec::new();
        for (at, metric) in self.metrics.iter().enumerate() {
            let set = &self.sets[metric.set];
            let model = Model::of(metric, set, self.rule());
            let column = set.columns.iter().position(|&known| known == Expression::value(received)).unwrap_or(0);
            // Without strata: the formula is that of a whole group.
            let cells = cells_by_group(&self.moments[metric.set]);
            let arms = Arms::of(set, &cells, self.groups.len(), |_| true);
            let slopes = slopes(&model, std::slice::from_ref(&arms))?;
            for group in self.treatments() {
                let share = |group: usize| arms.arms[group].whole.mean(column);
                let shares = (share(group), share(self.control));
                let mut row = ReceivedRow {
                    metric: at,
                    group,
                    share_treatment: shares.0,
                    share_control: shares.1,
                    effect: f64::NAN,
                    se: f64::NAN,
                    low: f64::NAN,
                    high: f64::NAN,
                    p_value: f64::NAN,
                };
                let estimates = (arm_estimate(&model, &slopes, &arms, group)?, arm_estimate(&model, &slopes, &arms, self.control)?);
                let reached = shares.0 - shares.1;
                if let (Some(t), Some(c)) = estimates
                    && reached != 0.0
                    && t.n > 1
                    && c.n > 1
                {
                    row.effect = (t.value - c.value) / reached;
                    let mut variance = 0.0;
                    for arm in [group, self.control] {
                        let whole = &arms.arms[arm].whole;
                        let Some(outcome) = model.outcome(whole) else { continue };
                        let rest = slopes.squares(set, &outcome, whole)?
                            - 2.0 * row.effect * slopes.with_column(set, &outcome, whole, column)?
                            + row.effect * row.effect * whole.deviations(set, column, column)?;
                        let n = whole.n as f64;
                        variance += rest.max(0.0) / (n - 1.0) / n;
                    }
                    row.se = variance.sqrt() / reached.abs();
                    (row.low, row.high) = self.rule().bounds(row.effect, self.rule().normal() * row.se);
                    row.p_value = if row.se > 0.0 { (2.0 * normal_sf((row.effect / row.se).abs())).min(1.0) } else { f64::NAN };
                }
                rows.push(row);
            }
        }
        Ok(rows)
    }
}
