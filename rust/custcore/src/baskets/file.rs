//! The file of baskets: an Arrow file with checksums ([`crate::store::blocks`]), a row for each basket, ordered by customer and order.
//!
//! | column | type |
//! |---|---|
//! | `customer_0`, ... | the columns of the id; null without a customer |
//! | `order_0`, ..., with `basket="order"` | the columns of the order id; null if the basket is closed |
//! | `last_day` | Date32, null if the basket is closed |
//! | `items` | list of `item` (null: lines without one) and `units`, if sums are kept: Int64, or Decimal128(38, 0) if a sum needs it |
//!
//! The bytes depend on the content only, not on the order of updates; therefore row numbers in the report are not stored.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Int64Type};
use arrow_array::{Array, ArrayRef, Date32Array, Decimal128Array, Int64Array, ListArray, RecordBatch, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, Fields, Schema};
use serde::{Deserialize, Serialize};

use super::content::{BasketTallies, Content, packed};
use super::file_rows::{Row, Rows, rows_of};
use super::run::{NO_ITEM, RunBuilder, key};
use super::spec::{BasketBy, BasketSpec};
use super::{Baskets, Known};
use crate::base::file::settings::{BaseSettings, KindNames};
use crate::column::chunks::InputSchema;
use crate::column::flag;
use crate::column::key::KeyColumn;
use crate::column::key_schema::KeySchema;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::group::intern_rows::Remap;
use crate::group::interner::{Interner, Keys, NO_CODE};
use crate::num::money::LARGEST_UNITS;
use crate::report::Tally;
use crate::store::atomic::AtomicFile;
use crate::store::blocks::{Entries, Format, Reader, Writer};
use crate::store::bytes::Bytes;
use crate::table::{id_columns, key_column};
use crate::time::calendar::{MAX_DAY, MIN_DAY};

const FORMAT: Format = Format { name: "set of baskets", version: 1 };
const SETTINGS: &str = "custcore.settings";
const KINDS: &str = "custcore.kinds";
const ACCOUNT: &str = "custcore.account";
/// Baskets, and entries, of a batch.
const BATCH: (usize, usize) = (1 << 16, 1 << 21);

/// The settings as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    read: BaseSettings,
    basket: String,
    max_basket: Option<u64>,
    anonymous: bool,
}

/// What belongs to no basket, as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    n_rows: u64,
    sealed: Option<i32>,
    batch_ids: BTreeSet<String>,
    /// Count, rows and units (as digits) of each tally that is not empty.
    report: BTreeMap<String, (u64, u64, String)>,
}

/// Baskets written to a temporary file, which is deleted on drop.
#[derive(Debug)]
pub struct BasketDraft {
    file: AtomicFile,
    path: PathBuf,
}

impl BasketDraft {
    /// Renames the temporary file to the file of the baskets.
    pub fn commit(self) -> Result<()> {
        let Self { file, path } = self;
        file.commit().map_err(|error| Error::file("write", &path, &error))
    }
}

/// The columns of the file.
struct Layout {
    schema: Schema,
    id: KeySchema,
    order: Option<KeySchema>,
    item: DataType,
    entry: Fields,
    /// Whether sums need 128 bits; `None` if there are none.
    wide: Option<bool>,
}

impl Layout {
    fn of(spec: &BasketSpec, schema: &InputSchema, wide: bool) -> Result<Self> {
        let item = schema.attributes.first().ok_or_else(|| Error::internal("baskets without a type of items"))?;
        let named = |key: &KeySchema, prefix: &str| {
            let fields = key.parts().iter().map(|part| part.field(true)).enumerate();
            fields.map(|(at, field)| field.with_name(format!("{prefix}_{at}"))).collect::<Vec<_>>()
        };
        let mut fields = named(&schema.id, "customer");
        if let Some(order) = &schema.order {
            fields.extend(named(order, "order"));
        }
        let wide = spec.keeps_units().then_some(wide);
        let mut entry = vec![item.field("item")];
        entry.extend(wide.map(|wide| Field::new("units", if wide { DataType::Decimal128(38, 0) } else { DataType::Int64 }, false)));
        let entry = Fields::from(entry);
        fields.push(Field::new("last_day", DataType::Date32, true));
        fields.push(Field::new("items", DataType::List(list_item(&entry)), false));
        let (id, order) = (schema.id.clone(), schema.order.clone());
        Ok(Self { schema: Schema::new(fields), id, order, item: item.data_type.clone(), entry, wide })
    }

