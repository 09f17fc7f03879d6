//! Values as text: keys, bins of numbers, periods.

use arrow_array::ArrayRef;

use super::spec::AttributeBins;
use crate::column::number::Number;
use crate::column::scalar::ScalarKind;
use crate::column::value::{ValueColumn, ValueKind, ValueType};
use crate::error::Result;
use crate::group::interner::Keys;
use crate::num::exact::key_to_float;
use crate::order_statistics::quantile::BinEdges;
use crate::table::key_column;
use crate::time::calendar::{civil, date_text};
use crate::time::period::{Calendar, Period, shown};

/// The texts of keys of a column.
pub(super) fn of_keys(value_type: &ValueType, keys: &Keys) -> Result<Vec<Option<String>>> {
    let codes = (0..keys.len() as u32).map(Some);
    if let ValueKind::Scalar(ScalarKind::Float) = value_type.kind
        && let Keys::Integers(keys) = keys
    {
        // Integers that a null made floats look like integers again.
        return Ok(keys.iter().map(|&key| Some(key_to_float(key).to_string())).collect());
    }
    let column: ArrayRef = key_column(&value_type.data_type, keys, codes)?;
    let values = ValueColumn::new("value", "attributes", &column)?;
    Ok((0..keys.len()).map(|row| values.key(row).text()).collect())
}

/// The texts of bins between edges: `<= 10`, `(10, 25]`, `> 25`.
pub(super) fn of_bins(edges: &BinEdges) -> Vec<Option<String>> {
    let numbers: Vec<Number> = (0..edges.bins() - 1).filter_map(|at| edges.edge(at)).collect();
    let texts = short_texts(&numbers);
    let (Some(first), Some(last)) = (texts.first(), texts.last()) else { return vec![Some("all".to_owned())] };
    let between = texts.windows(2).map(|pair| format!("({}, {}]", pair[0], pair[1]));
    std::iter::once(format!("<= {first}")).chain(between).chain([format!("> {last}")]).map(Some).collect()
}

/// Numbers as text. Long fractions are cut to as few digits as keep numbers apart.
fn short_texts(numbers: &[Number]) -> Vec<String> {
    let whole = |number: &Number| match number {
        Number::Float(value) => value.to_string(),
        number => number.to_string(),
    };
    let texts: Vec<String> = numbers.iter().map(whole).collect();
    if texts.iter().all(|text| text.len() <= 8) {
        return texts;
    }
    for digits in 5..17 {
        let cut: Vec<String> = numbers.iter().map(|number| significant(number.to_f64(), digits)).collect();
        if cut.windows(2).zip(numbers.windows(2)).all(|(text, value)| text[0] != text[1] || value[0] == value[1]) {
            return cut;
        }
    }
    texts
}

/// A number to so many significant digits, without an exponent.
fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let places = digits - 1 - value.abs().log10().floor() as i32;
    let text = format!("{value:.*}", usize::try_from(places).unwrap_or(0));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// The text of a period.
pub(super) fn of_period(index: i64, period: Period, calendar: &Calendar) -> String {
    let first = shown(calendar.start(index, period));
    let (year, month, _) = civil(first);
    match period {
        Period::Year if calendar.fiscal_shift == 0 => format!("{year:04}"),
        Period::Quarter if calendar.fiscal_shift == 0 => format!("{year:04}-Q{}", (month - 1) / 3 + 1),
        Period::Month | Period::Quarter | Period::Year => format!("{year:04}-{month:02}"),
        Period::Day | Period::Week | Period::Days(_) => date_text(first),
    }
}

/// What a remark says of bins.
pub(super) fn said(bins: &AttributeBins, edges: &BinEdges) -> Option<String> {
    let AttributeBins::Quantiles(asked) = bins else { return None };
    let numbers: Vec<String> = (0..edges.bins() - 1).filter_map(|at| edges.edge(at)).map(|edge| edge.to_string()).collect();
    Some(format!("{asked} bins by quantiles: {}", numbers.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::number::Numbers;
    use crate::order_statistics::quantile::Closed;

    fn texts(edges: &[f64]) -> Vec<String> {
        of_bins(&BinEdges::explicit(Numbers::Floats(edges.to_vec()), Closed::Right)).into_iter().flatten().collect()
    }

    #[test]
    fn bins_are_named_by_their_edges() {
        assert_eq!(texts(&[10.0, 25.5]), ["<= 10", "(10, 25.5]", "> 25.5"]);
        assert_eq!(texts(&[100.0 / 3.0, 123_456_789.0]), ["<= 33.333", "(33.333, 123456789]", "> 123456789"]);
        assert_eq!(texts(&[1.000_001_234, 1.000_001_235]), ["<= 1.00000123", "(1.00000123, 1.00000124]", "> 1.00000124"]);
    }

    #[test]
    fn periods() {
        let calendar = Calendar::default();
        let text = |day: i32, period: Period| of_period(calendar.index(day, period), period, &calendar);
        assert_eq!(text(15_317, Period::Month), "2011-12");
        assert_eq!(text(15_317, Period::Quarter), "2011-Q4");
        assert_eq!(text(15_317, Period::Year), "2011");
        assert_eq!(text(15_317, Period::Week), "2011-12-05");
        assert_eq!(text(15_317, Period::Day), "2011-12-09");
    }
}
