//! The columns of transactions, bound by name and type to one batch, and the row blocks they are decoded into.

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_schema::Schema;

use super::amount::AmountColumn;
use super::category::{CategoryColumns, DiscountColumn};
use super::key::{KeyColumn, KeyKind};
use super::key_schema::{KeyNames, KeySchema};
use super::mark::{BEFORE, MarkColumn, RETURNING, START};
use super::time::{Clock, TimeColumn};
use super::value::ValueType;
use super::{BLOCK, find_column, flag};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::Threads;
use crate::num::money::Money;

/// Which purchase an attribute is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The first one; ties by the smallest value.
    First,
    /// The last one; ties by the smallest value.
    Last,
}

/// The names of the input columns by role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnRoles {
    /// Column of customer ids, or the columns of a composite key.
    pub customer_id: KeyNames,
    /// Column of times.
    pub timestamp: String,
    /// Column of amounts, if money is counted.
    pub amount: Option<String>,
    /// Column of order ids, or the columns of a composite key, if lines are collapsed to orders.
    pub order_id: Option<KeyNames>,
    /// Columns of customer attributes, and which purchase each is taken from.
    pub attributes: Vec<(String, Pick)>,
    /// Columns of categories and channels.
    pub categories: CategoryColumns,
    /// Boolean column of the rows that may start a customer's membership in a cohort; `None` means all rows.
    pub start: Option<String>,
    /// Boolean column of the rows that count as returns; `None` means all rows.
    pub returning: Option<String>,
}

impl ColumnRoles {
    /// The required columns, without duplicates.
    pub fn columns(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.customer_id.iter().collect();
        names.push(self.timestamp.as_str());
        names.extend(self.amount.as_deref());
        names.extend(self.order_id.iter().flat_map(KeyNames::iter));
        names.extend(self.attributes.iter().map(|(name, _)| name.as_str()));
        let CategoryColumns { category, promotion, channel, .. } = &self.categories;
        names.extend([category, promotion, channel].into_iter().filter_map(|name| name.as_deref()));
        names.extend(self.start.as_deref());
        names.extend(self.returning.as_deref());
        let mut seen = Vec::with_capacity(names.len());
        for name in names {
            if !seen.contains(&name) {
                seen.push(name);
            }
        }
        seen
    }

    /// The boolean columns with their argument names.
    fn marks(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let start = self.start.as_deref().map(|name| (name, "start"));
        start.into_iter().chain(self.returning.as_deref().map(|name| (name, "returning")))
    }
}

/// Column types and units; the first batch of a stream fixes them for all later batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputSchema {
    /// The columns of customer ids.
    pub id: KeySchema,
    /// How times are read.
    pub clock: Clock,
    /// The unit of money; `None` without an amount.
    pub money: Option<Money>,
    /// The columns of order ids.
    pub order: Option<KeySchema>,
    /// The type of each attribute.
    pub attributes: Vec<ValueType>,
    /// The type of categories, if they are kept.
    pub category: Option<ValueType>,
    /// The type of channels, if they are kept.
    pub channel: Option<ValueType>,
}

