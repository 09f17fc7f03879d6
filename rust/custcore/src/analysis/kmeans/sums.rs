//! Exact sums by cluster and feature: two fixed-point integers, and an expansion for the remainder below their resolution.
//!
//! Integer addition is exact and associative, so sums can be updated incrementally from the reassigned points and computed
//! in parallel.

use std::collections::BTreeMap;

use super::label::Label;
use crate::num::exact::{grow, grow_integer, grow_product, power_of_two};

/// Bits of a term in each of the two integers; the remaining bits of an `i64` are headroom for accumulation.
const BITS: i32 = 40;
/// Terms that can be accumulated before a flush.
const TERMS: usize = 1 << 21;
/// 1.5 * 2^52. Adding and subtracting it rounds a float below 2^51 to an integer; after the addition the integer is in the
/// low mantissa bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// The fixed-point resolution for terms of bounded magnitude.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Steps {
    up: f64,
    down: f64,
}

impl Steps {
    /// The resolution for terms of magnitude up to `largest`.
    pub(crate) fn new(largest: f64) -> Self {
        // The smallest power of two above it, clamped so that no scale factor overflows or underflows.
        let exponent = ((largest.abs().to_bits() >> 52) as i32 - 1022).clamp(-900, 1024);
        Self { up: power_of_two(BITS - exponent), down: power_of_two(exponent - 2 * BITS) }
    }

    /// The two integers of a term, and whether they represent it exactly.
    #[inline(always)]
    pub(crate) fn split(self, term: f64) -> (i64, i64, bool) {
        let scaled = term * self.up;
        let high = scaled + ROUND;
        let fine = (scaled - (high - ROUND)) * (1_u64 << BITS) as f64;
        let low = fine + ROUND;
        let whole = (low - ROUND == fine) & ((scaled != 0.0) | (term == 0.0));
        let digits = |float: f64| float.to_bits().wrapping_sub(ROUND.to_bits()) as i64;
        (digits(high), digits(low), whole)
    }

    /// The remainder of a term after [`Steps::split`].
    fn rest(self, term: f64) -> f64 {
        let scaled = term * self.up;
        if scaled.abs() < 1e-100 {
            // Scaling may have underflowed.
            return term;
        }
        let fine = (scaled - ((scaled + ROUND) - ROUND)) * (1_u64 << BITS) as f64;
        (fine - ((fine + ROUND) - ROUND)) * self.down
    }
}

/// Sums of terms, one per cluster and feature.
#[derive(Debug, Clone)]
pub(crate) struct ClusterSums {
    steps: Vec<Steps>,
    recent: Vec<[i64; 2]>,
    whole: Vec<[i128; 2]>,
    rest: BTreeMap<usize, Vec<f64>>,
    pending: usize,
}

impl ClusterSums {
    /// Zero sums for `clusters` clusters; `steps` holds the resolution of each feature.
    pub(crate) fn new(clusters: usize, steps: &[Steps]) -> Self {
        let cells = clusters * steps.len();
        Self { steps: steps.to_vec(), recent: vec![[0; 2]; cells], whole: vec![[0; 2]; cells], rest: BTreeMap::new(), pending: 0 }
    }

    /// Reserves headroom for `terms` more terms in each sum; at most a few thousand at a time.
    pub(crate) fn reserve(&mut self, terms: usize) {
        self.pending += terms;
        if self.pending > TERMS {
            self.flush();
            self.pending = terms;
        }
    }

    /// Adds a term of feature `feature` to cluster `to` and subtracts it from cluster `from`.
    #[inline(always)]
    pub(crate) fn shift(&mut self, from: Option<usize>, to: usize, feature: usize, term: f64) {
        let steps = self.steps[feature];
        let (high, low, whole) = steps.split(term);
        let cell = to * self.steps.len() + feature;
        self.recent[cell][0] += high;
        self.recent[cell][1] += low;
        if let Some(from) = from {
            let cell = from * self.steps.len() + feature;
            self.recent[cell][0] -= high;
            self.recent[cell][1] -= low;
        }
        if !whole {
            self.shift_rest(from, to, feature, steps.rest(term));
        }
    }

