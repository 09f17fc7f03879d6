//! The first order of each order id, by the code of the id.
//!
//! Order ids ascend with time in most data, so each of several threads sees a range of the codes: their table is made of pages,
//! and a page takes memory once an id of it occurs.

use crate::group::interner::NO_CODE;

/// Codes of a page: 16 KiB.
const PAGE: usize = 1 << 12;

/// Positions of orders by the code of their order id; [`NO_CODE`] where the id does not occur.
#[derive(Debug, Clone, Default)]
pub(super) struct FirstOrders {
    pages: Vec<Option<Box<[u32; PAGE]>>>,
}

impl FirstOrders {
    /// The position of the first order of an id.
    #[inline]
    pub(super) fn get(&self, code: u32) -> u32 {
        let page = self.pages.get(code as usize / PAGE).and_then(Option::as_deref);
        page.map_or(NO_CODE, |page| page[code as usize % PAGE])
    }

    /// The same to be changed.
    #[inline]
    pub(super) fn slot(&mut self, code: u32) -> &mut u32 {
        let page = code as usize / PAGE;
        if page >= self.pages.len() {
            self.pages.resize_with(page + 1, || None);
        }
        &mut self.pages[page].get_or_insert_with(|| Box::new([NO_CODE; PAGE]))[code as usize % PAGE]
    }

    /// Heap bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.pages) + self.pages.iter().flatten().count() * PAGE * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_the_ids_that_occur() {
        let mut first = FirstOrders::default();
        assert_eq!(first.get(7), NO_CODE);
        *first.slot(5_000_000) = 3;
        assert_eq!((first.get(5_000_000), first.get(5_000_001), first.get(0), first.get(u32::MAX - 1)), (3, NO_CODE, NO_CODE, NO_CODE));
        assert!(first.bytes() < 64 << 10, "{}", first.bytes());
        *first.slot(5_000_000) = NO_CODE;
        assert_eq!(first.get(5_000_000), NO_CODE);
    }
}
