//! Changes of baskets: sealing, new ids, removal.

use super::content::{BasketTallies, Content, packed};
use super::run::{RunBuilder, key};
use super::spec::BasketBy;
use super::{Baskets, Known};
use crate::column::customer_id::{CustomerId, StoredId};
use crate::column::relabelling::Relabelling;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::interner::NO_CODE;
use crate::report::Tally;

impl Baskets {
    /// Closes the baskets whose lines are all before a day: their ids and sums are dropped, and they accept no more lines.
    pub fn seal(&mut self, before: i32, context: &Context) -> Result<()> {
        if self.spec.by == BasketBy::Customer {
            let message = "baskets of customers cannot be sealed: a customer may buy again. Use basket='order' or 'day'";
            return Err(Error::new(ErrorKind::StateMismatch, message));
        }
        let Some(known) = &mut self.known else {
            return Err(Error::new(ErrorKind::StateMismatch, "there are no baskets to seal; update first"));
        };
        known.content.seal(before, self.spec.by, context)?;
        known.sealed = known.sealed.max(Some(before));
        Ok(())
    }

    /// Changes customer ids: (old, new). Baskets of customers with the same new id are those of one customer. After an error nothing has
    /// changed.
    pub fn relabel(&mut self, pairs: &[(CustomerId, CustomerId)], context: &Context) -> Result<()> {
        let by = self.spec.by;
        let Some(known) = &mut self.known else { return Ok(()) };
        let moves = Relabelling::of(&known.schema.id, pairs)?;
        let content = &known.content;
        let is_used = content.used_customers();
        let lookup = content.customers.lookup();
        let mut targets: Vec<Option<&StoredId>> = vec![None; is_used.len()];
        for (old, new) in moves.pairs() {
            if let Some(code) = lookup.find_stored(old) {
                targets[code as usize] = Some(new);
            }
        }
        let mut whole = content.empty_like();
        let mut codes = vec![NO_CODE; is_used.len()];
        for (code, _) in (0_u32..).zip(&is_used).filter(|(_, is_used)| **is_used) {
            codes[code as usize] = match targets[code as usize] {
                Some(new) => new.intern(&mut whole.customers)?,
                None => whole.customers.intern_from(content.customers.keys(), code)?,
            };
        }
        let kept = codes.iter().filter(|code| **code != NO_CODE).count();
        if by == BasketBy::Day && whole.customers.len() < kept && !content.closed.customers.is_empty() {
            let message = "two customers would become one, but the days of their sealed baskets are not known any more: a day may be in \
                           both. Relabel before seal()";
            return Err(Error::new(ErrorKind::StateMismatch, message));
        }
        whole.add_parts(content, &codes, &mut content.open.entries(), context)?;
        whole.tallies = content.tallies;
        let mut schema = known.schema.clone();
        let taken = whole.customers.lookup();
        moves.widen(&mut schema.id, |id| taken.find_stored(id).is_some())?;
        drop(taken);
        known.content = whole;
        known.schema = schema;
        Ok(())
    }

    /// Removes customers and their baskets. Returns their number. Only how many baskets they had, and their money while they were open,
    /// stay in the report.
    pub fn remove(&mut self, ids: &[CustomerId], context: &Context) -> Result<usize> {
        let Some(Known { schema, content, .. }) = &mut self.known else { return Ok(0) };
        let stored: Vec<StoredId> = ids.iter().filter_map(|id| schema.id.stored(id).transpose()).collect::<Result<_>>()?;
        let mut is_kept = content.used_customers();
        let lookup = content.customers.lookup();
        let mut removed = vec![false; is_kept.len()];
        for code in stored.iter().filter_map(|id| lookup.find_stored(id)) {
            removed[code as usize] = std::mem::take(&mut is_kept[code as usize]) || removed[code as usize];
        }
        drop(lookup);
        let is_removed = |customer: u32| customer != NO_CODE && removed[customer as usize];
        let mut tally = Tally::default();
        content.each_open(context, |basket| {
            if is_removed(content.open_id(basket.code).0) {
                tally.add(basket.units(), u64::MAX);
            }
            Ok(())
        })?;
        let closed = content.closed.customers.iter().filter(|customer| is_removed(**customer)).count();
        tally.add_many(closed as u64, 0);
        let (customers, codes) = content.customers.select(&is_kept);
        let mut whole = Content { customers, ..content.empty_like() };
        whole.add_parts(content, &codes, &mut content.open.entries(), context)?;
        whole.tallies = content.tallies;
        whole.tallies.removed.merge(&tally, 0);
        *content = whole;
        Ok(removed.iter().filter(|removed| **removed).count())
    }
}

impl Content {
    /// Whether each customer has a basket.
    pub(super) fn used_customers(&self) -> Vec<bool> {
        let mut used = vec![false; self.customers.len()];
        let open = (0..self.ids.len() as u32).map(|code| self.open_id(code).0);
        for customer in open.chain(self.closed.customers.iter().copied()).filter(|customer| *customer != NO_CODE) {
            used[customer as usize] = true;
        }
        used
    }

    /// Closes the baskets whose lines are all before a day.
    fn seal(&mut self, before: i32, by: BasketBy, context: &Context) -> Result<()> {
        let mut closed = self.closed.clone();
        let mut tallies = BasketTallies::default();
        let (mut ids, mut orders, mut last_days) = (self.ids.empty_like(), self.orders.empty_like(), Vec::new());
        let (mut builder, mut own) = (RunBuilder::new(self.has_units), Vec::new());
        let is_order = by == BasketBy::Order;
        self.each_open(context, |basket| {
            let (customer, other) = self.open_id(basket.code);
            let last = self.last_days[basket.code as usize];
            if last < before {
                basket.contents(by, &mut own, &mut tallies);
                if !own.is_empty() {
                    closed.push(customer, &own);
                }
                return Ok(());
            }
            let other = if is_order { orders.intern_from(self.orders.keys(), other)? } else { other };
            let code = ids.intern_integer(packed(customer, other))?;
            last_days.push(last);
            basket.entries.iter().try_for_each(|&(item, units)| builder.push(key(code, item), units, context))
        })?;
        let open = builder.finish(context)?;
        self.tallies.merge(tallies, 0);
        (self.closed, self.ids, self.orders, self.last_days, self.open) = (closed, ids, orders, last_days, open);
        Ok(())
    }
}