    /// A batch of baskets that all have a customer, or none, and all are open, or closed.
    fn batch(&self, content: &Content, rows: &[Row], entries: &[(u32, i128)]) -> Result<RecordBatch> {
        let columns_of = |key: &KeySchema, keys: &Keys, codes: Vec<u32>| -> Result<Vec<ArrayRef>> {
            if codes.first() != Some(&NO_CODE) {
                return id_columns(key, keys, &codes, Threads::inline());
            }
            Ok(key.parts().iter().map(|part| arrow_array::new_null_array(&part.value_type, codes.len())).collect())
        };
        let mut columns = columns_of(&self.id, content.customers.keys(), rows.iter().map(|row| row.customer).collect())?;
        if let Some(order) = &self.order {
            columns.extend(columns_of(order, content.orders.keys(), rows.iter().map(|row| row.order).collect())?);
        }
        columns.push(Arc::new(rows.iter().map(|row| row.last_day).collect::<Date32Array>()));
        let own: Vec<&(u32, i128)> = rows.iter().flat_map(|row| &entries[row.entries.clone()]).collect();
        let items = own.iter().map(|(item, _)| (*item != NO_ITEM).then_some(*item));
        let mut parts = vec![key_column(&self.item, content.items.keys(), items)?];
        let units = own.iter().map(|(_, units)| *units);
        match self.wide {
            None => {}
            Some(false) => parts.push(Arc::new(units.map(|units| units as i64).collect::<Int64Array>())),
            Some(true) => {
                let units = units.collect::<Decimal128Array>().with_data_type(DataType::Decimal128(38, 0));
                parts.push(Arc::new(units));
            }
        }
        let parts = StructArray::try_new(self.entry.clone(), parts, None).map_err(Error::internal)?;
        let lengths = OffsetBuffer::from_lengths(rows.iter().map(|row| row.entries.len()));
        columns.push(Arc::new(ListArray::try_new(list_item(&self.entry), lengths, Arc::new(parts), None).map_err(Error::internal)?));
        RecordBatch::try_new(Arc::new(self.schema.clone()), columns)
            .map_err(|error| Error::new(ErrorKind::OutOfRange, format!("the ids of {} baskets do not fit a batch: {error}", rows.len())))
    }
}

fn list_item(entry: &Fields) -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Struct(entry.clone()), false))
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

impl Baskets {
    /// Writes the baskets to a file atomically.
    pub fn save(&self, path: &Path, context: &Context) -> Result<()> {
        self.draft(path, context)?.commit()
    }

    /// Writes the baskets to a temporary file beside the file; see [`BasketDraft::commit`].
    pub fn draft(&self, path: &Path, context: &Context) -> Result<BasketDraft> {
        let file = AtomicFile::create(path).map_err(|error| Error::file("write", path, &error))?;
        Ok(BasketDraft { file: self.write(file, path, context)?, path: path.to_owned() })
    }

    /// Reads baskets from a file.
    pub fn load(path: &Path, context: &Context) -> Result<Self> {
        read(Reader::open(path, FORMAT)?, context)
    }

    /// The bytes of the file.
    pub fn to_bytes(&self, context: &Context) -> Result<Vec<u8>> {
        Ok(self.write(Bytes::default(), Path::new("bytes"), context)?.0)
    }

    /// Baskets from the bytes of a file.
    pub fn from_bytes(bytes: &[u8], context: &Context) -> Result<Self> {
        read(Reader::of_bytes(bytes, FORMAT)?, context)
    }

