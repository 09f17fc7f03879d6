//! Merge of states: the parts of threads at the end of an update, an update into a base, two bases.

use super::accumulator::Level;
use super::adjacent_order::AdjacentOrder;
use super::customer_state::{OrderAssembly, SplitOrder, State};
use super::daily_tallies::DailyTallies;
use super::days::DayRuns;
use super::open_orders::OpenOrders;
use super::order_list::OrderList;
use super::order_log::OrderLog;
use super::totals::{Codes, Order, Totals};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};
use crate::group::interner::{Interner, NO_CODE, check_room};
use crate::group::key_union::join;
use crate::group::keys::Keys;
use crate::num::money::LARGEST_UNITS;

impl State {
    /// The codes that take part in a merge.
    fn codes(&self) -> Vec<u32> {
        if self.totals.are_absent() {
            return (0..self.interner.len() as u32).collect();
        }
        (0..).zip(self.known_codes()).filter(|(_, known)| *known).map(|(code, _)| code).collect()
    }

    /// Merges all parts of an update by sorting and joining their ids.
    pub(crate) fn unify(mut parts: Vec<Self>, threads: Threads<'_>) -> Result<Self> {
        // No lookups follow; free the hash tables before the merge allocates.
        parts.iter_mut().for_each(|part| part.interner.drop_table());
        let ids: Vec<(&Keys, Vec<u32>)> = parts.iter().map(|part| (part.interner.keys(), part.codes())).collect();
        let joined = join(&ids, threads)?;
        drop(ids);
        let codes: Vec<usize> = parts.iter().map(|part| part.interner.len()).collect();
        let totals = Totals::gather(&parts.iter().map(|part| &part.totals).collect::<Vec<_>>(), &codes, &joined, threads);
        let plain = parts.iter().all(|part| part.is_plain() && part.days.is_none());
        let mut order_log: Option<OrderLog> = None;
        for (i, part) in parts.iter_mut().enumerate() {
            if let Some(entries) = part.order_log.take() {
                let positions = joined.positions(i, part.interner.len());
                order_log.get_or_insert_default().append(entries, OrderLog::by_table(&positions));
            }
        }
        let mut parts = parts.into_iter().enumerate();
        let Some((_, first)) = parts.next() else { return Err(Error::internal("no states to merge")) };
        let kind = first.interner.kind();
        let mut whole = first.empty_like();
        whole.rows = first.rows;
        whole.purchases = first.purchases;
        whole.last_day = first.last_day;
        whole.first_day = first.first_day;
        if !plain {
            whole.absorb(&first, 0, &mut mapped(joined.positions(0, first.interner.len())), threads)?;
        }
        for (i, part) in parts {
            if !plain {
                whole.absorb(&part, 0, &mut mapped(joined.positions(i, part.interner.len())), threads)?;
            }
            whole.rows.merge(&part.rows, 0);
            whole.purchases.merge(&part.purchases, 0);
            whole.last_day = whole.last_day.max(part.last_day);
            whole.first_day = whole.first_day.min(part.first_day);
        }
        whole.order_log = order_log;
        whole.totals = totals;
        whole.interner = Interner::of_sorted(kind, joined.keys);
        Ok(whole)
    }

    /// Closes the open orders of several states with the same codes in parallel. Orders that occur in several states are first
    /// moved to the first state. If that is not possible, or not worth it, all orders stay open.
    pub(crate) fn close_in_parallel(parts: &mut Vec<Self>, threads: Threads<'_>) -> Result<()> {
        if parts.len() < 2 || parts.iter().map(Self::size).sum::<usize>() < ROWS_WORTH_THREADS {
            return Ok(());
        }
        let mut orders = Vec::with_capacity(parts.len());
        for part in &mut *parts {
            match &mut part.lines {
                // A customer with several codes would get several orders for one.
                OrderAssembly::Any(own) if part.accumulators.is_empty() && !part.interner.repeats() => orders.push(&mut **own),
                _ => return Ok(()),
            }
        }
        if !OpenOrders::gather_shared(&mut orders)? {
            return Ok(());
        }
        let (codes, waiting) = (parts[0].interner.len(), parts.iter().map(Self::waiting_orders).sum::<usize>());
        let is_range = parts[0].interner.is_range() || parts[0].interner.has_shared_codes();
        if is_range && codes.saturating_mul(parts.len()) > CODES_PER_ORDER * waiting {
            let closed = Self::close_by_range(parts, threads)?;
            parts.push(closed);
        } else {
            threads.par_tasks(parts, |part| {
                part.totals.grow(part.interner.len());
                part.close_orders();
            });
        }
        Ok(())
    }

