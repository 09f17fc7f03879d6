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
use crate::state::extract::Move;
use crate::state::open_orders::OpenOrders;
use crate::state::spec::Late;
use crate::state::totals::{Codes, Order};
use crate::time::calendar::date_text;

/// Erased customers leave their codes behind until there is one such code for this many codes.
const HOLES: usize = 4;
/// The code of a customer that has no new one yet.
const UNCHANGED: u32 = NO_CODE - 1;

impl StoredId {
    /// The code of the id, interned; an id must be of the kind of the ids.
    pub(crate) fn intern(&self, ids: &mut Interner) -> Result<u32> {
        match self {
            Self::Integer(id) => ids.intern_integer(*id),
            Self::Bytes(id) => ids.intern_bytes(id),
        }
    }
}

impl State {
    /// Copies all customers into a new state, without codes that did not occur. `change` sees the new code of each customer and the
    /// new ids before; [`NO_CODE`] drops a customer.
    fn rebuild(&mut self, change: impl FnOnce(&mut [u32], &mut Interner) -> Result<()>) -> Result<()> {
        let mut whole = self.empty_like();
        let known = self.known_codes();
        // Codes of those that do not move are given last.
        let mut codes = vec![UNCHANGED; known.len()];
        change(&mut codes, &mut whole.interner)?;
        for (code, (own, known)) in (0..).zip(codes.iter_mut().zip(known)) {
            if !known {
                *own = NO_CODE;
            } else if *own == UNCHANGED {
                *own = whole.interner.intern_from(self.interner.keys(), code)?;
            }
        }
        whole.totals.grow(whole.interner.len());
        whole.totals.merge(&self.totals, Codes::Map(&codes), 0, Threads::inline());
        whole.absorb(self, 0, &mut |code| codes[code as usize], Threads::inline())?;
        (whole.rows, whole.purchases) = (self.rows, self.purchases);
        (whole.first_day, whole.last_day) = (self.first_day, self.last_day);
        if let (Some(daily_tallies), Some(own)) = (&mut whole.daily_tallies, &self.daily_tallies) {
            daily_tallies.clone_from(own);
        }
        *self = whole;
        Ok(())
    }

    /// Changes customer ids: (old, new). If the new id exists, both are merged. After an error nothing has changed.
    pub(super) fn relabel(&mut self, pairs: &[(StoredId, StoredId)]) -> Result<()> {
        let mut ids = Interner::new(self.interner.kind());
        let mut moves = Vec::with_capacity(pairs.len());
        for (old, new) in pairs {
            moves.push((old.intern(&mut ids)?, new.intern(&mut ids)?));
        }
        let mut target: Vec<u32> = (0..ids.len() as u32).collect();
        for &(old, new) in &moves {
            target[old as usize] = new;
        }
        let found = self.interner.find_all(&ids);
        let moved = (0..).zip(found.iter().zip(&target)).filter_map(|(old, (code, &to))| code.map(|from| (old, Move { from, to })));
        let mut moves: Vec<Move> = moved.filter(|(old, moved)| *old != moved.to).map(|(_, moved)| moved).collect();
        moves.sort_unstable();
        let mut known = self.are_known(&moves.iter().map(|moved| moved.from).collect::<Vec<_>>()).into_iter();
        moves.retain(|_| known.next() == Some(true));
        if moves.is_empty() {
            return Ok(());
        }
        let is_adjacent = matches!(self.lines, OrderAssembly::Adjacent(..));
        if is_adjacent || self.has_many_holes(moves.len()) {
            return self.rebuild(|codes, whole| {
                for &Move { from, to } in &moves {
                    codes[from as usize] = whole.intern_from(ids.keys(), to)?;
                }
                Ok(())
            });
        }
        let part = self.extract(&moves, ids.keys())?;
        self.check_room(&[&part])?;
        self.erase(&moves.iter().map(|moved| moved.from).collect::<Vec<_>>());
        self.erased += moves.len();
        self.merge(&part, 0, Threads::inline())
    }

    /// Whether there is a customer of this id.
    pub(super) fn has_customer(&self, id: &StoredId) -> bool {
        self.interner.lookup().find_stored(id).is_some_and(|code| self.are_known(&[code]) == [true])
    }

    /// Removes customers. Returns their number. Their orders stay in the report as a tally. After an error nothing has changed.
    pub(super) fn remove(&mut self, ids: &[StoredId]) -> Result<usize> {
        let mut asked = Interner::new(self.interner.kind());
        for id in ids {
            id.intern(&mut asked)?;
        }
        let mut codes: Vec<u32> = self.interner.find_all(&asked).into_iter().flatten().collect();
        codes.sort_unstable();
        let mut known = self.are_known(&codes).into_iter();
        codes.retain(|_| known.next() == Some(true));
        if codes.is_empty() {
            return Ok(0);
        }
        let mut tally = Tally::default();
        for &code in codes.iter().filter(|code| (**code as usize) < self.totals.len()) {
            let (orders, rows, units) = self.totals.of(code);
            tally.merge(&Tally { count: orders, rows, units, ..Tally::default() }, 0);
        }
        for order in self.unfinished().filter(|order| codes.binary_search(&order.customer).is_ok()) {
            tally.merge(&Tally { count: 1, rows: order.lines, units: order.units, ..Tally::default() }, 0);
        }
        if self.has_many_holes(codes.len()) {
            self.rebuild(|own, _| {
                codes.iter().for_each(|&code| own[code as usize] = NO_CODE);
                Ok(())
            })?;
        } else {
            self.erase(&codes);
            self.erased += codes.len();
        }
        self.rows.removed.merge(&tally, 0);
        Ok(codes.len())
    }

