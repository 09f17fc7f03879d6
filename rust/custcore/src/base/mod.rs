//! The customer base: aggregates typed columns into the state per customer that all analyses read.
//!
//! A base of level "totals" keeps 16 to 32 bytes and the id per customer; level "days" also day records ([`crate::state::days`]),
//! level "orders" also open orders ([`crate::state::open_orders`]). [`CustomerBase::update`] aggregates batches
//! into a separate state and merges it at the end, so a failed update leaves the base unchanged. Analyses read a snapshot
//! as of the end of a day, [`view::BaseView`].

mod day_ranges;
pub(crate) mod edit;
pub(crate) mod export;
pub(crate) mod file;
mod known;
mod parts;
pub(crate) mod scan;
pub(crate) mod snapshot;
pub(crate) mod spill;
#[cfg(test)]
mod tests;
pub(crate) mod versions;
pub(crate) mod view;

#[cfg(test)]
mod accumulator_tests;
#[cfg(test)]
mod category_tests;

use std::borrow::Cow;
use std::collections::BTreeSet;

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use self::known::{CachedCount, Known};
use self::spill::limit::MemoryLimit;
use self::spill::list::Spilled;
use crate::column::bounds::Cutoff;
use crate::column::category::CategoryColumns;
use crate::column::chunks::{InputSchema, Pick};
use crate::column::customer_id::CustomerId;
use crate::column::key_schema::{KeyNames, KeySchema};
use crate::column::relabelling::Relabelling;
use crate::column::value::ValueType;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::ingest::builder::{Update, UpdateBuilder};
use crate::num::money::{Money, ROUNDED_OFF_DECIMALS};
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit, Tally};
use crate::state::customer_state::State;
use crate::state::order_log::OrderLog;
use crate::state::spec::{AsOf, BaseSpec, Late, Track};
use crate::time::calendar::date_text;

/// Bytes of the id of a batch, in a set, beside its text.
const BATCH_BYTES: usize = 48;

/// The customer base.
#[derive(Debug, Clone)]
pub struct CustomerBase {
    spec: BaseSpec,
    known: Option<Known>,
    /// The memory limit: what exceeds it is spilled.
    limit: Option<MemoryLimit>,
}

impl CustomerBase {
    /// An empty base.
    pub fn new(spec: BaseSpec) -> Result<Self> {
        Ok(Self { spec: spec.checked()?, known: None, limit: None })
    }

    /// The base of one update. Column names of the settings are not checked, because no table is built from them yet.
    pub(crate) fn of(spec: BaseSpec, update: Update) -> Self {
        Self { spec, known: Some(Known::of(update)), limit: None }
    }

    /// Its settings.
    pub fn spec(&self) -> &BaseSpec {
        &self.spec
    }

    /// Number of input rows.
    pub fn rows(&self) -> u64 {
        self.known.as_ref().map_or(0, |known| known.rows)
    }

    /// Number of customers in memory, including those with only refunds. See [`CustomerBase::customers`] for a base with customers on
    /// disk.
    pub fn len(&self) -> usize {
        self.known.as_ref().map_or(0, |known| known.customers.get_or(|| known.state.count_customers()))
    }

    /// Whether there are no customers.
    pub fn is_empty(&self) -> bool {
        !self.is_spilled() && self.len() == 0
    }

    /// Amount of work for a pass over the base: customers, day records, open and split orders.
    pub fn size(&self) -> usize {
        self.known.as_ref().map_or(0, |known| known.state.size())
    }

    /// Approximate size in bytes: of the state, and of the ids of batches.
    pub fn bytes(&self) -> usize {
        self.known
            .as_ref()
            .map_or(0, |known| known.state.bytes() + known.batches.iter().map(|batch| batch.len() + BATCH_BYTES).sum::<usize>())
    }

    /// The ids of the loaded batches, ascending.
    pub fn batches(&self) -> impl Iterator<Item = &str> {
        self.known.iter().flat_map(|known| &known.batches).map(String::as_str)
    }

