//! Baskets as lists of items, for analyses, and what was left out of them.

use super::content::{BasketTallies, Content};
use super::{Baskets, Known};
use crate::column::key_schema::KeySchema;
use crate::column::value::ValueType;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::interner::Keys;
use crate::num::money::{Money, ROUNDED_OFF_DECIMALS};
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit, Tally};

/// The baskets with at least one item, as lists of distinct items.
pub(crate) struct BasketLists<'a> {
    known: &'a Known,
    /// The customer of each basket, [`crate::group::interner::NO_CODE`] without one.
    pub(crate) customers: Vec<u32>,
    /// The end of each list.
    pub(crate) ends: Vec<u64>,
    /// The lists, one after the other.
    pub(crate) items: Vec<u32>,
    /// What was left out.
    pub(crate) report: Report,
}

impl BasketLists<'_> {
    /// Number of baskets.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The items of a basket.
    #[inline]
    pub(crate) fn items(&self, basket: usize) -> &[u32] {
        let start = if basket == 0 { 0 } else { self.ends[basket - 1] as usize };
        &self.items[start..self.ends[basket] as usize]
    }

    /// Frees the lists and customers, which are not read any more.
    pub(crate) fn release(&mut self) {
        (self.items, self.ends, self.customers) = Default::default();
    }

    /// The type of items.
    pub(crate) fn item_type(&self) -> Result<&ValueType> {
        self.known.schema.attributes.first().ok_or_else(|| Error::internal("baskets without a type of items"))
    }

    /// The items by code.
    pub(crate) fn item_keys(&self) -> &Keys {
        self.known.content.items.keys()
    }

    /// The columns of customer ids.
    pub(crate) fn customer_key(&self) -> &KeySchema {
        &self.known.schema.id
    }

    /// The customers by code.
    pub(crate) fn customer_keys(&self) -> &Keys {
        self.known.content.customers.keys()
    }
}

impl Content {
    /// Calls `see` with customer and items of each basket that has at most `most` items, and at least one. Returns the tallies of all
    /// baskets, and those of larger ones.
    fn each(&self, baskets: &Baskets, context: &Context, mut see: impl FnMut(u32, &[u32])) -> Result<(BasketTallies, Tally)> {
        let (by, most) = (baskets.spec.by, baskets.spec.max_basket.unwrap_or(u64::MAX));
        let (mut tallies, mut large, mut own) = (self.tallies, Tally::default(), Vec::new());
        let mut one = |customer: u32, items: &[u32], units: i128| {
            if items.len() as u64 > most {
                large.add(units, u64::MAX);
            } else if !items.is_empty() {
                see(customer, items);
            }
        };
        self.each_open(context, |basket| {
            basket.contents(by, &mut own, &mut tallies);
            one(self.open_id(basket.code).0, &own, basket.units());
            Ok(())
        })?;
        self.closed.iter().for_each(|(customer, items)| one(customer, items, 0));
        Ok((tallies, large))
    }
}

impl Baskets {
    /// The baskets as lists of items; an error before the first update.
    pub(crate) fn lists(&self, context: &Context) -> Result<BasketLists<'_>> {
        let Some(known) = &self.known else {
            return Err(Error::new(ErrorKind::NotEnoughData, "the baskets have no data yet; call update() first"));
        };
        let (mut customers, mut ends) = (Vec::new(), Vec::new());
        let mut items = Vec::with_capacity(known.content.open.len() + known.content.closed.items.len());
        let (tallies, large) = known.content.each(self, context, |customer, own| {
            customers.push(customer);
            items.extend_from_slice(own);
            ends.push(items.len() as u64);
        })?;
        let report = self.report_of(known, &tallies, &large);
        Ok(BasketLists { known, customers, ends, items, report })
    }

    /// Number of baskets with at least one item.
    pub fn len(&self, context: &Context) -> Result<usize> {
        let Some(known) = &self.known else { return Ok(0) };
        let mut count = 0;
        known.content.each(self, context, |_, _| count += 1)?;
        Ok(count)
    }

    /// What was left out.
    pub fn report(&self, context: &Context) -> Result<Report> {
        let Some(known) = &self.known else { return Ok(Report::default()) };
        let (tallies, large) = known.content.each(self, context, |_, _| ())?;
        Ok(self.report_of(known, &tallies, &large))
    }

    fn report_of(&self, known: &Known, tallies: &BasketTallies, large: &Tally) -> Report {
        let money = known.schema.money;
        let of_rounding = money.map(|_| Money::Float { decimals: ROUNDED_OFF_DECIMALS });
        let mut entries = Vec::new();
        let mut entry = |name, kind, unit, tally: &Tally, money| entries.push(ReportEntry::new(name, kind, unit, tally, money));
        let (out, note, rows) = (EntryKind::LeftOut, EntryKind::Note, ReportUnit::Rows);
        if !self.spec.anonymous {
            entry("null_customer_id", out, rows, &tallies.null_id, money);
        }
        entry("null_timestamp", out, rows, &tallies.null_time, money);
        entry("nonfinite_amount", out, rows, &tallies.nonfinite, money);
        entry("null_item", out, rows, &tallies.null_item, money);
        if self.spec.keeps_units() {
            if self.spec.by == super::spec::BasketBy::Order {
                entry("refunds", out, ReportUnit::Orders, &tallies.refunds, money);
            }
            entry("returned_items", out, rows, &tallies.returned_items, money);
        }
        if self.spec.max_basket.is_some() {
            entry("large_baskets", out, ReportUnit::Orders, large, money);
        }
        entry("removed", out, ReportUnit::Orders, &tallies.removed, money);
        if money.is_some() {
            entry("null_amount", note, rows, &tallies.null_amount, money);
            entry("rounded_amount", note, rows, &tallies.rounded_amount, of_rounding);
        }
        if self.spec.read.roles.order_id.is_some() {
            entry("null_order_id", note, rows, &tallies.null_order, money);
        }
        Report { entries, n_rows: known.rows, as_of: None, remarks: Vec::new() }
    }
}
