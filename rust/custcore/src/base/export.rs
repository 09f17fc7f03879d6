//! Conversion of a base to one row per customer, ascending by id, and back, for files. Equal content gives equal rows:
//! codes and input row numbers are not part of them.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Range;

use crate::column::chunks::InputSchema;
use crate::exec::par::Threads;
use crate::group::encoding::KeyEncoding;
use crate::group::interner::Interner;
use crate::group::keys::Keys;
use crate::group::sort::SortKeys;
use crate::state::accumulator::{Accumulator, Failure, Level};
use crate::state::customer_state::{OrderAssembly, SplitOrder, State};
use crate::state::days::{DayIndex, DayRecord, DayRunBuilder};
use crate::state::order_lines::OrderParts;
use crate::state::spec::BaseSpec;
use crate::state::stats::{CustomerStats, EMPTY};
use crate::state::totals::Order;

/// Where a batch of customers ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchLimits {
    /// Customers, at most.
    pub customers: usize,
    /// A customer, a day, a category, and 32 bytes of id weigh 1, an order 2. A batch ends with the customer that reaches this weight.
    pub weight: usize,
}

/// The batches of the file of a base.
pub(crate) const FILE_BATCHES: BatchLimits = BatchLimits { customers: 1 << 16, weight: 1 << 21 };

/// What a base holds except its customers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BaseMeta {
    /// Number of input rows.
    pub rows: u64,
    /// Ids of the loaded batches.
    pub batches: BTreeSet<String>,
    /// Orders whose lines are all before this day are closed.
    pub sealed: Option<i32>,
}

/// The totals of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CustomerTotals {
    /// Days of the first and the last purchase.
    pub ends: Option<(i32, i32)>,
    /// Purchases.
    pub orders: u64,
    /// Rows of the purchases.
    pub rows: u64,
    /// Rows of other orders, if there is no purchase.
    pub others: u64,
    /// Row number of the first of those rows; `u64::MAX` if unknown.
    pub first_other: u64,
    /// Amount in units.
    pub units: i128,
}

/// An open order, or a closed split order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenOrder<'a> {
    /// The code of its id; `None` if it is closed.
    pub id: Option<u32>,
    whole: Order,
    /// Empty if all lines are of one day.
    parts: &'a [Order],
    /// Its key in the accumulators.
    pub key: (Level, u32),
}

impl OpenOrder<'_> {
    /// Its parts by day.
    pub(crate) fn parts(&self) -> &[Order] {
        whole_or_parts(&self.whole, self.parts)
    }
}

/// The customers of a state, ascending by id.
#[derive(Debug)]
pub(crate) struct CustomerRows<'a> {
    /// The state.
    pub state: &'a State,
    codes: Vec<u32>,
    /// Day records by customer.
    days: Option<DayIndex>,
    /// The open orders, of each customer by order id.
    open: ByCustomer,
    /// The closed split orders, of each customer by content.
    split_orders: ByCustomer,
    /// Number of entries in lists of accumulators, by code.
    entries: Option<Vec<u32>>,
}

/// Positions by the code of their customer.
#[derive(Debug, Default)]
struct ByCustomer {
    /// Start of each code; empty if there are no positions.
    starts: Vec<usize>,
    positions: Vec<u32>,
}

impl ByCustomer {
    /// Groups positions by customer, sorted by `compare` within each.
    fn of(codes: usize, customers: impl ExactSizeIterator<Item = u32> + Clone, compare: impl Fn(u32, u32) -> Ordering) -> Self {
        if customers.len() == 0 {
            return Self::default();
        }
        let starts = starts(codes, customers.clone());
        let (mut next, mut positions) = (starts.clone(), vec![0; customers.len()]);
        for (customer, at) in customers.zip(0..) {
            positions[next[customer as usize]] = at;
            next[customer as usize] += 1;
        }
        for ends in starts.windows(2).filter(|ends| ends[1] - ends[0] > 1) {
            positions[ends[0]..ends[1]].sort_unstable_by(|a, b| compare(*a, *b));
        }
        Self { starts, positions }
    }

    fn get(&self, code: u32) -> &[u32] {
        let Some([start, end]) = self.starts.get(code as usize..code as usize + 2) else { return &[] };
        &self.positions[*start..*end]
    }
}

/// Start offsets by code, and the end.
fn starts(codes: usize, customers: impl Iterator<Item = u32>) -> Vec<usize> {
    let mut starts = vec![0; codes + 1];
    customers.for_each(|customer| starts[customer as usize + 1] += 1);
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    starts
}

