//! Conversion between customers and Arrow record batches: one row per customer, with lists of days and orders.
//!
//! | column | type |
//! |---|---|
//! | the id, by its own name; for a composite key a column for each part | its own |
//! | `first_date`, `last_date` | Date32, null without a purchase |
//! | `n_orders`, `n_rows`, `n_other_rows` | Int64; the rows of orders other than purchases only if there is no purchase |
//! | `units` | amount in units: Int64 if all amounts of the file fit, else Decimal128(38, 0) |
//! | `days`, if kept | list of `date`, `n_orders`, `n_rows`, `n_other_rows`, `units` |
//! | `orders`, if there are order ids | list of `order_id` (null: closed), `parts` by day, `attributes` |
//! | `categories`, `channels`, if kept | a list of cells ([`crate::state::cells`]): `value`, `date`, `n_orders`, `n_rows`, `units`, ... |
//! | `attributes`, and other groups of accumulators ([`crate::state::accumulator`]) | a column for each; for an attribute its `value` and the timestamp, `seconds` and `nanoseconds` |
//!
//! Spilled runs ([`crate::base::spill`]) also have the row numbers for the report: `first_other_row`
//! of a customer, `first_row` of a part of an order; and the ids of a composite key are encoded there, as in memory, so that
//! ranges of ids are found in one column.
//!
//! A name equal to that of an id column gets a `_` appended.

use std::io::{Read, Seek, Write};
use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int64Array, ListArray, RecordBatch, StructArray, UInt32Array, UInt64Array,
};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema};

use crate::base::export::{BaseLoader, CustomerRows, CustomerTotals};
use crate::column::chunks::InputSchema;
use crate::column::key::{KeyColumn, KeyKind};
use crate::column::key_schema::KeySchema;
use crate::column::mark::{RETURNING, START};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::group::intern_rows;
use crate::group::interner::Keys;
pub(crate) use crate::state::accumulator::Failure;
use crate::state::accumulator::{Accumulator, Level};
use crate::state::accumulators::Accumulators;
use crate::state::days::DayRecord;
use crate::state::spec::BaseSpec;
use crate::state::totals::Order;
use crate::store::blocks::{Reader, Writer};
use crate::table::{id_columns, key_column};
use crate::time::calendar::{MAX_DAY, MIN_DAY};

/// The columns of the file.
#[derive(Debug)]
pub(crate) struct BaseFileLayout {
    schema: Arc<Schema>,
    /// The columns of ids.
    id: KeySchema,
    /// Whether amounts need more than 64 bits.
    wide: bool,
    /// Whether row numbers are stored.
    numbered: bool,
    days: Option<Fields>,
    orders: Option<OrderLayout>,
    groups: Vec<Group>,
}

/// The struct column of the accumulators of one group.
#[derive(Debug)]
struct Group {
    name: &'static str,
    fields: Fields,
    /// Position of the first accumulator.
    first: usize,
}

impl Group {
    /// The groups of the accumulators.
    fn all(accumulators: &Accumulators) -> Vec<Self> {
        let all: Vec<&dyn Accumulator> = accumulators.iter().collect();
        let mut groups: Vec<Self> = Vec::new();
        for of_group in all.chunk_by(|a, b| a.group() == b.group()) {
            let first = groups.last().map_or(0, |group| group.first + group.fields.len());
            let fields = of_group.iter().map(|accumulator| accumulator.field()).collect();
            groups.push(Self { name: of_group[0].group(), fields, first });
        }
        groups
    }

    fn field(&self) -> Field {
        Field::new(self.name, DataType::Struct(self.fields.clone()), false)
    }

    /// The column for some keys.
    fn column(&self, accumulators: &Accumulators, keys: &[(Level, u32)]) -> Result<ArrayRef> {
        let own = accumulators.iter().skip(self.first).zip(&self.fields);
        let columns = own.map(|(accumulator, field)| accumulator.write(field, keys)).collect::<Result<Vec<ArrayRef>>>()?;
        Ok(Arc::new(StructArray::try_new(self.fields.clone(), columns, None).map_err(Error::internal)?))
    }

    /// Reads the column for some keys.
    fn read(&self, column: &ArrayRef, keys: &[(Level, u32)], loader: &mut BaseLoader<'_>) -> Result<(), Failure> {
        let threads = loader.threads;
        for (at, column) in column.as_struct().columns().iter().enumerate() {
            loader.accumulator(self.first + at)?.read(keys, column, threads)?;
        }
        Ok(())
    }
}

#[derive(Debug)]
struct OrderLayout {
    fields: Fields,
    parts: Fields,
    id_type: DataType,
}