    /// The day before which orders are sealed.
    pub fn sealed(&self) -> Option<i32> {
        self.known.as_ref().and_then(|known| known.sealed)
    }

    /// The last day among rows that have an id and a time.
    pub fn last_day(&self) -> Option<i32> {
        self.known.as_ref().map(|known| known.state.last_day).filter(|&day| day != i32::MIN)
    }

    /// The first day among rows that have an id and a time.
    pub fn first_day(&self) -> Option<i32> {
        self.known.as_ref().map(|known| known.state.first_day).filter(|&day| day != i32::MAX)
    }

    /// Begins an update with data of this schema. The columns are checked before any row is read.
    pub fn begin(&self, schema: &Schema) -> Result<UpdateBuilder> {
        let input_schema = InputSchema::of(schema, &self.spec.roles, self.spec.timezone.as_deref(), self.spec.amount_decimals)?;
        let Some(known) = &self.known else { return UpdateBuilder::new(&self.spec, input_schema) };
        self.spec.check_second_update()?;
        check_input_schema(&self.spec, &known.input_schema, &input_schema)?;
        let mut builder = UpdateBuilder::new(&self.spec, input_schema)?;
        if self.spec.in_sequence() {
            builder.carry(known.state.carried_order()?, known.version);
        }
        Ok(builder)
    }

    /// An error if a batch of this name was already loaded.
    pub fn check_batch(&self, batch: &str) -> Result<()> {
        if self.known.as_ref().is_some_and(|known| known.batches.contains(batch)) {
            let message = format!("batch_id='{batch}' was loaded already; use another batch_id for other data");
            return Err(Error::new(ErrorKind::DuplicateBatch, message));
        }
        Ok(())
    }

    /// Checks that an update can be committed: an error if it is incompatible with the base. Late lines
    /// are removed from it if the settings say so.
    pub fn prepare(&self, update: &mut Update, batch: Option<&str>) -> Result<()> {
        self.prepare_beside(&[], update, batch)
    }

    /// The same for the base with deltas, which were prepared before.
    pub(crate) fn prepare_beside(&self, deltas: &[&Self], update: &mut Update, batch: Option<&str>) -> Result<()> {
        if let Some(batch) = batch {
            std::iter::once(self).chain(deltas.iter().copied()).try_for_each(|base| base.check_batch(batch))?;
        }
        let Some(known) = &self.known else { return Ok(()) };
        self.spec.check_second_update()?;
        check_input_schema(&self.spec, &known.input_schema, &update.kinds)?;
        let deltas: Vec<&Known> = deltas.iter().filter_map(|delta| delta.known.as_ref()).collect();
        let states: Vec<&State> = deltas.iter().map(|delta| &delta.state).chain([&update.state]).collect();
        known.check_room(&states, deltas.iter().map(|delta| delta.rows).sum::<u64>() + update.rows)?;
        if self.spec.in_sequence() && update.begun_at != Some(known.version) {
            let message = "the base changed since this update began; with order_lines='adjacent' updates must be sequential, because \
                           the last order of one may continue in the next";
            return Err(Error::new(ErrorKind::StateMismatch, message));
        }
        let Some(sealed) = known.sealed else { return Ok(()) };
        let open: Vec<&State> = std::iter::once(known).chain(deltas).map(|known| &known.state).collect();
        let late = update.state.late_orders(&open, sealed, self.spec.late)?;
        update.state.leave_out_late(&late)
    }

    /// Commits an update begun with [`CustomerBase::begin`]; a batch id must be unique. After an
    /// error the base is unchanged.
    pub fn commit(&mut self, mut update: Update, batch: Option<&str>, context: &Context) -> Result<()> {
        if self.limit.is_some() {
            return self.commit_limited(update.into(), batch, context);
        }
        self.prepare(&mut update, batch)?;
        self.commit_prepared(update, batch, context)
    }