    /// Closes the open orders of several states with the same range of ids, or of codes that they share. Each thread takes a range of customers, so there is
    /// one table of totals and not one per state. Returns the state of the closed orders.
    fn close_by_range(parts: &mut [Self], threads: Threads<'_>) -> Result<Self> {
        let codes = parts[0].interner.len();
        let base = if let Keys::Range { base, .. } = parts[0].interner.keys() { *base } else { 0 };
        let shift = codes.div_ceil(4 * threads.count()).next_power_of_two().trailing_zeros();
        let width = 1_usize << shift;
        let ranges = codes.div_ceil(width);
        let waiting: Vec<OrderAssembly> = parts.iter_mut().map(|part| std::mem::replace(&mut part.lines, OrderAssembly::None)).collect();
        let orders: Vec<&OrderList> =
            waiting.iter().filter_map(|lines| if let OrderAssembly::Any(orders) = lines { Some(orders.orders()) } else { None }).collect();
        let sorted: Vec<(Vec<u32>, Vec<u32>)> = threads.par_tasks(&orders, |orders| by_range(orders, shift, ranges));
        let template = &parts[0];
        let close = |range: usize| {
            let mut part = Self { lines: OrderAssembly::None, totals: template.totals.empty_like(), ..template.empty_like() };
            part.order_log = template.order_log.as_ref().map(OrderLog::empty_like);
            part.rules = template.rules;
            part.interner = Interner::range(template.interner.kind(), base.wrapping_add((range << shift) as i64));
            part.interner.extend_range(width);
            part.totals.grow(width);
            for (orders, (ends, positions)) in orders.iter().zip(&sorted) {
                for &position in &positions[ends[range] as usize..ends[range + 1] as usize] {
                    let order = orders.get(position as usize);
                    part.add_order(&Order { customer: order.customer - (range << shift) as u32, ..order }, &[]);
                }
            }
            part.close_orders();
            part
        };
        let mut closed = Self::concat(threads.par_tasks(0..ranges, close), Some(width), threads)?;
        if template.interner.has_shared_codes() {
            closed.interner = template.interner.clone();
        }
        Ok(closed)
    }

