//! Exact floating-point arithmetic: interpolation, sums and means rounded once, and order-preserving integer keys.
//!
//! Exact values are represented as expansions: sums of nonoverlapping floats, ascending in magnitude (Shewchuk 1997).

/// The largest float not above `low + r/bins * (high - low)`, found by bisection over the floats between the two with an
/// exact comparison in each step.
pub(crate) fn between_f64(low: f64, high: f64, r: usize, bins: usize) -> f64 {
    let at_most = |c: f64| sign_of_sum(&[(bins as f64, c), (-((bins - r) as f64), low), (-(r as f64), high)]) <= 0;
    let (mut below, mut above) = (float_to_key(low), float_to_key(high));
    // Invariant: `at_most` holds for `below` and not for `above`.
    if at_most(high) {
        return high;
    }
    while i128::from(above) - i128::from(below) > 1 {
        let middle = i128::midpoint(i128::from(above), i128::from(below)) as i64;
        if at_most(key_to_float(middle)) {
            below = middle;
        } else {
            above = middle;
        }
    }
    key_to_float(below)
}

/// The exact sign of a sum of products, each of an integer up to 100 and a float.
fn sign_of_sum(products: &[(f64, f64)]) -> i32 {
    if products.iter().all(|(_, x)| x.abs() < 1e300) {
        return sign_of_expansion(products);
    }
    // Products of values near the maximum would overflow, so large terms are scaled by a power of two, which is exact. The
    // small terms matter only if the large ones cancel exactly, since any nonzero remainder of those is far larger.
    let (large, small): (Vec<_>, Vec<_>) = products.iter().copied().partition(|(_, x)| x.abs() > 1.0);
    let scaled: Vec<_> = large.into_iter().map(|(n, x)| (n, x * 2f64.powi(-10))).collect();
    match sign_of_expansion(&scaled) {
        0 => sign_of_expansion(&small),
        sign => sign,
    }
}

/// The exact sign of a sum of products by two-product and expansion sums (Shewchuk 1997); products must not overflow.
fn sign_of_expansion(products: &[(f64, f64)]) -> i32 {
    let mut expansion: Vec<f64> = Vec::with_capacity(2 * products.len());
    for &(a, b) in products {
        let high = a * b;
        let low = a.mul_add(b, -high);
        grow(&mut expansion, low);
        grow(&mut expansion, high);
    }
    // The components are nonoverlapping and ascending, so the last nonzero one has the sign of the sum.
    expansion.iter().rev().find(|&&part| part != 0.0).map_or(0, |&part| if part > 0.0 { 1 } else { -1 })
}

/// The mean: the exact sum, rounded, divided by the count. Independent of order. `None` if empty.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    exact_sum(values).map(|sum| sum / values.len() as f64)
}

/// The exact mean rounded down: a float is above the result if and only if it is above the exact mean. `None` if empty.
pub(crate) fn mean_below(values: &[f64]) -> Option<f64> {
    let rounded = mean(values)?;
    if !rounded.is_finite() {
        return Some(rounded);
    }
    // A candidate is above the exact mean if the exact sum minus n times the candidate is negative.
    let mut expansion = Vec::new();
    values.iter().for_each(|&value| grow(&mut expansion, value));
    let n = values.len() as f64;
    let exceeds = |candidate: f64| {
        let mut rest = expansion.clone();
        let high = -n * candidate;
        grow(&mut rest, (-n).mul_add(candidate, -high));
        grow(&mut rest, high);
        rest.iter().rev().find(|&&part| part != 0.0).is_some_and(|&part| part < 0.0)
    };
    let mut below = rounded;
    while exceeds(below) {
        below = below.next_down();
    }
    while !exceeds(below.next_up()) {
        below = below.next_up();
    }
    Some(below)
}

/// The correctly rounded sum (Shewchuk 1997, as in Python's `math.fsum`); `None` if empty.
pub(crate) fn exact_sum(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let mut expansion: Vec<f64> = Vec::new();
    for &value in values {
        grow(&mut expansion, value);
    }
    // From the largest component down; a tie is broken by the sign of the next component.
    let mut parts = expansion.iter().rev().copied();
    let mut high = parts.next().unwrap_or(0.0);
    while let Some(part) = parts.next() {
        let sum = high + part;
        let rest = part - (sum - high);
        high = sum;
        if rest != 0.0 {
            let next = parts.next().unwrap_or(0.0);
            if (rest < 0.0) == (next < 0.0) && next != 0.0 {
                let doubled = rest * 2.0;
                let moved = high + doubled;
                if (moved - high).to_bits() == doubled.to_bits() {
                    high = moved;
                }
            }
            break;
        }
    }
    Some(high)
}

