//! Correlations of two columns. Values are summed in the order of the values, so that the order of rows does not matter.

use crate::error::Result;
use crate::exec::context::Context;

/// Rows by ascending value; equal values by their partner, so that the order is one of values only.
fn order_by(values: &[f64], others: &[f64], context: &Context) -> Result<Vec<u32>> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    let key = |row: u32| (values[row as usize], others[row as usize]);
    context.run_if_large(values.len(), |threads| {
        threads.par_sort_unstable_by(&mut order, |&a, &b| {
            let (a, b) = (key(a), key(b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
    })?;
    Ok(order)
}

/// The rank of each value from 1; equal values have the mean of their ranks.
pub(crate) fn average_ranks(values: &[f64], context: &Context) -> Result<Vec<f64>> {
    let order = order_by(values, values, context)?;
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let value = values[order[start] as usize];
        let end = start + order[start..].iter().take_while(|&&row| values[row as usize] <= value).count();
        let rank = (start + end + 1) as f64 / 2.0;
        order[start..end].iter().for_each(|&row| ranks[row as usize] = rank);
        start = end;
    }
    Ok(ranks)
}

/// Pearson's correlation; `None` where a column does not vary.
pub(crate) fn pearson(x: &[f64], y: &[f64], context: &Context) -> Result<Option<f64>> {
    let order = order_by(x, y, context)?;
    let n = order.len() as f64;
    let mean = |values: &[f64]| order.iter().map(|&row| values[row as usize]).sum::<f64>() / n;
    let (mean_x, mean_y) = (mean(x), mean(y));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for &row in &order {
        let (dx, dy) = (x[row as usize] - mean_x, y[row as usize] - mean_y);
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
    }
    Ok((xx > 0.0 && yy > 0.0).then(|| (xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0)))
}

/// Spearman's correlation: Pearson's of the ranks.
pub(crate) fn spearman(x: &[f64], y: &[f64], context: &Context) -> Result<Option<f64>> {
    pearson(&average_ranks(x, context)?, &average_ranks(y, context)?, context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_are_those_of_the_textbook() -> Result<()> {
        let context = Context::new(1);
        let (x, y) = ([1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 4.0, 3.0, 5.0]);
        assert_eq!(pearson(&x, &y, &context)?, Some(0.8));
        assert_eq!(spearman(&x, &y, &context)?, Some(0.8));
        assert_eq!(average_ranks(&[3.0, 1.0, 3.0, 0.0], &context)?, [3.5, 2.0, 3.5, 1.0]);
        assert_eq!(pearson(&x, &[7.0; 5], &context)?, None);
        // Monotone, but not linear.
        assert_eq!(spearman(&x, &[1.0, 8.0, 27.0, 64.0, 125.0], &context)?, Some(1.0));
        Ok(())
    }
}