impl InputSchema {
    /// The input schema for an Arrow schema, checked before any data are read.
    pub fn of(schema: &Schema, roles: &ColumnRoles, timezone: Option<&str>, decimals: u8) -> Result<Self> {
        let id = KeySchema::of(schema, &roles.customer_id, "customer_id")?;
        let time = schema.field(find_column(schema, &roles.timestamp, "timestamp")?);
        let clock = Clock::of(time.name(), time.data_type(), timezone)?;
        TimeColumn::new(time.name(), &arrow_array::new_empty_array(time.data_type()), &clock)?;
        let money = match &roles.amount {
            None => None,
            Some(name) => {
                let amount = schema.field(find_column(schema, name, "amount")?);
                Some(AmountColumn::money_of(name, amount.data_type(), decimals)?)
            }
        };
        let value = |name: &str, role: &str| ValueType::of(schema.field(find_column(schema, name, role)?), role);
        let order = roles.order_id.as_ref().map(|names| KeySchema::of(schema, names, "order_id")).transpose()?;
        let attributes = roles.attributes.iter().map(|(name, _)| value(name, "attributes")).collect::<Result<_>>()?;
        let columns = &roles.categories;
        let category = columns.category.as_deref().map(|name| value(name, "categories")).transpose()?;
        let channel = columns.channel.as_deref().map(|name| value(name, "channel")).transpose()?;
        if let Some(name) = &columns.promotion {
            let field = schema.field(find_column(schema, name, "promotion")?);
            DiscountColumn::new(name, &arrow_array::new_empty_array(field.data_type()))?;
        }
        for (name, role) in roles.marks() {
            let field = schema.field(find_column(schema, name, role)?);
            MarkColumn::new(name, role, &arrow_array::new_empty_array(field.data_type()))?;
        }
        Ok(Self { id, clock, money, order, attributes, category, channel })
    }

    /// How stored order ids are compared; `None` if every row is an order.
    pub fn order_kind(&self) -> Option<KeyKind> {
        self.order.as_ref().map(KeySchema::kind)
    }

    /// Whether ids are encoded when a batch is bound.
    pub(crate) fn has_composite_keys(&self) -> bool {
        self.id.is_composite() || self.order.as_ref().is_some_and(KeySchema::is_composite)
    }

    /// Widens the output types so that they also hold the ids and attributes of `other`.
    pub fn widen(&mut self, other: &Self) {
        self.id.widen(&other.id);
        if let (Some(own), Some(other)) = (&mut self.order, &other.order) {
            own.widen(other);
        }
        for (own, other) in self.attributes.iter_mut().zip(&other.attributes) {
            own.widen(other);
        }
        for (own, other) in [(&mut self.category, &other.category), (&mut self.channel, &other.channel)] {
            if let (Some(own), Some(other)) = (own, other) {
                own.widen(other);
            }
        }
    }
}

/// The typed columns of one batch.
#[derive(Debug, Clone)]
pub(crate) struct InputBatch {
    roles: ColumnRoles,
    rows: usize,
    /// Customer ids; those of a composite key are encoded.
    pub customer: KeyColumn,
    /// The columns of a composite key.
    id_parts: Vec<ArrayRef>,
    /// Order ids.
    pub order: Option<KeyColumn>,
    /// Attributes, as they are stored.
    pub attributes: Vec<KeyColumn>,
    /// Categories, as they are stored.
    pub category: Option<KeyColumn>,
    /// Channels, as they are stored.
    pub channel: Option<KeyColumn>,
    /// Whether lines have a discount.
    pub discounts: Option<DiscountColumn>,
    time: TimeColumn,
    amount: Option<AmountColumn>,
    start: Option<MarkColumn>,
    returning: Option<MarkColumn>,
}

