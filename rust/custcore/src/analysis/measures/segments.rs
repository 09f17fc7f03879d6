//! A table of customer ids and segments, by which measures are split.

use arrow_array::{ArrayRef, RecordBatch};

use super::labels::{Label, ViewGroups};
use crate::analysis::label_reader::{LabelReader, NO_LABEL};
use crate::base::view::BaseView;
use crate::column::key_schema::{KeyNames, KeySchema};
use crate::column::{BLOCK, find_column, flag};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::group::intern_rows::Remap;
use crate::group::interner::{Interner, Keys, NO_CODE};
use crate::table::{CUSTOMER_ID, id_text};

/// The segment of a customer whose segment is null.
const NO_SEGMENT: u16 = NO_LABEL;
/// The segment of an id of which no row was read yet.
const UNREAD: u16 = u16::MAX - 1;

/// The segments of customers.
#[derive(Debug)]
pub struct CustomerSegments {
    key: KeySchema,
    ids: Interner,
    /// Positions in `names`, by code of the id.
    segments: Vec<u16>,
    /// The segments: those of dictionaries in their order, then others by name.
    pub(super) names: Vec<String>,
    /// The column of segments.
    pub(super) column: String,
}

impl CustomerSegments {
    /// Reads a table. Ids are in the columns `customer_id` if it has them, else in those that it names in its metadata, else in the
    /// first. A null or repeated id is an error; a null segment is a group of its own.
    pub fn new(batches: &[RecordBatch], customer_id: &KeyNames, column: &str, context: &Context) -> Result<Self> {
        let Some(first) = batches.first() else { return Err(Error::internal("segments without a batch")) };
        let schema = first.schema();
        find_column(&schema, column, "segment").map_err(of_table)?;
        let has_all = customer_id.iter().all(|name| schema.column_with_name(name).is_some());
        let names = match schema.metadata().get(CUSTOMER_ID) {
            _ if has_all => customer_id.clone(),
            Some(text) => KeyNames::of_text(text, &schema),
            None => schema.field(0).name().as_str().into(),
        };
        names.check("customer_id")?;
        let key = KeySchema::of(&schema, &names, "customer_id").map_err(of_table)?;
        let ids = Interner::new(key.kind());
        let mut read = Self { key, ids, segments: Vec::new(), names: Vec::new(), column: column.to_owned() };
        let (mut labels, mut rows_before) = (LabelReader::default(), 0);
        for batch in batches {
            let read = read.read_batch(batch, &names, &mut labels, context);
            read.map_err(|error| of_table(error.counted_from(rows_before)))?;
            rows_before += batch.num_rows() as u64;
        }
        read.sort(labels);
        Ok(read)
    }

    fn read_batch(&mut self, batch: &RecordBatch, names: &KeyNames, labels: &mut LabelReader, context: &Context) -> Result<()> {
        let schema = batch.schema();
        let column = |name: &str, role: &str| -> Result<&ArrayRef> { Ok(batch.column(find_column(&schema, name, role)?)) };
        let columns = names.iter().map(|name| column(name, "customer_id").cloned()).collect::<Result<Vec<_>>>()?;
        let keys = context.run_if_large(batch.num_rows(), |threads| self.key.read(&columns, "customer_id", threads))??;
        let of_row = labels.read(column(&self.column, "segment")?, &self.column, "segment")?;
        let (mut codes, mut remap) = (Vec::with_capacity(BLOCK), Remap::default());
        for start in (0..batch.num_rows()).step_by(BLOCK) {
            context.check()?;
            let len = BLOCK.min(batch.num_rows() - start);
            let mut flags = vec![0; len];
            if let Some(nulls) = keys.nulls() {
                (0..len).filter(|i| nulls.is_null(start + i)).for_each(|i| flags[i] |= flag::NULL_ID);
            }
            self.ids.intern_rows(&keys, start, &mut flags, &mut codes, &mut remap)?;
            self.segments.resize(self.ids.len(), UNREAD);
            for (row, &code) in (start..).zip(&codes) {
                let first = names.iter().next().unwrap_or_default();
                if code == NO_CODE {
                    let message = format!("a customer id is null at row {row}. Leave such rows out");
                    return Err(Error::new(ErrorKind::NullValue, message).in_column(first).at_row(row as u64));
                }
                if self.segments[code as usize] != UNREAD {
                    let id = id_text(&self.key, self.ids.keys(), code);
                    let message = format!("customer {id} has a second row, at row {row}; expected one row per customer");
                    return Err(Error::new(ErrorKind::InvalidArgument, message).in_column(first).at_row(row as u64));
                }
                self.segments[code as usize] = of_row[row];
            }
        }
        Ok(())
    }

    /// Puts the segments that are in no dictionary, after those that are, in the order of their names.
    fn sort(&mut self, labels: LabelReader) {
        let LabelReader { names, ordered, .. } = labels;
        let mut order: Vec<u16> = (0..names.len() as u16).collect();
        order[ordered..].sort_by(|&a, &b| names[usize::from(a)].cmp(&names[usize::from(b)]));
        let mut place = vec![0; order.len()];
        (0..).zip(&order).for_each(|(to, &from)| place[usize::from(from)] = to);
        let named = self.segments.iter_mut().filter(|segment| **segment < UNREAD);
        named.for_each(|segment| *segment = place[usize::from(*segment)]);
        self.names = order.iter().map(|&at| names[usize::from(at)].clone()).collect();
    }

    /// The names of the segments.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The segment of each of these customers, by position in the names; `None` for one that is not in the table, or has none.
    pub(crate) fn of_ids(&self, key: &KeySchema, keys: &Keys) -> Result<Vec<Option<u16>>> {
        key.check_same_kinds(&self.key).map_err(of_table)?;
        let lookup = self.ids.lookup();
        let of = |code: u32| lookup.find(keys, code).map(|found| self.segments[found as usize]).filter(|&segment| segment < UNREAD);
        Ok((0..keys.len() as u32).map(of).collect())
    }

    /// The segments of the customers of a view; customers that are not in the table are in the group null.
    pub(super) fn groups(&self, view: &BaseView<'_>, threads: Threads<'_>) -> Result<ViewGroups> {
        view.kinds().id.check_same_kinds(&self.key).map_err(of_table)?;
        let (lookup, keys, null) = (self.ids.lookup(), view.ids(), self.names.len() as u16);
        let of = |code: usize| {
            let segment = lookup.find(keys, code as u32).map_or(NO_SEGMENT, |found| self.segments[found as usize]);
            if segment < UNREAD { segment } else { null }
        };
        let labels = (0..null).map(Label::Segment).chain([Label::Null]).collect();
        Ok(ViewGroups::new(labels, threads.par_map(view.customers(), of)))
    }
}

fn of_table(error: Error) -> Error {
    error.said_of("by")
}
