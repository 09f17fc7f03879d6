//! Columns that several threads fill piece by piece. They are allocated once and no zeros are written first: fresh memory is
//! touched once, which is most of what a column of a million customers costs.

use std::iter::repeat_with;
use std::mem::MaybeUninit;

/// The rows of a piece of a column; empty if the column is not wanted.
pub(crate) type Slots<'a, T> = &'a mut [MaybeUninit<T>];

/// A column to be filled, or one that is not wanted.
#[derive(Debug)]
pub(crate) struct NewColumn<T> {
    values: Vec<T>,
    rows: usize,
    is_wanted: bool,
}

impl<T> NewColumn<T> {
    /// A column of `rows` rows, if it is wanted.
    pub(crate) fn new(rows: usize, is_wanted: bool) -> Self {
        let rows = if is_wanted { rows } else { 0 };
        Self { values: Vec::with_capacity(rows), rows, is_wanted }
    }

    /// Its pieces of `size` rows, in order; those of a column that is not wanted are empty, and do not end.
    pub(crate) fn pieces(&mut self, size: usize) -> impl Iterator<Item = Slots<'_, T>> {
        let rest = if self.is_wanted { 0 } else { usize::MAX };
        let empty = repeat_with(|| -> Slots<'_, T> { &mut [] }).take(rest);
        self.values.spare_capacity_mut()[..self.rows].chunks_mut(size).chain(empty)
    }

    /// The filled column, if it is wanted.
    ///
    /// # Safety
    ///
    /// Every row of every piece must have been written.
    pub(crate) unsafe fn filled(mut self) -> Option<Vec<T>> {
        // SAFETY: the capacity is at least the number of rows, and the caller wrote them.
        unsafe { self.values.set_len(self.rows) };
        self.is_wanted.then_some(self.values)
    }
}

/// Writes `value` of each element of `source` to the rows from `start` on; nothing if the column is not wanted.
#[inline]
pub(crate) fn write<S: Copy, T>(out: &mut [MaybeUninit<T>], start: usize, source: &[S], value: impl Fn(S) -> T) {
    if !out.is_empty() {
        for (slot, &source) in out[start..start + source.len()].iter_mut().zip(source) {
            slot.write(value(source));
        }
    }
}
