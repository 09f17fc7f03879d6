//! Columns of day records, as narrow as their values allow.

use std::mem::size_of;
use std::ops::Range;

use super::stats::{FIRST_DAY, LAST_DAY};

/// A narrow form of values of type `L`.
pub(super) trait Narrow<L>: Copy {
    /// The narrow form of a value; `None` if it does not fit.
    fn narrow(value: L) -> Option<Self>;
    /// The value.
    fn widen(self) -> L;
}

/// A day as offset from the first day of the 16-bit encoding.
impl Narrow<i32> for u16 {
    #[inline]
    fn narrow(day: i32) -> Option<Self> {
        (FIRST_DAY..=LAST_DAY).contains(&day).then_some((day - FIRST_DAY) as Self)
    }
    #[inline]
    fn widen(self) -> i32 {
        FIRST_DAY + i32::from(self)
    }
}

/// A count.
impl Narrow<u32> for u16 {
    #[inline]
    fn narrow(count: u32) -> Option<Self> {
        Self::try_from(count).ok()
    }
    #[inline]
    fn widen(self) -> u32 {
        u32::from(self)
    }
}

/// An amount in units.
impl Narrow<i128> for i64 {
    #[inline]
    fn narrow(units: i128) -> Option<Self> {
        Self::try_from(units).ok()
    }
    #[inline]
    fn widen(self) -> i128 {
        i128::from(self)
    }
}

/// A column that is narrow until a value does not fit.
#[derive(Debug, Clone)]
pub(super) enum Column<S, L> {
    Narrow(Vec<S>),
    Wide(Vec<L>),
}

/// Local days.
pub(super) type Days = Column<u16, i32>;
/// Counts.
pub(super) type Counts = Column<u16, u32>;
/// Amounts in units.
pub(super) type Units = Column<i64, i128>;

impl<S, L> Default for Column<S, L> {
    fn default() -> Self {
        Self::Narrow(Vec::new())
    }
}

impl<S: Narrow<L>, L: Copy> Column<S, L> {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self::Narrow(Vec::with_capacity(capacity))
    }

    /// A column of one value.
    pub(super) fn of(value: L, len: usize, capacity: usize) -> Self {
        let mut column = Self::with_capacity(capacity.max(len));
        column.fill(value, len);
        column
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> L {
        match self {
            Self::Narrow(values) => values[at].widen(),
            Self::Wide(values) => values[at],
        }
    }

    /// The narrow values, to append to them, while all are narrow.
    #[inline]
    pub(super) fn narrow_mut(&mut self) -> Option<&mut Vec<S>> {
        if let Self::Narrow(values) = self { Some(values) } else { None }
    }

    #[inline]
    pub(super) fn push(&mut self, value: L) {
        match (&mut *self, S::narrow(value)) {
            (Self::Narrow(values), Some(value)) => values.push(value),
            _ => self.push_wide(value),
        }
    }

    #[cold]
    fn push_wide(&mut self, value: L) {
        match self {
            Self::Narrow(values) => {
                let mut wide = Vec::with_capacity(values.capacity().max(values.len() + 1));
                wide.extend(values.iter().map(|value| value.widen()));
                wide.push(value);
                *self = Self::Wide(wide);
            }
            Self::Wide(values) => values.push(value),
        }
    }

    pub(super) fn pop(&mut self) {
        match self {
            Self::Narrow(values) => drop(values.pop()),
            Self::Wide(values) => drop(values.pop()),
        }
    }

    /// Appends a value several times.
    pub(super) fn fill(&mut self, value: L, times: usize) {
        match (&mut *self, S::narrow(value)) {
            (Self::Narrow(values), Some(value)) => values.resize(values.len() + times, value),
            (Self::Wide(values), _) => values.resize(values.len() + times, value),
            (Self::Narrow(_), None) => (0..times).for_each(|_| self.push(value)),
        }
    }

    /// Appends a range of another column.
    #[inline]
    pub(super) fn append(&mut self, other: &Self, range: Range<usize>) {
        match (self, other) {
            (Self::Narrow(values), Self::Narrow(more)) => values.extend_from_slice(&more[range]),
            (Self::Wide(values), Self::Wide(more)) => values.extend_from_slice(&more[range]),
            (Self::Wide(values), Self::Narrow(more)) => values.extend(more[range].iter().map(|value| value.widen())),
            (own, Self::Wide(more)) => more[range].iter().for_each(|&value| own.push(value)),
        }
    }

    /// Gives back the capacity that is not used, where it is worth a copy.
    pub(super) fn shrink(&mut self) {
        match self {
            Self::Narrow(values) => shrink(values),
            Self::Wide(values) => shrink(values),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Narrow(values) => values.capacity() * size_of::<S>(),
            Self::Wide(values) => values.capacity() * size_of::<L>(),
        }
    }
}

/// Gives back the capacity of a column that is not used, where it is more than a hundredth or so.
pub(super) fn shrink<T>(values: &mut Vec<T>) {
    if values.capacity() - values.len() > values.len() / 128 {
        values.shrink_to_fit();
    }
}