impl<'a> CustomerRows<'a> {
    /// The customers of a state.
    pub(crate) fn of(state: &'a State, threads: Threads<'_>) -> Self {
        let keys = state.interner.keys();
        let mut codes: Vec<u32> = (0..).zip(state.known_codes()).filter(|(_, known)| *known).map(|(code, _)| code).collect();
        if !state.interner.is_sorted() {
            codes = SortKeys::of(&[keys], threads).sort(keys, &codes, threads).into_iter().map(|(_, code)| code).collect();
        }
        let n = state.interner.len();
        let days = state.days.as_ref().map(|days| DayIndex::new(days.whole()));
        let open = match &state.lines {
            OrderAssembly::None => ByCustomer::default(),
            OrderAssembly::Any(orders) => {
                let id = |at: u32| orders.codes()[at as usize];
                let customers = orders.orders().customers();
                ByCustomer::of(n, customers, |a, b| orders.ids.keys().compare(id(a), id(b)))
            }
            OrderAssembly::Adjacent(_, open) => {
                let customers: Vec<u32> = open.current().map(|(_, order, _)| order.customer).into_iter().collect();
                ByCustomer::of(n, customers.into_iter(), |_, _| Ordering::Equal)
            }
        };
        let split_orders =
            ByCustomer::of(n, state.split_orders.iter().map(|split_orders| split_orders.order.customer), |a, b| compare(state, a, b));
        let entries = state.accumulators.counts(Level::Customer, 0..n as u32);
        Self { state, codes, days, open, split_orders, entries }
    }

    /// Number of customers.
    pub(crate) fn len(&self) -> usize {
        self.codes.len()
    }

    /// The order ids, if rows are order lines.
    pub(crate) fn order_ids(&self) -> Option<&'a Keys> {
        match &self.state.lines {
            OrderAssembly::None => None,
            OrderAssembly::Any(orders) => Some(orders.ids.keys()),
            OrderAssembly::Adjacent(ids, _) => Some(ids.keys()),
        }
    }

    /// The codes, ascending by id.
    pub(crate) fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The customers in batches; all but the last have reached a limit. The batches depend on the content only.
    pub(crate) fn batches(&self, limits: BatchLimits) -> Vec<Range<usize>> {
        let (mut batches, mut start, mut weight) = (Vec::new(), 0, 0);
        for (at, &code) in self.codes.iter().enumerate() {
            weight += self.weight(code);
            if weight >= limits.weight || at + 1 - start == limits.customers {
                batches.push(start..at + 1);
                (start, weight) = (at + 1, 0);
            }
        }
        if start < self.codes.len() {
            batches.push(start..self.codes.len());
        }
        batches
    }

    /// Whether a batch has reached a limit, so that it would end there whatever follows.
    pub(crate) fn is_full(&self, batch: &Range<usize>, limits: BatchLimits) -> bool {
        let weight: usize = self.codes[batch.clone()].iter().map(|&code| self.weight(code)).sum();
        weight >= limits.weight || batch.len() == limits.customers
    }

    fn weight(&self, code: u32) -> usize {
        let id = match self.state.interner.keys() {
            Keys::Bytes(arena) => arena.length(code) / 32,
            Keys::Range { .. } | Keys::Integers(_) => 0,
        };
        let entries = self.entries.as_ref().and_then(|entries| entries.get(code as usize)).map_or(0, |&entries| entries as usize);
        1 + id
            + entries
            + self.days.as_ref().map_or(0, |days| days.count(code))
            + 2 * (self.open.get(code).len() + self.split_orders.get(code).len())
    }

    /// The totals of a customer.
    pub(crate) fn totals(&self, code: u32) -> CustomerTotals {
        let totals = &self.state.totals;
        if code as usize >= totals.len() {
            return CustomerTotals { ends: None, orders: 0, rows: 0, others: 0, first_other: u64::MAX, units: 0 };
        }
        let entry = totals.stats().get(code);
        let (orders, rows, units) = totals.of(code);
        let bought = orders > 0;
        // Refunds before the first purchase depend on the row order, and are not needed once there is a purchase.
        let (first_other, others) = totals.refunds_of(code).filter(|_| !bought).unwrap_or((u64::MAX, 0));
        CustomerTotals { ends: bought.then_some((entry.first, entry.last)), orders, rows, others, first_other, units }
    }

    /// The day records of a customer.
    pub(crate) fn days(&self, code: u32) -> impl Iterator<Item = DayRecord> + '_ {
        self.days.iter().flat_map(move |days| days.records(code))
    }

    /// The open orders of a customer by id, then the closed split orders.
    pub(crate) fn orders(&self, code: u32) -> impl Iterator<Item = OpenOrder<'_>> {
        let open = self.open.get(code).iter().filter_map(|&at| self.open_order(at as usize));
        let split_orders = self.split_orders.get(code).iter().map(|&at| OpenOrder {
            id: None,
            whole: self.state.split_orders[at as usize].order,
            parts: &self.state.split_orders[at as usize].parts,
            key: (Level::Split, at),
        });
        open.chain(split_orders)
    }

    fn open_order(&self, at: usize) -> Option<OpenOrder<'_>> {
        match &self.state.lines {
            OrderAssembly::None => None,
            OrderAssembly::Any(orders) => {
                let (whole, parts) = (orders.orders().get(at), orders.parts(at));
                Some(OpenOrder { id: Some(orders.codes()[at]), whole, parts, key: (Level::Open, at as u32) })
            }
            OrderAssembly::Adjacent(_, open) => {
                open.current().map(|(code, order, parts)| OpenOrder { id: Some(code), whole: *order, parts, key: (Level::Open, 0) })
            }
        }
    }

    /// Whether all amounts fit 64 bits, and the largest absolute amount.
    pub(crate) fn largest_units(&self) -> (bool, u128) {
        let totals = self.codes.iter().map(|&code| self.totals(code).units);
        let days = self.days.iter().flat_map(|days| days.run().records().map(|record| record.units));
        let waiting = self.state.waiting();
        let parts = waiting.flat_map(|(order, parts, _)| parts.is_empty().then_some(order).into_iter().chain(parts.iter().copied()));
        let orders = parts.map(|part| part.units);
        totals
            .chain(days)
            .chain(orders)
            .fold((true, 0), |(fits, largest), units| (fits & i64::try_from(units).is_ok(), largest.max(units.unsigned_abs())))
    }
}