    /// Commits a prepared update. It fails only if the threads cannot be started, and the base is then unchanged.
    pub(crate) fn commit_prepared(&mut self, update: Update, batch: Option<&str>, context: &Context) -> Result<()> {
        match &mut self.known {
            None => self.known = Some(Known::of(update)),
            Some(known) => known.add(&update.state, &update.kinds, update.rows, &[], context)?,
        }
        if let (Some(known), Some(batch)) = (&mut self.known, batch) {
            known.batches.insert(batch.to_owned());
        }
        Ok(())
    }

    /// Merges another base with the same settings. After an error the base is unchanged.
    pub fn merge(&mut self, other: &Self, context: &Context) -> Result<()> {
        if self.spec != other.spec {
            let message = format!("the bases have different settings: {}", self.spec.difference(&other.spec));
            return Err(Error::new(ErrorKind::StateMismatch, message));
        }
        self.spec.check_second_update()?;
        if self.spec.in_sequence() {
            let message = "bases with order_lines='adjacent' cannot be merged: an order may be in both. Use track='orders'";
            return Err(Error::new(ErrorKind::StateMismatch, message));
        }
        if self.limit.is_some() || other.is_spilled() {
            return self.merge_limited(other, context);
        }
        let Some(more) = &other.known else { return Ok(()) };
        let Some(known) = &mut self.known else {
            self.known = Some(more.clone());
            return Ok(());
        };
        check_input_schema(&self.spec, &known.input_schema, &more.input_schema)?;
        if let Some(batch) = known.batches.intersection(&more.batches).next() {
            let message = format!("batch_id='{batch}' is in both bases; its rows would count twice");
            return Err(Error::new(ErrorKind::DuplicateBatch, message));
        }
        known.check_room(&[&more.state], more.rows)?;
        let (mut more_state, mut refused) = (Cow::Borrowed(&more.state), Vec::new());
        if known.sealed != more.sealed {
            // The base that sealed less may hold lines that are late in the other.
            let late = self.spec.late;
            match known.sealed.max(more.sealed) {
                Some(sealed) if known.sealed == Some(sealed) => {
                    let refused = more_state.late_orders(&[&known.state], sealed, late)?;
                    if !refused.is_empty() {
                        more_state.to_mut().leave_out_late(&refused)?;
                    }
                }
                Some(sealed) => refused = known.state.late_orders(&[&more_state], sealed, late)?,
                None => {}
            }
        }
        known.add(&more_state, &more.input_schema, more.rows, &refused, context)?;
        known.batches.extend(more.batches.iter().cloned());
        known.sealed = known.sealed.max(more.sealed);
        Ok(())
    }

    /// Seals: closes the orders whose lines are all before a day. They accept no more lines.
    pub fn seal(&mut self, before: i32) -> Result<()> {
        self.check_seal()?;
        self.check_in_memory()?;
        let Some(known) = &mut self.known else { return Err(never_updated()) };
        known.state.seal(before)?;
        known.sealed = known.sealed.max(Some(before));
        known.changed();
        Ok(())
    }

    /// An error if there are no open orders to seal.
    fn check_seal(&self) -> Result<()> {
        if self.spec.track != Track::Orders {
            let message =
                format!("seal() needs open orders, which a base of level '{}' does not keep; use track='orders'", self.spec.track.name());
            return Err(Error::new(ErrorKind::StateMismatch, message));
        }
        self.known.as_ref().map(|_| ()).ok_or_else(never_updated)
    }

    /// Changes customer ids atomically: (old, new). If the new id exists, both customers are merged. The types of the id columns
    /// widen as in an update with the new ids.
    pub fn relabel(&mut self, pairs: &[(CustomerId, CustomerId)]) -> Result<()> {
        self.check_in_memory()?;
        let Some(known) = &mut self.known else { return Ok(()) };
        let moves = Relabelling::of(&known.input_schema.id, pairs)?;
        known.state.relabel(moves.pairs())?;
        moves.widen(&mut known.input_schema.id, |id| known.state.has_customer(id))?;
        known.changed();
        Ok(())
    }

