//! Rows and order lines into a state: which orders they make, and what those count as.

use super::accumulator::{Level, RowBlock};
use super::customer_state::{OrderAssembly, SplitOrder, State};
use super::order_lines::{LineBlock, OrderLine, OrderParts};
use super::totals::{Order, OrderClass};
use crate::column::BLOCK;
use crate::column::mark::PURCHASE;
use crate::error::{Error, Result};
use crate::group::interner::NO_CODE;

/// Prefetch distance in orders.
const AHEAD: usize = 16;

/// Closed orders by their positions among the open orders: (position, customer) of purchases and refunds, and (position, position in
/// [`State::split_orders`]).
#[derive(Debug, Default)]
pub(crate) struct ClosedOrders {
    customers: Vec<(u32, u32)>,
    refunds: Vec<(u32, u32)>,
    split_orders: Vec<(u32, u32)>,
}

impl State {
    /// Adds a block of rows one by one. `orders` are the codes of the order ids, [`NO_CODE`] for null. `line` returns the line of
    /// a row, `None` if the row does not count. Accumulators read `rows`.
    pub(crate) fn add_each_line(&mut self, orders: &[u32], line: impl Fn(usize) -> Option<OrderLine>, rows: &RowBlock<'_>) -> Result<()> {
        let (mut customers, mut refunds, mut open) = ([NO_CODE; BLOCK], [NO_CODE; BLOCK], [NO_CODE; BLOCK]);
        let mut ended: Vec<(Order, OrderParts)> = Vec::new();
        for (i, &code) in orders.iter().enumerate() {
            let Some(line) = line(i) else { continue };
            match &mut self.lines {
                OrderAssembly::Any(all) if code != NO_CODE => open[i] = all.add(code, &line.order())?,
                OrderAssembly::Adjacent(_, current) if code != NO_CODE => {
                    ended.extend(current.add(code, &line.order()));
                    open[i] = ended.len() as u32;
                }
                lines => {
                    if !matches!(lines, OrderAssembly::None) {
                        self.count_null_order(&line);
                    }
                    match self.add_order(&line.order(), &[]) {
                        Some(OrderClass::Purchase) => customers[i] = line.customer,
                        Some(OrderClass::Refund) => refunds[i] = line.customer,
                        _ => {}
                    }
                }
            }
        }
        self.accumulators.update(Level::Customer, &customers[..orders.len()], rows)?;
        self.accumulators.update_refunds(&refunds[..orders.len()], rows)?;
        self.accumulators.update(Level::Open, &open[..orders.len()], rows)?;
        if !ended.is_empty() {
            let current = ended.len() as u32;
            let mut closed = ClosedOrders::default();
            for (position, (order, parts)) in (0..).zip(ended) {
                self.close_order(position, &order, &parts, &mut closed);
            }
            self.promote(&closed);
            self.accumulators.retain(Level::Open, &[current]);
        }
        Ok(())
    }

    /// Adds a block of complete lines. Requires [`State::is_plain_lines`].
    pub(crate) fn add_whole_lines(&mut self, lines: &LineBlock<'_>) -> Result<()> {
        let OrderAssembly::Any(all) = &mut self.lines else { return Err(Error::internal("order lines in a state without orders")) };
        all.add_lines(lines)
    }

    /// Adds a block of rows. Requires [`State::is_plain_lines`]. `orders` are the codes of the order ids, `line` returns the line
    /// of a row, `None` if the row does not count.
    pub(crate) fn add_lines(&mut self, orders: &[u32], line: impl Fn(usize) -> Option<OrderLine>) -> Result<()> {
        let OrderAssembly::Any(all) = &mut self.lines else { return Err(Error::internal("order lines in a state without orders")) };
        let by_day = all.is_by_day();
        let mut alone = Vec::new();
        // Adjacent lines of an order are added as one part.
        let mut run: Option<(u32, Order)> = None;
        for (row, &code) in orders.iter().enumerate() {
            let Some(line) = line(row) else { continue };
            if code == NO_CODE {
                alone.push(line);
                continue;
            }
            match &mut run {
                Some((open, order)) if *open == code && order.customer == line.customer && (!by_day || order.day == line.day) => {
                    order.join(&line.order());
                }
                _ => {
                    if let Some((code, order)) = run.replace((code, line.order())) {
                        all.add(code, &order)?;
                    }
                }
            }
        }
        if let Some((code, order)) = run {
            all.add(code, &order)?;
        }
        for line in alone {
            self.count_null_order(&line);
            self.add_order(&line.order(), &[]);
        }
        Ok(())
    }

    /// Adds a closed order. Returns its class, `None` for a split order, whose class differs by day.
    pub(crate) fn add_order(&mut self, order: &Order, parts: &[Order]) -> Option<OrderClass> {
        if self.daily_tallies.is_some() && !parts.is_empty() {
            self.split_orders.push(SplitOrder { order: *order, parts: parts.to_vec() });
            return None;
        }
        // Open orders need no totals, so the totals only grow to the customers of closed orders.
        self.totals.grow(order.customer as usize + 1);
        let class = self.totals.add_order(self.rules, order, &mut self.purchases);
        if let Some(order_log) = &mut self.order_log {
            let purchase = if class == OrderClass::Purchase { PURCHASE } else { 0 };
            if class == OrderClass::Purchase {
                order_log.count_lines(order.day, order.lines);
            }
            if class != OrderClass::LeftOut {
                order_log.add_order(order.customer, order.day, order.units, order.marks | purchase, order.first_row);
            }
        }
        self.add_to_days(class, (order.customer, order.day), (order.lines, order.units, order.first_row));
        Some(class)
    }

    /// Closes the open order at a position. The caller has to call [`State::promote`] afterwards.
    pub(crate) fn close_order(&mut self, position: u32, order: &Order, parts: &[Order], closed: &mut ClosedOrders) {
        let class = self.add_order(order, parts);
        if self.accumulators.is_empty() {
            return;
        }
        match class {
            None => closed.split_orders.push((position, self.split_orders.len() as u32 - 1)),
            Some(OrderClass::Purchase) => closed.customers.push((position, order.customer)),
            Some(OrderClass::Refund) => closed.refunds.push((position, order.customer)),
            Some(_) => {}
        }
    }

    /// Moves the accumulator values of closed orders to their customers, or to the split orders.
    pub(crate) fn promote(&mut self, closed: &ClosedOrders) {
        self.accumulators.promote(Level::Open, Level::Customer, &closed.customers);
        self.accumulators.promote_refunds(Level::Open, &closed.refunds);
        self.accumulators.promote(Level::Open, Level::Split, &closed.split_orders);
    }

    /// Closes all open orders after the last row.
    pub(crate) fn close_orders(&mut self) {
        let mut closed = ClosedOrders::default();
        match std::mem::replace(&mut self.lines, OrderAssembly::None) {
            OrderAssembly::None => {}
            OrderAssembly::Any(orders) => {
                let orders = orders.orders();
                for (position, order) in orders.iter().enumerate() {
                    if let Some(ahead) = orders.try_customer(position + AHEAD) {
                        self.totals.prefetch(ahead);
                    }
                    self.close_order(position as u32, &order, &[], &mut closed);
                }
            }
            OrderAssembly::Adjacent(_, mut open) => {
                if let Some((order, parts)) = open.end() {
                    self.close_order(0, &order, &parts, &mut closed);
                }
            }
        }
        self.promote(&closed);
        self.accumulators.retain(Level::Open, &[]);
        if let Some(order_log) = &mut self.order_log {
            order_log.close();
        }
    }
}
