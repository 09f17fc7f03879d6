//! Baskets: which items were bought together. A second state beside the customer base, exact and mergeable.
//!
//! A basket is open, with the sum of money of each of its items, until it is sealed; then it is a list of items ([`content`]). Rows
//! are read as those of a base are ([`builder`]); analyses read [`lists::BasketLists`].

pub(crate) mod builder;
mod content;
mod edit;
pub(crate) mod file;
mod file_rows;
pub(crate) mod lists;
mod run;
pub(crate) mod spec;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use self::builder::{BasketBuilder, BasketUpdate};
use self::content::Content;
use self::spec::BasketSpec;
use crate::base::check_input_schema;
use crate::column::chunks::InputSchema;
use crate::column::customer_id::StoredId;
use crate::column::find_column;
use crate::column::value::ValueType;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::interner::NO_CODE;
use crate::time::calendar::date_text;

/// The baskets of transactions.
#[derive(Debug, Clone)]
pub struct Baskets {
    spec: BasketSpec,
    known: Option<Known>,
}

/// The content after the first update.
#[derive(Debug, Clone)]
struct Known {
    schema: InputSchema,
    content: Content,
    rows: u64,
    batches: BTreeSet<String>,
    sealed: Option<i32>,
}

impl Baskets {
    /// No baskets.
    pub fn new(spec: BasketSpec) -> Result<Self> {
        Ok(Self { spec: spec.checked()?, known: None })
    }

    /// The settings.
    pub fn spec(&self) -> &BasketSpec {
        &self.spec
    }

    /// Number of input rows.
    pub fn rows(&self) -> u64 {
        self.known.as_ref().map_or(0, |known| known.rows)
    }

    /// Amount of work for a pass over all baskets.
    pub fn size(&self) -> usize {
        self.known.as_ref().map_or(0, |known| known.content.size())
    }

    /// Approximate size in bytes.
    pub fn bytes(&self) -> usize {
        self.known.as_ref().map_or(0, |known| known.content.bytes())
    }

    /// The ids of the loaded batches, ascending.
    pub fn batches(&self) -> impl Iterator<Item = &str> {
        self.known.iter().flat_map(|known| &known.batches).map(String::as_str)
    }

    /// The day before which baskets are sealed.
    pub fn sealed(&self) -> Option<i32> {
        self.known.as_ref().and_then(|known| known.sealed)
    }

    /// The columns that are read.
    pub fn columns(&self) -> Vec<String> {
        self.spec.read.roles.columns().into_iter().map(str::to_owned).collect()
    }

    /// Begins an update with data of this schema. The columns are checked before any row is read.
    pub fn begin(&self, schema: &Schema) -> Result<BasketBuilder> {
        ValueType::of(schema.field(find_column(schema, self.spec.item(), "item")?), "item")?;
        let read = &self.spec.read;
        let input_schema = InputSchema::of(schema, &read.roles, read.timezone.as_deref(), read.amount_decimals)?;
        if let Some(known) = &self.known {
            check_input_schema(read, &known.schema, &input_schema)?;
        }
        Ok(BasketBuilder::new(&self.spec, input_schema))
    }

    /// Adds batches of transactions. After an error nothing has changed.
    pub fn update(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        let Some(first) = batches.first() else { return Ok(()) };
        let mut builder = self.begin(&first.schema())?;
        builder.push(batches, context)?;
        self.commit(builder.finish(context)?, None, context)
    }

    /// An error if a batch of this name was already loaded.
    pub fn check_batch(&self, batch: &str) -> Result<()> {
        if self.known.as_ref().is_some_and(|known| known.batches.contains(batch)) {
            let message = format!("batch_id='{batch}' was loaded already; use another batch_id for other data");
            return Err(Error::new(ErrorKind::DuplicateBatch, message));
        }
        Ok(())
    }

    /// Commits an update; a batch id must be unique. After an error nothing has changed.
    pub fn commit(&mut self, update: BasketUpdate, batch: Option<&str>, context: &Context) -> Result<()> {
        batch.map_or(Ok(()), |batch| self.check_batch(batch))?;
        let BasketUpdate { schema, content, rows } = update;
        match &mut self.known {
            None => self.known = Some(Known { schema, content, rows, batches: BTreeSet::new(), sealed: None }),
            Some(known) => {
                check_input_schema(&self.spec.read, &known.schema, &schema)?;
                known.content.check_room(&content)?;
                if let Some(sealed) = known.sealed {
                    check_late(&content, &known.content, sealed)?;
                }
                known.content.absorb(content, known.rows, context)?;
                known.schema.widen(&schema);
                known.rows += rows;
            }
        }
        if let (Some(known), Some(batch)) = (&mut self.known, batch) {
            known.batches.insert(batch.to_owned());
        }
        Ok(())
    }

    /// Adds the baskets of others with the same settings. After an error nothing has changed.
    pub fn merge(&mut self, other: &Self, context: &Context) -> Result<()> {
        if self.spec != other.spec {
            let message = format!("the baskets have different settings: {}", self.spec.difference(&other.spec));
            return Err(Error::new(ErrorKind::StateMismatch, message));
        }
        let Some(more) = &other.known else { return Ok(()) };
        let Some(known) = &mut self.known else {
            self.known = Some(more.clone());
            return Ok(());
        };
        check_input_schema(&self.spec.read, &known.schema, &more.schema)?;
        if let Some(batch) = known.batches.intersection(&more.batches).next() {
            let message = format!("batch_id='{batch}' is in both; its rows would count twice");
            return Err(Error::new(ErrorKind::DuplicateBatch, message));
        }
        known.content.check_room(&more.content)?;
        if known.sealed != more.sealed {
            // Those that are sealed less far may hold lines that are late in the others.
            match known.sealed.max(more.sealed) {
                Some(sealed) if known.sealed == Some(sealed) => check_late(&more.content, &known.content, sealed)?,
                Some(sealed) => check_late(&known.content, &more.content, sealed)?,
                None => {}
            }
        }
        known.content.merge(&more.content, known.rows, context)?;
        known.schema.widen(&more.schema);
        known.rows += more.rows;
        known.batches.extend(more.batches.iter().cloned());
        known.sealed = known.sealed.max(more.sealed);
        Ok(())
    }
}

/// An error if there is a basket whose lines are all before a day, and which is not open in the baskets that are sealed before it.
fn check_late(content: &Content, sealed: &Content, day: i32) -> Result<()> {
    let (customers, orders, ids) = (sealed.customers.lookup(), sealed.orders.lookup(), sealed.ids.lookup());
    let is_order = !content.orders.is_empty();
    let is_open = |code: u32| {
        let (customer, other) = content.open_id(code);
        let customer = if customer == NO_CODE { Some(customer) } else { customers.find(content.customers.keys(), customer) };
        let other = if is_order { orders.find(content.orders.keys(), other) } else { Some(other) };
        let id = customer.zip(other).map(|(customer, other)| content::packed(customer, other));
        id.is_some_and(|id| ids.find_stored(&StoredId::Integer(id)).is_some())
    };
    let late = (0..).zip(&content.last_days).filter(|(code, last)| **last < day && !is_open(*code)).map(|(_, last)| *last);
    let late: Vec<i32> = late.collect();
    match late.iter().min() {
        None => Ok(()),
        Some(&first) => {
            let message = format!(
                "{} baskets have only lines before {}, the first of {}, and are not open; baskets are sealed before that day. Leave such \
                 lines out, or seal later",
                late.len(),
                date_text(day),
                date_text(first)
            );
            Err(Error::new(ErrorKind::StateMismatch, message))
        }
    }
}