    /// Concatenates plain states with disjoint customers. With `width` they are consecutive ranges of that many
    /// ids.
    pub(crate) fn concat(mut parts: Vec<Self>, width: Option<usize>, threads: Threads<'_>) -> Result<Self> {
        // No lookups follow; free the hash tables before the merge allocates.
        parts.iter_mut().for_each(|part| part.interner.drop_table());
        let mut end = 0;
        let mut starts = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            starts.push(width.map_or(end, |width| at * width));
            end = match width {
                None => end + part.totals.len(),
                Some(_) if part.totals.is_empty() => end,
                Some(width) => at * width + part.totals.len(),
            };
        }
        let totals = parts.iter_mut().map(|part| std::mem::take(&mut part.totals)).zip(starts.iter().copied()).collect();
        let totals = Totals::concat_parts(totals, end, threads);
        let mut parts = parts.into_iter().zip(starts);
        let Some((mut whole, start)) = parts.next() else { return Err(Error::internal("no states to concatenate")) };
        whole.totals = totals;
        let kind = whole.interner.kind();
        let mut ids = vec![std::mem::replace(&mut whole.interner, Interner::new(kind))];
        let mut days: Vec<(DayRuns, u32)> = whole.days.replace(DayRuns::default()).map(|days| (days, start as u32)).into_iter().collect();
        for (mut part, start) in parts {
            days.extend(part.days.take().map(|days| (days, start as u32)));
            ids.push(whole.append(part, start as u32));
        }
        if days.is_empty() {
            whole.days = None;
        } else if let Some(whole) = &mut whole.days {
            whole.append_all(days, threads);
        }
        whole.interner = match width {
            None => Interner::concat(ids)?,
            Some(_) => ids.swap_remove(0),
        };
        whole.interner.extend_range(end);
        Ok(whole)
    }

    /// Appends all but the totals and days of a plain state with disjoint customers; its codes begin at `start`. Returns its ids.
    fn append(&mut self, mut part: Self, start: u32) -> Interner {
        if let (Some(order_log), Some(entries)) = (&mut self.order_log, part.order_log.take()) {
            order_log.append(entries, |code| code + start);
        }
        if let (Some(daily_tallies), Some(other)) = (&mut self.daily_tallies, &part.daily_tallies) {
            daily_tallies.merge(other, 0);
        }
        self.rows.merge(&part.rows, 0);
        self.purchases.merge(&part.purchases, 0);
        self.last_day = self.last_day.max(part.last_day);
        self.first_day = self.first_day.min(part.first_day);
        part.interner
    }

    /// An error if merging all of these would exceed a limit, so that [`State::merge`] cannot fail halfway.
    pub(crate) fn check_room(&self, others: &[&Self]) -> Result<()> {
        let states = || std::iter::once(self).chain(others.iter().copied());
        check_room(states().map(|state| state.interner.len()).sum())?;
        self.accumulators.check_room(&others.iter().map(|other| &other.accumulators).collect::<Vec<_>>())?;
        let orders = states().filter_map(|state| if let OrderAssembly::Any(orders) = &state.lines { Some(orders) } else { None });
        check_room(orders.clone().map(|orders| orders.ids.len()).sum())?;
        OpenOrders::check_room(orders.map(|orders| orders.orders().len()).sum())
    }

    /// An error if a sum of all these could have more digits than results and files hold. One pass over them.
    pub(crate) fn check_sums(&self, others: &[&Self]) -> Result<()> {
        let largest = others.iter().fold(self.largest_units(), |sum, other| sum.saturating_add(other.largest_units()));
        if largest > LARGEST_UNITS {
            let message =
                "sums of money could get more than 38 digits, more than results and files hold. Cast the amounts to a smaller scale";
            return Err(Error::new(ErrorKind::SumOverflow, message));
        }
        Ok(())
    }

    /// An upper bound of the absolute value of every sum of money.
    fn largest_units(&self) -> u128 {
        let days = self.days.as_ref().map_or(0, DayRuns::largest_units);
        let orders =
            self.waiting().flat_map(|(order, parts, _)| std::iter::once(order).chain(parts.iter().copied())).map(|order| order.units);
        let daily = self.daily_tallies.iter().flat_map(DailyTallies::days);
        let daily = daily.flat_map(|(_, tallies)| [tallies.null_amount, tallies.null_order].into_iter().chain(tallies.purchases.all()));
        let tallies = self.rows.all().into_iter().chain(self.purchases.all()).chain(daily).map(|tally| tally.units);
        orders.chain(tallies).map(i128::unsigned_abs).fold(days.max(self.totals.stats().largest_units()), u128::max)
    }

    /// Merges another state with the same input schema, whose rows were counted from `rows_before`.
    pub(crate) fn merge(&mut self, other: &Self, rows_before: u64, threads: Threads<'_>) -> Result<()> {
        let codes = if self.interner.shares_codes(&other.interner) {
            self.interner.extend_range(other.interner.len());
            None
        } else {
            let known = other.codes();
            if !self.interner.keeps_range_with(other.interner.keys(), known.iter().copied()) {
                self.leave_range()?;
            }
            let mut codes = vec![NO_CODE; other.interner.len()];
            for code in known {
                codes[code as usize] = self.interner.intern_from(other.interner.keys(), code)?;
            }
            Some(codes)
        };
        self.totals.grow(self.interner.len());
        match codes {
            None => {
                if let (Some(days), Some(other)) = (&mut self.days, &other.days) {
                    days.merge_same(other.clone(), threads);
                }
                self.absorb_rest(other, rows_before, &mut |code| code)?;
                self.totals.merge(&other.totals, Codes::Same, rows_before, threads);
            }
            Some(codes) => {
                self.totals.merge(&other.totals, Codes::Map(&codes), rows_before, threads);
                self.absorb(other, rows_before, &mut mapped(codes), threads)?;
            }
        }
        self.rows.merge(&other.rows, rows_before);
        self.purchases.merge(&other.purchases, rows_before);
        self.last_day = self.last_day.max(other.last_day);
        self.first_day = self.first_day.min(other.first_day);
        Ok(())
    }

    /// Merges all but the totals of another state; `own` maps its customer codes.
    pub(crate) fn absorb(&mut self, other: &Self, rows_before: u64, own: &mut dyn FnMut(u32) -> u32, threads: Threads<'_>) -> Result<()> {
        if let (Some(days), Some(other)) = (&mut self.days, &other.days) {
            days.merge(other, &mut *own, threads);
        }
        self.absorb_rest(other, rows_before, own)
    }

    /// Merges all but the totals and the days of another state.
    fn absorb_rest(&mut self, other: &Self, rows_before: u64, own: &mut dyn FnMut(u32) -> u32) -> Result<()> {
        if let (OrderAssembly::Any(orders), OrderAssembly::Any(others)) = (&mut self.lines, &other.lines) {
            let mut positions = Vec::new();
            let accumulates = !self.accumulators.is_empty();
            orders.merge(others, rows_before, &mut *own, |from, to| positions.extend(accumulates.then_some((from, to))))?;
            self.accumulators.merge(Level::Open, &other.accumulators, &positions)?;
        }
        if let (OrderAssembly::Adjacent(ids, open), OrderAssembly::Adjacent(other_ids, other_open)) = (&mut self.lines, &other.lines) {
            // The order that was open here was carried over to the other state.
            *open = AdjacentOrder::default();
            self.accumulators.retain(Level::Open, &[]);
            if let Some((code, order, parts)) = other_open.current()
                && own(order.customer) != NO_CODE
            {
                let customer = own(order.customer);
                **ids = Interner::new(ids.kind());
                let code = ids.intern_from(other_ids.keys(), code)?;
                for part in if parts.is_empty() { std::slice::from_ref(order) } else { parts } {
                    open.add(code, &Order { customer, first_row: part.first_row.saturating_add(rows_before), ..*part });
                }
                self.accumulators.merge(Level::Open, &other.accumulators, &[(0, 0)])?;
            }
        }
        if let (Some(order_log), Some(entries)) = (&mut self.order_log, &other.order_log) {
            let codes: Vec<u32> = (0..other.interner.len() as u32).map(&mut *own).collect();
            order_log.append(entries.clone(), OrderLog::by_table(&codes));
        }
        if let (Some(daily_tallies), Some(other)) = (&mut self.daily_tallies, &other.daily_tallies) {
            daily_tallies.merge(other, rows_before);
        }
        if !self.accumulators.is_empty() {
            let customers = (0..other.interner.len() as u32).map(|code| (code, own(code))).filter(|(_, own)| *own != NO_CODE);
            self.accumulators.merge(Level::Customer, &other.accumulators, &customers.collect::<Vec<_>>())?;
        }
        let mut positions = Vec::new();
        for (at, SplitOrder { order, parts }) in (0..).zip(&other.split_orders) {
            let customer = own(order.customer);
            let moved = |order: &Order| Order { customer, first_row: order.first_row.saturating_add(rows_before), ..*order };
            if customer != NO_CODE {
                positions.push((at, self.split_orders.len() as u32));
                self.split_orders.push(SplitOrder { order: moved(order), parts: parts.iter().map(moved).collect() });
            }
        }
        self.accumulators.merge(Level::Split, &other.accumulators, &positions)
    }
}

/// States of one range close their orders each on its own up to this many codes per order: their totals then take
/// about as much memory as the orders.
const CODES_PER_ORDER: usize = 4;

/// Counting sort of orders by range of customers (`1 << shift` codes each): the start of each range, and the positions.
fn by_range(orders: &OrderList, shift: u32, ranges: usize) -> (Vec<u32>, Vec<u32>) {
    let mut ends = vec![0_u32; ranges + 1];
    orders.customers().for_each(|customer| ends[(customer >> shift) as usize + 1] += 1);
    let mut sum = 0;
    for end in &mut ends {
        sum += *end;
        *end = sum;
    }
    let (mut next, mut positions) = (ends.clone(), vec![0; orders.len()]);
    for (position, customer) in (0..).zip(orders.customers()) {
        let next = &mut next[(customer >> shift) as usize];
        positions[*next as usize] = position;
        *next += 1;
    }
    (ends, positions)
}

/// The mapping by a table.
fn mapped(codes: Vec<u32>) -> impl FnMut(u32) -> u32 {
    move |code| codes[code as usize]
}
