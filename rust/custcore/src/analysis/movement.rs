//! Customer movement from one calendar period to the next: who is new, retained, reactivated or churned. Cohorts and measures
//! count it by this kernel, from the active periods of each customer, or by the one of `period_bitmaps`.

use std::ops::AddAssign;

use hashbrown::HashMap;

use super::cohort::cell_counts::is_dense;

/// Customer movement of one period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Movement {
    /// Active customers.
    pub active: i64,
    /// Active for the first time.
    pub new: i64,
    /// Active in the previous period, too.
    pub retained: i64,
    /// Active earlier, but not in the previous period.
    pub reactivated: i64,
    /// Active in the previous period, but not in this one.
    pub churned: i64,
}

impl AddAssign for Movement {
    fn add_assign(&mut self, other: Self) {
        self.active += other.active;
        self.new += other.new;
        self.retained += other.retained;
        self.reactivated += other.reactivated;
        self.churned += other.churned;
    }
}

impl AsMut<Self> for Movement {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

/// Sums by group and period: dense if there are few rows, otherwise sparse.
#[derive(Debug, Clone)]
pub(crate) enum Sums<T> {
    /// A value for every row.
    Dense(Vec<T>),
    /// Non-empty rows.
    Sparse(HashMap<usize, T, foldhash::fast::RandomState>),
}

impl<T: Copy + Default + AddAssign> Sums<T> {
    /// Zero sums of `rows` rows for an input of `orders` orders.
    pub(crate) fn new(rows: usize, orders: usize) -> Self {
        if is_dense(rows, orders) { Self::Dense(vec![T::default(); rows]) } else { Self::Sparse(HashMap::default()) }
    }

    /// `number` rows from row `first` on, those of one group.
    pub(crate) fn periods(&mut self, first: usize, number: usize) -> Periods<'_, T> {
        Periods { sums: self, first, number }
    }

    /// The sum of a row.
    pub(crate) fn get(&self, row: usize) -> T {
        match self {
            Self::Dense(rows) => rows[row],
            Self::Sparse(rows) => rows.get(&row).copied().unwrap_or_default(),
        }
    }

    #[inline]
    fn at(&mut self, row: usize) -> &mut T {
        match self {
            Self::Dense(rows) => &mut rows[row],
            Self::Sparse(rows) => rows.entry(row).or_default(),
        }
    }

    /// Merges other sums.
    pub(crate) fn merge(&mut self, other: Self) {
        self.merge_at(other, |row| row);
    }

    /// Merges other sums, whose rows are at `place` here.
    pub(crate) fn merge_at(&mut self, other: Self, place: impl Fn(usize) -> usize) {
        match other {
            Self::Dense(rows) => rows.into_iter().enumerate().for_each(|(row, more)| *self.at(place(row)) += more),
            Self::Sparse(rows) => rows.into_iter().for_each(|(row, more)| *self.at(place(row)) += more),
        }
    }
}

impl<T> Default for Sums<T> {
    fn default() -> Self {
        Self::Dense(Vec::new())
    }
}

/// The rows of one group.
#[derive(Debug)]
pub(crate) struct Periods<'a, T> {
    sums: &'a mut Sums<T>,
    first: usize,
    number: usize,
}

impl<T: Copy + Default + AddAssign> Periods<'_, T> {
    /// The row of a period, if observed.
    #[inline]
    pub(crate) fn get(&mut self, period: usize) -> Option<&mut T> {
        if period < self.number { Some(self.sums.at(self.first + period)) } else { None }
    }
}

/// Adds the movement of a customer active in the ascending periods `active`; `known` means active before the first period.
pub(crate) fn add_movement<T>(rows: &mut Periods<'_, T>, active: &[usize], mut known: bool)
where
    T: Copy + Default + AddAssign + AsMut<Movement>,
{
    let mut before: Option<usize> = None;
    for &period in active {
        let is_next = before.is_some_and(|before| before + 1 == period);
        let Some(row) = rows.get(period).map(AsMut::as_mut) else { continue };
        row.active += 1;
        *(if is_next {
            &mut row.retained
        } else if known {
            &mut row.reactivated
        } else {
            &mut row.new
        }) += 1;
        if let Some(row) = before.filter(|_| !is_next).and_then(|left| rows.get(left + 1)) {
            row.as_mut().churned += 1;
        }
        known = true;
        before = Some(period);
    }
    if let Some(row) = before.and_then(|before| rows.get(before + 1)) {
        row.as_mut().churned += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result of `add` on `n` rows, with dense and with sparse sums.
    fn both<T: Copy + Default + AddAssign>(n: usize, add: impl Fn(&mut Periods<'_, T>)) -> [Vec<T>; 2] {
        [Sums::Dense(vec![T::default(); n]), Sums::Sparse(HashMap::default())].map(|mut sums| {
            add(&mut sums.periods(0, n));
            (0..n).map(|row| sums.get(row)).collect()
        })
    }

    #[test]
    fn movement_by_period() {
        let found = both(5, |rows: &mut Periods<'_, Movement>| {
            add_movement(rows, &[0, 1, 3], false);
            add_movement(rows, &[4], true);
        });
        for rows in found {
            let seen: Vec<[i64; 5]> = rows.iter().map(|row| [row.active, row.new, row.retained, row.reactivated, row.churned]).collect();
            assert_eq!(seen, [[1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [0, 0, 0, 0, 1], [1, 0, 0, 1, 0], [1, 0, 0, 1, 1]]);
        }
    }
}
