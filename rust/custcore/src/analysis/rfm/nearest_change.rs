//! The nearest number of a type at which something that changes once along the numbers does so.
//!
//! Integers, floats and decimals of a scale are counted through as keys, so that the search is a bisection that asks the scorer
//! itself. Nothing is derived from edges, and what is found is true for every kind of them.

use crate::column::number::{Number, NumberForm};
use crate::num::exact::{float_to_key, key_to_float};

/// Unscaled decimals are below this.
const DECIMALS: i128 = 10_i128.pow(38);

/// The numbers of a type within bounds, as ascending keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct NumberLine {
    form: NumberForm,
    least: i128,
    most: i128,
}

impl NumberLine {
    /// The numbers of a type, from `least` on.
    pub(super) fn new(form: NumberForm, least: Option<i64>) -> Self {
        let (lowest, most) = match form {
            NumberForm::Integers => (i128::from(i64::MIN), i128::from(i64::MAX)),
            NumberForm::Floats => (i128::from(float_to_key(f64::MIN)), i128::from(float_to_key(f64::MAX))),
            NumberForm::Decimals(_) => (1 - DECIMALS, DECIMALS - 1),
        };
        let least = least.and_then(|least| as_form(Number::Integer(least), form)).map_or(lowest, key);
        Self { form, least, most }
    }

    /// The nearest number beyond `from`, upwards or downwards, for which `changed` holds. It must not hold at `from`, and must
    /// hold beyond the first number for which it does.
    pub(super) fn first(self, from: Number, up: bool, changed: impl Fn(Number) -> bool) -> Option<Number> {
        let number = |key: i128| match self.form {
            NumberForm::Integers => Number::Integer(key as i64),
            // -0.0 has a key of its own.
            NumberForm::Floats => Number::Float(key_to_float(key as i64) + 0.0),
            NumberForm::Decimals(scale) => Number::Decimal(key, scale),
        };
        let (mut same, mut other) = (key(from), if up { self.most } else { self.least });
        let is_within = if up { same < other } else { same > other };
        if !is_within || !changed(number(other)) {
            return None;
        }
        while same.abs_diff(other) > 1 {
            let middle = i128::midpoint(same, other);
            if changed(number(middle)) {
                other = middle;
            } else {
                same = middle;
            }
        }
        Some(number(other))
    }
}

fn key(number: Number) -> i128 {
    match number {
        Number::Integer(value) => i128::from(value),
        Number::Float(value) => i128::from(float_to_key(value)),
        Number::Decimal(units, _) => units,
    }
}

/// The number in a type; `None` if the type does not hold it exactly.
pub(super) fn as_form(number: Number, form: NumberForm) -> Option<Number> {
    const EXACT: i64 = 1 << 53;
    match (number, form) {
        (Number::Integer(_), NumberForm::Integers) | (Number::Float(_), NumberForm::Floats) => Some(number),
        (Number::Integer(value), NumberForm::Floats) => (value.abs() <= EXACT).then_some(Number::Float(value as f64)),
        (Number::Integer(value), NumberForm::Decimals(scale)) => {
            as_form(Number::Decimal(i128::from(value), 0), NumberForm::Decimals(scale))
        }
        (Number::Float(value), NumberForm::Integers) => {
            (value.fract() == 0.0 && value.abs() < EXACT as f64).then_some(Number::Integer(value as i64))
        }
        (Number::Decimal(units, own), NumberForm::Decimals(scale)) => {
            let places = u32::try_from(i32::from(scale) - i32::from(own)).ok()?;
            let units = 10_i128.checked_pow(places)?.checked_mul(units)?;
            (units.abs() < DECIMALS).then_some(Number::Decimal(units, scale))
        }
        (Number::Decimal(_, _), _) | (Number::Float(_), NumberForm::Decimals(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_beyond_a_bound_is_found_in_every_type() {
        let above = |bound: f64| move |number: Number| number.to_f64() > bound;
        let below = |bound: f64| move |number: Number| number.to_f64() < bound;
        let integers = NumberLine::new(NumberForm::Integers, Some(0));
        assert_eq!(integers.first(Number::Integer(3), true, above(7.5)), Some(Number::Integer(8)));
        assert_eq!(integers.first(Number::Integer(3), false, below(2.0)), Some(Number::Integer(1)));
        assert_eq!(integers.first(Number::Integer(3), false, below(0.0)), None);
        assert_eq!(integers.first(Number::Integer(0), false, below(0.0)), None);
        let floats = NumberLine::new(NumberForm::Floats, None);
        assert_eq!(floats.first(Number::Float(-2.0), true, above(0.0)), Some(Number::Float(f64::from_bits(1))));
        assert_eq!(floats.first(Number::Float(2.0), false, below(0.0)), Some(Number::Float(-f64::from_bits(1))));
        assert_eq!(floats.first(Number::Float(f64::INFINITY), true, above(0.0)), None);
        assert_eq!(floats.first(Number::Float(f64::INFINITY), false, below(0.5)), Some(Number::Float(0.5_f64.next_down())));
        let cents = NumberLine::new(NumberForm::Decimals(2), None);
        assert_eq!(cents.first(Number::Decimal(100, 2), true, above(1.5)), Some(Number::Decimal(151, 2)));
        let far = -10_i128.pow(37);
        let is_below = |number: Number| number.compare(Number::Decimal(far, 2)).is_lt();
        assert_eq!(cents.first(Number::Decimal(100, 2), false, is_below), Some(Number::Decimal(far - 1, 2)));
    }

    #[test]
    fn a_type_holds_a_number_exactly_or_not_at_all() {
        assert_eq!(as_form(Number::Integer(5), NumberForm::Decimals(2)), Some(Number::Decimal(500, 2)));
        assert_eq!(as_form(Number::Decimal(500, 2), NumberForm::Decimals(1)), None);
        assert_eq!(as_form(Number::Decimal(1, 0), NumberForm::Decimals(39)), None);
        assert_eq!(as_form(Number::Float(2.5), NumberForm::Integers), None);
        assert_eq!(as_form(Number::Integer(1 << 54), NumberForm::Floats), None);
    }
}