    /// Removes customers and all their data. Returns their number.
    pub fn remove(&mut self, ids: &[CustomerId]) -> Result<usize> {
        self.check_in_memory()?;
        let Some(known) = &mut self.known else { return Ok(0) };
        let ids = known.stored_ids(ids)?;
        let removed = known.state.remove(&ids)?;
        known.changed();
        Ok(removed)
    }

    /// Adds batches of transactions.
    pub fn update(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        let Some(first) = batches.first() else { return Ok(()) };
        let mut builder = self.begin_limited(&first.schema())?;
        builder.push(batches, context)?;
        self.commit_limited(builder.finish(context)?, None, context)
    }

    /// The snapshot as of the end of a day (by default the last one), with day records if
    /// requested.
    fn state_as_of(&self, until: Option<i32>, days: bool, threads: Threads<'_>) -> Result<(&InputSchema, Cow<'_, State>)> {
        let (input_schema, state) = self.known()?;
        let past = until.filter(|&day| day < state.last_day);
        if let Some(day) = past.filter(|_| !self.spec.track.looks_back()) {
            return Err(Error::new(
                ErrorKind::StateMismatch,
                format!(
                    "as_of={} is before the last day in the base, {}; a base of level 'totals' has no past days. Use rfm(data, as_of=...), \
                     which leaves later rows out, or a base of level 'days'",
                    date_text(day),
                    date_text(state.last_day)
                ),
            ));
        }
        Ok((input_schema, state.state_as_of(until, days, threads)?))
    }

    /// A base of totals as of the end of a day, with the same customer codes.
    pub fn at(&self, as_of: Option<AsOf>) -> Result<Self> {
        let Some(known) = &self.known else { return Ok(self.clone()) };
        let until = as_of.map(|as_of| as_of.day(&known.input_schema.clock)).transpose()?;
        let (input_schema, state) = self.state_as_of(until, self.spec.n_days, Threads::inline())?;
        let spec = BaseSpec { track: Track::Totals, ..self.spec.clone() };
        Ok(Self {
            spec,
            known: Some(Known {
                input_schema: input_schema.clone(),
                state: state.into_owned(),
                spilled: Spilled::default(),
                batches: BTreeSet::new(),
                customers: CachedCount::default(),
                ..*known
            }),
            limit: None,
        })
    }

    /// The base as of the end of a day, and a replay of the orders up to it, for analyses of orders; packed if they need no marks.
    pub(crate) fn replay(&self, until: Option<i32>, start: Option<Cutoff>, is_packed: bool, context: &Context) -> Result<(Self, OrderLog)> {
        if !self.spec.track.looks_back() {
            let message = "a base of level 'totals' has no day records; build it with track='days' or 'orders'";
            return Err(Error::new(ErrorKind::StateMismatch, message));
        }
        let (input_schema, state) = context.run_if_large(self.size(), |threads| self.state_as_of(until, true, threads))??;
        let order_log = state.replay(start.map(|start| start.day), is_packed);
        let update = Update { kinds: input_schema.clone(), state: state.into_owned(), rows: self.rows(), begun_at: None };
        Ok((Self::of(self.spec.clone(), update), order_log))
    }

    /// Input schema and state, or an error before the first update, or if not all customers are in memory.
    pub(crate) fn known(&self) -> Result<(&InputSchema, &State)> {
        let known = self.known.as_ref().ok_or_else(never_updated)?;
        self.check_in_memory()?;
        Ok((&known.input_schema, &known.state))
    }

    /// The input schema, or an error before the first update.
    pub(crate) fn input_schema(&self) -> Result<&InputSchema> {
        self.known.as_ref().map(|known| &known.input_schema).ok_or_else(never_updated)
    }