fn whole_or_parts<'a>(order: &'a Order, parts: &'a [Order]) -> &'a [Order] {
    if parts.is_empty() { std::slice::from_ref(order) } else { parts }
}

/// Compares closed split orders by content.
fn compare(state: &State, a: u32, b: u32) -> Ordering {
    let numbers = |part: &Order| (part.day, part.units, part.lines, part.amount_is_null);
    let parts = |at: u32| state.split_orders[at as usize].parts.iter().map(numbers);
    parts(a).cmp(parts(b)).then_with(|| state.accumulators.compare(Level::Split, a, b))
}

/// Builds a state customer by customer. Errors describe the invalid content.
#[derive(Debug)]
pub(crate) struct BaseLoader<'t> {
    /// Threads for reading.
    pub threads: Threads<'t>,
    /// Added to the row numbers of a run.
    pub rows_before: u64,
    state: State,
    keys: Keys,
    run: DayRunBuilder,
}

type Wrong = &'static str;

impl<'t> BaseLoader<'t> {
    /// No customers yet.
    pub(crate) fn new(input_schema: &InputSchema, spec: &BaseSpec, threads: Threads<'t>) -> Self {
        let interner = Interner::new(input_schema.id.kind());
        let keys = interner.keys().clone();
        Self {
            threads,
            rows_before: 0,
            state: State::new(input_schema, spec, interner, KeyEncoding::Table),
            keys,
            run: DayRunBuilder::default(),
        }
    }

    /// Adds ids of customers. Returns the code of the first.
    pub(crate) fn add_ids(&mut self, more: Keys) -> Result<u32, Wrong> {
        let first = self.keys.len();
        let len = first + more.len();
        if u32::try_from(len).is_err() {
            return Err("it has too many customers");
        }
        match (&mut self.keys, more) {
            (Keys::Integers(ids), Keys::Integers(more)) => ids.extend(more),
            (Keys::Bytes(arena), Keys::Bytes(more)) => arena.append(more),
            _ => return Err("its ids have another type"),
        }
        let from = first.saturating_sub(1) as u32;
        if !(from..(len as u32).saturating_sub(1)).all(|code| self.keys.compare(code, code + 1).is_lt()) {
            return Err("its ids are not ascending");
        }
        self.state.totals.grow(len);
        Ok(first as u32)
    }

