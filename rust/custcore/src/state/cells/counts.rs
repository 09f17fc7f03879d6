//! Columns of counts and sums that take as few bytes as their largest value needs.

use std::ops::Range;

/// Counts in 2, 4 or 8 bytes each.
#[derive(Debug, Clone)]
pub(crate) enum Counts {
    Small(Vec<u16>),
    Medium(Vec<u32>),
    Large(Vec<u64>),
}

impl Default for Counts {
    fn default() -> Self {
        Self::Small(Vec::new())
    }
}

impl Counts {
    /// The count at a position.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> u64 {
        match self {
            Self::Small(values) => u64::from(values[at]),
            Self::Medium(values) => u64::from(values[at]),
            Self::Large(values) => values[at],
        }
    }

    /// Adds a count; the column widens if it does not fit.
    #[inline]
    pub(crate) fn push(&mut self, value: u64) {
        match self {
            Self::Small(values) if u16::try_from(value).is_ok() => values.push(value as u16),
            Self::Medium(values) if u32::try_from(value).is_ok() => values.push(value as u32),
            Self::Large(values) => values.push(value),
            narrow => {
                *narrow = narrow.widened(u32::try_from(value).is_err());
                narrow.push(value);
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Small(values) => values.len(),
            Self::Medium(values) => values.len(),
            Self::Large(values) => values.len(),
        }
    }

    fn widened(&self, large: bool) -> Self {
        let values = (0..self.len()).map(|at| self.get(at));
        if large { Self::Large(values.collect()) } else { Self::Medium(values.map(|value| value as u32).collect()) }
    }

    /// Adds counts of another column.
    pub(crate) fn extend(&mut self, other: &Self, range: Range<usize>) {
        match (self, other) {
            (Self::Small(values), Self::Small(more)) => values.extend_from_slice(&more[range]),
            (Self::Medium(values), Self::Medium(more)) => values.extend_from_slice(&more[range]),
            (Self::Large(values), Self::Large(more)) => values.extend_from_slice(&more[range]),
            (own, other) => range.for_each(|at| own.push(other.get(at))),
        }
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Small(values) => 2 * values.capacity(),
            Self::Medium(values) => 4 * values.capacity(),
            Self::Large(values) => 8 * values.capacity(),
        }
    }

    /// Frees what is not used.
    pub(crate) fn shrink(&mut self) {
        match self {
            Self::Small(values) => values.shrink_to_fit(),
            Self::Medium(values) => values.shrink_to_fit(),
            Self::Large(values) => values.shrink_to_fit(),
        }
    }
}

/// Sums of money in units, in 8 or 16 bytes each.
#[derive(Debug, Clone)]
pub(crate) enum Sums {
    Narrow(Vec<i64>),
    Wide(Vec<i128>),
}

impl Default for Sums {
    fn default() -> Self {
        Self::Narrow(Vec::new())
    }
}

impl Sums {
    /// The sum at a position.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> i128 {
        match self {
            Self::Narrow(values) => i128::from(values[at]),
            Self::Wide(values) => values[at],
        }
    }

    /// Adds a sum; the column widens if it does not fit.
    #[inline]
    pub(crate) fn push(&mut self, value: i128) {
        match self {
            Self::Narrow(values) => {
                if let Ok(value) = i64::try_from(value) {
                    values.push(value);
                } else {
                    let mut wide: Vec<i128> = values.iter().map(|&value| i128::from(value)).collect();
                    wide.push(value);
                    *self = Self::Wide(wide);
                }
            }
            Self::Wide(values) => values.push(value),
        }
    }

    /// Adds sums of another column.
    pub(crate) fn extend(&mut self, other: &Self, range: Range<usize>) {
        match (self, other) {
            (Self::Narrow(values), Self::Narrow(more)) => values.extend_from_slice(&more[range]),
            (Self::Wide(values), Self::Wide(more)) => values.extend_from_slice(&more[range]),
            (own, other) => range.for_each(|at| own.push(other.get(at))),
        }
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Narrow(values) => 8 * values.capacity(),
            Self::Wide(values) => 16 * values.capacity(),
        }
    }

    /// Frees what is not used.
    pub(crate) fn shrink(&mut self) {
        match self {
            Self::Narrow(values) => values.shrink_to_fit(),
            Self::Wide(values) => values.shrink_to_fit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_widen_to_their_largest_value() {
        let values = [3, u64::from(u16::MAX), u64::from(u16::MAX) + 1, 7, u64::MAX, 1];
        let mut counts = Counts::default();
        for (at, &value) in values.iter().enumerate() {
            counts.push(value);
            assert_eq!((0..=at).map(|at| counts.get(at)).collect::<Vec<_>>(), values[..=at]);
        }
        let mut small = Counts::default();
        small.push(9);
        small.extend(&counts, 1..5);
        assert_eq!((0..5).map(|at| small.get(at)).collect::<Vec<_>>(), [9, values[1], values[2], values[3], values[4]]);
        let mut sums = Sums::default();
        sums.push(-4);
        sums.push(i128::from(i64::MAX) + 1);
        let mut more = Sums::default();
        more.push(2);
        more.extend(&sums, 0..2);
        assert_eq!([more.get(0), more.get(1), more.get(2)], [2, -4, i128::from(i64::MAX) + 1]);
    }
}