impl Failure {
    /// The error for an open file.
    pub(crate) fn of<R: Read + Seek>(self, reader: &Reader<R>) -> Error {
        match self {
            Self::Content(why) => reader.damaged(why),
            Self::Other(error) => error,
        }
    }

    /// The error for customers in memory.
    pub(crate) fn of_memory(self) -> Error {
        match self {
            Self::Content(why) => Error::internal(format!("the memory of a base cannot be read: {why}")),
            Self::Other(error) => error,
        }
    }
}

fn list_of(fields: &Fields) -> DataType {
    DataType::List(item(fields))
}

fn item(fields: &Fields) -> FieldRef {
    Arc::new(Field::new("item", DataType::Struct(fields.clone()), false))
}

impl BaseFileLayout {
    /// The layout for these settings and input schema; `numbered` if row numbers are stored.
    pub(crate) fn of(spec: &BaseSpec, input_schema: &InputSchema, wide: bool, numbered: bool) -> Self {
        let units = Field::new("units", if wide { DataType::Decimal128(38, 0) } else { DataType::Int64 }, false);
        let date = Field::new("date", DataType::Date32, false);
        let count = |name: &str| Field::new(name, DataType::UInt32, false);
        let days = spec
            .keeps_days()
            .then(|| Fields::from(vec![date.clone(), count("n_orders"), count("n_rows"), count("n_other_rows"), units.clone()]));
        let groups = Group::all(&Accumulators::new(&spec.roles, &spec.accumulators, input_schema));
        let orders = input_schema.order_kind().map(|kind| {
            let mut parts = vec![
                date,
                Field::new("n_rows", DataType::Int64, false),
                Field::new("amount_is_null", DataType::Boolean, false),
                units.clone(),
            ];
            parts.extend(numbered.then(|| Field::new("first_row", DataType::UInt64, false)));
            let parts = Fields::from(parts);
            let id_type = order_id_type(kind);
            let mut fields = vec![Field::new("order_id", id_type.clone(), true), Field::new("parts", list_of(&parts), false)];
            fields.extend(groups.iter().map(Group::field));
            OrderLayout { fields: fields.into(), parts, id_type }
        });
        let mut columns = vec![
            Field::new("first_date", DataType::Date32, true),
            Field::new("last_date", DataType::Date32, true),
            Field::new("n_orders", DataType::Int64, false),
            Field::new("n_rows", DataType::Int64, false),
            Field::new("n_other_rows", DataType::Int64, false),
            units,
        ];
        columns.extend(numbered.then(|| Field::new("first_other_row", DataType::UInt64, false)));
        columns.extend(days.as_ref().map(|fields| Field::new("days", list_of(fields), false)));
        columns.extend(orders.as_ref().map(|layout| Field::new("orders", list_of(&layout.fields), false)));
        columns.extend(groups.iter().map(Group::field));
        let id = if numbered { input_schema.id.stored_key() } else { input_schema.id.clone() };
        for column in &mut columns {
            while id.parts().iter().any(|part| part.name == *column.name()) {
                let name = format!("{}_", column.name());
                column.set_name(name);
            }
        }
        columns.splice(0..0, id.parts().iter().map(|part| part.field(false)));
        Self { schema: Arc::new(Schema::new(columns)), id, wide, numbered, days, orders, groups }
    }

    /// Whether amounts need more than 64 bits.
    pub(crate) fn is_wide(&self) -> bool {
        self.wide
    }

    /// The ids of a batch of this layout, as they are stored.
    pub(crate) fn id_column(&self, batch: &RecordBatch, threads: Threads<'_>) -> Result<KeyColumn> {
        let columns = batch.columns().get(..self.id.parts().len()).ok_or_else(|| Error::internal("a batch without ids"))?;
        self.id.read(columns, "id", threads)
    }

