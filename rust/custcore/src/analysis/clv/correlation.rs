//! Correlations of two columns, whose rows may count several times.

use crate::error::Result;
use crate::exec::context::Context;
use crate::num::exact::float_to_key;

/// The rank of each value from 1; equal values have the mean of their ranks. A row of weight w counts as w rows.
pub(crate) fn average_ranks(values: &[f64], weights: Option<&[f64]>, context: &Context) -> Result<Vec<f64>> {
    let mut order: Vec<(i64, u32)> = (0..).zip(values).map(|(row, &value)| (float_to_key(value), row)).collect();
    context.run_if_large(values.len(), |threads| threads.par_sort_unstable_by(&mut order, Ord::cmp))?;
    let weight = |row: u32| weights.map_or(1.0, |weights| weights[row as usize]);
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0.0;
    for same in order.chunk_by(|a, b| a.0 == b.0) {
        let size: f64 = same.iter().map(|&(_, row)| weight(row)).sum();
        same.iter().for_each(|&(_, row)| ranks[row as usize] = before + f64::midpoint(size, 1.0));
        before += size;
    }
    Ok(ranks)
}

/// Pearson's correlation; `None` where a column does not vary.
pub(crate) fn pearson(x: &[f64], y: &[f64], weights: Option<&[f64]>) -> Option<f64> {
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let rows = 0..x.len();
    let n: f64 = rows.clone().map(weight).sum();
    let mean = |values: &[f64]| rows.clone().map(|row| weight(row) * values[row]).sum::<f64>() / n;
    let (mean_x, mean_y) = (mean(x), mean(y));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for row in rows.clone() {
        let (dx, dy) = (x[row] - mean_x, y[row] - mean_y);
        xx += weight(row) * dx * dx;
        xy += weight(row) * dx * dy;
        yy += weight(row) * dy * dy;
    }
    (xx > 0.0 && yy > 0.0).then(|| (xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0))
}

/// Spearman's correlation: Pearson's of the ranks.
pub(crate) fn spearman(x: &[f64], y: &[f64], weights: Option<&[f64]>, context: &Context) -> Result<Option<f64>> {
    Ok(pearson(&average_ranks(x, weights, context)?, &average_ranks(y, weights, context)?, weights))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_are_those_of_the_textbook() -> Result<()> {
        let context = Context::new(1);
        let (x, y) = ([1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 4.0, 3.0, 5.0]);
        let is_near = |found: Option<f64>| found.is_some_and(|found| (found - 0.8).abs() < 1e-15);
        assert!(is_near(pearson(&x, &y, None)) && is_near(spearman(&x, &y, None, &context)?));
        assert_eq!(average_ranks(&[3.0, 1.0, 3.0, 0.0], None, &context)?, [3.5, 2.0, 3.5, 1.0]);
        assert_eq!(pearson(&x, &[7.0; 5], None), None);
        // Monotone, but not linear.
        assert_eq!(spearman(&x, &[1.0, 8.0, 27.0, 64.0, 125.0], None, &context)?, Some(1.0));
        Ok(())
    }

    #[test]
    fn a_row_of_weight_two_is_two_rows() -> Result<()> {
        let context = Context::new(1);
        let (x, y) = ([1.0, 2.0, 2.0, 4.0], [5.0, 1.0, 1.0, 3.0]);
        let (few_x, few_y, weights) = ([4.0, 2.0, 1.0], [3.0, 1.0, 5.0], [1.0, 2.0, 1.0]);
        let close = |a: Option<f64>, b: Option<f64>| a.zip(b).is_some_and(|(a, b)| (a - b).abs() < 1e-15);
        assert!(close(pearson(&x, &y, None), pearson(&few_x, &few_y, Some(&weights))));
        assert!(close(spearman(&x, &y, None, &context)?, spearman(&few_x, &few_y, Some(&weights), &context)?));
        Ok(())
    }
}