    /// Adds the terms of feature `feature`, each to the cluster given by its label.
    #[inline(always)]
    pub(crate) fn add_column<L: Label>(&mut self, feature: usize, labels: &[L], terms: &[f64], digits: &mut Digits) {
        let steps = self.steps[feature];
        let (width, clusters) = (self.steps.len(), self.recent.len() / self.steps.len());
        let (mut fine, mut partial) = (0, 0);
        let Digits { high, low } = digits;
        let (high, low) = (&mut high[..terms.len()], &mut low[..terms.len()]);
        for ((&term, high), low) in terms.iter().zip(&mut *high).zip(&mut *low) {
            let (h, l, whole) = steps.split(term);
            (*high, *low) = (h, l);
            fine |= l;
            partial |= u64::from(!whole);
        }
        by_label(labels, high, clusters, |to, digits| self.recent[to * width + feature][0] += digits);
        // The low integers are usually all zero for float32 input.
        if fine != 0 {
            by_label(labels, low, clusters, |to, digits| self.recent[to * width + feature][1] += digits);
        }
        if partial != 0 {
            for (label, &term) in labels.iter().zip(terms).filter(|(_, term)| !steps.split(**term).2) {
                self.shift_rest(None, label.index(), feature, steps.rest(term));
            }
        }
    }

    /// Moves the terms of feature `feature`, each from one cluster to another: pairs of clusters in the order of the terms.
    #[inline(always)]
    pub(crate) fn move_column(&mut self, feature: usize, pairs: &[(u32, u32)], terms: &[f64], digits: &mut Digits) {
        let (steps, width) = (self.steps[feature], self.steps.len());
        let (mut fine, mut partial) = (0, 0);
        let Digits { high, low } = digits;
        let (high, low) = (&mut high[..terms.len()], &mut low[..terms.len()]);
        for ((&term, high), low) in terms.iter().zip(&mut *high).zip(&mut *low) {
            let (h, l, whole) = steps.split(term);
            (*high, *low) = (h, l);
            fine |= l;
            partial |= u64::from(!whole);
        }
        for (&(from, to), high) in pairs.iter().zip(&*high) {
            self.recent[to as usize * width + feature][0] += high;
            self.recent[from as usize * width + feature][0] -= high;
        }
        if fine != 0 {
            for (&(from, to), low) in pairs.iter().zip(&*low) {
                self.recent[to as usize * width + feature][1] += low;
                self.recent[from as usize * width + feature][1] -= low;
            }
        }
        if partial != 0 {
            for (&(from, to), &term) in pairs.iter().zip(terms).filter(|(_, term)| !steps.split(**term).2) {
                self.shift_rest(Some(from as usize), to as usize, feature, steps.rest(term));
            }
        }
    }

    #[cold]
    fn shift_rest(&mut self, from: Option<usize>, to: usize, feature: usize, rest: f64) {
        grow(self.rest.entry(to * self.steps.len() + feature).or_default(), rest);
        if let Some(from) = from {
            grow(self.rest.entry(from * self.steps.len() + feature).or_default(), -rest);
        }
    }

    /// Adds integers of [`Steps::split`] that were accumulated elsewhere.
    #[inline]
    pub(crate) fn add_whole(&mut self, cell: usize, high: i64, low: i64) {
        self.whole[cell][0] += i128::from(high);
        self.whole[cell][1] += i128::from(low);
    }

    /// Adds the remainder of a term after [`Steps::split`].
    #[cold]
    pub(crate) fn add_rest(&mut self, cell: usize, term: f64) {
        let rest = self.steps[cell % self.steps.len()].rest(term);
        grow(self.rest.entry(cell).or_default(), rest);
    }

    /// Adds a weighted term, without rounding the product.
    pub(crate) fn add_product(&mut self, cell: usize, weight: f64, value: f64) {
        grow_product(self.rest.entry(cell).or_default(), weight, value);
    }