    /// The same base with these attributes only, in this order, each from the first purchase.
    pub(crate) fn with_attributes(mut self, columns: &[&str]) -> Result<Self> {
        let own = &self.spec.roles.attributes;
        let mut places = Vec::with_capacity(columns.len());
        for column in columns {
            let place = own.iter().position(|(name, pick)| name == column && *pick == Pick::First).ok_or_else(|| {
                let message = format!(
                    "the base does not keep column '{column}' of the first purchase; build it with attributes={{'{column}': 'first'}}"
                );
                Error::new(ErrorKind::StateMismatch, message).in_column(*column)
            })?;
            places.push(place);
        }
        self.spec.roles.categories = CategoryColumns::default();
        self.spec.roles.attributes = places.iter().map(|&place| own[place].clone()).collect();
        if let Some(known) = &mut self.known {
            (known.input_schema.category, known.input_schema.channel) = (None, None);
            known.input_schema.attributes = places.iter().map(|&place| known.input_schema.attributes[place].clone()).collect();
            known.state.accumulators = known.state.accumulators.select_attributes(&places);
        }
        Ok(self)
    }

    /// The report at `as_of`.
    pub fn report(&self, as_of: Option<i32>) -> Result<Report> {
        let (input_schema, state) = self.state_as_of(as_of, false, Threads::inline())?;
        Ok(self.report_of(input_schema, &state, as_of.or(self.last_day())))
    }

    /// The report of a snapshot as of a day.
    pub(crate) fn report_of(&self, input_schema: &InputSchema, state: &State, as_of: Option<i32>) -> Report {
        use EntryKind::{LeftOut, Note};
        let money = input_schema.money;
        let (rows, orders) = (&state.rows, &state.purchases);
        let entry = |name, kind, unit, tally| ReportEntry::new(name, kind, unit, tally, money);
        let refund_only = state.totals.without_purchase();
        // What rounding takes is less than a unit of the amounts.
        let fine = |money| if let Money::Float { .. } = money { Money::Float { decimals: ROUNDED_OFF_DECIMALS } } else { money };
        let rounded = ReportEntry::new("rounded_amount", Note, ReportUnit::Rows, &rows.rounded_amount, money.map(fine));
        let mut entries = vec![
            entry("null_customer_id", LeftOut, ReportUnit::Rows, &rows.null_id),
            entry("null_timestamp", LeftOut, ReportUnit::Rows, &rows.null_time),
            entry("nonfinite_amount", LeftOut, ReportUnit::Rows, &rows.nonfinite),
            entry("after_as_of", LeftOut, ReportUnit::Rows, &rows.after),
            entry("excluded_refunds", LeftOut, ReportUnit::Orders, &orders.excluded_refunds),
            entry("refund_only_customers", LeftOut, ReportUnit::Customers, &refund_only),
            entry("netted_refunds", Note, ReportUnit::Orders, &orders.netted_refunds),
            entry("zero_orders", Note, ReportUnit::Orders, &orders.zero_orders),
            entry("null_amount", Note, ReportUnit::Rows, &rows.null_amount),
            rounded,
            entry("null_order_id", Note, ReportUnit::Rows, &rows.null_order),
        ];
        // Only if late lines are reported, or customers were removed.
        if self.spec.late == Late::Report {
            entries.push(entry("late_lines", LeftOut, ReportUnit::Rows, &rows.late));
        }
        if rows.removed != Tally::default() {
            entries.push(entry("removed", LeftOut, ReportUnit::Orders, &rows.removed));
        }
        let mut remarks = Vec::new();
        if let Some(zone) = input_schema.clock.zone() {
            remarks.push(format!("times read in {}, zone data {}", zone.name(), crate::time::zone::zone_data_version()));
        }
        if let (Some(Money::Float { decimals }), 1..) = (money, rows.rounded_amount.count) {
            remarks.push(format!(
                "{} amounts changed by more than 1 % when rounded to {decimals} decimal places; amount_decimals= keeps up to 12",
                rows.rounded_amount.count
            ));
        }
        // An empty result because of the day looks like one of data without purchases.
        let unread = [&rows.null_id, &rows.null_time, &rows.nonfinite, &rows.after].map(|tally| tally.rows);
        if let (Some(day), 1..) = (as_of, rows.after.count)
            && unread.iter().sum::<u64>() == self.rows()
        {
            remarks.push(format!(
                "as_of={} is before the data: all {} rows with an id and a time are after it",
                date_text(day),
                rows.after.count
            ));
        }
        Report { entries, n_rows: self.rows(), as_of, remarks }
    }
}

