//! Effects by segment, shrunk to their mean (`DerSimonian` and Laird 1986): the best-looking of several segments is over-estimated, its shrunk
//! effect hardly.

use super::result::EffectResult;
use super::rows::{EffectRow, cells_by_segment};
use super::spec::MetricKind;
use crate::num::chi_squared::chi_squared_sf;

/// What is known of the effects of a metric and a group in all segments together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shrunk {
    /// The mean of the metric in the segment, by which the effects are divided.
    pub scale: f64,
    pub shrunk: f64,
    pub shrunk_se: f64,
    /// Cochran's Q: whether the effects differ between segments.
    pub q: f64,
    pub q_p_value: f64,
}

impl Shrunk {
    const NULL: Self = Self { scale: f64::NAN, shrunk: f64::NAN, shrunk_se: f64::NAN, q: f64::NAN, q_p_value: f64::NAN };
}

impl EffectResult {
    /// The shrunk effects of the rows of segments.
    pub(super) fn shrink(&self, rows: &[EffectRow]) -> Vec<Shrunk> {
        let mut all = Vec::with_capacity(rows.len());
        for family in rows.chunk_by(|a, b| (a.metric, a.group) == (b.metric, b.group)) {
            let scales = family.iter().map(|row| self.scale(row)).collect::<Vec<f64>>();
            all.extend(shrink(family, &scales));
        }
        all
    }

    /// The mean of the metric over the two groups of a row; 1 for proportions.
    fn scale(&self, row: &EffectRow) -> f64 {
        let metric = &self.metrics[row.metric];
        if metric.kind == MetricKind::Proportion {
            return 1.0;
        }
        let (mut sum, mut n) = (0.0, 0.0);
        for (cell, sums) in &cells_by_segment(&self.moments[metric.set]) {
            let group = usize::from(cell.group);
            if Some(usize::from(cell.segment)) == row.segment && (group == row.group || group == self.control) {
                sum += sums.sum(metric.numerator);
                n += metric.denominator.map_or(sums.n as f64, |denominator| sums.sum(denominator));
            }
        }
        sum / n
    }
}

/// Effects divided by their scales, shrunk, and multiplied back. Effects without a standard error and those of segments whose scale is not
/// positive are left out.
fn shrink(rows: &[EffectRow], scales: &[f64]) -> Vec<Shrunk> {
    let scaled = |at: usize| {
        let (row, scale) = (&rows[at].difference, scales[at]);
        (row.se > 0.0 && scale > 0.0 && scale.is_finite()).then(|| (row.effect / scale, row.se / scale))
    };
    let known: Vec<(f64, f64)> = (0..rows.len()).filter_map(scaled).collect();
    let k = known.len() as f64;
    if known.len() < 2 {
        return rows.iter().zip(scales).map(|(_, &scale)| Shrunk { scale, ..Shrunk::NULL }).collect();
    }
    let weight = |&(_, se): &(f64, f64)| 1.0 / (se * se);
    let (sum, squares) = known.iter().map(weight).fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
    let fixed = known.iter().map(|effect| weight(effect) * effect.0).sum::<f64>() / sum;
    let q: f64 = known.iter().map(|effect| weight(effect) * (effect.0 - fixed) * (effect.0 - fixed)).sum();
    let between = ((q - (k - 1.0)) / (sum - squares / sum)).max(0.0);
    let random = |&(_, se): &(f64, f64)| 1.0 / (se * se + between);
    let precision: f64 = known.iter().map(random).sum();
    let mean = known.iter().map(|effect| random(effect) * effect.0).sum::<f64>() / precision;
    let q_p_value = chi_squared_sf(q, k - 1.0);
    let of_row = |at: usize| {
        let Some((effect, se)) = scaled(at) else { return Shrunk { scale: scales[at], q, q_p_value, ..Shrunk::NULL } };
        let own = between / (between + se * se);
        let other = 1.0 - own;
        let variance = own * se * se + other * other / precision;
        Shrunk {
            scale: scales[at],
            shrunk: (own * effect + other * mean) * scales[at],
            shrunk_se: variance.sqrt() * scales[at],
            q,
            q_p_value,
        }
    };
    (0..rows.len()).map(of_row).collect()
}
