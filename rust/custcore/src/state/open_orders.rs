//! Open orders: lines are grouped by (customer, order id), in any row order.
//!
//! Whether an order is a purchase depends on the sum of all its lines, so orders stay open until all lines are read. The
//! same order id of another customer is another order. If the lines of an order are adjacent
//! ([`super::adjacent_order::AdjacentOrder`]), only the last order is open.
//!
//! A base with snapshots as of past days keeps split orders (lines on several days) as parts by local day ([`OrderParts`]): as
//! of a day in between, only the lines up to that day count.

use std::collections::HashMap;

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::first_orders::FirstOrders;
use super::order_lines::{LineBlock, OrderParts, add_part};
use super::order_list::OrderList;
use super::totals::Order;
use crate::column::BLOCK;
use crate::column::mark::{RETURNING, START};
use crate::error::{Error, ErrorKind, Result};
use crate::group::interner::{Interner, NO_CODE};

/// Owner of an order id that occurs in several parts.
const SEVERAL: u16 = u16::MAX;

/// The open orders by (customer, order id).
#[derive(Debug, Clone)]
pub(crate) struct OpenOrders {
    /// Order ids.
    pub ids: Interner,
    orders: OrderList,
    /// Code of the order id of each order.
    codes: Vec<u32>,
    /// By code of the order id: the order of the first customer with this id, almost always the only one. [`NO_CODE`] if
    /// the id does not occur.
    first: FirstOrders,
    /// Orders of further customers with the same id; orders of all customers if sparse.
    others: HashTable<u32>,
    /// Whether unused ids take no memory, at the cost of a hash lookup per part of an order.
    is_sparse: bool,
    hasher: RandomState,
    /// Parts by position, if parts are kept.
    parts: Option<HashMap<u32, OrderParts, RandomState>>,
}

impl OpenOrders {
    /// No orders. `ids` encodes the order ids; with `by_day` parts are kept.
    pub(crate) fn new(ids: Interner, by_day: bool) -> Self {
        Self {
            ids,
            orders: OrderList::default(),
            codes: Vec::new(),
            first: FirstOrders::default(),
            others: HashTable::new(),
            is_sparse: false,
            hasher: RandomState::default(),
            parts: by_day.then(HashMap::default),
        }
    }

    /// Uses a hash lookup instead of a table by code, for order ids much sparser than the orders. Only while empty.
    pub(crate) fn make_sparse(&mut self) {
        self.is_sparse = self.orders.is_empty();
    }

    /// Drops the codes of unused order ids.
    fn select_codes(&mut self) {
        let mut is_used = vec![false; self.ids.len()];
        self.codes.iter().for_each(|&code| is_used[code as usize] = true);
        let (ids, own) = self.ids.select(&is_used);
        self.ids = ids;
        self.codes.iter_mut().for_each(|code| *code = own[*code as usize]);
        self.index();
    }

    /// Rebuilds the index of the orders.
    fn index(&mut self) {
        self.is_sparse = false;
        self.first = FirstOrders::default();
        self.others = HashTable::new();
        let (orders, codes, hasher) = (&self.orders, &self.codes, &self.hasher);
        let hash = |position: &u32| hasher.hash_one((codes[*position as usize], orders.customer(*position as usize)));
        for (position, &code) in (0..).zip(codes) {
            let first = self.first.slot(code);
            if *first == NO_CODE {
                *first = position;
            } else {
                self.others.insert_unique(hash(&position), position, hash);
            }
        }
    }

    /// Drops the codes of unused order ids if there are more than `few` codes and more than `per_order` codes per order.
    pub(crate) fn compact(&mut self, per_order: usize, few: usize) {
        if self.ids.len() > few.max(per_order * self.orders.len()) {
            self.select_codes();
        } else if self.is_sparse {
            self.index();
        }
    }

