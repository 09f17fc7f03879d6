//! What baskets hold: interned customers, order ids and items; open baskets with sums of money, and closed ones as lists of items.

use super::run::{Entry, NO_ITEM, Run, RunBuilder, basket_of, key};
use super::spec::{BasketBy, BasketSpec};
use crate::column::chunks::InputSchema;
use crate::column::key::KeyKind;
use crate::error::Result;
use crate::exec::context::Context;
use crate::group::interner::{Interner, Keys, NO_CODE, check_room};
use crate::report::Tally;

/// What is counted of rows and baskets that are closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct BasketTallies {
    pub(super) null_id: Tally,
    pub(super) null_time: Tally,
    pub(super) nonfinite: Tally,
    pub(super) null_item: Tally,
    pub(super) null_amount: Tally,
    pub(super) rounded_amount: Tally,
    pub(super) null_order: Tally,
    /// Closed orders that are refunds.
    pub(super) refunds: Tally,
    /// Items of closed baskets whose lines sum to less than 0.
    pub(super) returned_items: Tally,
    pub(super) removed: Tally,
}

impl BasketTallies {
    /// The tallies by name.
    pub(super) fn named(&mut self) -> [(&'static str, &mut Tally); 10] {
        let Self { null_id, null_time, nonfinite, null_item, null_amount, rounded_amount, null_order, refunds, returned_items, removed } =
            self;
        [
            ("null_customer_id", null_id),
            ("null_timestamp", null_time),
            ("nonfinite_amount", nonfinite),
            ("null_item", null_item),
            ("null_amount", null_amount),
            ("rounded_amount", rounded_amount),
            ("null_order_id", null_order),
            ("refunds", refunds),
            ("returned_items", returned_items),
            ("removed", removed),
        ]
    }

    /// Adds those of rows that follow `rows_before` earlier ones.
    pub(super) fn merge(&mut self, mut other: Self, rows_before: u64) {
        for ((_, own), (_, more)) in self.named().into_iter().zip(other.named()) {
            own.merge(more, rows_before);
        }
    }
}

/// Baskets as lists of items, of which nothing else is known but the customer.
#[derive(Debug, Clone, Default)]
pub(super) struct ClosedBaskets {
    /// The customer of each, [`NO_CODE`] without one.
    pub(super) customers: Vec<u32>,
    /// Number of items of each.
    pub(super) sizes: Vec<u32>,
    /// The distinct items of each in turn.
    pub(super) items: Vec<u32>,
}

impl ClosedBaskets {
    pub(super) fn push(&mut self, customer: u32, items: &[u32]) {
        self.customers.push(customer);
        self.sizes.push(items.len() as u32);
        self.items.extend_from_slice(items);
    }

    /// Each customer with his items.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &[u32])> {
        let mut start = 0;
        self.customers.iter().zip(&self.sizes).map(move |(&customer, &size)| {
            let own = &self.items[start..start + size as usize];
            start += size as usize;
            (customer, own)
        })
    }
}

/// An open basket.
pub(super) struct OpenBasket<'a> {
    /// Its position.
    pub(super) code: u32,
    /// The items, and at last [`NO_ITEM`] if there are lines without one; with their sums of money.
    pub(super) entries: &'a [(u32, i128)],
}

impl OpenBasket<'_> {
    /// The sum of all its lines.
    pub(super) fn units(&self) -> i128 {
        self.entries.iter().map(|(_, units)| units).sum()
    }

    /// The items in the basket: those whose lines do not sum to less than 0; none of an order that is a refund. What is left out is
    /// counted.
    pub(super) fn contents(&self, by: BasketBy, items: &mut Vec<u32>, tallies: &mut BasketTallies) {
        items.clear();
        if by == BasketBy::Order {
            let units = self.units();
            if units < 0 {
                tallies.refunds.add(units, u64::MAX);
                return;
            }
        }
        for &(item, units) in self.entries.iter().filter(|(item, _)| *item != NO_ITEM) {
            if units < 0 {
                tallies.returned_items.add(units, u64::MAX);
            } else {
                items.push(item);
            }
        }
    }
}