    /// Adds the 64-bit accumulators to the 128-bit sums and resets them.
    fn flush(&mut self) {
        for (recent, whole) in self.recent.iter_mut().zip(&mut self.whole) {
            let [high, low] = std::mem::take(recent);
            whole[0] += i128::from(high);
            whole[1] += i128::from(low);
        }
    }

    /// Adds the sums of another chunk of rows.
    pub(crate) fn merge(&mut self, mut other: Self) {
        self.flush();
        other.flush();
        for (own, more) in self.whole.iter_mut().zip(other.whole) {
            own[0] += more[0];
            own[1] += more[1];
        }
        for (cell, parts) in other.rest {
            let own = self.rest.entry(cell).or_default();
            parts.into_iter().for_each(|part| grow(own, part));
        }
    }

    /// The sum of a cell as an expansion.
    pub(crate) fn get(&self, cell: usize) -> Vec<f64> {
        let [high, low] = self.whole[cell];
        let [recent_high, recent_low] = self.recent[cell];
        let total = ((high + i128::from(recent_high)) << BITS) + low + i128::from(recent_low);
        let mut sum = self.rest.get(&cell).cloned().unwrap_or_default();
        grow_integer(&mut sum, total, self.steps[cell % self.steps.len()].down);
        sum
    }
}

/// Scratch buffers for the integers of a block of terms.
#[derive(Debug, Clone)]
pub(crate) struct Digits {
    high: Vec<i64>,
    low: Vec<i64>,
}

impl Digits {
    /// Buffers for `terms` terms.
    pub(crate) fn new(terms: usize) -> Self {
        Self { high: vec![0; terms], low: vec![0; terms] }
    }
}

/// Sums numbers by label; `to` is called with partial sums of clusters, one or more per cluster.
#[inline(always)]
pub(crate) fn by_label<L: Label>(labels: &[L], numbers: &[i64], clusters: usize, mut to: impl FnMut(usize, i64)) {
    let Some(bytes) = L::bytes(labels) else {
        return labels.iter().zip(numbers).for_each(|(label, &number)| to(label.index(), number));
    };
    // Two tables break the store-to-load dependency between consecutive rows of the same cluster.
    let mut tables = [[0_i64; 256]; 2];
    let [even, odd] = &mut tables;
    for (labels, numbers) in bytes.chunks(2).zip(numbers.chunks(2)) {
        even[usize::from(labels[0])] += numbers[0];
        if let ([_, label], [_, number]) = (labels, numbers) {
            odd[usize::from(*label)] += number;
        }
    }
    (0..clusters).for_each(|j| to(j, even[j] + odd[j]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::num::exact::{exact_sum, quotient};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_are_exact(values in prop::collection::vec(prop_oneof![-1e3..1e3_f64, prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO], 1..60)) {
            let values: Vec<f64> = values.into_iter().map(|x| x * 2f64.powi(-20)).collect();
            let largest = values.iter().fold(0.0_f64, |a, x| a.max(x.abs()));
            let mut sums = ClusterSums::new(2, &[Steps::new(largest)]);
            let mut other = sums.clone();
            for (i, &x) in values.iter().enumerate() {
                if i % 2 == 0 { sums.shift(None, 0, 0, x) } else { other.shift(None, 1, 0, x) }
            }
            for (i, &x) in values.iter().enumerate() {
                if i % 2 == 1 { other.shift(Some(1), 0, 0, x); }
            }
            let (terms, from) = (&values[..values.len() / 2], |i: usize| u32::from(i % 2 == 1));
            // There and back in columns.
            let mut digits = Digits::new(terms.len());
            for back in [0, 1] {
                let pairs: Vec<(u32, u32)> = (0..terms.len()).map(|i| [(0, 1), (1, 0)][usize::from(back == from(i))]).collect();
                other.move_column(0, &pairs, terms, &mut digits);
            }
            sums.merge(other);
            prop_assert_eq!(Some(quotient(&sums.get(0), &[1.0])), exact_sum(&values).map(|x| x + 0.0));
            prop_assert_eq!(quotient(&sums.get(1), &[1.0]), 0.0);
        }
    }
}