fn never_updated() -> Error {
    Error::new(
        ErrorKind::NotEnoughData,
        "the base was never updated, so the type of its ids is unknown; call update(data) first (data may be empty)",
    )
}

/// An update must have the same input schema as earlier ones; widths and layouts may differ.
pub(crate) fn check_input_schema(spec: &BaseSpec, known: &InputSchema, new: &InputSchema) -> Result<()> {
    let unlike = |what: &str, column: &str, before: String, now: String| {
        let message =
            format!("column '{column}': {what} were {before} in earlier updates and are {now} now. Cast the new data to the earlier type");
        Err(Error::new(ErrorKind::StateMismatch, message).in_column(column))
    };
    let kinds = |key: &KeySchema| key.parts().iter().map(|part| part.kind.name()).collect::<Vec<_>>();
    let parts = |what, names: &'_ KeyNames, before: &KeySchema, now: &KeySchema| {
        let kinds = kinds(before).into_iter().zip(kinds(now));
        names.iter().map(str::to_owned).zip(kinds).map(|(name, (before, now))| (what, name, before, now)).collect::<Vec<_>>()
    };
    let ids = parts("ids", &spec.roles.customer_id, &known.id, &new.id);
    let orders = spec.roles.order_id.as_ref().zip(known.order.as_ref().zip(new.order.as_ref()));
    let orders = orders.map_or_else(Vec::new, |(names, (before, now))| parts("order ids", names, before, now));
    let attributes = known.attributes.iter().zip(&new.attributes).zip(&spec.roles.attributes);
    let attributes = attributes.map(|((before, now), (column, _))| ("attributes", column.clone(), before.kind.name(), now.kind.name()));
    let columns = &spec.roles.categories;
    let value = |what, name: &'_ Option<String>, before: &Option<ValueType>, now: &Option<ValueType>| {
        let types = name.clone().zip(before.as_ref().zip(now.as_ref()));
        types.map(|(name, (before, now))| (what, name, before.kind.name(), now.kind.name()))
    };
    let categories = value("categories", &columns.category, &known.category, &new.category);
    let channels = value("channels", &columns.channel, &known.channel, &new.channel);
    let mut all = ids.into_iter().chain(orders).chain(attributes).chain(categories).chain(channels);
    if let Some((what, column, before, now)) = all.find(|(_, _, before, now)| before != now) {
        return unlike(what, &column, before.to_owned(), now.to_owned());
    }
    let clock = |input_schema: &InputSchema| {
        input_schema.clock.zone().map_or("naive (without a zone)".to_owned(), |zone| format!("read in zone {}", zone.name()))
    };
    if clock(known) != clock(new) {
        return unlike("times", &spec.roles.timestamp, clock(known), clock(new));
    }
    if known.money != new.money {
        let name = |money: Option<Money>| match money {
            None => "absent".to_owned(),
            Some(Money::Float { .. }) => "floats".to_owned(),
            Some(Money::Integer) => "integers".to_owned(),
            Some(Money::Decimal { scale }) => format!("decimals of scale {scale}"),
        };
        return unlike("amounts", spec.roles.amount.as_deref().unwrap_or("amount"), name(known.money), name(new.money));
    }
    Ok(())
}