/// What baskets hold.
#[derive(Debug, Clone)]
pub(super) struct Content {
    pub(super) items: Interner,
    pub(super) customers: Interner,
    /// Order ids, with `basket="order"`.
    pub(super) orders: Interner,
    /// Open baskets, by the codes of customer and order (or day) as one number.
    pub(super) ids: Interner,
    /// The last day of each open basket.
    pub(super) last_days: Vec<i32>,
    /// Items of open baskets.
    pub(super) open: Run,
    pub(super) closed: ClosedBaskets,
    pub(super) tallies: BasketTallies,
    pub(super) has_units: bool,
}

/// The id of an open basket.
#[inline]
pub(super) fn packed(customer: u32, other: u32) -> i64 {
    (u64::from(customer) << 32 | u64::from(other)) as i64
}

/// The codes of customer and order (or day) of an id.
#[inline]
pub(super) fn unpacked(id: i64) -> (u32, u32) {
    ((id as u64 >> 32) as u32, id as u32)
}

impl Content {
    /// No baskets.
    pub(super) fn new(spec: &BasketSpec, schema: &InputSchema) -> Self {
        let items = schema.attributes.first().map_or(KeyKind::Signed, |item| item.kind.stored());
        Self {
            items: Interner::new(items),
            customers: Interner::new(schema.id.kind()),
            orders: Interner::new(schema.order_kind().unwrap_or(KeyKind::Signed)),
            ids: Interner::new(KeyKind::Signed),
            last_days: Vec::new(),
            open: Run::default(),
            closed: ClosedBaskets::default(),
            tallies: BasketTallies::default(),
            has_units: spec.keeps_units(),
        }
    }

    /// No baskets of no items and orders, but of the same types.
    pub(super) fn empty_like(&self) -> Self {
        Self {
            items: self.items.empty_like(),
            customers: self.customers.empty_like(),
            orders: self.orders.empty_like(),
            ids: self.ids.empty_like(),
            last_days: Vec::new(),
            open: Run::default(),
            closed: ClosedBaskets::default(),
            tallies: BasketTallies::default(),
            has_units: self.has_units,
        }
    }

    /// Heap bytes.
    pub(super) fn bytes(&self) -> usize {
        let interners = [&self.items, &self.customers, &self.orders, &self.ids].map(Interner::bytes);
        let closed = 4 * (self.closed.customers.capacity() + self.closed.sizes.capacity() + self.closed.items.capacity());
        interners.iter().sum::<usize>() + 4 * self.last_days.capacity() + self.open.bytes() + closed
    }

    /// Frees the hash tables; the next update builds them again.
    pub(super) fn drop_tables(&mut self) {
        [&mut self.items, &mut self.customers, &mut self.orders, &mut self.ids].into_iter().for_each(Interner::drop_table);
        self.last_days.shrink_to_fit();
    }

    /// Amount of work for a pass over all baskets.
    pub(super) fn size(&self) -> usize {
        self.open.len() + self.closed.items.len() + self.ids.len()
    }

    /// The ids of the open baskets, in the order of their codes.
    pub(super) fn open_id(&self, code: u32) -> (u32, u32) {
        match self.ids.keys() {
            Keys::Integers(ids) => unpacked(ids[code as usize]),
            // Ids are interned by a hash table.
            _ => (NO_CODE, NO_CODE),
        }
    }

