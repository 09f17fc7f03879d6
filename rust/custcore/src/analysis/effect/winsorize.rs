//! Caps of winsorised metrics.

use super::NO_GROUP;
use super::values::{Columns, Filter};
use crate::column::number::{Number, NumberColumn};

/// The quantile (type 7, as in numpy and R) of a column, over the customers of all groups that a filter takes. Null is 0. NaN without any.
pub(super) fn quantile_type7(column: &NumberColumn, filter: &Filter, columns: &Columns, groups: &[u16], q: f64) -> f64 {
    let rows = (0..groups.len()).filter(|&row| groups[row] != NO_GROUP && columns.takes(filter, row));
    let mut values: Vec<f64> = rows.map(|row| column.get(row).map_or(0.0, Number::to_f64)).collect();
    let Some(last) = values.len().checked_sub(1) else { return f64::NAN };
    let at = q * last as f64;
    let below = (at.floor() as usize).min(last);
    let (_, &mut low, above) = values.select_nth_unstable_by(below, f64::total_cmp);
    let high = above.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
    let share = at - below as f64;
    // As numpy interpolates: from the nearer end.
    let difference = high - low;
    if share >= 0.5 { high - difference * (1.0 - share) } else { low + difference * share }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::number::Numbers;

    #[test]
    fn as_numpy() {
        // numpy.quantile([1, 2, 4, 8, 100], [.5, .9, .99, 1])
        let column = NumberColumn::from_numbers(Numbers::Floats(vec![8.0, 1.0, 100.0, 4.0, 2.0, 1e9]));
        let groups = [0, 1, 0, 1, 0, NO_GROUP];
        let quantile = |q| quantile_type7(&column, &Filter::All, &Columns::default(), &groups, q);
        let found = [0.5, 0.9, 0.99, 1.0].map(quantile);
        let expected = [4.0, 63.2, 96.32, 100.0];
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12), "{found:?}");
    }
}