    /// The schema, without metadata.
    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The rows of some customers.
    pub(crate) fn batch(&self, customers: &CustomerRows<'_>, codes: &[u32]) -> Result<RecordBatch> {
        let totals: Vec<CustomerTotals> = codes.iter().map(|&code| customers.totals(code)).collect();
        let count = |of: fn(&CustomerTotals) -> u64| -> ArrayRef {
            Arc::new(totals.iter().map(|totals| of(totals) as i64).collect::<Int64Array>())
        };
        let keys = customers.state.interner.keys();
        let mut columns = id_columns(&self.id, keys, codes, Threads::inline())?;
        let totals_columns: [ArrayRef; 6] = [
            Arc::new(totals.iter().map(|totals| totals.ends.map(|(first, _)| first)).collect::<Date32Array>()),
            Arc::new(totals.iter().map(|totals| totals.ends.map(|(_, last)| last)).collect::<Date32Array>()),
            count(|totals| totals.orders),
            count(|totals| totals.rows),
            count(|totals| totals.others),
            self.units(totals.iter().map(|totals| totals.units)),
        ];
        columns.extend(totals_columns);
        columns.extend(self.first_rows(totals.iter().map(|totals| totals.first_other)));
        if let Some(fields) = &self.days {
            columns.push(self.days(fields, customers, codes)?);
        }
        if let Some(layout) = &self.orders {
            columns.push(self.orders(layout, customers, codes)?);
        }
        let keys: Vec<(Level, u32)> = codes.iter().map(|&code| (Level::Customer, code)).collect();
        for group in &self.groups {
            columns.push(group.column(&customers.state.accumulators, &keys)?);
        }
        RecordBatch::try_new(self.schema.clone(), columns).map_err(|error| {
            let message = format!("the ids or values of {} customers do not fit a batch: {error}", codes.len());
            Error::new(ErrorKind::OutOfRange, message)
        })
    }

    fn first_rows(&self, rows: impl Iterator<Item = u64>) -> Option<ArrayRef> {
        self.numbered.then(|| -> ArrayRef { Arc::new(UInt64Array::from(rows.collect::<Vec<u64>>())) })
    }

    fn units(&self, units: impl Iterator<Item = i128>) -> ArrayRef {
        if self.wide {
            let (precision, scale) = (38, 0);
            let values = Decimal128Array::from(units.collect::<Vec<i128>>());
            // The caller has checked the range.
            return Arc::new(values.with_data_type(DataType::Decimal128(precision, scale)));
        }
        Arc::new(Int64Array::from(units.map(|units| units as i64).collect::<Vec<i64>>()))
    }