    /// Adds the totals of a customer.
    pub(crate) fn add_totals(&mut self, code: u32, totals: &CustomerTotals) -> Result<(), Wrong> {
        let CustomerTotals { ends, orders, rows, others, first_other, units } = *totals;
        let entry = match ends {
            Some((first, last)) if orders > 0 && first <= last => CustomerStats { units, orders, first, last },
            None if orders == 0 => CustomerStats { units, ..EMPTY },
            _ => return Err("a customer's days and purchases contradict each other"),
        };
        self.state.totals.restore(code, &entry, rows, (first_other, others));
        Ok(())
    }

    /// Adds a day record. Records must be in order.
    pub(crate) fn add_day(&mut self, record: &DayRecord) -> Result<(), Wrong> {
        // Earlier versions stored the refunds of a day with its purchases, so only days are compared.
        if self.run.last().is_some_and(|last| (last.customer, last.day) > (record.customer, record.day)) {
            return Err("its days are not ascending");
        }
        self.run.push(record);
        Ok(())
    }

    /// The accumulator at a position.
    pub(crate) fn accumulator(&mut self, at: usize) -> Result<&mut Box<dyn Accumulator>, Failure> {
        self.state.accumulators.get_mut(at).ok_or(Failure::Content("it has a column without an accumulator"))
    }

    /// Adds an open order, or without an id a closed split order. Returns its key in the accumulators.
    pub(crate) fn add_order(&mut self, id: Option<(&Keys, u32)>, parts: &[Order]) -> Result<(Level, u32), Failure> {
        let Some(whole) = parts.iter().copied().reduce(|mut whole, part| {
            whole.join(&part);
            whole
        }) else {
            return Err("an order has no parts".into());
        };
        let Some((keys, code)) = id else {
            self.state.split_orders.push(SplitOrder { order: whole, parts: parts.to_vec() });
            return Ok((Level::Split, self.state.split_orders.len() as u32 - 1));
        };
        match &mut self.state.lines {
            OrderAssembly::None => Err("it has open orders, but no order ids".into()),
            OrderAssembly::Any(orders) => {
                let (code, next) = (orders.ids.intern_from(keys, code)?, orders.orders().len());
                for part in parts {
                    if orders.add(code, part)? as usize != next {
                        return Err("an order is duplicated".into());
                    }
                }
                Ok((Level::Open, next as u32))
            }
            OrderAssembly::Adjacent(ids, open) => {
                if open.current().is_some() {
                    return Err("it has two open orders, but order_lines='adjacent' allows one".into());
                }
                let code = ids.intern_from(keys, code)?;
                parts.iter().for_each(|part| drop::<Option<(Order, OrderParts)>>(open.add(code, part)));
                Ok((Level::Open, 0))
            }
        }
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.state.bytes() + self.keys.bytes() + self.run.bytes()
    }

    /// The state of these customers.
    pub(crate) fn finish(self) -> State {
        let Self { mut state, keys, run, .. } = self;
        if let Some(days) = &mut state.days {
            days.add_run(run.finish());
        }
        let kind = state.interner.kind();
        state.interner = match &keys {
            // No gaps: use the range encoding, which needs no hash table.
            Keys::Integers(ids)
                if ids.last().zip(ids.first()).is_some_and(|(last, first)| last.abs_diff(*first) == ids.len() as u64 - 1) =>
            {
                let mut range = Interner::range(kind, ids[0]);
                range.extend_range(ids.len());
                range
            }
            _ => Interner::of_sorted(kind, keys),
        };
        state
    }
}

impl State {
    /// Adds the tallies of another state of the same rows.
    pub(crate) fn add_tallies(&mut self, other: &Self) {
        self.rows.merge(&other.rows, 0);
        self.purchases.merge(&other.purchases, 0);
        if let (Some(daily_tallies), Some(more)) = (&mut self.daily_tallies, &other.daily_tallies) {
            daily_tallies.merge(more, 0);
        }
    }

    /// The state without its customers; its rows were counted from `rows_before`.
    pub(crate) fn without_customers(&self, rows_before: u64) -> Self {
        let mut rest = self.empty_like();
        rest.rows.merge(&self.rows, rows_before);
        rest.purchases.merge(&self.purchases, rows_before);
        if let (Some(daily_tallies), Some(own)) = (&mut rest.daily_tallies, &self.daily_tallies) {
            daily_tallies.merge(own, rows_before);
        }
        (rest.first_day, rest.last_day) = (self.first_day, self.last_day);
        rest
    }
}