    fn write<W: Write>(&self, to: W, path: &Path, context: &Context) -> Result<W> {
        let spec = &self.spec;
        let read = BaseSettings::of(&spec.read).ok_or_else(|| Error::internal("settings that are not stored"))?;
        let settings = Settings { read, basket: spec.by.name().to_owned(), max_basket: spec.max_basket, anonymous: spec.anonymous };
        let mut entries = Entries::from([(SETTINGS.to_owned(), json(&settings)?)]);
        let Some(known) = &self.known else {
            return Writer::new(to, path, FORMAT, &Schema::empty(), entries)?.finish(&Entries::new());
        };
        let mut tallies = known.content.tallies;
        let report = tallies.named().into_iter().filter(|(_, tally)| tally.count != 0);
        let report = report.map(|(name, tally)| (name.to_owned(), (tally.count, tally.rows, tally.units.to_string()))).collect();
        let account = Account { n_rows: known.rows, sealed: known.sealed, batch_ids: known.batches.clone(), report };
        let last = Entries::from([(ACCOUNT.to_owned(), json(&account)?)]);
        let Rows { rows, entries: of_rows } = rows_of(&known.content, context)?;
        let largest = of_rows.iter().map(|(_, units)| units.unsigned_abs()).max().unwrap_or(0);
        if largest > LARGEST_UNITS {
            let message = "a sum of money has more than 38 digits, more than the file holds. Cast the amounts to a smaller scale";
            return Err(Error::new(ErrorKind::SumOverflow, message));
        }
        let wide = i64::try_from(largest).is_err();
        entries.insert(KINDS.to_owned(), json(&KindNames::of(&known.schema, wide))?);
        // Order ids are in no result: their widths are not stored.
        let stored = KindNames::of(&known.schema, wide).kinds(&spec.read)?.ok_or_else(|| Error::internal("types that are not stored"))?;
        let layout = Layout::of(spec, &InputSchema { order: stored.order, ..known.schema.clone() }, wide)?;
        let mut writer = Writer::new(to, path, FORMAT, &layout.schema, entries)?;
        let like = |a: &Row, b: &Row| (a.customer == NO_CODE) == (b.customer == NO_CODE) && a.last_day.is_some() == b.last_day.is_some();
        for mut own in rows.chunk_by(like) {
            while let Some(first) = own.first() {
                context.check()?;
                let start = first.entries.start;
                let fits = own.iter().take(BATCH.0).take_while(|row| row.entries.end - start <= BATCH.1).count().max(1);
                let (batch, rest) = own.split_at(fits);
                writer.write(&layout.batch(&known.content, batch, &of_rows)?)?;
                own = rest;
            }
        }
        writer.finish(&last)
    }
}

fn parsed<T: for<'a> Deserialize<'a>, R: Read + Seek>(reader: &Reader<R>, text: Option<&String>, wrong: &str) -> Result<T> {
    text.and_then(|text| serde_json::from_str(text).ok()).ok_or_else(|| reader.damaged(wrong))
}

fn read<R: Read + Seek>(mut reader: Reader<R>, context: &Context) -> Result<Baskets> {
    let wrong = "its settings cannot be read";
    let metadata = reader.schema().metadata().clone();
    let settings: Settings = parsed(&reader, metadata.get(SETTINGS), wrong)?;
    let by = [BasketBy::Order, BasketBy::Day, BasketBy::Customer].into_iter().find(|by| by.name() == settings.basket);
    let (Some(by), Some(read)) = (by, settings.read.spec()) else { return Err(reader.damaged(wrong)) };
    let spec = BasketSpec { read, by, max_basket: settings.max_basket, anonymous: settings.anonymous };
    let spec = spec.checked().map_err(|error| reader.damaged(error.message()))?;
    let Some(text) = metadata.get(KINDS) else { return Ok(Baskets { spec, known: None }) };
    let names: KindNames = parsed(&reader, Some(text), "its input schema cannot be read")?;
    let wide = names.wide;
    let mut schema = names.kinds(&spec.read)?.ok_or_else(|| reader.damaged("its input schema cannot be read"))?;
    for (part, field) in schema.id.parts_mut().iter_mut().zip(reader.schema().fields()) {
        part.extend_from(field);
    }
    let layout = Layout::of(&spec, &schema, wide)?;
    if layout.schema.fields() != reader.schema().fields() {
        return Err(reader.damaged("its columns do not match its settings"));
    }
    let mut content = Content::new(&spec, &schema);
    let mut builder = RunBuilder::new(content.has_units);
    for batch in 0..reader.len() {
        context.check()?;
        let rows = reader.batch(batch)?;
        read_batch(&layout, by, &rows, &mut content, &mut builder, context)?.map_err(|why| reader.damaged(why))?;
    }
    content.open = builder.finish(context)?;
    let account: Account = parsed(&reader, reader.entries().get(ACCOUNT), "its report cannot be read")?;
    let mut tallies = BasketTallies::default();
    let mut report = account.report;
    for (name, tally) in tallies.named() {
        if let Some((count, rows, units)) = report.remove(name) {
            let units = units.parse().map_err(|_| reader.damaged("its report cannot be read"))?;
            *tally = Tally { count, rows, units, ..Tally::default() };
        }
    }
    content.tallies = tallies;
    let known = Known { schema, content, rows: account.n_rows, batches: account.batch_ids, sealed: account.sealed };
    Ok(Baskets { spec, known: Some(known) })
}

