//! Drops codes without a customer.
//!
//! In the range encoding the code of an id is its offset from the first id, so there are codes for ids that never occur. While
//! rows are added, that saves a lookup per row. Afterwards memory follows the ids that occur: a state has at most
//! [`CODES_PER_CUSTOMER`] codes per customer, or is renumbered.

use super::accumulator::Level;
use super::customer_state::{OrderAssembly, State};
use super::order_log::OrderLog;
use super::totals::Codes;
use crate::error::Result;
use crate::exec::par::Threads;

/// A state may have this many codes per customer, so that ids with few gaps need no hash table.
pub(crate) const CODES_PER_CUSTOMER: usize = 2;
/// States with at most this many codes are not renumbered.
pub(super) const FEW_CODES: usize = 64;

impl State {
    /// Whether each code has a customer with orders.
    pub(crate) fn known_codes(&self) -> Vec<bool> {
        let mut known: Vec<bool> = if self.totals.are_absent() {
            let mut known = vec![false; self.interner.len()];
            if let Some(log) = &self.order_log {
                log.customers().for_each(|code| known[code as usize] = true);
            }
            known
        } else {
            (0..self.interner.len() as u32).map(|code| self.totals.is_present(code)).collect()
        };
        for order in self.unfinished() {
            known[order.customer as usize] = true;
        }
        known
    }

    /// Renumbers customers and order ids if the ratio of codes to customers exceeds [`CODES_PER_CUSTOMER`].
    pub(crate) fn compact(&mut self) -> Result<()> {
        if let OrderAssembly::Any(orders) = &mut self.lines {
            orders.compact(CODES_PER_CUSTOMER, FEW_CODES);
        }
        if self.totals.are_absent() || self.interner.len() <= FEW_CODES {
            return Ok(());
        }
        let known = self.known_codes();
        let customers = known.iter().filter(|&&known| known).count();
        if known.len() > FEW_CODES.max(CODES_PER_CUSTOMER * customers) { self.renumber(&known) } else { Ok(()) }
    }

    /// Leaves the range encoding of the customers. Customers with orders keep the order of their codes, the other ids
    /// lose them.
    pub(crate) fn leave_range(&mut self) -> Result<()> {
        if !self.interner.is_range() {
            return Ok(());
        }
        let known = self.known_codes();
        if known.iter().all(|&known| known) { self.interner.leave_range() } else { self.renumber(&known) }
    }

    /// Keeps codes for these customers only, in the same order.
    fn renumber(&mut self, known: &[bool]) -> Result<()> {
        let mut whole = self.empty_like();
        let (interner, codes) = self.interner.select(known);
        (whole.interner, whole.totals) = (interner, self.totals.empty_like());
        whole.totals.grow(whole.interner.len());
        whole.accumulators.resize(Level::Customer, whole.interner.len());
        whole.totals.merge(&self.totals, Codes::Map(&codes), 0, Threads::inline());
        let log = self.order_log.take();
        whole.absorb(self, 0, &mut |code| codes[code as usize], Threads::inline())?;
        if let Some(log) = log {
            let mut own = log.empty_like();
            own.append(log, OrderLog::by_table(&codes));
            whole.order_log = Some(own);
        }
        (whole.rows, whole.purchases) = (self.rows, self.purchases);
        (whole.first_day, whole.last_day) = (self.first_day, self.last_day);
        *self = whole;
        Ok(())
    }
}
