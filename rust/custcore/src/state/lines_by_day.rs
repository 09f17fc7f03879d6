//! Numbers of order lines by local day.

use std::collections::BTreeMap;

use super::purchase_log::{FIRST_DAY, LAST_DAY};

/// Numbers of lines by day: a vector for the days that the purchase log can hold, and a tree for outlying ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct LinesByDay {
    /// By day from [`FIRST_DAY`], up to the last day that occurred.
    near: Vec<u64>,
    far: BTreeMap<i32, u64>,
}

impl LinesByDay {
    /// Adds lines of a day.
    #[inline]
    pub(crate) fn add(&mut self, day: i32, lines: u64) {
        if !(FIRST_DAY..=LAST_DAY).contains(&day) {
            *self.far.entry(day).or_default() += lines;
            return;
        }
        let at = (day - FIRST_DAY) as usize;
        if at >= self.near.len() {
            self.near.resize(at + 1, 0);
        }
        self.near[at] += lines;
    }

    /// Adds the lines of another part.
    pub(crate) fn merge(&mut self, other: &Self) {
        other.days().for_each(|(day, lines)| self.add(day, lines));
    }

    /// The days with lines.
    pub(crate) fn days(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        let near = (FIRST_DAY..).zip(&self.near).map(|(day, &lines)| (day, lines)).filter(|(_, lines)| *lines > 0);
        near.chain(self.far.iter().map(|(&day, &lines)| (day, lines)))
    }

    /// Approximate size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        8 * self.near.capacity() + 24 * self.far.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_near_and_far_days() {
        let (mut lines, mut more) = (LinesByDay::default(), LinesByDay::default());
        lines.add(19_000, 2);
        lines.add(-700_000, 1);
        more.add(18_000, 4);
        more.add(19_000, 3);
        more.add(2_000_000, 5);
        lines.merge(&more);
        let mut found: Vec<_> = lines.days().collect();
        found.sort_unstable();
        assert_eq!(found, [(-700_000, 1), (18_000, 4), (19_000, 5), (2_000_000, 5)]);
    }
}