/// The codes of a column, [`NO_CODE`] for null.
fn interned(column: &KeyColumn, rows: usize, interner: &mut Interner) -> Result<Vec<u32>> {
    let (mut all, mut codes, mut remap) = (Vec::with_capacity(rows), Vec::new(), Remap::default());
    for start in (0..rows).step_by(crate::column::BLOCK) {
        let len = crate::column::BLOCK.min(rows - start);
        let is_null = |row: usize| column.nulls().is_some_and(|nulls| nulls.is_null(row));
        let mut flags: Vec<u8> = (start..start + len).map(|row| if is_null(row) { flag::NULL_ID } else { 0 }).collect();
        interner.intern_rows(column, start, &mut flags, &mut codes, &mut remap)?;
        all.extend_from_slice(&codes);
    }
    Ok(all)
}

/// Reads a batch. The inner error says what is wrong with its content.
fn read_batch(
    layout: &Layout,
    by: BasketBy,
    batch: &RecordBatch,
    content: &mut Content,
    builder: &mut RunBuilder,
    context: &Context,
) -> Result<Result<(), &'static str>> {
    let (rows, columns) = (batch.num_rows(), batch.columns());
    let (ids, rest) = columns.split_at(layout.id.parts().len());
    let customers = interned(&layout.id.read(ids, "customer_id", Threads::inline())?, rows, &mut content.customers)?;
    let (order_columns, rest) = rest.split_at(layout.order.as_ref().map_or(0, |order| order.parts().len()));
    let orders = match &layout.order {
        Some(order) => interned(&order.read(order_columns, "order_id", Threads::inline())?, rows, &mut content.orders)?,
        None => Vec::new(),
    };
    let [days, lists] = rest else { return Ok(Err("a column is missing")) };
    let (days, lists) = (days.as_primitive::<Date32Type>(), lists.as_list::<i32>());
    let entries = lists.values().as_struct();
    let item_column = crate::column::value::ValueColumn::new("items", "item", entries.column(0))?.stored;
    let items = interned(&item_column, entries.len(), &mut content.items)?;
    let units: Vec<i128> = match layout.wide {
        None => vec![0; entries.len()],
        Some(false) => entries.column(1).as_primitive::<Int64Type>().values().iter().map(|&units| units.into()).collect(),
        Some(true) => entries.column(1).as_primitive::<Decimal128Type>().values().to_vec(),
    };
    let mut own = Vec::new();
    for row in 0..rows {
        let range = lists.value_offsets()[row] as usize..lists.value_offsets()[row + 1] as usize;
        if days.is_null(row) {
            own.clear();
            own.extend(items[range].iter().copied().filter(|item| *item != NO_CODE));
            own.sort_unstable();
            own.dedup();
            content.closed.push(customers[row], &own);
            continue;
        }
        let day = days.value(row);
        if !(MIN_DAY..=MAX_DAY).contains(&day) {
            return Ok(Err("a date is outside the years 1 to 9999"));
        }
        let other = match by {
            BasketBy::Order if orders[row] == NO_CODE => return Ok(Err("an open basket has no order id")),
            BasketBy::Order => orders[row],
            BasketBy::Day => day as u32,
            BasketBy::Customer => 0,
        };
        let basket = content.ids.intern_integer(packed(customers[row], other))?;
        if content.last_days.len() != basket as usize {
            return Ok(Err("a basket occurs twice"));
        }
        content.last_days.push(day);
        for at in range {
            let item = if items[at] == NO_CODE { NO_ITEM } else { items[at] };
            builder.push(key(basket, item), units[at], context)?;
        }
    }
    Ok(Ok(()))
}