/// The median (type 7: the mean of the two middle values if the count is even); `None` if empty.
pub(crate) fn median(values: Vec<f64>) -> Option<f64> {
    middle(values).and_then(|middle| mean(&middle))
}

/// The one or two middle values; `None` if empty.
pub(crate) fn middle(mut values: Vec<f64>) -> Option<Vec<f64>> {
    let last = values.len().checked_sub(1)?;
    let (below, &mut upper, _) = values.select_nth_unstable_by(last.div_ceil(2), f64::total_cmp);
    if last % 2 == 0 {
        return Some(vec![upper]);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp)?;
    Some(vec![lower, upper])
}

/// The correctly rounded quotient of two expansions (ties to even); the divisor must be positive.
pub(crate) fn quotient(sum: &[f64], divisor: &[f64]) -> f64 {
    // Scaling by powers of two is exact and keeps the products below from overflow and underflow.
    let (sum, sum_shift) = scaled(sum);
    let (divisor, divisor_shift) = scaled(divisor);
    let approximate = |parts: &[f64]| parts.iter().sum::<f64>();
    let mut nearest = approximate(&sum) / approximate(&divisor);
    if nearest == 0.0 || !nearest.is_finite() {
        return nearest + 0.0;
    }
    // Has the sign of the quotient minus the midpoint of two neighbouring floats.
    let beyond_middle = |a: f64, b: f64| {
        let mut rest = Vec::with_capacity(2 * sum.len() + 4 * divisor.len());
        sum.iter().for_each(|part| grow(&mut rest, 2.0 * part));
        for &part in &divisor {
            for neighbour in [a, b] {
                let high = -part * neighbour;
                grow(&mut rest, (-part).mul_add(neighbour, -high));
                grow(&mut rest, high);
            }
        }
        rest.iter().rev().find(|&&part| part != 0.0).copied().unwrap_or(0.0)
    };
    let is_odd = |value: f64| value.to_bits() & 1 == 1;
    loop {
        let (above, below) = (nearest.next_up(), nearest.next_down());
        let over = beyond_middle(nearest, above);
        if over > 0.0 || (over == 0.0 && is_odd(nearest)) {
            nearest = above;
            continue;
        }
        let under = beyond_middle(below, nearest);
        if under < 0.0 || (under == 0.0 && is_odd(nearest)) {
            nearest = below;
            continue;
        }
        return nearest * power_of_two(sum_shift) / power_of_two(divisor_shift) + 0.0;
    }
}

/// An expansion scaled by a power of two so that its largest component is near 1, and the exponent that undoes it.
fn scaled(parts: &[f64]) -> (Vec<f64>, i32) {
    // What cancelled leaves a last part of 0.
    let largest = parts.iter().rev().find(|&&part| part != 0.0);
    let exponent = largest.map_or(0, |part| (part.to_bits() >> 52 & 0x7ff) as i32 - 1023).clamp(-1000, 1000);
    let factor = power_of_two(-exponent);
    (parts.iter().map(|part| part * factor).collect(), exponent)
}

/// 2^`exponent`, for an exponent of -1022 to 1023.
pub(crate) fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// The value of an expansion, rounded to a float, accurate to 1 ulp.
pub(crate) fn approximate(expansion: &[f64]) -> f64 {
    expansion.iter().sum::<f64>() + 0.0
}

/// Adds a product to an expansion, exactly unless the product overflows or underflows.
pub(crate) fn grow_product(expansion: &mut Vec<f64>, a: f64, b: f64) {
    let high = a * b;
    grow(expansion, a.mul_add(b, -high));
    grow(expansion, high);
}

/// Adds an integer times a power of two to an expansion, exactly.
pub(crate) fn grow_integer(expansion: &mut Vec<f64>, value: i128, unit: f64) {
    let sign = if value < 0 { -unit } else { unit };
    let size = value.unsigned_abs();
    for (shift, weight) in [(0, 1.0), (48, 2f64.powi(48)), (96, 2f64.powi(96))] {
        let digits = size >> shift & 0xffff_ffff_ffff;
        if digits != 0 {
            grow(expansion, digits as f64 * weight * sign);
        }
    }
}

/// Adds a float to an expansion exactly (Shewchuk's GROW-EXPANSION with zero elimination).
pub(crate) fn grow(expansion: &mut Vec<f64>, term: f64) {
    let mut sum = term;
    let mut kept = 0;
    for i in 0..expansion.len() {
        let part = expansion[i];
        let total = sum + part;
        let virtual_part = total - sum;
        let error = (sum - (total - virtual_part)) + (part - virtual_part);
        if error != 0.0 {
            expansion[kept] = error;
            kept += 1;
        }
        sum = total;
    }
    expansion.truncate(kept);
    expansion.push(sum);
}

