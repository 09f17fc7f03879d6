//! Single customers of a state: they are found, copied into a state of their own, or erased in place. The cost follows their number,
//! plus a pass over the day records and open orders. An erased customer leaves a code that did not occur.

use super::accumulator::Level;
use super::adjacent_order::AdjacentOrder;
use super::compact::{CODES_PER_CUSTOMER, FEW_CODES};
use super::customer_state::{OrderAssembly, SplitOrder, State};
use super::days::DayRecord;
use super::totals::Order;
use crate::error::Result;
use crate::group::interner::{Interner, NO_CODE};
use crate::group::keys::Keys;

/// A customer that moves: its code here, and the code of its new id among the new ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Move {
    /// The code of the customer.
    pub from: u32,
    /// The code of its new id.
    pub to: u32,
}

impl State {
    /// Which of these codes, ascending, belong to a customer with orders.
    pub(crate) fn are_known(&self, codes: &[u32]) -> Vec<bool> {
        let mut known: Vec<bool> = codes.iter().map(|&code| self.totals.is_present(code)).collect();
        if !known.iter().all(|&known| known) {
            for order in self.unfinished() {
                if let Ok(at) = codes.binary_search(&order.customer) {
                    known[at] = true;
                }
            }
        }
        known
    }

    /// Erases the customers of these codes, which ascend.
    pub(crate) fn erase(&mut self, codes: &[u32]) {
        let stays = |code: u32| codes.binary_search(&code).is_err();
        self.totals.clear(codes);
        self.accumulators.clear(Level::Customer, codes);
        if let Some(days) = &mut self.days {
            days.remove(codes);
        }
        match &mut self.lines {
            OrderAssembly::None => {}
            OrderAssembly::Any(orders) => {
                if let Some(left) = orders.remove(|customer| !stays(customer)) {
                    self.accumulators.retain(Level::Open, &left);
                    orders.compact(CODES_PER_CUSTOMER, FEW_CODES);
                }
            }
            OrderAssembly::Adjacent(ids, open) => {
                if open.current().is_some_and(|(_, order, _)| !stays(order.customer)) {
                    (**ids, *open) = (Interner::new(ids.kind()), AdjacentOrder::default());
                    self.accumulators.retain(Level::Open, &[]);
                }
            }
        }
        if !self.split_orders.iter().all(|split| stays(split.order.customer)) {
            let left = (0..).zip(&self.split_orders).filter(|(_, split)| stays(split.order.customer));
            self.accumulators.retain(Level::Split, &left.map(|(at, _)| at).collect::<Vec<u32>>());
            self.split_orders.retain(|split| stays(split.order.customer));
        }
    }

    /// A state of these customers only, ascending by code, with new ids; without tallies. Not for adjacent lines: their open order
    /// stays where it is.
    pub(crate) fn extract(&self, moves: &[Move], ids: &Keys) -> Result<Self> {
        let mut part = self.empty_like();
        let mut customers = Vec::with_capacity(moves.len());
        for &Move { from, to } in moves {
            customers.push((from, part.interner.intern_from(ids, to)?));
        }
        let own = |code: u32| customers.binary_search_by_key(&code, |(from, _)| *from).map_or(NO_CODE, |at| customers[at].1);
        part.totals.grow(part.interner.len());
        for &(from, to) in &customers {
            part.totals.copy_from(&self.totals, from, to);
        }
        part.accumulators.merge(Level::Customer, &self.accumulators, &customers)?;
        if let (Some(days), Some(from)) = (&mut part.days, &self.days) {
            let codes: Vec<u32> = moves.iter().map(|moved| moved.from).collect();
            from.of_customers(&codes, |record| days.add(DayRecord { customer: own(record.customer), ..record }));
        }
        if let (OrderAssembly::Any(orders), OrderAssembly::Any(from)) = (&mut part.lines, &self.lines) {
            let mut positions = Vec::new();
            for (at, (order, &code)) in from.orders().iter().zip(from.codes()).enumerate() {
                let customer = own(order.customer);
                if customer == NO_CODE {
                    continue;
                }
                let (code, parts) = (orders.ids.intern_from(from.ids.keys(), code)?, from.parts(at));
                // Each order is a new one: its parts are added at the next position.
                positions.push((at as u32, orders.orders().len() as u32));
                for part in if parts.is_empty() { std::slice::from_ref(&order) } else { parts } {
                    orders.add(code, &Order { customer, ..*part })?;
                }
            }
            part.accumulators.merge(Level::Open, &self.accumulators, &positions)?;
        }
        let mut positions = Vec::new();
        for (at, SplitOrder { order, parts }) in (0..).zip(&self.split_orders) {
            let customer = own(order.customer);
            if customer != NO_CODE {
                let moved = |order: &Order| Order { customer, ..*order };
                positions.push((at, part.split_orders.len() as u32));
                part.split_orders.push(SplitOrder { order: moved(order), parts: parts.iter().map(moved).collect() });
            }
        }
        part.accumulators.merge(Level::Split, &self.accumulators, &positions)?;
        Ok(part)
    }
}