    /// Calls `see` with each open basket of which there is a line.
    pub(super) fn each_open(&self, context: &Context, mut see: impl FnMut(&OpenBasket<'_>) -> Result<()>) -> Result<()> {
        let (mut entries, mut code) = (Vec::new(), None);
        let mut until_check = 1 << 16;
        for (key, units) in self.open.entries() {
            if code != Some(basket_of(key)) {
                if let Some(code) = code {
                    see(&OpenBasket { code, entries: &entries })?;
                }
                entries.clear();
                code = Some(basket_of(key));
            }
            entries.push((key as u32, units));
            until_check -= 1;
            if until_check == 0 {
                context.check()?;
                until_check = 1 << 16;
            }
        }
        code.map_or(Ok(()), |code| see(&OpenBasket { code, entries: &entries }))
    }

    /// An error if the ids of both are too many.
    pub(super) fn check_room(&self, more: &Self) -> Result<()> {
        let pairs = [(&self.items, &more.items), (&self.customers, &more.customers), (&self.orders, &more.orders), (&self.ids, &more.ids)];
        pairs.into_iter().try_for_each(|(own, more)| check_room(own.len() + more.len()))
    }

    /// Adds the baskets of another content, which is used up.
    pub(super) fn absorb(&mut self, mut more: Self, rows_before: u64, context: &Context) -> Result<()> {
        let run = std::mem::take(&mut more.open);
        let customers = self.joined_customers(&more)?;
        self.add_parts(&more, &customers, &mut run.into_entries(), context)?;
        self.tallies.merge(more.tallies, rows_before);
        Ok(())
    }

    /// Adds the baskets of another content.
    pub(super) fn merge(&mut self, more: &Self, rows_before: u64, context: &Context) -> Result<()> {
        let customers = self.joined_customers(more)?;
        self.add_parts(more, &customers, &mut more.open.entries(), context)?;
        self.tallies.merge(more.tallies, rows_before);
        Ok(())
    }

    /// The code here of each customer of another content.
    fn joined_customers(&mut self, more: &Self) -> Result<Vec<u32>> {
        (0..more.customers.len() as u32).map(|code| self.customers.intern_from(more.customers.keys(), code)).collect()
    }

    /// Adds the baskets of another content, but not its tallies. `customers` are the codes here; [`NO_CODE`] drops a customer.
    pub(super) fn add_parts(
        &mut self,
        more: &Self,
        customers: &[u32],
        entries: &mut dyn Iterator<Item = Entry>,
        context: &Context,
    ) -> Result<()> {
        // Codes are given to what is used: baskets that are dropped may have had the only order of an id.
        let (mut items, mut orders) = (vec![NO_CODE; more.items.len()], vec![NO_CODE; more.orders.len()]);
        let mut item_of = |code: u32, own: &mut Interner| -> Result<u32> {
            if code == NO_ITEM {
                return Ok(NO_ITEM);
            }
            let known = &mut items[code as usize];
            if *known == NO_CODE {
                *known = own.intern_from(more.items.keys(), code)?;
            }
            Ok(*known)
        };
        let is_order = !more.orders.is_empty();
        let mut baskets = Vec::with_capacity(more.ids.len());
        for code in 0..more.ids.len() as u32 {
            let (customer, other) = more.open_id(code);
            let customer = match customer {
                NO_CODE => NO_CODE,
                known => match customers[known as usize] {
                    NO_CODE => {
                        baskets.push(NO_CODE);
                        continue;
                    }
                    kept => kept,
                },
            };
            let other = if is_order {
                let known = &mut orders[other as usize];
                if *known == NO_CODE {
                    *known = self.orders.intern_from(more.orders.keys(), other)?;
                }
                *known
            } else {
                other
            };
            let basket = self.ids.intern_integer(packed(customer, other))?;
            if self.last_days.len() <= basket as usize {
                self.last_days.push(i32::MIN);
            }
            let last = &mut self.last_days[basket as usize];
            *last = (*last).max(more.last_days[code as usize]);
            baskets.push(basket);
        }
        let mut builder = RunBuilder::new(self.has_units).with(std::mem::take(&mut self.open));
        for (old, units) in entries {
            let basket = baskets[basket_of(old) as usize];
            if basket != NO_CODE {
                builder.push(key(basket, item_of(old as u32, &mut self.items)?), units, context)?;
            }
        }
        self.open = builder.finish(context)?;
        let mut own = Vec::new();
        for (customer, list) in more.closed.iter() {
            let customer = match customer {
                NO_CODE => NO_CODE,
                known => match customers[known as usize] {
                    NO_CODE => continue,
                    kept => kept,
                },
            };
            own.clear();
            for &item in list {
                own.push(item_of(item, &mut self.items)?);
            }
            self.closed.push(customer, &own);
        }
        Ok(())
    }
}