/// Maps a float to an integer with the same order, for ranking and bisection. -0.0 and 0.0 have the same key.
pub(crate) fn float_to_key(value: f64) -> i64 {
    let bits = (value + 0.0).to_bits() as i64;
    if bits < 0 { !bits ^ i64::MIN } else { bits }
}

/// The inverse of [`float_to_key`].
pub(crate) fn key_to_float(key: i64) -> f64 {
    f64::from_bits(if key < 0 { !(key ^ i64::MIN) } else { key } as u64)
}

/// Serialization of floats in formats without infinity, such as JSON: a number if finite, else a string.
pub(crate) mod every_float {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Word(String),
    }

    /// Serializes a float.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
    pub(crate) fn serialize<S: Serializer>(x: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if x.is_finite() { Written::Number(*x) } else { Written::Word(x.to_string()) }.serialize(serializer)
    }

    /// Deserializes a float; only non-finite values may be strings.
    pub(crate) fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<f64, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(x) => Ok(x),
            Written::Word(word) => {
                let x = word.parse::<f64>().ok().filter(|x| !x.is_finite());
                x.ok_or_else(|| de::Error::custom("expected a number, 'inf', '-inf' or 'NaN'"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn float_edges_are_rounded_down() {
        assert!((between_f64(1.0, 2.0, 1, 2) - 1.5).abs() < f64::EPSILON);
        // One third is not representable; the edge is rounded down.
        let third = between_f64(0.0, 1.0, 1, 3);
        assert_eq!(third.to_bits(), (1.0_f64 / 3.0).to_bits());
        let two_thirds = between_f64(0.0, 1.0, 2, 3);
        assert!(two_thirds.mul_add(3.0, -2.0) <= 0.0 && two_thirds.next_up().mul_add(3.0, -2.0) > 0.0);
        assert!(between_f64(-f64::MAX, f64::MAX, 1, 2).abs() < f64::MIN_POSITIVE);
        // 1/10 between the smallest subnormal and a huge value: the subnormal decides the last bit.
        let huge = 2.548_294_360_680_879_7e306;
        assert!(between_f64(-5e-324, huge, 1, 10) < huge / 10.0);
    }

    #[test]
    fn sums_and_medians_are_exact() {
        assert_eq!(exact_sum(&[1e16, 1.0, -1e16]), Some(1.0));
        assert_eq!(exact_sum(&[0.1; 10]), Some(1.0));
        assert_eq!(exact_sum(&[]), None);
        assert_eq!(mean_below(&[0.35; 3]), Some(0.35));
        assert_eq!(mean_below(&[0.05; 3]), Some(0.05));
        assert_eq!(mean_below(&[1.0, 2.0]), Some(1.5));
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn quotients_are_rounded_once() {
        for (sum, divisor) in [(1.0, 3.0), (10.0, 7.0), (-2.0, 3.0), (1e300, 3e-5), (5e-324, 2.0), (1.0, 49.0)] {
            assert_eq!(quotient(&[sum], &[divisor]).to_bits(), (sum / divisor).to_bits(), "{sum} / {divisor}");
        }
        // A component too small to affect the rounded sum still decides the rounding of the quotient.
        assert_eq!(quotient(&[2f64.powi(-54), 1.0], &[3.0]).to_bits(), (1.0_f64 / 3.0).next_up().to_bits());
        // What cancelled leaves a last part of 0, whose size is not that of the sum.
        let (mut sum, mut divisor) = (vec![1e16], vec![1e-9]);
        for (cancelled, parts) in [(1e34, &mut sum), (1e9, &mut divisor)] {
            grow(parts, cancelled);
            grow(parts, -cancelled);
            assert_eq!(parts.last().map(|part| part.to_bits()), Some(0));
        }
        assert_eq!(quotient(&sum, &divisor).to_bits(), (1e16_f64 / 1e-9).to_bits());
        let mut big = Vec::new();
        grow_integer(&mut big, -(1 << 100) - 1, 0.5);
        assert_eq!(approximate(&big).to_bits(), (-(2f64.powi(99))).to_bits());
        assert_eq!(big.len(), 2);
    }

    #[test]
    fn keys_preserve_the_order_of_floats() {
        let floats = [f64::NEG_INFINITY, -2.5, -f64::MIN_POSITIVE, 0.0, 1e-300, 1.0, f64::INFINITY];
        assert!(floats.windows(2).all(|w| float_to_key(w[0]) < float_to_key(w[1])));
        assert!(floats.iter().all(|&f| key_to_float(float_to_key(f)).to_bits() == f.to_bits()));
        assert_eq!(float_to_key(-0.0), float_to_key(0.0));
    }
}
