//! How many customers have each category, and each pair of categories: exact, and only of pairs that occur.

use super::owned::Lists;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;

/// Counts of pairs by category: those of a category, with the others ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PairCounts {
    /// Start of the partners of each category, and the end.
    pub starts: Vec<usize>,
    /// The other category.
    pub partners: Vec<u32>,
    /// Customers with both.
    pub both: Vec<u32>,
}

impl PairCounts {
    /// The partners of a category, and customers with both.
    #[inline]
    pub(super) fn of(&self, category: u32) -> (&[u32], &[u32]) {
        let range = self.starts[category as usize]..self.starts[category as usize + 1];
        (&self.partners[range.clone()], &self.both[range])
    }

    /// Counts the pairs of `categories` in lists, each of which ascends. Each task takes some categories, and reads the lists of
    /// those who have them.
    pub(super) fn count(lists: &Lists, categories: usize, context: &Context) -> Result<Self> {
        if u32::try_from(lists.len()).is_err() {
            let message = "more than 4,294,967,295 customers; fit the model on a part of them";
            return Err(Error::new(ErrorKind::OutOfRange, message));
        }
        // Customers by category.
        let mut starts = vec![0_usize; categories + 1];
        lists.items().iter().for_each(|&category| starts[category as usize + 1] += 1);
        for at in 0..categories {
            starts[at + 1] += starts[at];
        }
        let (mut next, mut customers) = (starts.clone(), vec![0_u32; lists.items().len()]);
        for customer in 0..lists.len() {
            for &category in lists.get(customer) {
                customers[next[category as usize]] = customer as u32;
                next[category as usize] += 1;
            }
        }
        let count = |first: usize, last: usize| -> Result<Self> {
            let (mut counts, mut touched) = (vec![0_u32; categories], Vec::new());
            let mut found = Self { starts: Vec::with_capacity(last - first), ..Self::default() };
            for category in first..last {
                context.check()?;
                for &customer in &customers[starts[category]..starts[category + 1]] {
                    for &other in lists.get(customer as usize).iter().filter(|other| **other as usize != category) {
                        if counts[other as usize] == 0 {
                            touched.push(other);
                        }
                        counts[other as usize] += 1;
                    }
                }
                touched.sort_unstable();
                for other in touched.drain(..) {
                    found.partners.push(other);
                    found.both.push(std::mem::take(&mut counts[other as usize]));
                }
                found.starts.push(found.partners.len());
            }
            Ok(found)
        };
        let parts: Vec<Self> = context
            .run_if_large(lists.items().len(), |threads| {
                let size = categories.div_ceil(16 * threads.count()).max(1);
                threads.par_tasks((0..categories).step_by(size), |first| count(first, categories.min(first + size)))
            })?
            .into_iter()
            .collect::<Result<_>>()?;
        let mut whole = Self { starts: vec![0], ..Self::default() };
        for part in parts {
            let before = whole.partners.len();
            whole.starts.extend(part.starts.iter().map(|start| before + start));
            whole.partners.extend(part.partners);
            whole.both.extend(part.both);
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_those_of_a_double_loop() -> Result<()> {
        let (mut lists, mut state) = (Lists::default(), 7_u64);
        let mut expected = vec![vec![0_u32; 23]; 23];
        for _ in 0..400 {
            let mut items: Vec<u32> = Vec::new();
            for item in 0..23_u64 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                if (state >> 33) % 40 < item {
                    items.push(item as u32);
                }
            }
            for &a in &items {
                for &b in items.iter().filter(|&&b| b != a) {
                    expected[a as usize][b as usize] += 1;
                }
            }
            lists.push(items.into_iter());
        }
        let found = PairCounts::count(&lists, 23, &Context::new(1))?;
        for (a, row) in (0..).zip(&expected) {
            let pairs: Vec<(u32, u32)> = (0..).zip(row).filter(|(_, both)| **both > 0).map(|(b, &both)| (b, both)).collect();
            let (partners, both) = found.of(a);
            assert_eq!(partners.iter().copied().zip(both.iter().copied()).collect::<Vec<_>>(), pairs);
        }
        assert_eq!(PairCounts::count(&Lists::default(), 0, &Context::new(1))?.starts, [0]);
        Ok(())
    }
}