    /// Leaves the range encoding of the order ids. Used ids keep the order of their codes, unused ids lose them.
    pub(crate) fn leave_range(&mut self) -> Result<()> {
        if !self.ids.is_range() {
            return Ok(());
        }
        self.select_codes();
        self.ids.leave_range()
    }

    /// An empty instance with the same settings.
    #[must_use]
    pub(crate) fn empty_like(&self) -> Self {
        Self::new(self.ids.empty_like(), self.parts.is_some())
    }

    /// A subset of the orders, and their positions here.
    pub(crate) fn select(&self, keep: impl Fn(usize) -> bool) -> Result<(Self, Vec<u32>)> {
        let (mut left, mut positions) = (self.empty_like(), Vec::new());
        for (at, (order, &code)) in self.orders.iter().zip(&self.codes).enumerate().filter(|(at, _)| keep(*at)) {
            let code = left.ids.intern_from(self.ids.keys(), code)?;
            let parts = self.parts(at);
            for part in if parts.is_empty() { std::slice::from_ref(&order) } else { parts } {
                left.add(code, part)?;
            }
            positions.push(at as u32);
        }
        Ok((left, positions))
    }

    /// Removes the orders of some customers. Returns the former position of each order left; `None` if none was removed.
    pub(crate) fn remove(&mut self, is_removed: impl Fn(u32) -> bool) -> Option<Vec<u32>> {
        let removed: Vec<u32> =
            (0..).zip(self.orders.customers()).filter(|(_, customer)| is_removed(*customer)).map(|(at, _)| at).collect();
        if removed.is_empty() {
            return None;
        }
        let mut left: Vec<u32> = (0..self.orders.len() as u32).collect();
        let mut is_freed = false;
        // From the end: the last order takes the place of a removed one, so it must stay itself.
        for &position in removed.iter().rev() {
            is_freed |= self.swap_remove(position);
            left.swap_remove(position as usize);
        }
        if is_freed && !self.others.is_empty() {
            self.fill_first();
        }
        Some(left)
    }

    /// Removes the order at a position; the last order takes its place. Returns whether it was the first of its order id. The
    /// caller has to call [`OpenOrders::fill_first`] then.
    fn swap_remove(&mut self, position: u32) -> bool {
        let (at, last) = (position as usize, self.orders.len() as u32 - 1);
        let hash = |at: usize| self.hasher.hash_one((self.codes[at], self.orders.customer(at)));
        let is_first = |at: usize| !self.is_sparse && self.first.get(self.codes[at]) == at as u32;
        let (was_first, last_is_first) = (is_first(at), is_first(last as usize));
        if was_first {
            *self.first.slot(self.codes[at]) = NO_CODE;
        } else if let Ok(entry) = self.others.find_entry(hash(at), |other| *other == position) {
            entry.remove();
        }
        if position != last {
            if last_is_first {
                *self.first.slot(self.codes[last as usize]) = position;
            } else if let Some(other) = self.others.find_mut(hash(last as usize), |other| *other == last) {
                *other = position;
            }
        }
        self.orders.swap_remove(at);
        self.codes.swap_remove(at);
        if let Some(all) = &mut self.parts {
            all.remove(&position);
            if let Some(parts) = all.remove(&last) {
                all.insert(position, parts);
            }
        }
        was_first
    }

    /// Makes another order the first of each order id whose first one was removed.
    fn fill_first(&mut self) {
        for (position, &code) in (0_u32..).zip(&self.codes) {
            let first = self.first.slot(code);
            if *first == NO_CODE {
                *first = position;
                let hash = self.hasher.hash_one((code, self.orders.customer(position as usize)));
                if let Ok(entry) = self.others.find_entry(hash, |other| *other == position) {
                    entry.remove();
                }
            }
        }
    }

    /// Whether parts by day are kept.
    pub(crate) fn is_by_day(&self) -> bool {
        self.parts.is_some()
    }