    /// Whether erasing `more` customers would leave so many codes without a customer that they are worth a rebuild.
    fn has_many_holes(&self, more: usize) -> bool {
        self.erased + more > self.interner.len() / HOLES
    }

    /// Takes customers out, with all their data; `None` if there are none of them.
    pub(super) fn take_customers(&mut self, ids: &[StoredId]) -> Result<Option<Self>> {
        let mut asked = Interner::new(self.interner.kind());
        for id in ids {
            id.intern(&mut asked)?;
        }
        let found = self.interner.find_all(&asked);
        let mut moves: Vec<Move> = (0..).zip(found).filter_map(|(to, code)| code.map(|from| Move { from, to })).collect();
        moves.sort_unstable();
        let codes = |moves: &[Move]| moves.iter().map(|moved| moved.from).collect::<Vec<u32>>();
        let mut known = self.are_known(&codes(&moves)).into_iter();
        moves.retain(|_| known.next() == Some(true));
        if moves.is_empty() {
            return Ok(None);
        }
        let taken = self.extract(&moves, asked.keys())?;
        self.erase(&codes(&moves));
        self.erased += moves.len();
        Ok(Some(taken))
    }

    /// Closes the orders whose lines are all before a day, and drops their ids. After an error nothing has changed.
    pub(super) fn seal(&mut self, before: i32) -> Result<()> {
        let OrderAssembly::Any(orders) = &self.lines else { return Ok(()) };
        let is_over =
            |orders: &OpenOrders, at: usize| orders.parts(at).last().copied().unwrap_or_else(|| orders.orders().get(at)).day < before;
        // The only step that can fail comes first.
        let (left, open) = orders.select(|at| !is_over(orders, at))?;
        let OrderAssembly::Any(orders) = std::mem::replace(&mut self.lines, OrderAssembly::Any(Box::new(left))) else { return Ok(()) };
        let mut closed = ClosedOrders::default();
        self.totals.grow(self.interner.len());
        for (at, order) in orders.orders().iter().enumerate().filter(|(at, _)| is_over(&orders, *at)) {
            self.close_order(at as u32, &order, orders.parts(at), &mut closed);
        }
        self.promote(&closed);
        self.accumulators.retain(Level::Open, &open);
        if let Some(days) = &mut self.days {
            days.flush();
        }
        Ok(())
    }

    /// The positions of orders with late lines: all lines are before `sealed`, and the order is open in none of the
    /// `bases`. An error if late lines are not allowed.
    pub(super) fn late_orders(&self, bases: &[&Self], sealed: i32, late: Late) -> Result<Vec<usize>> {
        let OrderAssembly::Any(orders) = &self.lines else { return Ok(Vec::new()) };
        let mut refused: Vec<usize> = Vec::new();
        let open = bases.iter().filter_map(|base| match &base.lines {
            OrderAssembly::Any(open) => Some((base.interner.lookup(), &**open, open.ids.lookup())),
            _ => None,
        });
        let open: Vec<_> = open.collect();
        for (at, (order, &code)) in orders.orders().iter().zip(orders.codes()).enumerate() {
            if orders.parts(at).last().unwrap_or(&order).day >= sealed {
                continue;
            }
            let is_open = open.iter().any(|(customers, open, ids)| {
                let known = customers.find(self.interner.keys(), order.customer).zip(ids.find(orders.ids.keys(), code));
                known.is_some_and(|(customer, id)| open.position(id, customer).is_some())
            });
            if !is_open {
                refused.push(at);
            }
        }
        let Some(first) = refused.iter().map(|&at| orders.orders().get(at)).min_by_key(|order| order.first_row) else { return Ok(refused) };
        if late == Late::Error {
            // The rows of a base that was read from a file are not known.
            let row = Some(first.first_row).filter(|&row| row != u64::MAX);
            let subject = row.map_or_else(|| "there".to_owned(), |row| format!("row {row}"));
            let message = format!(
                "{subject} is a line of {} of an order that is not open, and orders are sealed before {} ({} such orders). Leave such \
                 lines out, or build the base with late='report' to have them counted",
                date_text(first.day),
                date_text(sealed),
                refused.len()
            );
            let error = Error::new(ErrorKind::StateMismatch, message);
            return Err(if let Some(row) = row { error.at_row(row) } else { error });
        }
        Ok(refused)
    }

    /// Removes the orders at these ascending positions and counts their lines as late. After an error nothing has changed.
    pub(super) fn leave_out_late(&mut self, refused: &[usize]) -> Result<()> {
        let OrderAssembly::Any(orders) = &self.lines else { return Ok(()) };
        if refused.is_empty() {
            return Ok(());
        }
        // The only step that can fail comes first.
        let (left, open) = orders.select(|at| refused.binary_search(&at).is_err())?;
        for order in refused.iter().map(|&at| orders.orders().get(at)) {
            self.rows.late.merge(&Tally { count: order.lines, rows: order.lines, units: order.units, first_row: order.first_row }, 0);
        }
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