    fn days(&self, fields: &Fields, customers: &CustomerRows<'_>, codes: &[u32]) -> Result<ArrayRef> {
        let mut ends = Vec::with_capacity(codes.len());
        let mut records: Vec<DayRecord> = Vec::new();
        for &code in codes {
            records.extend(customers.days(code));
            ends.push(records.len());
        }
        let count = |of: fn(&DayRecord) -> u32| -> ArrayRef { Arc::new(UInt32Array::from(records.iter().map(of).collect::<Vec<u32>>())) };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Date32Array::from(records.iter().map(|record| record.day).collect::<Vec<i32>>())),
            count(|record| record.orders),
            count(|record| record.rows),
            count(|record| record.others),
            self.units(records.iter().map(|record| record.units)),
        ];
        list(fields, columns, &ends)
    }

    fn orders(&self, layout: &OrderLayout, customers: &CustomerRows<'_>, codes: &[u32]) -> Result<ArrayRef> {
        let (mut ends, mut part_ends) = (Vec::with_capacity(codes.len()), Vec::new());
        let (mut ids, mut keys): (Vec<Option<u32>>, Vec<(Level, u32)>) = (Vec::new(), Vec::new());
        let mut parts: Vec<Order> = Vec::new();
        for &code in codes {
            for order in customers.orders(code) {
                ids.push(order.id);
                parts.extend_from_slice(order.parts());
                part_ends.push(parts.len());
                keys.push(order.key);
            }
            ends.push(ids.len());
        }
        let mut part_columns: Vec<ArrayRef> = vec![
            Arc::new(Date32Array::from(parts.iter().map(|part| part.day).collect::<Vec<i32>>())),
            Arc::new(Int64Array::from(parts.iter().map(|part| part.lines as i64).collect::<Vec<i64>>())),
            Arc::new(BooleanArray::from(parts.iter().map(|part| part.amount_is_null).collect::<Vec<bool>>())),
            self.units(parts.iter().map(|part| part.units)),
        ];
        part_columns.extend(self.first_rows(parts.iter().map(|part| part.first_row)));
        let no_ids = Keys::Integers(Vec::new());
        let ids = match customers.order_ids() {
            Some(keys) => key_column(&layout.id_type, keys, ids.into_iter())?,
            None if ids.iter().all(Option::is_none) => arrow_array::new_null_array(&layout.id_type, ids.len()),
            None => key_column(&layout.id_type, &no_ids, ids.into_iter())?,
        };
        let mut columns = vec![ids, list(&layout.parts, part_columns, &part_ends)?];
        for group in &self.groups {
            columns.push(group.column(&customers.state.accumulators, &keys)?);
        }
        list(&layout.fields, columns, &ends)
    }

    /// Reads the rows of a batch of this layout.
    pub(crate) fn read(&self, batch: &RecordBatch, loader: &mut BaseLoader<'_>) -> Result<(), Failure> {
        let (ids, columns) = batch.columns().split_at_checked(self.id.parts().len()).ok_or("a column is missing")?;
        let mut columns = columns.iter();
        let mut next = || columns.next().ok_or(Failure::Content("a column is missing"));
        let first = loader.add_ids(self.ids(ids, loader.threads)?.ok_or("an id is null")?)?;
        let (first_dates, last_dates) = (next()?.as_primitive::<Date32Type>(), next()?.as_primitive::<Date32Type>());
        let (orders, rows, others) = (counts(next()?)?, counts(next()?)?, counts(next()?)?);
        let units = self.read_units(next()?);
        let first_others = if self.numbered { Some(next()?.as_primitive::<UInt64Type>()) } else { None };
        for (row, code) in (0..batch.num_rows()).zip(first..) {
            let ends = match (first_dates.is_valid(row), last_dates.is_valid(row)) {
                (true, true) => Some((day(first_dates.value(row))?, day(last_dates.value(row))?)),
                (false, false) => None,
                _ => return Err("a customer has only one of first_date and last_date".into()),
            };
            let totals = CustomerTotals {
                ends,
                orders: orders[row],
                rows: rows[row],
                others: others[row],
                first_other: first_others.map_or(u64::MAX, |rows| rows.value(row).saturating_add(loader.rows_before)),
                units: units.get(row),
            };
            loader.add_totals(code, &totals)?;
        }
        if self.days.is_some() {
            self.read_days(next()?.as_list(), first, loader)?;
        }
        if self.orders.is_some() {
            self.read_orders(next()?.as_list(), first, loader)?;
        }
        let keys: Vec<(Level, u32)> = (first..).take(batch.num_rows()).map(|code| (Level::Customer, code)).collect();
        for group in &self.groups {
            group.read(next()?, &keys, loader)?;
        }
        Ok(())
    }

    /// The ids of a batch; `None` if one is null.
    fn ids(&self, columns: &[ArrayRef], threads: Threads<'_>) -> Result<Option<Keys>, Failure> {
        if columns.iter().any(|column| column.logical_null_count() > 0) {
            return Ok(None);
        }
        match self.id.read(columns, "id", threads)? {
            KeyColumn::Plain(ids) => Ok(Some(intern_rows::keys_of(&ids, threads)?)),
            KeyColumn::Dictionary(_) => Err("it has dictionaries".into()),
        }
    }

    fn read_units<'a>(&self, column: &'a ArrayRef) -> UnitsColumn<'a> {
        if self.wide {
            UnitsColumn::Wide(column.as_primitive::<Decimal128Type>().values())
        } else {
            UnitsColumn::Narrow(column.as_primitive::<Int64Type>().values())
        }
    }

    fn read_days(&self, lists: &ListArray, first: u32, loader: &mut BaseLoader<'_>) -> Result<(), Failure> {
        let records = lists.values().as_struct();
        let count = |at: usize| records.column(at).as_primitive::<UInt32Type>().values();
        let dates = records.column(0).as_primitive::<Date32Type>().values();
        let (orders, rows, others, units) = (count(1), count(2), count(3), self.read_units(records.column(4)));
        for (range, customer) in ranges(lists).zip(first..) {
            for at in range {
                let record = DayRecord {
                    customer,
                    day: day(dates[at])?,
                    orders: orders[at],
                    rows: rows[at],
                    others: others[at],
                    units: units.get(at),
                };
                loader.add_day(&record)?;
            }
        }
        Ok(())
    }

    fn read_orders(&self, lists: &ListArray, first: u32, loader: &mut BaseLoader<'_>) -> Result<(), Failure> {
        let orders = lists.values().as_struct();
        let id_nulls = orders.column(0).logical_nulls();
        let ids = keys_with_nulls(orders.column(0), loader.threads)?;
        let part_lists: &ListArray = orders.column(1).as_list();
        let parts = part_lists.values().as_struct();
        let dates = parts.column(0).as_primitive::<Date32Type>().values();
        let (lines, nulls, units) = (counts(parts.column(1))?, parts.column(2).as_boolean(), self.read_units(parts.column(3)));
        let first_rows = self.numbered.then(|| parts.column(4).as_primitive::<UInt64Type>().values());
        let rows_before = loader.rows_before;
        let mut keys: Vec<(Level, u32)> = Vec::new();
        let part_ranges: Vec<_> = ranges(part_lists).collect();
        for (range, customer) in ranges(lists).zip(first..) {
            for order in range {
                let part = |at: usize| -> Result<Order, Failure> {
                    Ok(Order {
                        customer,
                        day: day(dates[at])?,
                        units: units.get(at),
                        lines: lines[at],
                        first_row: first_rows.map_or(u64::MAX, |rows| rows[at].saturating_add(rows_before)),
                        amount_is_null: nulls.value(at),
                        marks: START | RETURNING,
                    })
                };
                let parts = part_ranges[order].clone().map(part).collect::<Result<Vec<Order>, Failure>>()?;
                if !parts.is_sorted_by(|a, b| a.day < b.day) {
                    return Err("the days of an order are not ascending".into());
                }
                let is_open = id_nulls.as_ref().is_none_or(|nulls| nulls.is_valid(order));
                keys.push(loader.add_order(is_open.then_some((&ids, order as u32)), &parts)?);
            }
        }
        // The lists may be a slice.
        let first = lists.value_offsets().first().map_or(0, |&first| first as usize);
        for (group, column) in self.groups.iter().zip(orders.columns().iter().skip(2)) {
            group.read(&column.slice(first, keys.len()), &keys, loader)?;
        }
        Ok(())
    }
}

