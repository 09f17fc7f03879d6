//! The baskets of one block of a result: how many there are of each size, and their frequent items.

use super::measures::Within;
use crate::baskets::lists::BasketLists;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::group::interner::Keys;
use crate::group::sort::SortKeys;

/// Numbers from here on end the items of a basket; they tell its stratum. No position is that large.
pub(super) const ENDS: u32 = u32::MAX - 63;
/// The position of an item that is not frequent.
const NONE: u32 = u32::MAX;
/// Strata of sizes: a basket has fewer than 2^32 items.
const STRATA: usize = 33;
/// Baskets between two checks for cancelling.
const CHECKED: usize = 1 << 14;

/// The stratum of a basket of so many distinct items: ceil(log2(n)).
pub(super) fn stratum(size: usize) -> usize {
    (usize::BITS - (size.max(1) - 1).leading_zeros()) as usize
}

/// The rank of each item in the order of values.
pub(super) fn ranks(keys: &Keys, threads: Threads<'_>) -> Vec<u32> {
    let codes: Vec<u32> = (0..keys.len() as u32).collect();
    let mut ranks = vec![0; codes.len()];
    let sorted = SortKeys::of(&[keys], threads).sort(keys, &codes, threads);
    (0..).zip(sorted).for_each(|(rank, (_, code))| ranks[code as usize] = rank);
    ranks
}

/// Numbers of baskets.
#[derive(Debug, Clone)]
pub(super) struct Sizes {
    /// Baskets that count.
    pub(super) baskets: u64,
    /// Those of too few items.
    pub(super) small: u64,
    /// Baskets of each stratum.
    pub(super) strata: Vec<u64>,
    /// The sum of sizes, and of the ordered pairs of items.
    items: u64,
    pairs: u128,
}

impl Sizes {
    /// The mean lift of all pairs that sizes of baskets alone give; `None` without items.
    pub(super) fn factor(&self) -> Option<f64> {
        let square = u128::from(self.items) * u128::from(self.items);
        (square > 0).then(|| (u128::from(self.baskets) * self.pairs) as f64 / square as f64)
    }
}

/// The baskets of a block, as its frequent items.
pub(super) struct Block {
    pub(super) sizes: Sizes,
    /// The least number of baskets of a frequent item.
    pub(super) min_item: u64,
    /// The largest number of baskets of any item.
    pub(super) most: u64,
    /// The code of each frequent item by position, the rarest first.
    pub(super) items: Vec<u32>,
    /// Baskets of each frequent item.
    pub(super) support: Vec<u32>,
    /// The positions of the frequent items of each basket, ascending, and its stratum above [`ENDS`].
    pub(super) entries: Vec<u32>,
    /// For each frequent item the places in `entries` where it is; `starts` has one more entry than there are items.
    pub(super) places: Vec<u32>,
    pub(super) starts: Vec<usize>,
    /// Number of strata.
    pub(super) n_strata: usize,
    /// Baskets with the item, by position and stratum.
    in_stratum: Vec<u32>,
}

impl Block {
    /// The block of these baskets, not yet indexed; `least` gives the number of baskets that makes an item frequent, of the number of all. Baskets of
    /// fewer than `min_basket` items are left out.
    pub(super) fn of(
        lists: &BasketLists<'_>,
        chosen: &[u32],
        ranks: &[u32],
        min_basket: u64,
        least: impl FnOnce(u64) -> u64,
        context: &Context,
    ) -> Result<Self> {
        let mut sizes = Sizes { baskets: 0, small: 0, strata: vec![0; STRATA], items: 0, pairs: 0 };
        let mut support = vec![0_u32; ranks.len()];
        for part in chosen.chunks(CHECKED) {
            context.check()?;
            for &basket in part {
                let own = lists.items(basket as usize);
                let size = own.len() as u64;
                if size < min_basket {
                    sizes.small += 1;
                    continue;
                }
                sizes.baskets += 1;
                sizes.items += size;
                sizes.pairs += u128::from(size) * u128::from(size - 1);
                sizes.strata[stratum(own.len())] += 1;
                own.iter().for_each(|&item| support[item as usize] += 1);
            }
        }
        let min_item = least(sizes.baskets);
        let most = support.iter().copied().max().unwrap_or(0).into();
        let mut items: Vec<u32> = (0..ranks.len() as u32).filter(|&item| u64::from(support[item as usize]) >= min_item).collect();
        items.sort_unstable_by_key(|&item| (support[item as usize], ranks[item as usize]));
        let mut positions = vec![NONE; ranks.len()];
        (0..).zip(&items).for_each(|(position, &item)| positions[item as usize] = position);
        let own_support: Vec<u32> = items.iter().map(|&item| support[item as usize]).collect();
        drop(support);
        let n_strata = sizes.strata.iter().rposition(|&baskets| baskets > 0).map_or(0, |last| last + 1);
        let mut whole = Self {
            min_item,
            most,
            n_strata,
            in_stratum: vec![0; n_strata * items.len()],
            items,
            support: own_support,
            entries: Vec::new(),
            places: Vec::new(),
            starts: Vec::new(),
            sizes,
        };
        whole.fill(lists, chosen, &positions, min_basket, context)?;
        Ok(whole)
    }