    /// The parts by day of the order at a position; empty if all lines are of one day.
    pub(crate) fn parts(&self, position: usize) -> &[Order] {
        self.parts.as_ref().and_then(|parts| parts.get(&(position as u32))).map_or(&[], Vec::as_slice)
    }

    /// The codes of the order ids, by position.
    pub(crate) fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The position of an order; `None` if it is not open.
    pub(crate) fn position(&self, code: u32, customer: u32) -> Option<usize> {
        if !self.is_sparse {
            let first = self.first.get(code);
            if first == NO_CODE {
                return None;
            }
            if self.orders.customer(first as usize) == customer {
                return Some(first as usize);
            }
        }
        let is_same = |position: &u32| self.codes[*position as usize] == code && self.orders.customer(*position as usize) == customer;
        self.others.find(self.hasher.hash_one((code, customer)), is_same).map(|&position| position as usize)
    }

    /// Approximate size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let parts = self
            .parts
            .iter()
            .flat_map(|parts| parts.values())
            .map(|parts| 16 + size_of::<OrderParts>() + parts.capacity() * size_of::<Order>());
        self.orders.bytes()
            + 4 * self.codes.capacity()
            + self.first.bytes()
            + self.others.allocation_size()
            + parts.sum::<usize>()
            + self.ids.bytes()
    }

    /// All orders.
    pub(crate) fn orders(&self) -> &OrderList {
        &self.orders
    }

    /// Adds lines. Adjacent lines of an order are added as one part; the ends of the runs are found without a branch, and
    /// the amount of a run is the difference of two prefix sums.
    pub(crate) fn add_lines(&mut self, lines: &LineBlock<'_>) -> Result<()> {
        let LineBlock { orders, customers, days, units, first_row } = *lines;
        let by_day = self.is_by_day();
        let (mut ends, mut sums, mut runs, mut sum) = ([0_u16; BLOCK], [0_i64; BLOCK], 0, 0_i64);
        let last = orders.len().saturating_sub(1);
        for (row, &units) in units.iter().enumerate().take(orders.len()) {
            let next = last.min(row + 1);
            let is_other = (orders[row] != orders[next]) | (customers[row] != customers[next]) | (by_day & (days[row] != days[next]));
            sum = sum.wrapping_add(units);
            ends[runs] = row as u16;
            sums[runs] = sum;
            runs += usize::from(is_other | (row == last));
        }
        let (mut start, mut before) = (0, 0);
        for (&end, &sum) in ends[..runs].iter().zip(&sums) {
            let end = usize::from(end);
            let part = Order {
                customer: customers[start],
                day: days[start..=end].iter().fold(days[start], |least, &day| least.min(day)),
                units: i128::from(sum.wrapping_sub(before)),
                lines: (end + 1 - start) as u64,
                first_row: first_row + start as u64,
                amount_is_null: false,
                marks: START | RETURNING,
            };
            self.add(orders[start], &part)?;
            (start, before) = (end + 1, sum);
        }
        Ok(())
    }

    /// An error if the number of orders exceeds 32 bits.
    pub(crate) fn check_room(orders: usize) -> Result<()> {
        u32::try_from(orders)
            .map(drop)
            .map_err(|_| Error::new(ErrorKind::OutOfRange, "more than 4,294,967,295 orders; split the data by a range of customer ids"))
    }

    /// Adds a part of order `code` of its customer. Returns the position of the order.
    pub(crate) fn add(&mut self, code: u32, part: &Order) -> Result<u32> {
        let next = self.orders.len() as u32;
        Self::check_room(self.orders.len() + 1)?;
        let mut first = if self.is_sparse { None } else { Some(self.first.slot(code)) };
        let position = if let Some(first) = first.as_deref_mut().filter(|first| **first == NO_CODE) {
            *first = next;
            next
        } else if let Some(first) = first.filter(|first| self.orders.customer(**first as usize) == part.customer) {
            *first
        } else {
            let (orders, codes, hasher) = (&self.orders, &self.codes, &self.hasher);
            let hash = |position: &u32| hasher.hash_one((codes[*position as usize], orders.customer(*position as usize)));
            let is_same = |position: &u32| codes[*position as usize] == code && orders.customer(*position as usize) == part.customer;
            match self.others.entry(hasher.hash_one((code, part.customer)), is_same, hash) {
                Entry::Occupied(entry) => *entry.get(),
                Entry::Vacant(entry) => *entry.insert(next).get(),
            }
        };
        if position == next {
            self.orders.push(part);
            self.codes.push(code);
        } else {
            if let Some(all) = &mut self.parts {
                let order = self.orders.get(position as usize);
                if order.day != part.day {
                    add_part(all.entry(position).or_default(), &order, part);
                } else if let Some(parts) = all.get_mut(&position) {
                    add_part(parts, &order, part);
                }
            }
            self.orders.join(position as usize, part);
        }
        Ok(position)
    }

    /// Moves orders whose ids occur in several parts to the first part, so that every order is complete. In the other parts only
    /// [`OpenOrders::orders`] is valid afterwards. Returns false, without a change, if the codes of the order ids are not
    /// the same in all parts, or parts by day are kept.
    pub(crate) fn gather_shared(parts: &mut [&mut Self]) -> Result<bool> {
        let Some((whole, others)) = parts.split_first_mut() else { return Ok(false) };
        let is_same = |part: &&mut Self| part.parts.is_none() && part.ids.keys().is_same_range(whole.ids.keys());
        if whole.parts.is_some() || !others.iter().all(is_same) {
            return Ok(false);
        }
        // By code: the part in which it occurs, counted from 1.
        let longest = others.iter().map(|part| part.ids.len()).fold(whole.ids.len(), usize::max);
        let mut owners = vec![0_u16; longest];
        for (part, number) in std::iter::once(&*whole).chain(others.iter()).zip((1..SEVERAL).cycle()) {
            for &code in &part.codes {
                let owner = &mut owners[code as usize];
                *owner = if *owner == 0 || *owner == number { number } else { SEVERAL };
            }
        }
        for part in others {
            let (codes, mut result) = (std::mem::take(&mut part.codes), Ok(()));
            part.orders.retain(|at, order| {
                let code = codes[at];
                let stays = owners[code as usize] != SEVERAL;
                if !stays && result.is_ok() {
                    result = whole.add(code, order).map(drop);
                }
                stays
            });
            result?;
            (part.first, part.others) = (FirstOrders::default(), HashTable::new());
        }
        Ok(true)
    }

    /// Adds the orders of another part. `customer` maps its customer codes, and its rows were counted from
    /// `rows_before`. `moved` is called with the position there and here of each order.
    pub(crate) fn merge(
        &mut self,
        other: &Self,
        rows_before: u64,
        mut customer: impl FnMut(u32) -> u32,
        mut moved: impl FnMut(u32, u32),
    ) -> Result<()> {
        let same = self.ids.keys().is_same_range(other.ids.keys());
        if same {
            self.ids.extend_range(other.ids.len());
        } else if !self.ids.keeps_range_with(other.ids.keys(), other.codes.iter().copied()) {
            self.leave_range()?;
        }
        if self.is_sparse {
            self.index();
        }
        for (at, (order, &code)) in other.orders.iter().zip(&other.codes).enumerate() {
            let customer = customer(order.customer);
            if customer == NO_CODE {
                continue;
            }
            let own = if same { code } else { self.ids.intern_from(other.ids.keys(), code)? };
            let parts = other.parts(at);
            let mut position = 0;
            for part in if parts.is_empty() { std::slice::from_ref(&order) } else { parts } {
                position = self.add(own, &Order { customer, first_row: part.first_row.saturating_add(rows_before), ..*part })?;
            }
            moved(at as u32, position);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "open_orders_tests.rs"]
mod tests;
