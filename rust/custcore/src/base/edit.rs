//! Changes of a base: sealing, relabelling and removal of customers, carrying over an open order.

use crate::column::customer_id::StoredId;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::Threads;
use crate::group::interner::{Interner, NO_CODE};
use crate::report::Tally;
use crate::state::accumulator::Level;
use crate::state::add_lines::ClosedOrders;
use crate::state::adjacent_order::AdjacentOrder;
use crate::state::customer_state::{OrderAssembly, State};
use crate::state::spec::Late;
use crate::state::totals::{Codes, Order};
use crate::time::calendar::date_text;

impl StoredId {
    /// The code of the id, interned; an id must be of the kind of the ids.
    fn intern(&self, ids: &mut Interner) -> Result<u32> {
        match self {
            Self::Integer(id) => ids.intern_integer(*id),
            Self::Bytes(id) => ids.intern_bytes(id),
        }
    }
}

impl State {
    /// Maps each customer to `target`; [`NO_CODE`] drops the customer.
    fn with_customers(&self, known: &[bool], target: &[u32]) -> Result<Self> {
        let mut whole = self.empty_like();
        let mut codes = vec![NO_CODE; known.len()];
        for ((code, known), target) in codes.iter_mut().zip(known).zip(target) {
            if *known && *target != NO_CODE {
                *code = whole.interner.intern_from(self.interner.keys(), *target)?;
            }
        }
        whole.totals.grow(whole.interner.len());
        whole.totals.merge(&self.totals, Codes::Map(&codes), 0, Threads::inline());
        whole.absorb(self, 0, &mut |code| codes[code as usize])?;
        (whole.rows, whole.purchases) = (self.rows, self.purchases);
        (whole.first_day, whole.last_day) = (self.first_day, self.last_day);
        if let (Some(daily_tallies), Some(own)) = (&mut whole.daily_tallies, &self.daily_tallies) {
            daily_tallies.clone_from(own);
        }
        Ok(whole)
    }