    fn fill(&mut self, lists: &BasketLists<'_>, chosen: &[u32], positions: &[u32], min_basket: u64, context: &Context) -> Result<()> {
        let kept: u64 = self.support.iter().map(|&n| u64::from(n)).sum();
        let total = kept + self.sizes.baskets;
        if total > u64::from(u32::MAX) {
            let message = "the baskets have more than 4,294,967,295 entries of frequent items; raise the minimum, or split the baskets";
            return Err(Error::new(ErrorKind::OutOfRange, message));
        }
        self.entries.reserve_exact(total as usize);
        for part in chosen.chunks(CHECKED) {
            context.check()?;
            for &basket in part {
                let own = lists.items(basket as usize);
                if (own.len() as u64) < min_basket {
                    continue;
                }
                let start = self.entries.len();
                self.entries.extend(own.iter().map(|&item| positions[item as usize]).filter(|&position| position != NONE));
                if self.entries.len() == start {
                    continue;
                }
                let here = &mut self.entries[start..];
                here.sort_unstable();
                let (stratum, n_strata) = (stratum(own.len()), self.n_strata);
                here.iter().for_each(|&position| self.in_stratum[position as usize * n_strata + stratum] += 1);
                self.entries.push(ENDS + stratum as u32);
            }
        }
        Ok(())
    }

    /// Finds the places of items, which [`Self::places_of`] needs.
    pub(super) fn index(&mut self) {
        self.starts = Vec::with_capacity(self.items.len() + 1);
        self.starts.push(0);
        let mut end = 0;
        for &support in &self.support {
            end += support as usize;
            self.starts.push(end);
        }
        let mut next = self.starts.clone();
        self.places = vec![0; end];
        for (place, &position) in (0..).zip(&self.entries) {
            if position < ENDS {
                let at = &mut next[position as usize];
                self.places[*at] = place;
                *at += 1;
            }
        }
    }

    /// The places of an item in `entries`.
    #[inline]
    pub(super) fn places_of(&self, position: u32) -> &[u32] {
        &self.places[self.starts[position as usize]..self.starts[position as usize + 1]]
    }

    /// Baskets with an item, of each stratum.
    #[inline]
    pub(super) fn strata_of(&self, position: u32) -> &[u32] {
        &self.in_stratum[position as usize * self.n_strata..][..self.n_strata]
    }

    /// What is expected of two items in baskets of like size.
    pub(super) fn within(&self, a: &[u32], b: &[u32]) -> Within {
        let strata = self.sizes.strata.iter().zip(a).zip(b);
        Within::of(strata.map(|((&baskets, &a), &b)| (baskets, u64::from(a), u64::from(b))))
    }

    /// The positions of the frequent items in the order of values, and the place of each position in it.
    pub(super) fn orders_of_values(&self, ranks: &[u32]) -> (Vec<u32>, Vec<u32>) {
        let mut by_value: Vec<u32> = (0..self.items.len() as u32).collect();
        by_value.sort_unstable_by_key(|&position| ranks[self.items[position as usize] as usize]);
        let mut places = vec![0; by_value.len()];
        (0..).zip(&by_value).for_each(|(place, &position)| places[position as usize] = place);
        (by_value, places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strata_are_powers_of_two() {
        assert_eq!([1, 2, 3, 4, 5, 8, 9, 1 << 20].map(stratum), [0, 1, 2, 2, 3, 3, 4, 20]);
    }
}