/// The type of order ids in the file; their input type is not stored.
pub(super) fn order_id_type(kind: KeyKind) -> DataType {
    match kind {
        KeyKind::Signed => DataType::Int64,
        KeyKind::Unsigned => DataType::UInt64,
        KeyKind::Text => DataType::LargeUtf8,
        KeyKind::Binary => DataType::LargeBinary,
    }
}

enum UnitsColumn<'a> {
    Narrow(&'a [i64]),
    Wide(&'a [i128]),
}

impl UnitsColumn<'_> {
    fn get(&self, at: usize) -> i128 {
        match self {
            Self::Narrow(units) => i128::from(units[at]),
            Self::Wide(units) => units[at],
        }
    }
}

fn list(fields: &Fields, columns: Vec<ArrayRef>, ends: &[usize]) -> Result<ArrayRef> {
    let offsets: Vec<i32> =
        std::iter::once(Ok(0)).chain(ends.iter().map(|&end| i32::try_from(end))).collect::<Result<_, _>>().map_err(|_| {
            Error::new(ErrorKind::OutOfRange, "a customer has more than 2,147,483,647 days or open orders, more than a file holds")
        })?;
    let values = StructArray::try_new(fields.clone(), columns, None).map_err(Error::internal)?;
    let list = ListArray::try_new(item(fields), OffsetBuffer::new(ScalarBuffer::from(offsets)), Arc::new(values), None);
    Ok(Arc::new(list.map_err(Error::internal)?))
}

fn ranges(lists: &ListArray) -> impl Iterator<Item = Range<usize>> + '_ {
    lists.value_offsets().windows(2).map(|ends| ends[0] as usize..ends[1] as usize)
}

/// The ids of a column; unspecified for nulls.
fn keys_with_nulls(column: &ArrayRef, threads: Threads<'_>) -> Result<Keys, Failure> {
    Ok(intern_rows::keys_with_nulls(column, threads)?.ok_or("it has dictionaries")?)
}

fn counts(column: &ArrayRef) -> Result<Vec<u64>, Failure> {
    let counts = column.as_primitive::<Int64Type>().values().iter().map(|&count| u64::try_from(count));
    counts.collect::<Result<_, _>>().map_err(|_| Failure::Content("a count is below 0"))
}

fn day(day: i32) -> Result<i32, Failure> {
    if (MIN_DAY..=MAX_DAY).contains(&day) { Ok(day) } else { Err("a date is outside the years 1 to 9999".into()) }
}

/// Writes batches of customers, given by position; `written` is called with each batch and its size in bytes.
pub(crate) fn write_batches<W: Write>(
    writer: &mut Writer<W>,
    layout: &BaseFileLayout,
    customers: &CustomerRows<'_>,
    batches: &[Range<usize>],
    (context, threads): (&Context, Threads<'_>),
    mut written: impl FnMut(&RecordBatch, u64) -> Result<()>,
) -> Result<()> {
    // If there are many, some batches at a time are built in parallel.
    let threads = threads.if_large(customers.len());
    for some in batches.chunks(threads.count()) {
        context.check()?;
        for batch in threads.par_tasks(some, |batch| layout.batch(customers, &customers.codes()[batch.clone()])) {
            let batch = batch?;
            let bytes = writer.write(&batch)?;
            written(&batch, bytes)?;
        }
    }
    Ok(())
}
