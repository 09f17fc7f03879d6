//! The rows of the table of effects.

use super::adjustment::Slopes;
use super::estimate::{Arms, Model, difference, slopes, variance_ratio};
use super::interval::{Difference, IntervalRule};
use super::moments::{Cell, CellSums, add_cell};
use super::result::{EffectResult, Moments};
use super::strata::{merge_strata, merged_strata};
use crate::analysis::p_values::PValueAdjustment;
use crate::analysis::p_values::adjusted;
use crate::error::Result;

/// A row: the effect of a group on a metric.
#[derive(Debug, Clone)]
pub(super) struct EffectRow {
    pub metric: usize,
    pub group: usize,
    /// `None`: all customers.
    pub segment: Option<usize>,
    /// `None`: the whole window.
    pub period: Option<usize>,
    pub n_control: u64,
    pub n_treatment: u64,
    pub difference: Difference,
    pub p_adjusted: f64,
    pub variance_ratio: f64,
}

impl EffectResult {
    pub(super) fn rule(&self) -> IntervalRule {
        IntervalRule { level: self.spec.level, alternative: self.spec.alternative, sequential: self.spec.sequential }
    }

    /// The cells of a metric without segments, with strata merged.
    pub(super) fn cells_by_stratum(&self, cells: &CellSums) -> CellSums {
        let mut whole = CellSums::new();
        cells.iter().for_each(|(cell, sums)| add_cell(&mut whole, Cell { segment: 0, ..*cell }, sums));
        if self.spec.strata.is_none() {
            return whole;
        }
        let merged = merged_strata(&self.strata, &whole, self.groups.len(), self.spec.min_stratum);
        merge_strata(&whole, &merged)
    }

    /// The rows of all customers, in the order of metrics and groups.
    pub(super) fn whole_rows(&self, moments: &Moments, period: Option<usize>) -> Result<Vec<EffectRow>> {
        let mut rows = Vec::new();
        for (at, metric) in self.metrics.iter().enumerate() {
            let set = &self.sets[metric.set];
            let model = Model::of(metric, set, self.rule());
            let arms = Arms::of(set, &self.cells_by_stratum(&moments[metric.set]), self.groups.len(), |_| true);
            let arms = std::slice::from_ref(&arms);
            let slopes = slopes(&model, arms)?;
            self.push_rows(&mut rows, (at, None, period), &model, &slopes, &arms[0])?;
        }
        if period.is_none() {
            self.adjust_whole(&mut rows);
        }
        Ok(rows)
    }

    /// Remarks on covariates that are left out.
    pub(super) fn remarks(&self) -> Result<Vec<String>> {
        let mut remarks = Vec::new();
        for metric in &self.metrics {
            let set = &self.sets[metric.set];
            let model = Model::of(metric, set, self.rule());
            let arms = Arms::of(set, &self.cells_by_stratum(&self.moments[metric.set]), self.groups.len(), |_| true);
            let slopes = slopes(&model, std::slice::from_ref(&arms))?;
            let left_out = metric.covariate_names.iter().zip(&slopes.left_out).filter(|(_, is_left_out)| **is_left_out);
            let names: Vec<&str> = left_out.map(|(name, _)| name.as_str()).collect();
            if !names.is_empty() {
                remarks.push(format!("{}: adjustment leaves out {}, with nothing left given the others", metric.name, names.join(", ")));
            }
        }
        Ok(remarks)
    }

    /// The rows of segments, in the order of metrics, groups and segments.
    pub(super) fn segment_rows(&self) -> Result<Vec<EffectRow>> {
        let mut rows = Vec::new();
        for (at, metric) in self.metrics.iter().enumerate() {
            let set = &self.sets[metric.set];
            let model = Model::of(metric, set, self.rule());
            let cells = cells_by_segment(&self.moments[metric.set]);
            let of_segment = |segment: usize| Arms::of(set, &cells, self.groups.len(), |own| usize::from(own) == segment);
            let all: Vec<Arms> = (0..self.segments.len()).map(of_segment).collect();
            let slopes = slopes(&model, &all)?;
            let mut of_metric = Vec::new();
            for (segment, arms) in all.iter().enumerate() {
                self.push_rows(&mut of_metric, (at, Some(segment), None), &model, &slopes, arms)?;
            }
            of_metric.sort_by_key(|row| row.group);
            let all: Vec<usize> = (0..of_metric.len()).collect();
            adjust(&mut of_metric, &all, self.spec.correction);
            rows.extend(of_metric);
        }
        Ok(rows)
    }

    fn push_rows(
        &self,
        rows: &mut Vec<EffectRow>,
        (metric, segment, period): (usize, Option<usize>, Option<usize>),
        model: &Model<'_>,
        slopes: &Slopes,
        arms: &Arms,
    ) -> Result<()> {
        let control = &arms.arms[self.control];
        let variance_ratio = variance_ratio(model, slopes, control)?;
        for group in self.treatments() {
            rows.push(EffectRow {
                metric,
                group,
                segment,
                period,
                n_control: control.whole.n,
                n_treatment: arms.arms[group].whole.n,
                difference: difference(model, slopes, arms, group, self.control)?,
                p_adjusted: f64::NAN,
                variance_ratio,
            });
        }
        Ok(())
    }

    /// Adjusts the p-values of all customers: one family, or two if there is a primary metric.
    fn adjust_whole(&self, rows: &mut [EffectRow]) {
        let is_primary = |row: &EffectRow| self.spec.primary.as_ref().is_some_and(|primary| *primary == self.metrics[row.metric].name);
        let (primary, others): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|&at| is_primary(&rows[at]));
        adjust(rows, &primary, self.spec.correction);
        adjust(rows, &others, self.spec.correction);
    }
}

/// The cells of a metric without strata.
pub(super) fn cells_by_segment(cells: &CellSums) -> CellSums {
    let mut whole = CellSums::new();
    cells.iter().for_each(|(cell, sums)| add_cell(&mut whole, Cell { stratum: 0, ..*cell }, sums));
    whole
}

/// The cells of a metric without strata and segments.
pub(super) fn cells_by_group(cells: &CellSums) -> CellSums {
    let mut whole = CellSums::new();
    cells.iter().for_each(|(cell, sums)| add_cell(&mut whole, Cell { group: cell.group, stratum: 0, segment: 0 }, sums));
    whole
}

/// Adjusts the p-values of a family; those that are null are not in it.
fn adjust(rows: &mut [EffectRow], family: &[usize], how: PValueAdjustment) {
    let tested: Vec<usize> = family.iter().copied().filter(|&at| !rows[at].difference.p_value.is_nan()).collect();
    let values: Vec<f64> = tested.iter().map(|&at| rows[at].difference.p_value).collect();
    for (&at, adjusted) in tested.iter().zip(adjusted(&values, how)) {
        rows[at].p_adjusted = adjusted;
    }
}