    /// Changes customer ids: (old, new). If the new id exists, both are merged.
    pub(super) fn relabel(&mut self, pairs: &[(StoredId, StoredId)]) -> Result<()> {
        let mut ids = self.interner.clone();
        let before = ids.len();
        let mut moves = Vec::with_capacity(pairs.len());
        for (old, new) in pairs {
            moves.push((old.intern(&mut ids)?, new.intern(&mut ids)?));
        }
        let mut known = self.known_codes();
        known.resize(ids.len(), false);
        let mut target: Vec<u32> = (0..ids.len() as u32).collect();
        for &(old, new) in &moves {
            target[old as usize] = new;
        }
        if moves.iter().all(|&(old, new)| old == new || old as usize >= before || !known[old as usize]) {
            return Ok(());
        }
        let old = std::mem::replace(&mut self.interner, ids);
        match self.with_customers(&known, &target) {
            Ok(moved) => *self = moved,
            Err(error) => {
                self.interner = old;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Whether there is a customer of this id.
    pub(super) fn has_customer(&self, id: &StoredId) -> bool {
        let code = self.interner.lookup().find_stored(id);
        code.is_some_and(|code| self.known_codes().get(code as usize).is_some_and(|&known| known))
    }

    /// Removes customers. Returns their number. Their orders stay in the report as a tally.
    pub(super) fn remove(&mut self, ids: &[StoredId]) -> Result<usize> {
        let mut interner = self.interner.clone();
        let mut target: Vec<u32> = (0..interner.len() as u32).collect();
        for id in ids {
            let code = id.intern(&mut interner)? as usize;
            if let Some(target) = target.get_mut(code) {
                *target = NO_CODE;
            }
        }
        let known = self.known_codes();
        let gone = |code: u32| target[code as usize] == NO_CODE && known[code as usize];
        let removed = (0..target.len() as u32).filter(|&code| gone(code)).count();
        if removed == 0 {
            return Ok(0);
        }
        let mut tally = Tally::default();
        for code in (0..self.totals.len() as u32).filter(|&code| gone(code)) {
            let (orders, rows, units) = self.totals.of(code);
            tally.merge(&Tally { count: orders, rows, units, ..Tally::default() }, 0);
        }
        for (order, _, _) in self.waiting().filter(|(order, _, _)| gone(order.customer)) {
            tally.merge(&Tally { count: 1, rows: order.lines, units: order.units, ..Tally::default() }, 0);
        }
        *self = self.with_customers(&known, &target)?;
        self.rows.removed.merge(&tally, 0);
        Ok(removed)
    }

    /// Closes the orders whose lines are all before a day, and drops their ids.
    pub(super) fn seal(&mut self, before: i32) -> Result<()> {
        let OrderAssembly::Any(orders) = std::mem::replace(&mut self.lines, OrderAssembly::None) else { return Ok(()) };
        let is_over = |at: usize| orders.parts(at).last().unwrap_or(&orders.orders()[at]).day < before;
        let (left, open) = orders.select(|at| !is_over(at))?;
        let mut closed = ClosedOrders::default();
        self.totals.grow(self.interner.len());
        for (at, order) in orders.orders().iter().enumerate().filter(|(at, _)| is_over(*at)) {
            self.close_order(at as u32, order, orders.parts(at), &mut closed);
        }
        self.promote(&closed);
        self.accumulators.retain(Level::Open, &open);
        if let Some(days) = &mut self.days {
            days.flush();
        }
        self.lines = OrderAssembly::Any(Box::new(left));
        Ok(())
    }

    /// The positions of orders with late lines: all lines are before `sealed`, and the order is not open in
    /// `base`. An error if late lines are not allowed.
    pub(super) fn late_orders(&self, base: &Self, sealed: i32, late: Late) -> Result<Vec<usize>> {
        let (OrderAssembly::Any(orders), OrderAssembly::Any(open)) = (&self.lines, &base.lines) else { return Ok(Vec::new()) };
        let mut refused: Vec<usize> = Vec::new();
        let (customers, ids) = (base.interner.lookup(), open.ids.lookup());
        for (at, (order, &code)) in orders.orders().iter().zip(orders.codes()).enumerate() {
            if orders.parts(at).last().unwrap_or(order).day >= sealed {
                continue;
            }
            let known = customers.find(self.interner.keys(), order.customer).zip(ids.find(orders.ids.keys(), code));
            if known.and_then(|(customer, id)| open.position(id, customer)).is_none() {
                refused.push(at);
            }
        }
        let Some(first) = refused.iter().map(|&at| orders.orders()[at]).min_by_key(|order| order.first_row) else { return Ok(refused) };
        if late == Late::Error {
            let message = format!(
                "row {} is a line of {} of an order that is not open, and orders are sealed before {} ({} such orders). Leave such lines \
                 out, or build the base with late='report' to have them counted",
                first.first_row,
                date_text(first.day),
                date_text(sealed),
                refused.len()
            );
            return Err(Error::new(ErrorKind::StateMismatch, message).at_row(first.first_row));
        }
        Ok(refused)
    }

    /// Removes the orders at these ascending positions and counts their lines as late.
    pub(super) fn leave_out_late(&mut self, refused: &[usize]) -> Result<()> {
        let OrderAssembly::Any(orders) = &self.lines else { return Ok(()) };
        if refused.is_empty() {
            return Ok(());
        }
        for order in refused.iter().map(|&at| orders.orders()[at]) {
            self.rows.late.merge(&Tally { count: order.lines, rows: order.lines, units: order.units, first_row: order.first_row }, 0);
        }
        let (left, open) = orders.select(|at| refused.binary_search(&at).is_err())?;
        self.accumulators.retain(Level::Open, &open);
        self.lines = OrderAssembly::Any(Box::new(left));
        Ok(())
    }

    /// A state with the open order, which may continue in the next update; `None` if no order is open.
    pub(super) fn carried_order(&self) -> Result<Option<Self>> {
        let OrderAssembly::Adjacent(ids, open) = &self.lines else { return Ok(None) };
        let Some((code, order, parts)) = open.current() else { return Ok(None) };
        let mut next = self.empty_like();
        let customer = next.interner.intern_from(self.interner.keys(), order.customer)?;
        let mut order_ids = Interner::new(ids.kind());
        let code = order_ids.intern_from(ids.keys(), code)?;
        next.accumulators.merge(Level::Open, &self.accumulators, &[(0, 0)])?;
        let mut carried = AdjacentOrder::default();
        for part in if parts.is_empty() { std::slice::from_ref(order) } else { parts } {
            // Every update counts its rows from 0.
            carried.add(code, &Order { customer, first_row: u64::MAX, ..*part });
        }
        next.totals.grow(next.interner.len());
        next.lines = OrderAssembly::Adjacent(Box::new(order_ids), carried);
        Ok(Some(next))
    }
}