impl InputBatch {
    /// Binds the columns of `batch`; the ids of composite keys are encoded on `threads`.
    pub(crate) fn bind(batch: &RecordBatch, roles: &ColumnRoles, kinds: &InputSchema, decimals: u8, threads: Threads<'_>) -> Result<Self> {
        let schema = batch.schema();
        let column = |name: &str, role: &str| -> Result<ArrayRef> { Ok(batch.column(find_column(&schema, name, role)?).clone()) };
        let columns = |names: &KeyNames, role: &str| names.iter().map(|name| column(name, role)).collect::<Result<Vec<_>>>();
        let id_parts = columns(&roles.customer_id, "customer_id")?;
        let customer = kinds.id.read(&id_parts, "customer_id", threads)?;
        let time = TimeColumn::new(&roles.timestamp, &column(&roles.timestamp, "timestamp")?, &kinds.clock)?;
        let amount = match &roles.amount {
            Some(name) => Some(AmountColumn::new(name, &column(name, "amount")?, decimals)?),
            None => None,
        };
        let order = match (&kinds.order, &roles.order_id) {
            (Some(key), Some(names)) => Some(key.read(&columns(names, "order_id")?, "order_id", threads)?),
            _ => None,
        };
        let attributes = roles.attributes.iter().zip(&kinds.attributes);
        let attributes = attributes
            .map(|((name, _), value_type)| value_type.read(name, "attributes", &column(name, "attributes")?))
            .collect::<Result<_>>()?;
        let columns = &roles.categories;
        let value = |name: &Option<String>, value_type: &Option<ValueType>, role: &str| -> Result<Option<KeyColumn>> {
            let both = name.as_ref().zip(value_type.as_ref());
            both.map(|(name, value_type)| value_type.read(name, role, &column(name, role)?)).transpose()
        };
        let category = value(&columns.category, &kinds.category, "categories")?;
        let channel = value(&columns.channel, &kinds.channel, "channel")?;
        let discounts = columns.promotion.as_ref().map(|name| DiscountColumn::new(name, &column(name, "promotion")?)).transpose()?;
        let mark = |name: &Option<String>, role: &str| -> Result<Option<MarkColumn>> {
            name.as_deref().map(|name| MarkColumn::new(name, role, &column(name, role)?)).transpose()
        };
        let (start, returning) = (mark(&roles.start, "start")?, mark(&roles.returning, "returning")?);
        let (roles, rows) = (roles.clone(), batch.num_rows());
        Ok(Self { roles, rows, customer, id_parts, order, attributes, category, channel, discounts, time, amount, start, returning })
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Whether units of money need 128 bits.
    pub(crate) fn is_wide(&self) -> bool {
        self.amount.as_ref().is_some_and(AmountColumn::is_wide)
    }

    /// Reads rows `start..start + len` (`len` at most [`BLOCK`]) into `block`; errors count rows from `first_row`.
    pub(crate) fn read(&self, start: usize, len: usize, first_row: u64, block: &mut TypedBlock) -> Result<()> {
        block.start = start;
        block.flags.clear();
        block.flags.resize(len, 0);
        let flags = &mut block.flags;
        mark(flags, self.customer.nulls(), start, flag::NULL_ID);
        mark(flags, self.time.nulls(), start, flag::NULL_TIME);
        block.days.resize(len, 0);
        if !self.time.read(start, &mut block.days)
            && let Some(row) = self.time.first_out_of_range(start, len)
        {
            return Err(TimeColumn::out_of_range(&self.roles.timestamp, first_row + row as u64));
        }
        block.units.resize(len, 0);
        if let (Some(amount), Some(name)) = (&self.amount, &self.roles.amount) {
            let in_range = if amount.is_wide() {
                block.wide.resize(len, 0);
                amount.read_wide(start, &mut block.wide)
            } else {
                amount.read(start, &mut block.units, flags)
            };
            if !in_range && let Some(row) = amount.first_out_of_range(start, len) {
                return Err(amount.out_of_range(name, first_row + row as u64));
            }
            if let Some(nulls) = amount.nulls().filter(|n| n.null_count() > 0) {
                for i in (0..len).filter(|&i| nulls.is_null(start + i)) {
                    flags[i] = flags[i] & !(flag::NONFINITE | flag::ROUNDED) | flag::NULL_AMOUNT;
                    block.units[i] = 0;
                    if amount.is_wide() {
                        block.wide[i] = 0;
                    }
                }
            }
        }
        Ok(())
    }

    /// What rounding took from the amount of a row, in units of 10^-18.
    pub(crate) fn rounded_off(&self, row: usize) -> i128 {
        self.amount.as_ref().map_or(0, |amount| amount.rounded_off(row))
    }

    /// The time of a row, for comparing the order of two purchases.
    #[inline]
    pub(crate) fn instant(&self, row: usize) -> (i64, u32) {
        self.time.instant(row)
    }

    /// The time of a row in the column's ticks.
    #[inline]
    pub(crate) fn tick(&self, row: usize) -> i64 {
        self.time.tick(row)
    }

    /// The first tick of the time column at or after an instant in microseconds since 1970.
    pub(crate) fn limit(&self, micros: i64) -> i64 {
        self.time.limit(micros)
    }

    /// The flags of the rows of a block, see [`super::mark`]; `is_before` tells whether a row is before the start of observation.
    pub(crate) fn read_marks(&self, start: usize, len: usize, is_before: impl Fn(usize) -> bool, marks: &mut Vec<u8>) {
        marks.clear();
        let holds = |column: &Option<MarkColumn>, row: usize| column.as_ref().is_none_or(|column| column.get(row));
        marks.extend((0..len).map(|i| {
            let mut mark = if holds(&self.start, start + i) { START } else { 0 };
            if holds(&self.returning, start + i) {
                mark |= RETURNING;
            }
            if is_before(i) { mark | BEFORE } else { mark }
        }));
    }

    /// The error for the infinite amount at `row` of this batch.
    pub(crate) fn nonfinite_error(&self, row: u64) -> Error {
        let count = self.amount.as_ref().map_or(0, AmountColumn::count_nonfinite);
        AmountColumn::nonfinite(self.roles.amount.as_deref().unwrap_or_default(), row, count)
    }

    /// The error for a null where `on_null="error"`; `at` is the row in this batch.
    pub(crate) fn null_error(&self, flags: u8, row: u64, at: usize) -> Error {
        let parts = self.roles.customer_id.iter().zip(&self.id_parts);
        let (column, nulls) = if flags & flag::NULL_ID != 0 {
            let is_null = |part: &ArrayRef| part.logical_nulls().is_some_and(|nulls| nulls.is_null(at));
            let name = parts.clone().find(|(_, part)| is_null(part)).or_else(|| parts.clone().next()).map_or("", |(name, _)| name);
            (name, self.customer.nulls())
        } else if flags & flag::NULL_TIME != 0 {
            (self.roles.timestamp.as_str(), self.time.nulls())
        } else {
            (self.roles.amount.as_deref().unwrap_or_default(), self.amount.as_ref().and_then(AmountColumn::nulls))
        };
        let count = nulls.map_or(1, |n| n.null_count().max(1));
        Error::new(
            ErrorKind::NullValue,
            format!("column '{column}' is null at row {row} ({count} in its batch). Fill or drop such rows, or pass on_null='drop' to exclude and count them"),
        )
        .in_column(column)
        .at_row(row)
    }
}

/// A few thousand rows, decoded.
#[derive(Debug, Default)]
pub(crate) struct TypedBlock {
    /// The first row in the batch.
    pub start: usize,
    /// What is missing in each row, see [`flag`].
    pub flags: Vec<u8>,
    /// Local days.
    pub days: Vec<i32>,
    /// Units of money, 0 if null.
    pub units: Vec<i64>,
    /// Units of money where they need 128 bits.
    pub wide: Vec<i128>,
}

impl TypedBlock {
    /// The units of one row.
    #[inline]
    pub(crate) fn units_at(&self, row: usize, wide: bool) -> i128 {
        if wide { self.wide[row] } else { i128::from(self.units[row]) }
    }

    /// An empty block with capacity for [`BLOCK`] rows.
    pub(crate) fn new() -> Self {
        Self {
            start: 0,
            flags: Vec::with_capacity(BLOCK),
            days: Vec::with_capacity(BLOCK),
            units: Vec::with_capacity(BLOCK),
            wide: Vec::new(),
        }
    }
}

fn mark(flags: &mut [u8], nulls: Option<&NullBuffer>, start: usize, bit: u8) {
    if let Some(nulls) = nulls.filter(|n| n.null_count() > 0) {
        for (i, flag) in flags.iter_mut().enumerate() {
            if nulls.is_null(start + i) {
                *flag |= bit;
            }
        }
    }
}
